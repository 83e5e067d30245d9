"""The app's settings: read once from the environment into one frozen value, all problems reported at once."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from shared.durations import parse_duration
from shared.errors import SettingsError

STORAGE = "DROPSCORE_STORAGE"
CONTAINERS = ("inbox", "predictions", "rejected", "archive", "work", "ledger", "config")
WORKSPACE_FORM = (
    "write the workspace's resource id, "
    "/subscriptions/…/resourceGroups/…/providers/Microsoft.MachineLearningServices/workspaces/…"
)
DEFAULTS = {
    "DROPSCORE_ARM_URL": "https://management.azure.com",
    "DROPSCORE_ARM_AUDIENCE": "https://management.azure.com",
    "DROPSCORE_SCORING_AUDIENCE": "https://ml.azure.com",
    "DROPSCORE_SETTLE_AFTER": "60s",
    "DROPSCORE_SEARCH_WINDOW": "10m",
    "DROPSCORE_POLL_AT_LEAST": "1s",
    "DROPSCORE_POLL_AT_MOST": "30s",
    **{f"DROPSCORE_{name.upper()}": name for name in CONTAINERS if name != "inbox"},
}


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything the app can be told from outside. Docs: `docs/settings.md`."""

    storage_connection: str
    storage_uri: str
    storage_client_id: str
    inbox: str
    predictions: str
    rejected: str
    archive: str
    work: str
    ledger: str
    config: str
    workspace: str
    arm_url: str
    arm_audience: str
    scoring_audience: str
    settle_after: timedelta
    search_window: timedelta
    poll_at_least: timedelta
    poll_at_most: timedelta

    @classmethod
    def from_env(cls, environment: Mapping[str, str]) -> "Settings":
        """Raises SettingsError with one line per missing or malformed key."""
        problems: list[str] = []

        def text(key: str) -> str:
            return environment.get(key, "").strip() or DEFAULTS.get(key, "")

        def url(key: str) -> str:
            value = text(key).rstrip("/")
            if not trusted_url(value):
                problems.append(f'{key}: "{value}" must be an https address (http only for this machine)')
            return value

        def duration(key: str) -> timedelta:
            try:
                return parse_duration(text(key))
            except ValueError as problem:
                problems.append(f"{key}: {problem}")
                return timedelta()

        connection, uri = text(STORAGE), text(f"{STORAGE}__blobServiceUri")
        if not connection and not uri:
            problems.append(
                f"{STORAGE}: set a connection string, or {STORAGE}__blobServiceUri to use the app's identity"
            )
        if connection and uri:
            problems.append(f"{STORAGE} and {STORAGE}__blobServiceUri are both set: keep one of them")
        if not text("DROPSCORE_INBOX"):
            problems.append("DROPSCORE_INBOX: set the name of the container people drop files into")
        workspace = text("DROPSCORE_WORKSPACE").rstrip("/")
        if workspace and not is_workspace(workspace):
            problems.append(f"DROPSCORE_WORKSPACE: {WORKSPACE_FORM}")
        value = cls(
            storage_connection=connection,
            storage_uri=uri,
            storage_client_id=text(f"{STORAGE}__clientId") or text("AZURE_CLIENT_ID"),
            workspace=workspace,
            arm_url=url("DROPSCORE_ARM_URL"),
            arm_audience=url("DROPSCORE_ARM_AUDIENCE"),
            scoring_audience=url("DROPSCORE_SCORING_AUDIENCE"),
            settle_after=duration("DROPSCORE_SETTLE_AFTER"),
            search_window=duration("DROPSCORE_SEARCH_WINDOW"),
            poll_at_least=duration("DROPSCORE_POLL_AT_LEAST"),
            poll_at_most=duration("DROPSCORE_POLL_AT_MOST"),
            **{name: text(f"DROPSCORE_{name.upper()}") for name in CONTAINERS},
        )
        if problems:
            raise SettingsError("The app's settings are not usable:\n  " + "\n  ".join(problems))
        return value


def inbox_events(environment: Mapping[str, str]) -> bool:
    """Whether Event Grid announces blobs (the default, and all that Flex Consumption knows) or a scan finds them.

    Read while functions are indexed, before the other settings are looked at.
    """
    return environment.get("DROPSCORE_BLOB_SOURCE", "eventgrid").strip().lower() != "polling"


def is_workspace(text: str) -> bool:
    """Whether a text is the resource id of an Azure ML workspace, and nothing more."""
    form = r"/subscriptions/[^/]+/resourcegroups/[^/]+/providers/microsoft.machinelearningservices/workspaces/[^/]+"
    return re.fullmatch(form, text, re.IGNORECASE) is not None


def trusted_url(address: str) -> bool:
    """Tokens go only over TLS; plain http is for emulators on this machine."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    local = parts.hostname in {"127.0.0.1", "localhost", "::1"}
    return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and local))

"""The app's settings: read once from the environment into one frozen value, all problems reported at once."""

import re
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import urlsplit

from shared.durations import parse_duration
from shared.errors import SettingsError
from shared.records import Owner

STORAGE = "DROPSCORE_STORAGE"
LONGEST_POLL = timedelta(minutes=10)
# What Durable Functions takes where host.json's setting is missing.
DEFAULT_HUB = "TestHubName"
CONTAINERS = ("inbox", "predictions", "rejected", "archive", "work", "ledger", "config")
WORKSPACE_FORM = (
    "write the workspace's resource id, "
    "/subscriptions/…/resourceGroups/…/providers/Microsoft.MachineLearningServices/workspaces/…"
)
SECRET_FORM = (
    "write whsec_ and 24 to 64 random bytes in base64; two such secrets, with a blank between, while one replaces "
    "the other"
)
DEFAULTS = {
    "DROPSCORE_ARM_URL": "https://management.azure.com",
    "DROPSCORE_ARM_AUDIENCE": "https://management.azure.com",
    "DROPSCORE_SCORING_AUDIENCE": "https://ml.azure.com",
    "DROPSCORE_BLOB_SOURCE": "eventgrid",
    "DROPSCORE_SETTLE_AFTER": "60s",
    "DROPSCORE_EMPTY_AFTER": "5m",
    "DROPSCORE_SEARCH_WINDOW": "10m",
    "DROPSCORE_POLL_AT_LEAST": "1s",
    "DROPSCORE_POLL_AT_MOST": "30s",
    "DROPSCORE_KEEP": "90d",
    "DROPSCORE_MAX_ADHOC": "10",
    "DROPSCORE_READS": "key",
    "DROPSCORE_ROW_VALUES": "no",
    "DROPSCORE_INPUT_ACCOUNTS": "",
    "DROPSCORE_STATUS": "",
    "DROPSCORE_WEBHOOK_SECRET": "",
    **{f"DROPSCORE_{name.upper()}": name for name in CONTAINERS if name != "inbox"},
}


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything the app can be told from outside. Docs: `docs/settings.md`."""

    storage_connection: str
    storage_uri: str
    storage_queue_uri: str
    storage_client_id: str
    client_id: str
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
    empty_after: timedelta
    search_window: timedelta
    poll_at_least: timedelta
    poll_at_most: timedelta
    keep: timedelta
    max_adhoc: int
    row_values: bool
    input_accounts: tuple[str, ...]
    status: str
    webhook_secrets: tuple[bytes, ...] = field(repr=False)
    owner: Owner

    @classmethod
    def from_env(cls, environment: Mapping[str, str]) -> "Settings":
        """Raises SettingsError with one line per missing or malformed key."""
        read = Reader(environment)
        read.check_storage()
        read.either("DROPSCORE_BLOB_SOURCE", "eventgrid", "polling")
        read.either("DROPSCORE_READS", "key", "open")
        value = cls(
            storage_connection=read.text(STORAGE),
            storage_uri=read.text(f"{STORAGE}__blobServiceUri"),
            storage_queue_uri=read.queue_uri(f"{STORAGE}__queueServiceUri"),
            storage_client_id=read.text(f"{STORAGE}__clientId") or read.text("AZURE_CLIENT_ID"),
            client_id=read.text("AZURE_CLIENT_ID"),
            workspace=read.workspace("DROPSCORE_WORKSPACE"),
            arm_url=read.url("DROPSCORE_ARM_URL"),
            arm_audience=read.url("DROPSCORE_ARM_AUDIENCE"),
            scoring_audience=read.url("DROPSCORE_SCORING_AUDIENCE"),
            settle_after=read.duration("DROPSCORE_SETTLE_AFTER"),
            empty_after=read.duration("DROPSCORE_EMPTY_AFTER"),
            search_window=read.duration("DROPSCORE_SEARCH_WINDOW"),
            poll_at_least=read.duration("DROPSCORE_POLL_AT_LEAST"),
            poll_at_most=read.duration("DROPSCORE_POLL_AT_MOST"),
            keep=read.duration("DROPSCORE_KEEP"),
            max_adhoc=read.number("DROPSCORE_MAX_ADHOC"),
            row_values=read.either("DROPSCORE_ROW_VALUES", "no", "yes"),
            input_accounts=read.accounts("DROPSCORE_INPUT_ACCOUNTS"),
            webhook_secrets=read.webhook_secrets("DROPSCORE_WEBHOOK_SECRET"),
            owner=Owner(hub=read.text("TASKHUB_NAME") or DEFAULT_HUB, storage=read.hub_account()),
            **read.containers(),
        )
        if value.poll_at_most > LONGEST_POLL:
            read.problems.append(
                "DROPSCORE_POLL_AT_MOST: at most 10m, or the sweep takes the wait for a standstill"
            )
        if read.problems:
            raise SettingsError("The app's settings are not usable:\n  " + "\n  ".join(read.problems))
        return value


class Reader:
    """Reads settings one by one and keeps what is wrong with them."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment
        self.problems: list[str] = []

    def text(self, key: str) -> str:
        return self.environment.get(key, "").strip() or DEFAULTS.get(key, "")

    def url(self, key: str) -> str:
        value = self.text(key).rstrip("/")
        if not trusted_url(value):
            self.problems.append(f'{key}: "{value}" must be an https address (http only for this machine)')
        return value

    def queue_uri(self, key: str) -> str:
        """The address of queues, if it is set: a token is sent there."""
        return self.url(key) if self.text(key) else ""

    def duration(self, key: str) -> timedelta:
        try:
            return parse_duration(self.text(key))
        except ValueError as problem:
            self.problems.append(f"{key}: {problem}")
            return timedelta()

    def number(self, key: str) -> int:
        text = self.text(key)
        if not text.isdecimal() or not int(text):
            self.problems.append(f'{key}: "{text}" must be a whole number, at least 1')
            return 1
        return int(text)

    def webhook_secrets(self, key: str) -> tuple[bytes, ...]:
        """The bytes of each secret. What is wrong is never said with the secret itself."""
        found = [whole_secret(text) for text in self.text(key).split()]
        if None in found:
            self.problems.append(f"{key}: {SECRET_FORM}")
        return tuple(secret for secret in found if secret is not None)

    def hub_account(self) -> str:
        """The storage account of the Functions host, in which the task hub lies."""
        found = re.search(r"AccountName=([^;]+)", self.text("AzureWebJobsStorage"))
        named = self.text("AzureWebJobsStorage__accountName")
        host = urlsplit(self.text("AzureWebJobsStorage__blobServiceUri")).hostname or ""
        return found[1] if found else named or host.split(".")[0]

    def workspace(self, key: str) -> str:
        value = self.text(key).rstrip("/")
        if value and not is_workspace(value):
            self.problems.append(f"{key}: {WORKSPACE_FORM}")
        return value

    def containers(self) -> dict[str, str]:
        """The container of each role; no two roles may share one. `status` may have none."""
        names = {role: self.text(f"DROPSCORE_{role.upper()}") for role in (*CONTAINERS, "status")}
        if not names["inbox"]:
            self.problems.append("DROPSCORE_INBOX: set the name of the container people drop files into")
        for role, name in names.items():
            twins = [f"DROPSCORE_{other.upper()}" for other in names if names[other] == name]
            if name and twins[0] != f"DROPSCORE_{role.upper()}":
                self.problems.append(f"DROPSCORE_{role.upper()}: must not be the container of {twins[0]}")
        return names

    def check_storage(self) -> None:
        connection, uri = self.text(STORAGE), self.text(f"{STORAGE}__blobServiceUri")
        if not connection and not uri:
            self.problems.append(
                f"{STORAGE}: set a connection string, or {STORAGE}__blobServiceUri to use the app's identity"
            )
        if connection and uri:
            self.problems.append(f"{STORAGE} and {STORAGE}__blobServiceUri are both set: keep one of them")

    def either(self, key: str, usual: str, other: str) -> bool:
        """Whether the setting says the other of two words."""
        text = self.text(key).lower()
        if text not in (usual, other):
            self.problems.append(f'{key}: write "{usual}" or "{other}"')
        return text == other

    def accounts(self, key: str) -> tuple[str, ...]:
        """The hosts of storage accounts."""
        hosts = tuple(host.strip().lower() for host in self.text(key).split(",") if host.strip())
        wrong = [host for host in hosts if not re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+(:\d+)?", host)]
        if wrong:
            self.problems.append(f'{key}: "{wrong[0]}" is no host such as account.blob.core.windows.net')
        return hosts


def inbox_events(environment: Mapping[str, str]) -> bool:
    """Whether Event Grid announces blobs (the default, and all that Flex Consumption knows) or a scan finds them.

    Read while functions are indexed, before the other settings are looked at.
    """
    return Reader(environment).text("DROPSCORE_BLOB_SOURCE").lower() != "polling"


def open_reads(environment: Mapping[str, str]) -> bool:
    """Whether what is only read over HTTP asks for no key. Read while functions are indexed."""
    return Reader(environment).text("DROPSCORE_READS").lower() == "open"


def whole_secret(text: str) -> bytes | None:
    """The bytes of one secret of the Standard Webhooks convention, or None where it is none."""
    try:
        secret = b64decode(text.removeprefix("whsec_"), validate=True)
    except ValueError:
        return None
    return secret if text.startswith("whsec_") and 24 <= len(secret) <= 64 else None


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

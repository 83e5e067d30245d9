"""App settings and host.json: what the host reads of an app besides its code."""

import json
import os
import re
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from local.host import host_json
from local.host.host_json import DURABLE, PROVIDER, Settings
from local.host.versions import FailureStrategy, MatchStrategy, Versioning

Choice = TypeVar("Choice", bound=StrEnum)
PROCESS_COUNT = "FUNCTIONS_WORKER_PROCESS_COUNT"
MOST_PROCESSES = 10


class MissingSettingError(Exception):
    """A `%NAME%` stands where no app setting of that name exists."""


@dataclass(frozen=True, kw_only=True)
class HostConfig:
    """The parts of host.json that the local host honours, with the real host's defaults; times in seconds."""

    route_prefix: str = "api"
    hub_name: str = "TestHubName"
    versioning: Versioning = field(default_factory=Versioning)
    max_activities: int = 10
    max_orchestrators: int = 10
    max_blobs: int = 8
    blob_attempts: int = 5
    function_timeout: float | None = 30 * 60
    replaces_live: bool = False

    @classmethod
    def load(cls, app_dir: Path) -> "HostConfig":
        """Read `app_dir/host.json`; raises MissingSettingError for the hub's name, ValueError for the rest."""
        settings = host_json.read(app_dir)
        if str(settings.get(PROVIDER, "AzureStorage")).lower() != "azurestorage":
            raise ValueError(f"{PROVIDER} must be AzureStorage: the local host imitates no other")
        return cls(
            route_prefix=str(settings.get("extensions.http.routePrefix", cls.route_prefix)).strip("/"),
            hub_name=resolve(settings.get(f"{DURABLE}hubName", cls.hub_name)),
            versioning=_versioning(settings),
            max_activities=_count(settings, f"{DURABLE}maxConcurrentActivityFunctions", cls.max_activities),
            max_orchestrators=_count(
                settings, f"{DURABLE}maxConcurrentOrchestratorFunctions", cls.max_orchestrators
            ),
            max_blobs=_count(settings, "extensions.blobs.maxDegreeOfParallelism", cls.max_blobs),
            blob_attempts=_count(settings, "extensions.blobs.poisonBlobThreshold", cls.blob_attempts),
            function_timeout=_timeout(settings),
            replaces_live=_choice(settings, "overridableExistingInstanceStates", Overridable.NON_RUNNING)
            == Overridable.ANY,
        )


class Overridable(StrEnum):
    """Which instances a start under their id replaces: overridableExistingInstanceStates."""

    NON_RUNNING = "NonRunningStates"
    ANY = "AnyState"


def _versioning(settings: Settings) -> Versioning:
    return Versioning(
        default=str(settings.get(f"{DURABLE}defaultVersion") or ""),
        match=_choice(settings, "versionMatchStrategy", MatchStrategy.CURRENT_OR_OLDER),
        failure=_choice(settings, "versionFailureStrategy", FailureStrategy.REJECT),
    )


def _choice(settings: Settings, key: str, default: Choice) -> Choice:
    value = settings.get(DURABLE + key, default)
    if value not in list(type(default)):
        raise ValueError(f"{key} must be one of {', '.join(type(default))}, not {value!r}")
    return type(default)(value)


def _count(settings: Settings, key: str, default: int) -> int:
    value = settings.get(key, default)
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{key} must be a whole number above 0, not {value!r}")
    return value


def _timeout(settings: Settings) -> float | None:
    """Return functionTimeout in seconds; None for -1, which is no limit."""
    text = str(settings.get("functionTimeout", "00:30:00")).strip()
    if text == "-1":
        return None
    span = re.fullmatch(r"(?:(\d+)\.)?(\d\d?):(\d\d):(\d\d)", text)
    seconds = span and sum(
        int(part or 0) * unit for part, unit in zip(span.groups(), (86400, 3600, 60, 1), strict=True)
    )
    if not seconds:
        raise ValueError(f"functionTimeout must be hh:mm:ss or -1, not {text!r}")
    return float(seconds)


def worker_processes() -> int:
    """Return the app setting FUNCTIONS_WORKER_PROCESS_COUNT, 1 to 10; raises ValueError."""
    text = os.environ.get(PROCESS_COUNT, "1")
    if text not in map(str, range(1, MOST_PROCESSES + 1)):
        raise ValueError(f"the app setting {PROCESS_COUNT} must be 1 to {MOST_PROCESSES}, not {text!r}")
    return int(text)


def load_local_settings(app_dir: Path) -> None:
    """Put the Values of `app_dir/local.settings.json` into the environment where it lacks them."""
    path = app_dir / "local.settings.json"
    if not path.exists():
        return
    for name, value in json.loads(path.read_text()).get("Values", {}).items():
        os.environ.setdefault(name, str(value))


def resolve(text: str) -> str:
    """Replace each `%NAME%` by the app setting NAME; raises MissingSettingError naming the first missing."""

    def setting(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in os.environ:
            raise MissingSettingError(
                f"{text!r} needs the app setting {name}: set it in the environment or in local.settings.json"
            )
        return os.environ[name]

    return re.sub(r"%([^%]+)%", setting, text)

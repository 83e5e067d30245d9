"""App settings and host.json: what the host reads of an app besides its code."""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from local.host.versions import FailureStrategy, MatchStrategy, Versioning

Choice = TypeVar("Choice", bound=StrEnum)
PROCESS_COUNT = "FUNCTIONS_WORKER_PROCESS_COUNT"
MOST_PROCESSES = 10


class MissingSettingError(Exception):
    """A `%NAME%` stands where no app setting of that name exists."""


@dataclass(frozen=True, kw_only=True)
class HostConfig:
    """The parts of host.json that the local host honours, with the real host's defaults."""

    route_prefix: str = "api"
    hub_name: str = "TestHubName"
    versioning: Versioning = field(default_factory=Versioning)
    max_activities: int = 10
    max_orchestrators: int = 10

    @classmethod
    def load(cls, app_dir: Path) -> "HostConfig":
        """Read `app_dir/host.json`; raises MissingSettingError for the hub's name, ValueError for the rest."""
        path = app_dir / "host.json"
        content = json.loads(path.read_text()) if path.exists() else {}
        extensions: Mapping[str, Any] = content.get("extensions", {})
        durable: Mapping[str, Any] = extensions.get("durableTask", {})
        return cls(
            route_prefix=extensions.get("http", {}).get("routePrefix", cls.route_prefix).strip("/"),
            hub_name=resolve(durable.get("hubName", cls.hub_name)),
            versioning=_versioning(durable),
            max_activities=durable.get("maxConcurrentActivityFunctions", cls.max_activities),
            max_orchestrators=durable.get("maxConcurrentOrchestratorFunctions", cls.max_orchestrators),
        )


def _versioning(durable: Mapping[str, Any]) -> Versioning:
    return Versioning(
        default=durable.get("defaultVersion") or "",
        match=_choice(durable, "versionMatchStrategy", MatchStrategy.CURRENT_OR_OLDER),
        failure=_choice(durable, "versionFailureStrategy", FailureStrategy.REJECT),
    )


def _choice(durable: Mapping[str, Any], key: str, default: Choice) -> Choice:
    value = durable.get(key, default)
    if value not in list(type(default)):
        raise ValueError(f"{key} must be one of {', '.join(type(default))}, not {value!r}")
    return type(default)(value)


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

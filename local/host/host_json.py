"""host.json as a flat table of settings, and which of them this host honours, may ignore, or must refuse.

Names are those of the host.json reference and of DurableTaskOptions. What would change what an app does, and is not
honoured here, is refused by name, so that nobody tests one thing and deploys another.
"""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

Settings: TypeAlias = Mapping[str, Any]
OVERRIDE = "AzureFunctionsJobHost__"
DURABLE = "extensions.durableTask."
PROVIDER = f"{DURABLE}storageProvider.type"

HONOURED = {
    "version",
    "functionTimeout",
    "extensions.http.routePrefix",
    "extensions.blobs.maxDegreeOfParallelism",
    "extensions.blobs.poisonBlobThreshold",
    PROVIDER,
    *(f"{DURABLE}{name}" for name in ("hubName", "defaultVersion", "versionMatchStrategy")),
    *(f"{DURABLE}{name}" for name in ("versionFailureStrategy", "overridableExistingInstanceStates")),
    *(
        f"{DURABLE}{name}"
        for name in ("maxConcurrentActivityFunctions", "maxConcurrentOrchestratorFunctions")
    ),
}
# They concern Azure's machines, load, logs or functions that are refused anyway: the app does the same without them.
WITHOUT_EFFECT = (
    *("extensionBundle", "logging", "telemetryMode", "managedDependency", "healthMonitor", "singleton"),
    *("concurrency", "aggregator", "watchDirectories", "watchFiles", "applicationInsights"),
    *("extensions.queues", "extensions.serviceBus", "extensions.eventHubs", "extensions.cosmosDB"),
    *("extensions.sendGrid", "extensions.signalR", "extensions.kafka", "extensions.tables"),
    *("extensions.http.maxOutstandingRequests", "extensions.http.maxConcurrentRequests"),
    *("extensions.http.dynamicThrottlesEnabled", "extensions.http.hsts"),
    f"{DURABLE}storageProvider",
    *(
        f"{DURABLE}{name}"
        for name in ("tracing", "httpSettings", "appLeaseOptions", "useAppLease", "useGracefulShutdown")
    ),
    *(f"{DURABLE}{name}" for name in ("extendedSessionsEnabled", "extendedSessionIdleTimeoutInSeconds")),
    *(f"{DURABLE}{name}" for name in ("maxConcurrentEntityFunctions", "maxEntityOperationBatchSize")),
    *(
        f"{DURABLE}{name}"
        for name in ("entityMessageReorderWindowInMinutes", "rollbackEntityOperationsOnExceptions")
    ),
    *(f"{DURABLE}{name}" for name in ("maxOrchestrationActions", "storeInputsInOrchestrationHistory")),
    *(f"{DURABLE}{name}" for name in ("maxGrpcMessageSizeInBytes", "grpcHttpClientTimeout")),
)


def read(app_dir: Path) -> Settings:
    """Return the settings of `app_dir/host.json` by their dotted names, app settings put over them.

    Raises ValueError for what is no JSON object, and for settings that this host does not honour.
    """
    path = app_dir / "host.json"
    content = json.loads(path.read_text("utf-8-sig")) if path.exists() else {}
    if not isinstance(content, dict):
        raise ValueError("it must hold a JSON object")  # noqa: TRY004 - what is wrong is a text
    settings = {**dict(_flat(content)), **_overrides()}
    refused = [name for name in settings if name not in HONOURED and not _without_effect(name)]
    if refused:
        raise ValueError(
            f"the local host does not honour {', '.join(refused)}, so the app would do something else on Azure; "
            f"take it out, or run it on Azure only as an app setting ({OVERRIDE}{refused[0].replace('.', '__')})"
        )
    return settings


def _flat(content: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in content.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def _overrides() -> dict[str, Any]:
    given = {name: text for name, text in os.environ.items() if name.startswith(OVERRIDE)}
    return {name.removeprefix(OVERRIDE).replace("__", "."): _value(text) for name, text in given.items()}


def _value(text: str) -> Any:
    return int(text) if text.isdecimal() else {"true": True, "false": False}.get(text.lower(), text)


def _without_effect(name: str) -> bool:
    return any(name == known or name.startswith(f"{known}.") for known in WITHOUT_EFFECT)

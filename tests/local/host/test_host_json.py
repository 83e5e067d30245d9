"""host.json: what is honoured, what may stand there, and what is refused by name."""

import json
from pathlib import Path
from typing import Any

import pytest

from local.host.settings import HostConfig
from tests.local.host.harness import ROOT


def load(folder: Path, content: Any) -> HostConfig:
    (folder / "host.json").write_text(json.dumps(content))
    return HostConfig.load(folder)


def durable(**settings: Any) -> dict[str, Any]:
    return {"extensions": {"durableTask": settings}}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({}, HostConfig()),
        ({"version": "2.0", "functionTimeout": "00:10:00"}, HostConfig(function_timeout=600)),
        ({"functionTimeout": "1.00:00:00"}, HostConfig(function_timeout=86400)),
        ({"functionTimeout": "-1"}, HostConfig(function_timeout=None)),
        ({"extensions": {"http": {"routePrefix": "/v1/"}}}, HostConfig(route_prefix="v1")),
        ({"extensions": {"blobs": {"maxDegreeOfParallelism": 2}}}, HostConfig(max_blobs=2)),
        ({"extensions": {"blobs": {"poisonBlobThreshold": 3}}}, HostConfig(blob_attempts=3)),
        (durable(maxConcurrentActivityFunctions=1), HostConfig(max_activities=1)),
        (durable(overridableExistingInstanceStates="AnyState"), HostConfig(replaces_live=True)),
    ],
)
def test_a_setting_that_is_honoured_is_read(tmp_path: Path, content: Any, expected: HostConfig) -> None:
    assert load(tmp_path, content) == expected


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ({"functionTimeout": "ten"}, "functionTimeout must be hh:mm:ss or -1, not 'ten'"),
        ({"functionTimeout": "00:00:00"}, "functionTimeout must be hh:mm:ss or -1"),
        (
            {"extensions": {"blobs": {"poisonBlobThreshold": 0}}},
            "extensions.blobs.poisonBlobThreshold must be a whole",
        ),
        (
            durable(maxConcurrentActivityFunctions="2"),
            "maxConcurrentActivityFunctions must be a whole number above 0",
        ),
        (
            durable(overridableExistingInstanceStates="Some"),
            "must be one of NonRunningStates, AnyState, not 'Some'",
        ),
        (durable(storageProvider={"type": "mssql"}), "storageProvider.type must be AzureStorage"),
        (
            durable(notifications={"eventGrid": {"topicEndpoint": "x"}}),
            "notifications.eventGrid.topicEndpoint",
        ),
        (
            {"extensions": {"http": {"customHeaders": {"x": "y"}}}},
            "does not honour extensions.http.customHeaders.x,",
        ),
        (
            {"customHandler": {"description": {"defaultExecutablePath": "x"}}},
            "does not honour customHandler.",
        ),
        ({"functionTimeOut": "00:10:00"}, "does not honour functionTimeOut,"),
        ([], "it must hold a JSON object"),
    ],
)
def test_a_setting_that_is_not_honoured_is_refused_by_name(
    tmp_path: Path, content: Any, problem: str
) -> None:
    with pytest.raises(ValueError, match=problem.replace(".", r"\.")):
        load(tmp_path, content)


def test_app_settings_stand_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AzureFunctionsJobHost__extensions__durableTask__maxConcurrentActivityFunctions", "7")
    monkeypatch.setenv("AzureFunctionsJobHost__functionTimeout", "00:00:01")
    content = durable(maxConcurrentActivityFunctions=1) | {"functionTimeout": "00:10:00"}
    assert load(tmp_path, content) == HostConfig(max_activities=7, function_timeout=1)


def test_the_apps_own_file_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TASKHUB_NAME", "hub")
    config = HostConfig.load(ROOT)
    assert (config.hub_name, config.max_activities, config.function_timeout) == ("hub", 3, 600)

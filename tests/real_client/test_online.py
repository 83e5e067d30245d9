"""Online endpoints of the emulator, through the SDK that users have for them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.azureml.server import AzureMLEmulator
from tests.local.azureml.online import SCRIPT
from tests.local.azureml.scripts import write_deployment

from .environment import run_program

pytestmark = [pytest.mark.full, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def seen(
    python: Path, azurite_connection: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Any]]:
    """What the SDK saw."""
    folder = tmp_path_factory.mktemp("sdk")
    (folder / "model").mkdir()
    (folder / "model" / "weights.txt").write_text("42")
    (folder / "code").mkdir()
    (folder / "code" / "score.py").write_text(SCRIPT)
    served = write_deployment(tmp_path_factory.mktemp("served"))
    with AzureMLEmulator([served], azurite_connection, tmp_path_factory.mktemp("state")) as emulator:
        program = Path(__file__).parent / "scripts" / "online.py"
        done = run_program(program, emulator.url, str(folder))
        assert done.returncode == 0, done.stderr
        yield json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize(
    ("mode", "credentials"),
    [
        ("key", "EndpointAuthKeys"),
        ("aml_token", "EndpointAuthToken"),
        ("aad_token", "EndpointAadToken"),
    ],
)
def test_an_endpoint_of_every_mode_is_made_and_answers(
    seen: dict[str, Any], mode: str, credentials: str
) -> None:
    assert seen["modes"][mode] == {
        "auth_mode": mode,
        "state": "Succeeded",
        "traffic": {"blue": 100},
        "credentials": credentials,
        "answer": {"color": "blue", "sum": 6},
    }


def test_keys_are_made_anew(seen: dict[str, Any]) -> None:
    assert seen["life"]["key changed"]


def test_traffic_is_mirrored_and_split_and_a_deployment_can_be_named(seen: dict[str, Any]) -> None:
    life = seen["life"]
    assert life["mirror"] == {"green": 10}
    assert life["split"] == ["blue", "green"]
    assert life["named"] == {"color": "green", "sum": 6}


def test_endpoints_and_deployments_are_listed(seen: dict[str, Any]) -> None:
    assert seen["life"]["deployments"] == ["blue", "green"]
    assert seen["life"]["endpoints"] == ["sdk-aad-token", "sdk-aml-token", "sdk-key"]


def test_a_deployment_is_changed_and_its_logs_are_read(seen: dict[str, Any]) -> None:
    assert seen["life"]["instances"] == 2
    assert "ready with 42" in seen["life"]["logs"]


def test_an_error_of_the_script_is_told(seen: dict[str, Any]) -> None:
    status, message = seen["life"]["failure"]
    assert status == 424
    assert "An unexpected error occurred in scoring script" in message


def test_a_deployment_goes_without_traffic_and_an_endpoint_with_all_it_has(seen: dict[str, Any]) -> None:
    life = seen["life"]
    assert "takes 50% of the traffic" in life["refused"]
    assert life["left"] == ["blue"]
    assert life["endpoints left"] == ["sdk-aad-token", "sdk-aml-token"]

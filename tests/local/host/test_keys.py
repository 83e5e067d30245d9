"""HTTP keys as on Azure: who is let in with which key."""

import json
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.host.keys import InvalidKeysError, Keys
from tests.local.host.harness import APPS, LoopThread, RunningHost

GIVEN = {
    "masterKey": "master",
    "functionKeys": {"default": "host"},
    "systemKeys": {"durabletask_extension": "durable", "blobs_extension": "blobs"},
    "functions": {"function": {"default": "own"}},
}


@pytest.fixture(scope="module")
def host(loop: LoopThread, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHost]:
    """A host of the app `levels` that asks for keys."""
    folder = tmp_path_factory.mktemp("keys")
    (folder / "keys.json").write_text(json.dumps(GIVEN))
    keys = Keys.from_file(folder / "keys.json")
    with RunningHost(loop, APPS / "levels", folder / "state", keys=keys) as running:
        yield running


LETS_IN = {
    "anonymous": {"", "wrong", "host", "own", "master", "durable"},
    "function": {"host", "own", "master"},
    "unsaid": {"host", "master"},
    "admin": {"master"},
}


@pytest.mark.parametrize("by", ["header", "query"])
@pytest.mark.parametrize("key", ["", "wrong", "host", "own", "master", "durable"])
@pytest.mark.parametrize("name", LETS_IN)
def test_a_function_lets_in_those_with_a_key_for_its_level(
    host: RunningHost, name: str, key: str, by: str
) -> None:
    asked: dict[str, Any] = (
        {"headers": {"x-functions-key": key}} if by == "header" else {"params": {"code": key}}
    )
    answer = host.session.get(f"{host.url}/api/{name}", **asked if key else {})
    assert (answer.status_code, answer.content) == ((200, b"in") if key in LETS_IN[name] else (401, b""))


@pytest.mark.parametrize("key", ["", "host", "durable", "blobs", "master"])
def test_a_webhook_wants_the_system_key_of_its_extension(host: RunningHost, key: str) -> None:
    instances = host.session.get(f"{host.url}/runtime/webhooks/durabletask/instances", params={"code": key})
    assert instances.status_code == (200 if key in ("durable", "master") else 401)
    event = host.session.post(f"{host.url}/runtime/webhooks/blobs?functionName=x", params={"code": key})
    assert event.status_code == (404 if key in ("blobs", "master") else 401)


def test_the_addresses_in_an_answer_carry_the_key_they_need(host: RunningHost) -> None:
    started = host.session.post(f"{host.url}/api/start")
    assert started.status_code == 202
    assert host.session.get(started.json()["statusQueryGetUri"]).status_code in (200, 202)
    assert (
        host.session.get(started.json()["statusQueryGetUri"].replace("code=durable", "")).status_code == 401
    )


def test_missing_keys_are_made_and_kept_for_the_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    made = Keys.from_file(path)
    assert len({made.master, made.host["default"], *made.system.values()}) == 4
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert Keys.from_file(path) == made


@pytest.mark.parametrize("text", ["{", "[]", '{"functionKeys": 1}'])
def test_a_file_without_keys_is_refused_with_its_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "keys.json"
    path.write_text(text)
    with pytest.raises(InvalidKeysError, match=r"keys\.json holds no keys in the form of"):
        Keys.from_file(path)

"""An app of another design: the documentation's patterns in blueprints, run as they stand."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from azure.storage.blob import BlobServiceClient

from tests.local.host.harness import APPS, DurableApi, LoopThread, RunningHost, wait_until


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder to which the app backs up."""
    return tmp_path_factory.mktemp("target")


@pytest.fixture(scope="module")
def host(
    loop: LoopThread, target: Path, azurite_connection: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningHost]:
    """A running host of the app `patterns`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATTERNS_TARGET", str(target))
        patch.setenv("PATTERNS_STORAGE", azurite_connection)
        with RunningHost(loop, APPS / "patterns", tmp_path_factory.mktemp("state")) as running:
            yield running


@pytest.fixture(scope="module")
def patterns(host: RunningHost) -> DurableApi:
    """The durable HTTP API of the app."""
    return DurableApi(host.url, host.session)


def begin(host: RunningHost, name: str, value: Any) -> str:
    """Start through the app's own starter; returns the id."""
    answer = host.session.post(f"{host.url}/api/orchestrators/{name}", json=value)
    assert answer.status_code == 202
    return str(answer.json()["id"])


def manage(host: RunningHost, instance_id: str, operation: str, value: Any = None) -> str:
    answer = host.session.post(f"{host.url}/api/instances/{instance_id}/{operation}", json=value)
    assert answer.ok, answer.text
    return answer.text


def test_a_chain_passes_each_result_on(host: RunningHost, patterns: DurableApi) -> None:
    instance_id = begin(host, "chain_of_greetings", ["Tokyo", "Seattle", "London"])
    assert patterns.wait_for(instance_id)["output"] == ["Hello Tokyo!", "Hello Seattle!", "Hello London!"]


def test_a_caller_may_wait_for_the_answer(host: RunningHost) -> None:
    answer = host.session.post(f"{host.url}/api/wait/chain_of_greetings", json=["Cairo"])
    assert (answer.status_code, answer.json()) == (200, ["Hello Cairo!"])


def test_files_are_copied_at_once_and_their_sizes_added(
    host: RunningHost, patterns: DurableApi, target: Path, tmp_path: Path
) -> None:
    for number in range(5):
        folder = tmp_path / f"folder-{number % 2}"
        folder.mkdir(exist_ok=True)
        (folder / f"{number}.txt").write_text("x" * number)
    (tmp_path / "empty").mkdir()
    assert patterns.wait_for(begin(host, "back_up", str(tmp_path)))["output"] == 10
    assert len([path for path in target.rglob("*.txt") if path.is_file()]) == 5


def looks(patterns: DurableApi, instance_id: str) -> int:
    shown = patterns.status(instance_id)["customStatus"] or {"looked": 0}
    return int(shown["looked"])


@pytest.mark.parametrize(("seconds", "there"), [(60, True), (0.1, False)])
def test_a_monitor_looks_until_it_is_so_or_late(
    host: RunningHost, patterns: DurableApi, tmp_path: Path, seconds: float, there: bool
) -> None:
    path = tmp_path / "file"
    instance_id = begin(host, "watch_file", {"path": str(path), "every": 0.03, "seconds": seconds})
    if there:
        wait_until(lambda: looks(patterns, instance_id) >= 2, "two looks")
        path.touch()
    status = patterns.wait_for(instance_id)
    assert status["output"]["there"] is there
    assert status["output"]["looked"] >= 2
    assert status["customStatus"] == {"looked": status["output"]["looked"]}


@pytest.mark.parametrize(
    ("answers", "output"),
    [
        ([6], {"verified": True, "by": "code"}),
        ([1, 6], {"verified": True, "by": "code"}),
        ([1, 2, 3], {"verified": False, "by": "three tries"}),
    ],
)
def test_a_person_has_three_tries(
    host: RunningHost, patterns: DurableApi, answers: list[int], output: dict[str, Any]
) -> None:
    instance_id = begin(host, "verify", {"phone": "+1 23", "seconds": 3600})
    for number, answer in enumerate(answers):
        wait_for_answers(patterns, instance_id, number)
        manage(host, instance_id, "answer", answer)
    assert patterns.wait_for(instance_id)["output"] == output


def wait_for_answers(patterns: DurableApi, instance_id: str, number: int) -> None:
    """Wait until the question is asked and so many answers have come: early ones get mixed up, on Azure too."""
    wait_until(lambda: patterns.events(instance_id, "TimerCreated"), "the question")
    wait_until(lambda: len(patterns.events(instance_id, "EventRaised")) == number, "the answer before")


def test_a_person_who_says_nothing_is_called(host: RunningHost, patterns: DurableApi) -> None:
    instance_id = begin(host, "verify", {"phone": "+1 23", "seconds": 0.05})
    assert patterns.wait_for(instance_id)["output"] == {"verified": False, "by": "somebody calls +1 23"}


def rounds(patterns: DurableApi) -> int:
    shown = patterns.status("the-cleaner")["customStatus"] or "cleaned 0 times"
    return int(shown.split()[1])


def test_an_eternal_singleton_goes_on_until_it_is_terminated(host: RunningHost, patterns: DurableApi) -> None:
    assert host.session.post(f"{host.url}/api/cleaner").status_code == 202
    wait_until(lambda: rounds(patterns) >= 3, "three rounds")
    assert host.session.post(f"{host.url}/api/cleaner").status_code == 409
    manage(host, "the-cleaner", "suspend")
    patterns.wait_for("the-cleaner", "Suspended")
    manage(host, "the-cleaner", "resume")
    patterns.wait_for("the-cleaner", "Running")
    manage(host, "the-cleaner", "terminate")
    assert patterns.wait_for("the-cleaner")["output"] == "no longer needed"
    assert manage(host, "the-cleaner", "purge") == "1"
    assert patterns.session.get(f"{patterns.url}/instances/the-cleaner").status_code == 404


def test_a_dropped_document_starts_an_orchestration(
    host: RunningHost, patterns: DurableApi, blob_service: BlobServiceClient
) -> None:
    with blob_service.get_container_client("patterns-in") as container:
        container.create_container()
        container.upload_blob("a.txt", b"Oslo Rome")
    url = f"{patterns.url}/instances/patterns-in-a.txt"
    wait_until(lambda: patterns.session.get(url).ok, "the start")
    assert patterns.wait_for("patterns-in-a.txt")["output"] == ["Hello Oslo!", "Hello Rome!"]
    assert int(host.session.get(f"{host.url}/api/instances").text) >= 1

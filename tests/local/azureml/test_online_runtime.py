"""The processes behind an online deployment: what they answer, how many requests they take, how they end."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from local.azureml.jobs import JobFailed
from local.azureml.online_runtime import (
    Instances,
    ModelAnswer,
    RequestSettings,
    RequestTimedOut,
    TooManyRequests,
)
from local.azureml.processes import ScriptSetting

from .client import alive, noted_processes

# Answers by what it is asked; notes its process.
SCRIPT = """
import json, os, sys, time
from pathlib import Path

def init():
    Path(os.environ["NOTES"], f"{os.getpid()}.pid").touch()

def run(raw, request_headers):
    wish = json.loads(raw)
    if "wait" in wish:
        while not Path(os.environ["NOTES"], wish["wait"]).exists():
            time.sleep(0.01)
    if "die" in wish:
        os._exit(3)
    if "process" in wish:
        return os.getpid()
    if "header" in wish:
        return request_headers.get(wish["header"])
    return wish["answer"]
"""


def serving(folder: Path, test: Callable[[Instances], Coroutine[Any, Any, None]], **requests: Any) -> None:
    """Run a test against the instances of a deployment of the script."""

    async def served() -> None:
        instances = Instances(setting(folder), RequestSettings(**{"timeout": 30.0, **requests}))
        await instances.start()
        try:
            await test(instances)
        finally:
            await instances.close()

    asyncio.run(served())


def setting(folder: Path, script: str = SCRIPT) -> ScriptSetting:
    (folder / "score.py").write_text(script)
    return ScriptSetting(
        code=folder,
        script="score.py",
        environment={"NOTES": str(folder)},
        folder=folder / "work",
        log=folder / "log.txt",
    )


async def ask(instances: Instances, **wish: Any) -> ModelAnswer:
    return await instances.score(json.dumps(wish), {"x-color": "blue"})


def test_what_run_returns_is_answered_as_json(tmp_path: Path) -> None:
    async def test(instances: Instances) -> None:
        for value in ({"a": [1.5]}, [1, 2], "text", 7):
            assert await ask(instances, answer=value) == ModelAnswer(200, json.dumps(value))
        assert await ask(instances, answer=None) == ModelAnswer(200, "{}")
        assert await ask(instances, header="x-color") == ModelAnswer(200, '"blue"')
        long = "x" * 300_000
        assert json.loads((await ask(instances, answer=long)).body) == long

    serving(tmp_path, test)


def test_an_error_of_the_script_is_500_and_only_its_log_says_which(tmp_path: Path) -> None:
    async def test(instances: Instances) -> None:
        answer = await ask(instances, secret="row value")
        assert answer.status == 500
        assert "KeyError" not in answer.body
        assert "KeyError: 'answer'" in (tmp_path / "log.txt").read_text()

    serving(tmp_path, test)


def test_a_process_that_dies_is_502_and_the_next_request_finds_another(tmp_path: Path) -> None:
    async def test(instances: Instances) -> None:
        first = await ask(instances, process=True)
        assert (await ask(instances, die=True)).status == 502
        second = await ask(instances, process=True)
        assert second.status == 200
        assert second.body != first.body

    serving(tmp_path, test)


@pytest.mark.parametrize(
    ("requests", "processes"),
    [
        ({}, 1),
        ({"instance_count": 2}, 2),
        pytest.param(
            {"instance_count": 2, "workers": 2, "max_concurrent_per_instance": 2}, 4, marks=pytest.mark.full
        ),
        pytest.param({"max_concurrent_per_instance": 8}, 1, marks=pytest.mark.full),
        pytest.param({"workers": 8}, 1, marks=pytest.mark.full),
    ],
)
def test_twice_as_many_requests_as_are_worked_at_may_be_in_flight(
    tmp_path: Path, requests: dict[str, int], processes: int
) -> None:
    settings = RequestSettings(**requests)

    async def test(instances: Instances) -> None:
        assert len(noted_processes(tmp_path)) == processes
        waiting = [
            asyncio.create_task(ask(instances, wait="go", answer=number))
            for number in range(settings.most_in_flight)
        ]
        await asyncio.sleep(0)
        with pytest.raises(TooManyRequests):
            await ask(instances, answer="one more")
        (tmp_path / "go").touch()
        assert {(await task).body for task in waiting} == {str(n) for n in range(settings.most_in_flight)}
        assert (await ask(instances, answer="again")).status == 200

    serving(tmp_path, test, **requests)
    assert settings.most_in_flight == 2 * settings.instance_count * settings.max_concurrent_per_instance


def test_who_waits_too_long_is_told_so_and_is_scored_all_the_same(tmp_path: Path) -> None:
    async def test(instances: Instances) -> None:
        before = noted_processes(tmp_path)
        with pytest.raises(RequestTimedOut):
            await ask(instances, wait="go", answer=1)
        (tmp_path / "go").touch()
        assert (await ask(instances, answer=2)).body == "2"
        assert noted_processes(tmp_path) == before

    serving(tmp_path, test, timeout=0.3)


def test_init_that_fails_fails_the_start_and_leaves_no_process_behind(tmp_path: Path) -> None:
    script = SCRIPT.replace("def run", "    raise OSError('no weights')\n\ndef run")
    instances = Instances(setting(tmp_path, script), RequestSettings(instance_count=2))
    with pytest.raises(JobFailed, match=r"OSError: no weights \(in init\(\)\)"):
        asyncio.run(instances.start())
    assert not any(alive(pid) for pid in noted_processes(tmp_path))


@pytest.mark.parametrize("ending", ["the start", "the retirement"])
def test_what_is_given_up_leaves_no_process_behind(tmp_path: Path, ending: str) -> None:
    loading = "    while 'start' in os.environ['NOTES']:\n        time.sleep(0.01)\n\ndef run"
    script = SCRIPT.replace("def run", loading if ending == "the start" else "def run")
    folder = tmp_path / ending.partition(" ")[2]
    folder.mkdir()
    instances = Instances(setting(folder, script), RequestSettings(timeout=30.0))

    async def give_up() -> None:
        begun = asyncio.create_task(instances.start())
        while not noted_processes(folder):
            await asyncio.sleep(0.01)
        if ending == "the retirement":
            await begun
            abandoned = asyncio.create_task(ask(instances, wait="never"))
            await asyncio.sleep(0)
            begun = asyncio.create_task(instances.retire())
            await asyncio.sleep(0)
        begun.cancel()
        with pytest.raises(asyncio.CancelledError):
            await begun
        assert ending == "the start" or (await abandoned).status == 502

    asyncio.run(give_up())
    assert not any(alive(pid) for pid in noted_processes(folder))


def test_closing_ends_the_processes_at_work(tmp_path: Path) -> None:
    async def test(instances: Instances) -> None:
        waiting = asyncio.create_task(ask(instances, wait="never"))
        await asyncio.sleep(0)
        await instances.close()
        assert (await waiting).status == 502

    serving(tmp_path, test)
    assert len(noted_processes(tmp_path)) == 1
    assert not any(alive(pid) for pid in noted_processes(tmp_path))


def test_retiring_lets_what_is_in_flight_be_answered(tmp_path: Path) -> None:
    async def test(instances: Instances) -> None:
        waiting = asyncio.create_task(ask(instances, wait="go", answer=1))
        await asyncio.sleep(0)
        retiring = asyncio.create_task(instances.retire())
        await asyncio.sleep(0)
        (tmp_path / "go").touch()
        assert (await waiting).body == "1"
        await retiring
        assert not any(alive(pid) for pid in noted_processes(tmp_path))

    serving(tmp_path, test)

"""Functions in several worker processes: who runs what, and what becomes of it when one is killed."""

import contextlib
import os
import re
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeAlias

import pytest
import requests

from tests.local.host.harness import APPS, DurableApi, HostProcess, api, drop, wait_until

Start: TypeAlias = Callable[..., HostProcess]


@pytest.fixture
def host(start: Start) -> HostProcess:
    """A host with two worker processes."""
    return start(app=APPS / "workers", FUNCTIONS_WORKER_PROCESS_COUNT="2")


@pytest.fixture
def durable(host: HostProcess, session: requests.Session) -> DurableApi:
    return api(host, session)


def gone(pid: int) -> bool:
    """Whether the process has ended, its entry perhaps not yet collected."""
    with contextlib.suppress(FileNotFoundError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].startswith("Z")
    return True


def workers(durable: DurableApi) -> set[int]:
    return set(durable.run("many", ["where", 4])["output"])


def kill_the_first(host: HostProcess, name: str) -> int:
    """Kill the process in which the function waits; returns the one in which it then waits again."""
    (pid,) = wait_until(lambda: host.lines(name), f"the function that writes {name}")
    os.kill(int(pid), signal.SIGKILL)
    wait_until(lambda: host.count(name) == 2, f"another call of the function that writes {name}")
    second = int(host.lines(name)[1])
    assert second != int(pid)
    return second


@pytest.mark.parametrize(
    ("name", "value"),
    [("many", ["where", 4]), pytest.param("in_turn", None, marks=pytest.mark.full)],
)
def test_activities_of_one_orchestration_run_in_all_processes(
    host: HostProcess, durable: DurableApi, name: str, value: object
) -> None:
    pids = durable.run(name, value)["output"]
    assert (len(pids), len(set(pids))) == (4, 2)
    assert host.process.pid not in pids


def test_the_processes_share_the_limit_of_activities(
    host: HostProcess, durable: DurableApi, tmp_path: Path
) -> None:
    instance_id = durable.begin("many", ["crowded", 9])
    wait_until(lambda: host.count("crowded") >= 2, "two activities")
    assert len(set(host.lines("crowded"))) == host.count("crowded") == 2
    (tmp_path / "go").touch()
    assert max(durable.wait_for(instance_id)["output"]) <= 2


def test_an_activity_whose_process_is_killed_runs_again(
    host: HostProcess, durable: DurableApi, tmp_path: Path
) -> None:
    instance_id = durable.begin("many", ["held", 1])
    second = kill_the_first(host, "held")
    (tmp_path / "go").touch()
    status = durable.wait_for(instance_id)
    assert (status["runtimeStatus"], status["output"]) == ("Completed", [second])


def test_an_episode_whose_process_is_killed_is_repeated(
    host: HostProcess, durable: DurableApi, tmp_path: Path
) -> None:
    instance_id = durable.begin("held_itself")
    kill_the_first(host, "held_itself")
    (tmp_path / "go").touch()
    status = durable.wait_for(instance_id)
    assert (status["runtimeStatus"], status["output"]) == ("Completed", [True, True])
    assert len(durable.events(instance_id, "TaskCompleted")) == 2


@pytest.mark.full
def test_a_blob_event_whose_process_is_killed_is_delivered_again(
    host: HostProcess, durable: DurableApi, session: requests.Session
) -> None:
    drop(host, session)
    kill_the_first(host, "dropped")


def test_a_request_whose_process_is_killed_is_a_bad_gateway(
    host: HostProcess, durable: DurableApi, session: requests.Session, tmp_path: Path
) -> None:
    url = f"http://127.0.0.1:{host.port}/api/page"
    with ThreadPoolExecutor() as threads:
        answer = threads.submit(requests.get, url)
        (pid,) = wait_until(lambda: host.lines("page"), "the request")
        os.kill(int(pid), signal.SIGKILL)
        assert answer.result().status_code == 502
    (tmp_path / "go").touch()
    page = session.get(url)
    assert (page.status_code, page.content, page.headers["Set-Cookie"]) == (201, b"\x00\xff", "a=b; Path=/")


@pytest.mark.full
def test_a_tick_whose_process_is_killed_is_lost_and_logged(
    host: HostProcess, durable: DurableApi, tmp_path: Path
) -> None:
    kill_the_first(host, "tick")
    (tmp_path / "go").touch()
    _, errors = host.end(signal.SIGTERM)
    assert "timer function tick failed" in errors


@pytest.mark.full
def test_processes_that_are_killed_are_replaced(host: HostProcess, durable: DurableApi) -> None:
    before = workers(durable)
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: all(map(gone, before)), "the end of both processes")
    wait_until(lambda: len(workers(durable)) == 2, "two other processes")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
@pytest.mark.full
@pytest.mark.parametrize("activity", ["held", "stuck"])
def test_no_process_outlives_its_host(
    host: HostProcess, durable: DurableApi, number: signal.Signals, activity: str
) -> None:
    pids = workers(durable)
    durable.begin("many", [activity, 2])
    wait_until(lambda: host.count(activity) == 2, "an activity in each process")
    host.end(number)
    wait_until(lambda: all(map(gone, pids)), "the end of the worker processes")


def test_what_was_under_way_at_the_death_of_the_host_is_done_by_the_next(
    host: HostProcess, durable: DurableApi, start: Start, session: requests.Session, tmp_path: Path
) -> None:
    instance_id = durable.begin("many", ["held", 2])
    wait_until(lambda: host.count("held") == 2, "the activities")
    host.end(signal.SIGKILL)
    (tmp_path / "go").touch()
    durable = api(start(app=APPS / "workers", FUNCTIONS_WORKER_PROCESS_COUNT="2"), session)
    assert len(set(durable.wait_for(instance_id)["output"])) == 2


def test_the_durable_client_works_in_a_worker(
    host: HostProcess, durable: DurableApi, session: requests.Session
) -> None:
    pid, instance_id = session.post(f"http://127.0.0.1:{host.port}/api/begin").text.split()
    assert int(pid) != host.process.pid
    assert durable.wait_for(instance_id)["runtimeStatus"] == "Completed"


def test_failures_read_as_in_one_process(
    host: HostProcess, durable: DurableApi, session: requests.Session, tmp_path: Path
) -> None:
    (tmp_path / "go").touch()
    expected = "Orchestrator function 'failing' failed: Activity function 'explode' failed:  ValueError: no such luck"
    assert durable.run("failing")["output"].startswith(expected)
    assert session.get(f"http://127.0.0.1:{host.port}/api/broken").status_code == 500
    _, errors = host.end(signal.SIGTERM)
    (line,) = [line for line in errors.splitlines() if "function broken failed" in line]
    assert "in broken" in line
    assert "RuntimeError: told by the function" in line


@pytest.mark.full
def test_what_workers_log_is_in_the_log_of_the_host(
    host: HostProcess, durable: DurableApi, tmp_path: Path
) -> None:
    (tmp_path / "go").touch()
    pids = workers(durable)
    _, errors = host.end(signal.SIGTERM)
    assert {int(pid) for pid in re.findall(r" INFO worker (\d+): root: here I am\n", errors)} == pids


@pytest.mark.parametrize(
    "count", ["0", *(pytest.param(count, marks=pytest.mark.full) for count in ("11", "two", ""))]
)
def test_an_impossible_number_of_processes_is_refused(start: Start, count: str) -> None:
    code, errors = start(app=APPS / "workers", FUNCTIONS_WORKER_PROCESS_COUNT=count).finish()
    assert code == 1
    assert f"FUNCTIONS_WORKER_PROCESS_COUNT must be 1 to 10, not '{count}'" in errors

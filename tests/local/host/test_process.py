"""The host as a process: its line, its exit codes, and its coming back after SIGKILL."""

import signal
import socket
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
import requests

from tests.local.host.harness import APPS, HostProcess, api, drop, wait_until


def test_killed_at_a_timer_and_in_an_activity_an_orchestration_still_ends_right(
    start: Callable[..., HostProcess], session: requests.Session, tmp_path: Path
) -> None:
    counter, gate = uuid4().hex, tmp_path / "go"
    host = start()
    durable = api(host, session)
    request = {"seconds": 0.5, "counter": counter, "until": str(gate)}
    instance_id = durable.begin("slow_steps", request)
    wait_until(lambda: durable.events(instance_id, "TimerCreated"), "the timer")
    host.end(signal.SIGKILL)

    host = start()
    api(host, session)
    wait_until(lambda: host.count(counter) == 1, "the activity")
    host.end(signal.SIGKILL)

    host = start()
    durable = api(host, session)
    wait_until(lambda: host.count(counter) == 2, "the activity again")
    gate.touch()
    status = durable.wait_for(instance_id)
    assert (status["runtimeStatus"], status["output"]) == ("Completed", ["first", "waited"])
    assert host.end(signal.SIGTERM)[0] == 0


def test_at_sigterm_a_running_activity_finishes_and_its_result_is_kept(
    start: Callable[..., HostProcess], session: requests.Session, tmp_path: Path
) -> None:
    counter, gate = uuid4().hex, tmp_path / "go"
    host = start()
    durable = api(host, session)
    instance_id = durable.begin("slow_steps", {"seconds": 0, "counter": counter, "until": str(gate)})
    wait_until(lambda: host.count(counter) == 1, "the activity")
    host.process.send_signal(signal.SIGTERM)
    gate.touch()
    assert host.finish()[0] == 0

    host = start()
    durable = api(host, session)
    assert durable.wait_for(instance_id)["output"] == ["first", "waited"]
    assert host.count(counter) == 1


def test_an_activity_that_outlives_the_grace_period_runs_again(
    start: Callable[..., HostProcess], session: requests.Session, tmp_path: Path
) -> None:
    counter, gate = uuid4().hex, tmp_path / "go"
    host = start()
    durable = api(host, session)
    instance_id = durable.begin("slow_steps", {"seconds": 0, "counter": counter, "until": str(gate)})
    wait_until(lambda: host.count(counter) == 1, "the activity")
    code, errors = host.end(signal.SIGTERM)
    assert code == 0
    assert "1 invocation(s) did not finish in 5 s and will run again" in errors

    gate.touch()
    durable = api(start(), session)
    assert durable.wait_for(instance_id)["output"] == ["first", "waited"]


def test_an_activity_that_outlasts_the_function_timeout_fails_its_orchestration(
    start: Callable[..., HostProcess], session: requests.Session, tmp_path: Path
) -> None:
    host = start(AzureFunctionsJobHost__functionTimeout="00:00:01")
    durable = api(host, session)
    request = {"seconds": 0, "counter": uuid4().hex, "until": str(tmp_path / "never")}
    status = durable.wait_for(durable.begin("slow_steps", request))
    assert status["runtimeStatus"] == "Failed"
    assert "Timeout value of 00:00:01 exceeded by function 'Functions.slow'" in status["output"]
    host.end(signal.SIGKILL)


@pytest.mark.full
def test_a_worker_process_that_outlasts_the_function_timeout_is_replaced(
    start: Callable[..., HostProcess], session: requests.Session, tmp_path: Path
) -> None:
    settings = {"FUNCTIONS_WORKER_PROCESS_COUNT": "2", "AzureFunctionsJobHost__functionTimeout": "00:00:01"}
    host = start(**settings)
    durable = api(host, session)
    request = {"seconds": 0, "counter": uuid4().hex, "until": str(tmp_path / "never")}
    status = durable.wait_for(durable.begin("slow_steps", request))
    assert "Timeout value of 00:00:01 exceeded by function 'Functions.slow'" in status["output"]
    assert durable.run("sequence", 2)["output"] == [0, 2]
    _, errors = host.end(signal.SIGTERM)
    assert "another takes its place" in errors


def test_an_event_that_was_accepted_survives_the_death_of_the_host(
    start: Callable[..., HostProcess], session: requests.Session, tmp_path: Path
) -> None:
    host = start(app=APPS / "survivor")
    host.first_line()
    drop(host, session)
    wait_until(lambda: host.count("dropped") == 1, "the call")
    host.end(signal.SIGKILL)

    (tmp_path / "go").touch()
    start(app=APPS / "survivor")
    wait_until(lambda: host.count("finished") == 1, "the call again")
    assert host.count("dropped") == 2


def test_a_timer_missed_while_the_host_was_away_runs_late(
    start: Callable[..., HostProcess], tmp_path: Path
) -> None:
    host = start(app=APPS / "survivor")
    wait_until(lambda: host.count("often") >= 1, "a run in time")
    host.end(signal.SIGKILL)
    with sqlite3.connect(tmp_path / "state" / "host.db") as database:
        database.execute("update timers set last_run=last_run-7200")
        database.execute("insert into timers values('hourly', ?)", [time.time() - 7200])
    database.close()

    start(app=APPS / "survivor")
    wait_until(lambda: host.count("hourly") == 1, "the late run")
    wait_until(lambda: host.count("often") >= 2, "the next run in time")
    assert host.lines("hourly") == ["past due: True"]
    assert set(host.lines("often")) == {"past due: False"}


def test_a_state_directory_belongs_to_one_host(
    start: Callable[..., HostProcess], session: requests.Session, tmp_path: Path
) -> None:
    first = start()
    api(first, session)
    code, errors = start().finish()
    assert code == 1
    assert f"the host with process id {first.process.pid} is using the state directory" in errors
    assert str(tmp_path / "state") in errors


def test_a_port_in_use_ends_the_host_with_its_address(start: Callable[..., HostProcess]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, errors = start(port=port).finish()
    assert code == 1
    assert f"cannot listen on http://127.0.0.1:{port}" in errors
    assert len(errors.splitlines()) == 1


def test_an_app_that_cannot_be_indexed_ends_the_host_with_the_reasons(
    start: Callable[..., HostProcess], tmp_path: Path
) -> None:
    code, errors = start(app=APPS / "triggers").finish()
    assert code == 1
    assert "on Azure not one of its functions would be" in errors
    assert "function tick: '%SAMPLE_SCHEDULE%' needs the app setting SAMPLE_SCHEDULE" in errors
    assert "function dropped:" in errors


def test_settings_come_from_the_environment_and_then_from_the_local_file(
    start: Callable[..., HostProcess], tmp_path: Path, session: requests.Session
) -> None:
    app = tmp_path / "app"
    app.mkdir()
    (app / "function_app.py").write_text(
        "import os\n"
        "import azure.functions as func\n"
        "app = func.FunctionApp()\n"
        "@app.route()\n"
        "def settings(req: func.HttpRequest) -> str:\n"
        "    return os.environ['FROM_FILE'] + os.environ['COUNTERS'][-1:]\n"
    )
    (app / "local.settings.json").write_text('{"Values": {"FROM_FILE": "a", "COUNTERS": "no!"}}')
    host = start(app=app)
    assert host.first_line().endswith("(1 functions)\n")
    answer = session.get(f"http://127.0.0.1:{host.port}/api/settings")
    assert answer.text == f"a{str(tmp_path)[-1:]}"
    assert host.end(signal.SIGINT)[0] == 0

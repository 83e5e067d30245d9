"""Orchestrations of the real SDK on the host: each thing the durable protocol can do, once."""

import json
import logging
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from local.host import protocol
from local.host.clock import to_epoch
from tests.local.host.harness import DurableApi, wait_until


@pytest.mark.parametrize(
    ("name", "value", "output"),
    [
        ("sequence", 3, [0, 2, 4]),
        ("fan_out", 20, 380),
        ("by_another_name", None, "renamed 1"),
        ("version", None, "1.5"),
        ("timers", 2, "rang"),
        ("countdown", {"left": 3, "rounds": 0}, 3),
        ("parents", 4, [[], [0], [0, 2], [0, 2, 4]]),
        ("parent", {"child": "fan_out", "input": 3}, 6),
        ("event_or_timeout", 0.01, "timed out"),
        ("immediate", None, "at once"),
    ],
)
def test_an_orchestration_completes_with_its_output(
    durable: DurableApi, name: str, value: Any, output: Any
) -> None:
    status = durable.run(name, value)
    assert (status["runtimeStatus"], status["output"]) == ("Completed", output)


@pytest.mark.parametrize("value", [1, "text", "5", [1, "zwei"], {"ä": None}, True, 1.5, ""])
def test_an_input_reaches_an_activity_and_comes_back_unchanged(durable: DurableApi, value: Any) -> None:
    status = durable.run("echo_input", value)
    assert status["output"] == value
    assert status["input"] == json.dumps(value)


def test_an_activity_failure_reads_as_on_azure(durable: DurableApi) -> None:
    caught = durable.run("catching")["output"]
    assert caught.startswith("Activity function 'explode' failed:  ValueError: no such luck \n {")
    failed = durable.run("failing")
    assert failed["runtimeStatus"] == "Failed"
    assert failed["output"].startswith(
        "Orchestrator function 'failing' failed: Activity function 'explode' failed:  ValueError: no such luck"
    )


def test_an_orchestrator_that_raises_fails_with_its_text(durable: DurableApi) -> None:
    status = durable.run("raising")
    assert (status["runtimeStatus"], status["output"]) == (
        "Failed",
        "Orchestrator function 'raising' failed: 'lost'",
    )


def test_a_failed_child_raises_in_its_parent(durable: DurableApi) -> None:
    assert durable.run("catching_parent")["output"].startswith(
        "Orchestrator function 'failing' failed: Activity function 'explode' failed:  ValueError: no such luck"
    )


@pytest.mark.parametrize("name", ["with_retry", "child_with_retry"])
def test_a_retried_step_succeeds_at_its_third_attempt(durable: DurableApi, name: str) -> None:
    assert durable.run(name, {"name": uuid4().hex, "succeeds_at": 3})["output"] == 3


def test_exhausted_retries_raise_once_and_the_next_step_gets_its_own_result(durable: DurableApi) -> None:
    error, after = durable.run("with_retry", {"name": uuid4().hex, "succeeds_at": 9})["output"]
    assert error.startswith("Activity function 'flaky' failed:  RuntimeError: attempt 3")
    assert after == "still in step"


def test_a_result_that_is_no_json_fails_the_activity(durable: DurableApi) -> None:
    assert "NaN is not JSON" in durable.run("not_json_result")["output"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("unknown_activity", "The function 'nowhere' doesn't exist or is not an activity function."),
        (
            "by_reference",
            "'renamed' doesn't exist or is not an activity function. Did you mean 'ByAnotherName'?",
        ),
        ("misspelt", "'explod' doesn't exist or is not an activity function. Did you mean 'explode'?"),
        ("unknown_child", "The function 'nowhere' doesn't exist or is not an orchestrator function."),
        ("with_entity", "the local host does not support call_entity in orchestrators"),
        ("signalling", "the local host does not support signal_entity in orchestrators"),
        ("large_status", "the custom status is larger than 16 KiB"),
        (
            "unstable",
            "task 0 of the history is the activity echo, the code now has the activity double there",
        ),
        ("naive_timer", "can't compare offset-naive and offset-aware datetimes"),
    ],
)
def test_what_cannot_go_well_fails_at_once_and_says_why(durable: DurableApi, name: str, text: str) -> None:
    status = durable.run(name)
    assert status["runtimeStatus"] == "Failed"
    assert text in status["output"]


def test_a_falsy_custom_status_is_not_sent_so_the_old_one_stays(durable: DurableApi) -> None:
    assert durable.run("falsy_status")["customStatus"] == "kept"


def test_an_uncancelled_timer_keeps_the_instance_running(durable: DurableApi) -> None:
    instance_id = durable.begin("uncancelled_timer")
    wait_until(lambda: len(durable.events(instance_id, "TaskCompleted")) == 1, "the quick activity")
    assert durable.status(instance_id)["runtimeStatus"] == "Running"
    durable.post(instance_id, "terminate")


def test_a_timer_beyond_six_days_is_split_into_shorter_ones(durable: DurableApi) -> None:
    instance_id = durable.begin("long_timer")
    (timer,) = wait_until(lambda: durable.events(instance_id, "TimerCreated"), "the first timer")
    days = (to_epoch(timer["FireAt"]) - to_epoch(durable.status(instance_id)["createdTime"])) / 86400
    assert days == pytest.approx(3, abs=0.01)
    durable.post(instance_id, "terminate")


@pytest.fixture
def short_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Timers of more than 0.2 s are long ones."""
    for name in ("longRunningTimerIntervalDuration", "maximumShortTimerDuration"):
        monkeypatch.setitem(protocol._PAYLOAD_CONSTANTS, name, "00:00:00.2000000")


@pytest.mark.usefixtures("short_limits")
def test_a_long_timer_rings_at_its_time(durable: DurableApi) -> None:
    instance_id = durable.begin("event_or_timeout", 0.7)
    assert durable.wait_for(instance_id)["output"] == "timed out"
    rung = [to_epoch(event["Timestamp"]) for event in durable.events(instance_id, "TimerFired")]
    assert len(rung) >= 3
    assert rung[-1] - to_epoch(durable.events(instance_id, "ExecutionStarted")[0]["Timestamp"]) >= 0.7


@pytest.mark.usefixtures("short_limits")
def test_a_long_timer_can_be_cancelled_after_some_of_its_parts(durable: DurableApi) -> None:
    instance_id = durable.begin("event_or_timeout", 3600)
    wait_until(lambda: len(durable.events(instance_id, "TimerFired")) >= 2, "two parts")
    durable.post(instance_id, "raiseEvent/Go", json="stop")
    assert durable.wait_for(instance_id)["output"] == ["stop", "after"]


def test_an_event_wins_against_a_timer_that_is_then_cancelled(durable: DurableApi) -> None:
    instance_id = durable.begin("event_or_timeout", 3600)
    durable.wait_for(instance_id, "Running")
    durable.post(instance_id, "raiseEvent/Go", json={"a": 1})
    assert durable.wait_for(instance_id)["output"] == [{"a": 1}, "after"]


def test_an_event_through_the_sdk_arrives_as_a_string(durable: DurableApi) -> None:
    instance_id = durable.begin("event_or_timeout", 3600)
    durable.wait_for(instance_id, "Running")
    durable.post(instance_id, "raiseEvent/Go", json=json.dumps({"a": 1}))
    assert durable.wait_for(instance_id)["output"] == ['{"a": 1}', "after"]


def test_events_that_are_awaited_in_time_arrive_one_by_one(durable: DurableApi) -> None:
    instance_id = durable.begin("three_events")
    for number in range(3):
        _wait_for_history(durable, instance_id, "EventRaised", number)
        durable.post(instance_id, "raiseEvent/Next", json=number)
    assert durable.wait_for(instance_id)["output"] == [0, 1, 2]


def _wait_for_history(durable: DurableApi, instance_id: str, kind: str, number: int) -> None:
    durable.wait_for(instance_id, "Running", "Completed")
    wait_until(lambda: len(durable.events(instance_id, kind)) == number, f"{number} times {kind}")


def test_an_instance_that_the_sdk_has_left_but_the_host_has_not_is_reported(
    durable: DurableApi, caplog: pytest.LogCaptureFixture
) -> None:
    instance_id = durable.begin("two_waits_on_early_event")
    durable.wait_for(instance_id, "Running")
    durable.post(instance_id, "raiseEvent/Early", json=1)
    _wait_for_history(durable, instance_id, "EventRaised", 1)
    durable.post(instance_id, "raiseEvent/Go", json=0)
    _wait_for_history(durable, instance_id, "EventRaised", 2)
    wait_until(lambda: "the SDK has finished but the host still waits" in caplog.text, "the warning")
    assert durable.status(instance_id)["runtimeStatus"] == "Running"
    durable.post(instance_id, "terminate")


def test_the_host_warns_when_the_sdk_runs_ahead_of_it(
    durable: DurableApi, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    request = {"counter": uuid4().hex, "until": str(tmp_path / "go")}
    instance_id = durable.begin("runs_ahead", request)
    wait_until(lambda: "the SDK ran 1 action(s) ahead of the host" in caplog.text, "the warning")
    (tmp_path / "go").touch()
    durable.wait_for(instance_id)


def test_early_events_are_mixed_up_by_the_sdk_as_on_azure(durable: DurableApi) -> None:
    instance_id = durable.begin("three_early_events")
    durable.wait_for(instance_id, "Running")
    for number in (1, 2, 3):
        durable.post(instance_id, "raiseEvent/Early", json=number)
        _wait_for_history(durable, instance_id, "EventRaised", number)
    durable.post(instance_id, "raiseEvent/Go", json=0)
    assert durable.wait_for(instance_id)["output"] == [3, 3, 3]


def test_an_event_whose_name_differs_in_case_only_is_told(
    durable: DurableApi, caplog: pytest.LogCaptureFixture
) -> None:
    """The extension takes it for the awaited one, the SDK does not."""
    instance_id = durable.begin("three_events")
    durable.wait_for(instance_id, "Running")
    durable.post(instance_id, "raiseEvent/NEXT", json=0)
    wait_until(lambda: "the host has handed out everything" in caplog.text, "the warning")
    durable.post(instance_id, "terminate")


def test_terminate_leaves_children_alone(durable: DurableApi) -> None:
    child = uuid4().hex
    instance_id = durable.begin("patient_parent", child)
    wait_until(lambda: durable.events(instance_id, "SubOrchestrationInstanceCreated"), "the child")
    durable.wait_for(child, "Running")
    durable.post(instance_id, "terminate")
    durable.wait_for(instance_id, "Terminated")
    assert durable.status(child)["runtimeStatus"] == "Running"
    durable.post(child, "terminate")


def test_events_that_nobody_awaited_are_lost_when_continuing_as_new(durable: DurableApi) -> None:
    instance_id = durable.begin("forgetful", "first")
    durable.wait_for(instance_id, "Running")
    durable.post(instance_id, "raiseEvent/Early", json=1)
    _wait_for_history(durable, instance_id, "EventRaised", 1)
    durable.post(instance_id, "raiseEvent/Go", json=1)
    assert durable.wait_for(instance_id)["output"] == "timed out"


def test_a_child_may_not_have_the_id_of_its_parent(durable: DurableApi) -> None:
    instance_id = uuid4().hex
    durable.begin("parent", {"child": "sequence", "input": 1, "id": instance_id}, instance_id)
    assert "that of its parent" in durable.wait_for(instance_id)["output"]


def test_a_child_with_the_id_of_a_live_instance_fails(durable: DurableApi) -> None:
    taken = durable.begin("three_events")
    durable.wait_for(taken, "Running")
    status = durable.run("parent", {"child": "sequence", "input": 1, "id": taken})
    assert "already exists" in status["output"]
    durable.post(taken, "terminate")


def test_the_host_warns_at_a_thousand_history_events(
    durable: DurableApi, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "local.host.engine"):
        durable.run("fan_out", 500)
    assert "history events, all replayed at each step: use continue_as_new" in caplog.text

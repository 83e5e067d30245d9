"""The host's side of a replay, and the codec: rules that running orchestrations show only indirectly."""

import json
from typing import Any

import pytest

from local.host.clock import to_epoch, to_iso
from local.host.protocol import (
    OUT_OF_PROCESS_LABEL,
    Answer,
    EventType,
    activity_failed,
    event,
    execution_started,
    orchestrator_payload,
    parse_answer,
    parse_failure,
    require_json,
)
from local.host.replay import Activity, NonDeterministicError, Replay, Timer

NOW = 1_800_000_000.0
RETRY = {"firstRetryIntervalInMilliseconds": 5000, "maxNumberOfAttempts": 2}


def activity(name: str = "step") -> dict[str, Any]:
    return {"actionType": 0, "functionName": name, "input": "1"}


def retried() -> dict[str, Any]:
    return activity() | {"actionType": 1, "retryOptions": RETRY}


def timer(*, cancelled: bool = False) -> dict[str, Any]:
    return {"actionType": 5, "fireAt": to_iso(NOW + 60), "isCanceled": cancelled}


def external_event(name: str = "Go") -> dict[str, Any]:
    return {"actionType": 6, "externalEventName": name}


def compound(kind: int, *actions: dict[str, Any]) -> dict[str, Any]:
    return {"actionType": kind, "compoundActions": list(actions)}


def replayed(actions: list[dict[str, Any]], *events: dict[str, Any]) -> Replay:
    replay = Replay(actions)
    started = execution_started("plan", "id", "run", at=NOW, version="", input_text=None, parent=None)
    for each in (event(EventType.ORCHESTRATOR_STARTED, NOW), started, *events):
        replay.feed(each)
    return replay


def scheduled(task_id: int, name: str = "step") -> dict[str, Any]:
    return event(EventType.TASK_SCHEDULED, NOW, Name=name) | {"EventId": task_id}


def created(task_id: int) -> dict[str, Any]:
    return event(EventType.TIMER_CREATED, NOW) | {"EventId": task_id}


def completed(task_id: int) -> dict[str, Any]:
    return event(EventType.TASK_COMPLETED, NOW, TaskScheduledId=task_id)


def failed(task_id: int) -> dict[str, Any]:
    return event(EventType.TASK_FAILED, NOW, TaskScheduledId=task_id)


def fired(task_id: int) -> dict[str, Any]:
    return event(EventType.TIMER_FIRED, NOW, TimerId=task_id)


def raised(name: str) -> dict[str, Any]:
    return event(EventType.EVENT_RAISED, NOW, Name=name, Input="1")


STEP = Activity("step", "1")


def test_the_first_action_is_scheduled_and_the_second_waits() -> None:
    replay = replayed([activity(), activity()])
    assert replay.unscheduled == {0: STEP}
    assert replay.actions_ahead == 1


def test_a_completed_step_leads_to_the_next() -> None:
    assert replayed([activity(), activity()], scheduled(0), completed(0)).unscheduled == {1: STEP}


def test_names_match_whatever_their_case() -> None:
    assert replayed([activity("Step")], scheduled(0, "sTEP")).unscheduled == {}


@pytest.mark.parametrize("history", [scheduled(0, "other"), scheduled(1), created(0)])
def test_a_history_that_the_code_does_not_repeat_is_refused(history: dict[str, Any]) -> None:
    with pytest.raises(NonDeterministicError, match="Non-Deterministic workflow detected"):
        replayed([activity()], history)


def test_a_failed_attempt_is_followed_by_a_timer_and_another_attempt() -> None:
    assert replayed([retried()], scheduled(0), failed(0)).unscheduled == {1: Timer(NOW + 5)}
    again = replayed([retried()], scheduled(0), failed(0), created(1), fired(1))
    assert again.unscheduled == {2: STEP}


def test_the_last_failure_is_followed_by_one_more_timer_that_fires_at_once() -> None:
    events = [scheduled(0), failed(0), created(1), fired(1), scheduled(2), failed(2)]
    assert replayed([retried()], *events).unscheduled == {3: Timer(NOW)}
    assert not replayed([retried()], *events).finished
    assert replayed([retried()], *events, created(3), fired(3)).finished


def test_any_goes_on_at_the_first_and_all_at_the_last() -> None:
    events = [scheduled(0), scheduled(1), completed(1)]
    assert replayed([compound(11, activity(), activity())], *events).finished
    assert not replayed([compound(12, activity(), activity())], *events).finished
    assert replayed([compound(12, activity(), activity())], *events, completed(0)).finished


def test_all_waits_for_every_child_even_after_a_failure() -> None:
    actions = [compound(12, activity(), activity())]
    assert not replayed(actions, scheduled(0), scheduled(1), failed(0)).finished


def test_a_cancelled_timer_is_created_but_not_open() -> None:
    replay = replayed([compound(11, activity(), timer(cancelled=True))], scheduled(0), completed(0))
    assert list(replay.unscheduled) == [1]
    assert replay.open == {}


def test_an_uncancelled_timer_stays_open() -> None:
    replay = replayed([compound(11, activity(), timer())], scheduled(0), created(1), completed(0))
    assert replay.finished
    assert list(replay.open) == [1]


def test_external_events_match_whatever_their_case_early_or_late() -> None:
    assert replayed([external_event("Go")], raised("gO")).finished
    assert replayed([activity(), external_event()], raised("go"), scheduled(0), completed(0)).finished


def test_external_events_use_no_task_id() -> None:
    assert list(replayed([external_event(), activity()], raised("Go")).unscheduled) == [0]


def test_only_events_after_continue_as_new_are_carried_over() -> None:
    actions = [external_event(), {"actionType": 4, "input": "2"}]
    replay = replayed(actions, raised("early"), raised("Go"), raised("late"))
    assert [carried["Name"] for carried in replay.carried] == ["late"]


def test_events_are_held_while_suspended() -> None:
    suspended = event(EventType.EXECUTION_SUSPENDED, NOW)
    assert not replayed([external_event()], suspended, raised("Go")).finished
    resumed = event(EventType.EXECUTION_RESUMED, NOW)
    assert replayed([external_event()], suspended, raised("Go"), resumed).finished


def test_a_late_completion_of_nothing_open_is_dropped() -> None:
    assert not replayed([activity()], scheduled(0), completed(7)).finished


def test_the_payload_holds_what_the_sdk_needs() -> None:
    started = execution_started("plan", "id", "run", at=NOW, version="1", input_text='"1"', parent=("up", 3))
    payload = json.loads(orchestrator_payload("id", "up", '"1"', [json.dumps(started)], [raised("Go")]))
    assert payload["input"] == "1"
    assert (payload["instanceId"], payload["parentInstanceId"], payload["isReplaying"]) == ("id", "up", True)
    assert (payload["upperSchemaVersion"], payload["upperSchemaVersionNew"]) == (1, 2)
    assert payload["maximumShortTimerDuration"] == "6.00:00:00"
    assert payload["longRunningTimerIntervalDuration"] == "3.00:00:00"
    assert [entry["EventType"] for entry in payload["history"]] == [0, 15]
    assert payload["history"][0]["Version"] == "1"
    assert payload["history"][0]["ParentInstance"]["OrchestrationInstance"] == {"InstanceId": "up"}


def test_an_answer_is_parsed_from_its_state_and_from_its_exception() -> None:
    state = {"isDone": False, "actions": [[activity()]], "error": "lost", "customStatus": {"a": 1}}
    expected = Answer(actions=[activity()], error="lost", custom_status={"a": 1})
    assert parse_answer(json.dumps(state)) == expected
    failure = RuntimeError(f"lost{OUT_OF_PROCESS_LABEL}{json.dumps(state)}")
    assert parse_failure(failure) == expected
    oversized = {"isDone": False, "actions": [], "customStatus": "x" * 9000}
    failure = RuntimeError(f"lost{OUT_OF_PROCESS_LABEL}{json.dumps(oversized)}")
    assert "larger than 16 KiB" in (parse_failure(failure).error or "")
    assert parse_failure(TypeError("odd")) == Answer(error="TypeError: odd")


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity"])
def test_what_dotnet_cannot_read_is_no_json(constant: str) -> None:
    with pytest.raises(ValueError, match="is not JSON"):
        require_json(f"[{constant}]")
    assert require_json(f'"{constant}"') == f'"{constant}"'


def test_a_failure_reason_has_two_spaces_as_on_azure() -> None:
    failure = activity_failed("step", ValueError("bad"), 4, NOW)
    assert failure["Reason"] == "Activity function 'step' failed:  ValueError: bad"
    assert json.loads(failure["Details"])["Message"] == " ValueError: bad"


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2027-01-15T08:00:00.0000000Z", NOW),
        ("2027-01-15T08:00:00Z", NOW),
        ("2027-01-15T08:00:00", NOW),
        ("2027-01-15T09:00:00.5+01:00", NOW + 0.5),
    ],
)
def test_moments_are_read_as_the_extension_reads_them(text: str, moment: float) -> None:
    assert to_epoch(text) == moment

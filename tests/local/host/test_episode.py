"""What an episode is decided to come to, where the SDK itself would not go."""

from typing import Any

import pytest

from local.host.episode import decide
from local.host.instances import Instance, Status
from local.host.protocol import Answer, Event, EventType, event, execution_started

NOW = 1_800_000_000.0
INSTANCE = Instance("id", "plan", "", "run", Status.RUNNING, None, None, None, NOW, NOW, None)
EVENTS: list[Event] = [
    event(EventType.ORCHESTRATOR_STARTED, NOW),
    execution_started("plan", "id", "run", at=NOW, version="", input_text=None, parent=None),
]


class Catalog:
    """Knows every function."""

    def knows_activity(self, name: str) -> bool:
        return True

    def knows_orchestrator(self, name: str) -> bool:
        return True

    def activity_like(self, _: str) -> str | None:
        return None

    def orchestrator_like(self, _: str) -> None:
        return None


class Stranger(Catalog):
    """Knows none, and what might have been meant."""

    def knows_activity(self, name: str) -> bool:
        return False

    def activity_like(self, _: str) -> str:
        return "step"


@pytest.mark.parametrize(
    ("actions", "done", "warnings"),
    [
        ([], False, ["the instance is Running with nothing outstanding"]),
        ([{"actionType": 0, "functionName": "step", "input": "1"}], False, []),
        ([{"actionType": 6, "externalEventName": "Go"}], False, []),
        (
            [{"actionType": 6, "externalEventName": "Go"}],
            True,
            ["the SDK has finished but the host still waits"],
        ),
    ],
)
def test_only_what_can_never_go_on_is_reported(
    actions: list[dict[str, Any]], done: bool, warnings: list[str]
) -> None:
    outcome = decide(INSTANCE, EVENTS, Answer(actions=actions, done=done), Catalog())
    assert outcome.status == Status.RUNNING
    assert len(outcome.warnings) == len(warnings)
    assert all(text.startswith(start) for text, start in zip(outcome.warnings, warnings, strict=True))


@pytest.mark.parametrize("kind", [7, 9, 10])
def test_entities_fail_the_instance_by_name(kind: int) -> None:
    outcome = decide(INSTANCE, EVENTS, Answer(actions=[{"actionType": kind}]), Catalog())
    assert outcome.status == Status.FAILED
    assert "the local host does not support" in (outcome.output_text or "")


def test_a_name_that_no_function_has_is_told_with_the_one_that_was_probably_meant() -> None:
    action = {"actionType": 0, "functionName": "stp", "input": "1"}
    outcome = decide(INSTANCE, EVENTS, Answer(actions=[action]), Stranger())
    assert outcome.status == Status.FAILED
    expected = "The function 'stp' doesn't exist or is not an activity function. Did you mean 'step'?"
    assert expected in (outcome.output_text or "")


def test_an_answer_of_unknown_origin_fails_the_instance_with_its_text() -> None:
    outcome = decide(INSTANCE, EVENTS, Answer(error="TypeError: odd"), Catalog())
    assert outcome.output_text == "\"Orchestrator function 'plan' failed: TypeError: odd\""

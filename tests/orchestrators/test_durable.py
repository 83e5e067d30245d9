"""The virtual clock itself: it must notice what a real instance would suffer from."""

# The SDK's decorators have no types.
# mypy: disallow-untyped-decorators=False

from collections.abc import Callable, Generator
from datetime import timedelta
from typing import Any

import azure.durable_functions as df
import pytest

from tests import durable
from tests.durable import START, FakeContext, NotJson, OrchestratorFailed, StaysRunning, World
from tests.orchestrators import sdk

bp = df.Blueprint()
Decisions = Generator[Any, Any, Any]
MINUTE = timedelta(minutes=1)
RUNNERS = [durable.run, sdk.run]

# The SDK's own warning about inputs that come without a type.
pytestmark = pytest.mark.filterwarnings("ignore:azure.functions df_loads was called without expected_type")


@bp.activity_trigger(input_name="message")
def step(message: dict) -> Any: ...  # type: ignore[type-arg]


@bp.orchestration_trigger(context_name="context")
def leaves_a_timer(context: Any) -> Decisions:
    timer = context.create_timer(context.current_utc_datetime + MINUTE)
    yield context.task_any([context.call_activity(step, 1), timer])
    return "done"


@bp.orchestration_trigger(context_name="context")
def cancels_a_timer(context: Any) -> Decisions:
    timer = context.create_timer(context.current_utc_datetime + MINUTE)
    yield context.task_any([context.call_activity(step, 1), timer])
    timer.cancel()
    return "done"


@bp.orchestration_trigger(context_name="context")
def waits_for_go(context: Any) -> Decisions:
    yield context.wait_for_external_event("go")
    return "gone"


@bp.orchestration_trigger(context_name="context")
def sleeps_then_waits_for_go(context: Any) -> Decisions:
    yield context.create_timer(context.current_utc_datetime + MINUTE)
    yield context.wait_for_external_event("go")
    return "gone"


@bp.orchestration_trigger(context_name="context")
def steps_three_times(context: Any) -> Decisions:
    return (yield context.task_all([context.call_activity(step, number) for number in (1, 2, 3)]))


@bp.orchestration_trigger(context_name="context")
def counts_down(context: Any) -> Decisions:
    left = context.get_input()
    value = yield context.call_activity(step, left)
    if left:
        context.continue_as_new(left - 1)
    return value


@bp.orchestration_trigger(context_name="context")
def hands_over_its_input(context: Any) -> Decisions:
    return (yield context.call_activity(step, {1, 2}))


@bp.orchestration_trigger(context_name="context")
def hides_every_problem(context: Any) -> Decisions:
    try:
        context.set_custom_status({1, 2})
    except Exception:  # noqa: BLE001  so that the test can show what it does not catch
        return "hidden"
    return (yield context.call_activity(step, 1))


def world(answer: Callable[[Any], Any] = lambda given: given) -> World:
    return World({"step": answer})


@pytest.mark.parametrize("run", RUNNERS)
def test_a_canceled_timer_does_not_move_the_clock(run: Callable[..., Any]) -> None:
    shared = world()
    assert run(cancels_a_timer, FakeContext(shared, None)) == "done"
    assert shared.now == START


def test_a_timer_that_nobody_cancels_is_noticed() -> None:
    with pytest.raises(StaysRunning, match="run-1 ends with a timer neither fired nor canceled"):
        durable.run(leaves_a_timer, FakeContext(world(), None))


@pytest.mark.parametrize("run", RUNNERS)
def test_an_event_that_never_comes_is_noticed(run: Callable[..., Any]) -> None:
    with pytest.raises(StaysRunning, match="run-1 waits for what never comes"):
        run(waits_for_go, FakeContext(world(), None))


@pytest.mark.parametrize("run", RUNNERS)
def test_an_event_moves_the_clock_to_its_time(run: Callable[..., Any]) -> None:
    shared = world()
    shared.events = [(START + 2 * MINUTE, "go")]
    assert run(waits_for_go, FakeContext(shared, None)) == "gone"
    assert shared.now == START + 2 * MINUTE


def test_an_event_that_nobody_waits_for_is_lost() -> None:
    shared = world()
    shared.events = [(START, "go")]
    with pytest.raises(StaysRunning):
        durable.run(sleeps_then_waits_for_go, FakeContext(shared, None))


@pytest.mark.parametrize("run", RUNNERS)
def test_all_of_several_give_their_values_in_order(run: Callable[..., Any]) -> None:
    assert run(steps_three_times, FakeContext(world(lambda given: given * 10), None)) == [10, 20, 30]


@pytest.mark.parametrize("run", RUNNERS)
def test_one_failure_among_several_fails_the_instance(run: Callable[..., Any]) -> None:
    with pytest.raises(OrchestratorFailed, match="Activity function 'step' failed:  ZeroDivisionError: "):
        run(steps_three_times, FakeContext(world(lambda given: 1 // (given - 2)), None))


@pytest.mark.parametrize("run", RUNNERS)
def test_each_generation_is_counted(run: Callable[..., Any]) -> None:
    shared = world()
    assert run(counts_down, FakeContext(shared, 3)) == 0
    assert [(call.input, call.generation) for call in shared.calls] == [(3, 1), (2, 2), (1, 3), (0, 4)]


@pytest.mark.parametrize("value", [{1, 2}, START, float("nan"), b"bytes"])
def test_what_is_not_json_is_noticed_wherever_it_crosses(value: Any) -> None:
    with pytest.raises(NotJson):
        FakeContext(world(), value)
    with pytest.raises(NotJson):
        durable.run(cancels_a_timer, FakeContext(world(lambda _: value), None))


@pytest.mark.parametrize("orchestrator", [hands_over_its_input, hides_every_problem])
def test_no_orchestrator_can_hide_what_is_not_json(orchestrator: Any) -> None:
    with pytest.raises(NotJson):
        durable.run(orchestrator, FakeContext(world(), None))

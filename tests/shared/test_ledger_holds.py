"""Held routes: their files wait while the endpoint turns us away, longer with each refusal in a row."""

from datetime import timedelta

import pytest

from shared.ledger import Ledger
from shared.ledger_slots import FIRST_HOLD, LONGEST_HOLD
from shared.records import Hold, moment
from shared.routes import Route
from tests.shared.ledgers import LAUNCH, ROUTE, Clock, brought_to, submitted
from tests.shared.memory_store import OutrunStore

OTHERS = {
    "model": ROUTE.but(model="https://other/jobs"),
    "deployment": ROUTE.but(deployment="green"),
    "route": ROUTE.but(name="other"),
}


def holding(ledger: Ledger, route: Route = ROUTE) -> Hold:
    found = ledger.held(route)
    assert found is not None
    return found


def refused(ledger: Ledger, times: int, clock: Clock) -> timedelta:
    """Holds and lifts the route so many times in a row, each as soon as the hold is over; the last hold's time."""
    for _ in range(times):
        assert ledger.hold(ROUTE, "403")
        held = holding(ledger)
        clock.now = moment(held.until)
        ledger.lift(ROUTE)
    return moment(held.until) - moment(held.at)


def test_a_route_is_not_held(ledger: Ledger) -> None:
    assert ledger.held(ROUTE) is None
    assert not ledger.lift(ROUTE)


def test_a_held_route_says_why_and_until_when(ledger: Ledger, clock: Clock) -> None:
    assert ledger.hold(ROUTE, "403 no")
    held = holding(ledger)
    assert (held.why, held.times, held.lifted) == ("403 no", 1, False)
    assert (moment(held.at), moment(held.until)) == (clock.now, clock.now + FIRST_HOLD)


def test_a_hold_does_not_end_by_itself(ledger: Ledger, clock: Clock) -> None:
    ledger.hold(ROUTE, "403")
    clock.sleep(days=1)
    assert ledger.held(ROUTE) is not None


def test_a_second_refusal_while_the_route_is_held_changes_nothing(ledger: Ledger, clock: Clock) -> None:
    ledger.hold(ROUTE, "403")
    first = holding(ledger)
    clock.sleep(seconds=30)
    assert not ledger.hold(ROUTE, "404")
    assert holding(ledger) == first


def test_a_route_that_is_lifted_is_not_held(ledger: Ledger) -> None:
    ledger.hold(ROUTE, "403")
    assert ledger.lift(ROUTE)
    assert ledger.held(ROUTE) is None


@pytest.mark.parametrize(
    ("times", "wait"),
    [(1, FIRST_HOLD), (2, 2 * FIRST_HOLD), (3, 4 * FIRST_HOLD), (7, LONGEST_HOLD), (12, LONGEST_HOLD)],
)
def test_each_refusal_in_a_row_doubles_the_time_up_to_an_hour(
    ledger: Ledger, clock: Clock, times: int, wait: timedelta
) -> None:
    assert refused(ledger, times, clock) == wait


def test_a_refusal_after_a_job_was_made_is_a_first_one(ledger: Ledger, clock: Clock) -> None:
    assert refused(ledger, 3, clock) == FIRST_HOLD * 4
    brought_to("submitting", ledger)
    submitted(ledger, LAUNCH)
    assert refused(ledger, 1, clock) == FIRST_HOLD


def test_a_job_that_was_asked_for_before_a_refusal_says_nothing_of_it(ledger: Ledger, clock: Clock) -> None:
    brought_to("submitting", ledger)
    clock.sleep(seconds=1)
    ledger.hold(ROUTE, "403")
    submitted(ledger, LAUNCH)
    assert ledger.held(ROUTE) is not None


def test_a_job_of_another_endpoint_says_nothing_of_a_hold(ledger: Ledger, clock: Clock) -> None:
    ledger.hold(OTHERS["model"], "403")
    clock.sleep(seconds=1)
    brought_to("submitting", ledger)
    submitted(ledger, LAUNCH)
    assert ledger.held(OTHERS["model"]) is not None


def test_a_refusal_long_after_the_last_one_is_a_first_one(ledger: Ledger, clock: Clock) -> None:
    refused(ledger, 3, clock)
    clock.now += LONGEST_HOLD
    ledger.hold(ROUTE, "403")
    assert holding(ledger).times == 1


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_a_hold_counts_for_one_model_and_deployment_of_one_route(ledger: Ledger, other: Route) -> None:
    ledger.hold(ROUTE, "403")
    assert ledger.held(other) is None


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_another_model_begins_with_a_first_hold(ledger: Ledger, clock: Clock, other: Route) -> None:
    refused(ledger, 2, clock)
    assert ledger.hold(other, "404")
    assert (holding(ledger, other).times, holding(ledger, other).why) == (1, "404")


def test_another_model_is_held_although_the_first_one_still_is(ledger: Ledger) -> None:
    ledger.hold(ROUTE, "403")
    assert ledger.hold(OTHERS["model"], "404")
    assert ledger.held(ROUTE) is None


def test_of_two_that_change_a_hold_at_once_the_slower_is_told() -> None:
    store, clock = OutrunStore(), Clock()
    ledger = Ledger(store, clock)
    ledger.hold(ROUTE, "403")
    store.meanwhile = lambda: ledger.lift(ROUTE)
    assert not ledger.lift(ROUTE)
    store.meanwhile = lambda: ledger.hold(ROUTE, "403")
    assert not ledger.hold(ROUTE, "404")
    assert holding(ledger).why == "403"

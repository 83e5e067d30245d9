"""Runs that take no slot: of requests at the same time, no more are let in than may be open."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.ledger import Ledger
from shared.ledger_admission import OPENED_WITHIN
from shared.records import Launch
from tests.shared.ledgers import LAUNCH, ROUTE, Clock

LIMIT = 3


def asked(run: str, launch: int = 1) -> Launch:
    return Launch(run=run, launch=launch, route="r")


def let_in(ledger: Ledger, *runs: str) -> bool:
    return ledger.admit([asked(run) for run in runs], LIMIT) is None


def opened(ledger: Ledger, *runs: str) -> None:
    """Runs that were let in, and have begun."""
    assert let_in(ledger, *runs)
    for run in runs:
        assert ledger.begin(asked(run), ROUTE)


def test_no_more_are_let_in_than_may_be_open(ledger: Ledger) -> None:
    opened(ledger, "R1", "R2")
    assert ledger.admit([asked("R3"), asked("R4")], LIMIT) == 2
    opened(ledger, "R3")
    assert ledger.admit([asked("R4")], LIMIT) == 3


def test_whoever_is_let_in_counts_before_the_run_is_opened(ledger: Ledger) -> None:
    assert let_in(ledger, "R1", "R2", "R3")
    assert ledger.admit([asked("R4")], LIMIT) == 3


def test_a_run_that_is_closed_makes_room(ledger: Ledger) -> None:
    opened(ledger, "R1", "R2", "R3")
    ledger.closed(asked("R1"), "succeeded")
    assert let_in(ledger, "R4")
    assert not let_in(ledger, "R5")


def test_a_rerun_counts_from_when_it_is_let_in_although_its_run_has_a_record(ledger: Ledger) -> None:
    opened(ledger, "R1", "R2", "R3")
    ledger.closed(asked("R1"), "failed")
    assert ledger.admit([asked("R1", launch=2)], LIMIT) is None
    assert not let_in(ledger, "R4")
    assert ledger.reopen("R1", ROUTE) is not None
    assert not let_in(ledger, "R4")
    ledger.closed(asked("R1", launch=2), "succeeded")
    assert let_in(ledger, "R4")


def test_the_same_run_asked_for_twice_counts_once(ledger: Ledger) -> None:
    assert let_in(ledger, "R1", "R2")
    assert let_in(ledger, "R1", "R3")
    assert not let_in(ledger, "R4")


def test_runs_that_hold_a_slot_do_not_count(ledger: Ledger) -> None:
    for number in range(5):
        assert ledger.begin(LAUNCH.but(run=f"S{number}", slot=number), ROUTE)
    assert let_in(ledger, "R1", "R2", "R3")


def test_who_is_let_in_and_never_opens_a_run_makes_room_after_a_while(ledger: Ledger, clock: Clock) -> None:
    assert let_in(ledger, "R1", "R2", "R3")
    clock.now += OPENED_WITHIN
    assert not let_in(ledger, "R4")
    clock.sleep(seconds=1)
    assert let_in(ledger, "R4")


def test_nobody_is_always_let_in(ledger: Ledger) -> None:
    opened(ledger, "R1", "R2", "R3")
    assert ledger.admit([], LIMIT - 1) is None


@pytest.mark.parametrize("rounds", [1, pytest.param(20, marks=pytest.mark.full)])
def test_of_many_requests_at_once_as_many_are_let_in_as_may_be_open(ledger: Ledger, rounds: int) -> None:
    def request(run: str) -> bool:
        won = let_in(ledger, run)
        if won:
            assert ledger.begin(asked(run), ROUTE)
        return won

    for number in range(rounds):
        runs = [f"R{number}x{one}" for one in range(10)]
        with ThreadPoolExecutor(10) as pool:
            won = [run for run, ours in zip(runs, pool.map(request, runs), strict=True) if ours]
        assert len(won) == LIMIT
        for run in won:
            ledger.closed(asked(run), "succeeded")

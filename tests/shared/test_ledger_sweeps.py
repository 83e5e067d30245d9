"""Whose ledger it is, and one sweep at a time."""

import pytest

from shared.ledger import Ledger
from shared.ledger_retention import SWEEP_AT_MOST
from shared.records import Heartbeat, Owner
from tests.shared.ledgers import Clock
from tests.shared.memory_store import OutrunStore

MINE, OTHER = Owner(hub="mine", storage="account"), Owner(hub="other", storage="account")


def beat(ledger: Ledger) -> Heartbeat:
    found = ledger.heartbeat()
    assert found is not None
    return found


def test_a_ledger_is_whose_hub_came_first(ledger: Ledger) -> None:
    assert ledger.owner(MINE) == MINE
    assert ledger.owner(OTHER) == MINE.but(at=ledger.now())


def test_whoever_owns_a_ledger_finds_it_theirs_again(ledger: Ledger, clock: Clock) -> None:
    ledger.owner(MINE)
    since = ledger.now()
    clock.sleep(days=1)
    assert ledger.owner(MINE) == MINE.but(at=since)


def test_before_the_first_sweep_there_is_no_heartbeat(ledger: Ledger) -> None:
    assert ledger.heartbeat() is None


def test_a_sweep_leaves_its_heartbeat(ledger: Ledger) -> None:
    assert ledger.begin_sweep("sweep-1")
    assert beat(ledger) == Heartbeat(sweep="sweep-1", at=ledger.now())


def test_a_sweep_that_begins_again_is_the_same_one(ledger: Ledger) -> None:
    ledger.begin_sweep("sweep-1")
    assert ledger.begin_sweep("sweep-1")


def test_while_a_sweep_is_at_work_no_other_begins(ledger: Ledger, clock: Clock) -> None:
    ledger.begin_sweep("sweep-1")
    clock.now += SWEEP_AT_MOST / 2
    assert not ledger.begin_sweep("sweep-2")
    assert beat(ledger).sweep == "sweep-1"


def test_after_a_sweep_has_ended_the_next_begins_at_once(ledger: Ledger) -> None:
    ledger.begin_sweep("sweep-1")
    ledger.end_sweep("sweep-1")
    assert beat(ledger).done
    assert ledger.begin_sweep("sweep-2")
    assert not beat(ledger).done


def test_a_sweep_that_never_ends_holds_the_next_one_up_for_five_minutes(ledger: Ledger, clock: Clock) -> None:
    ledger.begin_sweep("sweep-1")
    clock.now += SWEEP_AT_MOST
    assert ledger.begin_sweep("sweep-2")


def test_a_sweep_that_was_taken_for_dead_ends_nobody_elses(ledger: Ledger, clock: Clock) -> None:
    ledger.begin_sweep("sweep-1")
    clock.now += SWEEP_AT_MOST
    ledger.begin_sweep("sweep-2")
    ledger.end_sweep("sweep-1", purged_at=ledger.now())
    assert (beat(ledger).done, beat(ledger).purged_at) == (False, "")


def test_when_and_how_far_records_were_cleared_is_remembered(ledger: Ledger, clock: Clock) -> None:
    cleared = ledger.now()
    ledger.begin_sweep("sweep-1")
    ledger.end_sweep("sweep-1", purged_at=cleared, purged_to="R7")
    clock.sleep(minutes=1)
    ledger.begin_sweep("sweep-2")
    ledger.end_sweep("sweep-2")
    assert beat(ledger) == Heartbeat(
        sweep="sweep-2", at=ledger.now(), done=True, purged_at=cleared, purged_to="R7"
    )


@pytest.mark.parametrize("first", [True, False], ids=["the first", "a later one"])
def test_of_two_sweeps_at_once_one_begins(first: bool) -> None:
    store = OutrunStore()
    ledger = Ledger(store, Clock())
    if not first:
        ledger.begin_sweep("sweep-0")
        ledger.end_sweep("sweep-0")
        store.meanwhile = lambda: ledger.begin_sweep("sweep-1")
    else:
        ledger.begin_sweep("sweep-1")
    assert not ledger.begin_sweep("sweep-2")
    assert beat(ledger).sweep == "sweep-1"

"""Versions that a run gives back: marked first, once, and never taken from another run."""

import pytest

from shared.ledger import Ledger
from shared.ledger_keys import marker_key, version_path
from shared.store import Store
from tests.shared.ledgers import LAUNCH, ROUTE, Clock, claimed, closed_run, keys, version
from tests.shared.memory_store import MemoryStore, OutrunStore

AGAIN = version().but(n=2)


def test_a_version_that_is_released_waits_in_the_next_round(ledger: Ledger, store: Store) -> None:
    assert ledger.release("R1", claimed(ledger))
    assert ledger.version(version()) == AGAIN
    assert ledger.waiting("r") == [AGAIN]
    assert keys(store, "waiting/") == [marker_key(AGAIN)]


def test_a_released_version_is_claimed_in_its_new_round(ledger: Ledger) -> None:
    ledger.release("R1", claimed(ledger))
    assert ledger.claim("R2", AGAIN) == AGAIN.but(run="R2")


def test_the_marker_is_there_before_the_record_says_that_the_version_waits() -> None:
    store = OutrunStore()
    ledger = Ledger(store, Clock())
    mine = claimed(ledger)
    seen = []
    store.meanwhile = lambda: seen.append((ledger.waiting("r"), ledger.version(version())))
    ledger.release("R1", mine)
    assert seen == [([AGAIN], mine)]


def test_a_version_is_released_once(ledger: Ledger, store: Store) -> None:
    mine = claimed(ledger)
    ledger.release("R1", mine)
    assert not ledger.release("R1", mine)
    assert keys(store, "waiting/") == [marker_key(AGAIN)]
    assert ledger.version(version()) == AGAIN


def test_a_release_that_broke_off_after_its_marker_is_finished_by_the_next(
    ledger: Ledger, store: Store
) -> None:
    mine = claimed(ledger)
    store.create(marker_key(AGAIN), AGAIN.to_dict())
    assert ledger.release("R1", mine)
    assert ledger.version(version()) == AGAIN


@pytest.mark.parametrize("known", [True, False], ids=["another run's", "unknown"])
def test_a_version_that_is_not_the_runs_is_not_released(ledger: Ledger, store: Store, known: bool) -> None:
    before = claimed(ledger, "R2") if known else None
    assert not ledger.release("R1", version().but(run="R1"))
    assert ledger.version(version()) == before
    assert keys(store, "waiting/") == []


def test_a_version_that_another_run_takes_meanwhile_is_not_released() -> None:
    store = OutrunStore()
    ledger = Ledger(store, Clock())
    mine = claimed(ledger)
    closed_run(ledger, "R1")
    store.meanwhile = lambda: ledger.claim_again("R2", mine)
    assert not ledger.release("R1", mine)
    assert ledger.version(version()) == AGAIN.but(run="R2")
    assert ledger.claim("R3", AGAIN) is None


def half_released(ledger: Ledger, store: Store) -> None:
    """A release that broke off between its marker and its record."""
    claimed(ledger)
    store.create(marker_key(AGAIN), AGAIN.to_dict())


def test_a_version_whose_run_is_about_to_release_it_is_left_to_that_run(ledger: Ledger, store: Store) -> None:
    half_released(ledger, store)
    ledger.open(LAUNCH, ROUTE)
    assert ledger.claim("R2", AGAIN) is None
    assert ledger.version(version()) == version().but(run="R1")
    assert keys(store, "waiting/") == [marker_key(AGAIN)]


def test_a_version_whose_run_has_closed_without_finishing_its_release_is_claimed(
    ledger: Ledger, store: Store
) -> None:
    half_released(ledger, store)
    closed_run(ledger, "R1")
    assert ledger.claim("R2", AGAIN) == AGAIN.but(run="R2") == ledger.version(version())


def test_a_released_version_does_not_arrive_in_an_older_round(ledger: Ledger, store: Store) -> None:
    ledger.release("R1", claimed(ledger))
    assert not ledger.arrive(version())
    assert keys(store, "waiting/") == [marker_key(AGAIN)]


def test_rounds_go_on_counting(ledger: Ledger) -> None:
    mine = claimed(ledger)
    for n in range(1, 4):
        assert mine.n == n
        ledger.release("R1", mine)
        (marked,) = ledger.waiting("r")
        taken = ledger.claim("R1", marked)
        assert taken is not None
        ledger.forget_markers([marked])
        mine = taken


def test_a_marker_of_an_earlier_round_is_stale_once_the_version_was_released() -> None:
    store = MemoryStore()
    ledger = Ledger(store, Clock())
    ledger.release("R1", claimed(ledger))
    ledger.claim("R2", AGAIN)
    store.create(marker_key(version()), {})
    assert ledger.claim("R3", version()) is None
    assert marker_key(version()) not in keys(store, "waiting/")
    assert store.read(version_path(version())) is not None

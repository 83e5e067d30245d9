"""Slots: at most `max_jobs` runs of a route hold one, whoever comes at once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from shared.ledger import Ledger, slot_key
from shared.records import Launch
from shared.store import Store
from tests.shared.ledgers import LAUNCH, ROUTE, Clock

THREE = ROUTE.but(max_jobs=3)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(store: Store, clock: Clock) -> Ledger:
    return Ledger(store, clock)


def taken(ledger: Ledger) -> Launch:
    launch = ledger.take_slot(ROUTE)
    assert launch is not None
    return launch


def test_a_free_slot_is_taken_for_a_new_run(ledger: Ledger) -> None:
    launch = taken(ledger)
    assert (launch.launch, launch.route, launch.slot) == (1, "r", 0)
    assert ledger.take_slot(ROUTE) is None


def test_a_freed_slot_is_taken_by_another_run(ledger: Ledger) -> None:
    first = taken(ledger)
    ledger.free_slot(first)
    second = taken(ledger)
    assert second.run != first.run
    assert ledger.take_slot(ROUTE) is None


def test_a_slot_is_freed_only_by_the_run_that_holds_it(ledger: Ledger) -> None:
    first = taken(ledger)
    ledger.free_slot(first)
    taken(ledger)
    ledger.free_slot(first)
    ledger.free_slot(LAUNCH)
    ledger.free_slot(LAUNCH.but(slot=None))
    ledger.free_slot(LAUNCH.but(slot=7))
    assert ledger.take_slot(ROUTE) is None


def test_slots_of_one_route_say_nothing_of_another(ledger: Ledger) -> None:
    taken(ledger)
    assert ledger.take_slot(ROUTE.but(name="other")) is not None


def test_of_many_who_come_at_once_as_many_win_as_there_are_slots(ledger: Ledger) -> None:
    for _ in ("unused slots", "freed slots"):
        with ThreadPoolExecutor(8) as pool:
            launches = [launch for launch in pool.map(lambda _: ledger.take_slot(THREE), range(8)) if launch]
        assert sorted(launch.slot or 0 for launch in launches) == [0, 1, 2]
        assert len({launch.run for launch in launches}) == 3
        for launch in launches:
            ledger.free_slot(launch)


def test_a_route_with_fewer_slots_than_before_hands_out_no_more(ledger: Ledger) -> None:
    launches = [ledger.take_slot(THREE) for _ in range(3)]
    assert ledger.take_slot(ROUTE) is None
    assert launches[2] is not None
    ledger.free_slot(launches[2])
    assert ledger.take_slot(ROUTE) is None


def unfinished(ledger: Ledger) -> list[Launch]:
    return ledger.unfinished([ROUTE], timedelta(minutes=2))


def test_a_run_that_holds_a_slot_and_never_began_is_unfinished_after_a_while(
    ledger: Ledger, clock: Clock
) -> None:
    launch = taken(ledger)
    clock.sleep(seconds=119)
    assert unfinished(ledger) == []
    clock.sleep(seconds=2)
    assert unfinished(ledger) == [launch]


def test_a_run_without_a_slot_is_unfinished_after_a_while(ledger: Ledger, clock: Clock) -> None:
    asked = LAUNCH.but(slot=None, force=True)
    ledger.open(asked, ROUTE)
    assert unfinished(ledger) == []
    clock.sleep(minutes=3)
    assert unfinished(ledger) == [asked]


def test_a_run_that_is_announced_and_holds_a_slot_is_unfinished_once(ledger: Ledger, clock: Clock) -> None:
    launch = taken(ledger)
    ledger.open(launch, ROUTE)
    clock.sleep(minutes=3)
    assert unfinished(ledger) == [launch]
    assert ledger.take_slot(ROUTE) is None


def test_of_a_run_that_was_launched_again_the_present_launch_is_unfinished(
    ledger: Ledger, clock: Clock
) -> None:
    launch = taken(ledger)
    ledger.open(launch, ROUTE)
    ledger.open(launch.but(launch=2), ROUTE)
    clock.sleep(minutes=3)
    assert unfinished(ledger) == [launch.but(launch=2)]


def test_the_closing_of_a_closed_run_is_finished(ledger: Ledger, store: Store, clock: Clock) -> None:
    launch = taken(ledger)
    ledger.open(launch, ROUTE)
    held = {key: store.read(key) or ({}, "") for key in (slot_key("r", 0), f"open/{launch.run}")}
    ledger.closed(launch, "succeeded")
    _, etag = store.read(slot_key("r", 0)) or ({}, "")
    store.replace(slot_key("r", 0), held[slot_key("r", 0)][0], etag)
    store.create(f"open/{launch.run}", held[f"open/{launch.run}"][0])
    clock.sleep(minutes=3)
    assert unfinished(ledger) == []
    assert list(store.listed("open/")) == []
    assert ledger.take_slot(ROUTE) is not None


def test_a_run_that_is_withdrawn_leaves_its_slot_to_others(ledger: Ledger, clock: Clock) -> None:
    launch = taken(ledger)
    ledger.withdraw(launch)
    clock.sleep(minutes=3)
    assert unfinished(ledger) == []
    assert ledger.take_slot(ROUTE) is not None

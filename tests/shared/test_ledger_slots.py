"""Slots: at most `max_jobs` runs of a route hold one, whoever comes at once."""

from concurrent.futures import ThreadPoolExecutor

from shared.ledger import Ledger
from shared.records import Launch
from tests.shared.ledgers import LAUNCH, ROUTE

THREE = ROUTE.but(max_jobs=3)


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


def test_a_free_slot_of_a_held_route_stays_free(ledger: Ledger) -> None:
    assert ledger.hold(ROUTE, "403")
    assert ledger.take_slot(ROUTE) is None
    assert ledger.lift(ROUTE)
    assert ledger.take_slot(ROUTE) is not None

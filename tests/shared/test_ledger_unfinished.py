"""Runs that are announced or hold a slot: the sweep sees each of them, and since when it has been silent."""

from collections.abc import Callable

import pytest

from shared.errors import Fenced
from shared.ledger import Ledger
from shared.ledger_keys import open_key, slot_key
from shared.records import Launch
from shared.store import Document, Store
from tests.shared.ledgers import LAUNCH, ROUTE, START, Clock, brought_to, closed_run, keys
from tests.shared.memory_store import MemoryStore, OutrunStore


@pytest.fixture
def taken(ledger: Ledger) -> Launch:
    """A run that has got the route's slot and has not begun."""
    launch = ledger.take_slot(ROUTE)
    assert launch is not None
    return launch


def unfinished(ledger: Ledger) -> list[Launch]:
    return [launch for launch, _ in ledger.unfinished([ROUTE])]


def test_a_run_that_has_not_begun_is_silent_since_it_got_its_slot(
    ledger: Ledger, clock: Clock, taken: Launch
) -> None:
    clock.sleep(minutes=3)
    assert ledger.unfinished([ROUTE]) == [(taken, START)]


def test_a_run_is_silent_since_its_last_step(ledger: Ledger, clock: Clock, taken: Launch) -> None:
    ledger.open(taken, ROUTE)
    clock.sleep(minutes=3)
    ledger.gathered(taken, 1)
    stepped = clock.now
    clock.sleep(minutes=3)
    assert ledger.unfinished([ROUTE]) == [(taken, stepped)]


def test_a_run_that_only_waits_shows_that_it_lives(ledger: Ledger, clock: Clock, taken: Launch) -> None:
    ledger.open(taken, ROUTE)
    clock.sleep(minutes=10)
    ledger.progressing(taken)
    assert ledger.unfinished([ROUTE]) == [(taken, clock.now)]


def test_a_step_that_changes_nothing_is_no_sign_of_life(ledger: Ledger, clock: Clock, taken: Launch) -> None:
    ledger.open(taken, ROUTE)
    clock.sleep(minutes=10)
    ledger.fenced(taken)
    assert ledger.unfinished([ROUTE]) == [(taken, START)]


def test_a_run_without_a_slot_is_unfinished(ledger: Ledger) -> None:
    asked = LAUNCH.but(slot=None)
    ledger.open(asked, ROUTE)
    assert unfinished(ledger) == [asked]


def test_a_run_that_is_announced_and_holds_a_slot_is_unfinished_once(ledger: Ledger, taken: Launch) -> None:
    ledger.open(taken, ROUTE)
    assert unfinished(ledger) == [taken]


def test_of_a_run_that_was_launched_again_the_present_launch_is_unfinished(
    ledger: Ledger, taken: Launch
) -> None:
    ledger.open(taken, ROUTE)
    ledger.open(taken.but(launch=2), ROUTE)
    assert unfinished(ledger) == [taken.but(launch=2)]


def test_a_run_that_closed_at_the_last_moment_stays_the_launchs_that_closed_it(
    ledger: Ledger, taken: Launch
) -> None:
    """Whoever is told of the closing is told of that launch."""
    ledger.open(taken, ROUTE)
    closed = ledger.closed(taken, "succeeded")
    with pytest.raises(Fenced):
        ledger.open(taken.but(launch=2), ROUTE)
    assert ledger.run(taken.run) == closed


def half_closed(ledger: Ledger, store: Store, launch: Launch) -> None:
    """A run whose closing broke off after its record was written."""
    ledger.open(launch, ROUTE)
    keys_left = (slot_key("r", 0), open_key(launch.run))
    held, announced = [store.read(key) or ({}, "") for key in keys_left]
    ledger.closed(launch, "succeeded")
    assert store.replace(slot_key("r", 0), held[0], (store.read(slot_key("r", 0)) or ({}, ""))[1])
    store.create(open_key(launch.run), announced[0])


def test_the_closing_of_a_closed_run_is_finished(
    ledger: Ledger, store: Store, clock: Clock, taken: Launch
) -> None:
    half_closed(ledger, store, taken)
    clock.sleep(minutes=3)
    assert unfinished(ledger) == []
    assert keys(store, "open/") == []
    assert ledger.take_slot(ROUTE) is not None


def test_a_closed_run_that_is_in_the_index_only_now_is_left_there(
    ledger: Ledger, store: Store, clock: Clock, taken: Launch
) -> None:
    half_closed(ledger, store, taken)
    clock.sleep(seconds=30)
    assert unfinished(ledger) == []
    assert keys(store, "open/") == [open_key(taken.run)]


def test_a_run_that_is_just_being_reopened_is_not_taken_out_of_the_index() -> None:
    clock = Clock()
    store = OutrunStore(clock)
    ledger = Ledger(store, clock)
    closed_run(ledger, "R1")
    clock.sleep(hours=1)
    store.meanwhile = lambda: ledger.unfinished([ROUTE])
    reopened = ledger.reopen("R1", ROUTE)
    assert reopened is not None
    clock.sleep(hours=1)
    assert unfinished(ledger) == [reopened]


def test_a_run_that_is_closed_leaves_its_slot_to_others(ledger: Ledger, taken: Launch) -> None:
    ledger.open(taken, ROUTE)
    ledger.closed(taken, "empty")
    assert unfinished(ledger) == []
    assert ledger.take_slot(ROUTE) is not None


@pytest.mark.parametrize("remembers", [True, False])
def test_whoever_closes_late_leaves_a_reopened_run_in_the_index(clock: Clock, remembers: bool) -> None:
    class Standing(MemoryStore):
        """Stands still right before the first entry of the index of closed runs is written."""

        meanwhile: Callable[[], object] | None = None

        def create(self, key: str, document: Document, metadata: dict[str, str] | None = None) -> str:
            meanwhile = self.meanwhile if key.startswith("closed/") else None
            if meanwhile:
                self.meanwhile = None
                meanwhile()
            return super().create(key, document, metadata)

    store = Standing(clock)
    ledger = Ledger(store, clock)
    brought_to("resulted", ledger, LAUNCH.but(slot=None))
    store.meanwhile = lambda: Ledger(store, clock).reopen("R1", ROUTE)
    (ledger if remembers else Ledger(store, clock)).closed(LAUNCH.but(slot=None), "failed")
    assert store.meanwhile is None
    clock.sleep(hours=1)
    [launch] = unfinished(ledger)
    assert (launch.run, launch.launch) == ("R1", 2)


def test_a_run_that_is_abandoned_is_closed_and_its_slot_free(ledger: Ledger, taken: Launch) -> None:
    assert ledger.abandon(taken)
    tomb = ledger.run(taken.run)
    assert tomb is not None
    assert (tomb.stage, tomb.outcome) == ("closed", "empty")
    assert unfinished(ledger) == []
    assert ledger.take_slot(ROUTE) is not None


def test_a_run_that_was_abandoned_cannot_begin(ledger: Ledger, taken: Launch) -> None:
    ledger.abandon(taken)
    assert ledger.open(taken, ROUTE).stage == "closed"


def test_a_run_that_was_abandoned_while_it_began_leaves_the_index_again(
    ledger: Ledger, store: Store, clock: Clock, taken: Launch
) -> None:
    ledger.abandon(taken)
    ledger.open(taken, ROUTE)
    assert keys(store, "open/") == [open_key(taken.run)]
    clock.sleep(minutes=3)
    assert unfinished(ledger) == []
    assert keys(store, "open/") == []


def test_a_run_that_has_begun_after_all_cannot_be_abandoned(ledger: Ledger, taken: Launch) -> None:
    ledger.open(taken, ROUTE)
    opened = ledger.run(taken.run)
    assert not ledger.abandon(taken)
    assert ledger.run(taken.run) == opened
    assert unfinished(ledger) == [taken]
    assert ledger.take_slot(ROUTE) is None


def test_of_beginning_and_abandoning_at_once_one_wins() -> None:
    class Late(MemoryStore):
        """The run is abandoned right before its record is created."""

        def create(
            self, key: str, document: dict[str, object], metadata: dict[str, str] | None = None
        ) -> str:
            if key.startswith("runs/") and document["stage"] == "gathering":
                assert ledger.abandon(launch)
            return super().create(key, document, metadata)

    ledger = Ledger(Late(), Clock())
    launch = ledger.take_slot(ROUTE) or LAUNCH
    assert ledger.open(launch, ROUTE).stage == "closed"

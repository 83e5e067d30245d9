"""What the ledger remembers saves calls, and never decides: what it writes is written over what still stood."""

import pytest

from shared.errors import Fenced
from shared.kept import KEPT_FOR, KEYS_KEPT, LINES_KEPT
from shared.ledger import Ledger
from shared.ledger_base import RUNS_SEEN
from shared.records import Launch, Verdict
from shared.store import Document
from tests.shared.ledgers import LAUNCH, ROUTE, Clock, version
from tests.shared.memory_store import MemoryStore


class CountingStore(MemoryStore):
    """Says how often it was read."""

    reads = 0

    def read(self, key: str) -> tuple[Document, str] | None:
        self.reads += 1
        return super().read(key)

    def read_lines(self, key: str) -> list[Document] | None:
        self.reads += 1
        return super().read_lines(key)


@pytest.fixture
def store() -> CountingStore:
    return CountingStore()


@pytest.fixture
def ledger(store: CountingStore) -> Ledger:
    return Ledger(store)


def word(number: int = 0) -> Verdict:
    return Verdict(version=f"v{number}", blob="b", word="published")


def test_a_record_that_was_just_read_is_not_read_again_to_be_changed(
    store: CountingStore, ledger: Ledger
) -> None:
    ledger.open(LAUNCH, ROUTE)
    ledger.fenced(LAUNCH)
    before = store.reads
    assert ledger.gathered(LAUNCH, 2).stage == "gathered"
    assert store.reads == before


def test_a_record_that_was_just_written_is_not_read_again_to_be_changed(
    store: CountingStore, ledger: Ledger
) -> None:
    ledger.open(LAUNCH, ROUTE)
    ledger.gathered(LAUNCH, 2)
    assert ledger.packed(LAUNCH, attempt=1, rows=1, parts=1).stage == "packed"
    assert store.reads == 0


def test_whoever_took_the_slot_and_began_the_run_closes_it_without_reading(
    store: CountingStore, ledger: Ledger
) -> None:
    launch = ledger.take_slot(ROUTE) or LAUNCH
    ledger.open(launch, ROUTE)
    before = store.reads
    ledger.closed(launch, "empty")
    assert store.reads == before
    assert (list(store.listed("open/")), list(ledger.held_slots(ROUTE))) == ([], [])


def test_whoever_remembers_nothing_closes_the_run_all_the_same(store: CountingStore, ledger: Ledger) -> None:
    launch = ledger.take_slot(ROUTE) or LAUNCH
    ledger.open(launch, ROUTE)
    Ledger(store).closed(launch, "empty")
    assert (list(store.listed("open/")), list(ledger.held_slots(ROUTE))) == ([], [])


def test_who_remembers_a_slot_that_another_run_has_taken_since_leaves_it(
    store: CountingStore, ledger: Ledger
) -> None:
    launch = ledger.take_slot(ROUTE) or LAUNCH
    ledger.open(launch, ROUTE)
    other = Ledger(store)
    other.closed(launch, "empty")
    following = other.take_slot(ROUTE)
    ledger.closed(launch, "empty")
    assert [one.run for one, _ in ledger.held_slots(ROUTE)] == [following and following.run]


def test_who_remembers_how_a_run_was_announced_leaves_it_announced_where_it_was_reopened(
    store: CountingStore, ledger: Ledger
) -> None:
    ledger.open(LAUNCH, ROUTE)
    other = Ledger(store)
    other.closed(LAUNCH, "failed")
    reopened = other.reopen(LAUNCH.run, ROUTE)
    with pytest.raises(Fenced):
        ledger.closed(LAUNCH, "failed")
    assert [launch for launch, _ in ledger.announced()] == [reopened]


def test_a_record_that_another_process_has_changed_since_is_read_again(
    store: CountingStore, ledger: Ledger
) -> None:
    ledger.open(LAUNCH, ROUTE)
    ledger.fenced(LAUNCH)
    assert Ledger(store).cancel(LAUNCH.run) is not None
    assert ledger.gathered(LAUNCH, 2).cancel is True


def test_a_launch_that_was_overtaken_after_its_reading_changes_nothing(
    store: CountingStore, ledger: Ledger
) -> None:
    ledger.open(LAUNCH, ROUTE)
    ledger.fenced(LAUNCH)
    newer = LAUNCH.but(launch=LAUNCH.launch + 1)
    Ledger(store).open(newer, ROUTE)
    with pytest.raises(Fenced):
        ledger.gathered(LAUNCH, 2)
    run = ledger.run(LAUNCH.run)
    assert run is not None
    assert (run.stage, run.launch) == ("gathering", newer.launch)


def test_a_launch_is_not_turned_away_by_what_was_read_before_its_time(
    store: CountingStore, ledger: Ledger
) -> None:
    ledger.open(LAUNCH, ROUTE)
    ledger.fenced(LAUNCH)
    newer = LAUNCH.but(launch=LAUNCH.launch + 1)
    Ledger(store).open(newer, ROUTE)
    assert ledger.gathered(newer, 2).launch == newer.launch


def test_only_a_reading_of_now_says_that_a_launch_is_still_in_front(
    store: CountingStore, ledger: Ledger
) -> None:
    ledger.open(LAUNCH, ROUTE)
    ledger.fenced(LAUNCH)
    Ledger(store).open(LAUNCH.but(launch=LAUNCH.launch + 1), ROUTE)
    with pytest.raises(Fenced):
        ledger.fenced(LAUNCH)


def test_words_are_read_once_and_what_is_long_every_time(store: CountingStore, ledger: Ledger) -> None:
    ledger.open(LAUNCH, ROUTE)
    ledger.resulted(LAUNCH, ledger.fenced(LAUNCH), [word()])
    run, before = ledger.fenced(LAUNCH), store.reads
    assert ledger.results(run) == ledger.results(run) == [word()]
    assert store.reads == before
    other = Launch(run="long", launch=1, route="r")
    ledger.open(other, ROUTE)
    ledger.resulted(other, ledger.fenced(other), [word(number) for number in range(LINES_KEPT + 1)])
    run, before = ledger.fenced(other), store.reads
    assert len(ledger.results(run)) == LINES_KEPT + 1
    assert store.reads == before + 1


def test_what_was_written_long_ago_may_have_been_forgotten_and_written_anew(store: CountingStore) -> None:
    clock = Clock()
    ledger = Ledger(store, clock)
    ledger.open(LAUNCH, ROUTE)
    ledger.seal(LAUNCH.run, [version()])
    store.blobs.clear()
    clock.sleep(seconds=KEPT_FOR.total_seconds())
    Ledger(store, clock).seal(LAUNCH.run, [version("in/other.csv")])
    assert [one.blob for one in ledger.sealed(LAUNCH.run)] == ["in/other.csv"]


def test_what_another_process_wrote_first_stands(store: CountingStore, ledger: Ledger) -> None:
    first = Verdict(version="v0", blob="b", word="rejected")
    ledger.open(LAUNCH, ROUTE)
    Ledger(store).resulted(LAUNCH, Ledger(store).fenced(LAUNCH), [first])
    assert ledger.resulted(LAUNCH, ledger.fenced(LAUNCH), [word()]) == [first]


def test_memory_is_bounded(ledger: Ledger) -> None:
    for number in range(max(KEYS_KEPT, RUNS_SEEN) + 1):
        launch = Launch(run=f"R{number}", launch=1, route="r")
        ledger.open(launch, ROUTE)
        ledger.fenced(launch)
        ledger.seal(launch.run, [])
    assert len(ledger.kept_lines.values) <= KEYS_KEPT
    assert len(ledger.seen_runs.values) <= RUNS_SEEN

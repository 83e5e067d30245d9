"""What the ledger remembers saves calls, and never decides: what it writes is written over what still stood."""

import pytest

from shared.errors import Fenced
from shared.ledger import Ledger
from shared.ledger_base import KEPT_FOR, KEYS_KEPT, LINES_KEPT
from shared.ledger_stages import RUNS_SEEN
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
    ledger.resulted(LAUNCH, [word()])
    run, before = ledger.fenced(LAUNCH), store.reads
    assert ledger.results(run) == ledger.results(run) == [word()]
    assert store.reads == before
    other = Launch(run="long", launch=1, route="r")
    ledger.open(other, ROUTE)
    ledger.resulted(other, [word(number) for number in range(LINES_KEPT + 1)])
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
    Ledger(store).resulted(LAUNCH, [first])
    assert ledger.resulted(LAUNCH, [word()]) == [first]


def test_memory_is_bounded(ledger: Ledger) -> None:
    for number in range(max(KEYS_KEPT, RUNS_SEEN) + 1):
        launch = Launch(run=f"R{number}", launch=1, route="r")
        ledger.open(launch, ROUTE)
        ledger.fenced(launch)
        ledger.seal(launch.run, [])
    assert len(ledger.kept_lines) <= KEYS_KEPT
    assert len(ledger.seen_runs) <= RUNS_SEEN

"""Versions in the ledger: they arrive, wait, and are claimed by one run."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.ledger import Ledger
from shared.ledger_keys import marker_key, version_path
from shared.records import Version
from shared.store import Store
from tests.shared.ledgers import Clock, arrived, claimed, closed_run, keys, version, word
from tests.shared.memory_store import MemoryStore, OutrunStore


def test_a_version_that_arrives_twice_waits_once(ledger: Ledger, store: Store) -> None:
    assert ledger.arrive(version())
    assert not ledger.arrive(version())
    assert keys(store, "waiting/") == [f"waiting/r/{version().key}.1"]
    assert ledger.waiting("r") == [version()]


def test_a_version_that_a_run_has_claimed_does_not_wait_again(ledger: Ledger) -> None:
    claimed(ledger)
    assert not ledger.arrive(version())
    assert ledger.waiting("r") == []


def test_an_overwritten_file_waits_as_another_version(ledger: Ledger) -> None:
    claimed(ledger)
    assert ledger.arrive(version(etag="0x2"))


def test_a_released_version_waits_in_its_new_round(ledger: Ledger, store: Store) -> None:
    released = version().but(n=2)
    store.create(version_path(released), released.to_dict())
    assert ledger.arrive(version())
    assert ledger.waiting("r") == [released]


HOSTILE = [
    "in/ spaces  and\ttabs\n.csv",
    "in/日本/Zürich \U0001f600.csv",
    "in/100%25.csv?a=b#c&d",
    "in/../../etc/passwd",
    "in/\"quotes\" 'and' `ticks`.csv",
    "in/back\\slash.csv",
    "/leading and trailing/",
    "in/" + "x" * 1000,
]


@pytest.mark.parametrize("blob", HOSTILE)
def test_a_marker_says_everything_about_a_file_of_any_name(ledger: Ledger, blob: str) -> None:
    (marked,) = arrived(ledger, version(blob))
    assert marked == version(blob)
    assert ledger.claim("R1", marked) == version(blob).but(run="R1")
    assert ledger.version(version(blob)) == version(blob).but(run="R1")


def test_a_marker_holds_the_longest_name_of_any_script() -> None:
    ledger = Ledger(MemoryStore())
    assert arrived(ledger, version("日" * 1000)) == [version("日" * 1000)]


def test_what_waits_is_listed_by_route(ledger: Ledger) -> None:
    arrived(ledger, version("a"), version("b", route="r2"), version("c", route="r-2"))
    assert [[one.blob for one in ledger.waiting(name)] for name in ("r", "r2", "r-2", "s")] == [
        ["a"],
        ["b"],
        ["c"],
        [],
    ]


def test_what_waits_is_listed_oldest_first_and_up_to_a_time() -> None:
    clock = Clock()
    ledger = Ledger(MemoryStore(clock), clock)
    until = []
    for blob in ("c", "a", "b"):
        ledger.arrive(version(blob).but(modified=ledger.now()))
        until.append(ledger.now())
        clock.sleep(seconds=1)
    assert [one.blob for one in ledger.waiting("r")] == ["c", "a", "b"]
    assert [[one.blob for one in ledger.waiting("r", at)] for at in until] == [
        ["c"],
        ["c", "a"],
        ["c", "a", "b"],
    ]


def test_waiting_and_recorded_versions_are_known(ledger: Ledger) -> None:
    first, second, third = version("a"), version("b"), version("c")
    arrived(ledger, first, second)
    ledger.claim("R1", first)
    ledger.forget_markers([first])
    assert ledger.known_versions() == {first.key}
    assert ledger.marked_versions() == {("r", second.key)}
    assert third.key not in ledger.known_versions()


def test_a_claim_is_the_runs_for_good(ledger: Ledger) -> None:
    (marked,) = arrived(ledger)
    mine = ledger.claim("R1", marked)
    assert mine == version().but(run="R1")
    assert ledger.claim("R1", marked) == mine
    assert ledger.claim("R2", marked) is None
    assert ledger.version(version()) == mine


def test_of_many_runs_one_claims_a_version(ledger: Ledger) -> None:
    (marked,) = arrived(ledger)
    runs = [f"R{number}" for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        claims = list(pool.map(lambda run: ledger.claim(run, marked), runs))
    (won,) = [claim for claim in claims if claim]
    assert ledger.version(version()) == won


def test_of_many_runs_one_claims_a_released_version(ledger: Ledger, store: Store) -> None:
    released = version().but(n=2)
    store.create(version_path(released), released.to_dict())
    with ThreadPoolExecutor(8) as pool:
        claims = list(pool.map(lambda run: ledger.claim(run, released), [f"R{n}" for n in range(8)]))
    assert len([claim for claim in claims if claim]) == 1


def test_a_run_that_is_outrun_at_a_released_version_leaves_it() -> None:
    store = OutrunStore()
    ledger, released = Ledger(store), version().but(n=2)
    store.create(version_path(released), released.to_dict())
    store.meanwhile = lambda: ledger.claim("R2", released)
    assert ledger.claim("R1", released) is None
    assert ledger.version(released) == released.but(run="R2")


@pytest.mark.parametrize(
    ("recorded", "marked", "won", "marker_stays"),
    [
        (version().but(n=1, run="R1"), 1, False, True),
        (version().but(n=2, run="R1"), 1, False, False),
        (version().but(n=2), 1, False, False),
        (version().but(n=1), 1, True, True),
        (version().but(n=2), 2, True, True),
        (version().but(n=1, run="R1"), 2, False, True),
    ],
    ids=[
        "claimed",
        "claimed in a later round",
        "released since",
        "waiting",
        "waiting again",
        "being released",
    ],
)
def test_a_stale_marker_is_removed_and_a_fresh_one_obeyed(
    ledger: Ledger, store: Store, recorded: Version, marked: int, won: bool, marker_stays: bool
) -> None:
    store.create(version_path(version()), recorded.to_dict())
    marker = version().but(n=marked)
    store.create(marker_key(marker), {})
    assert (ledger.claim("R9", marker) is not None) is won
    assert (keys(store, "waiting/") == [marker_key(marker)]) is marker_stays


def test_the_marker_of_a_version_whose_run_has_closed_with_its_word_is_removed(
    ledger: Ledger, store: Store
) -> None:
    mine = ledger.claim("R1", version())
    assert mine is not None
    closed_run(ledger, "R1", word(mine, "published"))
    store.create(marker_key(mine), {})
    assert ledger.claim("R9", version()) is None
    assert keys(store, "waiting/") == []


def test_a_version_that_was_claimed_after_its_run_had_closed_is_claimed_in_the_next_round(
    ledger: Ledger,
) -> None:
    (marked,) = arrived(ledger)
    closed_run(ledger, "R1")
    ledger.claim("R1", marked)
    assert ledger.claim("R2", marked) == version().but(run="R2", n=2) == ledger.version(version())


def test_a_version_that_two_closed_runs_have_claimed_too_late_is_claimed_all_the_same(ledger: Ledger) -> None:
    (marked,) = arrived(ledger)
    for run in ("R1", "R2"):
        closed_run(ledger, run)
        assert ledger.claim(run, marked)
    mine = ledger.claim("R3", marked)
    assert mine is not None
    assert (mine.run, mine.n) == ("R3", 3)
    closed_run(ledger, "R3", word(mine, "published"))
    assert ledger.claim("R4", marked) is None
    assert ledger.waiting("r") == []


def test_a_version_whose_closed_run_has_a_word_for_it_is_not_claimed(ledger: Ledger, store: Store) -> None:
    (marked,) = arrived(ledger)
    ledger.claim("R1", marked)
    closed_run(ledger, "R1", word(marked, "failed"))
    assert ledger.claim("R2", marked) is None
    assert keys(store, "waiting/") == []


def test_the_markers_of_many_are_forgotten_side_by_side_whether_they_are_there_or_not(
    store: Store, clock: Clock
) -> None:
    with ThreadPoolExecutor(8) as pool:
        ledger = Ledger(store, clock, lambda work, items: list(pool.map(work, items)))
        marked = arrived(ledger, *[version(f"in/{number}.csv") for number in range(40)])
        ledger.forget_markers([*marked[1:], version("in/never.csv")])
    assert keys(store, "waiting/") == [marker_key(marked[0])]

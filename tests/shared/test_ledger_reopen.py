"""Closed runs that are taken up again: the raw predictions are unpacked once more, under the next launch."""

import pytest

from shared.errors import Fenced
from shared.ledger import Ledger
from shared.records import Launch
from shared.store import Store
from tests.shared.ledgers import (
    LAUNCH,
    ROUTE,
    SEEN,
    Clock,
    brought_to,
    claimed,
    closed_run,
    keys,
    second_attempt,
    version,
)
from tests.shared.memory_store import OutrunStore


def test_a_run_is_taken_up_under_its_next_launch_without_a_slot(ledger: Ledger) -> None:
    taken = ledger.take_slot(ROUTE)
    assert taken is not None
    brought_to("closed", ledger, taken)
    reopened = ledger.reopen(taken.run, ROUTE)
    assert reopened == taken.but(launch=2, slot=None, first=2)
    assert [launch for launch, _ in ledger.unfinished([ROUTE])] == [reopened]
    assert ledger.take_slot(ROUTE) is not None


@pytest.mark.parametrize("known", [True, False], ids=["open", "unknown"])
def test_only_a_closed_run_is_reopened(ledger: Ledger, known: bool) -> None:
    if known:
        ledger.open(LAUNCH, ROUTE)
    before = ledger.run("R1")
    assert ledger.reopen("R1", ROUTE) is None
    assert ledger.run("R1") == before


def test_a_reopened_run_unpacks_again_with_nothing_of_its_end(ledger: Ledger, clock: Clock) -> None:
    ledger.raw_found(LAUNCH, brought_to("ended", ledger), "0x1")
    ledger.failed(LAUNCH, "unpack", "the job returned 1 of 2 rows")
    ledger.cancel("R1")
    ledger.resulted(LAUNCH, ledger.fenced(LAUNCH), [])
    closed = ledger.closed(LAUNCH, "failed")
    clock.sleep(hours=1)
    ledger.reopen("R1", ROUTE)
    assert ledger.run("R1") == closed.but(
        launch=2,
        slot=None,
        stage="ended",
        attempts=2,
        reopened_at=ledger.now(),
        first_launch=2,
        result=None,
        cancel=False,
        progress_at=ledger.now(),
        **dict.fromkeys(("why", "failed_stage", "outcome", "closed_at", "raw_etag"), ""),
    )


def test_a_reopened_run_reads_as_the_route_says_today_and_keeps_the_rest(ledger: Ledger) -> None:
    closed_run(ledger, "R1")
    ledger.reopen("R1", ROUTE.but(match="file", predictions=("low", "high"), model="https://other/jobs"))
    run = ledger.run("R1")
    assert run is not None
    assert (run.route["match"], run.route["predictions"]) == ("file", ["low", "high"])
    assert run.route["model"] == ROUTE.model


def test_a_reopened_run_writes_a_result_of_its_own(ledger: Ledger, store: Store) -> None:
    closed_run(ledger, "R1")
    reopened = ledger.reopen("R1", ROUTE)
    assert reopened is not None
    ledger.resulted(reopened, ledger.fenced(reopened), [])
    assert keys(store, "runs/R1/result-") == ["runs/R1/result-1.jsonl", "runs/R1/result-2.jsonl"]


def test_the_closed_launch_of_a_reopened_run_is_fenced(ledger: Ledger) -> None:
    closed_run(ledger, "R1")
    ledger.reopen("R1", ROUTE)
    with pytest.raises(Fenced):
        ledger.fenced(LAUNCH)


def test_of_two_who_reopen_a_run_one_does() -> None:
    store = OutrunStore()
    ledger = Ledger(store, Clock())
    closed_run(ledger, "R1")
    won: list[Launch | None] = []
    store.meanwhile = lambda: won.append(ledger.reopen("R1", ROUTE))
    lost = ledger.reopen("R1", ROUTE)
    assert lost is None
    assert won == [LAUNCH.but(launch=2, slot=None, first=2)]


def test_reopening_leaves_versions_that_are_another_runs_alone(ledger: Ledger) -> None:
    ledger.bring_plan("R1", [version()])
    claimed(ledger, "R2")
    closed_run(ledger, "R1")
    ledger.reopen("R1", ROUTE)
    assert ledger.version(version()) == version().but(run="R2")


def test_the_tries_of_a_reopened_run_are_counted_anew(ledger: Ledger) -> None:
    for launch in (LAUNCH, LAUNCH.but(launch=2), LAUNCH.but(launch=3)):
        ledger.open(launch, ROUTE)
    ledger.closed(LAUNCH.but(launch=3), "failed")
    ledger.reopen("R1", ROUTE)
    [(launch, _)] = ledger.unfinished([ROUTE])
    assert (launch.launch, launch.tries) == (4, 1)
    ledger.open(launch.but(launch=5), ROUTE)
    [(launch, _)] = ledger.unfinished([ROUTE])
    assert (launch.launch, launch.tries) == (5, 2)


def test_a_slow_step_of_an_earlier_attempt_asks_for_no_further_one(ledger: Ledger) -> None:
    second_attempt(ledger)
    ledger.resulted(LAUNCH, ledger.fenced(LAUNCH), [])
    ledger.closed(LAUNCH, "failed")
    launch = ledger.reopen("R1", ROUTE)
    assert launch is not None
    before = ledger.fenced(launch)
    assert ledger.try_alone(launch, SEEN) == before


def test_what_is_still_incomplete_gets_one_attempt_more(ledger: Ledger) -> None:
    second_attempt(ledger)
    ledger.resulted(LAUNCH, ledger.fenced(LAUNCH), [])
    ledger.closed(LAUNCH, "failed")
    launch = ledger.reopen("R1", ROUTE)
    assert launch is not None
    third = ledger.try_alone(launch, ledger.fenced(launch))
    assert (third.stage, third.attempt) == ("gathered", 3)

"""The index of closed runs: newest first, page by page, what a list shows, and no run twice."""

import pytest

from shared.ledger import Ledger
from shared.names import run_of_idempotency_key
from shared.records import Run
from shared.store import Store
from tests.shared.ledgers import LAUNCH, ROUTE, Clock, arrived, brought_to, closed_run, ended, keys, word


def closed(ledger: Ledger, size: int = 100, after: str = "") -> list[str]:
    return [run.run for run in ledger.closed_runs(size, after)[0]]


def test_the_run_that_was_begun_last_comes_first_whatever_its_name(ledger: Ledger, clock: Clock) -> None:
    names = [run_of_idempotency_key(str(number)) for number in range(5)]
    for name in names:
        closed_run(ledger, name)
        clock.sleep(minutes=1)
    assert closed(ledger) == names[::-1]


def test_pages_follow_each_other_and_end(ledger: Ledger, clock: Clock) -> None:
    for number in range(5):
        closed_run(ledger, f"R{number}")
        clock.sleep(minutes=1)
    found, after = [], "the beginning"
    while after:
        page, after = ledger.closed_runs(2, "" if after == "the beginning" else after)
        assert len(page) <= 2
        found += [run.run for run in page]
    assert found == ["R4", "R3", "R2", "R1", "R0"]


def test_a_listing_is_enough_to_show_a_run(ledger: Ledger) -> None:
    brought_to("submitted", ledger)
    ended(ledger, LAUNCH, "failed", "the script raised KeyError: „Größe“")
    [version] = arrived(ledger)
    ledger.resulted(LAUNCH, ledger.fenced(LAUNCH), [word(version, "failed")])
    record = ledger.closed(LAUNCH, "failed")
    [shown], following = ledger.closed_runs(10)
    assert following == ""
    assert (shown.run, shown.stage, shown.outcome, shown.why) == ("R1", "closed", "failed", record.why)
    assert (shown.created_at, shown.closed_at) == (record.created_at, record.closed_at)
    assert (shown.files, shown.rows, shown.words) == (1, 10, {"failed": 1})
    assert shown.route == {"name": "r"}


def test_a_reason_of_any_length_fits(ledger: Ledger) -> None:
    brought_to("submitted", ledger)
    ended(ledger, LAUNCH, "failed", "日" * 10_000)
    ledger.closed(LAUNCH, "failed")
    [shown], _ = ledger.closed_runs(10)
    assert shown.why == "日" * 300


def test_a_run_that_was_reopened_is_there_once_and_with_its_last_outcome(
    ledger: Ledger, clock: Clock
) -> None:
    closed_run(ledger, "R1")
    reopened = ledger.reopen("R1", ROUTE)
    assert reopened is not None
    clock.sleep(minutes=1)
    ledger.closed(reopened, "partial")
    [shown], _ = ledger.closed_runs(10)
    assert (shown.outcome, shown.closed_at) == ("partial", ledger.now())


def test_a_run_whose_closing_was_broken_off_comes_into_the_index(ledger: Ledger, clock: Clock) -> None:
    brought_to("resulted", ledger)
    ledger.change(LAUNCH, lambda run: run.but(stage="closed", outcome="empty", closed_at=ledger.now()))
    assert closed(ledger) == []
    clock.sleep(hours=1)
    ledger.unfinished([ROUTE])
    assert closed(ledger) == ["R1"]


def test_a_run_that_is_forgotten_leaves_the_index(ledger: Ledger, store: Store, clock: Clock) -> None:
    closed_run(ledger, "R1")
    assert ledger.forget_run("R1")
    assert keys(store, "closed/") == []


@pytest.mark.parametrize("stage", ["gathered", "packed", "submitted", "ended", "resulted", "closed"])
def test_each_stage_has_its_time(ledger: Ledger, clock: Clock, stage: str) -> None:
    run: Run = brought_to(stage, ledger)
    assert run.times[f"1.{stage}"] == ledger.now()

"""Runs that a person wants stopped: noted whatever the launch, obeyed before anything is spent."""

import pytest

from shared.ledger import Ledger
from shared.ledger_stages import CANCELABLE
from tests.shared.ledgers import (
    LAUNCH,
    RELAUNCH,
    ROUTE,
    STAGES,
    Clock,
    brought_to,
    ended,
    second_attempt,
    submitting,
)
from tests.shared.memory_store import OutrunStore

UNSPENT = ("gathering", "gathered", "packed")


@pytest.mark.parametrize("stage", STAGES)
def test_a_run_is_canceled_until_its_job_has_ended(ledger: Ledger, stage: str) -> None:
    before = brought_to(stage, ledger)
    wanted = before.but(cancel=stage in CANCELABLE)
    assert ledger.cancel("R1") == wanted == ledger.run("R1")


def test_an_unknown_run_is_not_canceled(ledger: Ledger) -> None:
    assert ledger.cancel("R1") is None


def test_whoever_cancels_needs_no_launch(ledger: Ledger) -> None:
    ledger.open(LAUNCH, ROUTE)
    ledger.open(RELAUNCH, ROUTE)
    ledger.cancel("R1")
    assert ledger.fenced(RELAUNCH).cancel


def test_a_cancel_is_no_sign_of_life(ledger: Ledger, clock: Clock) -> None:
    opened = ledger.open(LAUNCH, ROUTE)
    clock.sleep(minutes=5)
    ledger.cancel("R1")
    assert ledger.fenced(LAUNCH).progress_at == opened.progress_at


def test_a_cancel_that_is_outrun_is_made_on_top_of_the_other() -> None:
    store = OutrunStore()
    ledger = Ledger(store, Clock())
    ledger.open(LAUNCH, ROUTE)
    store.meanwhile = lambda: ledger.gathered(LAUNCH, 3)
    ledger.cancel("R1")
    run = ledger.fenced(LAUNCH)
    assert (run.stage, run.cancel) == ("gathered", True)


def test_a_cancel_that_is_outrun_by_the_end_of_the_job_comes_too_late() -> None:
    store = OutrunStore()
    ledger = Ledger(store, Clock())
    brought_to("submitted", ledger)
    store.meanwhile = lambda: ended(ledger, LAUNCH)
    ledger.cancel("R1")
    run = ledger.fenced(LAUNCH)
    assert (run.stage, run.cancel) == ("ended", False)


def test_a_run_that_is_to_be_canceled_may_not_post(ledger: Ledger) -> None:
    brought_to("packed", ledger)
    ledger.cancel("R1")
    run = submitting(ledger, LAUNCH)
    assert (run.stage, run.nonce, run.path) == ("packed", "", "")


@pytest.mark.parametrize("stage", UNSPENT)
def test_a_run_that_was_canceled_before_it_had_a_job_ends_so(ledger: Ledger, stage: str) -> None:
    brought_to(stage, ledger)
    ledger.cancel("R1")
    run = ledger.canceled(LAUNCH)
    assert (run.stage, run.job_outcome, run.failed_stage) == (stage, "canceled", "cancel")
    assert run.why == "the run was canceled on request"


@pytest.mark.parametrize("stage", [stage for stage in CANCELABLE if stage not in UNSPENT])
def test_a_run_that_may_have_a_job_ends_with_it(ledger: Ledger, stage: str) -> None:
    brought_to(stage, ledger)
    wanted = ledger.cancel("R1")
    assert ledger.canceled(LAUNCH) == wanted


def test_a_run_that_was_turned_away_gives_its_files_back_although_it_is_canceled(ledger: Ledger) -> None:
    brought_to("packed", ledger)
    ledger.turned_away(LAUNCH, "403")
    wanted = ledger.cancel("R1")
    assert ledger.canceled(LAUNCH) == wanted


def test_a_run_that_nobody_canceled_does_not_end_so(ledger: Ledger) -> None:
    before = brought_to("packed", ledger)
    assert ledger.canceled(LAUNCH) == before


def test_a_second_attempt_may_be_canceled_too(ledger: Ledger) -> None:
    second_attempt(ledger)
    ledger.cancel("R1")
    assert ledger.canceled(LAUNCH).job_outcome == "canceled"

"""Jobs in the ledger: one right to POST, one job per attempt, one second attempt, each step once."""

from collections.abc import Callable

import pytest

from shared.ledger import Ledger
from shared.records import Run
from tests.shared.ledgers import (
    LAUNCH,
    SEEN,
    Clock,
    brought_to,
    ended,
    second_attempt,
    submitted,
    submitting,
)


def test_only_one_execution_has_the_right_to_post(ledger: Ledger) -> None:
    first = brought_to("submitting", ledger)
    assert (first.nonce, first.path, first.intent_at) == ("first", "of first", ledger.now())
    assert submitting(ledger, LAUNCH, "second") == first


def test_the_intent_says_where_the_raw_predictions_go(ledger: Ledger) -> None:
    brought_to("packed", ledger)
    intent = ledger.submitting(LAUNCH, path="p", nonce="n", raw_account="acc", raw_url="https://acc/c")
    assert (intent.raw_account, intent.raw_url) == ("acc", "https://acc/c")


def test_after_a_sure_refusal_the_run_may_post_again(ledger: Ledger) -> None:
    again = ledger.not_submitted(LAUNCH, brought_to("searching", ledger), post=2)
    assert (again.stage, again.post, again.nonce) == ("packed", 2, "")
    assert submitting(ledger, LAUNCH, "second").nonce == "second"


def test_a_slow_refusal_says_nothing_of_the_next_intent(ledger: Ledger) -> None:
    first = brought_to("submitting", ledger)
    ledger.not_submitted(LAUNCH, first, post=1)
    second = submitting(ledger, LAUNCH, "second")
    assert ledger.not_submitted(LAUNCH, first, post=1) == second


@pytest.mark.parametrize("stage", ["submitted", "ended"])
def test_a_run_that_has_its_job_cannot_lose_it(ledger: Ledger, stage: str) -> None:
    before = brought_to(stage, ledger)
    assert ledger.not_submitted(LAUNCH, before, post=2) == before


def test_the_first_job_stands(ledger: Ledger) -> None:
    first = brought_to("submitted", ledger)
    assert (first.job, first.job_id, first.deployment) == ("job-1", "/job-1", "blue")
    assert submitted(ledger, LAUNCH, "job-2") == first
    assert ledger.searching(LAUNCH) == first


def test_a_late_answer_to_the_first_attempt_is_no_job_of_the_second(ledger: Ledger) -> None:
    second_attempt(ledger)
    ledger.packed(LAUNCH, attempt=2, rows=4, parts=1)
    intent = submitting(ledger, LAUNCH, "second")
    assert submitted(ledger, LAUNCH, "late") == intent
    assert submitted(ledger, LAUNCH, "job-2", seen=intent).job == "job-2"


def test_the_first_end_of_the_job_stands(ledger: Ledger) -> None:
    brought_to("submitted", ledger)
    first = ended(ledger, LAUNCH, "failed", "out of memory")
    assert (first.job_outcome, first.why, first.failed_stage) == ("failed", "out of memory", "await")
    assert first.studio == "https://studio"
    assert ended(ledger, LAUNCH, "completed") == first


def test_a_completed_job_failed_at_no_stage(ledger: Ledger) -> None:
    completed = brought_to("ended", ledger)
    assert (completed.why, completed.failed_stage) == ("", "")


def test_the_end_of_another_job_is_not_the_runs(ledger: Ledger) -> None:
    before = brought_to("submitted", ledger)
    assert ended(ledger, LAUNCH, "failed", seen=SEEN.but(job="job-0")) == before


def test_a_run_whose_job_was_preempted_may_submit_another(ledger: Ledger) -> None:
    run = brought_to("submitted", ledger)
    again = ledger.preempted(LAUNCH, run)
    assert (again.stage, again.post, again.job, again.nonce) == ("packed", 2, "", "")
    assert again.earlier_jobs == ["job-1"]
    assert submitting(ledger, LAUNCH, "second").nonce == "second"


def test_a_job_is_preempted_once(ledger: Ledger) -> None:
    run = brought_to("submitted", ledger)
    again = ledger.preempted(LAUNCH, run)
    assert ledger.preempted(LAUNCH, run) == again
    submitting(ledger, LAUNCH, "second")
    other = submitted(ledger, LAUNCH, "job-2")
    assert ledger.preempted(LAUNCH, run) == other


def test_a_second_attempt_begins_with_nothing_of_the_first_job(ledger: Ledger, clock: Clock) -> None:
    brought_to("submitted", ledger)
    ledger.stopping(LAUNCH, "timed-out")
    ended(ledger, LAUNCH, "failed", "out of memory")
    before = ledger.raw_found(LAUNCH, ledger.fenced(LAUNCH), "0x1")
    clock.sleep(minutes=1)
    assert ledger.try_alone(LAUNCH, before) == before.but(
        stage="gathered",
        attempt=2,
        earlier_jobs=["job-1"],
        progress_at=ledger.now(),
        times={**before.times, "2.gathered": ledger.now()},
        **dict.fromkeys(("path", "nonce", "job", "raw_etag", "stopping", "job_outcome"), ""),
        **dict.fromkeys(("why", "failed_stage"), ""),
    )


def test_a_second_attempt_counts_its_posts_anew(ledger: Ledger) -> None:
    ledger.not_submitted(LAUNCH, brought_to("searching", ledger), post=2)
    submitting(ledger, LAUNCH, "second")
    submitted(ledger, LAUNCH)
    assert ended(ledger, LAUNCH).post == 2
    assert ledger.try_alone(LAUNCH, ledger.fenced(LAUNCH)).post == 1


@pytest.mark.parametrize("stage", ["gathered", "packed", "submitting", "searching", "submitted", "resulted"])
def test_only_a_job_that_has_ended_is_tried_again(ledger: Ledger, stage: str) -> None:
    before = brought_to(stage, ledger)
    assert ledger.try_alone(LAUNCH, before) == before


def in_second_attempt(ledger: Ledger, stage: str) -> Run:
    """The second attempt, brought on to a stage."""
    run = second_attempt(ledger)
    steps: dict[str, Callable[[], Run]] = {
        "gathered": lambda: run,
        "packed": lambda: ledger.packed(LAUNCH, attempt=2, rows=4, parts=1),
        "submitting": lambda: submitting(ledger, LAUNCH, "second"),
        "submitted": lambda: submitted(ledger, LAUNCH, "job-2", seen=ledger.fenced(LAUNCH)),
        "ended": lambda: ended(ledger, LAUNCH, "failed", seen=ledger.fenced(LAUNCH)),
    }
    for passed, step in steps.items():
        run = step()
        if passed == stage:
            break
    return run


@pytest.mark.parametrize("stage", ["gathered", "ended"])
def test_there_is_no_third_attempt(ledger: Ledger, stage: str) -> None:
    run = in_second_attempt(ledger, stage)
    assert run.stage == stage
    for seen in (run, SEEN):
        assert ledger.try_alone(LAUNCH, seen) == run


def test_a_second_attempt_has_a_job_of_its_own(ledger: Ledger) -> None:
    run = in_second_attempt(ledger, "ended")
    assert (run.attempt, run.job, run.job_outcome, run.earlier_jobs) == (2, "job-2", "failed", ["job-1"])

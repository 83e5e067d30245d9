"""Whole runs on a virtual clock: which steps are taken, in which order, and what a failure leads to."""

from typing import Any

import pytest

from orchestrators.score_run import score_run
from shared.errors import Fenced
from tests.durable import FakeContext, OrchestratorFailed, World, run
from tests.orchestrators.scripts import (
    CLOSING,
    LAUNCH,
    SEARCHING,
    SUBMITTED,
    answers,
    elapsed,
    gathered,
    job,
    names,
    scripted,
    step,
)

LEAD = ["authenticate", "gather", "pack"]


def scored(world: World) -> Any:
    return run(score_run, FakeContext(world, LAUNCH, "R-1"))


def test_a_run_goes_from_authenticate_to_close() -> None:
    world = scripted()
    assert scored(world) == {"run": "R", "outcome": "succeeded"}
    assert names(world) == [*LEAD, "submit_job", *["read_job"] * 3, "unpack", *CLOSING]


def test_every_activity_of_a_run_is_given_its_launch_and_nothing_else() -> None:
    world = scripted()
    scored(world)
    assert all(call.input == LAUNCH for call in world.calls)


def test_the_custom_status_names_the_stage_and_the_job_status() -> None:
    world = scripted(read_job=answers(job("running", status="Preparing"), job("completed")))
    scored(world)
    assert [status["stage"] for status in world.statuses] == [
        *("authenticate", "gather", "pack", "submit", "await", "await", "unpack", "close", "close", "close"),
    ]
    assert world.statuses[4] == {"stage": "await", "job_status": "Preparing"}


@pytest.mark.parametrize(
    ("changed", "taken"),
    [
        ({"authenticate": answers(False)}, ["authenticate"]),
        ({"gather": answers(gathered(files=0))}, ["authenticate", "gather"]),
        ({"pack": answers({"parts": 0})}, LEAD),
        ({"submit_job": answers(step("failed"))}, [*LEAD, "submit_job"]),
        ({"read_job": answers(job("failed"))}, [*LEAD, "submit_job", "read_job"]),
        ({"read_job": answers(job("canceled"))}, [*LEAD, "submit_job", "read_job"]),
    ],
    ids=[
        "identity refused",
        "nothing gathered",
        "all rejected",
        "refused submit",
        "job failed",
        "job canceled",
    ],
)
def test_a_run_that_ends_early_is_closed_all_the_same(changed: dict[str, Any], taken: list[str]) -> None:
    world = scripted(**changed)
    scored(world)
    assert names(world) == [*taken, *CLOSING]


def test_a_throttled_submission_waits_exactly_as_it_is_asked_to() -> None:
    world = scripted(submit_job=answers(step("again", wait=37), step("again", wait=4.5), SUBMITTED))
    scored(world)
    assert elapsed(world, "submit_job") == [0, 37, 41.5]


def test_after_a_lost_answer_the_job_is_searched_for_and_adopted() -> None:
    world = scripted(submit_job=answers(SEARCHING), find_job=answers(step("searching", wait=10), SUBMITTED))
    scored(world)
    assert names(world)[3:6] == ["submit_job", "find_job", "find_job"]
    assert elapsed(world, "find_job") == [0, 10]
    assert names(world)[-4:] == ["unpack", *CLOSING]


def test_after_a_vain_search_the_job_is_submitted_once_more() -> None:
    world = scripted(submit_job=answers(SEARCHING, SUBMITTED), find_job=answers(step("again")))
    scored(world)
    assert names(world)[3:6] == ["submit_job", "find_job", "submit_job"]
    assert "unpack" in names(world)


def test_a_search_that_finds_nothing_twice_fails_the_run() -> None:
    world = scripted(submit_job=answers(SEARCHING), find_job=answers(step("again"), step("failed")))
    scored(world)
    assert names(world)[3:] == ["submit_job", "find_job", "submit_job", "find_job", *CLOSING]


def test_a_run_that_is_throttled_past_its_deadline_fails() -> None:
    world = scripted(gather=answers(gathered(deadline=100)), submit_job=answers(step("again", wait=30)))
    scored(world)
    assert names(world)[-4:] == ["fail_run", *CLOSING]
    failure = world.called("fail_run")[0].input
    assert failure["stage"] == "submit"
    assert "deadline" in failure["why"]


def test_no_job_is_submitted_after_the_deadline() -> None:
    world = scripted(
        gather=answers(gathered(deadline=100)), submit_job=answers(step("again", wait=600), SUBMITTED)
    )
    scored(world)
    assert elapsed(world, "submit_job") == [0]


def test_the_deadline_counts_from_the_gathering_not_from_the_submission() -> None:
    world = scripted(
        gather=answers(gathered(deadline=100)),
        submit_job=answers(step("again", wait=90), SUBMITTED),
        read_job=answers(*[job("running")] * 11, job("canceled")),
    )
    scored(world)
    assert 100 <= elapsed(world, "stop_job")[0] <= 102


@pytest.mark.parametrize(
    ("activity", "stage"),
    [
        ("gather", "gather"),
        ("pack", "pack"),
        ("submit_job", "submit"),
    ],
)
def test_an_activity_that_keeps_raising_fails_the_run_at_its_stage(activity: str, stage: str) -> None:
    world = scripted(**{activity: answers(OSError("the disk is full\nline two"))})
    scored(world)
    assert names(world)[-4:] == ["fail_run", *CLOSING]
    failure = world.called("fail_run")[0].input
    assert (failure["launch"], failure["stage"]) == (LAUNCH, stage)
    assert failure["why"] == "OSError: the disk is full"


@pytest.mark.parametrize("activity", ["authenticate", "read_job", "unpack"])
def test_trouble_that_may_strike_a_paid_run_leaves_the_run_open_for_the_sweep(activity: str) -> None:
    world = scripted(**{activity: answers(OSError("no storage"))})
    with pytest.raises(OrchestratorFailed, match="OSError: no storage"):
        scored(world)
    assert names(world)[-1] == activity


def test_a_search_that_keeps_raising_fails_the_run_at_submit() -> None:
    world = scripted(submit_job=answers(SEARCHING), find_job=answers(OSError("no storage")))
    scored(world)
    assert world.called("fail_run")[0].input["stage"] == "submit"


@pytest.mark.parametrize("activity", ["authenticate", "submit_job", "read_job", "unpack", *CLOSING])
def test_passing_trouble_is_tried_again_after_five_seconds(activity: str) -> None:
    good = scripted().activities[activity]
    failures = iter([OSError("busy"), OSError("busy"), OSError("busy")])

    def unsteady(given: Any) -> Any:
        problem = next(failures, None)
        if problem:
            raise problem
        return good(given)

    world = scripted(**{activity: unsteady})
    assert scored(world) == {"run": "R", "outcome": "succeeded"}
    first, second, third, fourth, *_ = elapsed(world, activity)
    assert (second - first, third - second, fourth - third) == (5, 5, 5)


@pytest.mark.parametrize("activity", [*LEAD, "submit_job", "read_job", "unpack"])
def test_a_launch_that_was_overtaken_ends_quietly_and_does_nothing_more(activity: str) -> None:
    world = scripted(**{activity: answers(Fenced("run R belongs to launch 2, not 1"))})
    assert scored(world) == {"run": "R", "outcome": "fenced"}
    assert names(world)[-1] == activity


@pytest.mark.parametrize("activity", ["fail_run", *CLOSING])
def test_a_launch_that_was_overtaken_while_closing_ends_quietly_too(activity: str) -> None:
    fenced = answers(Fenced("run R belongs to launch 2, not 1"))
    world = scripted(**{"pack": answers(OSError("broken")), activity: fenced})
    assert scored(world) == {"run": "R", "outcome": "fenced"}
    assert names(world)[-1] == activity


def test_a_failure_whose_text_merely_mentions_fencing_is_an_ordinary_failure() -> None:
    world = scripted(pack=answers(OSError("others kept writing to diabetes/Fenced: a.csv")))
    assert scored(world)["outcome"] == "succeeded"
    assert "fail_run" in names(world)


@pytest.mark.parametrize("activity", CLOSING)
def test_a_run_whose_closing_fails_is_seen_as_failed(activity: str) -> None:
    world = scripted(**{activity: answers(OSError("no storage"))})
    with pytest.raises(OrchestratorFailed, match=activity):
        scored(world)

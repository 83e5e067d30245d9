"""Submitting on a virtual clock: one job, or the reason why there is none, after exactly the waits it is told."""

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from orchestrators.score_run import PATIENT_ROUNDS, PATIENT_WAIT, score_run
from tests.durable import FakeContext, World, run
from tests.orchestrators.scripts import (
    CLOSING,
    LAUNCH,
    LEAD,
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


def scored(world: World) -> Any:
    return run(score_run, FakeContext(world, LAUNCH, "R-1"))


def submitting(world: World) -> list[str]:
    """The activities between pack and the wait for the job, or the close."""
    steps = ("submit_job", "find_job")
    return [name for name in names(world) if name in steps]


@pytest.mark.parametrize(
    ("kind", "taken", "unpacks"),
    [
        ("submitted", ["submit_job"], True),
        ("failed", ["submit_job"], False),
        ("held", ["submit_job"], False),
        ("searching", ["submit_job", "find_job"], True),
    ],
)
def test_every_answer_of_the_first_submission_leads_on(kind: str, taken: list[str], unpacks: bool) -> None:
    world = scripted(submit_job=answers(step(kind)))
    scored(world)
    assert submitting(world) == taken
    assert ("unpack" in names(world)) is unpacks
    assert names(world)[-3:] == CLOSING


@pytest.mark.parametrize(
    ("kind", "taken", "unpacks"),
    [
        ("submitted", ["submit_job", "find_job"], True),
        ("failed", ["submit_job", "find_job"], False),
        ("held", ["submit_job", "find_job"], False),
        ("again", ["submit_job", "find_job", "submit_job"], True),
    ],
)
def test_every_answer_of_a_search_leads_on(kind: str, taken: list[str], unpacks: bool) -> None:
    world = scripted(submit_job=answers(SEARCHING, SUBMITTED), find_job=answers(step(kind)))
    scored(world)
    assert submitting(world) == taken
    assert ("unpack" in names(world)) is unpacks
    assert names(world)[-3:] == CLOSING


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
    assert names(world) == [*LEAD, "submit_job", "find_job", "submit_job", "find_job", *CLOSING]


def test_a_throttled_run_that_is_given_up_is_closed() -> None:
    world = scripted(submit_job=answers(step("again", wait=30), step("failed")))
    scored(world)
    assert names(world) == [*LEAD, "submit_job", "submit_job", *CLOSING]


def test_the_deadline_counts_from_the_gathering_not_from_the_submission() -> None:
    world = scripted(
        gather=answers(gathered(deadline=100)),
        submit_job=answers(step("again", wait=90), SUBMITTED),
        read_job=answers(*[job("running")] * 11, job("canceled")),
    )
    scored(world)
    assert 100 <= elapsed(world, "stop_job")[0] <= 102


def test_a_run_that_is_throttled_for_long_asks_more_rarely() -> None:
    world = scripted(
        gather=answers(gathered(deadline=1e6)),
        submit_job=answers(*[step("again", wait=30)] * (PATIENT_ROUNDS + 2), SUBMITTED),
    )
    scored(world)
    tries = elapsed(world, "submit_job")
    waits = [timedelta(seconds=later - earlier) for earlier, later in pairwise(tries)]
    assert waits[: PATIENT_ROUNDS - 1] == [timedelta(seconds=30)] * (PATIENT_ROUNDS - 1)
    assert waits[PATIENT_ROUNDS:] == [PATIENT_WAIT] * 2


def test_a_long_search_does_not_lengthen_the_wait_that_the_next_answer_asks_for() -> None:
    searching = [step("searching", wait=10)] * (2 * PATIENT_ROUNDS)
    world = scripted(
        submit_job=answers(SEARCHING, step("again", wait=17), SUBMITTED),
        find_job=answers(*searching, step("again")),
    )
    scored(world)
    _, second, third = elapsed(world, "submit_job")
    assert third - second == 17


def test_a_search_goes_on_past_the_deadline_for_a_job_may_be_paid_for() -> None:
    world = scripted(
        gather=answers(gathered(deadline=15)),
        submit_job=answers(SEARCHING),
        find_job=answers(
            step("searching", wait=10), step("searching", wait=10), step("searching", wait=10), SUBMITTED
        ),
    )
    scored(world)
    assert elapsed(world, "find_job") == [0, 10, 20, 30]
    assert "unpack" in names(world)

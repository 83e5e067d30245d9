"""Whole runs on a virtual clock: which steps are taken, in which order, and what a failure leads to."""

from typing import Any

import pytest

from orchestrators.score_run import score_run
from orchestrators.steps import AT_ONCE
from shared.errors import Fenced
from tests.durable import FakeContext, OrchestratorFailed, World, run
from tests.orchestrators.scripts import (
    CLOSING,
    LAUNCH,
    LEAD,
    SEARCHING,
    SUBMITTED,
    answers,
    completing,
    elapsed,
    gathered,
    in_portions,
    job,
    names,
    packed,
    scripted,
    step,
    unpacked,
)


def scored(world: World) -> Any:
    return run(score_run, FakeContext(world, LAUNCH, "R-1"))


def test_a_run_goes_from_authenticate_to_close() -> None:
    world = scripted()
    assert scored(world) == {"run": "R", "outcome": "succeeded"}
    assert names(world) == [*LEAD, "submit_job", *["read_job"] * 3, "unpack", *CLOSING]


def test_every_activity_of_a_run_is_given_its_launch_and_at_most_its_chunk() -> None:
    world = scripted()
    scored(world)
    for call in world.calls:
        chunked = call.name in ("pack", "unpack", "dispose_inputs")
        assert call.input == ({**LAUNCH, "chunk": 0} if chunked else LAUNCH)


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
        ({"pack": answers(packed(0))}, LEAD),
        ({"submit_job": answers(step("failed"))}, [*LEAD, "submit_job"]),
        ({"submit_job": answers(step("held"))}, [*LEAD, "submit_job"]),
    ],
    ids=["identity refused", "nothing gathered", "all rejected", "refused submit", "turned away"],
)
def test_a_run_that_ends_early_is_closed_all_the_same(changed: dict[str, Any], taken: list[str]) -> None:
    world = scripted(**changed)
    scored(world)
    assert names(world) == [*taken, *CLOSING]


ENDS = ("failed", "canceled", "timed-out", "not-responding")


@pytest.mark.parametrize("parts", [1, 3])
@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("end", ENDS)
def test_only_a_job_that_files_share_is_unpacked_when_it_has_failed(
    end: str, shared: bool, parts: int
) -> None:
    world = scripted(pack=answers(packed(parts, shared=shared)), read_job=answers(job(end)))
    scored(world)
    unpacks = ["unpack"] if end == "failed" and shared else []
    assert names(world) == [*LEAD, "submit_job", "read_job", *unpacks, *CLOSING]


def test_what_a_shared_job_left_incomplete_is_packed_and_scored_once_more() -> None:
    world = scripted(
        pack=answers(packed(3, shared=True), packed(1)),
        read_job=completing("completed", "completed"),
        unpack=answers(unpacked(again=True), unpacked()),
    )
    scored(world)
    job_and_after = ["submit_job", "read_job", "read_job", "unpack"]
    assert names(world) == [*LEAD, *job_and_after, "pack", *job_and_after, *CLOSING]


def test_where_nothing_is_left_to_pack_there_is_no_second_job() -> None:
    world = scripted(pack=answers(packed(3, shared=True), packed(0)), unpack=answers(unpacked(again=True)))
    scored(world)
    assert names(world)[-5:] == ["unpack", "pack", *CLOSING]
    assert len(world.called("submit_job")) == 1


def test_a_second_job_of_one_file_that_failed_is_not_unpacked() -> None:
    world = scripted(
        pack=answers(packed(2, shared=True), packed(2)),
        read_job=completing("failed", "failed"),
        unpack=answers(unpacked(again=True)),
    )
    scored(world)
    assert len(world.called("unpack")) == 1
    assert names(world)[-3:] == CLOSING


def test_a_second_attempt_that_is_turned_away_ends_the_run() -> None:
    world = scripted(
        pack=answers(packed(2, shared=True)),
        submit_job=answers(SUBMITTED, step("held")),
        unpack=answers(unpacked(again=True)),
    )
    scored(world)
    assert names(world)[-5:] == ["pack", "submit_job", *CLOSING]


def test_a_job_whose_nodes_were_taken_away_is_followed_by_another() -> None:
    world = scripted(read_job=completing("preempted", "completed"))
    scored(world)
    assert names(world)[3:-3] == [*["submit_job", "read_job", "read_job"] * 2, "unpack"]


def test_after_a_preempted_job_the_next_one_has_its_own_wait_from_then_on() -> None:
    world = scripted(
        read_job=answers(job("running", wait=600), job("preempted"), *[job("running")] * 2, job("completed"))
    )
    scored(world)
    looks = elapsed(world, "read_job")
    assert looks[:3] == [0, 600, 600]
    assert looks[3] == 601


def test_a_preempted_job_that_cannot_be_submitted_again_ends_the_run() -> None:
    world = scripted(read_job=completing("preempted"), submit_job=answers(SUBMITTED, step("failed")))
    scored(world)
    assert names(world)[-4:] == ["submit_job", *CLOSING]


@pytest.mark.parametrize(
    ("activity", "last"),
    [("pack", packed(1)), ("unpack", unpacked()), ("dispose_inputs", {"more": False, "moved": 1})],
)
def test_an_activity_is_called_chunk_after_chunk_until_there_is_no_more(
    activity: str, last: dict[str, Any]
) -> None:
    world = scripted(**{activity: answers({"more": True}, {"more": True}, last)})
    scored(world)
    assert [call.input["chunk"] for call in world.called(activity)] == [0, 1, 2]
    assert names(world)[-1] == "close_run"


@pytest.mark.parametrize("count", [2, 3, AT_ONCE + 1, 2 * AT_ONCE + 1, 2 * AT_ONCE + 4])
def test_portions_that_may_be_worked_on_at_once_are_all_done_before_the_last_call(count: int) -> None:
    world = scripted(unpack=in_portions(count, unpacked()))
    assert scored(world) == {"run": "R", "outcome": "succeeded"}
    assert [call.input["chunk"] for call in world.called("unpack")] == list(range(count + 1))


def test_where_one_of_several_portions_fails_for_good_the_last_call_is_not_made() -> None:
    world = scripted(unpack=in_portions(4, unpacked(), OSError("no storage")))
    with pytest.raises(OrchestratorFailed, match="'unpack' failed:  OSError: no storage"):
        scored(world)
    assert 4 not in [call.input["chunk"] for call in world.called("unpack")]
    assert not world.called("close_run")


def test_a_launch_that_was_overtaken_in_one_of_several_portions_ends_quietly() -> None:
    world = scripted(unpack=in_portions(4, unpacked(), OVERTAKEN))
    assert scored(world) == {"run": "R", "outcome": "fenced"}


def test_the_second_attempt_begins_with_the_first_chunk() -> None:
    world = scripted(
        pack=answers({"more": True}, packed(3, shared=True), packed(1)),
        unpack=answers({"more": True}, unpacked(again=True), unpacked()),
    )
    scored(world)
    for activity in ("pack", "unpack"):
        assert [call.input["chunk"] for call in world.called(activity)] == [0, 1, 0]


@pytest.mark.parametrize("activity", [*LEAD, "submit_job", "read_job", "unpack", *CLOSING])
def test_trouble_that_stays_ends_the_orchestration_and_leaves_the_run_to_the_sweep(activity: str) -> None:
    world = scripted(**{activity: answers(OSError("no storage"))})
    with pytest.raises(OrchestratorFailed, match=f"'{activity}' failed:  OSError: no storage"):
        scored(world)
    assert names(world)[-4:] == [activity] * 4


def test_trouble_while_a_job_is_searched_for_leaves_the_run_to_the_sweep_too() -> None:
    world = scripted(submit_job=answers(SEARCHING), find_job=answers(OSError("no storage")))
    with pytest.raises(OrchestratorFailed, match="OSError: no storage"):
        scored(world)
    assert names(world)[-1] == "find_job"


@pytest.mark.parametrize("activity", [*LEAD, "submit_job", "read_job", "unpack", *CLOSING])
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


OVERTAKEN = Fenced("run R belongs to launch 2, not 1")


@pytest.mark.parametrize("activity", [*LEAD, "submit_job", "read_job", "unpack", *CLOSING])
def test_a_launch_that_was_overtaken_ends_quietly_and_does_nothing_more(activity: str) -> None:
    world = scripted(**{activity: answers(OVERTAKEN)})
    assert scored(world) == {"run": "R", "outcome": "fenced"}
    assert names(world)[-1] == activity


def test_a_launch_that_was_overtaken_while_it_searches_ends_quietly_too() -> None:
    world = scripted(submit_job=answers(SEARCHING), find_job=answers(OVERTAKEN))
    assert scored(world) == {"run": "R", "outcome": "fenced"}
    assert names(world)[-1] == "find_job"


def test_a_failure_whose_text_merely_mentions_fencing_is_an_ordinary_failure() -> None:
    world = scripted(pack=answers(OSError("others kept writing to diabetes/Fenced: a.csv")))
    with pytest.raises(OrchestratorFailed):
        scored(world)

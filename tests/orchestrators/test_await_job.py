"""Waiting for a job on a virtual clock: intervals, deadlines, cancellation, silence and bounded histories."""

from collections import Counter
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from orchestrators.await_job import await_job
from shared.records import JobView
from tests.durable import START, World, run
from tests.orchestrators.scripts import LAUNCH, answers, elapsed, job, names, scripted, watching

MINUTE = 60.0


def awaited(world: World, **limits: Any) -> JobView:
    return JobView.from_dict(run(await_job, watching(world, **limits)))


def changing(*changes: tuple[float, dict[str, Any]]) -> World:
    """A job that answers as the latest of the `changes` says, each at its second."""

    def look(_launch: Any) -> dict[str, Any]:
        now = (world.now - START).total_seconds()
        return [view for at, view in changes if at <= now][-1]

    world = scripted(read_job=look)
    return world


def stopping_ends_it(world: World, state: str = "canceled", *, after: float = 0) -> World:
    """Lets the job end `after` seconds of being stopped."""
    looked = world.activities["read_job"]

    def look(launch: Any) -> Any:
        stops = world.called("stop_job")
        ended = stops and world.now >= stops[0].at + timedelta(seconds=after)
        return job(state) if ended else looked(launch)

    world.activities["read_job"] = look
    return world


@pytest.mark.parametrize("state", ["completed", "failed", "canceled"])
def test_a_job_that_has_ended_needs_one_look(state: str) -> None:
    world = scripted(read_job=answers(job(state)))
    assert awaited(world).state == state
    assert names(world) == ["read_job"]


def test_looks_come_a_tenth_of_the_time_waited_apart_within_limits() -> None:
    world = changing((0, job("running")), (600, job("completed")))
    awaited(world)
    looks = elapsed(world, "read_job")
    for before, after in pairwise(looks):
        assert after - before == pytest.approx(min(max(before / 10, 1), 30), abs=0.002)
    assert looks[-1] < 600 + 30


def test_a_longer_wait_that_the_service_asks_for_is_kept() -> None:
    world = scripted(read_job=answers(job("running", wait=45), job("running", wait=0.2), job("completed")))
    awaited(world)
    assert elapsed(world, "read_job") == pytest.approx([0, 45, 49.5])


def test_an_unknown_status_is_polled_on() -> None:
    world = changing((0, job("running", status="Hibernating")), (MINUTE, job("completed")))
    assert awaited(world).state == "completed"


def test_a_job_past_its_deadline_is_stopped_once_and_its_confirmation_awaited() -> None:
    world = stopping_ends_it(changing((0, job("running"))), after=5 * MINUTE)
    assert awaited(world, deadline=20 * MINUTE).state == "canceled"
    assert [call.input for call in world.called("stop_job")] == [{"launch": LAUNCH, "reason": "timed-out"}]
    assert 20 * MINUTE <= elapsed(world, "stop_job")[0] <= 20 * MINUTE + 30
    assert "give_up_job" not in names(world)


def test_a_job_that_completes_while_it_is_being_stopped_has_completed() -> None:
    world = stopping_ends_it(changing((0, job("running"))), "completed")
    assert awaited(world, deadline=MINUTE).state == "completed"


def test_a_job_that_does_not_confirm_within_ten_minutes_is_given_up() -> None:
    world = changing((0, job("running")))
    assert awaited(world, deadline=20 * MINUTE).state == "failed"
    assert names(world)[-1] == "give_up_job"
    waited = elapsed(world, "give_up_job")[0] - elapsed(world, "stop_job")[0]
    assert 10 * MINUTE <= waited <= 10 * MINUTE + 30
    assert len(world.called("stop_job")) == 1


def test_a_job_that_nobody_can_look_at_ends_with_its_deadline_too() -> None:
    world = changing((0, job("running", status="unreadable")))
    assert awaited(world, deadline=MINUTE).state == "failed"


def test_a_wanted_cancel_stops_the_job_once() -> None:
    world = stopping_ends_it(
        changing((0, job("running")), (90, job("running", cancel_wanted=True))), after=MINUTE
    )
    assert awaited(world).state == "canceled"
    assert [call.input["reason"] for call in world.called("stop_job")] == ["canceled"]


def test_a_job_that_is_silent_for_fifteen_minutes_is_stopped() -> None:
    world = stopping_ends_it(changing((0, job("running")), (100, job("silent"))))
    awaited(world, deadline=10 * 60 * MINUTE)
    assert [call.input["reason"] for call in world.called("stop_job")] == ["not-responding"]
    first_silent = next(at for at in elapsed(world, "read_job") if at >= 100)
    assert 15 * MINUTE <= elapsed(world, "stop_job")[0] - first_silent <= 15 * MINUTE + 30


def test_a_job_that_speaks_again_in_time_is_not_stopped() -> None:
    world = changing(
        (0, job("silent")),
        (14 * MINUTE, job("running")),
        (15 * MINUTE, job("silent")),
        (29 * MINUTE, job("completed")),
    )
    assert awaited(world).state == "completed"
    assert "stop_job" not in names(world)


def test_a_history_holds_at_most_twenty_five_looks_and_the_next_goes_on_where_it_ended() -> None:
    end = 8 * 3600
    world = changing((0, job("silent")), (100, job("running")), (end, job("completed")))
    assert awaited(world, deadline=24 * 3600).state == "completed"
    looks = Counter(call.generation for call in world.calls)
    assert max(looks.values()) == 25
    assert len(looks) >= 35
    at = elapsed(world, "read_job")
    assert max(b - a for a, b in pairwise(at)) == pytest.approx(30)
    assert at[25] - at[24] > 1


def test_a_thousand_looks_end_in_forty_generations() -> None:
    world = scripted(read_job=answers(*[job("running")] * 999, job("completed")))
    awaited(world, deadline=1e6)
    assert Counter(call.generation for call in world.calls) == dict.fromkeys(range(1, 41), 25)


def test_the_deadline_is_kept_over_generations() -> None:
    world = stopping_ends_it(changing((0, job("running"))))
    awaited(world, deadline=2 * 3600)
    stop = world.called("stop_job")[0]
    assert stop.generation > 5
    assert 2 * 3600 <= elapsed(world, "stop_job")[0] <= 2 * 3600 + 30


def test_silence_is_remembered_over_generations() -> None:
    world = stopping_ends_it(changing((0, job("silent"))))
    awaited(world, deadline=1e6, at_most=1)
    assert 15 * MINUTE <= elapsed(world, "stop_job")[0] <= 15 * MINUTE + 1
    assert world.called("stop_job")[0].generation > 30


def test_that_a_job_was_stopped_is_remembered_over_generations() -> None:
    world = changing((0, job("running", cancel_wanted=True)))
    awaited(world, deadline=1e6, at_most=1)
    assert len(world.called("stop_job")) == 1
    assert world.called("give_up_job")[0].generation > 20


def test_a_wake_up_leads_to_a_look_at_once_in_a_new_history() -> None:
    world = changing((0, job("running")), (100, job("canceled")))
    world.events = [(START + timedelta(seconds=101), "wake")]
    awaited(world)
    *_, previous, last = world.calls
    assert last.at == START + timedelta(seconds=101)
    assert last.generation == previous.generation + 1


def test_any_number_of_wake_ups_leads_to_as_many_looks() -> None:
    world = scripted(read_job=answers(*[job("running", wait=600)] * 4, job("completed")))
    world.events = [(START + timedelta(seconds=at), "wake") for at in (3, 4, 5)]
    awaited(world)
    assert elapsed(world, "read_job") == [0, 3, 4, 5, 605]
    assert [call.generation for call in world.calls] == [1, 2, 3, 4, 4]


def test_a_wake_up_that_nobody_hears_is_made_up_for_by_the_next_look() -> None:
    world = changing((0, job("running")), (20, job("running", cancel_wanted=True)))
    looked = world.activities["read_job"]

    def slow(launch: Any) -> Any:
        view = looked(launch)
        world.now += timedelta(seconds=30)
        return view

    world.activities["read_job"] = slow
    world.events = [(START + timedelta(seconds=20), "wake")]
    awaited(stopping_ends_it(world))
    assert elapsed(world, "stop_job")[0] < 70


def test_an_activity_that_keeps_raising_fails_the_wait() -> None:
    world = scripted(read_job=answers(OSError("no storage")))
    with pytest.raises(Exception, match="Activity function 'read_job' failed:  OSError: no storage"):
        awaited(world)
    assert len(world.called("read_job")) == 4

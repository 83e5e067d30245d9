"""When to look at a job next, and when to stop waiting for it."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.records import JobView, Watch, timestamp
from shared.watching import next_look, reason_to_stop, seen, unconfirmed

START = datetime(2026, 11, 20, 6, 0, tzinfo=UTC)
RUNNING = JobView(state="running", status="Running")
SILENT = JobView(state="silent", status="NotResponding")
WATCH = Watch(
    launch={},
    since=timestamp(START),
    deadline=timestamp(START + timedelta(hours=1)),
    poll_at_least=2,
    poll_at_most=30,
)


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("waited", "asked", "wait"),
    [
        (0, 0, 2),
        (20, 0, 2),
        (50, 0, 5),
        (300, 0, 30),
        (3000, 0, 30),
        (50, 4, 5),
        (50, 45, 45),
        (3000, 600, 600),
    ],
)
def test_the_next_look_comes_after_a_tenth_of_the_time_waited(
    waited: float, asked: float, wait: float
) -> None:
    assert next_look(WATCH, RUNNING.but(wait=asked), after(waited)) == after(waited + wait)


def test_silence_is_counted_from_the_first_silent_look() -> None:
    first = seen(WATCH, SILENT, after(10))
    assert first.silent_since == timestamp(after(10))
    assert seen(first, SILENT, after(20)) == first


def test_a_word_ends_the_silence() -> None:
    assert seen(seen(WATCH, SILENT, after(10)), RUNNING, after(20)) == WATCH


@pytest.mark.parametrize(
    ("watch", "view", "at", "reason"),
    [
        (WATCH, RUNNING, 3599, ""),
        (WATCH, RUNNING, 3600, "timed-out"),
        (WATCH, RUNNING.but(cancel_wanted=True), 5, "canceled"),
        (WATCH, RUNNING.but(cancel_wanted=True), 9999, "canceled"),
        (WATCH.but(silent_since=timestamp(START)), SILENT, 899, ""),
        (WATCH.but(silent_since=timestamp(START)), SILENT, 900, "not-responding"),
        (WATCH.but(silent_since=timestamp(START)), SILENT, 9999, "timed-out"),
        (WATCH.but(stopped_at=timestamp(START)), RUNNING.but(cancel_wanted=True), 9999, ""),
    ],
)
def test_a_job_is_stopped_once_and_for_the_weightiest_reason(
    watch: Watch, view: JobView, at: float, reason: str
) -> None:
    assert reason_to_stop(watch, view, after(at)) == reason


def test_a_stopped_job_has_ten_minutes_to_confirm() -> None:
    assert not unconfirmed(WATCH, after(99_999))
    stopped = WATCH.but(stopped_at=timestamp(START))
    assert [unconfirmed(stopped, after(at)) for at in (0, 599, 600)] == [False, False, True]

"""When to look at a job next, and when to stop waiting for it. Pure: the orchestrator brings the time."""

from datetime import datetime, timedelta

from shared.durations import parse_duration
from shared.records import JobView, Run, Watch, moment, timestamp

# The event that ends a wait; it carries nothing.
WAKE = "wake"
POLLS_PER_GENERATION = 25
SILENCE = timedelta(minutes=15)
CANCEL_GRACE = timedelta(minutes=10)


def deadline(run: Run) -> datetime:
    """When the run must have come to its end, counted from when it was begun, or reopened."""
    begun = moment(run.reopened_at or run.created_at)
    return begun + parse_duration(run.route["deadline"])


def next_look(watch: Watch, view: JobView, now: datetime) -> datetime:
    """A tenth of the time waited so far, within the limits: a job is noticed at most 10 % late.

    A `Retry-After` of the service counts where it asks for more.
    """
    waited = (now - moment(watch.since)).total_seconds()
    wait = min(max(waited / 10, watch.poll_at_least), watch.poll_at_most)
    return now + timedelta(seconds=max(wait, view.wait))


def seen(watch: Watch, view: JobView, now: datetime) -> Watch:
    """The watch with what this look adds: since when the job has been silent."""
    silent_since = (watch.silent_since or timestamp(now)) if view.state == "silent" else ""
    return watch.but(silent_since=silent_since)


def reason_to_stop(watch: Watch, view: JobView, now: datetime) -> str:
    """`canceled`, `timed-out`, `not-responding`, or "" while there is none or the job is being stopped already."""
    if watch.stopped_at:
        return ""
    if view.cancel_wanted:
        return "canceled"
    if now >= moment(watch.deadline):
        return "timed-out"
    silent = watch.silent_since and now - moment(watch.silent_since) >= SILENCE
    return "not-responding" if silent else ""


def unconfirmed(watch: Watch, now: datetime) -> bool:
    """True when a job that was canceled has had its time to confirm that."""
    return bool(watch.stopped_at) and now - moment(watch.stopped_at) >= CANCEL_GRACE

"""What the ledger's tests write to it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from shared.ledger import Ledger
from shared.records import Launch, Run, Verdict, Version
from shared.routes import Route
from shared.store import Store

START = datetime(2026, 11, 20, 6, 0, tzinfo=UTC)
ROUTE = Route(name="r", pattern="**", model="https://e/jobs", max_jobs=1)
LAUNCH = Launch(run="R1", launch=1, route="r", slot=0)
RELAUNCH = LAUNCH.but(launch=2)
# What an execution of the first attempt has seen of the run.
SEEN = Run(run="R1", launch=1, route={}, slot=0, created_at="", nonce="first", job="job-1")


class Clock:
    """A time that moves only when it is told to."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def sleep(self, **time: float) -> None:
        self.now += timedelta(**time)


def version(blob: str = "in/a.csv", etag: str = "0x1", route: str = "r") -> Version:
    return Version(
        container="inbox", blob=blob, etag=etag, modified="2026-11-20T05:59:00.000Z", size=7, route=route
    )


def arrived(ledger: Ledger, *versions: Version) -> list[Version]:
    """The versions, waiting, as a run finds them."""
    for one in versions or (version(),):
        assert ledger.arrive(one)
    return ledger.waiting("r")


def claimed(ledger: Ledger, run: str = "R1") -> Version:
    """One version that has arrived and is the run's."""
    (marked,) = arrived(ledger)
    mine = ledger.claim(run, marked)
    assert mine is not None
    ledger.forget_markers([marked])
    return mine


def closed_run(ledger: Ledger, run: str, *words: Verdict) -> None:
    """A run that claims, judges and closes."""
    launch = LAUNCH.but(run=run, slot=None)
    ledger.open(launch, ROUTE)
    ledger.resulted(launch, ledger.fenced(launch), list(words))
    ledger.closed(launch, "succeeded")


def word(of: Version, text: str) -> Verdict:
    return Verdict(version=of.key, blob=of.blob, word=text)


def keys(store: Store, prefix: str) -> list[str]:
    return [item.key for item in store.listed(prefix)]


def submitting(ledger: Ledger, launch: Launch, nonce: str = "first") -> Run:
    return ledger.submitting(launch, path=f"of {nonce}", nonce=nonce)


def submitted(ledger: Ledger, launch: Launch, job: str = "job-1", seen: Run = SEEN) -> Run:
    return ledger.submitted(launch, seen=seen, job=job, job_id=f"/{job}", deployment="blue", spares=[])


def ended(ledger: Ledger, launch: Launch, outcome: str = "completed", why: str = "", seen: Run = SEEN) -> Run:
    return ledger.ended(launch, seen, outcome, why=why, studio="https://studio")


STAGES: dict[str, Callable[[Ledger, Launch], object]] = {
    "gathering": lambda ledger, launch: ledger.open(launch, ROUTE),
    "gathered": lambda ledger, launch: ledger.gathered(launch, 1),
    "packed": lambda ledger, launch: ledger.packed(launch, attempt=1, rows=10, parts=2),
    "submitting": submitting,
    "searching": lambda ledger, launch: ledger.searching(launch),
    "submitted": submitted,
    "ended": ended,
    "resulted": lambda ledger, launch: ledger.resulted(launch, ledger.fenced(launch), []),
    "closed": lambda ledger, launch: ledger.closed(launch, "succeeded"),
}


def brought_to(stage: str, ledger: Ledger, launch: Launch = LAUNCH) -> Run:
    """A run that has gone all the way to a stage."""
    for passed, step in STAGES.items():
        step(ledger, launch)
        if passed == stage:
            break
    return ledger.fenced(launch)


def second_attempt(ledger: Ledger, launch: Launch = LAUNCH) -> Run:
    """A run that packs once more what its shared job has left incomplete."""
    brought_to("ended", ledger, launch)
    return ledger.try_alone(launch, ledger.fenced(launch))

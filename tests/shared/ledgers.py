"""What the ledger's tests write to it."""

from datetime import UTC, datetime, timedelta

from shared.ledger import Ledger
from shared.records import Launch, Verdict, Version
from shared.routes import Route

START = datetime(2026, 11, 20, 6, 0, tzinfo=UTC)
ROUTE = Route(name="r", pattern="**", model="https://e/jobs", max_jobs=1)
LAUNCH = Launch(run="R1", launch=1, route="r", slot=0)
RELAUNCH = LAUNCH.but(launch=2)


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


def closed_run(ledger: Ledger, run: str, *words: Verdict) -> None:
    """A run that claims, judges and closes."""
    launch = LAUNCH.but(run=run, slot=None)
    ledger.open(launch, ROUTE)
    ledger.resulted(launch, list(words))
    ledger.closed(launch, "succeeded")


def word(of: Version, text: str) -> Verdict:
    return Verdict(version=of.key, blob=of.blob, word=text)

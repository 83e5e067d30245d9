"""Following files and runs until they have a final word."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from dropscore.api import Api, Document, path_of
from dropscore.errors import NotNow, NotUnderstood, StillWaiting, Unreachable
from dropscore.plain import moment, prose, typed
from dropscore.session import Session

STAGES = (
    "waiting",
    "gathering",
    "gathered",
    "packed",
    "submitting",
    "searching",
    "submitted",
    "ended",
    "resulted",
    "closed",
)
GOOD = frozenset({"published", "unchanged", "succeeded", "empty"})
# One look may fall between two writes of the app; three do not.
SURE_AFTER = 3
UNDECIDED = ("waiting", "running")
FIRST_PAUSE, LONGEST_PAUSE, GROWTH = 1.0, 10.0, 1.2
ALMOST = 0.95
PATIENCE = timedelta(minutes=5)


class Followed(Protocol):
    """Something that ends with a word."""

    name: str
    word: str
    stage: str
    done: float
    note: str

    def look(self, seen: "Looks") -> None: ...


class Looks:
    """One round of looking: a run that many files share is asked for once."""

    def __init__(self, api: Api, now: datetime) -> None:
        self.api, self.now = api, now
        self.runs: dict[str, Document] = {}

    def run(self, run: str) -> Document:
        if run not in self.runs:
            self.runs[run] = self.api.get(f"runs/{path_of(run)}")
        return self.runs[run]


@dataclass
class FollowedRun:
    """A run, until it is closed; its word is its outcome."""

    name: str
    word: str = ""
    stage: str = "waiting"
    done: float = 0.0
    note: str = ""
    document: Document | None = None

    def look(self, seen: Looks) -> None:
        run = self.document = seen.run(self.name)
        self.stage, self.done = run["stage"], progress(run, seen.now)
        self.word, self.note = run["outcome"] if self.stage == "closed" else "", run["why"]


@dataclass
class FollowedFile:
    """One version of a file, until it has its final word; `starts`: a run began with it, and has yet to take it up."""

    name: str
    etag: str
    run: str = ""
    word: str = ""
    stage: str = "waiting"
    done: float = 0.0
    note: str = ""
    rows: int = 0
    document: Document | None = None
    starts: bool = False
    absent: int = field(default=0, repr=False)

    def look(self, seen: Looks) -> None:
        """While its run is open, the run tells how far it is; else the file does."""
        run = seen.run(self.run) if self.run else None
        if run and run["stage"] != "closed":
            self.stage, self.done, self.note = run["stage"], progress(run, seen.now), ""
            return
        self.document = seen.api.get(f"files/{path_of(self.name)}")
        for version in self.document["versions"]:
            if bare(version["etag"]) == bare(self.etag):
                self.tell(version, seen)
                return
        self.tell_unseen(self.document)

    def tell(self, version: Document, seen: Looks) -> None:
        self.absent = 0
        self.word = version["state"] if version["state"] not in UNDECIDED else ""
        # While the run goes on, its stage is told; a reason is told with the word that it is of.
        self.note = version["why"] if self.word else ""
        self.rows, self.run = version["rows"] or 0, version["run"] or ""
        if self.word:
            self.stage, self.done = "closed", 1.0
        elif self.run and seen.run(self.run)["stage"] == "closed":
            # It was given back, and waits for another run.
            self.run, self.stage, self.done, self.starts = "", "waiting", 0.0, False
            self.note = held(self.document)
        elif self.run:
            self.stage, self.done = seen.run(self.run)["stage"], progress(seen.run(self.run), seen.now)
        else:
            self.stage, self.note = "waiting", held(self.document, starts=self.starts)

    def tell_unseen(self, document: Document) -> None:
        """The app knows nothing of the version: not yet, or not any more."""
        inbox = document["inbox"]
        if inbox and bare(inbox["etag"]) == bare(self.etag):
            self.absent, self.note = 0, held(document, starts=self.starts)
            return
        self.absent += 1
        if self.absent >= SURE_AFTER:
            self.word, self.note = (
                ("superseded", "It was replaced") if inbox else ("withdrawn", "It was deleted")
            )
            self.note += " before the app took it up."
            self.stage, self.done = "closed", 1.0


def follow(
    session: Session, followed: Sequence[Followed], timeout: timedelta, show: Callable[[], None]
) -> None:
    """Looks again and again until each has its word. Raises StillWaiting when the timeout comes first."""
    end, pause, answered = session.now() + timeout, FIRST_PAUSE, session.now()
    while True:
        try:
            look(session, followed)
            answered = session.now()
        except (Unreachable, NotNow) as problem:
            # What is waited for goes on while the app is deployed anew.
            if isinstance(problem, NotUnderstood) or session.now() - answered > PATIENCE:
                raise
        show()
        if all(one.word for one in followed):
            return
        if session.now() >= end:
            raise StillWaiting("still-waiting", *still(followed))
        session.sleep(pause)
        pause = min(pause * GROWTH, LONGEST_PAUSE)


def look(session: Session, followed: Sequence[Followed]) -> None:
    seen = Looks(session.api, session.now())
    for one in followed:
        if not one.word:
            one.look(seen)


def still(followed: Sequence[Followed]) -> tuple[str, str]:
    """What is waited for, and what to type."""
    left = [one for one in followed if not one.word]
    names = ", ".join(one.name for one in left[:3]) + (f" and {len(left) - 3} more" if len(left) > 3 else "")
    command = "status" if isinstance(left[0], FollowedFile) else "show"
    return (
        f"Not done yet: {names}. It goes on.",
        f"Ask again with `dropscore {command} {typed(left[0].name)}`",
    )


def progress(run: Document, now: datetime) -> float:
    """How far a run is, 0 to 1: by the time that past runs took where that is known, else by its stage."""
    stage = STAGES.index(run["stage"]) if run["stage"] in STAGES else 1
    share = stage / (len(STAGES) - 1)
    if run["stage"] == "closed" or not run.get("expected_at"):
        return share
    begun, expected = moment(run["created_at"]), moment(run["expected_at"])
    return min(ALMOST, max(0.0, (now - begun) / max(expected - begun, timedelta(seconds=1))))


def held(document: Document | None, *, starts: bool = False) -> str:
    """Why a file waits; the busy jobs are no reason for one that `starts`, because its own run is among them."""
    waiting = document["waiting"] if document else None
    if not waiting:
        return ""
    if waiting["held"]:
        return f"the route is held: {prose(waiting['held'])}"
    if waiting["due"]:
        return f"its route runs at {waiting['due']}"
    if not starts and waiting["of"] and waiting["busy"] >= waiting["of"]:
        return f"{waiting['busy']} of {waiting['of']} jobs busy"
    return ""


def bare(etag: str) -> str:
    """ETags are quoted here and there."""
    return etag.strip('"')

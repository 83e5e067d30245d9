"""A small app in memory, to the HTTP contract: files wait, run, and end as their first line says, on its own clock."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatch
from typing import Any

BEGUN = datetime(2026, 11, 21, 20, 0, tzinfo=UTC)
# When a run is where, in seconds since its file was dropped.
STAGES = ((2, "gathering"), (3, "packed"), (4, "submitted"), (12, "ended"), (14, "closed"))
NOTE = "This file was not scored.\n\nLine 2, column age: not a number.\n"
STORAGE = "http://127.0.0.1:10000/devstoreaccount1"


def at(when: datetime) -> str:
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Wrong(Exception):
    """An answer that is a problem."""

    def __init__(self, status: int, code: str, detail: str, **more: Any) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail, self.more = status, code, detail, more


@dataclass
class Version:
    name: str
    etag: str
    data: bytes
    dropped: datetime
    route: str
    run: str
    replaced: datetime | None = None


@dataclass
class World:
    """Files whose first line is `bad` are rejected, `fail` fail, `stay` never end; others are published.

    Of `odd` one row is set aside.
    """

    now: datetime = BEGUN
    versions: list[Version] = field(default_factory=list)
    canceled: dict[str, datetime] = field(default_factory=dict)
    routes: dict[str, dict[str, Any]] = field(default_factory=lambda: {"diabetes": route("diabetes")})
    texts: list[str] = field(default_factory=lambda: ["# the first\n"])
    row_values: bool = True
    # Whether a run begins with each file that is dropped.
    starts: bool = False
    stale: bool = False
    # Why the text of the routes is not the one in force.
    problem: str | None = None
    backfills: dict[str, list[str]] = field(default_factory=dict)
    backfill_why: str = ""
    looks: int = 0
    # What a checkup finds, and the trials there were, by how often each was looked at.
    findings: list[dict[str, Any]] = field(default_factory=lambda: [finding("ok", "storage", "account")])
    trials: dict[str, int] = field(default_factory=dict)

    def sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def clock(self) -> datetime:
        return self.now

    # Files

    def drop(self, name: str, data: bytes, *, replace: bool = True) -> dict[str, Any]:
        taken = next((one for one, kept in self.routes.items() if fnmatch(name, kept["pattern"])), None)
        if taken is None:
            patterns = ", ".join(kept["pattern"] for kept in self.routes.values())
            raise Wrong(404, "no-route", f"No route takes {name}; routes take {patterns}.")
        if not data:
            raise Wrong(400, "empty-file", f"{name} is empty.")
        if self.standing(name) and not replace:
            raise Wrong(409, "file-exists", f"{name} is in the inbox already.")
        if self.standing(name):
            self.standing(name).replaced = self.now  # type: ignore[union-attr]
        number = len(self.versions) + 1
        made = Version(name, f"0x{number:03X}", data, self.now, taken, f"01RUN{number:021d}")
        self.versions.append(made)
        runs = [{"run": made.run, "url": f"/api/runs/{made.run}"}] if self.starts else []
        return {"file": name, "etag": made.etag, "size": len(data), "route": taken, "runs": runs}

    def standing(self, name: str) -> Version | None:
        """What is in the inbox."""
        found = [one for one in self.versions if one.name == name]
        return found[-1] if found and self.word(found[-1]) != "rejected" else None

    def stage(self, one: Version) -> str:
        if one.run in self.canceled:
            return "closed"
        passed = (self.now - one.dropped).total_seconds()
        reached = [stage for seconds, stage in STAGES if passed >= seconds] or ["waiting"]
        return "submitted" if one.data.startswith(b"stay") and passed > 4 else reached[-1]

    def word(self, one: Version) -> str:
        if one.run in self.canceled:
            return "canceled"
        if self.stage(one) != "closed":
            return ""
        first = one.data.split(b"\n")[0]
        return {b"bad": "rejected", b"fail": "failed"}.get(first, "published")

    def why(self, one: Version) -> str:
        if self.word(one) == "published" and one.data.startswith(b"odd"):
            return f"1 of 2 rows were set aside, for reasons in {one.name}.errors.csv"
        return {
            "rejected": "Line 2, column age: not a number.",
            "failed": "The job failed: ScoringError.",
        }.get(self.word(one), "")

    def file(self, name: str) -> dict[str, Any]:
        found = [one for one in self.versions if one.name == name]
        if not found:
            raise Wrong(404, "no-such-file", f"Nothing is known of {name}.")
        newest = found[-1]
        word, stage = self.word(newest), self.stage(newest)
        state = word or ("waiting" if stage == "waiting" else "running")
        waiting = {"since": at(newest.dropped), "ahead": 0, "busy": 1, "of": 1, "held": None, "due": None}
        return {
            "file": name,
            "route": newest.route,
            "state": state,
            "says": f"The file is {state}.{self.why(newest) and ' ' + self.why(newest)}",
            "run": newest.run if stage != "waiting" else None,
            "inbox": self.inbox(name),
            "predictions": self.predictions_of(newest) if word == "published" else None,
            "rejected": {"name": name, "why": NOTE} if word == "rejected" else None,
            "waiting": waiting if state == "waiting" else None,
            "versions": [self.version(one) for one in reversed(found) if self.stage(one) != "waiting"],
        }

    def inbox(self, name: str) -> dict[str, Any] | None:
        one = self.standing(name)
        return {"etag": one.etag, "size": len(one.data), "modified": at(one.dropped)} if one else None

    def version(self, one: Version) -> dict[str, Any]:
        stage = self.stage(one)
        return {
            "etag": one.etag,
            "modified": at(one.dropped),
            "size": len(one.data),
            "round": 1,
            "state": self.word(one) or "running",
            "why": self.why(one),
            "rows": one.data.count(b"\n") - 1 if self.word(one) == "published" else 0,
            "run": one.run if stage != "waiting" else None,
        }

    def predictions_of(self, one: Version) -> dict[str, Any]:
        url = f"{STORAGE}/predictions/{one.name}"
        return {"name": one.name, "size": len(one.data), "modified": at(one.dropped), "url": url}

    def predictions(self, name: str) -> bytes:
        if not self.row_values:
            raise Wrong(403, "row-values-not-allowed", "This app hands no row values out.")
        found = [one for one in self.versions if one.name == name and self.word(one) == "published"]
        if not found:
            raise Wrong(404, "no-predictions", f"{name} has no predictions.")
        return b"patient,progression\n" + b"".join(
            b"%d,1.5\n" % row for row in range(found[-1].data.count(b"\n") - 1)
        )

    # Runs

    def run(self, name: str) -> dict[str, Any]:
        one = self.version_of(name)
        stage, word = self.stage(one), self.word(one)
        closed = {"rejected": "rejected", "failed": "failed", "canceled": "canceled"}.get(word, "succeeded")
        begun = one.dropped + timedelta(seconds=2)
        ended = self.canceled.get(name, one.dropped + timedelta(seconds=14))
        reached: list[dict[str, Any]] = [
            {"stage": step, "attempt": 1, "at": at(one.dropped + timedelta(seconds=after))}
            for after, step in STAGES
        ]
        return {
            "run": name,
            "route": one.route,
            "stage": stage,
            "outcome": closed if stage == "closed" else "",
            "created_at": at(begun),
            "closed_at": at(ended) if stage == "closed" else "",
            "deadline": at(begun + timedelta(hours=2)),
            "expected_at": at(begun + timedelta(seconds=12)) if stage != "closed" else None,
            "files": 1,
            "rows": one.data.count(b"\n") - 1,
            "words": {word: 1} if word else None,
            "why": self.why(one),
            "failed_stage": "",
            "cancel": False,
            "oldest": at(one.dropped),
            "url": f"/api/runs/{name}",
            "timeline": [step for step in reached if step["at"] <= at(self.now)],
            "model": self.routes["diabetes"]["model"],
            "held": "",
            "job": "batchjob-1",
            "studio": "https://ml.azure.com/runs/batchjob-1",
            "results": self.results(one),
            "results_next": None,
        }

    def results(self, one: Version) -> list[dict[str, Any]]:
        seen = self.version(one)
        kept = {"word": self.word(one), "why": seen["why"], "rows": seen["rows"]}
        return [{"blob": one.name, **kept, "bad_rows": 0, "problems": [], "formulas": False, "where": ""}]

    def version_of(self, run: str) -> Version:
        for one in self.versions:
            if one.run == run and self.stage(one) != "waiting":
                return one
        raise Wrong(404, "no-such-run", f"There is no run {run}.")

    def runs(self, query: dict[str, str]) -> dict[str, Any]:
        names = [one.run for one in reversed(self.versions) if self.stage(one) != "waiting"]
        found = [self.run(name) for name in names]
        found.sort(key=lambda run: run["stage"] == "closed")
        for key in ("route", "outcome"):
            found = [run for run in found if query.get(key) in (None, run[key])]
        if wanted := query.get("state"):
            found = [run for run in found if (run["stage"] == "closed") == (wanted == "closed")]
        start, limit = int(query.get("after", 0)), int(query.get("limit", 50))
        following = start + limit
        closed = [run for run in found if run["stage"] == "closed"]
        # The first page has every open run, as the app's.
        opened = [run for run in found if run not in closed] if "after" not in query else []
        page = opened + closed[start:following]
        return {"runs": page, "next": str(following) if following < len(closed) else None}

    def cancel(self, run: str) -> dict[str, Any]:
        if self.stage(self.version_of(run)) == "closed":
            raise Wrong(409, "too-late", f"The job of {run} has ended.")
        self.canceled[run] = self.now
        return {"run": run, "stage": "submitted", "cancel": True}

    def rerun(self, run: str) -> dict[str, Any]:
        one = self.version_of(run)
        if self.stage(one) != "closed":
            raise Wrong(409, "still-open", f"{run} is not closed.")
        if self.word(one) not in ("failed", "canceled"):
            raise Wrong(409, "nothing-to-do", f"No file of {run} failed.")
        self.canceled.pop(run, None)
        one.data, one.dropped = one.data.replace(b"fail", b"good"), self.now - timedelta(seconds=2)
        return {"runs": [{"run": run, "blobs": [one.name], "url": f"/api/runs/{run}"}]}


def finding(state: str, check: str, about: str = "", advice: str = "") -> dict[str, Any]:
    return {"check": check, "about": about, "state": state, "says": f"{check} is {state}", "advice": advice}


def route(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "pattern": f"{name}/*.csv",
        "model": f"https://{name}.example.com/jobs",
        "deployment": "",
        "match": "file",
        "schedule": "",
        "next_due": None,
        "after": "keep",
        "deadline": "2h",
        "max_jobs": 1,
        "busy": 0,
        "waiting": 0,
        "oldest_waiting": None,
        "held": None,
        "typical_seconds": 240.0,
    }

"""What the stand-in app shows: runs, files and routes of a made-up day, as far along as a test wants them."""

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

Json = dict[str, Any]
HOSTILE = (
    "diabetes/<img src=x onerror=alert(1)>.csv",
    "diabetes/\u202egnp.vsc \u001b[31mred.csv",
    "diabetes/" + "very-long-" * 40 + "name.csv",
    "diabetes/مرضى-clinic.csv",
    "diabetes/100%25&a=b#c?.csv",
)
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
FIRST_STAGES = ("gathering", "gathered", "packed", "submitting", "submitted")
LAST_STAGES = ("ended", "resulted", "closed")


def moment(seconds_ago: float) -> str:
    return (datetime.now(UTC) - timedelta(seconds=seconds_ago)).isoformat(timespec="seconds")[:-6] + "Z"


def run_name(number: int) -> str:
    """Looks like a ULID: newer ones sort later."""
    tail = hashlib.sha256(str(number).encode()).digest()[:16]
    return f"01K{number:07d}" + "".join(ALPHABET[byte % 32] for byte in tail)


def closed_run(number: int, outcome: str, ago: float, *, seconds: float = 210, **more: Any) -> Json:
    """A run that closed `ago` seconds before now and took `seconds`."""
    words = {"succeeded": "published", "timed-out": "failed", "partial": "failed"}.get(outcome, outcome)
    run = open_run(number, "closed", ago + seconds)
    closed = {"outcome": outcome, "closed_at": moment(ago), "words": {words: 3}, "expected_at": None}
    return {**run, **closed, **more}


def open_run(number: int, stage: str, ago: float, **more: Any) -> Json:
    """A run that began `ago` seconds before now."""
    return {
        "run": run_name(number),
        "route": "diabetes",
        "stage": stage,
        "outcome": "",
        "created_at": moment(ago),
        "closed_at": "",
        "deadline": moment(ago - 3600),
        "expected_at": moment(ago - 300),
        "files": 3,
        "rows": 12_480,
        "why": "",
        "failed_stage": "",
        "cancel": False,
        "oldest": moment(ago + 4),
        "url": f"/api/runs/{run_name(number)}",
        **more,
    }


def route(name: str, **more: Any) -> Json:
    return {
        "name": name,
        "pattern": f"{name}/*.csv",
        "model": f"https://{name}.westeurope.inference.ml.azure.com/jobs",
        "deployment": "",
        "match": "file",
        "schedule": "",
        "next_due": None,
        "after": "keep",
        "deadline": "1h",
        "max_jobs": 1,
        "busy": 0,
        "waiting": 0,
        "oldest_waiting": None,
        "held": None,
        "typical_seconds": 214.0,
        **more,
    }


def file(name: str, state: str, says: str, **more: Any) -> Json:
    return {
        "file": name,
        "route": "diabetes",
        "state": state,
        "says": says,
        "run": None,
        "inbox": {"etag": "0x1", "size": 48_213, "modified": moment(400)},
        "predictions": None,
        "errors": None,
        "rejected": None,
        "waiting": None,
        "versions": [],
        **more,
    }


def version(state: str, ago: float, why: str = "", **more: Any) -> Json:
    known = {"etag": f"0x{ago}", "modified": moment(ago), "size": 48_213, "round": 1, "state": state}
    return {**known, "why": why, "rows": 442 if state == "published" else None, "run": run_name(7), **more}


def word(blob: str, given: str, why: str = "", **more: Any) -> Json:
    base = {"blob": blob, "word": given, "why": why, "rows": 442, "bad_rows": 0, "problems": []}
    return {**base, "formulas": False, "where": "", **more}


@dataclass
class World:
    """What there is; and how the app behaves: the key it wants, the status it answers instead, how slow it is."""

    routes: list[Json] = field(default_factory=list)
    source: str = "blob"
    problem: str | None = None
    runs: list[Json] = field(default_factory=list)
    words: dict[str, list[Json]] = field(default_factory=dict)
    details: dict[str, Json] = field(default_factory=dict)
    files: dict[str, Json] = field(default_factory=dict)
    waiting: list[Json] = field(default_factory=list)
    preview: Json = field(default_factory=dict)
    buckets: list[Json] = field(default_factory=list)
    row_values: bool = False
    stale: bool = False
    broken: str = ""
    key: str = ""
    status: int = 200
    delay: float = 0.0
    refusal: Json | None = None
    asked: list[str] = field(default_factory=list)
    done: list[str] = field(default_factory=list)

    def run(self, name: str) -> Json | None:
        return next((run for run in self.runs if run["run"] == name), None)

    def newest(self, query: dict[str, str]) -> list[Json]:
        """The runs that a query asks for; open ones first, where it asks for both."""
        found = [run for run in self.runs if fits(run, query)]
        return found if query.get("state") else sorted(found, key=lambda run: run["stage"] == "closed")


def fits(run: Json, query: dict[str, str]) -> bool:
    closed = run["stage"] == "closed"
    return (
        query.get("state") in (None, "closed" if closed else "open")
        and query.get("route") in (None, run["route"])
        and query.get("outcome") in (None, run["outcome"])
        and query.get("since", "") <= run["created_at"]
    )


def timeline(run: Json) -> list[Json]:
    """The stages a run has come through, spread over the time it took."""
    stages = [*FIRST_STAGES, *LAST_STAGES]
    passed = stages[: stages.index(run["stage"]) + 1]
    parts = dict(zip(stages, (0, 0.01, 0.03, 0.05, 0.06, 0.9, 0.92, 1), strict=True))
    begun = datetime.fromisoformat(run["created_at"])
    ended = datetime.fromisoformat(run["closed_at"]) if run["closed_at"] else datetime.now(UTC)
    # A run under way has been at its stage for most of its time.
    share = 1.0 if run["closed_at"] else min(1.0, 0.06 / max(parts[run["stage"]], 0.06))
    return [
        {"stage": stage, "at": (begun + (ended - begun) * parts[stage] * share).isoformat()[:19] + "Z"}
        for stage in passed
    ]

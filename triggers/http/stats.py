"""Runs in figures: the last hours, and how long runs of each route usually take."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import azure.durable_functions as df
import azure.functions as func

from shared import clients
from shared.records import Run, moment, timestamp
from shared.views import median, percentile
from triggers.http.answers import READS, answered, ledger, number

bp = df.Blueprint()
PAST = 200
FRESH_FOR = 30.0
HOUR = timedelta(hours=1)
LOOKED_THROUGH = 1000
PAGES_AT_MOST = 20


@dataclass
class Past:
    """What was drawn from closed runs, and when: many look at the same page at a time."""

    at: float = -FRESH_FOR
    seconds: dict[str, float] = field(default_factory=dict)


past = Past()


def usual_seconds() -> dict[str, float]:
    """How long runs of each route have taken of late, from begin to close, by the median of those that ended well."""
    if time.monotonic() - past.at > FRESH_FOR:
        runs, _ = ledger().closed_runs(PAST)
        took = by_route(run for run in runs if run.outcome in ("succeeded", "partial") and run.rows)
        past.seconds = {name: median(seconds) for name, seconds in took.items()}
        past.at = time.monotonic()
    return past.seconds


def by_route(runs: Iterator[Run]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for run in runs:
        found.setdefault(run.route["name"], []).append(seconds_of(run.created_at, run.closed_at))
    return found


def seconds_of(begun_at: str, ended_at: str) -> float:
    return (moment(ended_at) - moment(begun_at)).total_seconds()


@bp.route(route="stats", methods=["GET"], auth_level=READS)
async def get_stats(req: func.HttpRequest) -> func.HttpResponse:
    """What was scored in the last hours, by the hour, and how long it took from drop to close. Query: `hours`."""
    return await answered(lambda: stats(number(req.params, "hours", 24, 168)))


@dataclass
class Bucket:
    """The runs that closed within one hour."""

    at: datetime
    runs: list[Run] = field(default_factory=list)

    def shown(self) -> dict[str, Any]:
        took = [seconds_of(began(run), run.closed_at) for run in self.runs]
        return {
            "at": timestamp(self.at),
            "runs": len(self.runs),
            "files": sum(run.files for run in self.runs),
            "rows": sum(run.rows for run in self.runs),
            "failed": sum(run.words.get("failed", 0) for run in self.runs),
            "rejected": sum(run.words.get("rejected", 0) for run in self.runs),
            "p50_seconds": percentile(took, 0.5) if took else None,
            "p95_seconds": percentile(took, 0.95) if took else None,
        }


def began(run: Run) -> str:
    """When the wait for a run's files began: files that somebody asked for by name may have lain there for long."""
    return run.created_at if run.slot is None else run.oldest or run.created_at


def stats(hours: int) -> dict[str, Any]:
    """The figures of the last hours. A run is counted in the hour in which it closed."""
    now = clients.now()
    last = now.replace(minute=0, second=0, microsecond=0)
    buckets = {last - HOUR * back: Bucket(last - HOUR * back) for back in reversed(range(hours))}
    runs = list(runs_since(min(buckets)))
    for run in runs:
        hour = moment(run.closed_at).astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        if hour in buckets:
            buckets[hour].runs.append(run)
    usual = usual_seconds()
    return {
        "from": timestamp(min(buckets)),
        "to": timestamp(now),
        "step_seconds": int(HOUR.total_seconds()),
        "buckets": [bucket.shown() for bucket in buckets.values()],
        "routes": {
            name: {"runs": len(took), "typical_seconds": usual.get(name)}
            for name, took in by_route(iter(runs)).items()
        },
    }


def runs_since(begin: datetime) -> Iterator[Run]:
    """The runs that closed since. Of those that were begun a day before that, none is looked at any more."""
    token, oldest = "", timestamp(begin - timedelta(days=1))
    for _ in range(PAGES_AT_MOST):
        page, token = ledger().closed_runs(LOOKED_THROUGH, token)
        yield from (run for run in page if run.closed_at >= timestamp(begin))
        if not token or page[-1].created_at < oldest:
            return

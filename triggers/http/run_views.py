"""Runs as they stand: one, its files, lists of them, and the last day in figures."""

import binascii
import json
import time as clock
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, get_args

import azure.durable_functions as df
import azure.functions as func
from azure.core.exceptions import HttpResponseError

from shared import clients
from shared.records import Launch, Outcome, Run, Verdict, Word, moment, timestamp
from shared.views import detail, file_entry, median, percentile, summary
from triggers.http.answers import (
    READS,
    BadRequest,
    answered,
    api_url,
    choice,
    found_run,
    ledger,
    number,
    time,
)

bp = df.Blueprint()
FILES_WITH_A_RUN = 100
LOOKED_THROUGH = 1000
PAGES_AT_MOST = 10
PAST = 200
FRESH_FOR = 30.0
HOUR = timedelta(hours=1)


@bp.route(route="runs", methods=["GET"], auth_level=READS)
async def list_runs(req: func.HttpRequest) -> func.HttpResponse:
    """Runs, newest first: open ones (all on the first page), then closed ones.

    Query: `state` (open or closed), `route`, `outcome`, `since`, `until` (of the run's beginning), `limit`, `after`.
    """
    return await answered(lambda: listed(Wanted.of(req.params), api_url(req)))


@dataclass(frozen=True)
class Wanted:
    """Which runs a list shows. `token` and `skip` say where to go on among the closed ones."""

    state: str
    route: str
    outcome: str
    since: str
    until: str
    limit: int
    token: str
    skip: int

    @classmethod
    def of(cls, query: Mapping[str, str]) -> "Wanted":
        token, skip = place(query.get("after", ""))
        return cls(
            state=choice(query, "state", ("open", "closed")),
            route=query.get("route", ""),
            outcome=choice(query, "outcome", get_args(Outcome)),
            since=time(query, "since"),
            until=time(query, "until"),
            limit=number(query, "limit", 50, 200),
            token=token,
            skip=skip,
        )

    @property
    def first(self) -> bool:
        return not self.token and not self.skip

    @property
    def filtered(self) -> bool:
        return bool(self.route or self.outcome or self.until)

    def fits(self, run: Run) -> bool:
        return (
            (not self.route or run.route["name"] == self.route)
            and (not self.outcome or run.outcome == self.outcome)
            and (not self.since or run.created_at >= self.since)
            and (not self.until or run.created_at <= self.until)
        )


def place(cursor: str) -> tuple[str, int]:
    """Where a list goes on. Raises BadRequest for what no list has given."""
    if not cursor:
        return "", 0
    try:
        token, skip = json.loads(urlsafe_b64decode(cursor.encode("ascii")))
        if isinstance(token, str) and type(skip) is int and skip >= 0:
            return token, skip
    except (ValueError, TypeError, binascii.Error, RecursionError):
        pass
    raise BadRequest(400, "bad-query", "after: write what `next` of the page before said.")


def cursor(token: str, skip: int) -> str:
    return urlsafe_b64encode(json.dumps([token, skip]).encode()).decode()


def listed(wanted: Wanted, base: str) -> dict[str, Any]:
    """One page of runs."""
    opened = open_runs()
    shown = [run for run in opened if wanted.fits(run)] if wanted.state != "closed" and wanted.first else []
    following: str | None = None
    if wanted.state != "open":
        closed, following = closed_page(wanted, {run.run for run in opened})
        shown += closed
    usual = usual_seconds()
    return {
        "runs": [{**summary(run, usual), "url": f"{base}/runs/{run.run}"} for run in shown],
        "next": following,
    }


def open_runs() -> list[Run]:
    """The runs that are announced and not closed, the last begun first."""
    announced = list(ledger().announced())
    records = clients.in_parallel(lambda one: ledger().run(one[0].run) or begun(*one), announced)
    return sorted(
        (run for run in records if run.stage != "closed"), key=lambda run: run.created_at, reverse=True
    )


def begun(launch: Launch, since: str) -> Run:
    """A run whose record is about to be written."""
    route = {"name": launch.route}
    return Run(run=launch.run, launch=launch.launch, route=route, slot=launch.slot, created_at=since)


def closed_page(wanted: Wanted, opened: set[str]) -> tuple[list[Run], str | None]:
    """Up to `limit` closed runs that fit, and where to go on. A filter looks through a limited number of runs."""
    size = LOOKED_THROUGH if wanted.filtered else wanted.limit
    found: list[Run] = []
    token, skip = wanted.token, wanted.skip
    for _ in range(PAGES_AT_MOST):
        page, following = closed_runs(size, token)
        for position, run in enumerate(page[skip:], skip + 1):
            if wanted.since and run.created_at < wanted.since:
                return found, None
            if run.run not in opened and wanted.fits(run):
                found.append(run)
            if len(found) == wanted.limit:
                return found, after(position, len(page), token, following)
        if not following:
            return found, None
        token, skip = following, 0
    return found, cursor(token, 0)


def after(position: int, size: int, token: str, following: str) -> str | None:
    if position < size:
        return cursor(token, position)
    return cursor(following, 0) if following else None


def closed_runs(size: int, token: str) -> tuple[list[Run], str]:
    """As the ledger's. Raises BadRequest where storage does not take the token."""
    try:
        return ledger().closed_runs(size, token)
    except HttpResponseError as problem:
        if problem.status_code != 400:
            raise
        raise BadRequest(400, "bad-query", "after: write what `next` of the page before said.") from None


@dataclass
class Past:
    """What was drawn from closed runs, and when: many look at the same page at a time."""

    at: float = -FRESH_FOR
    seconds: dict[str, float] = field(default_factory=dict)


past = Past()


def usual_seconds() -> dict[str, float]:
    """How long runs of each route have taken of late, from begin to close, by the median of those that ended well."""
    if clock.monotonic() - past.at > FRESH_FOR:
        runs, _ = ledger().closed_runs(PAST)
        took = by_route(run for run in runs if run.outcome in ("succeeded", "partial") and run.rows)
        past.seconds = {name: median(seconds) for name, seconds in took.items()}
        past.at = clock.monotonic()
    return past.seconds


def by_route(runs: Iterator[Run]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for run in runs:
        found.setdefault(run.route["name"], []).append(seconds_of(run.created_at, run.closed_at))
    return found


def seconds_of(begun_at: str, ended_at: str) -> float:
    return (moment(ended_at) - moment(begun_at)).total_seconds()


@bp.route(route="runs/{run}", methods=["GET"], auth_level=READS)
async def get_run(req: func.HttpRequest) -> func.HttpResponse:
    """The run's record, its stages with their times, and the first of its files."""
    return await answered(lambda: run_shown(req.route_params["run"], api_url(req)))


def run_shown(name: str, base: str) -> dict[str, Any]:
    run = found_run(name)
    files = files_of(run)
    more = len(files) > FILES_WITH_A_RUN
    return {
        **detail(run, usual_seconds()),
        "url": f"{base}/runs/{run.run}",
        "results": [file_entry(one) for one in files[:FILES_WITH_A_RUN]],
        "results_next": FILES_WITH_A_RUN if more else None,
    }


@bp.route(route="runs/{run}/files", methods=["GET"], auth_level=READS)
async def get_run_files(req: func.HttpRequest) -> func.HttpResponse:
    """The files of a run with their words, some at a time. Query: `word`, `limit`, `after`."""
    return await answered(partial(run_files, req.route_params["run"], req.params))


def run_files(name: str, query: Mapping[str, str]) -> dict[str, Any]:
    word = choice(query, "word", get_args(Word))
    limit, first = number(query, "limit", 100, 1000), number(query, "after", 0, 10**8, least=0)
    files = [one for one in files_of(found_run(name)) if not word or one.word == word]
    page = files[first : first + limit]
    following = first + limit if first + limit < len(files) else None
    return {"files": [file_entry(one) for one in page], "next": following, "total": len(files)}


def files_of(run: Run) -> list[Verdict]:
    """The final words of the run's files; before there are any, its files without a word."""
    if run.result is not None:
        return ledger().results(run)
    sealed = ledger().sealed(run.run) or (ledger().planned(run.run) or [] if run.slot is None else [])
    return [Verdict(version=version.key, blob=version.blob) for version in sealed]


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
        took = [seconds_of(run.oldest or run.created_at, run.closed_at) for run in self.runs]
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
    for _ in range(PAGES_AT_MOST * 2):
        page, token = ledger().closed_runs(LOOKED_THROUGH, token)
        yield from (run for run in page if run.closed_at >= timestamp(begin))
        if not token or page[-1].created_at < oldest:
            return

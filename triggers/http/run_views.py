"""Runs as they stand: lists of them, one, its files."""

import binascii
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, get_args

import azure.durable_functions as df
import azure.functions as func
from azure.core.exceptions import HttpResponseError

from shared import clients, work
from shared.ledger_keys import closed_key
from shared.records import Launch, Outcome, Run, Verdict, Word
from shared.views import detail, file_entry, summary
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
from triggers.http.stats import usual_seconds

bp = df.Blueprint()
FILES_WITH_A_RUN = 100
LOOKED_THROUGH = 1000
PAGES_AT_MOST = 10


@bp.route(route="runs", methods=["GET"], auth_level=READS)
async def list_runs(req: func.HttpRequest) -> func.HttpResponse:
    """Runs, newest first: open ones (all on the first page), then closed ones.

    Query: `state` (open or closed), `route`, `outcome`, `since`, `until` (of the run's beginning), `limit`, `after`.
    """
    return await answered(lambda: listed(Wanted.of(req.params), api_url(req)))


@dataclass(frozen=True)
class Wanted:
    """Which runs a list shows. It goes on at the storage's `token`, behind the entry `last` of the index."""

    state: str
    route: str
    outcome: str
    since: str
    until: str
    limit: int
    token: str
    last: str

    @classmethod
    def of(cls, query: Mapping[str, str]) -> "Wanted":
        token, last = place(query.get("after", ""))
        return cls(
            state=choice(query, "state", ("open", "closed")),
            route=query.get("route", ""),
            outcome=choice(query, "outcome", get_args(Outcome)),
            since=time(query, "since"),
            until=time(query, "until"),
            limit=number(query, "limit", 50, 200),
            token=token,
            last=last,
        )

    @property
    def first(self) -> bool:
        return not self.token and not self.last

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


def place(cursor: str) -> tuple[str, str]:
    """Where a list goes on. Raises BadRequest for what no list has given."""
    if not cursor:
        return "", ""
    try:
        token, last = json.loads(urlsafe_b64decode(cursor.encode("ascii")))
        if isinstance(token, str) and isinstance(last, str):
            return token, last
    except (ValueError, TypeError, binascii.Error, RecursionError):
        pass
    raise BadRequest(400, "bad-query", "after: write what `next` of the page before said.")


def cursor(token: str, last: str) -> str:
    return urlsafe_b64encode(json.dumps([token, last]).encode()).decode()


def listed(wanted: Wanted, base: str) -> dict[str, Any]:
    """One page of runs. One that is just being closed stands in both indexes, or in the open one alone."""
    announced = announced_runs()
    shown = []
    if wanted.first:
        states = {"open": (True,), "closed": (False,)}.get(wanted.state, (True, False))
        shown = [run for run in announced if (run.stage != "closed") in states and wanted.fits(run)]
    following: str | None = None
    if wanted.state != "open":
        closed, following = closed_page(wanted, {run.run for run in announced})
        shown += closed
    usual = usual_seconds()
    return {
        "runs": [{**summary(run, usual), "url": f"{base}/runs/{run.run}"} for run in shown],
        "next": following,
    }


def announced_runs() -> list[Run]:
    """The runs of the open index: the open ones, the last begun first, then those that are just being closed."""
    announced = list(ledger().announced())
    records = clients.in_parallel(lambda one: ledger().run(one[0].run) or begun(*one), announced)
    newest_first = sorted(records, key=lambda run: run.created_at, reverse=True)
    return sorted(newest_first, key=lambda run: run.stage == "closed")


def begun(launch: Launch, since: str) -> Run:
    """A run whose record is about to be written."""
    route = {"name": launch.route}
    return Run(run=launch.run, launch=launch.launch, route=route, slot=launch.slot, created_at=since)


def closed_page(wanted: Wanted, announced: set[str]) -> tuple[list[Run], str | None]:
    """Up to `limit` closed runs that fit, and where to go on. A filter looks through a limited number of runs."""
    size = LOOKED_THROUGH if wanted.filtered else wanted.limit
    found: list[Run] = []
    token, last = wanted.token, wanted.last
    for _ in range(PAGES_AT_MOST):
        page, following = closed_runs(size, token)
        # What has closed meanwhile stands before the entry where the page before ended.
        for run in (one for one in page if closed_key(one) > last):
            if wanted.since and run.created_at < wanted.since:
                return found, None
            last = closed_key(run)
            if run.run not in announced and wanted.fits(run):
                found.append(run)
            if len(found) == wanted.limit:
                ended = run is page[-1]
                return found, cursor(following if ended else token, last) if following or not ended else None
        if not following:
            return found, None
        token = following
    return found, cursor(token, last)


def closed_runs(size: int, token: str) -> tuple[list[Run], str]:
    """As the ledger's. Raises BadRequest where storage does not take the token."""
    try:
        return ledger().closed_runs(size, token)
    except HttpResponseError as problem:
        if problem.status_code != 400:
            raise
        raise BadRequest(400, "bad-query", "after: write what `next` of the page before said.") from None


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
    """The final words of the run's files; before there are any, its files, without a word but for those refused."""
    words = words_of(run)
    if run.result is not None:
        return words
    known = {word.version: word for word in words}
    sealed = ledger().sealed(run.run) or (ledger().planned(run.run) or [] if run.slot is None else [])
    return [known.get(one.key, Verdict(version=one.key, blob=one.blob)) for one in sealed]


def words_of(run: Run) -> list[Verdict]:
    """The words of the run's files that are certain: all of them, or those that pack has given by now."""
    worded = run.result is not None or run.stage == "closed"
    return ledger().results(run) if worded else work.checked(run)

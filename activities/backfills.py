"""Backfill: what lies below a prefix is scored again, some files at a time, one run after the other."""

import asyncio
import logging
from collections.abc import Iterator
from itertools import islice
from typing import Any

import azure.durable_functions as df
from azure.core.exceptions import AzureError

from activities.inbox import versions_below
from activities.runs import open_asked, start, within_a_run
from shared import clients
from shared.current_routes import route_named
from shared.errors import RouteError
from shared.names import run_of_idempotency_key
from shared.records import Backfill, Launch, Run, Version
from shared.routes import Route
from shared.telemetry import traced

log = logging.getLogger(__name__)
bp = df.Blueprint()
FILES_OF_A_RUN = 1000
GOOD = ("succeeded", "partial", "released", "empty")
IN_VAIN = 3


@bp.activity_trigger(input_name="message")
@bp.durable_client_input(client_name="client")
@traced
async def backfill_portion(message: dict, client: Any) -> dict[str, Any]:
    """Starts a run for the next files, once the run before has closed. Key: the backfill and the portion's number.

    Returns the backfill as it stands then; unchanged, where it has to wait.
    """
    backfill = Backfill.from_dict(message)
    following, launches = await asyncio.to_thread(portion, backfill)
    await start(client, launches)
    return following.to_dict()


def portion(backfill: Backfill) -> tuple[Backfill, list[Launch]]:
    """The next run, unless it has to wait for the last one, for a route that is held, or for storage."""
    try:
        ledger, route = clients.ledger(), route_named(backfill.route)
        last = ledger.run(backfill.runs[-1]) if backfill.runs else None
        if (last is not None and last.stage != "closed") or ledger.held(route):
            return backfill, []
        backfill = judged(backfill, last)
        return (backfill, []) if backfill.done else begun(backfill, route)
    except (AzureError, RouteError) as problem:
        log.warning("backfill %s: tried again later, for %s", backfill.id, type(problem).__name__)
        return backfill, []


def judged(backfill: Backfill, last: Run | None) -> Backfill:
    """What has become of the last run: its files once more where it gave them back, the end after some in vain."""
    if last is None or backfill.judged == backfill.portions:
        return backfill
    backfill = backfill.but(judged=backfill.portions)
    if last.outcome == "released" and backfill.force:
        return backfill.but(last=backfill.before, files=backfill.files - last.files)
    vain = 0 if last.outcome in GOOD else backfill.vain + 1
    why = f"{vain} runs in a row were in vain, the last was {last.run}" if vain >= IN_VAIN else ""
    return backfill.but(vain=vain, why=why, done=bool(why))


def begun(backfill: Backfill, route: Route) -> tuple[Backfill, list[Launch]]:
    run = run_of_idempotency_key(f"backfill/{backfill.id}/{backfill.portions}")
    versions = clients.ledger().planned(run) or taken(route, backfill)
    if not versions:
        return backfill.but(done=True), []
    launch = Launch(run=run, launch=1, route=route.name, force=backfill.force)
    versions, fresh = open_asked(launch, route, versions)
    log.info("backfill %s: run %s, %d files of route %s", backfill.id, run, len(versions), route.name)
    return backfill.after_run(run, versions), [launch] if fresh else []


def taken(route: Route, backfill: Backfill) -> list[Version]:
    """The next files, as many as one run takes and a minute allows; those scored before only by `force`."""
    most = min(FILES_OF_A_RUN, route.max_files, backfill.per_minute) if route.shares_jobs else 1
    return within_a_run(list(islice(left(route, backfill), most)), route)


def left(route: Route, backfill: Backfill) -> Iterator[Version]:
    """The files that are still to be scored, in the order of their names."""
    known = set() if backfill.force else clients.ledger().known_versions()
    for version in versions_below(backfill.prefix, route):
        if version.blob > backfill.last and version.key not in known:
            yield version

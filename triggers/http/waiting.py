"""What waits, over HTTP: for each route, and for what one file waits."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import azure.durable_functions as df
import azure.functions as func

from shared import clients
from shared.current_routes import current_routes
from shared.file_views import Waiting
from shared.ledger_slots import LONGEST_HOLD
from shared.records import Hold, Version, moment
from shared.routes import Route
from shared.schedule import last_due, next_due
from triggers.http.answers import READS, answered, ledger, number, usable_routes

bp = df.Blueprint()
# A list that took a second to read is good for ten: whoever looks must not take the time of those who score.
KEPT_FOR = 10
KEPT_AT_MOST = 30.0


@dataclass(frozen=True)
class Kept:
    """What waited for a route, and until when that is good enough to be shown."""

    versions: list[Version]
    until: float


kept: dict[str, Kept] = {}


def waiting(route: str) -> list[Version]:
    """What waits for a route, the first dropped first; for many files not of this very moment."""
    begun = time.monotonic()
    if route not in kept or kept[route].until < begun:
        versions = ledger().waiting(route)
        took = time.monotonic() - begun
        kept[route] = Kept(versions, begun + took + min(took * KEPT_FOR, KEPT_AT_MOST))
    return kept[route].versions


@bp.route(route="waiting", methods=["GET"], auth_level=READS)
async def get_waiting(req: func.HttpRequest) -> func.HttpResponse:
    """The files that wait, the first dropped first. Query: `route`, `limit`."""
    return await answered(lambda: all_waiting(req.params))


def all_waiting(query: Mapping[str, str]) -> dict[str, Any]:
    limit, wanted = number(query, "limit", 100, 1000), query.get("route", "")
    names = [route.name for route in usable_routes().routes if not wanted or route.name == wanted]
    found = sorted((one for name in names for one in waiting(name)), key=lambda one: (one.modified, one.key))
    shown = [
        {"file": one.blob, "route": one.route, "since": one.modified, "size": one.size}
        for one in found[:limit]
    ]
    return {"waiting": shown, "total": len(found)}


def waiting_of(version: Version) -> Waiting:
    """What a version that waits is waiting for."""
    route = current_routes().named(version.route)
    ahead = sum(one.modified < version.modified for one in waiting(version.route))
    if route is None:
        return Waiting(version.modified, ahead, 0, 0, f"there is no route {version.route} any more", None)
    hold = refused(route)
    busy = sum(1 for _ in ledger().held_slots(route))
    due = next_due(route.schedule, clients.now()) if waits_for_its_time(version, route) else None
    return Waiting(version.modified, ahead, busy, route.max_jobs, hold.why if hold else None, due)


def waits_for_its_time(version: Version, route: Route) -> bool:
    """Whether the route has not been due since the version was dropped."""
    return bool(route.schedule) and moment(version.modified) > last_due(route.schedule, clients.now())


def refused(route: Route) -> Hold | None:
    """The route's hold, also while it is lifted for the next try: that may be turned away as the last one was."""
    hold = ledger().last_hold(route.name)
    if hold is None or hold.target != route.target:
        return None
    # One that nobody has tried after stays: it says nothing of today.
    over = hold.lifted and clients.now() - moment(hold.until) > LONGEST_HOLD
    return None if over else hold

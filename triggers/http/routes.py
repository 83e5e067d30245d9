"""The routes over HTTP: those in force, checked, set, changed key by key, rolled back."""

from collections.abc import Callable
from typing import Any

import azure.durable_functions as df
import azure.functions as func

from shared import clients, route_history
from shared.current_routes import current_routes, loaded
from shared.errors import RouteError
from shared.ledger_slots import Slots
from shared.names import bare_etag
from shared.records import Version, timestamp
from shared.route_history import ChangedMeanwhile, Text
from shared.routes import Route, Routes
from shared.schedule import next_due
from triggers.http.answers import (
    READS,
    Answer,
    BadRequest,
    answered,
    json_object,
    ledger,
    toml_body,
    usable_routes,
)
from triggers.http.stats import usual_seconds
from triggers.http.waiting import waiting

bp = df.Blueprint()
# Without an ETag: kept by an earlier process, for neither the blob nor the package can be used.
SOURCES = {"packaged": "packaged", "": "last-good"}
SHOWN = ("name", "pattern", "model", "deployment", "match", "schedule", "after", "deadline", "max_jobs")


@bp.route(route="routes", methods=["GET"], auth_level=READS)
async def list_routes(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001
    """The routes in force, what waits for each, and how many of its jobs are busy."""
    return await answered(in_force)


def in_force() -> dict[str, Any]:
    routes = usable_routes()
    usual = usual_seconds()
    return {
        "source": SOURCES.get(loaded.etag, "blob"),
        "etag": bare_etag(loaded.etag),
        "problem": loaded.problem or None,
        "routes": clients.in_parallel(lambda route: shown(route, usual), routes.routes),
    }


def shown(route: Route, usual: dict[str, float]) -> dict[str, Any]:
    """One route with its state."""
    now = clients.now()
    return {
        **{key: getattr(route, key) for key in SHOWN},
        "next_due": timestamp(next_due(route.schedule, now)) if route.schedule else None,
        "typical_seconds": usual.get(route.name),
        **busy(route, ledger(), waiting(route.name)),
    }


def busy(route: Route, slots: Slots, versions: list[Version]) -> dict[str, Any]:
    hold = slots.held(route)
    return {
        "busy": sum(1 for _ in slots.held_slots(route)),
        "waiting": len(versions),
        "oldest_waiting": versions[0].modified if versions else None,
        "held": {"why": hold.why, "until": hold.until} if hold else None,
    }


# The text may hold addresses of webhooks, which often are secrets: reading it always asks for a key.
@bp.route(route="routes.toml", methods=["GET"])
async def get_routes_text(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001
    """The text of the routes, as it stands."""
    return await answered(text_answer)


def text_answer() -> Answer:
    standing = standing_text()
    headers = {"ETag": f'"{bare_etag(standing.etag)}"'}
    return Answer(standing.text.encode(), 200, headers, "text/plain; charset=utf-8")


def standing_text() -> Text:
    try:
        return route_history.standing_text()
    except RouteError as problem:
        raise BadRequest(503, "no-routes", str(problem)) from problem


@bp.route(route="routes/check", methods=["POST"])
async def check_routes(req: func.HttpRequest) -> func.HttpResponse:
    """Whether a text could be the routes, and what it would change. Nothing is changed."""
    return await answered(lambda: check(toml_body(req)))


def check(text: str) -> dict[str, Any]:
    try:
        found = route_history.checked(text)
    except RouteError as problem:
        return {"valid": False, "problems": lines_of(problem), "changes": []}
    return {"valid": True, "problems": [], "changes": route_history.changes(usable_routes(), found)}


def lines_of(problem: RouteError) -> list[str]:
    """The problems of a text, one each, without the line that introduces them."""
    lines = [line.strip() for line in str(problem).splitlines()]
    return lines[1:] or lines


@bp.route(route="routes.toml", methods=["PUT"])
async def put_routes(req: func.HttpRequest) -> func.HttpResponse:
    """Makes a text the routes. `If-Match`: only where they still have this ETag."""
    return await answered(lambda: set_text(toml_body(req), req.headers.get("If-Match", "")))


def set_text(text: str, expected: str = "") -> dict[str, Any]:
    standing = standing_text()
    if expected not in ("", "*") and bare_etag(expected) != bare_etag(standing.etag):
        raise changed_meanwhile()
    return changed(standing, text)


def changed(standing: Text, text: str) -> dict[str, Any]:
    """The change that was made. Raises BadRequest where the text cannot be the routes."""
    try:
        after = route_history.checked(text)
    except RouteError as problem:
        told = "The routes stay as they are: the text has problems."
        raise BadRequest(422, "bad-routes", told, problems=lines_of(problem)) from None
    before = routes_before()
    try:
        name, etag = route_history.put(text, standing)
    except ChangedMeanwhile:
        raise changed_meanwhile() from None
    # In force at once, and so kept as the last good ones, before somebody spoils the text.
    after = routes_before()
    return {"id": name, "etag": etag, "changes": route_history.changes(before, after)}


def routes_before() -> Routes:
    """What was in force; nothing where nothing could be."""
    try:
        return current_routes()
    except RouteError:
        return Routes(())


def changed_meanwhile() -> BadRequest:
    return BadRequest(
        412, "changed-meanwhile", "The routes have been changed since you read them: read them again."
    )


@bp.route(route="routes/{route}", methods=["PATCH"])
async def change_route(req: func.HttpRequest) -> func.HttpResponse:
    """Changes keys of one route, such as its model; null takes a key out. The rest of the text stays as it is."""
    return await answered(lambda: changed_keys(req.route_params["route"], keys_asked(req)))


def keys_asked(req: func.HttpRequest) -> dict[str, Any]:
    keys = tuple(key for key in Route.__dataclass_fields__ if key != "name")
    values = json_object(req, '{"model": "https://…"}', keys)
    if not values:
        raise BadRequest(400, "bad-body", 'Send the keys to change, such as {"model": "https://…"}.')
    return values


def changed_keys(route: str, values: dict[str, Any]) -> dict[str, Any]:
    standing = standing_text()
    try:
        text = route_history.edited(standing.text, route, values)
    except KeyError:
        known = ", ".join(one.name for one in usable_routes().routes)
        raise BadRequest(
            404, "no-such-route", f'There is no route "{route}"; the routes are: {known}.'
        ) from None
    except ValueError as problem:
        told = (
            f"config/routes.toml is not TOML ({problem}): put a whole text, or roll back to an earlier one."
        )
        raise BadRequest(422, "bad-routes", told, problems=[]) from None
    return changed(standing, text)


@bp.route(route="routes/history", methods=["GET"], auth_level=READS)
async def list_history(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001
    """The texts that the routes had, newest first."""
    return await answered(history)


def history() -> dict[str, Any]:
    standing = standing_text().text
    names = route_history.history()
    current = next((name for name in names if route_history.text_of(name) == standing), None)
    entries = [
        {"id": name, "at": timestamp(route_history.moment_of(name)), "current": name == current}
        for name in names
    ]
    return {"history": entries}


@bp.route(route="routes/rollback", methods=["POST"])
async def roll_back(req: func.HttpRequest) -> func.HttpResponse:
    """Makes an earlier text the routes again: that of the id `to`, or the one before the present one."""
    return await answered(lambda: rolled_back(json_object(req, '{"to": "…"}', ("to",)).get("to", "")))


def rolled_back(to: Any) -> dict[str, Any]:
    if not isinstance(to, str):
        raise BadRequest(400, "bad-body", "to is the id of a text in the history.")
    standing = standing_text()
    text = route_history.text_of(to) if to else the_one_before(standing.text, route_history.text_of)
    if text is None:
        raise BadRequest(404, "no-such-version", f"The history has no text {to}.")
    return changed(standing, text)


def the_one_before(standing: str, text_of: Callable[[str], str | None]) -> str:
    for name in route_history.history():
        text = text_of(name)
        if text is not None and text != standing and check(text)["valid"]:
            return text
    raise BadRequest(409, "nothing-to-roll-back", "The routes have never had another text.")

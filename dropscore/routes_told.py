"""What is told of the routes: which are in force, what holds them, what a change has changed."""

import json
from datetime import timedelta
from typing import Any

from rich.console import RenderableType

from dropscore.api import Api, Document
from dropscore.errors import Problem
from dropscore.plain import ago, lasting, prose
from dropscore.screen import pairs
from dropscore.session import Session

COLUMNS = ("route", "pattern", "waiting", "busy", "takes", "next", "model")
# More of a reason is no cell of a table any more; the whole of it stands below.
SHORT = 40
MEND = "mend it: `dropscore routes show > routes.toml`, edit, `dropscore routes set routes.toml`"
MENDING = f"Take it back with `dropscore routes rollback`, or {MEND}"


def trouble(told: Document) -> list[str]:
    """Why the text that the app was given is not in force, one problem a line; [] where it is."""
    if not told["problem"]:
        return []
    return by_line(f"The routes in force are the last good ones: {told['problem']}")


def trouble_of(api: Api) -> list[str]:
    """The same, asked for beside something else: once, and what else may be wrong is not said here."""
    try:
        return trouble(api.document(api.accepted(api.once("GET", "routes", {}))))
    except Problem as problem:
        if problem.code == "unreachable":
            raise
        return no_routes(problem)


def no_routes(problem: Problem) -> list[str]:
    """What is told where there are not even last good routes."""
    return by_line(problem.message) if problem.code == "no-routes" else []


def by_line(text: str) -> list[str]:
    """The first line, and the others below it."""
    first, *others = text.splitlines()
    return [first, *(f"  {one.strip()}" for one in others)]


def row(session: Session, one: Document) -> tuple[object, ...]:
    """A route as a line of `routes list`."""
    return (
        one["name"],
        one["pattern"],
        one["waiting"] or "",
        f"{one['busy']} of {one['max_jobs']}",
        lasting(timedelta(seconds=one["typical_seconds"])) if one["typical_seconds"] else "",
        f"held: {short(why(one))}" if one["held"] else ago(one["next_due"], session.now()),
        one["model"],
    )


def holds(routes: list[Document]) -> list[str]:
    """The reasons that the table has cut."""
    long = [one for one in routes if short(why(one)) != why(one)]
    return ["", *(f"{one['name']} is held: {why(one)}" for one in long)] if long else []


def why(route: Document) -> str:
    return prose(route["held"]["why"]) if route["held"] else ""


def short(text: str) -> str:
    """The first words of a reason."""
    return text if len(text) <= SHORT else f"{text[: SHORT - 1].rstrip()}…"


def changes(told: Document, none: str = "Nothing changes.") -> list[RenderableType]:
    """What has changed or would, key by key; `none` where no key of a route does."""
    if not told["changes"]:
        return [none]
    shown: list[RenderableType] = []
    for one in told["changes"]:
        title = f"{one['route']}.{one['key']}" if one["key"] else str(one["route"])
        shown += [title, pairs([("  before", value(one["before"])), ("  after", value(one["after"]))])]
    return shown


def value(found: Any) -> str:
    """A value of a route, as JSON writes it; text as it stands."""
    if found is None:
        return "-"
    return found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)

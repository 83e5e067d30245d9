"""Query parameters of the durable HTTP API, read as by the extension: what cannot be parsed is as if not sent."""

from typing import Any

from aiohttp import web

from local.host.clock import to_epoch
from local.host.instances import Status

PAGE = 100


def flag(request: web.Request, name: str, *, default: bool = False) -> bool:
    """Return a parameter that is true or false."""
    text = request.query.get(name, "").strip().lower()
    return text == "true" if text in ("true", "false") else default


def seconds(request: web.Request, name: str) -> float | None:
    """Return a parameter that is a number of seconds, or None."""
    try:
        return float(request.query[name])
    except (KeyError, ValueError):
        return None


def page_size(request: web.Request) -> int:
    """Return how many instances a list may show at once."""
    text = request.query.get("top", "")
    return int(text) if text.isdecimal() and int(text) > 0 else PAGE


def created_from(request: web.Request) -> float | None:
    """Return the parameter createdTimeFrom in epoch seconds, or None."""
    return _moment(request, "createdTimeFrom")


def purge_filter(request: web.Request) -> tuple[str, list[Any]]:
    """Return the filters of a purge as an SQL condition and its values: times and statuses, never a prefix."""
    conditions, values = ["1=1"], list[Any]()
    for name, condition in (("createdTimeFrom", "created>=?"), ("createdTimeTo", "created<=?")):
        moment = _moment(request, name)
        if moment is not None:
            conditions.append(condition)
            values.append(moment)
    statuses = _statuses(request)
    if statuses:
        conditions.append(f"status in ({','.join('?' * len(statuses))})")
        values += statuses
    return " and ".join(conditions), values


def list_filter(request: web.Request) -> tuple[str, list[Any]]:
    """Return the filters of a list as an SQL condition and its values."""
    condition, values = purge_filter(request)
    prefix = request.query.get("instanceIdPrefix")
    if prefix is None:
        return condition, values
    return f"{condition} and substr(id, 1, ?)=?", [*values, len(prefix), prefix]


def _statuses(request: web.Request) -> list[str]:
    given = [name.strip() for text in request.query.getall("runtimeStatus", []) for name in text.split(",")]
    known = {*map(str, Status), "Canceled", "ContinuedAsNew", "Unknown"}
    return [name for name in given if name in known]


def _moment(request: web.Request, name: str) -> float | None:
    try:
        return to_epoch(request.query[name])
    except (KeyError, ValueError):
        return None

"""JSON bodies, read strictly: keys in any case, unknown ones refused, as the service's parsers do."""

from collections.abc import Iterable
from typing import Any

from .clock import duration_seconds


class InvalidBody(ValueError):
    """A body the service answers with 400; the message says which member, and what is expected."""


def members(document: object, known: Iterable[str], where: str) -> dict[str, Any]:
    """An object's members under their canonical names, in which keys of any case are led back.

    Raises InvalidBody for another thing than an object, and for a member that is not `known`.
    """
    if not isinstance(document, dict):
        raise InvalidBody(f"{where} is not an object")
    canonical = {name.lower(): name for name in known}
    for name in document:
        if name.lower() not in canonical:
            raise InvalidBody(f"Could not find member '{name}' on {where}")
    return {canonical[name.lower()]: value for name, value in document.items()}


def string(document: dict[str, Any], name: str) -> str | None:
    """A text, or None where it is not given."""
    value = document.get(name)
    if not isinstance(value, str | None):
        raise InvalidBody(f"{name} is {value!r}, not a string")
    return value


def required(document: dict[str, Any], name: str, where: str) -> str:
    """A text that must be there."""
    value = string(document, name)
    if not value:
        raise InvalidBody(f"{where}.{name} is missing")
    return value


def strings(document: dict[str, Any], name: str) -> dict[str, str]:
    """An object whose values are texts; empty where it is not given."""
    value = document.get(name) or {}
    if not isinstance(value, dict) or not all(isinstance(one, str) for one in value.values()):
        raise InvalidBody(f"{name} must be an object whose values are strings")
    return dict(value)


def integer(document: dict[str, Any], name: str, least: int) -> int | None:
    """A whole number of at least `least`, or None where it is not given."""
    value = document.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise InvalidBody(f"{name} is {value!r}; it must be a whole number of at least {least}")
    return value


def seconds(document: dict[str, Any], name: str, where: str) -> float | None:
    """The seconds of an ISO 8601 duration above zero, or None where it is not given."""
    value = document.get(name)
    if value is None:
        return None
    total = duration_seconds(value) if isinstance(value, str) else None
    if not total:
        raise InvalidBody(f"{where}.{name} is {value!r}; it must be an ISO 8601 duration such as PT5M")
    return total


def one_of(value: object, choices: Iterable[str], where: str) -> str:
    """The choice that `value` is in any case."""
    for choice in choices:
        if isinstance(value, str) and value.lower() == choice.lower():
            return choice
    raise InvalidBody(f"{where} {value!r} is not supported; use {' or '.join(choices)}")

"""What a column's cells must hold. A fault is told in words that follow the column's name, never with a value."""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import UTC, date, datetime
from functools import cache
from typing import Any

NUMERIC = ("number", "integer")
BOOLEANS = ("true", "false")
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
DATETIME = re.compile(
    DATE.pattern
    + r"(?:[T ](?:[01][0-9]|2[0-3]):[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?(?:Z|[+-][0-9]{2}:[0-9]{2})?)?"
)
LISTED = 8
SHORTHAND = 'a type such as "number", or a table such as { type = "number", min = 0 }'
Bound = float | str


def is_number(text: str) -> bool:
    """What both Python and pandas read as a finite number. Pandas takes whole numbers over 64 bits for text."""
    try:
        value = float(text)
    except ValueError:
        return False
    readable = "_" not in text and text.isascii() and math.isfinite(value)
    return readable and (abs(value) < 2**63 or not text.strip().lstrip("+-").isdigit())


def is_integer(text: str) -> bool:
    """What both Python and pandas read as a whole number of 64 bits."""
    digits = text.strip().lstrip("+-")
    return is_number(text) and digits.isdigit()


def is_boolean(text: str) -> bool:
    """What pandas reads as true or false, in whatever case."""
    return text.lower() in BOOLEANS


def is_date(text: str) -> bool:
    return DATE.fullmatch(text) is not None and moment(text) is not None


def is_datetime(text: str) -> bool:
    """ISO 8601: a date, or a date and a time, with or without seconds, fractions and an offset."""
    return DATETIME.fullmatch(text) is not None and moment(text) is not None


def moment(text: str) -> datetime | None:
    """The instant of a date or date and time; without an offset it counts as UTC. None where there is no such day."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Kind:
    """One type of column: what its cells must be, in which words they are not, and how they are compared."""

    holds: Callable[[str], bool]
    otherwise: str
    value: Callable[[str], Any] | None = None
    bounds: tuple[str, str] = ("is less than", "is more than")


KINDS = {
    "text": Kind(lambda _: True, ""),
    "number": Kind(is_number, "is not a number", float),
    "integer": Kind(is_integer, "is not a whole number", int),
    "boolean": Kind(is_boolean, "is neither true nor false"),
    "date": Kind(is_date, "is not a date, written as in 2024-12-31", moment, ("is before", "is after")),
    "datetime": Kind(
        is_datetime, "is not a time, written as in 2024-12-31T23:59:59", moment, ("is before", "is after")
    ),
}
EMPTY, BLANK = "is empty", "holds nothing but blanks"
COMMA, POINT = "is a number with a comma", "is a number with a point"


@dataclass(frozen=True)
class Rule:
    """What every cell of one column must hold. Docs: `docs/routes.md`.

    `min` and `max` are numbers, or ISO 8601 text for dates; `allowed` compares cells as they are written.
    `required`: the column must be there; `missing`: its cells may be empty; `unique`: over all rows of a run.
    """

    type: str = "text"
    required: bool = True
    missing: bool = False
    min: Bound | None = None
    max: Bound | None = None
    allowed: tuple[str, ...] = ()
    unique: bool = False

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Rule":
        """Builds the rule, ignoring keys that newer code may have added."""
        known = {entry.name for entry in fields(cls)} & set(data)
        return cls(**{**{key: data[key] for key in known}, "allowed": tuple(data.get("allowed", ()))})

    def fault(self, cell: str, decimal: str = ".") -> str:
        """What is wrong with the cell, such as "is not a number"; "" where nothing is."""
        if not cell:
            return "" if self.missing else EMPTY
        if not cell.strip() and not (self.type == "text" and self.missing):
            return BLANK if self.missing else EMPTY
        text = cell
        if self.type == "number":
            text, reason = with_point(cell, decimal)
            if reason:
                return reason
        kind = KINDS[self.type]
        if not kind.holds(text):
            return kind.otherwise
        if self.allowed and cell not in self.allowed:
            return none_of(self.allowed)
        return self.out_of_bounds(text)

    def out_of_bounds(self, text: str) -> str:
        kind = KINDS[self.type]
        if kind.value is None or (self.min is None and self.max is None):
            return ""
        value = kind.value(text)
        if self.min is not None and value < bound(self.type, self.min):
            return f"{kind.bounds[0]} {self.min}"
        if self.max is not None and value > bound(self.type, self.max):
            return f"{kind.bounds[1]} {self.max}"
        return ""


def with_point(cell: str, decimal: str) -> tuple[str, str]:
    """A number's cell with a decimal point, and the reason where it has the other sign."""
    other = "," if decimal == "." else "."
    if other in cell and is_number(cell.replace(",", ".")):
        return cell, COMMA if other == "," else POINT
    return cell.replace(decimal, "."), ""


def none_of(allowed: tuple[str, ...]) -> str:
    if len(allowed) > LISTED:
        return f"is none of the {len(allowed)} allowed values"
    return "is none of " + ", ".join(f'"{value}"' for value in allowed)


@cache
def bound(kind: str, limit: Bound) -> Any:
    """A limit as the cells of that type are compared with it."""
    return moment(str(limit)) if kind in ("date", "datetime") else limit


def rule_of(entry: str | Mapping[str, Any]) -> Rule:
    """The rule of a route's `columns` entry that has no problems. Text may be empty, unless its values are listed."""
    stated = {"type": entry} if isinstance(entry, str) else dict(entry)
    free_text = stated.get("type", "text") == "text" and not stated.get("allowed")
    return Rule.from_dict({"missing": free_text, **stated})


def as_json(entry: Any) -> Any:
    """A `columns` entry with the dates that TOML knows as text."""
    if isinstance(entry, dict):
        return {key: as_json(value) for key, value in entry.items()}
    if isinstance(entry, list):
        return [as_json(value) for value in entry]
    return entry.isoformat() if isinstance(entry, date) else entry


def entry_problems(entry: Any) -> Iterator[tuple[str, str]]:
    """Every reason why a `columns` entry is not a rule: its key at fault ("" for the entry), and what to write."""
    if not isinstance(entry, str | dict):
        yield "", f"must be {SHORTHAND}"
        return
    stated = {"type": entry} if isinstance(entry, str) else entry
    kind = stated.get("type", "text")
    if not isinstance(kind, str) or kind not in KINDS:
        yield (
            ("" if isinstance(entry, str) else "type"),
            "must be one of " + ", ".join(f'"{one}"' for one in KINDS),
        )
        return
    for key, value in stated.items():
        if problem := key_problem(key, value, kind):
            yield key, problem
    low, high = (
        bound(kind, stated[key]) if is_bound(stated.get(key), kind) else None for key in ("min", "max")
    )
    if low is not None and high is not None and low > high:
        yield "min", "is more than `max`"


def key_problem(key: str, value: Any, kind: str) -> str:
    """What is wrong with one key of a `columns` entry of type `kind`, or ""."""
    if key == "type":
        return ""
    if key in ("required", "missing", "unique"):
        return "" if isinstance(value, bool) else "must be true or false"
    if key == "allowed":
        listed = isinstance(value, list) and value and all(isinstance(one, str) for one in value)
        return "" if listed else "must be a list of texts in quotes"
    if key not in ("min", "max"):
        return "is not a key of a column; known are allowed, max, min, missing, required, type, unique"
    if KINDS[kind].value is None:
        return f'a column of type "{kind}" has no order; list the cells it may hold in `allowed`'
    expected = "a number" if kind in NUMERIC else 'a date such as "2024-12-31"'
    return "" if is_bound(value, kind) else f"must be {expected}"


def is_bound(value: Any, kind: str) -> bool:
    """Whether cells of that type can be compared with the value."""
    if kind in NUMERIC:
        return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= 1e308
    return kind in ("date", "datetime") and isinstance(value, str) and KINDS[kind].holds(value)

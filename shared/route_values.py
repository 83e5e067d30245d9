"""Which values of a route's keys do not go, or not with each other: each problem names the key and what to write."""

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from shared import schedule
from shared.column_rules import entry_problems
from shared.durations import parse_duration, parse_size
from shared.settings import WORKSPACE_FORM, is_workspace, trusted_url

if TYPE_CHECKING:
    from shared.routes import Route

CHOICES = {
    "match": ("order", "file", "row", "key", "files", "none", "auto"),
    "after": ("keep", "archive"),
    "column_order": ("any", "as-sent"),
    "bad_rows": ("reject", "set-aside"),
    "encoding": ("utf-8", "windows-1252", "iso-8859-1", "iso-8859-15"),
    "decimal": (".", ","),
}
WRITTEN: dict[str, Callable[[str], object]] = {
    "deadline": parse_duration,
    "part_timeout": parse_duration,
    "max_size": parse_size,
    "max_run_size": parse_size,
    "part_size": parse_size,
    "schedule": schedule.check,
}
DEPLOYMENT = re.compile(r"[A-Za-z0-9_-]{0,255}")
MAY_BE_EMPTY = ("part_timeout", "part_size", "schedule")
PART_SIZES = (1_000_000, 256_000_000)
# Marks of numbers, of parts' names and of quoted cells: between raw predictions they would be ambiguous.
WITHIN_RAW_CELLS = '"+-./_'


def value_problems(route: "Route") -> Iterator[str]:
    """Every reason why a route of the right form cannot be used."""
    if not trusted_url(route.model):
        yield "model: must be the endpoint's https scoring URL (http only for this machine)"
    if route.notify and not is_receiver(route.notify):
        yield "notify: must be an https address (http only for this machine) without a user name in it"
    if not DEPLOYMENT.fullmatch(route.deployment):
        yield "deployment: is a name of letters, digits, dashes and underscores"
    if route.workspace and not is_workspace(route.workspace):
        yield f"workspace: {WORKSPACE_FORM}"
    for key, allowed in CHOICES.items():
        if getattr(route, key) not in allowed:
            yield f"{key}: must be one of " + ", ".join(f'"{word}"' for word in allowed)
    yield from number_problems(route)
    yield from name_problems(route)
    yield from mark_problems(route)
    columns = list(column_problems(route))
    yield from columns or rule_problems(route)
    yield from match_problems(route)


def is_receiver(address: str) -> bool:
    return trusted_url(address) and urlsplit(address).username is None


def number_problems(route: "Route") -> Iterator[str]:
    """Counts, shares, durations, sizes and schedules."""
    if not 1 <= route.max_jobs <= 100:
        yield "max_jobs: must be between 1 and 100"
    if not 1 <= route.max_files <= 10_000:
        yield "max_files: must be between 1 and 10000"
    if not 0 < route.bad_rows_at_most <= 1:
        yield "bad_rows_at_most: must be a share of the rows, above 0 and at most 1, such as 0.05"
    for key, parse in WRITTEN.items():
        text = getattr(route, key)
        try:
            if text or key not in MAY_BE_EMPTY:
                parse(text)
        except ValueError as problem:
            yield f"{key}: {problem}"
        else:
            if key == "part_size" and text and not PART_SIZES[0] <= parse_size(text) <= PART_SIZES[1]:
                yield "part_size: must be between 1MB and 256MB"


def name_problems(route: "Route") -> Iterator[str]:
    """Lists of column names."""
    for key in ("send", "carry", "predictions"):
        names = getattr(route, key)
        if len(names) != len(set(names)):
            yield f"{key}: names a column twice"
    if not route.predictions:
        yield "predictions: name at least one predicted column"
    for name in sorted(set(route.carried) & set(route.predictions)):
        yield f'predictions: "{name}" is a carried column too; give the prediction another name'
    if route.column_order == "as-sent" and not route.send:
        yield "column_order: name the columns, in their order, in `send`"


def mark_problems(route: "Route") -> Iterator[str]:
    """The characters that files are written with."""
    if not is_mark(route.delimiter):
        yield 'delimiter: must be one character, such as "," or ";", and no letter, digit or line break'
    if route.quote and (not is_mark(route.quote) or route.quote.isspace()):
        yield 'quote: must be one character, such as \'"\', or "" where files have no quotes'
    if route.quote == route.delimiter:
        yield "delimiter: is the `quote`, too; it must be another character"
    if route.decimal == route.delimiter and not route.quote:
        yield "decimal: is the `delimiter`, too, and without a `quote` no number could be told from two"
    if route.raw_delimiter and (not is_mark(route.raw_delimiter) or route.raw_delimiter in WITHIN_RAW_CELLS):
        yield 'raw_delimiter: must be one character, such as "," or " ", that no number and no name of a part holds'


def is_mark(text: str) -> bool:
    return len(text) == 1 and text.isascii() and not text.isalnum() and text not in "\n\r\0"


def column_problems(route: "Route") -> Iterator[str]:
    """Entries of `columns` that are not rules."""
    for column, entry in route.columns.items():
        for key, problem in entry_problems(entry):
            yield f"columns.{column}{key and '.'}{key}: {problem}"


def rule_problems(route: "Route") -> Iterator[str]:
    """Rules that do not go with the route's other keys."""
    rules = route.rules
    for name in route.carry:
        if name in rules and not rules[name].required:
            yield f"columns.{name}.required: a carried column must be in every file"
    if len(route.unique) > 1:
        yield f"columns: only one column can be `unique`, not {' and '.join(route.unique)}; the key is unique anyway"
    if route.decimal == "," and not any(rule.type == "number" for rule in rules.values()):
        yield "decimal: name the columns that hold numbers in `columns`; only their cells are rewritten for the model"
    stated = route.columns.get(route.key, {})
    for key, wrong in (("missing", True), ("required", False), ("unique", False)):
        if isinstance(stated, dict) and stated.get(key) is wrong:
            yield f"columns.{route.key}.{key}: the key is in every file, never empty and unique"
    for name, rule in rules.items():
        if rule.unique and not rule.required and name != route.key:
            yield f"columns.{name}.required: a unique column must be in every file"


def match_problems(route: "Route") -> Iterator[str]:
    """What the form of the raw predictions does not allow."""
    if route.key and route.match != "key":
        yield f'key: only match = "key" has one, this route says "{route.match}"'
    if route.match == "key" and not route.key:
        yield 'key: match = "key" needs the name of the column that the raw predictions repeat'
    if route.key and route.send and route.key not in route.send:
        yield f'key: "{route.key}" is not among `send`; the model must get it to return it'
    if route.part_size and not route.cuts_files:
        yield f'part_size: with match = "{route.match}" a file stays in one part; leave it out'
    if route.also_raw and route.shares_jobs and route.match in ("row", "key"):
        yield (
            f'also_raw: with match = "{route.match}" raw predictions of several files stand mixed; set `max_files` to 1'
        )
    if route.match == "none" and route.carry:
        yield 'carry: with match = "none" no prediction belongs to a row, so that nothing can stand beside it'

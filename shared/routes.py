"""Routes: the rules that lead files to a model and predictions back. Pure: text in, checked values out."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, get_args, get_type_hints

from shared import schedule
from shared.durations import parse_duration, parse_size
from shared.errors import RouteError
from shared.records import Record
from shared.settings import WORKSPACE_FORM, is_workspace, trusted_url

NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")
COLUMN_TYPES = ("number", "text")
MATCHES = ("order", "file", "row")
AFTER = ("keep", "archive")


@dataclass(frozen=True, kw_only=True)
class Route(Record):
    """One route. Docs: `docs/routes.md`. Durations and sizes keep the text people wrote."""

    name: str
    pattern: str
    model: str
    datastore: str = "workspaceblobstore"
    workspace: str = ""
    deployment: str = ""
    send: tuple[str, ...] = ()
    carry: tuple[str, ...] = ()
    columns: dict[str, str] = field(default_factory=dict)
    predictions: tuple[str, ...] = ("prediction",)
    match: str = "order"
    delimiter: str = ","
    after: str = "keep"
    schedule: str = ""
    max_jobs: int = 1
    max_files: int = 10_000
    max_run_size: str = "2GB"
    max_size: str = "500MB"
    deadline: str = "12h"
    part_timeout: str = ""

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Route":
        """As `Record.from_dict`; JSON's lists become tuples again."""
        return super().from_dict({k: tuple(v) if isinstance(v, list) else v for k, v in data.items()})

    @property
    def shares_jobs(self) -> bool:
        """Whether raw predictions say which file they belong to, so that many files may go into one job."""
        return self.match != "order"

    @property
    def target(self) -> list[str]:
        """Everything that may turn a submission away."""
        return [self.model, self.deployment, self.datastore, self.workspace]

    def scoring(self) -> list[object]:
        """Everything that decides what a file's predictions look like."""
        return [
            *(self.model, self.deployment, self.send, self.carry),
            *(self.predictions, self.match, self.delimiter),
        ]

    def takes(self, blob: str) -> bool:
        return re.fullmatch(glob_expression(self.pattern), blob, re.DOTALL) is not None


def glob_expression(pattern: str) -> str:
    """`*` and `?` stay within a folder, `**` crosses folders."""
    wildcards = {"**": ".*", "*": "[^/]*", "?": "[^/]"}
    pieces = re.split(r"(\*\*|\*|\?)", pattern)
    return "".join(wildcards.get(piece, re.escape(piece)) for piece in pieces)


@dataclass(frozen=True)
class Routes:
    """All routes, in the order of the file: the first whose pattern fits a name takes it."""

    routes: tuple[Route, ...]

    def of(self, blob: str) -> Route | None:
        return next((route for route in self.routes if route.takes(blob)), None)

    def named(self, name: str) -> Route | None:
        return next((route for route in self.routes if route.name == name), None)


def parse_routes(text: str) -> Routes:
    """Reads `routes.toml`. Raises RouteError listing every problem by route and key."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        raise RouteError(f"routes.toml is not TOML: {problem}") from problem
    tables = document.pop("routes", {})
    problems = [f"{key}: routes stand in tables [routes.NAME]" for key in document]
    if not isinstance(tables, dict):
        problems, tables = ["routes: routes stand in tables [routes.NAME]"], {}
    routes = []
    for name, table in tables.items():
        found = list(problems_of(name, table))
        problems += [f"[routes.{name}] {problem}" for problem in found]
        if not found:
            routes.append(Route.from_dict({"name": name, **table}))
    if problems:
        raise RouteError("routes.toml is not usable:\n  " + "\n  ".join(problems))
    return Routes(tuple(routes))


def problems_of(name: str, table: Any) -> Iterator[str]:
    """Every reason why one table is not a route, each naming its key and what to write instead."""
    if not NAME.fullmatch(name):
        yield "name: use a lower-case letter, then letters, digits and dashes, at most 40"
    if not isinstance(table, dict):
        yield "must be a table of keys"
        return
    mistyped = list(type_problems(table))
    yield from mistyped
    if not mistyped:
        yield from value_problems(table)


def type_problems(table: dict[str, Any]) -> Iterator[str]:
    hints = get_type_hints(Route)
    known = {entry.name for entry in fields(Route)} - {"name"}
    for key in ("pattern", "model"):
        if not table.get(key):
            yield f"{key}: is required"
    for key, value in table.items():
        if key not in known:
            yield f"{key}: is not a key of a route; known are {', '.join(sorted(known))}"
        elif not fits(value, hints[key]):
            yield f"{key}: must be {described(hints[key])}"


def fits(value: Any, hint: Any) -> bool:
    match get_args(hint):
        case (_, ellipsis) if ellipsis is Ellipsis:
            return isinstance(value, list) and all(isinstance(item, str) and item for item in value)
        case (_, _):
            return isinstance(value, dict) and all(isinstance(item, str) for item in value.values())
        case _:
            return isinstance(value, hint) and not isinstance(value, bool)


def described(hint: Any) -> str:
    if hint in (int, str):
        return {int: "a whole number", str: "text in quotes"}[hint]
    return "a list of column names" if Ellipsis in get_args(hint) else 'a table such as { bmi = "number" }'


def value_problems(table: dict[str, Any]) -> Iterator[str]:
    if not trusted_url(table["model"]):
        yield "model: must be the endpoint's https scoring URL (http only for this machine)"
    if table.get("workspace") and not is_workspace(table["workspace"]):
        yield f"workspace: {WORKSPACE_FORM}"
    for key, allowed in (("match", MATCHES), ("after", AFTER)):
        if table.get(key, allowed[0]) not in allowed:
            yield one_of(key, allowed)
    yield from column_problems(table)
    if len(table.get("delimiter", ",")) != 1 or table.get("delimiter") in {'"', "\n", "\r"}:
        yield 'delimiter: must be one character, such as "," or ";"'
    if not 1 <= table.get("max_jobs", 1) <= 100:
        yield "max_jobs: must be between 1 and 100"
    if not 1 <= table.get("max_files", 1) <= 10_000:
        yield "max_files: must be between 1 and 10000"
    durations = (("deadline", parse_duration), ("part_timeout", parse_duration))
    sizes = (("max_size", parse_size), ("max_run_size", parse_size))
    for key, parse in (*durations, *sizes, ("schedule", schedule.check)):
        try:
            if table.get(key):
                parse(table[key])
        except ValueError as problem:
            yield f"{key}: {problem}"


def one_of(key: str, allowed: tuple[str, ...]) -> str:
    return f"{key}: must be one of " + ", ".join(f'"{word}"' for word in allowed)


def column_problems(table: dict[str, Any]) -> Iterator[str]:
    for column, kind in table.get("columns", {}).items():
        if kind not in COLUMN_TYPES:
            yield one_of(f"columns.{column}", COLUMN_TYPES)
    for key in ("send", "carry", "predictions"):
        names = table.get(key, [])
        if len(names) != len(set(names)):
            yield f"{key}: names a column twice"
    if "predictions" in table and not table["predictions"]:
        yield "predictions: name at least one predicted column"
    for name in sorted(set(table.get("carry", [])) & set(table.get("predictions", ["prediction"]))):
        yield f'predictions: "{name}" is a carried column too; give the prediction another name'

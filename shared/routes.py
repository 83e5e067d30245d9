"""Routes: the rules that lead files to a model and predictions back. Pure: text in, checked values out."""

import json
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, get_args, get_type_hints

from shared.column_rules import Rule, as_json, rule_of
from shared.errors import RouteError
from shared.names import usable
from shared.records import Record
from shared.route_values import value_problems
from shared.signatures import inputs_of

NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")
PATH = re.compile(r"[^/\\]+(?:/[^/\\]+)*")
LABELED = ("file", "row", "key")
SCORING_OPTIONS = ("quote", "encoding", "decimal", "key", "raw_delimiter", "bad_rows", "also_raw")


@dataclass(frozen=True, kw_only=True)
class Route(Record):
    """One route. Docs: `docs/routes.md`. Durations and sizes keep the text people wrote.

    What a model's signature says of its columns stands in `send` and `columns`, so that a route is whole without it.
    """

    name: str
    pattern: str
    model: str
    datastore: str = "workspaceblobstore"
    workspace: str = ""
    deployment: str = ""
    send: tuple[str, ...] = ()
    carry: tuple[str, ...] = ()
    columns: dict[str, Any] = field(default_factory=dict)
    column_order: str = "any"
    signature: str = ""
    predictions: tuple[str, ...] = ("prediction",)
    match: str = "order"
    key: str = ""
    raw_delimiter: str = ""
    also_raw: bool = False
    delimiter: str = ","
    quote: str = '"'
    encoding: str = "utf-8"
    decimal: str = "."
    bad_rows: str = "reject"
    bad_rows_at_most: float = 0.05
    after: str = "keep"
    schedule: str = ""
    max_jobs: int = 1
    max_files: int = 10_000
    max_run_size: str = "2GB"
    max_size: str = "500MB"
    part_size: str = ""
    deadline: str = "12h"
    part_timeout: str = ""
    notify: str = ""

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Route":
        """As `Record.from_dict`; JSON's lists become tuples again."""
        return super().from_dict({k: tuple(v) if isinstance(v, list) else v for k, v in data.items()})

    def frozen(self) -> dict[str, Any]:
        """What a run's record keeps, as it is read again: lists where the route has tuples.

        Not the address that is told, in which many receivers want a secret.
        """
        frozen: dict[str, Any] = json.loads(json.dumps({**self.to_dict(), "notify": ""}))
        return frozen

    @property
    def shares_jobs(self) -> bool:
        """Whether raw predictions say which file they belong to, so that many files may go into one job."""
        return self.match in (*LABELED, "files", "none") and self.max_files > 1

    @property
    def shares_parts(self) -> bool:
        """Whether many files may go into one part: where raw predictions say which row they belong to.

        Where they only stand in the rows' order, one file that lacks a row would shift the next one's. Nor where a
        file may yet be refused, once all unique cells of the run are known: its rows could not be taken out again.
        """
        return self.match == "row" and self.shares_jobs and not self.unique

    @property
    def cuts_files(self) -> bool:
        """Whether one file may become many parts."""
        return self.match in LABELED

    @property
    def carried(self) -> tuple[str, ...]:
        """The columns that go past the model into the predictions: a key is always among them.

        None where the model makes rows of its own.
        """
        if self.match == "none":
            return ()
        return self.carry if not self.key or self.key in self.carry else (self.key, *self.carry)

    @property
    def rules(self) -> dict[str, Rule]:
        """What cells must hold, by column. The cells of a key are never empty."""
        rules = {name: rule_of(entry) for name, entry in self.columns.items()}
        if self.key:
            stated = rules.get(self.key, Rule())
            rules[self.key] = replace(stated, missing=False, unique=True)
        return rules

    @property
    def unique(self) -> tuple[str, ...]:
        """The column, if there is one, whose cells differ in all rows of a run."""
        return tuple(name for name, rule in self.rules.items() if rule.unique)

    @property
    def target(self) -> list[str]:
        """Everything that may turn a submission away."""
        return target_of(self.to_dict())

    def scoring(self) -> list[object]:
        """Everything that decides what a file's predictions look like; options only where they are not the usual."""
        usual: list[object] = [
            *(self.model, self.deployment, self.send, self.carry),
            *(self.predictions, self.match, self.delimiter),
        ]
        options = {key: getattr(self, key) for key in SCORING_OPTIONS}
        unusual = {key: value for key, value in options.items() if value != getattr(Route, key)}
        if self.bad_rows != "reject" or self.decimal != ".":
            unusual["columns"] = {name: rule.to_dict() for name, rule in sorted(self.rules.items())}
        return [*usual, unusual] if unusual else usual

    def takes(self, blob: str) -> bool:
        return re.fullmatch(glob_expression(self.pattern), blob, re.DOTALL) is not None


def target_of(route: Mapping[str, Any]) -> list[str]:
    """A route's `target`, also of one that a run has frozen."""
    return [route.get(key, "") for key in ("model", "deployment", "datastore", "workspace")]


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
        """The first route that takes a name; None, too, for one that cannot be used."""
        return next((route for route in self.routes if route.takes(blob)), None) if usable(blob) else None

    def named(self, name: str) -> Route | None:
        return next((route for route in self.routes if route.name == name), None)


def no_signature(path: str) -> bytes:
    """Where no files lie beside the routes."""
    raise RouteError(f'there is no "{path}" beside the routes')


def parse_routes(text: str, read_signature: Callable[[str], bytes] = no_signature) -> Routes:
    """Reads `routes.toml`, and the signatures it names. Raises RouteError listing every problem by route and key."""
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
        route, found = route_of(name, table, read_signature)
        problems += [f"[routes.{name}] {problem}" for problem in found]
        routes += [route] if route else []
    if problems:
        raise RouteError("routes.toml is not usable:\n  " + "\n  ".join(problems))
    return Routes(tuple(routes))


def route_of(name: str, table: Any, read_signature: Callable[[str], bytes]) -> tuple[Route | None, list[str]]:
    """The route of one table, and every reason why it is none, each naming its key and what to write instead."""
    problems = list(form_problems(name, table))
    if problems:
        return None, problems
    route = Route.from_dict({"name": name, **table, "columns": as_json(table.get("columns", {}))})
    try:
        route = with_signature(route, read_signature) if route.signature else route
    except RouteError as problem:
        return None, [f"signature: {problem}"]
    return route, list(value_problems(route))


def with_signature(route: Route, read_signature: Callable[[str], bytes]) -> Route:
    """The route with the columns of its model's signature, where it says nothing else of them. Raises RouteError."""
    if not PATH.fullmatch(route.signature) or ".." in route.signature.split("/"):
        raise RouteError('must be a path beside the routes, such as "diabetes/MLmodel"')
    inputs = inputs_of(read_signature(route.signature))
    send = route.send or tuple(inputs)
    lacking = [name for name, entry in inputs.items() if entry["required"] and name not in send]
    if lacking:
        raise RouteError(f'the model requires "{lacking[0]}", which `send` does not name')
    return route.but(
        send=send, columns={**{name: inputs[name] for name in inputs if name in send}, **route.columns}
    )


def form_problems(name: str, table: Any) -> Iterator[str]:
    """Every reason why one table does not have the form of a route."""
    if not NAME.fullmatch(name):
        yield "name: use a lower-case letter, then letters, digits and dashes, at most 40"
    if isinstance(table, dict):
        yield from type_problems(table)
    else:
        yield "must be a table of keys"


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
            return isinstance(value, dict)
        case _:
            kinds = (int, float) if hint is float else (hint,)
            return isinstance(value, kinds) and (hint is bool or not isinstance(value, bool))


def described(hint: Any) -> str:
    plain = {int: "a whole number", float: "a number", bool: "true or false", str: "text in quotes"}
    if hint in plain:
        return plain[hint]
    return "a list of column names" if Ellipsis in get_args(hint) else 'a table such as { bmi = "number" }'

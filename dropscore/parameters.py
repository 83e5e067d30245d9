"""Values as they are typed: durations, key=value; names that can be completed."""

import re
import tomllib
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import click
from click.shell_completion import CompletionItem

from dropscore.api import Api
from dropscore.errors import Problem, Unusable
from dropscore.session import Session
from dropscore.where import place

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class Duration(click.ParamType[timedelta]):
    """`90s`, `30m`, `2h`, `1d` -> timedelta."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        if isinstance(value, timedelta):
            return value
        found = re.fullmatch(r"(\d{1,6})([smhd])", value.strip())
        if found is None:
            self.fail(f'"{value}" is no duration: write 90s, 30m, 2h or 1d.', param, ctx)
        return timedelta(seconds=int(found[1]) * SECONDS[found[2]])


class Since(click.ParamType[str]):
    """`2h` (ago) or `2026-11-21T08:00Z` -> `2026-11-21T08:00:00Z`; without a zone it is UTC."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if re.fullmatch(r"\d{1,6}[smhd]", value):
            past = Duration().convert(value, param, ctx)
            now = ctx.ensure_object(Session).now() if ctx else datetime.now(UTC)
            return stamp(now - past)
        try:
            found = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f'"{value}" is no time: write 2h, 2026-11-21 or 2026-11-21T08:00Z.', param, ctx)
        return stamp(found if found.tzinfo else found.replace(tzinfo=UTC))


def stamp(when: datetime) -> str:
    """As the API writes times."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class RouteName(click.ParamType[str]):
    """The name of a route, which the shell can complete."""

    name = "route"

    def shell_complete(
        self,
        ctx: click.Context,
        param: click.Parameter,  # noqa: ARG002
        incomplete: str,
    ) -> list[CompletionItem]:
        """Never an error: what cannot be asked for is not completed."""
        session = ctx.ensure_object(Session)
        try:
            api = Api(place(session.asked, session.environment, session.folders), session.sleep, hasty=True)
            names = [one["name"] for one in api.get("routes")["routes"]]
        except Problem:
            return []
        return [CompletionItem(name) for name in names if name.startswith(incomplete)]


def change(text: str) -> tuple[str, Any]:
    """`max_jobs=4` -> ("max_jobs", 4); what is no TOML value is text. Raises Unusable without `=`."""
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise Unusable("usage", f'"{text}" is not KEY=VALUE.', "`dropscore routes set diabetes max_jobs=4`")
    return key.strip(), toml_value(value.strip())


def toml_value(text: str) -> Any:
    """A number, true, a list or a table as TOML writes it; any other text as it stands; nothing is None."""
    if not text:
        return None
    try:
        found = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return text
    value = found["value"]
    return text if len(found) > 1 or isinstance(value, date | time) else value

"""`watch`: what waits, what runs, what closed, live."""

from collections.abc import Iterable

import click
from rich.console import Group, RenderableType
from rich.live import Live
from rich.text import Text

from dropscore.api import Document
from dropscore.application import Command
from dropscore.errors import NotNow, Unreachable
from dropscore.plain import ago, lasting, moment, plain, prose
from dropscore.runs import run_table, state
from dropscore.screen import table
from dropscore.session import Session, session

LAST_CLOSED = 8
MOST_OPEN = 50


@click.command(cls=Command)
@click.option(
    "--every",
    type=click.IntRange(1, 3600),
    default=3,
    show_default=True,
    metavar="SECONDS",
    help="How often to look.",
)
@click.option("--once", is_flag=True, help="Look once.")
def watch(every: int, once: bool) -> None:
    """Watch what waits, runs and has closed, live.

    Ctrl-C ends it. Where stdout is no terminal, and with --json, it looks once.
    """
    found = session()
    if once or found.as_json or not found.screen.out.is_terminal:
        document = looked(found)
        found.show(document, picture(found, document))
        return
    with Live(
        console=found.screen.out, auto_refresh=False, screen=False, vertical_overflow="ellipsis"
    ) as live:
        keep_looking(found, live, every)


def keep_looking(session: Session, live: Live, every: int) -> None:
    """Until Ctrl-C. An app that does not answer for a while is no reason to stop."""
    last: RenderableType = ""
    try:
        while True:
            footer = f"Every {every} s; Ctrl-C ends."
            try:
                last = picture(session, looked(session))
            except (Unreachable, NotNow) as problem:
                footer = f"{problem.message} Trying again."
            live.update(Group(last, Text(plain(footer), "dim")), refresh=True)
            session.sleep(every)
    except KeyboardInterrupt:
        return


def looked(session: Session) -> Document:
    api = session.api
    return Document(
        routes=api.get("routes")["routes"],
        open=api.get("runs", state="open", limit=MOST_OPEN)["runs"],
        closed=api.get("runs", state="closed", limit=LAST_CLOSED)["runs"],
    )


def picture(session: Session, seen: Document) -> RenderableType:
    width = session.screen.out.width
    parts: list[RenderableType] = [
        table(("route", "waiting", "oldest", "busy", "held"), waiting(session, seen["routes"]), width)
    ]
    parts += ["", Text("Under way", "bold")]
    parts.append(
        table(
            ("run", "route", "stage", "files", "rows", "since", "expected"),
            under_way(session, seen["open"]),
            width,
        )
        if seen["open"]
        else "Nothing."
    )
    parts += [
        "",
        Text("Closed last", "bold"),
        run_table(session, seen["closed"]) if seen["closed"] else "Nothing.",
    ]
    return Group(*parts)


def waiting(session: Session, routes: Iterable[Document]) -> list[tuple[object, ...]]:
    return [
        (
            one["name"],
            one["waiting"] or "",
            ago(one["oldest_waiting"], session.now()),
            f"{one['busy']} of {one['max_jobs']}",
            prose(one["held"]["why"]) if one["held"] else "",
        )
        for one in routes
    ]


def under_way(session: Session, runs: Iterable[Document]) -> list[tuple[object, ...]]:
    return [
        (
            one["run"],
            one["route"],
            state(one),
            one["files"],
            f"{one['rows']:,}",
            lasting(session.now() - moment(one["created_at"])),
            ago(one["expected_at"], session.now()),
        )
        for one in runs
    ]

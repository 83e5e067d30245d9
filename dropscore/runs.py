"""`runs`, `show`: what is being scored, and what was."""

from collections.abc import Iterable

import click
from rich.console import RenderableType
from rich.text import Text

from dropscore.api import Api, Document, path_of
from dropscore.application import Command
from dropscore.names import route_named
from dropscore.parameters import RouteName, Since
from dropscore.plain import ago, counted, lasting, moment, plain, prose, typed
from dropscore.screen import cell, pairs, table
from dropscore.session import Session, session

PAGE = 200
COLUMNS = ("run", "route", "state", "files", "rows", "begun")
OUTCOMES = ("succeeded", "partial", "rejected", "failed", "canceled", "timed-out", "released", "empty")


@click.command(cls=Command)
@click.option("--route", type=RouteName(), metavar="NAME", help="Only runs of this route.")
@click.option(
    "--state", type=click.Choice(["open", "closed"]), help="Only runs under way, or only closed ones."
)
@click.option("--outcome", type=click.Choice(OUTCOMES), help="Only runs that ended so.")
@click.option(
    "--since", type=Since(), metavar="TIME", help="Only newer ones: 2h, 2026-11-21 or 2026-11-21T08:00Z."
)
@click.option(
    "--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="The most to list."
)
def runs(route: str | None, state: str | None, outcome: str | None, since: str | None, limit: int) -> None:
    """List runs, newest first.

    Those under way come before the others.
    """
    found = session()
    document = listed(found.api, limit, route=route, state=state, outcome=outcome, since=since)
    if route and not document["runs"]:
        # A route that is no more may have runs still; a name that nobody knows has none.
        route_named(found.api.get("routes")["routes"], route)
    empty = "No runs." if not any((route, state, outcome, since)) else "No such runs."
    found.show(document, run_table(found, document["runs"]) if document["runs"] else empty)
    if document["more"]:
        found.screen.note(f"There are more: --limit {min(limit * 10, 10_000)}")


def listed(api: Api, limit: int, **filters: str | None) -> Document:
    """The first `limit` runs, page by page; `next` is the cursor of what follows, if that is where a page ends."""
    kept: list[Document] = []
    cursor = None
    while True:
        page = api.get("runs", limit=min(PAGE, limit - len(kept)), after=cursor, **filters)
        kept += page["runs"]
        cursor = page["next"]
        # A filter may find nothing on one page, and something on the next.
        if not cursor or len(kept) >= limit:
            break
    # The first page holds every open run, however few were asked for.
    cut = len(kept) > limit
    return Document(runs=kept[:limit], next=None if cut else cursor, more=cut or bool(cursor))


def run_table(session: Session, runs: Iterable[Document]) -> RenderableType:
    rows = [
        (
            one["run"],
            one["route"],
            state(one),
            one["files"],
            f"{one['rows']:,}",
            ago(one["created_at"], session.now()),
        )
        for one in runs
    ]
    return table(COLUMNS, rows, session.screen.out.width)


def state(run: Document) -> str:
    """What a run came to, or how far it is."""
    if run["stage"] == "closed":
        return str(run["outcome"])
    return f"{run['stage']}, to be canceled" if run["cancel"] else str(run["stage"])


@click.command(cls=Command)
@click.argument("run")
@click.option(
    "--files", "limit", type=click.IntRange(0, 10_000), default=20, show_default=True, help="How many files."
)
def show(run: str, limit: int) -> None:
    """Show RUN: its stages, its job, its files."""
    found = session()
    document = found.api.get(f"runs/{path_of(run)}")
    document["results"] = results(found.api, document, limit)
    found.show(document, *described(found, document))
    ended = document["words"] or {}
    if document["stage"] == "closed" and (ended.get("failed") or ended.get("canceled")):
        found.screen.note(go_on(document["run"]))


def go_on(run: str) -> str:
    return f"Go on with what failed or was canceled: `dropscore rerun {typed(run)}`"


def results(api: Api, run: Document, limit: int) -> list[Document]:
    """The first `limit` of a run's files."""
    kept, after = list(run["results"]), run["results_next"]
    while after is not None and len(kept) < limit:
        page = api.get(f"runs/{path_of(run['run'])}/files", limit=min(1000, limit - len(kept)), after=after)
        kept, after = kept + page["files"], page["next"]
    return kept[:limit]


def described(session: Session, run: Document) -> list[RenderableType]:
    shown: list[RenderableType] = [
        Text.assemble(Text(plain(run["run"]), "bold"), f"  {plain(run['route'])}  ", cell(state(run))),
        pairs(details(session, run)),
        "",
        pairs((one["stage"], reached(session, one)) for one in run["timeline"]),
    ]
    if run["results"]:
        rows = [
            (one["blob"], one["word"] or "open", f"{one['rows']:,}", prose(one["why"]))
            for one in run["results"]
        ]
        shown += ["", table(("file", "state", "rows", "why"), rows, session.screen.out.width)]
    if run["files"] > len(run["results"]):
        shown.append(
            f"{counted(len(run['results']), 'file')} of {run['files']:,} shown: --files {run['files']}"
        )
    return shown


def reached(session: Session, step: Document) -> str:
    again = f"  attempt {step['attempt']}" if step["attempt"] > 1 else ""
    return f"{moment(step['at']):%Y-%m-%d %H:%M:%S} UTC  {ago(step['at'], session.now())}{again}"


def details(session: Session, run: Document) -> list[tuple[str, object]]:
    words = ", ".join(f"{count:,} {word}" for word, count in (run["words"] or {}).items())
    opened = run["stage"] != "closed"
    return [
        ("files", f"{run['files']:,}" + (f" ({words})" if words else "")),
        ("rows", f"{run['rows']:,}"),
        ("why", prose(run["why"])),
        ("held", prose(run["held"])),
        ("expected", ago(run["expected_at"], session.now()) if opened else ""),
        ("deadline", ago(run["deadline"], session.now()) if opened else ""),
        ("took", "" if opened else lasting(moment(run["closed_at"]) - moment(run["created_at"]))),
        ("model", run["model"]),
        ("job", run["job"]),
        ("studio", run["studio"]),
    ]

"""`runs`, `show`, `cancel`, `rerun`: what is being scored, what was, and what is to be done about it."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import click
from rich.console import RenderableType
from rich.text import Text

from dropscore.api import Api, Document, path_of
from dropscore.application import Command
from dropscore.bars import shown
from dropscore.errors import Bad
from dropscore.following import GOOD, FollowedRun, follow
from dropscore.parameters import Duration, RouteName, Since
from dropscore.plain import ago, counted, lasting, moment, plain, prose
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
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="How many.")
def runs(route: str | None, state: str | None, outcome: str | None, since: str | None, limit: int) -> None:
    """List runs, newest first.

    Those under way come before the others.
    """
    found = session()
    document = listed(found.api, limit, route=route, state=state, outcome=outcome, since=since)
    empty = "No runs." if not any((route, state, outcome, since)) else "No such runs."
    found.show(document, run_table(found, document["runs"]) if document["runs"] else empty)
    if document["next"]:
        found.screen.note(f"There are more: --limit {min(limit * 10, 10_000)}")


def listed(api: Api, limit: int, **filters: str | None) -> Document:
    """The first `limit` runs, page by page; `next` is the cursor of what follows."""
    kept: list[Document] = []
    cursor = None
    while True:
        page = api.get("runs", limit=min(PAGE, limit - len(kept)), after=cursor, **filters)
        kept += page["runs"]
        cursor = page["next"]
        # A filter may find nothing on one page, and something on the next.
        if not cursor or len(kept) >= limit:
            return Document(runs=kept, next=cursor)


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


@click.command(cls=Command)
@click.argument("run")
def cancel(run: str) -> None:
    """Stop RUN and its job.

    Its files end as canceled and stay in the inbox.
    """
    found = session()
    document = found.api.post(f"runs/{path_of(run)}/cancel")
    found.show(document, f"{document['run']} is being canceled; its files stay in the inbox.")
    found.screen.note(f"How far is it? `dropscore show {document['run']}`")


@click.command(cls=Command)
@click.argument("run")
@click.option("--wait", is_flag=True, help="Wait until it is closed again.")
@click.option("--timeout", type=Duration(), default="2h", show_default=True, help="The longest wait.")
def rerun(run: str, wait: bool, timeout: timedelta) -> int:
    """Go on with the files of RUN that failed or were canceled.

    What a completed job has left is unpacked again first; only what is missing then is scored once more.
    """
    found = session()
    document = found.api.post(f"runs/{path_of(run)}/rerun")
    names = [one["run"] for one in document["runs"]]
    if wait:
        return wait_for_runs(found, document, names, timeout)
    found.show(
        document,
        *(f"{one['run']} goes on with {counted(len(one['blobs']), 'file')}." for one in document["runs"]),
    )
    found.screen.note(f"How far is it? `dropscore show {names[0]}`")
    return 0


def wait_for_runs(session: Session, document: dict[str, Any], names: list[str], timeout: timedelta) -> int:
    """Waits until runs are closed and shows what came of them: 1 where one of them did not succeed."""
    followed = [FollowedRun(name) for name in names]
    with shown(session.screen, followed) as tell:
        follow(session, followed, timeout, tell)
    closed = [one.document for one in followed if one.document]
    session.show({**document, "closed": closed}, run_table(session, closed) if closed else "No runs.")
    return 0 if all(one.word in GOOD for one in followed) else Bad.exit_code

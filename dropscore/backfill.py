"""`backfill`: score what lies in the inbox already, at a bounded pace."""

import sys
from datetime import timedelta
from typing import Any

import click

from dropscore.api import Document, path_of
from dropscore.application import Command
from dropscore.bars import shown
from dropscore.errors import Bad, Unusable
from dropscore.following import Looks, follow
from dropscore.names import folder_of, route_named
from dropscore.parameters import Duration, RouteName
from dropscore.plain import counted, plain, prose, sized, typed
from dropscore.reruns import wait_for_runs
from dropscore.session import Session, session


class FollowedBackfill:
    """A backfill, until it has started everything."""

    def __init__(self, name: str, foreseen: int) -> None:
        self.foreseen = foreseen
        self.name, self.word, self.stage, self.done, self.note = name, "", "running", 0.0, ""
        self.document = Document(runs=[], why="")

    def look(self, seen: Looks) -> None:
        found = self.document = seen.api.get(f"backfill/{path_of(self.name)}")
        self.done = min(1.0, found["files"] / self.foreseen) if self.foreseen else 0.0
        self.note = f"{found['files']:,} of {self.foreseen:,} files started"
        self.word = "" if found["status"] == "running" else found["status"]


@click.command(cls=Command)
@click.argument("route", type=RouteName())
@click.argument("prefix")
@click.option("--dry-run", is_flag=True, help="Only say what would be scored.")
@click.option("--force", is_flag=True, help="Score files that were scored before, too.")
@click.option(
    "--per-minute",
    type=click.IntRange(1),
    default=1000,
    show_default=True,
    help="The most files to start a minute.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--wait", is_flag=True, help="Wait until all of its runs are closed.")
@click.option("--timeout", type=Duration(), default="1d", show_default=True, help="The longest wait.")
def backfill(
    route: str,
    prefix: str,
    dry_run: bool,
    force: bool,
    per_minute: int,
    yes: bool,
    wait: bool,
    timeout: timedelta,
) -> int:
    """Score what lies in the inbox already.

    Of the files whose names begin with PREFIX, those that the pattern of ROUTE takes are scored. It says first how many
    they are, and asks.
    """
    found = session()
    body = {"route": route, "prefix": prefix, "force": force, "per_minute": per_minute}
    if not (yes or dry_run) and (found.as_json or not sys.stdin.isatty()):
        raise Unusable(
            "not-confirmed", "Nobody is there to be asked.", "Type --dry-run to look, --yes to start."
        )
    planned = found.api.post("backfill", {**body, "dry_run": True})
    if dry_run or not planned["files"]:
        found.show(planned, *described(planned, body))
        if not (planned["files"] or planned["scored_before"] or found.as_json):
            tell_fitting(found, route, prefix)
        return 0
    if not yes and not agreed(found, planned, body):
        found.screen.note("Nothing was started.")
        return 0
    return begin(found, {**body, "dry_run": False}, planned["files"], timeout if wait else None)


def described(planned: Document, asked: dict[str, Any]) -> list[str]:
    """What a backfill would do."""
    before = planned["scored_before"]
    again = (
        "of them were scored before"
        if asked["force"]
        else "were scored before and are left out; --force takes them, too"
    )
    shown = [f"{before:,} {again}."] if before else []
    if not planned["files"]:
        return [*shown, *nothing(planned, asked)]
    minutes = counted(max(1, planned["minutes"]), "minute")
    shown = [
        f"{counted(planned['files'], 'file')}, {sized(planned['bytes'])}, begun within {minutes}.",
        *shown,
    ]
    more = planned["files"] - len(planned["names"])
    names = [f"  {name}" for name in planned["names"]]
    return [*shown, *names, f"  and {more:,} more"] if more > 0 else [*shown, *names]


def nothing(planned: Document, asked: dict[str, Any]) -> list[str]:
    """Why there is nothing to score. An app of an earlier version does not count the `others`."""
    route, prefix, others = asked["route"], asked["prefix"], planned.get("others")
    if planned["scored_before"]:
        return ["There is nothing to score."]
    if others:
        begin = "1 file begins" if others == 1 else f"{others:,} files begin"
        told = f'{begin} with "{prefix}", and the pattern of {route} takes none of them.'
        return [f"There is nothing to score: {told}", "`dropscore routes list` shows the patterns."]
    whose = f"that {route} takes " if others is None else ""
    return [f'There is nothing to score: no file {whose}begins with "{prefix}".']


def tell_fitting(session: Session, route: str, prefix: str) -> None:
    """Says which prefix would fit, where this one leads out of the folder that the route takes files from."""
    folder = folder_of(route_named(session.api.get("routes")["routes"], route)["pattern"])
    if not (prefix.startswith(folder) or folder.startswith(prefix)):
        command = f"`dropscore backfill {typed(route)} {typed(folder + prefix)}`"
        session.screen.note(f'The files of {route} have names that begin with "{folder}": {command}')


def agreed(session: Session, planned: Document, asked: dict[str, Any]) -> bool:
    session.screen.say(*described(planned, asked))
    return click.confirm("Start?", err=True)


def begin(session: Session, body: dict[str, Any], foreseen: int, timeout: timedelta | None) -> int:
    document = session.api.post("backfill", body)
    name = document["backfill"]
    stop = f"Stop it with `dropscore backfill-cancel {plain(name)}`"
    if timeout is None:
        session.show(document, f"Backfill {name} has begun.")
        session.screen.note(stop)
        return 0
    session.screen.note(f"Backfill {name} has begun. {stop}")
    followed = FollowedBackfill(name, foreseen)
    with shown(session.screen, [followed]) as show:
        follow(session, [followed], timeout, show)
    if followed.word != "completed":
        session.show(followed.document, f"Backfill {name} {ending(followed.document)}: {followed.note}.")
        return Bad.exit_code
    return wait_for_runs(session, followed.document, followed.document["runs"], timeout)


@click.command("backfill-status", cls=Command)
@click.argument("backfill")
def backfill_status(backfill: str) -> None:
    """Say how far BACKFILL is."""
    found = session()
    document = found.api.get(f"backfill/{path_of(backfill)}")
    runs = counted(len(document["runs"]), "run")
    far = f"{counted(document['files'], 'file')} started, in {runs}"
    found.show(document, f"Backfill {document['backfill']} {ending(document)}: {far}.")


def ending(document: Document) -> str:
    """`is running`, or `has failed (three runs in a row …)`: how it stands, and why."""
    stands = {"failed": "has failed", "canceled": "was canceled"}.get(
        document["status"], f"is {document['status']}"
    )
    why = prose(document.get("why")).rstrip(".")
    return f"{stands} ({why})" if why else stands


@click.command("backfill-cancel", cls=Command)
@click.argument("backfill")
def backfill_cancel(backfill: str) -> None:
    """Stop BACKFILL.

    It starts no more files; runs that it has started go on. A route still takes, in its turn, what fits its pattern.
    """
    found = session()
    document = found.api.post(f"backfill/{path_of(backfill)}/cancel")
    found.show(document, f"Backfill {backfill} starts no more files. Runs that it has started go on.")

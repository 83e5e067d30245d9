"""`cancel`, `rerun`: runs are stopped and gone on with, and waited for."""

from datetime import timedelta
from typing import Any

import click

from dropscore.api import Api, Document, path_of
from dropscore.application import Command
from dropscore.bars import shown
from dropscore.errors import Bad, NotNow
from dropscore.following import GOOD, FollowedRun, follow
from dropscore.parameters import Duration
from dropscore.plain import counted, typed
from dropscore.runs import run_table
from dropscore.session import Session, session


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
    found.screen.note(f"Once it is closed: `dropscore rerun {document['run']}` goes on with its files.")


@click.command(cls=Command)
@click.argument("run")
@click.option("--wait", is_flag=True, help="Wait until it is closed again.")
@click.option("--timeout", type=Duration(), default="2h", show_default=True, help="The longest wait.")
def rerun(run: str, wait: bool, timeout: timedelta) -> int:
    """Go on with the files of RUN that failed or were canceled.

    What a completed job has left is unpacked again first; only what is missing then is scored once more.
    """
    found = session()
    document = begun_again(found.api, run)
    names = [one["run"] for one in document["runs"]]
    if wait:
        return wait_for_runs(found, document, names, timeout)
    found.show(
        document,
        *(f"{one['run']} goes on with {counted(len(one['blobs']), 'file')}." for one in document["runs"]),
    )
    found.screen.note(f"How far is it? `dropscore show {names[0]}`")
    return 0


def begun_again(api: Api, run: str) -> Document:
    """Raises NotNow with what to look at where no file of the run can be gone on with."""
    try:
        return api.post(f"runs/{path_of(run)}/rerun")
    except NotNow as problem:
        if problem.code == "nothing-to-do":
            problem.hint = f"`dropscore show {typed(run)}` says how each file ended."
        raise


def wait_for_runs(session: Session, document: dict[str, Any], names: list[str], timeout: timedelta) -> int:
    """Waits until runs are closed and shows what came of them: 1 where one of them did not succeed."""
    followed = [FollowedRun(name) for name in names]
    with shown(session.screen, followed) as tell:
        follow(session, followed, timeout, tell)
    closed = [one.document for one in followed if one.document]
    session.show({**document, "closed": closed}, run_table(session, closed) if closed else "No runs.")
    return 0 if all(one.word in GOOD for one in followed) else Bad.exit_code

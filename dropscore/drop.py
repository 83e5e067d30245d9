"""`drop`, `status`, `predictions`: a file's way, from this machine and back."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from dropscore.api import path_of
from dropscore.application import Command
from dropscore.bars import shown
from dropscore.errors import Bad, Problem, Refused, StillWaiting, Unreachable, Unusable
from dropscore.following import GOOD, FollowedFile, follow
from dropscore.names import target_folder, targets
from dropscore.parameters import Duration, RouteName
from dropscore.plain import counted, prose, typed
from dropscore.saving import check_free, name_of, save
from dropscore.screen import table
from dropscore.session import Session, session

LARGEST = 50_000_000


@dataclass
class Dropped:
    """A local file, and what became of it."""

    name: str
    local: Path
    answer: dict[str, Any]
    problem: Problem | None = None
    followed: FollowedFile | None = None
    saved: Path | None = None

    def to_dict(self) -> dict[str, Any]:
        """One entry of `files` in `drop --json`."""
        found: dict[str, Any] = {"file": self.name, "local": str(self.local), **self.answer}
        if self.followed:
            one = self.followed
            found |= {
                "word": one.word,
                "why": one.note,
                "rows": one.rows,
                "run": one.run,
                "predictions": self.where,
            }
            found |= {"saved": str(self.saved) if self.saved else None}
        if self.problem:
            found["error"] = self.problem.to_dict()
        return found

    @property
    def where(self) -> str | None:
        """The address of its predictions."""
        document = self.followed.document if self.followed and self.followed.word in GOOD else None
        found = document["predictions"] if document else None
        return str(found["url"]) if found else None

    @property
    def remark(self) -> str:
        """What to know of its predictions, such as rows that were set aside; "" where there is nothing."""
        one = self.followed
        return f"{self.name}: {prose(one.note)}" if one and one.word in GOOD and one.note else ""

    def row(self) -> tuple[str, str, str, str]:
        if self.problem:
            return self.name, "not dropped", "", prose(self.problem.message)
        if not self.followed:
            return self.name, "dropped", "", f"route {self.answer['route']}"
        one = self.followed
        where = f"saved as {self.saved}" if self.saved else self.where
        return self.name, one.word or one.stage, f"{one.rows:,}" if one.rows else "", where or prose(one.note)


@click.command("drop", cls=Command)
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option(
    "--route", type=RouteName(), metavar="NAME", help="Drop into the folder that this route takes files from."
)
@click.option("--to", metavar="FOLDER/", help="Drop into this folder of the inbox; / is its top.")
@click.option("--no-replace", is_flag=True, help="Leave a file of the same name in the inbox as it is.")
@click.option("--wait", is_flag=True, help="Wait until each file has its predictions, or the reason why not.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Save predictions there; waits.",
)
@click.option("--overwrite", is_flag=True, help="With --out: replace what is there.")
@click.option("--timeout", type=Duration(), default="2h", show_default=True, help="The longest wait.")
def drop(
    files: tuple[Path, ...],
    route: str | None,
    to: str | None,
    no_replace: bool,
    wait: bool,
    out: Path | None,
    overwrite: bool,
    timeout: timedelta,
) -> int:
    """Drop FILES into the inbox.

    A route takes them from there and scores them. With one route, nothing else has to be said; with several, --route or
    --to says where. A file of the same name is replaced, which makes a new version of it.
    """
    if route and to is not None:
        raise click.UsageError("--route and --to both say where: give one of them.")
    found = session()
    check_sizes(files)
    wanted = targets(files, target_folder(found.api, to, route))
    if out:
        check_saving(found, out, wanted, overwrite=overwrite)
    dropped = [put(found, name, local, no_replace=no_replace) for name, local in wanted.items()]
    if wait or out:
        return finish(found, dropped, out, timeout)
    report(found, dropped)
    return code_of(dropped)


def check_sizes(files: tuple[Path, ...]) -> None:
    """Nothing is dropped where one of the files cannot be. Raises Unusable."""
    for file in files:
        if file.stat().st_size > LARGEST:
            raise Unusable(
                "file-too-large",
                f"{file} has more than 50 MB, the most that goes over HTTP: nothing was dropped.",
                "Upload it into the inbox with a storage tool, such as az storage blob upload.",
            )


def check_saving(session: Session, out: Path, wanted: dict[str, Path], *, overwrite: bool) -> None:
    """Raises Refused or Unusable before anything is dropped where the predictions could not be saved."""
    if not session.api.health()["row_values"]:
        raise Refused(
            "row-values-not-allowed",
            "This app hands no predictions out over HTTP: nothing was dropped.",
            "Leave --out away and take them from storage, or set DROPSCORE_ROW_VALUES=yes on the app.",
        )
    for name in wanted:
        check_free(out / name_of(name), overwrite=overwrite)


def put(session: Session, name: str, local: Path, *, no_replace: bool) -> Dropped:
    """Uploads one file. What is wrong with this one only is kept for the report: the others are dropped."""
    headers = {"Content-Type": "text/csv", **({"If-None-Match": "*"} if no_replace else {})}
    try:
        answer = session.api.send("PUT", f"files/{path_of(name)}", local.read_bytes(), headers)
    except OSError as problem:
        raise Unusable("unreadable", f"{local} cannot be read: {problem.strerror}.") from None
    except Problem as problem:
        if isinstance(problem, Unreachable) or problem.status not in (400, 404, 409, 412, 413):
            raise
        return Dropped(name, local, {}, problem)
    return Dropped(name, local, {key: answer[key] for key in ("etag", "size", "route", "runs")})


def finish(session: Session, dropped: list[Dropped], out: Path | None, timeout: timedelta) -> int:
    """Waits for all of them, saves what there is to save, and says what came of each."""
    for one in dropped:
        if not one.problem:
            one.followed = FollowedFile(one.name, one.answer["etag"], starts=bool(one.answer["runs"]))
    followed = [one.followed for one in dropped if one.followed]
    try:
        with shown(session.screen, followed) as show:
            follow(session, followed, timeout, show)
    except StillWaiting:
        report(session, dropped)
        raise
    except KeyboardInterrupt:
        session.screen.note(f"They go on; ask with `dropscore status {typed(dropped[0].name)}`")
        raise
    for one in dropped:
        if out and one.followed and one.followed.word in GOOD:
            one.saved = saved(session, one, out)
    report(session, dropped)
    return code_of(dropped)


def saved(session: Session, one: Dropped, out: Path) -> Path:
    document = one.followed.document if one.followed else None
    name = document["predictions"]["name"] if document and document["predictions"] else one.name
    out.mkdir(parents=True, exist_ok=True)
    target = out / name_of(name)
    save(session.api, one.name, target)
    return target


def report(session: Session, dropped: list[Dropped]) -> None:
    rows = [one.row() for one in dropped]
    shown = table(("file", "state", "rows", "where"), rows, session.screen.out.width)
    remarks = [one.remark for one in dropped if one.remark]
    session.show({"files": [one.to_dict() for one in dropped]}, shown, *([""] if remarks else []), *remarks)
    for one in dropped:
        if one.problem and one.problem.hint:
            session.screen.note(one.problem.hint)
    waits = [one for one in dropped if not one.problem and not one.followed]
    if waits:
        session.screen.note(
            f"{counted(len(waits), 'file')} dropped. Where is it? `dropscore status {typed(waits[0].name)}`"
        )


def code_of(dropped: list[Dropped]) -> int:
    """The first problem's exit code; 1 where a file has no predictions in the end."""
    for one in dropped:
        if one.problem:
            return one.problem.exit_code
    bad = [one for one in dropped if one.followed and one.followed.word not in GOOD]
    return Bad.exit_code if bad else 0

"""`status`, `predictions`: where is my file?"""

import sys
from pathlib import Path

import click
from rich.console import RenderableType
from rich.text import Text

from dropscore.api import Document, path_of
from dropscore.application import Command
from dropscore.errors import NotFound, Unusable
from dropscore.following import held
from dropscore.names import known_file
from dropscore.plain import ago, plain, prose, sized, typed
from dropscore.runs import go_on
from dropscore.saving import check_free, save
from dropscore.screen import cell, pairs, table
from dropscore.session import Session, session


@click.command(cls=Command)
@click.argument("file")
def status(file: str) -> None:
    """Say where FILE is.

    FILE is its name in the inbox, such as diabetes/clinic.csv; a name without a folder is looked for in the folders of
    all routes.
    """
    found = session()
    document = known_file(found.api, file)
    found.show(document, *described(found, document))
    if document["state"] in ("failed", "canceled") and document["run"]:
        found.screen.note(go_on(document["run"]))


def described(session: Session, document: Document) -> list[RenderableType]:
    """What a person wants to know, the answer first."""
    shown: list[RenderableType] = [
        Text.assemble(Text(plain(document["file"]), "bold"), "  ", cell(document["state"])),
        says(document),
        pairs(details(session, document)),
        *note(document),
    ]
    if len(document["versions"]) > 1:
        shown += [
            "",
            table(
                ("version", "size", "state", "rows", "run"),
                versions(session, document),
                session.screen.out.width,
            ),
        ]
    return shown


def says(document: Document) -> str:
    """The app's sentence; without the reason where that stands below, line by line."""
    said, reason = str(document["says"]), document["versions"][0]["why"] if document["versions"] else ""
    if reason and note(document) and reason in document["rejected"]["why"]:
        said = said.replace(reason, "").strip().rstrip(":. ") + "."
    return prose(said)


def details(session: Session, document: Document) -> list[tuple[str, object]]:
    waiting, predictions, rejected = (document[key] for key in ("waiting", "predictions", "rejected"))
    newest = document["versions"][0] if document["versions"] else Document(rows=0, why="")
    why = newest["why"] if newest["why"] not in document["says"] else ""
    because = "" if waiting and waiting["held"] and waiting["held"] in document["says"] else held(document)
    now = document["state"] == "rejected"
    return [
        (
            "waits",
            f"since {ago(waiting['since'], session.now())}, {waiting['ahead']} ahead" if waiting else "",
        ),
        ("because", because),
        ("why", prose(why)),
        ("route", document["route"]),
        ("run", document["run"]),
        ("rows", f"{newest['rows']:,}" if newest["rows"] else ""),
        ("predictions", predictions["url"] if predictions else ""),
        ("rejected as", rejected["name"] if rejected and now else ""),
        ("earlier", f"a version was rejected as {rejected['name']}" if rejected and not now else ""),
    ]


def note(document: Document) -> list[RenderableType]:
    """What stands beside the file in `rejected`, line by line, while it is the file's last word."""
    found = document["rejected"]
    if not found or not found["why"] or document["state"] != "rejected":
        return []
    return ["", *found["why"].strip().splitlines()]


def versions(session: Session, document: Document) -> list[tuple[object, ...]]:
    return [
        (
            ago(one["modified"], session.now()),
            sized(one["size"]),
            one["state"],
            f"{one['rows']:,}" if one["rows"] else "",
            one["run"],
        )
        for one in document["versions"]
    ]


@click.command(cls=Command)
@click.argument("file")
@click.option("-o", "--out", type=click.Path(dir_okay=False, path_type=Path), help="Save them there.")
@click.option("--overwrite", is_flag=True, help="With --out: replace what is there.")
def predictions(file: str, out: Path | None, overwrite: bool) -> None:
    """Write the predictions of FILE to stdout, or save them.

    Only where the app allows row values over HTTP. With --json and without --out, the document holds the whole CSV.
    """
    found = session()
    if out:
        check_free(out, overwrite=overwrite)
    document = known_file(found.api, file)
    if not document["predictions"]:
        hint = f"`dropscore status {typed(document['file'])}`"
        raise NotFound(
            "no-predictions", f"{document['file']} has no predictions: it is {document['state']}.", hint
        )
    if out:
        size = save(found.api, document["file"], out)
        found.show({"file": document["file"], "out": str(out), "bytes": size}, f"{out}: {sized(size)}")
    elif found.as_json:
        found.screen.document({"file": document["file"], "csv": whole(found, document["file"])})
    else:
        write(found, document["file"])


def write(session: Session, name: str) -> None:
    """As it is for a program; for a terminal without what a terminal would obey."""
    if session.screen.out.is_terminal:
        sys.stdout.write(plain(whole(session, name).replace("\r\n", "\n"), keep="\n\t"))
        return
    for piece in session.api.pieces(f"predictions/{path_of(name)}"):
        sys.stdout.buffer.write(piece)


def whole(session: Session, name: str) -> str:
    """Raises Unusable for predictions in another encoding than UTF-8."""
    data = b"".join(session.api.pieces(f"predictions/{path_of(name)}"))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Unusable(
            "not-utf-8", f"The predictions of {name} are not UTF-8.", "Save them: --out FILE"
        ) from None

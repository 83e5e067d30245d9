"""Predictions become visible: whole, newest, and never over a blob that is not the file's own."""

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import Any
from urllib.parse import quote

from azure.core import MatchConditions
from azure.core.exceptions import (
    HttpResponseError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.storage.blob import BlobClient, BlobProperties

from shared import clients, names, telemetry, work
from shared.blob_io import BlockWriter, metadata_of, properties, read_chunks, refusal
from shared.names import bare_etag, errors_name, predictions_name
from shared.records import Run, Staged, Verdict, Version
from shared.routes import Route

log = logging.getLogger(__name__)

RACES = 5


@dataclass
class Output:
    """The predictions of one version under way; `why` says why they are incomplete.

    `word` is `failed` where storage refuses them: another job would not help.
    """

    version: Version
    packed: Verdict
    writer: BlockWriter
    rows: int = 0
    why: str = ""
    word: str = ""

    def add(self, lines: list[bytes | None], first: int) -> None:
        """The next rows of the version, `first` being the number of the first in the file (from 1)."""
        if None in lines:
            row = first + lines.index(None)
            self.why = self.why or (
                f"unpack: Row {row} of those that were scored has no prediction, or several that differ. "
                "Nothing was published."
            )
        if not self.why:
            self.write(b"".join(map(b"%b\n".__mod__, lines)))
            self.rows += len(lines)

    def write(self, data: bytes) -> None:
        """Where storage refuses this blob (leased, say), that harms this file only."""
        with self.refusals():
            self.writer.write(data)

    def staged(self) -> Staged:
        """For a later call to put together with the rows of other portions."""
        blocks: list[str] = []
        if not self.why:
            with self.refusals():
                blocks = self.writer.hold()
        return Staged(
            version=self.packed.version, rows=self.rows, blocks=blocks, why=self.why, word=self.word
        )

    @contextmanager
    def refusals(self) -> Iterator[None]:
        try:
            yield
        except HttpResponseError as problem:
            if not refusal(problem):
                raise
            self.word, self.why = "failed", refused(problem)


def target_of(version: Version) -> BlobClient:
    return clients.container("predictions").get_blob_client(predictions_name(version.blob))


def publish(output: Output, run: Run) -> Verdict:
    """The version's verdict. Its predictions become visible here, if they are complete."""
    version, begun = output.version, clients.now()
    with telemetry.span("dropscore.publish_file", run=run.run, route=version.route, version=version.key):
        verdict = published(output, run)
    if verdict.word == "published":
        of, now = telemetry.of(version.route), clients.now()
        telemetry.PUBLISH_DURATION.record((now - begun).total_seconds(), of)
        telemetry.FILE_DURATION.record(telemetry.seconds_since(version.modified, now), of)
        telemetry.ROWS.add(verdict.rows, of)
    return verdict


def published(output: Output, run: Run) -> Verdict:
    """The version's verdict, after its predictions were made visible, or could not be."""
    packed, version = output.packed, output.version
    if output.why:
        return packed.but(word=output.word, why=output.why)
    try:
        identity = identity_of(version, packed.but(rows=output.rows), run)
        word, why, replaced = commit(output.writer, identity, version)
    except HttpResponseError as problem:
        if not refusal(problem):
            raise
        return packed.but(word="failed", why=refused(problem))
    if word == "published":
        publish_problems(output, run, replaced=replaced)
        if replaced and not run.route.get("also_raw"):
            put_beside(run, version, raw_name(version.blob), None)
    where = (
        f"{output.writer.blob.container_name}/{output.writer.blob.blob_name}" if word == "published" else ""
    )
    return packed.but(word=word, why=why or remarks(packed), where=where, rows=output.rows, pieces=[])


def refused(problem: HttpResponseError) -> str:
    why = f"storage refuses to have the predictions written: {refusal(problem)}"
    return f"unpack: {why}; free the blob, rerun the run"


def remarks(packed: Verdict) -> str:
    """What whoever opens published predictions should know."""
    found = []
    if packed.bad_rows:
        rows = packed.bad_rows + packed.rows
        found.append(
            f"{packed.bad_rows} of {rows} rows were set aside, for reasons in {errors_name(packed.blob)}"
        )
    if packed.formulas:
        found.append("carried cells begin as formulas do: a spreadsheet may run them")
    return "; ".join(found)


def raw_name(blob: str) -> str:
    return f"{predictions_name(blob)}.raw"


def publish_problems(output: Output, run: Run, *, replaced: bool) -> None:
    """Says beside the predictions which rows were set aside; where none was, the list of those they replaced goes."""
    if not replaced and run.route.get("bad_rows", "reject") == "reject":
        return
    name, problems = errors_name(output.version.blob), output.packed.problems
    pieces = (piece for one in problems for piece in read_chunks(work.blob(run, one)))
    put_beside(run, output.version, name, chain([b"line,column,reason\n"], pieces) if problems else None)


def put_beside(run: Run, version: Version, name: str, pieces: Iterable[bytes] | None) -> None:
    """Writes (None: deletes) a blob that belongs to a version's predictions, which stand already.

    One that is not the file's own stays; where storage refuses it, the log says so. Nothing is done where the
    predictions of another version stand by now.
    """
    if metadata_of(properties(target_of(version))).get("dropscore_version") != version.key:
        log.warning("run %s: %s belongs to predictions that others have replaced", run.run, names.shown(name))
        return
    blob = clients.container("predictions").get_blob_client(name)
    standing = properties(blob)
    condition: dict[str, Any] = {"match_condition": MatchConditions.IfMissing}
    if standing is not None:
        condition = {"etag": standing.etag, "match_condition": MatchConditions.IfNotModified}
    try:
        if standing is not None and metadata_of(standing).get("dropscore_version", "")[:26] != version.name:
            log.warning("run %s: %s is not ours and stays as it is", run.run, names.shown(name))
        elif pieces is not None:
            writer = BlockWriter(blob, f"{run.run}-{run.launch:04d}-{run.attempt:02d}")
            for piece in pieces:
                writer.write(piece)
            writer.commit({"dropscore_version": version.key}, **condition)
        elif standing is not None:
            blob.delete_blob(**condition)
    except (ResourceExistsError, ResourceModifiedError, ResourceNotFoundError):
        log.warning("run %s: %s was changed by others meanwhile and stays so", run.run, names.shown(name))
    except HttpResponseError as problem:
        if not refusal(problem):
            raise
        log.warning(
            "run %s: storage refuses to have %s written: %s", run.run, names.shown(name), refusal(problem)
        )


def identity_of(version: Version, packed: Verdict, run: Run) -> dict[str, str]:
    """What published predictions say of themselves, in the same call that makes them visible."""
    return {
        "dropscore_version": version.key,
        "dropscore_round": str(version.n),
        "dropscore_run": run.run,
        "dropscore_etag": version.etag,
        "dropscore_modified": version.modified,
        "dropscore_sha256": packed.sha256,
        "dropscore_rows": str(packed.rows),
        **({"dropscore_formulas": "true"} if packed.formulas else {}),
        "dropscore_model": quote(run.route["model"], safe=":/"),
        "dropscore_recipe": names.recipe(Route.from_dict(run.route).scoring()),
    }


def commit(writer: BlockWriter, metadata: dict[str, str], version: Version) -> tuple[str, str, bool]:
    """Makes the predictions visible in one conditional commit.

    Returns the version's word, why, and whether others were replaced, or may have been. Raises HttpResponseError
    (InvalidBlockList) where another commit on the name discarded the staged blocks: the activity that is repeated, or
    the run's next launch, stages them again.
    """
    condition: dict[str, Any] = {"match_condition": MatchConditions.IfMissing}
    for _ in range(RACES):
        try:
            writer.commit(metadata, **condition)
        except (ResourceExistsError, ResourceModifiedError):
            standing = properties(writer.blob)
        else:
            return "published", "", "etag" in condition
        if standing is None:
            condition = {"match_condition": MatchConditions.IfMissing}
            continue
        word, why = judged(standing, metadata, version)
        if word:
            return word, why, word == "published"
        condition = {"etag": standing.etag, "match_condition": MatchConditions.IfNotModified}
    name = predictions_name(version.blob)
    busy = f"unpack: {name} in the predictions container is leased, or others keep writing to it"
    return "failed", f"{busy}; free it and run the file again", False


def judged(standing: BlobProperties, mine: dict[str, str], version: Version) -> tuple[str, str]:
    """What stands under the name decides: a word to end with, or ("", "") where it may be replaced."""
    theirs = metadata_of(standing)
    if "dropscore_version" in theirs and theirs["dropscore_version"][:26] != version.name:
        return "failed", (
            f"unpack: the predictions of another file stand at {predictions_name(version.blob)} in the predictions "
            "container; drop one of the two under another name"
        )
    if theirs.get("dropscore_version", "")[:26] != version.name:
        return "failed", (
            f"unpack: a blob that is not ours stands at {predictions_name(version.blob)} in the predictions container; "
            "move it away and rerun the run"
        )
    if theirs["dropscore_version"] == mine["dropscore_version"]:
        ours = int(theirs.get("dropscore_round", 0)) >= int(mine["dropscore_round"])
        return ("published", "") if ours else ("", "")
    inbox = properties(clients.container("inbox").get_blob_client(version.blob))
    newest = (
        bare_etag(inbox.etag) == version.etag
        if inbox
        else theirs.get("dropscore_modified", "") < mine["dropscore_modified"]
    )
    return ("", "") if newest else ("superseded", "a newer version of the file was dropped")

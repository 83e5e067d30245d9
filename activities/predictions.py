"""Unpack: raw predictions become one CSV per file, whole or not at all."""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Any
from urllib.parse import quote

import azure.durable_functions as df
from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceModifiedError
from azure.storage.blob import BlobClient, BlobProperties

from activities.jobs import cancel_spares
from activities.raw import Raw, usable_raw
from shared import clients, names, work
from shared.blob_io import BlockWriter, metadata_of, properties, read_chunks, refusal
from shared.csv_lines import Lines, rows_of
from shared.errors import StageFailed
from shared.names import bare_etag, predictions_name
from shared.raw_cells import csv_line
from shared.raw_predictions import Tally, predicted
from shared.records import Launch, Run, Staged, Verdict, Version
from shared.routes import Route
from shared.work import Found, PartRows

log = logging.getLogger(__name__)
bp = df.Blueprint()

RACES = 5


@bp.activity_trigger(input_name="message")
def unpack(message: dict) -> dict[str, Any]:
    """Matches the raw predictions to the rows of one portion of the parts, and publishes the files that are complete.

    A file that lies in several portions is staged portion by portion, and published by a last call. Key: each version
    and its round, kept in the published blob's metadata. Returns whether there is `more` and how many portions may be
    worked on at once, and after the last call whether what the job left incomplete is to be scored `again`.
    """
    launch, number = Launch.from_dict(message), message.get("chunk", 0)
    run = clients.ledger().fenced(launch)
    if run.stage != "ended":
        return {"more": False, "again": run.stage == "gathered"}
    index = work.index(run)
    versions = {version.key: version for version in mine(run, index)}
    portions = work.unpackings(index)
    if number < len(portions):
        raw = usable_raw(run, launch, index)
        found = unpack_portion(run, portions[number], Outputs(run, number, versions), raw)
        work.write_found(run, "unpack", number, found)
        if len(portions) > 1:
            clients.ledger().progressing(launch)
            return {"more": True, "at_once": len(portions)}
    else:
        work.write_found(run, "unpack", number, put_together(run, index, versions, len(portions)))
    publish_raw(run, launch, index, versions)
    return {"more": False, "again": finished(launch, run, shared=sum(one.packed for one in index) > 1)}


def mine(run: Run, index: list[Verdict]) -> list[Version]:
    """The packed versions that are the run's to publish."""
    packed = {verdict.version for verdict in index if verdict.packed}
    versions = [version for version in work.to_score(run) if version.key in packed]
    return clients.ledger().still_mine(run.run, versions) if run.reopened_at else versions


def finished(launch: Launch, run: Run, *, shared: bool) -> bool:
    """Whether one attempt more is made for what the job left incomplete.

    It is where the job was shared, so that another file may be at fault, or where somebody asked for it; and not where
    somebody wants the run stopped, or where nobody has said yet how its raw predictions are to be read.
    """
    verdicts = work.verdicts(run, "unpack")
    incomplete = [verdict for verdict in verdicts if not verdict.word]
    wanted = (shared or run.reopened_at) and not run.cancel and run.route["match"] != "auto"
    if incomplete and wanted and run.attempt < run.attempts:
        log.warning("run %s: job %s left %d files incomplete", run.run, run.job, len(incomplete))
        cancel_spares(run)
        clients.ledger().try_alone(launch, run)
        return True
    failed = next((verdict.why for verdict in verdicts if verdict.word in ("failed", "")), "")
    if failed:
        clients.ledger().failed(launch, *failed.split(": ", 1))
    return False


@dataclass
class Output:
    """The predictions of one version under way; `why` says why they are incomplete."""

    version: Version
    packed: Verdict
    writer: BlockWriter
    rows: int = 0
    why: str = ""

    def add(self, lines: list[bytes | None], first: int) -> None:
        """The next rows of the version, `first` being the number of the first in the file (from 1)."""
        if None in lines:
            row = first + lines.index(None)
            self.why = self.why or (
                f"unpack: Row {row} of those that were scored has no prediction, or several that differ. "
                "Nothing was published."
            )
        if not self.why:
            self.writer.write(b"".join(map(b"%b\n".__mod__, lines)))
            self.rows += len(lines)

    def staged(self) -> Staged:
        """For a later call to put together with the rows of other portions."""
        blocks = [] if self.why else self.writer.hold()
        return Staged(version=self.packed.version, rows=self.rows, blocks=blocks, why=self.why)


@dataclass
class Outputs:
    """The outputs of one portion, for the versions that are the run's to publish."""

    run: Run
    number: int
    versions: dict[str, Version]
    found: dict[str, Output] = field(default_factory=dict)
    begun: set[str] = field(default_factory=set)

    def of(self, packed: Verdict, piece: list[Any]) -> Output | None:
        """The output that the piece belongs to, with its header if the piece is the version's first."""
        version = self.versions.get(packed.version)
        if version is None:
            return None
        if version.key not in self.found:
            owner = f"{self.run.run}-{self.run.launch:04d}-{self.run.attempt:02d}-{self.number:05d}"
            self.found[version.key] = Output(version, packed, BlockWriter(target_of(version), owner))
        if piece is packed.pieces[0] and version.key not in self.begun:
            route = Route.from_dict(self.run.route)
            self.begun.add(version.key)
            self.found[version.key].writer.write(csv_line([*route.carried, *route.predictions]) + b"\n")
        return self.found[version.key]

    def ended(self, part: PartRows) -> Iterator[Output]:
        """Takes out what ends with the part."""
        for verdict, piece in part.pieces:
            if piece is verdict.pieces[-1] and verdict.version in self.found:
                yield self.found.pop(verdict.version)


def unpack_portion(run: Run, portion: list[PartRows], outputs: Outputs, raw: Raw | str) -> Found:
    """What came of the portion's parts. Nothing becomes visible unless every row has its prediction."""
    if isinstance(raw, str):
        pieces = [one for part in portion for one in part.pieces if one[0].version in outputs.versions]
        return Found([verdict.but(why=raw) for verdict, piece in pieces if piece is verdict.pieces[-1]])
    found = Found()
    for part in portion:
        unpack_part(run, part, outputs, raw)
        ended = list(outputs.ended(part))
        whole = [one for one in ended if one.version.key in outputs.begun]
        found.verdicts.extend(clients.in_parallel(lambda one: publish(one, run), whole))
        found.staged.extend(one.staged() for one in ended if one not in whole)
    found.staged.extend(one.staged() for one in outputs.found.values())
    return found


def unpack_part(run: Run, part: PartRows, outputs: Outputs, raw: Raw) -> None:
    """Gives every piece of one part its rows. What is wrong with the whole part is wrong with each of its files."""
    route = Route.from_dict(run.route)
    pieces = [(verdict, piece, outputs.of(verdict, piece)) for verdict, piece in part.pieces]
    try:
        values = predicted(raw(part.name), route, part.name, part.rows, Tally())
        lines = Lines(joined(run, route, part.name, values))
        for verdict, piece, output in pieces:
            before = sum(some[2] for some in verdict.pieces[: verdict.pieces.index(piece)])
            for first, batch in lines.batches_of(None if route.match == "none" else piece[2]):
                if output is not None:
                    output.add(batch, before + first)
        lines.drain()
    except StageFailed as problem:
        for _, _, output in pieces:
            if output is not None:
                output.why = output.why or f"unpack: {problem}"


def joined(
    run: Run, route: Route, part: str, values: Iterator[list[bytes | None]]
) -> Iterator[list[bytes | None]]:
    """The carried cells of every row of a part, as pack kept them, before its predicted ones."""
    if not route.carried:
        yield from values
        return
    carried = Lines(rows_of(read_chunks(work.blob(run, f"carried/{part}"))))
    for some in values:
        yield [
            None if value is None else before + b"," + value
            for before, value in zip(carried.take(len(some)), some, strict=True)
        ]


def put_together(run: Run, index: list[Verdict], versions: dict[str, Version], portions: int) -> Found:
    """Publishes the files that lie in several portions: every row of theirs is staged, or something says why not."""
    found = [work.found(run, "unpack", number) or Found() for number in range(portions)]
    worded = {verdict.version for one in found for verdict in one.verdicts}
    staged: dict[str, list[Staged]] = {}
    for some in (some for one in found for some in one.staged if some.version not in worded):
        staged.setdefault(some.version, []).append(some)
    packed = [verdict for verdict in index if verdict.version in staged]
    return Found(
        [publish(put(verdict, versions[verdict.version], staged[verdict.version]), run) for verdict in packed]
    )


def put(packed: Verdict, version: Version, staged: list[Staged]) -> Output:
    """The output whose blocks others have staged."""
    rows = sum(some.rows for some in staged)
    why = next((some.why for some in staged if some.why), "")
    if rows != packed.rows:
        why = (
            why
            or f"unpack: predictions of {rows} rows are staged, the file has {packed.rows}. Nothing was published."
        )
    blocks = [block for some in staged for block in some.blocks]
    return Output(version, packed, BlockWriter(target_of(version), "", blocks), rows, why)


def target_of(version: Version) -> BlobClient:
    return clients.container("predictions").get_blob_client(predictions_name(version.blob))


def publish(output: Output, run: Run) -> Verdict:
    """The version's verdict. Its predictions become visible here, if they are complete."""
    packed, version = output.packed, output.version
    if output.why:
        return packed.but(why=output.why)
    try:
        word, why = commit(output.writer, identity(version, packed.but(rows=output.rows), run), version)
        if word == "published":
            publish_problems(output, run)
    except HttpResponseError as problem:
        if not refusal(problem):
            raise
        why = f"storage refuses to have the predictions written: {refusal(problem)}; free the blob, rerun the run"
        return packed.but(word="failed", why=f"unpack: {why}")
    where = (
        f"{output.writer.blob.container_name}/{output.writer.blob.blob_name}" if word == "published" else ""
    )
    return packed.but(word=word, why=why or set_aside(packed), where=where, rows=output.rows, pieces=[])


def set_aside(packed: Verdict) -> str:
    if not packed.bad_rows:
        return ""
    rows = packed.bad_rows + packed.rows
    return f"{packed.bad_rows} of {rows} rows were set aside, for reasons in {errors_name(packed.blob)}"


def errors_name(blob: str) -> str:
    return f"{predictions_name(blob)}.errors.csv"


def publish_problems(output: Output, run: Run) -> None:
    """Says beside the predictions which rows were set aside; where none was, an older version's list goes."""
    if run.route.get("bad_rows", "reject") == "reject":
        return
    name, problems = errors_name(output.version.blob), output.packed.problems
    pieces = (piece for one in problems for piece in read_chunks(work.blob(run, one)))
    put_beside(run, output.version, name, chain([b"line,column,reason\n"], pieces) if problems else None)


def publish_raw(run: Run, launch: Launch, index: list[Verdict], versions: dict[str, Version]) -> None:
    """Puts the raw predictions as they were written beside those that were published, where the route wants that."""
    if not run.route.get("also_raw"):
        return
    published = {verdict.version for verdict in work.verdicts(run, "unpack") if verdict.word == "published"}
    raw = usable_raw(run, launch, index)
    for verdict in index:
        if verdict.version in published and not isinstance(raw, str):
            pieces = chain.from_iterable(raw(piece[0]) for piece in verdict.pieces)
            put_beside(run, versions[verdict.version], f"{predictions_name(verdict.blob)}.raw", pieces)


def put_beside(run: Run, version: Version, name: str, pieces: Iterable[bytes] | None) -> None:
    """Writes (None: deletes) a blob that belongs to a version's predictions. One that is not the file's own stays."""
    blob = clients.container("predictions").get_blob_client(name)
    standing = properties(blob)
    if standing is not None and metadata_of(standing).get("dropscore_version", "")[:26] != version.name:
        log.warning("run %s: %s is not ours and stays as it is", run.run, name)
    elif pieces is not None:
        writer = BlockWriter(blob, f"{run.run}-{run.launch:04d}-{run.attempt:02d}")
        for piece in pieces:
            writer.write(piece)
        writer.commit({"dropscore_version": version.key}, overwrite=True)
    elif standing is not None:
        blob.delete_blob()


def identity(version: Version, packed: Verdict, run: Run) -> dict[str, str]:
    """What published predictions say of themselves, in the same call that makes them visible."""
    return {
        "dropscore_version": version.key,
        "dropscore_round": str(version.n),
        "dropscore_run": run.run,
        "dropscore_etag": version.etag,
        "dropscore_modified": version.modified,
        "dropscore_sha256": packed.sha256,
        "dropscore_rows": str(packed.rows),
        "dropscore_model": quote(run.route["model"], safe=":/"),
        "dropscore_recipe": names.recipe(Route.from_dict(run.route).scoring()),
    }


def commit(writer: BlockWriter, metadata: dict[str, str], version: Version) -> tuple[str, str]:
    """Makes the predictions visible in one conditional commit. Returns the version's word, and why.

    Raises HttpResponseError (InvalidBlockList) where another commit on the name discarded the staged blocks: the
    activity is repeated and stages them again.
    """
    condition: dict[str, Any] = {"match_condition": MatchConditions.IfMissing}
    for _ in range(RACES):
        try:
            writer.commit(metadata, **condition)
        except (ResourceExistsError, ResourceModifiedError):
            standing = properties(writer.blob)
        else:
            return "published", ""
        if standing is None:
            condition = {"match_condition": MatchConditions.IfMissing}
            continue
        word, why = judged(standing, metadata, version)
        if word:
            return word, why
        condition = {"etag": standing.etag, "match_condition": MatchConditions.IfNotModified}
    return "failed", (
        f"unpack: {predictions_name(version.blob)} in the predictions container is leased, or others keep writing to "
        "it; free it and run the file again"
    )


def judged(standing: BlobProperties, mine: dict[str, str], version: Version) -> tuple[str, str]:
    """What stands under the name decides: a word to end with, or ("", "") where it may be replaced."""
    theirs = metadata_of(standing)
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

"""Unpack: raw predictions become one CSV per file, whole or not at all."""

import csv
import io
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import repeat
from typing import Any
from urllib.parse import quote

import azure.durable_functions as df
from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceModifiedError
from azure.storage.blob import BlobClient, BlobProperties

from activities.jobs import cancel_spares, datastore
from shared import azureml, clients, names, work
from shared.blob_io import BlockWriter, ChunkStream, CsvWriter, properties, read_chunks, refusal
from shared.errors import StageFailed
from shared.names import bare_etag, carried_folder, part_name
from shared.raw_predictions import Extents, extents_of, matched
from shared.records import Launch, Run, Verdict, Version
from shared.routes import Route

log = logging.getLogger(__name__)
bp = df.Blueprint()

RACES = 5
READ_WHOLE = 16 * 1024 * 1024


@dataclass(frozen=True)
class Raw:
    """The raw predictions that count, and where in them each part's rows lie (None: everything is the one part's)."""

    blob: BlobClient
    etag: str
    extents: Extents | None
    small: bytes | None

    def lines(self, part: str) -> Iterator[str]:
        """The part's rows. Raises StageFailed where the file says nothing of the part."""
        stretches = [None] if self.extents is None else self.extents.get(part)
        if stretches is None:
            raise StageFailed("The job returned no row of this file. Nothing was published.")
        pieces = (piece for stretch in stretches for piece in self.read(stretch))
        return io.TextIOWrapper(io.BufferedReader(ChunkStream(pieces)), encoding="utf-8", newline="\n")

    def read(self, stretch: list[int] | None) -> Iterator[bytes]:
        if self.small is None:
            return read_chunks(self.blob, self.etag, (stretch[0], stretch[1]) if stretch else None)
        return iter([self.small[slice(*stretch)] if stretch else self.small])


@bp.activity_trigger(input_name="message")
def unpack(message: dict) -> dict[str, Any]:
    """Matches the raw predictions to the rows of each packed version of one chunk and publishes them.

    Key: each version and its round, kept in the published blob's metadata. Returns whether there is `more`, and after
    the last chunk whether what the job left incomplete is to be scored `again`.
    """
    launch, chunk = Launch.from_dict(message), message.get("chunk", 0)
    run = clients.ledger().fenced(launch)
    if run.stage != "ended":
        return {"more": False, "again": run.stage == "gathered"}
    packed = {verdict.version: verdict for verdict in work.verdicts(run, "pack") if verdict.part}
    versions = work.to_score(run)
    to_publish = [version for version in versions if version.key in packed]
    if run.reopened_at:
        to_publish = clients.ledger().still_mine(run.run, to_publish)
    chunks = list(work.chunks(to_publish))
    raw = usable_raw(run, launch, len(versions))
    verdicts = clients.in_parallel(
        lambda one: publish_version(one[1], packed[one[1].key], run, raw), chunks[chunk]
    )
    work.write_verdicts(run, "unpack", chunk, verdicts)
    if chunk + 1 < len(chunks):
        clients.ledger().progressing(launch)
        return {"more": True}
    return {"more": False, "again": finished(launch, run)}


def usable_raw(run: Run, launch: Launch, files: int) -> Raw | str:
    """The raw predictions, or why there are none that can be used."""
    try:
        return raw_predictions(run, launch, files)
    except StageFailed as problem:
        return f"await: {run.why}" if run.why else f"unpack: {problem}"


def finished(launch: Launch, run: Run) -> bool:
    """Whether one attempt more is made for what the job left incomplete.

    It is where the job was shared, so that another file may be at fault, or where somebody asked for it; and not where
    somebody wants the run stopped.
    """
    verdicts = work.verdicts(run, "unpack")
    incomplete = [verdict for verdict in verdicts if not verdict.word]
    wanted = (run.parts > 1 or run.reopened_at) and not run.cancel
    if incomplete and wanted and run.attempt < run.attempts:
        log.warning("run %s: job %s left %d files incomplete", run.run, run.job, len(incomplete))
        cancel_spares(run)
        clients.ledger().try_alone(launch, run)
        return True
    failed = next((verdict.why for verdict in verdicts if verdict.word in ("failed", "")), "")
    if failed:
        clients.ledger().failed(launch, *failed.split(": ", 1))
    return False


def publish_version(version: Version, packed: Verdict, run: Run, raw: Raw | str) -> Verdict:
    """The version's verdict. Nothing becomes visible unless every row has its prediction."""
    if isinstance(raw, str):
        return packed.but(why=raw)
    target = clients.container("predictions").get_blob_client(version.blob)
    writer = BlockWriter(target, f"{run.run}-{run.attempt}")
    try:
        write_rows(CsvWriter(writer), run, packed, raw.lines(packed.part))
        word, why = commit(writer, identity(version, packed, run), version)
    except StageFailed as problem:
        return packed.but(why=f"unpack: {problem}")
    except HttpResponseError as problem:
        if not refusal(problem):
            raise
        why = f"storage refuses to have the predictions written: {refusal(problem)}; free the blob, rerun the run"
        return packed.but(word="failed", why=f"unpack: {why}")
    where = f"{target.container_name}/{version.blob}" if word == "published" else ""
    return packed.but(word=word, why=why, where=where)


def raw_predictions(run: Run, launch: Launch, files: int) -> Raw:
    """What the job wrote, under the first ETag that was seen of it. Raises StageFailed where it cannot be used.

    It may hold rows of any of the attempt's `files`: also of one that an execution found gone while another packed it.
    """
    blob = raw_blob(run)
    standing = properties(blob)
    if standing is None:
        raise StageFailed(f"the job wrote nothing to {run.path} on the datastore {run.route['datastore']}")
    etag = clients.ledger().raw_found(launch, run, bare_etag(standing.etag)).raw_etag
    small = b"".join(read_chunks(blob, etag)) if standing.size <= READ_WHOLE else None
    if files == 1:
        return Raw(blob, etag, None, small)
    extents = work.extents(run)
    if extents is None:
        extents = extents_of(read_chunks(blob, etag) if small is None else [small], run.route["match"])
        work.write_extents(run, extents)
    foreign = sorted(set(extents) - {part_name(number) for number in range(1, files + 1)})
    if foreign:
        raise StageFailed(f"the raw predictions hold rows of {foreign[0]}, which is not of this job")
    return Raw(blob, etag, extents, small)


def raw_blob(run: Run) -> BlobClient:
    """Where the job was to write its raw predictions. Raises StageFailed where that is unknown."""
    place = azureml.Place(run.raw_account, run.raw_url)
    if not place.url:
        place = datastore(run, azureml.workspace_of(run.job_id))
    if not place.url:
        raise StageFailed(
            "the job's workspace is unknown: set DROPSCORE_WORKSPACE or the route's `workspace`"
        )
    storage = clients.storage()
    if place.account == storage.account_name:
        return storage.get_container_client(place.url.rsplit("/", 1)[1]).get_blob_client(run.path)
    return clients.foreign_container(place.url).get_blob_client(run.path)


def write_rows(writer: CsvWriter, run: Run, packed: Verdict, lines: Iterator[str]) -> None:
    """Header, then the carried cells and the predictions of every row. Raises StageFailed where rows do not match."""
    route = Route.from_dict(run.route)
    predicted = matched(lines, route, packed.part, packed.rows)
    writer.write([*route.carry, *route.predictions])
    for carried, values in zip(carried_rows(run, packed), predicted, strict=True):
        writer.write([*carried, *values])
    writer.flush()


def carried_rows(run: Run, packed: Verdict) -> Iterator[list[str]]:
    """The carried cells of every row, as pack kept them."""
    if not run.route["carry"]:
        return repeat([], packed.rows)
    name = f"{carried_folder(run.run, run.attempt)}/{packed.part}"
    stream = ChunkStream(read_chunks(work.container().get_blob_client(name)))
    return csv.reader(io.TextIOWrapper(io.BufferedReader(stream), encoding="utf-8", newline=""), strict=True)


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
        f"unpack: {version.blob} in the predictions container is leased, or others keep writing to it; free it and run "
        "the file again"
    )


def judged(standing: BlobProperties, mine: dict[str, str], version: Version) -> tuple[str, str]:
    """What stands under the name decides: a word to end with, or ("", "") where it may be replaced."""
    theirs = {key.lower(): value for key, value in (standing.metadata or {}).items()}
    if theirs.get("dropscore_version", "")[:26] != version.name:
        return "failed", (
            f"unpack: a blob that is not ours stands at {version.blob} in the predictions container; move it away "
            "and rerun the run"
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

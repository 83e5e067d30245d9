"""Unpack: raw predictions become one CSV per file, whole or not at all."""

import csv
import io
import logging
from collections.abc import Iterator
from itertools import repeat
from typing import Any
from urllib.parse import quote

import azure.durable_functions as df
from azure.core import MatchConditions
from azure.core.exceptions import (
    HttpResponseError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.storage.blob import BlobClient, BlobProperties

from activities.jobs import datastore
from shared import azureml, clients, work
from shared.blob_io import BlockWriter, ChunkStream, CsvWriter, read_chunks
from shared.errors import StageFailed
from shared.names import bare_etag, carried_folder
from shared.raw_predictions import matched
from shared.records import Launch, Run, Verdict, Version
from shared.routes import Route

log = logging.getLogger(__name__)
bp = df.Blueprint()

RACES = 5


@bp.activity_trigger(input_name="message")
def unpack(message: dict) -> dict[str, Any]:
    """R7, P: matches the raw predictions to the rows of each packed version and publishes them.

    Key: each version and its round, kept in the published blob's metadata. Returns how many were published.
    """
    launch = Launch.from_dict(message)
    run = clients.ledger().fenced(launch)
    if run.stage != "ended":
        return {"published": 0}
    packed = [verdict for verdict in work.verdicts(run, "pack") if verdict.part]
    versions = {version.key: version for version in work.claimed(launch.run)}
    verdicts = [publish_version(versions[one.version], one, run, launch) for one in packed]
    work.write_verdicts(run, "unpack", verdicts)
    for verdict in verdicts:
        if verdict.word == "failed":
            clients.ledger().failed(launch, "unpack", verdict.why.removeprefix("unpack: "))
    return {"published": sum(verdict.word == "published" for verdict in verdicts)}


def publish_version(version: Version, packed: Verdict, run: Run, launch: Launch) -> Verdict:
    """The version's final verdict. Nothing becomes visible unless every row has its prediction."""
    target = clients.container("predictions").get_blob_client(version.blob)
    writer = BlockWriter(target, f"{run.run}-{run.attempt}")
    try:
        raw, etag = raw_blob(run)
        run = clients.ledger().raw_found(launch, etag)
        write_rows(CsvWriter(writer), run, packed, read_chunks(raw, run.raw_etag))
    except StageFailed as problem:
        return packed.but(word="failed", why=f"unpack: {problem}")
    word, why = commit(writer, identity(version, packed, run), version)
    where = f"{target.container_name}/{version.blob}" if word == "published" else ""
    return packed.but(word=word, why=why, where=where)


def raw_blob(run: Run) -> tuple[BlobClient, str]:
    """The blob the job wrote its raw predictions to, and its ETag. Raises StageFailed where there is none."""
    place = azureml.Place(run.raw_account, run.raw_url)
    if not place.url:
        place = datastore(run, azureml.workspace_of(run.job_id))
    if not place.url:
        raise StageFailed(
            "the job's workspace is unknown: set DROPSCORE_WORKSPACE or the route's `workspace`"
        )
    storage = clients.storage()
    if place.account == storage.account_name:
        container = storage.get_container_client(place.url.rsplit("/", 1)[1])
    else:
        container = clients.foreign_container(place.url)
    raw = container.get_blob_client(run.path)
    try:
        return raw, bare_etag(raw.get_blob_properties().etag)
    except ResourceNotFoundError:
        raise StageFailed(f"the job completed but wrote nothing to {run.path} in {place.url}") from None


def write_rows(writer: CsvWriter, run: Run, packed: Verdict, raw: Iterator[bytes]) -> None:
    """Header, then the carried cells and the predictions of every row. Raises StageFailed where rows do not match."""
    route = Route.from_dict(run.route)
    lines = io.TextIOWrapper(io.BufferedReader(ChunkStream(raw)), encoding="utf-8", newline="\n")
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
        "dropscore_model": quote(run.route["model"], safe=":/"),
    }


def commit(writer: BlockWriter, metadata: dict[str, str], version: Version) -> tuple[str, str]:
    """P: makes the predictions visible in one conditional commit. Returns the version's word, and why.

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
    raise HttpResponseError(f"others kept writing to {version.blob} in the predictions container")


def properties(blob: BlobClient) -> BlobProperties | None:
    try:
        return blob.get_blob_properties()
    except ResourceNotFoundError:
        return None


def judged(standing: BlobProperties, mine: dict[str, str], version: Version) -> tuple[str, str]:
    """What stands under the name decides: a word to end with, or ("", "") where it may be replaced."""
    theirs = {key.lower(): value for key, value in (standing.metadata or {}).items()}
    if theirs.get("dropscore_version", "")[:26] != version.name:
        return "failed", (
            f"unpack: a blob that is not ours stands at {version.blob} in the predictions container; move it away "
            "and drop the file again"
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

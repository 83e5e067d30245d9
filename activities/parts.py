"""Pack: every version to be scored becomes a checked part that the model can read."""

import hashlib
import logging
import traceback
from typing import Any

import azure.durable_functions as df
from azure.core import MatchConditions
from azure.core.exceptions import (
    AzureError,
    HttpResponseError,
    ResourceModifiedError,
    ResourceNotFoundError,
)

from shared import clients, names, work
from shared.blob_io import BlockWriter, ChunkStream, CsvWriter, properties, read_chunks, refusal
from shared.csv_rows import columns_of, read_rows
from shared.durations import parse_size
from shared.errors import FileRejected
from shared.names import carried_folder, part_name, parts_folder
from shared.records import Launch, Run, Verdict, Version
from shared.routes import Route

log = logging.getLogger(__name__)
bp = df.Blueprint()


@bp.activity_trigger(input_name="message")
def pack(message: dict) -> dict[str, Any]:
    """Reads each version of one chunk under its ETag, once, checks it and writes its part.

    Key: run, attempt and chunk; the same versions always give the same parts, and the first verdicts stand. Returns
    whether there is `more`, and after the last chunk how many `parts` there are.
    """
    launch, chunk = Launch.from_dict(message), message.get("chunk", 0)
    run = clients.ledger().fenced(launch)
    if run.cancel:
        run = clients.ledger().canceled(launch)
    if run.stage != "gathered" or run.job_outcome:
        return {"more": False, "parts": 0 if run.job_outcome == "canceled" else run.parts}
    chunks = list(work.chunks(work.to_score(run)))
    if not work.has_verdicts(run, "pack", chunk):
        verdicts = clients.in_parallel(lambda one: verdict_on(one[1], run, one[0]), chunks[chunk])
        work.write_verdicts(run, "pack", chunk, verdicts, once=True)
    if chunk + 1 < len(chunks):
        clients.ledger().progressing(launch)
        return {"more": True}
    packed = [verdict for verdict in work.verdicts(run, "pack") if verdict.part]
    rows = sum(one.rows for one in packed)
    clients.ledger().packed(launch, attempt=run.attempt, rows=rows, parts=len(packed))
    return {"more": False, "parts": len(packed)}


def verdict_on(version: Version, run: Run, number: int) -> Verdict:
    """The version's part, or the word it ends with. Raises AzureError where storage fails."""
    verdict = Verdict(version=version.key, blob=version.blob)
    try:
        return write_part(version, run, number)
    except FileRejected as reason:
        return verdict.but(word="rejected", why=str(reason))
    except (ResourceModifiedError, ResourceNotFoundError):
        return gone(verdict)
    except HttpResponseError as problem:
        if not refusal(problem):
            raise
        return verdict.but(word="failed", why=f"pack: storage refuses the file: {refusal(problem)}")
    except AzureError:
        raise
    except Exception as problem:  # noqa: BLE001  see below
        # A fault of ours that one file brings out; the others of the run go on. The text may quote a cell.
        place = traceback.extract_tb(problem.__traceback__)[-1]
        kind = type(problem).__name__
        log.error("run %s: blob %s: %s at %s:%d", run.run, version.blob, kind, place.filename, place.lineno)  # noqa: TRY400
        return verdict.but(word="failed", why=f"pack: {kind}; the app's log says where")


def gone(verdict: Verdict) -> Verdict:
    """The word of a version that is no longer there; asked anew, for Azurite answers 412 to a missing blob, too."""
    if clients.container("inbox").get_blob_client(verdict.blob).exists():
        return verdict.but(word="superseded", why="a newer version was dropped before this one was read")
    return verdict.but(word="withdrawn", why="the file was deleted before it was read")


def write_part(version: Version, run: Run, number: int) -> Verdict:
    """Streams one version into its part and its carried columns. Raises FileRejected for a bad file."""
    route = Route.from_dict(run.route)
    if version.size > parse_size(route.max_size):
        raise FileRejected(
            f"The file has {version.size:,} bytes, this route takes at most {route.max_size}. "
            "Drop it in smaller pieces, or raise the route's `max_size`."
        )
    source = clients.container("inbox").get_blob_client(version.blob)
    seen = hashlib.sha256()
    part, carried = writers(run, number)
    rows = copy_rows(ChunkStream(read_chunks(source, version.etag), seen.update), route, part, carried)
    verdict = Verdict(version=version.key, blob=version.blob, rows=rows, sha256=seen.hexdigest())
    forced = run.force or version.force
    if run.attempt == 1 and not forced and published_already(version, verdict, route):
        container = clients.container("predictions").container_name
        return verdict.but(
            word="unchanged",
            why="the same bytes were scored by the same model before; their predictions stand",
            where=f"{container}/{version.blob}",
        )
    part.commit()
    if route.carry:
        carried.commit()
    return verdict.but(part=part_name(number))


def published_already(version: Version, verdict: Verdict, route: Route) -> bool:
    """Whether the predictions that stand under the file's name are its own, of the same bytes, model and columns.

    They then become this version's, so that none between the two replaces them; where that is outrun, they are not.
    """
    target = clients.container("predictions").get_blob_client(version.blob)
    standing = properties(target)
    said = {key.lower(): value for key, value in ((standing and standing.metadata) or {}).items()}
    own = said.get("dropscore_version", "").startswith(version.name)
    same_bytes = said.get("dropscore_sha256") == verdict.sha256
    if (
        standing is None
        or not own
        or not same_bytes
        or said.get("dropscore_recipe") != names.recipe(route.scoring())
    ):
        return False
    if said.get("dropscore_modified", "") >= version.modified:
        return True
    mine = {
        "dropscore_version": version.key,
        "dropscore_round": str(version.n),
        "dropscore_etag": version.etag,
        "dropscore_modified": version.modified,
    }
    try:
        target.set_blob_metadata(
            {**said, **mine}, etag=standing.etag, match_condition=MatchConditions.IfNotModified
        )
    except (ResourceModifiedError, ResourceNotFoundError):
        return False
    return True


def writers(run: Run, number: int) -> tuple[CsvWriter, CsvWriter]:
    """Where the part goes, and where the columns carried past the model go."""
    owner = f"{run.run}-{run.attempt}"
    folders = (parts_folder(run.run, run.attempt), carried_folder(run.run, run.attempt))
    blobs = (work.container().get_blob_client(f"{folder}/{part_name(number)}") for folder in folders)
    part, carried = (CsvWriter(BlockWriter(blob, owner)) for blob in blobs)
    return part, carried


def copy_rows(stream: ChunkStream, route: Route, part: CsvWriter, carried: CsvWriter) -> int:
    """Stages the sent and the carried columns of every row. Returns the number of data rows."""
    rows = read_rows(stream, route.delimiter)
    header = next(rows)
    columns = columns_of(header, route)
    part.write(columns.sent(header))
    found = 0
    for row in rows:
        columns.check(row)
        part.write(columns.sent(row))
        if route.carry:
            carried.write(columns.carried(row))
        found += 1
    if not found:
        raise FileRejected("The file has a header but no rows. Drop it again with at least one row.")
    columns.finish()
    return found

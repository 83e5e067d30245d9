"""Pack: every claimed version becomes checked parts that the model can read."""

import hashlib
import logging
from typing import Any

import azure.durable_functions as df
from azure.core.exceptions import ResourceModifiedError, ResourceNotFoundError

from shared import clients, work
from shared.blob_io import BlockWriter, ChunkStream, CsvWriter, read_chunks
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
    """R2: reads each claimed version under its ETag, once, checks it and writes its part.

    Key: run and attempt; the same versions always give the same parts, and what is packed is not looked at again.
    Returns how many parts there are.
    """
    launch = Launch.from_dict(message)
    run = clients.ledger().fenced(launch)
    if run.stage != "gathered":
        return {"parts": run.parts}
    claimed = work.claimed(launch.run)
    verdicts = [verdict_on(version, run, number) for number, version in enumerate(claimed, start=1)]
    work.write_verdicts(run, "pack", verdicts)
    packed = [verdict for verdict in verdicts if verdict.part]
    clients.ledger().packed(launch, rows=sum(one.rows for one in packed), parts=len(packed))
    return {"parts": len(packed)}


def verdict_on(version: Version, run: Run, number: int) -> Verdict:
    """The version's part, or the word it ends with."""
    verdict = Verdict(version=version.key, blob=version.blob)
    try:
        return write_part(version, run, number)
    except FileRejected as reason:
        return verdict.but(word="rejected", why=str(reason))
    except (ResourceModifiedError, ResourceNotFoundError):
        return gone(verdict)


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
    stream = ChunkStream(read_chunks(source, version.etag), seen.update)
    rows = copy_rows(stream, route, *writers(run, number))
    return Verdict(
        version=version.key,
        blob=version.blob,
        rows=rows,
        part=part_name(number),
        sha256=seen.hexdigest(),
    )


def writers(run: Run, number: int) -> tuple[CsvWriter, CsvWriter]:
    """Where the part goes, and where the columns carried past the model go."""
    owner = f"{run.run}-{run.attempt}"
    folders = (parts_folder(run.run, run.attempt), carried_folder(run.run, run.attempt))
    blobs = (work.container().get_blob_client(f"{folder}/{part_name(number)}") for folder in folders)
    part, carried = (CsvWriter(BlockWriter(blob, owner)) for blob in blobs)
    return part, carried


def copy_rows(stream: ChunkStream, route: Route, part: CsvWriter, carried: CsvWriter) -> int:
    """Writes the sent and the carried columns of every row. Returns the number of data rows."""
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
    part.commit()
    if route.carry:
        carried.commit()
    return found

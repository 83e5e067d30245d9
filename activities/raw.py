"""The raw predictions of a run's job: where they lie, and which bytes of them belong to which part."""

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict

from azure.storage.blob import BlobClient, ContainerClient

from activities.jobs import datastore
from shared import azureml, clients, names, work
from shared.blob_io import BlockWriter, listed, metadata_of, properties, read_chunks
from shared.errors import StageFailed
from shared.packing import key_sources
from shared.raw_extents import extents_of, in_pieces
from shared.raw_files import files_of_parts
from shared.raw_keys import KeyIndex, Strays, rows_by_key
from shared.raw_proposal import SAMPLE, proposal
from shared.records import Launch, Run, Verdict
from shared.routes import Route

log = logging.getLogger(__name__)

READ_WHOLE = 16 * 1024 * 1024
# From so many stretches on, raw predictions are put apart once, for each stretch is a call.
MIXED_FROM, MIXED_A_PART = 1_000, 20
# Of all parts together, before it is staged.
HELD_AT_MOST = 64 * 1024 * 1024


# Opens the bytes of one part's rows.
Raw = Callable[[str], Iterable[bytes]]


def usable_raw(run: Run, launch: Launch, packed: list[Verdict]) -> Raw | str:
    """The raw predictions, or why there are none that can be used."""
    route = Route.from_dict(run.route)

    def first(etag: str) -> str:
        """The one that was seen first of them counts for good."""
        return clients.ledger().raw_found(launch, run, etag).raw_etag

    try:
        if misfit := packed_otherwise(route, packed):
            raise StageFailed(misfit)
        parts = {part.name: part.rows for part in work.parts_of(packed)}
        return raw_predictions(run, route, parts, first)
    except StageFailed as problem:
        return f"await: {run.why}" if run.why else f"unpack: {problem}"


def packed_otherwise(route: Route, found: Iterable[Verdict]) -> str:
    """Why a run that was packed for another `match` cannot be read by the route's; "" where it can."""
    packed = [verdict for verdict in found if verdict.packed]
    pieces = [piece for verdict in packed for piece in verdict.pieces]
    if route.match == "order" and len(pieces) > 1:
        return (
            'The job of this run scored several parts, whose rows match = "order" cannot tell apart. '
            "Drop the files again."
        )
    one_each = len(pieces) == len(packed) == len({piece[0] for piece in pieces})
    if not (one_each or route.cuts_files):
        return (
            f'The parts of this run hold several files, or files lie in several parts, which match = "{route.match}" '
            "cannot tell apart. Drop the files again."
        )
    if route.match == "key" and not route.key:
        return "This run was packed without a key. Set the route's `key` and drop the files again."
    return ""


def as_written(run: Run, launch: Launch, packed: list[Verdict], verdict: Verdict) -> Iterator[bytes]:
    """The raw predictions of one version: all the job wrote where it had no other, else those of its parts."""
    if run.route["match"] != "files" and run.files == 1:
        yield from read_chunks(raw_container(run).get_blob_client(run.path), run.raw_etag or None)
        return
    raw = usable_raw(run, launch, packed)
    for piece in verdict.pieces:
        yield from () if isinstance(raw, str) else raw(piece[0])


def raw_predictions(run: Run, route: Route, parts: dict[str, int], first: Callable[[str], str]) -> Raw:
    """What the job wrote, under the ETag that `first` makes of the present one.

    Raises StageFailed where it cannot be used, or shows only how the route should read it.
    """
    if route.match == "files":
        return own_files(run, parts)
    blob = raw_container(run).get_blob_client(run.path)
    standing = properties(blob)
    if standing is None:
        raise StageFailed(f"the job wrote nothing to {run.path} on the datastore {run.route['datastore']}")
    etag = first(names.bare_etag(standing.etag))
    held = b"".join(read_chunks(blob, etag)) if standing.size <= READ_WHOLE else None

    def read(stretch: tuple[int, int] | None = None) -> Iterable[bytes]:
        if held is None:
            return read_chunks(blob, etag, stretch)
        return [held[slice(*stretch)] if stretch else held]

    if route.match == "auto":
        sample = b"".join(read((0, min(standing.size, SAMPLE)))) if standing.size else b""
        raise StageFailed(proposal(sample, parts, len(route.predictions)))
    if route.match == "key":
        return keyed(run, route, parts, read)
    return stretches(run, route, parts, read) if len(parts) > 1 else lambda _: read()


def stretches(run: Run, route: Route, parts: dict[str, int], read: Callable[..., Iterable[bytes]]) -> Raw:
    """Opens the stretches of the raw file that belong to a part. Raises StageFailed where rows belong to no part."""
    extents = work.extents(run)
    if extents is None:
        extents = extents_of(read(), route.match, route.raw_delimiter)
        work.write_extents(run, extents)
    foreign = set(extents) - set(parts)
    # A part that an execution wrote too late to count may have been scored, too.
    foreign -= set(work.parts(run)) if foreign else set()
    if foreign:
        raise StageFailed(f"the raw predictions hold rows of {min(foreign)}, which is not of this job")
    mixed = sum(map(len, extents.values())) > MIXED_FROM + MIXED_A_PART * len(extents)
    if mixed:
        put_apart(run, sorted(extents), lambda _: in_pieces(read(), extents, sorted(extents)))

    def of_part(part: str) -> Iterator[bytes]:
        if part not in extents:
            raise StageFailed("The job returned no row of this file. Nothing was published.")
        if mixed:
            yield from read_chunks(apart(run, part))
            return
        for begin, end in extents[part]:
            yield from read((begin, end))

    return of_part


def keyed(run: Run, route: Route, parts: dict[str, int], read: Callable[[], Iterable[bytes]]) -> Raw:
    """Opens a part's rows, which are first put beside those of the same part, once for each launch."""
    ordered = sorted(parts)
    strays = put_apart(
        run,
        ordered,
        lambda strays: rows_by_key(read(), KeyIndex.of(key_sources(run, ordered)), route, strays),
    )

    def of_part(part: str) -> Iterator[bytes]:
        found = 0
        for chunk in read_chunks(apart(run, part)):
            found += chunk.count(b"\n")
            yield chunk
        if strays.count and found < parts[part]:
            raise StageFailed(
                f"Rows of this file have no prediction, and {strays.count:,} rows of the raw predictions, the first is "
                f"row {strays.first}, have a key that no row of this run has. Nothing was published: the model must "
                "return keys as it gets them, as text, and first in each row."
            )

    return of_part


def put_apart(run: Run, parts: list[str], rows: Callable[[Strays], Iterable[tuple[int, bytes]]]) -> Strays:
    """Puts the rows of each part together, once for each launch; `rows` number the part they are of.

    Little of all of them is held at a time. Returns what `rows` has counted.
    """
    done = apart(run, "done")
    found = work.read_lines(done.blob_name)
    if found is not None:
        return Strays(**found[0])
    strays, held = Strays(), 0
    writers = [BlockWriter(apart(run, part), work.owner(run)) for part in parts]
    for number, data in rows(strays):
        writers[number].write(data)
        held += len(data)
        if held > HELD_AT_MOST:
            clients.in_parallel(BlockWriter.hold, writers)
            held = 0
    clients.in_parallel(BlockWriter.commit, writers)
    if strays.count:
        log.warning("run %s: %d rows of the raw predictions have a key of no row", run.run, strays.count)
    done.upload_blob(work.json_lines([asdict(strays)]), overwrite=True)
    return strays


def apart(run: Run, name: str) -> BlobClient:
    """Where a part's rows lie once they are put together in this launch."""
    return work.blob(run, f"apart-{run.launch}/{name}")


def own_files(run: Run, parts: dict[str, int]) -> Raw:
    """Files of the job's own, one for each part."""
    folder = run.path.rsplit("/", 1)[0] + "/"
    container = raw_container(run)
    # Accounts with a hierarchical namespace list folders, too.
    standing = listed(container, folder, ["metadata"])
    found = [one.name for one in standing if one.name != run.path and "hdi_isfolder" not in metadata_of(one)]
    # A part that an execution wrote too late to count may have been scored, too.
    late = set(work.parts(run)) - set(parts)
    files = files_of_parts((name.removeprefix(folder) for name in found), {*parts, *late}, may_lack=late)

    def of_part(part: str) -> Iterator[bytes]:
        return read_chunks(container.get_blob_client(folder + files[part]))

    return of_part


def raw_container(run: Run) -> ContainerClient:
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
        return storage.get_container_client(place.url.rsplit("/", 1)[1])
    return clients.foreign_container(place.url)

"""Pack: every version to be scored becomes checked parts that the model can read."""

import logging
import traceback
from collections.abc import Callable
from functools import partial
from itertools import groupby
from typing import Any

import azure.durable_functions as df
from azure.core import MatchConditions
from azure.core.exceptions import (
    AzureError,
    HttpResponseError,
    ResourceModifiedError,
    ResourceNotFoundError,
)

from activities.jobs import workers
from shared import clients, names, telemetry, work
from shared.blob_io import metadata_of, properties, refusal
from shared.csv_rows import refusal as told
from shared.errors import FileRejected
from shared.packing import (
    PART_AT_LEAST,
    Packed,
    Parts,
    key_faults,
    part_size,
    read_stretch,
    read_whole,
    shares,
)
from shared.records import Launch, Progress, Run, Verdict, Version
from shared.routes import Route
from shared.telemetry import traced
from shared.work import Found, Portion

log = logging.getLogger(__name__)
bp = df.Blueprint()


@bp.activity_trigger(input_name="message")
@traced
def pack(message: dict) -> dict[str, Any]:
    """Reads the versions of one portion under their ETags, once, checks them and writes their parts.

    Key: run, attempt and portion; what the first execution has found out stands. Returns whether there is `more`,
    and after the last portion how many `parts` there are, and whether files are to have a `shared` job.
    """
    launch, number = Launch.from_dict(message), message.get("chunk", 0)
    run = clients.ledger().fenced(launch)
    if run.cancel:
        run = clients.ledger().canceled(launch)
    if run.stage != "gathered" or run.job_outcome:
        return {
            "more": False,
            "parts": 0 if run.job_outcome == "canceled" else run.parts,
            "shared": run.files > 1,
        }
    versions = work.to_score(run)
    portions = work.portions(versions)
    total = sum(version.size for version in versions)
    if len(portions) == 1:
        # What came of it is written once, as all portions' is.
        parts = parts_for(run, 0, total)
        index = work.write_index(run, settled(run, pack_portion(run, portions[0], parts).verdicts))
    else:
        parts = None
        if work.found(run, "pack", number) is None:
            packed = pack_portion(run, portions[number], parts_for(run, number, total))
            work.write_found_once(run, "pack", number, packed)
        if number + 1 < len(portions):
            clients.ledger().progressing(launch)
            return {"more": True}
        index = work.write_index(run, settled(run, work.verdicts(run, "pack")))
    counted = {piece[0] for verdict in index if verdict.packed for piece in verdict.pieces}
    if parts is not None and parts.are_all_of(counted):
        work.keep_sizes(run, parts.sizes)
    else:
        keep_only(run, counted)
    rows = sum(verdict.rows for verdict in index if verdict.packed)
    clients.ledger().packed(launch, attempt=run.attempt, rows=rows, parts=len(counted))
    return {"more": False, "parts": len(counted), "shared": sum(verdict.packed for verdict in index) > 1}


def settled(run: Run, found: list[Verdict]) -> list[Verdict]:
    """Every version as pack has found it, all portions together."""
    route = Route.from_dict(run.route)
    faults = key_faults(run, route, found) if route.unique else {}
    return [same_keys(verdict, faults.get(verdict.version, "")) for verdict in found]


def same_keys(verdict: Verdict, why: str) -> Verdict:
    """A file whose keys are not its own alone. Where another file has them, too, neither is at fault."""
    if not why:
        return verdict
    if why.startswith("Row"):
        return verdict.but(word="rejected", why=why)
    return verdict.but(word="failed", why=f"pack: {why}; start a run for it alone (POST /api/runs)")


def keep_only(run: Run, parts: set[str]) -> None:
    """Leaves nothing for the model but the parts that count: not those of files that were rejected midway."""
    folder = names.parts_folder(run.run, run.attempt)
    work.delete(f"{folder}/{name}" for name in work.parts(run) if name not in parts)


def parts_for(run: Run, number: int, total: int) -> Parts:
    """The parts that one portion is put into; `total` bytes are in all portions together."""
    route = Route.from_dict(run.route)
    several = total > PART_AT_LEAST and not route.part_size
    return Parts(run, number, part_size(route, total, workers(run) if several else 1))


def pack_portion(run: Run, portion: Portion, parts: Parts) -> Found:
    """What came of the portion's files."""
    route = Route.from_dict(run.route)
    if not portion.whole:
        return pack_stretch(run, route, portion, parts)
    found: list[Verdict] = []
    for small, some in groupby(portion.versions, lambda version: shares(run, route, version)):
        packed = pack_together if small else pack_alone
        found += packed(run, route, list(some), parts)
    parts.close()
    return Found(found)


def pack_alone(run: Run, route: Route, versions: list[Version], parts: Parts) -> list[Verdict]:
    """Each version's rows in parts of its own."""

    def packed(version: Version) -> Verdict:
        return guarded(version, run, lambda: finished(version, run, read_whole(version, run, route, parts)))

    return clients.in_parallel(packed, versions)


def pack_together(run: Run, route: Route, versions: list[Version], parts: Parts) -> list[Verdict]:
    """Versions one after the other in parts they share. Few are held at a time."""
    found: list[Verdict] = []
    for start in range(0, len(versions), clients.CALLS_AT_A_TIME):
        some = versions[start : start + clients.CALLS_AT_A_TIME]
        held: dict[str, Packed] = {}
        verdicts = clients.in_parallel(partial(hold, run, route, held), some)
        found += [one if one.word else one.but(pieces=parts.append(held[one.version])) for one in verdicts]
    return found


def hold(run: Run, route: Route, held: dict[str, Packed], version: Version) -> Verdict:
    """The verdict on a small version, whose rows are held until they are written."""

    def packed() -> Verdict:
        held[version.key] = read_whole(version, run, route, None)
        return finished(version, run, held[version.key])

    return guarded(version, run, packed)


def pack_stretch(run: Run, route: Route, portion: Portion, parts: Parts) -> Found:
    """One stretch of a large file, after the one before it: its progress, or after the last its verdict."""
    [version] = portion.versions
    earlier = work.found(run, "pack", portion.number - 1) if portion.stretch else None
    before = earlier.progress if earlier else None
    if portion.stretch and before is None:
        return Found()
    reached: list[Progress] = []

    def packed() -> Verdict:
        found = read_stretch(version, run, route, parts, before, portion.until)
        if portion.last:
            return finished(version, run, found)
        reached.append(found.progress())
        return Verdict(version=version.key, blob=version.blob)

    verdict = guarded(version, run, packed)
    return Found(progress=reached[0]) if reached else Found([verdict])


def guarded(version: Version, run: Run, packed: Callable[[], Verdict]) -> Verdict:
    """The version's verdict, or the word it ends with. Raises AzureError where storage fails."""
    verdict = Verdict(version=version.key, blob=version.blob)
    try:
        with telemetry.span("dropscore.read_file", run=run.run, route=version.route, version=version.key):
            return packed()
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
        kind, blob = type(problem).__name__, names.shown(version.blob)
        log.error("run %s: blob %s: %s at %s:%d", run.run, blob, kind, place.filename, place.lineno)  # noqa: TRY400
        return verdict.but(word="failed", why=f"pack: {kind}; the app's log says where")


def gone(verdict: Verdict) -> Verdict:
    """The word of a version that is no longer there; asked anew, for Azurite answers 412 to a missing blob, too."""
    if clients.container("inbox").get_blob_client(verdict.blob).exists():
        return verdict.but(word="superseded", why="a newer version was dropped before this one was read")
    return verdict.but(word="withdrawn", why="the file was deleted before it was read")


def finished(version: Version, run: Run, packed: Packed) -> Verdict:
    """The verdict on a version that was read to its end. Raises FileRejected where its rows are at fault."""
    route = Route.from_dict(run.route)
    telemetry.BYTES.add(version.size, telemetry.of(route.name))
    refuse_bad_rows(packed, route)
    verdict = Verdict(
        version=version.key,
        blob=version.blob,
        rows=packed.rows,
        pieces=packed.pieces,
        bad_rows=packed.bad_rows,
        problems=packed.problems,
        formulas=packed.formulas,
        sha256=packed.sha256(),
    )
    forced = run.force or version.force
    if run.attempt == 1 and not forced and published_already(version, verdict, route):
        container = clients.container("predictions").container_name
        return verdict.but(
            word="unchanged",
            why="the same bytes were scored by the same model before; their predictions stand",
            where=f"{container}/{names.predictions_name(version.blob)}",
        )
    return verdict


def refuse_bad_rows(packed: Packed, route: Route) -> None:
    """Raises FileRejected where there are no rows, or more bad ones than the route sets aside."""
    if not packed.read:
        raise FileRejected("The file has a header but no rows. Drop it again with at least one row.")
    if not packed.bad_rows:
        return
    problems = told(packed.told, packed.table.dialect)
    if route.bad_rows == "reject":
        raise FileRejected(problems)
    if not packed.rows or packed.bad_rows > route.bad_rows_at_most * packed.read:
        raise FileRejected(
            f"{packed.bad_rows:,} of {packed.read:,} rows are at fault, this route sets aside at most "
            f"{route.bad_rows_at_most:.1%} of a file's rows.\n{problems}"
        )


def published_already(version: Version, verdict: Verdict, route: Route) -> bool:
    """Whether the predictions that stand under the file's name are its own, of the same bytes, model and columns.

    They then become this version's, so that none between the two replaces them; where that is outrun, they are not.
    """
    target = clients.container("predictions").get_blob_client(names.predictions_name(version.blob))
    standing = properties(target)
    said = metadata_of(standing)
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

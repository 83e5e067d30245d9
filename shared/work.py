"""What a run keeps in the work container between its activities; it never crosses the durable boundary.

{run}/{attempt}/parts/part-00001.csv      what the model is given: only parts lie in it
{run}/{attempt}/carried/, keys/           the cells that go past the model, and those of the key, part by part
{run}/{attempt}/problems/                 which rows were set aside, and why
{run}/{attempt}/pack/, unpack/            what was found out, one blob for each portion
{run}/{attempt}/index.jsonl               what came of pack, all portions together
"""

import json
from collections.abc import Iterable, Set
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import BlobClient, ContainerClient

from shared import clients
from shared.blob_io import listed, upload_new
from shared.kept import LINES_KEPT
from shared.names import parts_folder, work_folder
from shared.raw_predictions import Extents
from shared.records import Progress, Run, Staged, Verdict, Version

FILES_AT_ONCE = 500
BYTES_AT_ONCE = 64 * 1024 * 1024
ROWS_AT_ONCE = 500_000
# How much larger an archive is taken to be when it is unpacked.
INFLATES = 8
FIRST_TURN = 1


def container() -> ContainerClient:
    return clients.container("work")


def blob(run: Run, name: str) -> BlobClient:
    """A blob of the run's present attempt."""
    return container().get_blob_client(f"{work_folder(run.run, run.attempt)}/{name}")


def owner(run: Run) -> str:
    """Whose blocks are staged in the work container."""
    return f"{run.run}-{run.attempt:02d}"


def to_score(run: Run) -> list[Version]:
    """The versions of the run's attempt: all that it claimed, then only what the last job left incomplete."""
    versions = clients.ledger().sealed(run.run)
    if run.attempt == 1:
        return versions
    key = f"{work_folder(run.run, run.attempt)}/incomplete.jsonl"
    lines = read_lines(key)
    if lines is None:
        # Once: an execution of unpack that is late may yet find something else.
        last = verdicts(run, "unpack", attempt=run.attempt - 1)
        create(key, json_lines({"version": verdict.version} for verdict in last if not verdict.word))
        lines = read_lines(key)
    incomplete = {line["version"] for line in lines or []}
    return [version for version in versions if version.key in incomplete]


@dataclass(frozen=True)
class Portion:
    """What one activity call takes on: some files, or one of the stretches (from 0) of a large one."""

    number: int
    versions: list[Version] = field(default_factory=list)
    stretch: int = 0
    last: bool = True

    @property
    def whole(self) -> bool:
        return self.last and not self.stretch

    @property
    def until(self) -> int | None:
        """The byte of the large file at or after which its next stretch begins; None for the last."""
        return None if self.last else (self.stretch + 1) * BYTES_AT_ONCE


def portions(versions: Iterable[Version]) -> list[Portion]:
    """Everything, in portions that are bounded in files and in bytes; always at least one."""
    found: list[Portion] = []
    some: list[Version] = []
    size = 0
    for version in versions:
        stretches = stretches_of(version)
        weight = version.size * (INFLATES if is_archive(version) else 1)
        if some and (stretches > 1 or len(some) == FILES_AT_ONCE or size + weight > BYTES_AT_ONCE):
            found.append(Portion(len(found), some))
            some, size = [], 0
        if stretches == 1:
            some.append(version)
            size += weight
        for stretch in range(stretches if stretches > 1 else 0):
            found.append(Portion(len(found), [version], stretch, last=stretch + 1 == stretches))
    if some or not found:
        found.append(Portion(len(found), some))
    return found


def stretches_of(version: Version) -> int:
    """How many calls it takes to read the version. An archive is read in one go: it cannot be entered midway."""
    return 1 if is_archive(version) else max(1, -(-version.size // BYTES_AT_ONCE))


def is_archive(version: Version) -> bool:
    return version.blob.lower().endswith(".gz")


@dataclass(frozen=True)
class PartRows:
    """One part, and whose rows it holds: pieces of versions, in the part's order."""

    name: str
    pieces: list[tuple[Verdict, list[Any]]]

    @property
    def rows(self) -> int:
        return sum(piece[2] for _, piece in self.pieces)


def parts_of(index: Iterable[Verdict]) -> list[PartRows]:
    """The parts of all packed versions."""
    of_parts: dict[str, list[tuple[Verdict, list[Any]]]] = {}
    for verdict in index:
        for piece in verdict.pieces if verdict.packed else []:
            of_parts.setdefault(piece[0], []).append((verdict, piece))
    return [PartRows(name, sorted(pieces, key=lambda one: one[1][1])) for name, pieces in of_parts.items()]


def unpackings(index: Iterable[Verdict]) -> list[list[PartRows]]:
    """The parts of all packed versions, in portions bounded in files and in rows; always at least one."""
    found: list[list[PartRows]] = [[]]
    rows = files = 0
    for part in parts_of(index):
        if rows >= ROWS_AT_ONCE or files >= FILES_AT_ONCE:
            found.append([])
            rows = files = 0
        found[-1].append(part)
        rows, files = rows + part.rows, files + len(part.pieces)
    return found


def take(run: Run, number: int) -> int:
    """A number that no other execution of pack has for this portion: FIRST_TURN for the first.

    Executions that overlap may find different files gone; what one has written must not be mixed with another's.
    """
    folder = f"{work_folder(run.run, run.attempt)}/takes"
    return next(turn for turn in count(FIRST_TURN) if create(f"{folder}/{number:05d}-{turn}", b""))


@dataclass(frozen=True)
class Found:
    """What one portion came to: final verdicts, and what there is of a large file that goes on in other portions."""

    verdicts: list[Verdict] = field(default_factory=list)
    progress: Progress | None = None
    staged: list[Staged] = field(default_factory=list)

    def to_lines(self) -> list[dict[str, Any]]:
        lines = [{"verdict": verdict.to_dict()} for verdict in self.verdicts]
        lines += [{"progress": self.progress.to_dict()}] if self.progress else []
        return [*lines, *({"staged": one.to_dict()} for one in self.staged)]

    @classmethod
    def from_lines(cls, lines: list[dict[str, Any]]) -> "Found":
        progress = next((line["progress"] for line in lines if "progress" in line), None)
        return cls(
            verdicts=[Verdict.from_dict(line["verdict"]) for line in lines if "verdict" in line],
            progress=Progress.from_dict(progress) if progress else None,
            staged=[Staged.from_dict(line["staged"]) for line in lines if "staged" in line],
        )


def write_found(run: Run, stage: str, number: int, found: Found) -> None:
    """What `stage` (`pack` or `unpack`) found out about one portion."""
    container().upload_blob(found_key(run, stage, number), json_lines(found.to_lines()), overwrite=True)


def write_found_once(run: Run, stage: str, number: int, found: Found) -> None:
    """The same, but what an execution wrote before stands."""
    create(found_key(run, stage, number), json_lines(found.to_lines()))


def found(run: Run, stage: str, number: int, *, attempt: int = 0) -> Found | None:
    """What `stage` found out about one portion, or None where it has not come to it."""
    lines = read_lines(found_key(run, stage, number, attempt))
    return None if lines is None else Found.from_lines(lines)


def found_key(run: Run, stage: str, number: int, attempt: int = 0) -> str:
    return f"{work_folder(run.run, attempt or run.attempt)}/{stage}/{number:05d}.jsonl"


def verdicts(run: Run, stage: str, *, attempt: int = 0) -> list[Verdict]:
    """Everything `stage` has found out in an attempt, by default the run's present one."""
    folder = f"{work_folder(run.run, attempt or run.attempt)}/{stage}/"
    names = sorted(container().list_blob_names(name_starts_with=folder))
    return [one for name in names for one in Found.from_lines(read_lines(name) or []).verdicts]


def unpacked(run: Run, index: list[Verdict], *, attempt: int) -> list[Verdict]:
    """Everything unpack has found out in an attempt with this index, from which follows what blobs may say so."""
    portions = len(unpackings(index))
    numbers = range(portions if portions == 1 else portions + 1)
    known = clients.in_parallel(lambda number: found(run, "unpack", number, attempt=attempt), numbers)
    return [verdict for one in known if one for verdict in one.verdicts]


def write_index(run: Run, packed: list[Verdict]) -> list[Verdict]:
    """What came of pack, written once. Returns what stands."""
    key = index_key(run, run.attempt)
    if not create(key, json_lines(one.to_dict() for one in packed)):
        return index(run)
    if len(packed) <= LINES_KEPT:
        clients.kept().keep(key, packed)
    return packed


def index(run: Run, *, attempt: int = 0) -> list[Verdict]:
    """Every version as pack left it, by default in the run's present attempt; before pack's end, what it has found."""
    key = index_key(run, attempt or run.attempt)
    kept: list[Verdict] | None = clients.kept().get(key)
    if kept is not None:
        return kept
    lines = read_lines(key)
    if lines is None:
        return verdicts(run, "pack", attempt=attempt)
    return [Verdict.from_dict(line) for line in lines]


def checked(run: Run) -> list[Verdict]:
    """The versions that already have their word from a pack that is through. Nothing that follows changes it."""
    indexes = (read_lines(index_key(run, attempt)) or [] for attempt in range(1, run.attempt + 1))
    found = (Verdict.from_dict(line) for lines in indexes for line in lines)
    return [verdict for verdict in found if verdict.word]


def index_key(run: Run, attempt: int) -> str:
    return f"{work_folder(run.run, attempt)}/index.jsonl"


def parts(run: Run) -> dict[str, int]:
    """The attempt's parts as they lie there, and their sizes in bytes."""
    folder = parts_folder_of(run)
    return {item.name.removeprefix(folder): item.size for item in listed(container(), folder)}


def keep_sizes(run: Run, sizes: dict[str, int]) -> None:
    """Remembers the parts that count, all of them."""
    if len(sizes) <= LINES_KEPT:
        clients.kept().keep(parts_folder_of(run), sizes)


def sizes_of(run: Run, names: Set[str]) -> dict[str, int]:
    """The parts of these names, as far as they lie there, and their sizes in bytes."""
    kept: dict[str, int] | None = clients.kept().get(parts_folder_of(run))
    return {name: size for name, size in (kept or parts(run)).items() if name in names}


def parts_folder_of(run: Run) -> str:
    return f"{parts_folder(run.run, run.attempt)}/"


def write_extents(run: Run, extents: Extents) -> None:
    """Where the rows of each part lie in the attempt's raw predictions."""
    lines = ({"part": part, "stretches": stretches} for part, stretches in extents.items())
    container().upload_blob(extents_key(run), json_lines(lines), overwrite=True)


def extents(run: Run) -> Extents | None:
    """As this launch has found them, if it has."""
    lines = read_lines(extents_key(run))
    return None if lines is None else {line["part"]: line["stretches"] for line in lines}


def extents_key(run: Run) -> str:
    return f"{work_folder(run.run, run.attempt)}/extents-{run.launch}.jsonl"


def json_lines(documents: Iterable[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(document) + "\n" for document in documents).encode()


def create(key: str, data: bytes) -> bool:
    """Writes only if nothing is there. False: something was."""
    return bool(upload_new(container(), key, data))


def read_lines(key: str) -> list[dict[str, Any]] | None:
    """The documents of a JSON Lines blob, or None where there is none."""
    try:
        text = container().download_blob(key).readall()
    except ResourceNotFoundError:
        return None
    return [json.loads(line) for line in text.splitlines()]


def delete(names: Iterable[str]) -> None:
    """Deletes blobs; what is not there is fine."""

    def delete_one(name: str) -> None:
        try:
            container().delete_blob(name)
        except ResourceNotFoundError:
            return

    clients.in_parallel(delete_one, list(names))


def forget(run: str) -> None:
    """Deletes everything the run kept."""
    clients.kept().forget(f"{run}/")
    delete(container().list_blob_names(name_starts_with=f"{run}/"))

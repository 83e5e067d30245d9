"""Reading versions into parts: blocks of whole rows in, parts and what goes beside them out, memory flat."""

import hashlib
import json
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, count
from typing import Any

from shared import clients, work
from shared.blob_io import BlockWriter, read_chunks
from shared.csv_blocks import Block, Position, inflated, open_table, read_blocks
from shared.csv_lines import csv_line, has_formulas
from shared.csv_rows import REPORTED_PROBLEMS, Problem, Table, refusal
from shared.durations import parse_duration, parse_size
from shared.errors import FileRejected
from shared.names import part_name
from shared.raw_keys import Sources, duplicate_keys
from shared.records import Progress, Run, Verdict, Version
from shared.routes import Route

# Larger files get parts of their own.
SHARED_AT_MOST = 1024 * 1024
PART_AT_LEAST = 1024 * 1024
PART_AT_MOST = 32 * 1024 * 1024
# Rows are matched a part at a time.
ROWS_A_PART = work.ROWS_AT_ONCE
PARTS_A_NODE = 4
PARTS_A_PORTION = 100_000
PORTIONS = 10_000
# What a model is expected to score at least, where nobody says how long a part may take.
SLOWEST_BYTES_PER_SECOND = 200_000
KEYS_AT_MOST = 10_000_000


def part_size(route: Route, total: int, nodes: int) -> int:
    """Bytes of a part, at least: enough parts for all nodes, none that takes longer than the route lets it."""
    if route.part_size:
        return parse_size(route.part_size)
    size = min(PART_AT_MOST, total // (PARTS_A_NODE * nodes))
    if route.part_timeout:
        patience = parse_duration(route.part_timeout).total_seconds()
        size = min(size, int(patience * SLOWEST_BYTES_PER_SECOND))
    return max(PART_AT_LEAST, size)


@dataclass
class Packed:
    """What has been read of one version so far."""

    table: Table
    at: Position
    read: int = 0
    rows: int = 0
    pieces: list[list[Any]] = field(default_factory=list)
    digests: list[str] = field(default_factory=list)
    bad_rows: int = 0
    told: list[Problem] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    held: dict[str, Any] | None = None
    formulas: bool = False
    kept: list[Block] = field(default_factory=list)

    @classmethod
    def of(cls, progress: Progress) -> "Packed":
        """Where the stretch before has left off."""
        return cls(
            table=Table.from_dict(progress.table),
            at=Position(progress.offset, progress.line),
            read=progress.read,
            rows=progress.rows,
            pieces=[list(piece) for piece in progress.pieces],
            digests=list(progress.digests),
            bad_rows=progress.bad_rows,
            told=[Problem(*one) for one in progress.told],
            problems=list(progress.problems),
            held=progress.held,
            formulas=progress.formulas,
        )

    def progress(self) -> Progress:
        return Progress(
            table=self.table.to_dict(),
            offset=self.at.offset,
            line=self.at.line,
            read=self.read,
            rows=self.rows,
            pieces=self.pieces,
            digests=self.digests,
            bad_rows=self.bad_rows,
            told=[[one.line, one.column, one.reason] for one in self.told],
            problems=self.problems,
            held=self.held,
            formulas=self.formulas,
        )

    def sha256(self) -> str:
        """Of the version's bytes; of a file that was read in several stretches, of their digests."""
        if len(self.digests) == 1:
            return self.digests[0]
        return hashlib.sha256("".join(self.digests).encode()).hexdigest()


class Part:
    """One part under way: the rows for the model, and beside them the carried cells and those of the key."""

    def __init__(
        self,
        run: Run,
        name: str,
        table: Table,
        sizes: dict[str, int],
        held: dict[str, Any] | None = None,
    ) -> None:
        self.name, self.sizes = name, sizes
        self.rows = held["rows"] if held else 0
        self.size = 0
        staged = held["staged"] if held else {}
        folders = ("parts", *(["carried"] if table.carry else []), *(["keys"] if table.key else []))
        self.writers = {
            folder: BlockWriter(work.blob(run, f"{folder}/{name}"), work.owner(run), staged.get(folder, ()))
            for folder in folders
        }
        if not held:
            self.writers["parts"].write(csv_line(table.sent_header) + b"\n")

    def add(self, block: Block) -> list[Any]:
        """Appends rows. Returns the piece they are."""
        piece = [self.name, self.rows, block.rows]
        for folder, data in (("parts", block.sent), ("carried", block.carried), ("keys", block.keys)):
            if folder in self.writers:
                self.writers[folder].write(data)
        self.rows += block.rows
        self.size += len(block.sent)
        return piece

    def commit(self) -> None:
        for writer in self.writers.values():
            writer.commit()
        self.sizes[self.name] = self.size

    def hold(self) -> dict[str, Any]:
        """What it takes to go on with the part in another call."""
        staged = {folder: writer.hold() for folder, writer in self.writers.items()}
        return {"name": self.name, "rows": self.rows, "staged": staged}


class Parts:
    """The parts of one portion, those that files share and those of a file alone.

    `sizes` are those of the parts written so far, without their headers, in bytes.
    """

    def __init__(self, run: Run, number: int, size: int) -> None:
        self.turn = work.take(run, number)
        self.run, self.size = run, size
        self.sizes: dict[str, int] = {}
        self.first = ((self.turn - work.FIRST_TURN) * PORTIONS + number) * PARTS_A_PORTION
        self.numbers = count(1)
        if number >= PORTIONS:
            raise OverflowError(f"a run has at most {PORTIONS} portions")
        self.shared: dict[str, Part] = {}

    def open(self, table: Table) -> Part:
        number = next(self.numbers)
        if number >= PARTS_A_PORTION:
            raise OverflowError(f"a portion has at most {PARTS_A_PORTION} parts")
        return Part(self.run, part_name(self.first + number), table, self.sizes)

    def go_on(self, held: dict[str, Any], table: Table) -> Part:
        return Part(self.run, held["name"], table, self.sizes, held)

    def are_all_of(self, run_parts: Set[str]) -> bool:
        """Whether these, and nothing that another execution may have left, are the attempt's parts that count."""
        return self.turn == work.FIRST_TURN and self.sizes.keys() == run_parts

    def full(self, part: Part) -> bool:
        """Whether a part that may be followed by another is."""
        return part.size >= self.size or part.rows >= ROWS_A_PART

    def append(self, packed: Packed) -> list[list[Any]]:
        """Puts a small file's rows after those of others with the same columns. Returns its pieces."""
        header = json.dumps(packed.table.sent_header)
        part = self.shared.get(header) or self.open(packed.table)
        self.shared[header] = part
        pieces: list[list[Any]] = []
        for block in packed.kept:
            add_piece(pieces, part.add(block))
        if self.full(part):
            self.shared.pop(header).commit()
        return pieces

    def close(self) -> None:
        for part in self.shared.values():
            part.commit()


def add_piece(pieces: list[list[Any]], piece: list[Any]) -> None:
    """Rows that follow others in the same part are one piece with them."""
    if pieces and pieces[-1][0] == piece[0]:
        pieces[-1][2] += piece[2]
    else:
        pieces.append(piece)


def shares(run: Run, route: Route, version: Version) -> bool:
    """Whether the version goes into a part with others: not where it is scored alone, after a shared job left it."""
    small = version.size <= SHARED_AT_MOST and not work.is_archive(version)
    return small and route.shares_parts and run.attempt == 1


class Notes:
    """Which rows of a version are set aside, and why: CSV lines in a blob that is made with the first of them."""

    def __init__(self, run: Run, version: Version, at: Position) -> None:
        self.name = f"problems/{version.key}-{at.offset}.csv"
        self.run = run
        self.writer: BlockWriter | None = None

    def add(self, problems: Iterable[Problem]) -> None:
        for one in problems:
            if self.writer is None:
                self.writer = BlockWriter(work.blob(self.run, self.name), work.owner(self.run))
            self.writer.write(csv_line([str(one.line), one.column, one.reason]) + b"\n")

    def commit(self) -> list[str]:
        """The blob's name, if there is one."""
        if self.writer is None:
            return []
        self.writer.commit()
        return [self.name]


def read_whole(version: Version, run: Run, route: Route, parts: Parts | None) -> Packed:
    """Reads a version into parts of its own, or holds its blocks where there are none.

    Raises FileRejected for a bad file, ResourceModifiedError or ResourceNotFoundError where the version is gone.
    """
    refuse_too_large(version, route)
    seen = hashlib.sha256()
    chunks = hashed(read_chunks(source_of(version), version.etag), seen)
    if work.is_archive(version):
        chunks = inflated(chunks, parse_size(route.max_size))
    packed, rest = opened(chunks, route)
    read_rows(packed, rest, version, run, route, parts)
    packed.digests = [seen.hexdigest()]
    return packed


def read_stretch(
    version: Version, run: Run, route: Route, parts: Parts, before: Progress | None, until: int | None
) -> Packed:
    """Goes on with a large version up to the first row that begins at or after the byte `until`. Raises as above."""
    refuse_too_large(version, route)
    source, seen = source_of(version), hashlib.sha256()
    if before is None:
        packed, rest = opened(read_chunks(source, version.etag), route)
        seen.update(csv_line(list(packed.table.header)))
    else:
        packed = Packed.of(before)
        left = packed.at.offset < version.size
        rest = read_chunks(source, version.etag, (packed.at.offset, version.size)) if left else iter(())
    read_rows(packed, rest, version, run, route, parts, until, seen)
    packed.digests.append(seen.hexdigest())
    return packed


def refuse_too_large(version: Version, route: Route) -> None:
    if version.size > parse_size(route.max_size):
        raise FileRejected(
            f"The file has {version.size:,} bytes, this route takes at most {route.max_size}. "
            "Drop it in smaller pieces, or raise the route's `max_size`."
        )


def source_of(version: Version) -> Any:
    return clients.container("inbox").get_blob_client(version.blob)


def hashed(chunks: Iterable[bytes], seen: Any) -> Iterator[bytes]:
    for chunk in chunks:
        seen.update(chunk)
        yield chunk


def opened(chunks: Iterable[bytes], route: Route) -> tuple[Packed, Iterator[bytes]]:
    """The header, and the chunks from the first row on."""
    head: list[bytes] = []
    stream = iter(chunks)

    def noted() -> Iterator[bytes]:
        for chunk in stream:
            head.append(chunk)
            yield chunk

    table, at = open_table(noted(), route)
    return Packed(table, at), skipped(chain(head, stream), at.offset)


def skipped(chunks: Iterable[bytes], size: int) -> Iterator[bytes]:
    """The chunks without their first `size` bytes."""
    for chunk in chunks:
        if size < len(chunk):
            yield chunk[size:]
        size = max(0, size - len(chunk))


def read_rows(
    packed: Packed,
    chunks: Iterable[bytes],
    version: Version,
    run: Run,
    route: Route,
    parts: Parts | None,
    until: int | None = None,
    seen: Any = None,
) -> None:
    """Takes the rows block by block. Raises FileRejected where enough bad ones are known and none is set aside."""
    notes = Notes(run, version, packed.at)
    part = parts.go_on(packed.held, packed.table) if parts and packed.held else None
    for block in read_blocks(chunks, packed.table, packed.at):
        if seen is not None:
            seen.update(block.source)
        note(packed, block, route, notes)
        if parts is None:
            packed.kept.append(block)
        elif block.rows:
            part = part or parts.open(packed.table)
            add_piece(packed.pieces, part.add(block))
            if route.cuts_files and parts.full(part):
                part.commit()
                part = None
        packed.at = block.end
        if until is not None and packed.at.offset >= until:
            break
    packed.problems += notes.commit()
    packed.held = None
    if part and until is not None and not route.cuts_files:
        packed.held = part.hold()
    elif part:
        part.commit()


def note(packed: Packed, block: Block, route: Route, notes: Notes) -> None:
    packed.read += block.read
    packed.rows += block.rows
    packed.bad_rows += block.read - block.rows
    packed.formulas = packed.formulas or has_formulas(block.carried)
    packed.told += block.problems[: REPORTED_PROBLEMS - len(packed.told)]
    if route.bad_rows != "reject":
        notes.add(block.problems)
    elif len(packed.told) == REPORTED_PROBLEMS:
        raise FileRejected(refusal(packed.told, packed.table.dialect))


def key_faults(run: Run, route: Route, found: list[Verdict]) -> dict[str, str]:
    """Why versions, by their keys, hold a cell that must be unique over the run twice.

    Begins with "Row" where both are the version's own.
    """
    packed = [verdict for verdict in found if verdict.packed]
    [column] = route.unique
    if sum(verdict.rows for verdict in packed) > KEYS_AT_MOST:
        why = (
            f'the run has more than {KEYS_AT_MOST:,} rows, too many to compare "{column}": set `max_run_size`'
        )
        return dict.fromkeys((verdict.version for verdict in packed), why)
    own = faults_among(run, column, packed)
    rejected = {version for version, why in own.items() if why.startswith("Row")}
    if not rejected or len(rejected) == len(own):
        return own
    # A file that is rejected takes none of its keys from the others.
    others = [verdict for verdict in packed if verdict.version not in rejected]
    return {version: own[version] for version in rejected} | faults_among(run, column, others)


def faults_among(run: Run, column: str, packed: list[Verdict]) -> dict[str, str]:
    places = Places(packed)
    sources = key_sources(run, places.parts)
    faults: dict[str, str] = {}
    earlier: dict[tuple[str, int, int], int] = {}
    for again in duplicate_keys(sources):
        verdict, row = places.row(again.part, again.row)
        if faults.get(verdict.version, "").startswith("Row"):
            continue
        first, first_row = places.row(again.first_part, again.first_row)
        if verdict.version != first.version:
            # Of two rows of its own that another file has, too, the second is at fault in its own file already.
            own = earlier.setdefault((verdict.version, again.first_part, again.first_row), row)
            first, first_row = (verdict, own) if own != row else (first, first_row)
        if verdict.version == first.version:
            why = f'Rows {first_row} and {row} have the same "{column}", which must differ in all rows.'
            faults[verdict.version] = why
        else:
            why = f'its row {row} and row {first_row} of {first.blob}, in the same run, have the same "{column}"'
            faults.setdefault(verdict.version, why)
    return faults


def key_sources(run: Run, parts: Iterable[str]) -> Sources:
    """Opens the key cells of parts, which are numbered from 0 in the order they are given in."""
    return {number: partial(key_cells_of, run, part) for number, part in enumerate(parts)}


def key_cells_of(run: Run, part: str) -> Iterator[bytes]:
    return read_chunks(work.blob(run, f"keys/{part}"))


class Places:
    """Which row of which version a part's row is."""

    def __init__(self, packed: Iterable[Verdict]) -> None:
        of_parts: dict[str, list[tuple[int, int, Verdict]]] = {}
        for verdict in packed:
            before = 0
            for name, first, rows in verdict.pieces:
                of_parts.setdefault(name, []).append((first, before, verdict))
                before += rows
        self.parts = list(of_parts)
        self.pieces = [sorted(pieces, key=lambda piece: piece[0]) for pieces in of_parts.values()]

    def row(self, part: int, row: int) -> tuple[Verdict, int]:
        """The version, and the row's number among its scored rows (from 1)."""
        pieces = self.pieces[part]
        first, before, verdict = pieces[bisect_right(pieces, row, key=lambda piece: piece[0]) - 1]
        return verdict, before + row - first + 1

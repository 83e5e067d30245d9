"""Wherever stretches, parts, blocks and chunks end: pieces and parts, put together, are the files that were read."""

import gzip
import json
from dataclasses import dataclass, field
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared import packing, work
from shared.blob_io import ChunkStream
from shared.csv_blocks import read_blocks
from shared.csv_rows import Problem, dialect_of, read_rows, table_of
from shared.packing import Packed, Parts, read_stretch, read_whole, shares
from shared.records import Progress, Verdict, Version
from shared.routes import Route
from shared.work import Found, Portion
from tests.shared.packing import NUMBERED, RUN, Storage, in_memory

ROUTE = NUMBERED.but(bad_rows="set-aside")


@dataclass
class Reading:
    """What is in one file, or in the parts that were made of it."""

    header: list[str] = field(default_factory=list)
    sent: list[list[str]] = field(default_factory=list)
    carried: list[list[str]] = field(default_factory=list)
    keys: list[list[str]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    read: int = 0


def plain_reading(data: bytes, route: Route) -> Reading:
    header, *rows = read_rows(ChunkStream([data]), dialect_of(route))
    table = table_of(header.cells, header.line, route)
    found = Reading(table.sent_header, read=len(rows))
    for row in rows:
        if problems := list(table.problems(row.cells)):
            found.problems += [Problem(row.line, *problem) for problem in problems]
            continue
        found.sent.append(table.sent(row.cells))
        found.carried += [table.carried(row.cells)] if table.carry else []
        found.keys += [[row.cells[at] for at in table.key]] if table.key else []
    return found


class Execution:
    """Packs versions portion by portion, as the activity does; what goes from call to call passes through JSON."""

    def __init__(self, route: Route, size: int) -> None:
        self.route, self.size = route, size
        self.found: dict[str, Packed] = {}

    def run(self, versions: list[Version]) -> list[Verdict]:
        progress: Progress | None = None
        for portion in work.portions(versions):
            parts = Parts(RUN, portion.number, self.size)
            if portion.whole:
                self.whole(portion, parts)
            else:
                progress = self.stretch(portion, parts, progress)
        return [verdict_of(one, self.found[one.key]) for one in versions]

    def whole(self, portion: Portion, parts: Parts) -> None:
        for one in portion.versions:
            together = shares(RUN, self.route, one)
            packed = read_whole(one, RUN, self.route, None if together else parts)
            if together and packed.rows:
                packed.pieces = parts.append(packed)
            self.found[one.key] = packed
        parts.close()

    def stretch(self, portion: Portion, parts: Parts, before: Progress | None) -> Progress | None:
        [one] = portion.versions
        packed = read_stretch(one, RUN, self.route, parts, before if portion.stretch else None, portion.until)
        self.found[one.key] = packed
        if portion.last:
            return None
        assert portion.until is not None
        assert packed.at.offset >= min(portion.until, one.size)
        lines = json.dumps(Found(progress=packed.progress()).to_lines())
        return Found.from_lines(json.loads(lines)).progress


def verdict_of(one: Version, packed: Packed) -> Verdict:
    return Verdict(
        version=one.key,
        blob=one.blob,
        rows=packed.rows,
        pieces=packed.pieces,
        bad_rows=packed.bad_rows,
        problems=packed.problems,
        sha256=packed.sha256(),
    )


def put_together(storage: Storage, verdict: Verdict, packed: Packed) -> Reading:
    """What the pieces of a version hold, in its order."""
    found = Reading(packed.table.sent_header, read=packed.read)
    for name, first, rows in verdict.pieces:
        header, *sent = storage.rows(f"parts/{name}")
        assert header == found.header
        found.sent += sent[first : first + rows]
        for folder, cells in (("carried", found.carried), ("keys", found.keys)):
            if f"{folder}/{name}" in storage.names(f"{folder}/"):
                cells += storage.rows(f"{folder}/{name}")[first : first + rows]
    for name in verdict.problems:
        found.problems += [Problem(int(line), column, reason) for line, column, reason in storage.rows(name)]
    return found


def check_parts(storage: Storage, verdicts: list[Verdict]) -> None:
    """Every row of every part belongs to one piece; what lies beside a part has as many rows."""
    pieces: dict[str, list[tuple[int, int]]] = {}
    for verdict in verdicts:
        for name, first, rows in verdict.pieces:
            pieces.setdefault(name, []).append((first, rows))
    names = [name.removeprefix("parts/") for name in storage.names("parts/")]
    assert sorted(pieces) == names
    for name in names:
        rows = len(storage.rows(f"parts/{name}")) - 1
        taken = [row for first, count in pieces[name] for row in range(first, first + count)]
        assert sorted(taken) == list(range(rows))
        for beside in [*storage.names(f"carried/{name}"), *storage.names(f"keys/{name}")]:
            assert len(storage.rows(beside)) == rows


CELL = st.sampled_from(
    ["1", "-2.5", "17", "red", "", '"a, b"', '"say ""x"""', '"two\nlines"', '"\r\n"', "日本", " "]
)
NUMBER = st.sampled_from(["1", "-2.5", "17", "300", "x", "", '"4"'])
ROUTES = [
    ROUTE,
    ROUTE.but(send=("x",), carry=()),
    ROUTE.but(match="order"),
    ROUTE.but(match="files", send=("note", "x")),
    ROUTE.but(match="key", key="id", carry=("note",), send=("x", "id")),
    ROUTE.but(match="file", columns={}),
    ROUTE.but(match="none", columns={}, carry=()),
]


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """A header with the routes' columns, in some order and with others, and rows; often none is at fault."""
    names = draw(st.permutations(["id", "x", "note", *draw(st.sampled_from([[], ["more"]]))]))
    usual = st.sampled_from(["1", "-2.5", "17"])
    odd = draw(st.booleans())
    cells = [(NUMBER if odd else usual) if name == "x" else CELL if odd else usual for name in names]
    rows = draw(st.lists(st.tuples(*cells), max_size=draw(st.sampled_from([3, 12]))))
    end = draw(st.sampled_from(["\n", "\r\n"]))
    blank = draw(st.sampled_from(["", "", end]))
    text = "".join(",".join(row) + end for row in [names, *rows]) + blank
    mark = draw(st.sampled_from(["", "\ufeff"]))
    return (mark + (text.rstrip("\r\n") if draw(st.booleans()) else text)).encode()


LIMITS = st.fixed_dictionaries(
    {
        "BYTES_AT_ONCE": st.sampled_from([40, 64, 100, 1000]),
        "FILES_AT_ONCE": st.integers(1, 4),
        "SHARED_AT_MOST": st.sampled_from([0, 30, 1000]),
        "BLOCK": st.sampled_from([3, 16, 1000]),
    }
)


@settings(max_examples=150)
@given(
    route=st.sampled_from(ROUTES),
    contents=st.lists(files(), min_size=1, max_size=5),
    archives=st.sets(st.integers(0, 4), max_size=1),
    limits=LIMITS,
    size=st.sampled_from([1, 20, 100]),
    block=st.sampled_from([1, 25, 60, 1 << 20]),
    chunk=st.sampled_from([1, 7, 50, 1 << 22]),
)
def test_pieces_and_parts_put_together_are_the_files(
    route: Route,
    contents: list[bytes],
    archives: set[int],
    limits: dict[str, int],
    size: int,
    block: int,
    chunk: int,
) -> None:
    with in_memory(chunk, **limits) as storage, pytest.MonkeyPatch.context() as patch:
        patch.setattr(packing, "read_blocks", partial(read_blocks, size=block))
        versions = [
            storage.drop(f"{number}.csv.gz", gzip.compress(data, mtime=0))
            if number in archives
            else storage.drop(f"{number}.csv", data)
            for number, data in enumerate(contents)
        ]
        execution = Execution(route, size)
        verdicts = execution.run(versions)
        check_parts(storage, verdicts)
        for data, verdict in zip(contents, verdicts, strict=True):
            expected = plain_reading(data, route)
            assert put_together(storage, verdict, execution.found[verdict.version]) == expected
            assert verdict.rows == len(expected.sent) == sum(piece[2] for piece in verdict.pieces)
            assert verdict.bad_rows == expected.read - verdict.rows
            if not route.cuts_files:
                assert len(verdict.pieces) <= 1

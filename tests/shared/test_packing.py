"""Versions become parts: how large, shared by whom, gone on with in another call, and what is wrong with rows."""

import gzip
import hashlib
import json
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import packing
from shared.csv_blocks import Block, Position, read_blocks
from shared.csv_rows import Table
from shared.errors import FileRejected
from shared.packing import (
    PART_AT_LEAST,
    PART_AT_MOST,
    Packed,
    Part,
    Parts,
    Places,
    add_piece,
    key_faults,
    opened,
    part_size,
    read_stretch,
    read_whole,
    shares,
    skipped,
)
from shared.records import Verdict
from shared.routes import Route
from tests.shared.ledgers import version
from tests.shared.packing import ANY_COLUMNS, NUMBERED, RUN, Storage, in_memory

ROUTE = NUMBERED.but(send=("x",))
TABLE = Table(header=("id", "x"), send=(1,), carry=(0,))
MEGABYTE = 1_000_000


@pytest.fixture
def storage() -> Iterator[Storage]:
    with in_memory() as storage:
        yield storage


@pytest.mark.parametrize(
    ("total", "nodes", "size"),
    [
        (0, 1, PART_AT_LEAST),
        (4 * PART_AT_LEAST, 1, PART_AT_LEAST),
        (40 * PART_AT_LEAST, 1, 10 * PART_AT_LEAST),
        (40 * PART_AT_LEAST, 2, 5 * PART_AT_LEAST),
        (10**12, 1, PART_AT_MOST),
        (10**12, 100, PART_AT_MOST),
    ],
)
def test_parts_are_so_large_that_every_node_has_some(total: int, nodes: int, size: int) -> None:
    assert part_size(ROUTE, total, nodes) == size


def test_a_route_may_say_how_large_parts_are_and_how_long_one_may_take() -> None:
    assert part_size(ROUTE.but(part_size="64MB"), 0, 1) == 64 * MEGABYTE
    assert part_size(ROUTE.but(part_timeout="10s"), 10**12, 1) == 10 * packing.SLOWEST_BYTES_PER_SECOND
    assert part_size(ROUTE.but(part_timeout="1s"), 10**12, 1) == PART_AT_LEAST
    assert part_size(ROUTE.but(part_timeout="10h"), 10**12, 1) == PART_AT_MOST


@given(st.integers(0, 10**13), st.integers(1, 200), st.sampled_from(["", "1s", "30s", "2m", "1d"]))
def test_a_part_has_between_one_mebibyte_and_thirty_two(total: int, nodes: int, timeout: str) -> None:
    size = part_size(ROUTE.but(part_timeout=timeout), total, nodes)
    assert PART_AT_LEAST <= size <= PART_AT_MOST
    assert size == PART_AT_LEAST or total >= size * nodes * packing.PARTS_A_NODE


def test_rows_that_follow_others_in_a_part_are_one_piece() -> None:
    pieces: list[list[Any]] = []
    for piece in (["p1", 3, 2], ["p1", 5, 4], ["p2", 0, 1], ["p2", 1, 1], ["p3", 0, 7]):
        add_piece(pieces, piece)
    assert pieces == [["p1", 3, 6], ["p2", 0, 2], ["p3", 0, 7]]


@given(st.lists(st.binary(max_size=5), max_size=6), st.integers(0, 20))
def test_the_first_bytes_are_skipped_wherever_chunks_end(chunks: list[bytes], size: int) -> None:
    found = list(skipped(chunks, size))
    assert b"".join(found) == b"".join(chunks)[size:]
    assert all(found)


@given(st.integers(1, 40), st.sampled_from([b"", b"1,2\n", b'1,"a\nb"\n2,3', b"\n\n1,2\n"]))
def test_opening_gives_the_header_and_everything_after_it(size: int, rows: bytes) -> None:
    head = b'\xef\xbb\xbf\n"id","x\ny"\n'
    data = head + rows
    packed, rest = opened((data[at : at + size] for at in range(0, len(data), size)), ANY_COLUMNS)
    assert packed.table == Table(header=("id", "x\ny"), send=(0, 1))
    assert packed.at == Position(len(head), 4)
    assert b"".join(rest) == rows


def packed_verdict(blob: str, *pieces: list[Any]) -> Verdict:
    rows = sum(piece[2] for piece in pieces)
    return Verdict(version=blob, blob=blob, rows=rows, pieces=list(pieces))


def test_a_parts_row_is_found_in_its_version() -> None:
    one, two = packed_verdict("one", ["p1", 0, 3], ["p2", 0, 2]), packed_verdict("two", ["p1", 3, 2])
    places = Places([two, one])
    assert places.parts == ["p1", "p2"]
    assert [places.row(0, row) for row in range(5)] == [(one, 1), (one, 2), (one, 3), (two, 1), (two, 2)]
    assert [places.row(1, row) for row in range(2)] == [(one, 4), (one, 5)]


@given(
    st.lists(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 4)), min_size=1, max_size=4), max_size=6)
)
def test_every_row_has_its_place(files: list[list[tuple[int, int]]]) -> None:
    ends: dict[str, int] = {}
    verdicts: list[Verdict] = []
    expected: dict[tuple[str, int], tuple[Verdict, int]] = {}
    for blob, wanted in enumerate(files):
        pieces: list[list[Any]] = []
        for number, rows in wanted:
            name = f"p{number}"
            add_piece(pieces, [name, ends.get(name, 0), rows])
            ends[name] = ends.get(name, 0) + rows
        verdicts.append(packed_verdict(f"{blob}", *pieces))
        in_order = [(name, first + at) for name, first, rows in pieces for at in range(rows)]
        expected |= {place: (verdicts[-1], row) for row, place in enumerate(in_order, start=1)}
    places = Places(verdicts)
    numbers = {name: number for number, name in enumerate(places.parts)}
    assert {(name, row): places.row(numbers[name], row) for name, row in expected} == expected


def block(*rows: tuple[str, str]) -> Block:
    """Good rows of `TABLE`."""
    sent, carried = ("".join(f"{row[at]}\n" for row in rows).encode() for at in (1, 0))
    return Block(b"", Position(), len(rows), len(rows), sent, carried, b"", [])


def test_a_part_has_a_header_for_the_model_and_the_other_cells_beside_it(storage: Storage) -> None:
    part = Part(RUN, "part-00007.csv", TABLE, {})
    assert part.add(block(("a", "1"), ("b", "2"))) == ["part-00007.csv", 0, 2]
    assert part.add(block(("c", "3"))) == ["part-00007.csv", 2, 1]
    assert storage.names() == []
    part.commit()
    assert storage.names() == ["carried/part-00007.csv", "parts/part-00007.csv"]
    assert storage.read("parts/part-00007.csv") == b"x\n1\n2\n3\n"
    assert storage.read("carried/part-00007.csv") == b"a\nb\nc\n"


def test_a_part_is_gone_on_with_in_another_call() -> None:
    with in_memory(BLOCK=4) as storage:
        part = Part(RUN, "part-00001.csv", TABLE, {})
        part.add(block(("a", "1"), ("b", "2"), ("c", "3")))
        held = json.loads(json.dumps(part.hold()))
        assert storage.names() == []
        other = Part(RUN, held["name"], TABLE, {}, held)
        assert other.add(block(("d", "4"))) == ["part-00001.csv", 3, 1]
        other.commit()
        assert storage.rows("parts/part-00001.csv") == [["x"], ["1"], ["2"], ["3"], ["4"]]
        assert storage.rows("carried/part-00001.csv") == [["a"], ["b"], ["c"], ["d"]]


def test_small_files_with_the_same_columns_share_parts_up_to_their_size(storage: Storage) -> None:
    parts = Parts(RUN, 0, 4)
    other = Table(header=("y",), send=(0,))
    pieces = [
        parts.append(Packed(table, Position(), kept=[block(*rows)]))
        for table, rows in (
            (TABLE, [("a", "1")]),
            (other, [("", "9")]),
            (TABLE, [("b", "2"), ("c", "3")]),
            (TABLE, [("d", "4")]),
        )
    ]
    parts.close()
    one, two, three = (f"part-{number:05d}.csv" for number in (1, 2, 3))
    assert pieces == [[[one, 0, 1]], [[two, 0, 1]], [[one, 1, 2]], [[three, 0, 1]]]
    assert storage.read(f"parts/{one}") == b"x\n1\n2\n3\n"
    assert storage.read(f"parts/{two}") == b"y\n9\n"
    assert storage.read(f"parts/{three}") == b"x\n4\n"


def test_executions_that_overlap_write_parts_of_their_own(storage: Storage) -> None:
    names = set()
    for _ in range(3):
        for number in range(3):
            parts = Parts(RUN, number, 1)
            names |= {parts.open(TABLE).name for _ in range(3)}
    assert len(names) == 27


@pytest.mark.parametrize(
    ("changes", "of_version", "attempt", "expected"),
    [
        ({}, {}, 1, True),
        ({}, {"size": packing.SHARED_AT_MOST + 1}, 1, False),
        ({}, {"blob": "a.csv.gz"}, 1, False),
        ({"match": "order"}, {}, 1, False),
        ({"match": "files"}, {}, 1, False),
        ({"max_files": 1}, {}, 1, False),
        ({}, {}, 2, False),
    ],
    ids=["small", "large", "archive", "in order", "own files", "one file a job", "second attempt"],
)
def test_small_files_share_parts_where_their_rows_can_be_told_apart(
    changes: dict[str, Any], of_version: dict[str, Any], attempt: int, expected: bool
) -> None:
    assert shares(RUN.but(attempt=attempt), ROUTE.but(**changes), version().but(**of_version)) is expected


def test_a_file_larger_than_the_route_takes_is_not_read(storage: Storage) -> None:
    large = storage.drop("in/a.csv", b"id,x\n" + b"a,1\n" * 300)
    with pytest.raises(FileRejected, match=r"^The file has 1,205 bytes, this route takes at most 1KB\."):
        read_whole(large, RUN, ROUTE.but(max_size="1KB"), None)


def test_what_is_wrong_with_rows_that_are_set_aside_lies_beside_the_parts(storage: Storage) -> None:
    route = ROUTE.but(bad_rows="set-aside")
    one = storage.drop("in/a.csv", b'id,x\na,1\nb,"one, two"\nc,\nd,4\n')
    found = read_whole(one, RUN, route, Parts(RUN, 0, 1))
    assert (found.read, found.rows, found.bad_rows) == (4, 2, 2)
    [name] = found.problems
    assert storage.rows(name) == [["3", "x", "is not a number"], ["4", "x", "is empty"]]
    assert found.pieces == [["part-00001.csv", 0, 2]]
    assert storage.read("parts/part-00001.csv") == b"x\n1\n4\n"


def test_what_is_wrong_with_a_file_that_is_rejected_is_told_alone(storage: Storage) -> None:
    one = storage.drop("in/a.csv", b"id,x\na,1\nb,two\n")
    found = read_whole(one, RUN, ROUTE, None)
    assert [problem.line for problem in found.told] == [3]
    assert (found.problems, storage.names()) == ([], [])


def test_the_tenth_problem_ends_the_reading_of_a_file_that_is_rejected_for_it(storage: Storage) -> None:
    one = storage.drop("in/a.csv", b"id,x\n" + b"a,b\n" * 12 + b"too,many,fields\n")
    with pytest.raises(FileRejected, match=r"(?s)^Line 2, .*Line 11, .*There may be more\."):
        read_whole(one, RUN, ROUTE, None)


def test_a_large_file_is_cut_where_a_part_is_large_enough(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packing, "read_blocks", partial(read_blocks, size=1))
    one = storage.drop("in/a.csv", b"id,x\n" + b"a,123\n" * 8)
    found = read_whole(one, RUN, ROUTE, Parts(RUN, 0, 9))
    assert found.pieces == [["part-00001.csv", 0, 3], ["part-00002.csv", 0, 3], ["part-00003.csv", 0, 2]]
    uncut = read_whole(one, RUN, ROUTE.but(match="order"), Parts(RUN, 1, 9))
    assert uncut.pieces == [["part-100001.csv", 0, 8]]


def stretches(storage: Storage, data: bytes, *ends: int | None, route: Route = ROUTE) -> Packed:
    """What is read of a file in stretches that go up to these bytes."""
    one, found = storage.drop("in/a.csv", data), None
    for number, until in enumerate(ends):
        before = found and found.progress()
        found = read_stretch(one, RUN, route, Parts(RUN, number, 1 << 20), before, until)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("until", "rows", "end"), [(1, 1, 9), (9, 1, 9), (10, 2, 13), (13, 2, 13), (14, 3, 17)]
)
def test_a_stretch_ends_before_the_first_row_that_begins_at_or_after_its_limit(
    storage: Storage, monkeypatch: pytest.MonkeyPatch, until: int, rows: int, end: int
) -> None:
    monkeypatch.setattr(packing, "read_blocks", partial(read_blocks, size=1))
    found = stretches(storage, b"id,x\n" + b"a,1\n" * 5, until)
    assert (found.rows, found.at) == (rows, Position(end, rows + 2))


def test_the_parts_of_a_large_file_end_with_its_stretches(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packing, "read_blocks", partial(read_blocks, size=1))
    found = stretches(storage, b"id,x\n" + b"a,1\n" * 5, 9, 17, None)
    assert found.pieces == [["part-00001.csv", 0, 1], ["part-100001.csv", 0, 2], ["part-200001.csv", 0, 2]]


def test_a_file_that_must_not_be_cut_stays_in_one_part_through_all_its_stretches(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packing, "read_blocks", partial(read_blocks, size=1))
    data = b"id,x\n" + b"a,1\n" * 5
    found = stretches(storage, data, 9, 17, None, route=ROUTE.but(match="order"))
    assert (found.pieces, found.rows) == ([["part-00001.csv", 0, 5]], 5)
    assert storage.names("parts/") == ["parts/part-00001.csv"]
    assert len(storage.rows("carried/part-00001.csv")) == 5


def test_the_digest_of_a_file_is_that_of_its_bytes(storage: Storage) -> None:
    data = b"id,x\na,1\n"
    for name, content in (("in/a.csv", data), ("in/a.csv.gz", gzip.compress(data))):
        one = read_whole(storage.drop(name, content), RUN, ROUTE, None)
        assert (one.rows, one.sha256()) == (1, hashlib.sha256(content).hexdigest())


def test_the_digest_of_a_file_that_is_read_in_stretches_stands_for_all_its_bytes() -> None:
    data = b"id,x\n" + b"a,1\n" * 9 + b"\n\n"
    digests = set()
    for chunk in (1, 10, 1 << 20):
        with in_memory(chunk) as storage:
            digests.add(stretches(storage, data, 20, None).sha256())
    assert len(digests) == 1
    for other in (data.replace(b"id,x", b"id,x,y").replace(b"1", b"1,"), data + b"\n", b"id,x\nb" + data[6:]):
        with in_memory() as storage:
            found = stretches(storage, other, 20, None)
            assert found.rows == 9
            digests.add(found.sha256())
    assert len(digests) == 4


KEYED = ROUTE.but(match="key", key="id", send=("id", "x"), columns={}, carry=())


def keyed(storage: Storage, *contents: bytes) -> list[Verdict]:
    """Files with a key, in a part they share and, the last, in one of its own."""
    parts, verdicts = Parts(RUN, 0, 1 << 20), []
    for number, data in enumerate(contents):
        one = storage.drop(f"{number}.csv", data)
        alone = number + 1 == len(contents)
        found = read_whole(one, RUN, KEYED, parts if alone else None)
        pieces = found.pieces if alone else parts.append(found)
        verdicts.append(Verdict(version=one.blob, blob=one.blob, rows=found.rows, pieces=pieces))
    parts.close()
    return verdicts


def test_keys_that_differ_are_no_fault(storage: Storage) -> None:
    assert key_faults(RUN, KEYED, keyed(storage, b"id,x\na,1\nb,1\n", b"id,x\nA,1\n", b"id,x\nc,1\n")) == {}


def test_a_key_that_comes_twice_in_a_file_is_told_with_both_rows(storage: Storage) -> None:
    found = keyed(storage, b"id,x\na,1\n", b'id,x\nb,1\nc,1\n"b",2\nc,3\n', b"id,x\nd,1\n")
    assert key_faults(RUN, KEYED, found) == {
        "1.csv": 'Rows 1 and 3 have the same "id", which must differ in all rows.'
    }


def test_a_key_of_another_file_is_told_with_its_name(storage: Storage) -> None:
    found = keyed(storage, b"id,x\na,1\nb,1\n", b"id,x\nc,1\nb,1\n", b"id,x\nd,1\nc,1\n")
    assert key_faults(RUN, KEYED, found) == {
        "1.csv": 'its row 2 and row 2 of 0.csv, in the same run, have the same "id"',
        "2.csv": 'its row 2 and row 1 of 1.csv, in the same run, have the same "id"',
    }


def test_more_keys_than_can_be_compared_fail_every_file(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packing, "KEYS_AT_MOST", 2)
    found = keyed(storage, b"id,x\na,1\n", b"id,x\nb,1\nc,1\n")
    rejected = Verdict(version="bad", blob="bad", word="rejected")
    why = 'the run has more than 2 rows, too many to compare "id": set `max_run_size`'
    assert key_faults(RUN, KEYED, [*found, rejected]) == {"0.csv": why, "1.csv": why}

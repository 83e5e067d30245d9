"""What one activity call takes on is bounded in files, bytes and rows, and nothing is left out."""

import json
import secrets
from itertools import pairwise
from typing import Any

import pytest
from azure.storage.blob import BlobServiceClient
from hypothesis import given
from hypothesis import strategies as st

from shared import clients, work
from shared.records import Progress, Run, Staged, Verdict, Version
from shared.work import Found, PartRows, Portion
from tests.shared.ledgers import version

LIMIT = work.BYTES_AT_ONCE
RUN = Run(run="R1", launch=1, route={}, slot=0, created_at="")


def of_sizes(*sizes: int, end: str = ".csv") -> list[Version]:
    return [version(f"{number}{end}").but(size=size) for number, size in enumerate(sizes)]


def sizes_of_portions(*sizes: int) -> list[list[int]]:
    return [[one.size for one in portion.versions] for portion in work.portions(of_sizes(*sizes))]


def test_nothing_makes_one_empty_portion() -> None:
    assert work.portions([]) == [Portion(0)]


@pytest.mark.parametrize(
    ("sizes", "portions"),
    [
        ([1, 2, 3], [[1, 2, 3]]),
        ([LIMIT, 1], [[LIMIT], [1]]),
        ([LIMIT - 1, 1, 1], [[LIMIT - 1, 1], [1]]),
        ([1, LIMIT + 1, 1], [[1], [LIMIT + 1], [LIMIT + 1], [1]]),
        ([0], [[0]]),
    ],
    ids=["small", "at the limit", "just within", "too large for one", "empty"],
)
def test_a_portion_holds_as_many_bytes_as_its_limit(sizes: list[int], portions: list[list[int]]) -> None:
    assert sizes_of_portions(*sizes) == portions


def test_a_portion_holds_a_limited_number_of_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "FILES_AT_ONCE", 2)
    assert sizes_of_portions(0, 0, 0, 0, 0) == [[0, 0], [0, 0], [0]]


@pytest.mark.parametrize(
    ("size", "stretches"), [(0, 1), (1, 1), (LIMIT, 1), (LIMIT + 1, 2), (2 * LIMIT, 2), (2 * LIMIT + 1, 3)]
)
def test_a_large_file_is_read_in_stretches_of_the_limit(size: int, stretches: int) -> None:
    [one] = of_sizes(size)
    assert work.stretches_of(one) == stretches
    portions = work.portions([one])
    assert [portion.until for portion in portions] == [
        *(LIMIT * (number + 1) for number in range(stretches - 1)),
        None,
    ]
    assert [portion.whole for portion in portions] == ([True] if stretches == 1 else [False] * stretches)


@pytest.mark.parametrize("end", [".csv.gz", ".CSV.GZ"])
def test_an_archive_is_read_in_one_go(end: str) -> None:
    [one] = of_sizes(3 * LIMIT, end=end)
    assert work.portions([one]) == [Portion(0, [one])]


SIZES = st.lists(st.one_of(st.integers(0, LIMIT // 4), st.integers(0, 3 * LIMIT)), max_size=20)


@given(SIZES, st.integers(1, 6))
def test_every_file_is_in_one_portion_or_in_all_its_stretches(sizes: list[int], files: int) -> None:
    versions = of_sizes(*sizes)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(work, "FILES_AT_ONCE", files)
        portions = work.portions(versions)
    assert [portion.number for portion in portions] == list(range(len(portions)))
    taken = [one for portion in portions for one in portion.versions if not portion.stretch]
    assert taken == versions
    for portion in portions:
        assert len(portion.versions) <= files
        assert len(portion.versions) == 1 or sum(one.size for one in portion.versions) <= LIMIT
        assert portion.whole or len(portion.versions) == 1
    for before, portion in pairwise(portions):
        if portion.stretch:
            assert (portion.versions, portion.stretch) == (before.versions, before.stretch + 1)
        assert before.last == (portion.stretch == 0)
    assert portions[-1].last


@given(SIZES)
def test_no_portion_could_have_been_put_to_the_one_before(sizes: list[int]) -> None:
    for before, portion in pairwise(work.portions(of_sizes(*sizes))):
        if before.whole and portion.whole and before.versions[-1].size <= LIMIT:
            first = portion.versions[0].size
            assert sum(one.size for one in before.versions) + first > LIMIT


def packed(*pieces: list[Any], blob: str = "a.csv", word: str = "") -> Verdict:
    return Verdict(version=blob, blob=blob, word=word, pieces=list(pieces))


def names_of(portions: list[list[PartRows]]) -> list[list[str]]:
    return [[part.name for part in portion] for portion in portions]


def test_nothing_to_unpack_makes_one_empty_portion() -> None:
    assert work.unpackings([]) == [[]]
    assert work.unpackings([packed(word="rejected"), packed()]) == [[]]


def test_parts_are_unpacked_in_portions_of_bounded_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "ROWS_AT_ONCE", 10)
    index = [packed(["p1", 0, 9], ["p2", 0, 1], ["p3", 0, 20], ["p4", 0, 1])]
    assert names_of(work.unpackings(index)) == [["p1", "p2"], ["p3"], ["p4"]]


def test_parts_are_unpacked_in_portions_of_bounded_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "FILES_AT_ONCE", 2)
    index = [packed([f"p{number}", 0, 1], blob=f"{number}.csv") for number in range(5)]
    assert names_of(work.unpackings(index)) == [["p0", "p1"], ["p2", "p3"], ["p4"]]


def test_all_pieces_of_a_part_are_unpacked_together_in_its_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "ROWS_AT_ONCE", 10)
    one, two, three = (packed(["p1", 9 * number, 9], blob=f"{number}.csv") for number in range(3))
    between = packed(["p2", 0, 30], blob="between.csv")
    rejected = packed(["p9", 0, 9], blob="bad.csv", word="rejected")
    [[part], [other]] = work.unpackings([one, between, three, rejected, two])
    assert (part.name, part.rows) == ("p1", 27)
    assert part.pieces == [(verdict, verdict.pieces[0]) for verdict in (one, two, three)]
    assert (other.name, other.pieces) == ("p2", [(between, between.pieces[0])])


@st.composite
def indexes(draw: st.DrawFn) -> list[Verdict]:
    """What pack may leave: small files in parts they share, large ones in parts of their own, rejected ones."""
    verdicts: list[Verdict] = []
    ends: dict[str, int] = {}
    for number in range(draw(st.integers(0, 12))):
        kind = draw(st.sampled_from(["small", "small", "large", "rejected"]))
        pieces: list[list[Any]] = []
        if kind == "small":
            name, rows = draw(st.sampled_from(["shared1", "shared2", "shared3"])), draw(st.integers(1, 8))
            pieces = [[name, ends.get(name, 0), rows]]
            ends[name] = ends.get(name, 0) + rows
        elif kind == "large":
            counts = draw(st.lists(st.integers(1, 30), min_size=1, max_size=4))
            pieces = [[f"{number}-{part}", 0, rows] for part, rows in enumerate(counts)]
        word = "rejected" if kind == "rejected" else ""
        verdicts.append(packed(*pieces, blob=f"{number}.csv", word=word))
    return verdicts


@given(indexes(), st.integers(1, 40), st.integers(1, 4))
def test_every_piece_is_unpacked_once_in_its_place(index: list[Verdict], rows: int, files: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(work, "ROWS_AT_ONCE", rows)
        patch.setattr(work, "FILES_AT_ONCE", files)
        found = work.unpackings(index)
    parts = [part for portion in found for part in portion]
    assert len({part.name for part in parts}) == len(parts)
    given_out = [(verdict.blob, piece) for part in parts for verdict, piece in part.pieces]
    assert sorted(given_out) == sorted((verdict.blob, piece) for verdict in index for piece in verdict.pieces)
    for part in parts:
        taken = [(piece[0], row) for _, piece in part.pieces for row in range(piece[1], piece[1] + piece[2])]
        assert taken == [(part.name, row) for row in range(part.rows)]
    for portion in found:
        assert not portion[:-1] or sum(part.rows for part in portion[:-1]) < rows
        assert not portion[:-1] or sum(len(part.pieces) for part in portion[:-1]) < files


TEXT = st.text(max_size=8)
PIECES = st.lists(st.tuples(TEXT, st.integers(0), st.integers(0)).map(list), max_size=3)
VERDICTS = st.builds(
    Verdict, version=TEXT, blob=TEXT, word=TEXT, why=TEXT, rows=st.integers(0), pieces=PIECES
)
PROGRESS = st.builds(
    Progress,
    table=st.just({"header": ["a"]}),
    offset=st.integers(0),
    line=st.integers(1),
    pieces=PIECES,
    digests=st.lists(TEXT, max_size=2),
    told=st.lists(st.tuples(st.integers(1), TEXT, TEXT).map(list), max_size=2),
    held=st.none() | st.just({"name": "p", "rows": 3, "staged": {"parts": ["b"]}}),
)
STAGED = st.builds(Staged, version=TEXT, rows=st.integers(0), blocks=st.lists(TEXT, max_size=3), why=TEXT)


@given(st.builds(Found, st.lists(VERDICTS, max_size=3), st.none() | PROGRESS, st.lists(STAGED, max_size=3)))
def test_what_was_found_out_survives_the_way_through_json_lines(found: Found) -> None:
    lines = work.json_lines(found.to_lines()).decode().splitlines()
    assert Found.from_lines([json.loads(line) for line in lines]) == found


@pytest.fixture
def work_container(azurite_account: BlobServiceClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """A work container on Azurite."""
    container = azurite_account.create_container(f"work-{secrets.token_hex(8)}")
    monkeypatch.setattr(clients, "container", {"work": container}.__getitem__)


@pytest.mark.usefixtures("work_container")
def test_each_execution_takes_a_portion_with_a_number_of_its_own() -> None:
    assert [work.take(RUN, 3) for _ in range(3)] == [1, 2, 3]
    assert work.take(RUN, 4) == 1
    assert work.take(RUN.but(attempt=2), 3) == 1
    assert sorted(clients.in_parallel(lambda _: work.take(RUN, 5), range(8))) == list(range(1, 9))


@pytest.mark.usefixtures("work_container")
def test_what_the_first_execution_of_pack_has_found_out_stands() -> None:
    first, second = Found([packed(blob="a.csv")]), Found([packed(blob="b.csv")])
    assert work.found(RUN, "pack", 0) is None
    work.write_found_once(RUN, "pack", 0, first)
    work.write_found_once(RUN, "pack", 0, second)
    assert work.found(RUN, "pack", 0) == first
    work.write_found(RUN, "unpack", 0, first)
    work.write_found(RUN, "unpack", 0, second)
    assert work.found(RUN, "unpack", 0) == second


@pytest.mark.usefixtures("work_container")
def test_the_verdicts_of_all_portions_stand_in_their_order() -> None:
    for number in (10, 2, 0):
        work.write_found(RUN, "pack", number, Found([packed(blob=f"{number}.csv")]))
    work.write_found(RUN.but(attempt=2), "pack", 0, Found([packed(blob="again.csv")]))
    work.write_found(RUN, "unpack", 0, Found([packed(blob="other.csv")]))
    assert [one.blob for one in work.verdicts(RUN, "pack")] == ["0.csv", "2.csv", "10.csv"]
    later = RUN.but(attempt=2)
    assert [one.blob for one in work.verdicts(later, "pack")] == ["again.csv"]
    assert [one.blob for one in work.verdicts(later, "pack", attempt=1)] == ["0.csv", "2.csv", "10.csv"]


@pytest.mark.usefixtures("work_container")
def test_the_index_is_written_once_and_the_parts_are_listed_with_their_sizes() -> None:
    first = [packed(["part-00001.csv", 0, 2])]
    found = [packed(blob="c.csv")]
    work.write_found(RUN, "pack", 0, Found(found))
    assert work.index(RUN) == found
    assert work.write_index(RUN, first) == first
    assert work.write_index(RUN, [packed(blob="b.csv")]) == first
    work.blob(RUN, "parts/part-00001.csv").upload_blob(b"x\n1\n2\n")
    work.blob(RUN, "carried/part-00001.csv").upload_blob(b"a\nb\n")
    assert work.parts(RUN) == {"part-00001.csv": 6}
    work.forget(RUN.run)
    assert (work.parts(RUN), work.index(RUN)) == ({}, [])

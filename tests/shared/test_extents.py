"""Which bytes of shared raw predictions belong to which part: every row to its own, in any order, however read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import StageFailed
from shared.raw_blocks import LONGEST_ROW, Blocks
from shared.raw_extents import AT_ONCE, Extents, extents_of
from shared.raw_predictions import predicted
from tests.shared.raw_text import cut, lines, parsed, route

ONE, TWO = "part-00001.csv", "part-00002.csv"
# Line breaks, both separators, and what reads like the end of another part's row.
PIECES = st.sampled_from([*'ab1 ,"\n日', f" {ONE}", f",{TWO}", f"{ONE}\n"])
VALUE = st.lists(PIECES, min_size=1, max_size=6).map("".join)
ROWS = st.lists(st.tuples(VALUE, VALUE), min_size=1, max_size=5)


def written(part: str, rows: list[tuple[str, str]], match: str) -> list[bytes]:
    """The part's rows in a keyed form, as its writer quotes them."""
    if match == "row":
        return lines(([str(number), *values, part] for number, values in enumerate(rows)), ",")
    return lines(([*values, part] for values in rows), " ")


@st.composite
def interleaved(
    draw: st.DrawFn, match: str
) -> tuple[dict[str, list[tuple[str, str]]], list[tuple[str, bytes]]]:
    """The rows of some parts, and their lines as nodes that work side by side would leave them."""
    names = draw(st.lists(st.integers(1, 5), min_size=1, max_size=4, unique=True))
    rows = {f"part-{number:05d}.csv": draw(ROWS) for number in names}
    left = {part: written(part, values, match) for part, values in rows.items()}
    together = []
    while left:
        part = draw(st.sampled_from(sorted(left)))
        together.append((part, left[part].pop(0)))
        if not left[part]:
            del left[part]
    return rows, together


def stretched(data: bytes, extents: Extents, part: str) -> bytes:
    return b"".join(data[first:after] for first, after in extents[part])


SIZES = st.lists(st.integers(1, 40), min_size=1, max_size=5)


@pytest.mark.parametrize("match", ["file", "row"])
@given(drawn=st.data(), sizes=SIZES)
def test_the_stretches_of_a_part_are_exactly_its_lines(
    match: str, drawn: st.DataObject, sizes: list[int]
) -> None:
    rows, together = drawn.draw(interleaved(match))
    data = b"".join(line for _, line in together)
    extents = extents_of(cut(data, sizes), match)
    assert set(extents) == set(rows)
    for part in rows:
        own = b"".join(line for name, line in together if name == part)
        assert stretched(data, extents, part) == own


@pytest.mark.parametrize("match", ["file", "row"])
@given(drawn=st.data())
def test_the_values_of_every_part_come_back_from_its_stretches(match: str, drawn: st.DataObject) -> None:
    rows, together = drawn.draw(interleaved(match))
    data = b"".join(line for _, line in together)
    extents = extents_of([data], match)
    for part, values in rows.items():
        pieces = (data[first:after] for first, after in extents[part])
        batches = predicted(pieces, route(match, 2), part, len(values))
        found = [row for batch in batches for row in batch]
        assert [tuple(cells) for cells in parsed(found)] == values


def test_rows_that_follow_each_other_make_one_stretch() -> None:
    raw = f"1 {ONE}\n2 {ONE}\n3 {TWO}\n4 {ONE}\n".encode()
    line = len(f"1 {ONE}\n")
    assert extents_of([raw], "file") == {
        ONE: [[0, 2 * line], [3 * line, 4 * line]],
        TWO: [[2 * line, 3 * line]],
    }


@pytest.mark.parametrize(
    "name",
    [ONE, f"/mnt/in/{ONE}", f"azureml://x/{ONE}", f'"{ONE}"', f'"/mnt/my data/{ONE}"', f"{ONE}\r"],
    ids=["bare", "path", "address", "quoted", "path with a blank", "with a carriage return"],
)
def test_a_part_is_known_by_its_name_however_it_is_written(name: str) -> None:
    raw = f"1 {name}\n2 {name}\n".encode()
    assert extents_of([raw], "file") == {ONE: [[0, len(raw)]]}


def test_one_part_may_come_under_two_paths() -> None:
    raw = f"1 /node-0/{ONE}\n2 /node-1/{ONE}\n".encode()
    assert b"".join(raw[first:after] for first, after in extents_of([raw], "file")[ONE]) == raw


def test_a_value_may_hold_a_line_that_ends_with_the_letters_of_a_name() -> None:
    one, two = f"1 {ONE}\n".encode(), f'"a\nb{ONE}\nc" {TWO}\n'.encode()
    assert extents_of([one + two], "file") == {ONE: [[0, len(one)]], TWO: [[len(one), len(one + two)]]}


def test_a_value_may_hold_a_line_that_ends_as_a_row_of_another_part_does() -> None:
    one, two = f"1 {ONE}\n".encode(), f'"see {ONE}\nmore" {TWO}\n'.encode()
    assert extents_of([one + two], "file") == {ONE: [[0, len(one)]], TWO: [[len(one), len(one + two)]]}


def test_a_lone_quote_within_a_bare_value_is_a_letter() -> None:
    raw = f'5" {ONE}\n6" {TWO}\n'.encode()
    assert set(extents_of([raw], "file")) == {ONE, TWO}


def test_the_last_line_needs_no_end() -> None:
    one, two = f"1 {ONE}\n".encode(), f"2 {TWO}".encode()
    ends = [len(one), len(one + two)]
    assert extents_of([one + two], "file") == {ONE: [[0, ends[0]]], TWO: [ends]}


def test_an_empty_file_belongs_to_no_part() -> None:
    assert extents_of([], "file") == {}


@pytest.mark.parametrize(
    ("raw", "match"),
    [
        ("1.5\n2.5\n", "file"),
        (f"1 {ONE}\n2 \n", "file"),
        (f"1 {ONE}\n2 part-1", "file"),
        (f"1 {ONE}\n2 other.csv\n", "file"),
        (f"1 x{ONE}\n", "file"),
        (f"0,1,{ONE}\n", "file"),
        (f"1 {ONE}\n", "row"),
        (f"{ONE},0,1\n", "row"),
    ],
    ids=["no names", "blank", "cut off", "no part", "longer name", "commas", "blanks", "name first"],
)
def test_rows_at_the_end_that_name_no_part_are_refused(raw: str, match: str) -> None:
    with pytest.raises(StageFailed, match=f'as match = "{match}" needs') as refused:
        extents_of([raw.encode()], match)
    assert "1.5" not in str(refused.value)


def test_a_row_in_the_middle_that_names_no_part_is_never_taken_for_a_prediction() -> None:
    raw = f"1 {ONE}\nlost\n2 {TWO}\n".encode()
    with pytest.raises(StageFailed, match="has 1 fields"):
        list(predicted([stretched(raw, extents_of([raw], "file"), TWO)], route("file"), TWO, 1))


def test_the_separator_may_be_another() -> None:
    raw = f"0\t1\t{ONE}\n0\t2\t{TWO}\n".encode()
    assert set(extents_of([raw], "row", "\t")) == {ONE, TWO}


@pytest.mark.parametrize("length", [1, AT_ONCE - 1, AT_ONCE, AT_ONCE + 1, 3 * AT_ONCE])
@pytest.mark.parametrize("quotes", ["", '"'])
def test_stretches_of_any_length_are_found(length: int, quotes: str) -> None:
    """As those of many small parts, of which one chunk holds several."""
    stretches = [f"{quotes}1 2{quotes} part-{number:05d}.csv\n".encode() * length for number in (3, 1, 2, 4)]
    ends = [sum(map(len, stretches[: at + 1])) for at in range(4)]
    expected = {
        f"part-{part:05d}.csv": [[end - len(stretches[0]), end]]
        for part, end in zip((3, 1, 2, 4), ends, strict=True)
    }
    assert extents_of([b"".join(stretches)], "file") == expected


TOKENS = st.lists(
    st.sampled_from([*'a1 ,"\n\r', f" {ONE}\n", f" {TWO}\n", f' "{ONE}"\n', f"{ONE}\n", '"a\n']), max_size=12
)


@given(TOKENS, SIZES)
def test_any_cutting_gives_the_same_stretches_or_the_same_refusal(
    tokens: list[str], sizes: list[int]
) -> None:
    data = "".join(tokens).encode()

    def outcome(chunks: list[bytes]) -> object:
        try:
            return extents_of(chunks, "file")
        except StageFailed as problem:
            return str(problem)

    assert outcome(list(cut(data, sizes))) == outcome([data])


@given(st.binary(max_size=60), SIZES)
def test_blocks_end_with_lines_however_the_bytes_come(data: bytes, sizes: list[int]) -> None:
    blocks = Blocks(cut(data, sizes))
    found = list(blocks)
    assert all(block.endswith(b"\n") for block in found)
    assert b"".join(found) == data + b"\n" * blocks.cut_off
    assert blocks.cut_off == bool(data and not data.endswith(b"\n"))


@given(st.binary(max_size=60).map(lambda data: data + b"\n"), SIZES, st.data())
def test_what_is_given_back_begins_the_next_block(
    data: bytes, sizes: list[int], drawn: st.DataObject
) -> None:
    blocks, read = Blocks(cut(data, sizes)), b""
    for block in blocks:
        used = drawn.draw(st.integers(0, len(block)))
        read += block[:used]
        blocks.keep(block[used:])
    assert read + blocks.rest == data + b"\n" * blocks.cut_off


def test_a_row_without_an_end_is_not_kept_for_good() -> None:
    megabyte = b"x" * 2**20
    taken = iter([megabyte] * (LONGEST_ROW // 2**20 + 9))
    with pytest.raises(StageFailed, match="longer than 16,777,216 bytes"):
        extents_of(taken, "file")
    assert len(list(taken)) == 8


@pytest.mark.parametrize("cell", ["5", '"a b"', '5"'])
def test_stretches_are_those_of_a_reading_line_by_line(cell: str) -> None:
    """Whatever way is taken: over a whole block at once, over stretches in it, or over lines where quotes are odd."""
    parts = [ONE] * 5 + [TWO] + [ONE] * 2
    raw = "".join(f"{cell} {part}\n" for part in parts).encode()
    line = len(raw) // len(parts)
    assert extents_of([raw], "file") == {
        ONE: [[0, 5 * line], [6 * line, 8 * line]],
        TWO: [[5 * line, 6 * line]],
    }

"""Which bytes of shared raw predictions belong to which part: every row to its own, in any order, however read."""

import csv
import io
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import StageFailed
from shared.raw_predictions import Extents, byte_lines, extents_of, matched
from shared.routes import Route

ONE, TWO = "part-00001.csv", "part-00002.csv"
# Line breaks, both separators, and what reads like the end of another part's row.
PIECES = st.sampled_from([*'ab1 ,"\n日', f" {ONE}", f",{TWO}", f"{ONE}\n"])
VALUE = st.lists(PIECES, min_size=1, max_size=6).map("".join)
ROWS = st.lists(st.tuples(VALUE, VALUE), min_size=1, max_size=5)


def written(part: str, rows: list[tuple[str, str]], match: str) -> list[bytes]:
    """The part's rows in a keyed form, as its writer quotes them."""
    lines = []
    for number, values in enumerate(rows):
        text = io.StringIO()
        numbered = [str(number), *values] if match == "row" else list(values)
        csv.writer(text, delimiter="," if match == "row" else " ", lineterminator="\n").writerow(
            [*numbered, part]
        )
        lines.append(text.getvalue().encode())
    return lines


@st.composite
def interleaved(
    draw: st.DrawFn, match: str
) -> tuple[dict[str, list[tuple[str, str]]], list[tuple[str, bytes]]]:
    """The rows of some parts, and their lines as nodes that work side by side would leave them."""
    names = draw(st.lists(st.integers(1, 5), min_size=1, max_size=4, unique=True))
    rows = {f"part-{number:05d}.csv": draw(ROWS) for number in names}
    left = {part: written(part, values, match) for part, values in rows.items()}
    lines = []
    while left:
        part = draw(st.sampled_from(sorted(left)))
        lines.append((part, left[part].pop(0)))
        if not left[part]:
            del left[part]
    return rows, lines


def cut(data: bytes, sizes: list[int]) -> Iterator[bytes]:
    """The bytes in chunks of these sizes, again and again."""
    at = 0
    while at < len(data):
        for size in sizes:
            yield data[at : at + size]
            at += size


def stretched(data: bytes, extents: Extents, part: str) -> bytes:
    return b"".join(data[first:after] for first, after in extents[part])


SIZES = st.lists(st.integers(1, 40), min_size=1, max_size=5)


@pytest.mark.parametrize("match", ["file", "row"])
@given(drawn=st.data(), sizes=SIZES)
def test_the_stretches_of_a_part_are_exactly_its_lines(
    match: str, drawn: st.DataObject, sizes: list[int]
) -> None:
    rows, lines = drawn.draw(interleaved(match))
    data = b"".join(line for _, line in lines)
    extents = extents_of(cut(data, sizes), match)
    assert set(extents) == set(rows)
    for part in rows:
        own = b"".join(line for name, line in lines if name == part)
        assert stretched(data, extents, part) == own


@pytest.mark.parametrize("match", ["file", "row"])
@given(drawn=st.data())
def test_the_values_of_every_part_come_back_from_its_stretches(match: str, drawn: st.DataObject) -> None:
    rows, lines = drawn.draw(interleaved(match))
    data = b"".join(line for _, line in lines)
    route = Route(name="r", pattern="**", model="https://e/jobs", match=match, predictions=("low", "high"))
    extents = extents_of([data], match)
    for part, values in rows.items():
        text = io.StringIO(stretched(data, extents, part).decode(), newline="\n")
        assert [tuple(found) for found in matched(text, route, part, len(values))] == values


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
    raw = f"1 {ONE}\n2 {TWO}".encode()
    extents = extents_of([raw], "file")
    assert stretched(raw, extents, TWO) == f"2 {TWO}".encode()


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
    route = Route(name="r", pattern="**", model="https://e/jobs", match="file")
    text = io.StringIO(stretched(raw, extents_of([raw], "file"), TWO).decode())
    with pytest.raises(StageFailed, match="has 1 fields"):
        list(matched(text, route, TWO, 1))


@given(st.binary(max_size=60), SIZES)
def test_lines_are_the_same_however_the_bytes_come(data: bytes, sizes: list[int]) -> None:
    lines = list(byte_lines(cut(data, sizes)))
    assert b"".join(lines) == data
    assert all(line.endswith(b"\n") for line in lines[:-1])
    assert all(line.count(b"\n") <= 1 for line in lines)

"""Rows of our own CSV, given out as they are wanted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.csv_lines import Lines, csv_line, has_formulas, rows_of

cells = st.lists(st.text(alphabet='ab",\n\r é', max_size=6), min_size=2, max_size=3)
tables = st.lists(cells, max_size=12)
sizes = st.integers(1, 9)


def chunked(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


@given(tables, sizes)
def test_rows_come_back_whatever_the_chunks(table: list[list[str]], size: int) -> None:
    rows = [csv_line(row) for row in table]
    data = b"".join(row + b"\n" for row in rows)
    assert [row for batch in rows_of(chunked(data, size)) for row in batch] == rows


@given(st.lists(st.lists(st.integers(), max_size=5), max_size=6), st.lists(st.integers(0, 7), max_size=8))
def test_rows_are_taken_in_any_portions(batches: list[list[int]], counts: list[int]) -> None:
    lines, everything = Lines(iter(batches)), [one for batch in batches for one in batch]
    taken = [lines.take(count) for count in counts]
    left = [one for _, batch in lines.batches_of(None) for one in batch]
    assert [one for some in taken for one in some] + left == everything
    assert all(len(some) <= count for some, count in zip(taken, counts, strict=True))


def test_a_number_of_rows_is_counted_from_one() -> None:
    lines = Lines(iter([[1, 2], [3, 4, 5]]))
    assert list(lines.batches_of(4)) == [(1, [1, 2, 3, 4])]
    assert lines.take(2) == [5]


@pytest.mark.parametrize(
    "cell", ["=1+1", "@SUM(A1)", "+cmd|' /C calc'!A0", "-2+3", "\tx", "\r=1", "-x", "+", "=", "-1e"]
)
@pytest.mark.parametrize("row", [["{}"], ["a", "{}"], ["{}", "b"], ["a, b", "{}", "c"]])
def test_cells_that_a_spreadsheet_may_run_are_noticed(cell: str, row: list[str]) -> None:
    assert has_formulas(b"x,y\n" + csv_line([one.format(cell) for one in row]) + b"\n")


@pytest.mark.parametrize(
    "cell", ["1", "-1", "+1.5", "-.5e-3", "-1E+9", "a=b", "a-b", "me@home", "", " =1", "a+b"]
)
@pytest.mark.parametrize("row", [["{}"], ["a", "{}"], ["{}", "b"]])
def test_numbers_and_other_texts_are_no_formulas(cell: str, row: list[str]) -> None:
    assert not has_formulas(csv_line([one.format(cell) for one in row]) + b"\n")

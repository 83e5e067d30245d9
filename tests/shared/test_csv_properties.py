"""Whatever CSV is accepted, the csv module and pandas read with the same rows; no refusal shows a value."""

import csv
import io
import re
from typing import Any

import pandas as pd
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from shared.blob_io import ChunkStream
from shared.column_rules import is_number
from shared.csv_rows import Dialect, read_rows
from shared.errors import FileRejected
from tests.shared.packing import ANY_COLUMNS, HEADER, packed, rows_of

CELL = st.text(
    st.one_of(st.sampled_from('ab1 ,;\t|"\n\ré日'), st.characters(codec="utf-8", exclude_characters="\0")),
    max_size=6,
)


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[list[str]], bytes, str]:
    """Rows with a header, how some program wrote them, and its delimiter."""
    width = draw(st.integers(1, 4))
    header = [f"column {number}" for number in range(width)]
    rows = [header, *draw(st.lists(st.lists(CELL, min_size=width, max_size=width), min_size=1, max_size=6))]
    delimiter = draw(st.sampled_from(",;\t|"))
    # Minimal quoting, before Python 3.13, leaves line ends other than its own in the open.
    lines = any(end in cell for row in rows for cell in row for end in "\r\n")
    minimal = csv.QUOTE_NONNUMERIC if lines else csv.QUOTE_MINIMAL
    text = io.StringIO()
    csv.writer(
        text,
        delimiter=delimiter,
        quoting=draw(st.sampled_from([minimal, csv.QUOTE_ALL])),
        lineterminator=draw(st.sampled_from(["\n", "\r\n", "\r"])),
    ).writerows(rows)
    written = text.getvalue()
    if draw(st.booleans()):
        written = written.rstrip("\r\n")
    mark = draw(st.sampled_from(["", "\ufeff"]))
    return rows, (mark + written).encode(), delimiter


@given(tables(), st.integers(1, 50))
def test_what_is_read_is_what_was_written(table: tuple[list[list[str]], bytes, str], size: int) -> None:
    rows, data, delimiter = table
    assert [row.cells for row in rows_of(data, delimiter, size)] == rows


@st.composite
def dialects(draw: st.DrawFn) -> tuple[list[list[str]], bytes, Dialect]:
    """Rows with a header as a program writes them in some dialect."""
    dialect = Dialect(
        delimiter=draw(st.sampled_from(",;\t| \x01")),
        quote=draw(st.sampled_from(["'", '"', "", "~"])),
        encoding=draw(st.sampled_from(["utf-8", "windows-1252", "iso-8859-1", "iso-8859-15"])),
    )
    unquotable = "" if dialect.quote else dialect.delimiter + "\r\n"
    width = draw(st.integers(2, 4))
    cells = CELL.map(lambda cell: fitting(cell, dialect.encoding, unquotable))
    rows = draw(st.lists(st.lists(cells, min_size=width, max_size=width), min_size=1, max_size=6))
    rows = [[f"column{number}" for number in range(width)], *rows]
    text = io.StringIO()
    csv.writer(
        text,
        delimiter=dialect.delimiter,
        quotechar=dialect.quote or None,
        quoting=csv.QUOTE_ALL if dialect.quote else csv.QUOTE_NONE,
        lineterminator=draw(st.sampled_from(["\n", "\r\n", "\r"])),
    ).writerows(rows)
    return rows, text.getvalue().encode(dialect.encoding), dialect


def fitting(cell: str, encoding: str, without: str) -> str:
    """The cell without what the encoding does not have and the dialect could not quote."""
    kept = cell.encode(encoding, "ignore").decode(encoding)
    return "".join(character for character in kept if character not in without)


@given(dialects(), st.integers(1, 50))
def test_every_dialect_reads_what_was_written_in_it(
    table: tuple[list[list[str]], bytes, Dialect], size: int
) -> None:
    rows, data, dialect = table
    chunks = [data[at : at + size] for at in range(0, len(data), size)]
    assert [row.cells for row in read_rows(ChunkStream(chunks), dialect)] == rows


@given(dialects(), st.data())
def test_reading_from_any_row_on_gives_the_same_rows_and_lines(
    table: tuple[list[list[str]], bytes, Dialect], data: st.DataObject
) -> None:
    _, content, dialect = table
    header, *rows = read_rows(ChunkStream([content]), dialect)
    start = data.draw(st.integers(0, len(rows) - 1))
    line = rows[start].line
    lines = re.split(rb"(?<=\r\n)|(?<=\n)|(?<=\r)(?!\n)", content)
    rest = ChunkStream([b"".join(lines[line - 1 :])])
    assert list(read_rows(rest, dialect, line, len(header.cells))) == rows[start:]


@given(st.text('ab1 ,;"\n\r\ufeffé', max_size=40), st.integers(1, 9))
@example('a,b\n1,2\n"', 1)
def test_whatever_is_accepted_reads_as_the_csv_module_reads_it(text: str, size: int) -> None:
    try:
        found = [row.cells for row in rows_of(text.encode(), size=size)]
    except FileRejected:
        assume(False)
    plain = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    assert found == [row for row in plain if row]


PIECES = [
    "1,2\n",
    "1\n",
    '"x\ny",é\n',
    '"a""b",\n',
    '"a\rb"',
    "1",
    ",",
    '"',
    '""',
    " ",
    "\t",
    "\n",
    "\r\n",
    "\r",
]


@pytest.mark.parametrize("header", ["a,b\n", "a\n"])
@given(pieces=st.lists(st.sampled_from(PIECES), max_size=8))
def test_whatever_is_accepted_pandas_reads_with_as_many_rows(header: str, pieces: list[str]) -> None:
    text = header + "".join(pieces)
    try:
        found, part, _ = packed(text.encode(), ANY_COLUMNS)
    except FileRejected:
        return
    assert len(pd.read_csv(io.BytesIO(part))) == found
    # Of the file itself, pandas loses lines of blanks in one column, and rows after a blank line that ends in a CR.
    if "b" in header and "\r" not in text.replace("\r\n", ""):
        assert len(pd.read_csv(io.StringIO(text, newline=""))) == found


@given(tables())
def test_pandas_reads_as_many_rows_from_the_part(table: tuple[list[list[str]], bytes, str]) -> None:
    rows, data, delimiter = table
    found, part, _ = packed(data, ANY_COLUMNS.but(delimiter=delimiter))
    assert found == len(rows) - 1 == len(pd.read_csv(io.BytesIO(part)))


@pytest.mark.parametrize("cell", [" ", "\t", " \t "])
def test_pandas_reads_as_many_rows_from_a_part_of_one_column(cell: str) -> None:
    data = f'name,age\nx,1\n"{cell}",2\n'.encode()
    found, part, _ = packed(data, ANY_COLUMNS.but(send=("name",)))
    assert len(pd.read_csv(io.BytesIO(part))) == found


LONE_RETURNS = [b'id,age,bmi\n"a\rb",1,2\n', b'id,age,bmi\n1,2,"a\rb"\n', b'id,"bmi\r",age\n1,2,3\n']


@pytest.mark.parametrize("data", LONE_RETURNS)
def test_a_lone_carriage_return_stays_in_its_cell(data: bytes) -> None:
    rows, part, carried = packed(data, ANY_COLUMNS.but(carry=("id",)))
    assert list(csv.reader(io.StringIO(part.decode(), newline=""))) == [row.cells for row in rows_of(data)]
    assert len(list(csv.reader(io.StringIO(carried.decode(), newline="")))) == rows


@pytest.mark.parametrize("text", ["9" * 30, "-" + "9" * 19])
def test_an_integer_that_pandas_cannot_hold_is_no_number(text: str) -> None:
    assert not is_number(text)


@given(
    st.one_of(st.text("0123456789+-.eE _", max_size=8), st.floats().map(str), st.integers().map(str), CELL)
)
@example("1\x1c")
@example("\x0b1")
@example("1e-400")
@example("1" * 19)
@example("9" * 19 + ".5")
def test_what_counts_as_a_number_pandas_reads_as_one(text: str) -> None:
    assume(is_number(text))
    _, part, _ = packed(f'id,age,bmi\n1,"{text}",3\n'.encode())
    assert pd.read_csv(io.BytesIO(part))["age"].dtype.kind in "iuf"


CANARY = "CANARY7391"
MANGLED = [
    lambda data: data,
    lambda data: data + b'"' + CANARY.encode(),
    lambda data: data.replace(b"\n", b",\n", 2),
    lambda data: data.replace(CANARY.encode(), b'"' + CANARY.encode() + b'"x', 1),
    lambda data: data.replace(b"7391", b"7391\0", 1),
    lambda data: data.replace(b"7391", b"7391\xff", 1),
    lambda data: data.replace(b",", b";"),
    lambda data: data.partition(b"\n")[2],
    lambda data: data[: len(data) // 2],
]


@given(
    st.lists(st.sampled_from([CANARY, f"x{CANARY}", f"{CANARY}.5", f"-{CANARY}", f"{CANARY} e"]), min_size=3),
    st.sampled_from(MANGLED),
)
def test_no_message_ever_shows_a_value(cells: list[str], mangle: Any) -> None:
    rows = [cells[at : at + 3] for at in range(0, len(cells), 3)]
    data = mangle(HEADER + "".join(",".join(row) + "\n" for row in rows).encode())
    with pytest.raises(FileRejected) as refused:
        packed(data)
    assert CANARY not in str(refused.value)

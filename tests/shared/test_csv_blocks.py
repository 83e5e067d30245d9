"""Blocks of whole rows: cells stay as they stand, odd rows are read by the reference, plain ones never are."""

import io
import subprocess
import sys
from collections.abc import Iterator

import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared import csv_blocks
from shared.column_rules import Rule
from shared.csv_blocks import Block, Position, open_table, read_blocks
from shared.csv_checks import numbers_in
from shared.csv_rows import Dialect, Problem, Table
from shared.csv_scan import scan
from shared.errors import FileRejected
from shared.routes import Route

ANY_COLUMNS = Route(name="r", pattern="**", model="https://e/jobs")
ROUTE = ANY_COLUMNS.but(send=("age", "bmi"), carry=("id",), columns={"age": "number"})
HEADER = b"id,age,bmi\n"
AT = Position(0, 2)
NUMBERS = tuple((at, Rule("number")) for at in range(3))
EUROPEAN = Dialect(";", '"', "windows-1252", ",")


def table_of_columns(width: int, **other: object) -> Table:
    return Table(
        header=tuple(f"column {at}" for at in range(width)),
        **{"send": tuple(range(width)), **other},  # type: ignore[arg-type]
    )


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


def blocks(data: bytes, table: Table, size: int = 1 << 20, chunk: int = 1 << 16) -> list[Block]:
    return list(read_blocks(pieces(data, chunk), table, AT, size))


def sent(data: bytes, table: Table, size: int = 1 << 20) -> bytes:
    return b"".join(block.sent for block in blocks(data, table, size))


@pytest.fixture
def no_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fails what is read row by row."""

    def refused(*_: object) -> Block:
        raise AssertionError("read row by row")

    monkeypatch.setattr(csv_blocks, "read_by_row", refused)


PLAIN = {
    "numbers": (b"1,-2.5,3e5\n" * 50, table_of_columns(3, rules=NUMBERS)),
    "CRLF": (b"1,2,3\r\n" * 50, table_of_columns(3, rules=NUMBERS)),
    "quoted newlines": (b'1,"a\nb ""c"", d",3\n' * 50, table_of_columns(3)),
    "quoted CRLF": (b'1,"a\r\nb",3\r\n' * 50, table_of_columns(3)),
    "all quoted": (b'"1","2.5","3"\n' * 50, table_of_columns(3, rules=NUMBERS)),
    "no final newline": (b"1,2,3\n" * 50 + b"1,2,3", table_of_columns(3)),
    "one column": (b"10\n2\n" * 50, table_of_columns(1)),
    "not ASCII": ("é,日本,\U0001f600\n" * 50).encode()
    and ("é,日本,\U0001f600\n".encode() * 50, table_of_columns(3)),
    "European": ("1,5;Jürgen, jr.;2\n".encode("windows-1252") * 50, table_of_columns(3, dialect=EUROPEAN)),
    "tabs without quotes": (b'5" pipe\ta,b\t3\n' * 50, table_of_columns(3, dialect=Dialect("\t", ""))),
    "missing numbers": (b"1,,3\n" * 50, table_of_columns(3, rules=((1, Rule("number", missing=True)),))),
    "dates": (b"2024-02-29,x,y\n" * 50, table_of_columns(3, rules=((0, Rule("date", min="2024-01-01")),))),
    "bounds": (b"1,50,3\n" * 50, table_of_columns(3, rules=((1, Rule("number", min=0, max=80)),))),
    "listed": (b"red,1,2\n" * 50, table_of_columns(3, rules=((0, Rule(allowed=("red", "green"))),))),
    "a bad cell": (b"1,2,3\n" * 25 + b"1,x,3\n" + b"1,2,3\n" * 24, table_of_columns(3, rules=NUMBERS)),
}


@pytest.mark.usefixtures("no_reference")
@pytest.mark.parametrize(("data", "table"), PLAIN.values(), ids=PLAIN)
def test_plain_rows_are_read_at_once(data: bytes, table: Table) -> None:
    found = blocks(data, table, size=200)
    assert len(found) > 1
    assert b"".join(block.source for block in found) == data
    written = pd.read_csv(io.BytesIO(b"".join(block.sent for block in found)), header=None)
    assert len(written) == sum(block.rows for block in found)


def test_an_odd_row_does_not_make_the_others_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    by_row, read = csv_blocks.read_by_row, []

    def counted(*arguments: object) -> Block:
        block = by_row(*arguments)  # type: ignore[arg-type]
        read.append(len(block.source))
        return block

    monkeypatch.setattr(csv_blocks, "read_by_row", counted)
    odd = [b'1,5" pipe,3\n', b"\n", b"a,b,c\rd,e,f\r", b"1,2,3\n"]
    data = b"".join(b"1,2,3\n" * 20_000 + row for row in odd * 3)
    assert sum(block.rows for block in blocks(data, table_of_columns(3))) == 12 * 20_000 + 12
    assert 0 < sum(read) < len(data) / 20


AS_THEY_STAND = {
    "needless quotes": (b'"a", b ,"c"\n', b'"a", b ,"c"\n'),
    "CRLF becomes a newline, but not inside quotes": (b'a,"b\r\nc",d\r\n', b'a,"b\r\nc",d\n'),
    "lone returns": (b'a,"b\rc",d\re,f,g\r', b'a,"b\rc",d\ne,f,g\n'),
    "a quote inside an unquoted cell": (b'a,5" pipe,c\n"d",e,f\n', b'a,"5"" pipe",c\n"d",e,f\n'),
    "blank lines": (b"\r\n\na,b,c\n\n", b"a,b,c\n"),
    "no final newline": (b"a,b,c", b"a,b,c\n"),
    "empty cells": (b',"",\n', b',"",\n'),
    "separators of other systems": (
        "a\u2028,b\x0b\x0c\x1c,\x85\n".encode(),
        "a\u2028,b\x0b\x0c\x1c,\x85\n".encode(),
    ),
    "a mark inside": (b"\xef\xbb\xbfa,b,c\n", b"\xef\xbb\xbfa,b,c\n"),
}


@pytest.mark.parametrize("size", [1, 7, 1 << 20])
@pytest.mark.parametrize(("data", "expected"), AS_THEY_STAND.values(), ids=AS_THEY_STAND)
def test_cells_stay_as_they_stand(data: bytes, expected: bytes, size: int) -> None:
    assert sent(data, table_of_columns(3), size) == expected


@pytest.mark.parametrize("size", [1, 1 << 20])
def test_other_dialects_become_plain(size: int) -> None:
    data = '1,5;"a;b";Jürgen, jr.\r\n-2,25;"say ""x""";\r\n'.encode("windows-1252")
    table = table_of_columns(3, carry=(0,), rules=((0, Rule("number")),), dialect=EUROPEAN)
    found = blocks(data, table, size)
    assert b"".join(block.sent for block in found) == '1.5,"a;b","Jürgen, jr."\n-2.25,"say ""x""",\n'.encode()
    assert b"".join(block.carried for block in found) == b'"1,5"\n"-2,25"\n'


@pytest.mark.parametrize("size", [1, 1 << 20])
def test_without_quotes_a_quote_is_a_letter(size: int) -> None:
    table = table_of_columns(2, dialect=Dialect("\t", ""))
    assert sent(b'5" pipe\ta,b\n"x\ty"\n', table, size) == b'"5"" pipe","a,b"\n"""x","y"""\n'


@pytest.mark.parametrize("size", [1, 1 << 20])
def test_columns_are_parted_in_the_order_of_the_route(size: int) -> None:
    table = table_of_columns(4, send=(3, 1), carry=(2,), key=(0,))
    [*found] = blocks(b'k1,a,"x\ny",1\r\nk2,b,,2\n', table, size)
    assert b"".join(block.sent for block in found) == b"1,a\n2,b\n"
    assert b"".join(block.carried for block in found) == b'"x\ny"\n""\n'
    assert b"".join(block.keys for block in found) == b"k1\nk2\n"


@pytest.mark.parametrize("size", [1, 1 << 20])
def test_a_blank_cell_alone_stays_a_row(size: int) -> None:
    data = b'a,1\n,2\n" ",3\n\t ,4\n x,5\n'
    found = sent(data, table_of_columns(2, send=(0,)), size)
    assert found == b'a\n""\n" "\n"\t "\n x\n'
    assert len(pd.read_csv(io.BytesIO(b"name\n" + found))) == 5


@pytest.mark.parametrize("size", [1, 1 << 20])
def test_bad_rows_are_told_by_line_and_left_out(size: int) -> None:
    data = b'1,2,"a\nb"\nx,,c\n3,4,d\n5,6e,e\n'
    table = table_of_columns(3, carry=(2,), rules=NUMBERS[:2])
    found = blocks(data, table, size)
    assert [problem for block in found for problem in block.problems] == [
        Problem(4, "column 0", "is not a number"),
        Problem(4, "column 1", "is empty"),
        Problem(6, "column 1", "is not a number"),
    ]
    assert b"".join(block.sent for block in found) == b'1,2,"a\nb"\n3,4,d\n'
    assert b"".join(block.carried for block in found) == b'"a\nb"\nd\n'
    assert (sum(block.rows for block in found), sum(block.read for block in found)) == (2, 4)


UNREADABLE = {
    "a row of another width": (b"1,2\n", "Line 5 has 2 fields, the header has 3."),
    "a quote never closed": (b'1,"2,3\n4,5,6\n', "Line 5: a quote is opened and never closed"),
    "text after a quote": (b'1,"2"x,3\n', "Line 5: a quoted cell is followed by more text."),
    "NUL": (b"1,\0,3\n", "Line 5 holds a NUL byte."),
    "half a character": (b"1,\xc3,3\n", "Line 5 is not UTF-8."),
    "a long line": (b"1," + b"x" * (1 << 20) + b",3\n", "Line 5 is longer than 1048576 characters."),
    "a long cell": (
        b"1," + b"x" * 131_073 + b",3\n",
        "Line 5: a quote is opened and never closed (or a cell",
    ),
}


@pytest.mark.parametrize("size", [1, 1 << 20])
@pytest.mark.parametrize(("row", "reason"), UNREADABLE.values(), ids=UNREADABLE)
def test_a_row_that_cannot_be_read_is_told_after_the_rows_before_it(
    row: bytes, reason: str, size: int
) -> None:
    data, table = b"1,2,3\n1,x,3\n1,2,3\n" + row + b"1,2,3\n", table_of_columns(3, rules=NUMBERS)
    found: list[Block] = []
    with pytest.raises(FileRejected) as refused:
        found.extend(read_blocks(pieces(data, 1 << 16), table, AT, size))
    assert str(refused.value).startswith(reason)
    assert sum(block.read for block in found) == 3
    assert [problem.line for block in found for problem in block.problems] == [3]


@pytest.mark.parametrize("size", [1, 1 << 20])
def test_an_undefined_byte_names_the_setting(size: int) -> None:
    table = table_of_columns(2, dialect=Dialect(",", '"', "windows-1252"))
    with pytest.raises(FileRejected, match=r"^Line 3 is not windows-1252\..*`encoding`"):
        sent(b"\xe9,1\n\x81,2\n", table, size)


@pytest.mark.parametrize("chunk", [1, 2, 5, 1 << 16])
@pytest.mark.parametrize(
    ("data", "at"),
    [
        (b"id,age,bmi\n1,2,3\n", Position(11, 2)),
        (b"\xef\xbb\xbfid,age,bmi\r\n1,2,3\n", Position(15, 2)),
        (b"\n\r\nid,age,bmi\r1,2,3\n", Position(14, 4)),
        (b'id,age,bmi,"x\r\ny"\n1,2,3\n', Position(18, 3)),
        (b"id,age,bmi", Position(10, 2)),
    ],
)
def test_the_header_says_where_the_rows_begin(data: bytes, at: Position, chunk: int) -> None:
    table, found = open_table(pieces(data, chunk), ROUTE)
    assert (found, table.header[:3], table.send, table.carry) == (at, ("id", "age", "bmi"), (1, 2), (0,))


@pytest.mark.parametrize("data", [b"", b"\xef\xbb\xbf", b"\n\n"])
def test_a_file_without_a_header_is_empty(data: bytes) -> None:
    with pytest.raises(FileRejected, match="The file is empty"):
        open_table([data], ANY_COLUMNS)


def test_other_formats_are_refused_at_the_header() -> None:
    with pytest.raises(FileRejected, match="a Parquet file"):
        open_table([b"PAR1\x15\x04"], ANY_COLUMNS)


def test_no_more_is_read_than_the_header_takes() -> None:
    chunks = iter([HEADER + b"1,2,3\n" * 20_000, b"more"])
    open_table(chunks, ROUTE)
    assert next(chunks) == b"more"


def test_reading_goes_on_from_where_a_block_ended() -> None:
    data = b'1,"a\nb",3\n' * 30 + b"x,y,z\n" + b"\n" + b"4,5,6\n" * 30
    table = table_of_columns(3, rules=((0, Rule("number")),))
    whole = blocks(data, table, size=64)
    for at, block in enumerate(whole[:-1]):
        rest = list(read_blocks([data[block.end.offset :]], table, block.end, size=64))
        assert rest == whole[at + 1 :]


def test_nothing_is_read_of_nothing() -> None:
    assert blocks(b"", table_of_columns(2)) == []


def test_numpy_is_imported_only_where_rows_are_read() -> None:
    program = "import shared.csv_blocks, sys; sys.exit('numpy' in sys.modules or 'pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


@given(
    st.lists(st.decimals(allow_nan=False, allow_infinity=False).map("{:f}".format), min_size=1, max_size=20)
)
@example(["9.423730038236009", "9007199254740993", "0.30000000000000004", "-0", "+7", ".5"])
def test_values_that_are_sure_are_those_that_python_reads(numbers: list[str]) -> None:
    found = scan("".join(f"{number}\n" for number in numbers).encode(), Dialect(), width=1, last=True)
    assert found
    values, sure = numbers_in(found, *found.contents(0))
    assert [value for value, known in zip(values.tolist(), sure, strict=True) if known] == [
        float(number) for number, known in zip(numbers, sure, strict=True) if known
    ]
    assert all(known for number, known in zip(numbers, sure, strict=True) if len(number) < 15)


DAYS = [
    "1900-02-29",
    "2000-02-29",
    "2100-02-28",
    "2023-04-31",
    "2023-12-31",
    "0001-01-01",
    "0000-12-31",
    "2023-00-10",
]
DAYS += [
    "2023-13-01",
    "2023-01-00",
    "2023-1-011",
    "20230-1-01",
    "2023/01/01",
    "9999-12-31",
    "2023-06-31",
    "2024-02-30",
]


@pytest.mark.parametrize("kind", ["date", "datetime"])
def test_days_are_those_of_the_calendar(kind: str) -> None:
    times = [
        f"{day}T{time}"
        for day in DAYS[:3]
        for time in ("23:59:59", "24:00:00", "23:60:00", "23:59:60", "1:00:000")
    ]
    rule = Rule(kind)
    data = "".join(f"{moment},x\n" for moment in [*DAYS, *times]).encode()
    found = [
        problem.line
        for block in blocks(data, table_of_columns(2, rules=((0, rule),)))
        for problem in block.problems
    ]
    assert found == [line for line, moment in enumerate([*DAYS, *times], start=2) if rule.fault(moment)]


def test_a_listed_cell_is_matched_as_a_whole() -> None:
    allowed = ("red", "gr", 'a""b', "é" * 20)
    cells = ["red", "redd", "re", "g", "grr", "gr", '"a""b"', '"a""""b"', "é" * 20, "é" * 21, '"red"']
    data = "".join(f"{cell},x\n" for cell in cells).encode()
    table = table_of_columns(2, rules=((0, Rule(allowed=allowed)),))
    found = [problem.line for block in blocks(data, table) for problem in block.problems]
    assert found == [3, 4, 5, 6, 8, 11]

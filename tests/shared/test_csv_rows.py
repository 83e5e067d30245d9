"""Strict CSV: bad files are refused in exact words, good ones read as they are meant, in each dialect."""

import csv
import io
import json
from typing import Any

import pandas as pd
import pytest

from shared.blob_io import ChunkStream
from shared.csv_rows import (
    LONGEST_LINE,
    Dialect,
    Problem,
    Row,
    Table,
    dialect_of,
    read_rows,
    refusal,
    table_of,
)
from shared.errors import FileRejected
from shared.routes import Route
from tests.shared.packing import ANY_COLUMNS, HEADER, ROUTE, packed, rows_of

NUMBERS = "Write plain numbers with a decimal point, correct these cells and drop the file again."
EMPTY = "Correct these cells and drop the file again."
COMMAS = (
    "Write numbers with a decimal point and without separators of thousands and drop the file again, "
    'or set the route\'s `decimal` to ",".'
)
NOT_UTF_8 = (
    "is not UTF-8. Save the file as UTF-8 and drop it again, or set the route's `encoding`, "
    'which for spreadsheets is often "windows-1252".'
)
QUOTES = "Close the quote; write a quote inside a cell twice."
WIDTH = "the header has 3. Give every row as many fields as the header; put a cell that holds the separator in quotes."
UTF_16 = 'The file is UTF-16. Save it as UTF-8 (in Excel: "CSV UTF-8") and drop it again.'
NUL = "holds a NUL byte. The file is damaged or not text: export it again as CSV UTF-8."
NOT_CSV = "not a CSV. Export the table as CSV and drop that."
UNCLOSED = f"a quote is opened and never closed (or a cell is longer than 131072 characters). {QUOTES}"


def refused(data: bytes, route: Route = ROUTE) -> str:
    with pytest.raises(FileRejected) as problem:
        packed(data, route)
    return str(problem.value)


def read(data: bytes, route: Route) -> tuple[Table, list[Row]]:
    """The table and the data rows, all of them without problems."""
    header, *rows = read_rows(ChunkStream([data]), dialect_of(route))
    table = table_of(header.cells, header.line, route)
    assert [problem for row in rows for problem in table.problems(row.cells)] == []
    return table, rows


def sent(data: bytes, route: Route) -> list[list[str]]:
    """What the model gets, of the rows one by one and in the part alike: the header, then the rows."""
    table, rows = read(data, route)
    _, part, _ = packed(data, route)
    found = list(csv.reader(io.StringIO(part.decode(), newline="")))
    assert found == [table.sent_header, *(table.sent(row.cells) for row in rows)]
    return found


def with_rows(*rows: bytes) -> bytes:
    return HEADER + b"".join(row + b"\n" for row in rows)


BAD = {
    "zero bytes": (b"", "The file is empty. Drop it again with a header line and at least one row."),
    "only a byte order mark": (
        b"\xef\xbb\xbf",
        "The file is empty. Drop it again with a header line and at least one row.",
    ),
    "only blank lines": (
        b"\n\r\n\n",
        "The file is empty. Drop it again with a header line and at least one row.",
    ),
    "a missing column": (
        b"id,bmi\n1,2\n",
        'Line 1: the header lacks "age". It must name "age", "bmi", "id".',
    ),
    "two missing columns": (
        b"bmi,more\n1,2\n",
        'Line 1: the header lacks "age", "id". It must name "age", "bmi", "id".',
    ),
    "a column in another case": (
        b"ID,age,bmi\n1,2,3\n",
        'Line 1: the header lacks "id". It must name "age", "bmi", "id". There is "ID", which differs from "id" in '
        "capitals or blanks.",
    ),
    "an extra field in row 7": (
        with_rows(*[b"1,2,3"] * 6, b"1,2,3,4"),
        f"Line 8 has 4 fields, {WIDTH}",
    ),
    "a missing field": (with_rows(b"1,2"), f"Line 2 has 2 fields, {WIDTH}"),
    "one lonely field": (with_rows(b"total"), f"Line 2 has 1 field, {WIDTH}"),
    "an unclosed quote": (with_rows(b"1,2,3", b'2,"2,3', b"3,2,3"), f"Line 3: {UNCLOSED}"),
    "text after a closing quote": (
        with_rows(b'1,"2"x,3'),
        "Line 2: a quoted cell is followed by more text. "
        "Put the whole cell in quotes and write a quote inside it twice.",
    ),
    "a NUL": (with_rows(b"1,2,3", b"1,\0,3"), f"Line 3 {NUL}"),
    "UTF-16 without a mark": ("id,age,bmi\n1,2,3\n".encode("utf-16-le"), f"Line 1 {NUL}"),
    "UTF-16 LE": ("\ufeffid,age\n".encode("utf-16-le"), UTF_16),
    "UTF-16 BE": ("\ufeffid,age\n".encode("utf-16-be"), UTF_16),
    "a latin-1 byte": (
        with_rows(b"1,2,3", b"J\xfcrgen,2,3"),
        f"Line 3 {NOT_UTF_8}",
    ),
    "an encoded surrogate": (
        with_rows(b"\xed\xa0\x80,2,3"),
        f"Line 2 {NOT_UTF_8}",
    ),
    "semicolons": (
        b"id;age;bmi\n1;2;3\n",
        'Line 1: the header lacks "age", "bmi", "id". It must name "age", "bmi", "id". The fields seem to be '
        "separated by semicolons, this route expects commas: save the file with those, or set the route's "
        "`delimiter`.",
    ),
    "a PNG": (b"\x89PNG\r\n\x1a\n\0\0", f"The file is a PNG image, {NOT_CSV}"),
    "an xlsx": (b"PK\x03\x04\x14\0", f"The file is a zip archive or an Excel workbook, {NOT_CSV}"),
    "a JPEG": (b"\xff\xd8\xff\xe0", f"The file is a JPEG image, {NOT_CSV}"),
    "a Parquet file": (b"PAR1\x15\x04", f"The file is a Parquet file, {NOT_CSV}"),
    "a gzip archive": (
        b"\x1f\x8b\x08\0",
        "The file is a gzip archive, not a CSV. Drop it unpacked, or as .csv.gz, "
        "if the route's `pattern` takes such names.",
    ),
    "words for numbers": (with_rows(b"1,old,3"), f'Line 2, column "age" is not a number.\n{NUMBERS}'),
    "an empty number": (with_rows(b"1,,3"), f'Line 2, column "age" is empty.\n{EMPTY}'),
    "a blank number": (with_rows(b"1,  ,3"), f'Line 2, column "age" is empty.\n{EMPTY}'),
    "a decimal comma": (
        with_rows(b'1,"2,5",3', b"1,x,3"),
        f'Line 2, column "age" is a number with a comma.\nLine 3, column "age" is not a number.\n{COMMAS}',
    ),
    "two bad cells": (
        with_rows(b"1,x,3", b"1,2,3", b"1,y,3"),
        f'Line 2, column "age" is not a number.\nLine 4, column "age" is not a number.\n{NUMBERS}',
    ),
    "a bad cell after a quoted newline": (
        with_rows(b'"a\nb",1,3', b"1,x,3"),
        f'Line 4, column "age" is not a number.\n{NUMBERS}',
    ),
    "a column named twice": (
        b"id,age,bmi,age\n1,2,3,4\n",
        "Line 1: fields 2 and 4 of the header are the same.",
    ),
    "a column without a name": (
        b"id,age,bmi, \n1,2,3,4\n",
        "Line 1: field 4 of the header is empty. Give every column a name.",
    ),
    "a line over one mebibyte": (
        with_rows(b"1,2,3", b"x" * LONGEST_LINE),
        "Line 3 is longer than 1048576 characters. Is this a CSV?",
    ),
    "a cell over the limit": (with_rows(b"x" * 131_073 + b",2,3"), f"Line 2: {UNCLOSED}"),
}


@pytest.mark.parametrize(("data", "message"), BAD.values(), ids=BAD)
def test_a_bad_file_is_refused_in_these_words(data: bytes, message: str) -> None:
    assert refused(data) == message


def test_a_header_alone_is_refused() -> None:
    with pytest.raises(
        FileRejected, match=r"^The file has a header but no rows. Drop it again with at least one row.$"
    ):
        packed(HEADER)


@pytest.mark.parametrize(
    "text",
    [
        "inf",
        "-inf",
        "Infinity",
        "nan",
        "NaN",
        "1_000",
        "٣",
        "0x10",
        "1e400",
        "--1",
        "1 2",
        "½",
        "True",
    ],
)
def test_what_is_no_plain_finite_number_is_refused(text: str) -> None:
    assert refused(with_rows(f'1,"{text}",3'.encode())) == f'Line 2, column "age" is not a number.\n{NUMBERS}'


@pytest.mark.parametrize("text", ["0", "-1", "+1", "1.5", ".5", "1.", "1e5", "-1E-5", " 7 ", "007"])
def test_plain_finite_numbers_pass(text: str) -> None:
    assert packed(with_rows(f"1,{text},3".encode()))[0] == 1


def test_at_most_ten_problems_are_told() -> None:
    lines = refused(with_rows(*[b"1,x,3"] * 50)).splitlines()
    assert len(lines) == 12
    assert lines[9] == 'Line 11, column "age" is not a number.'
    assert lines[10:] == ["There may be more.", NUMBERS]


def test_what_is_sent_and_what_is_carried_are_parted() -> None:
    rows, part, carried = packed(b'more,id,bmi,age\n0,"a,b",2,1\n0,c,4,3\n')
    assert (rows, part, carried) == (2, b"age,bmi\n1,2\n3,4\n", b'"a,b"\nc\n')


def test_a_route_that_names_no_columns_sends_them_all() -> None:
    assert packed(b"x,y\n1,2\n", ANY_COLUMNS) == (1, b"x,y\n1,2\n", b"")


GOOD = {
    "plain": (b"a,b\n1,2\n", [["1", "2"]]),
    "a byte order mark": (b"\xef\xbb\xbfa,b\n1,2\n", [["1", "2"]]),
    "a byte order mark before a quote": (b'\xef\xbb\xbf"a",b\n1,2\n', [["1", "2"]]),
    "CRLF": (b"a,b\r\n1,2\r\n", [["1", "2"]]),
    "lone CR": (b"a,b\r1,2\r", [["1", "2"]]),
    "mixed line ends": (b"a,b\r\n1,2\n3,4\r5,6", [["1", "2"], ["3", "4"], ["5", "6"]]),
    "no final newline": (b"a,b\n1,2", [["1", "2"]]),
    "quoted newlines": (b'a,b\n"1\n2\r\n3\r4",5\n', [["1\n2\r\n3\r4", "5"]]),
    "quoted delimiters and quotes": (b'a,b\n"1,""2""",3\n', [['1,"2"', "3"]]),
    "a quote inside an unquoted cell": (b'a,b\n5" pipe,2\n', [['5" pipe', "2"]]),
    "blank lines": (b"\n\na,b\n\r\n1,2\n\n\n3,4\n\n", [["1", "2"], ["3", "4"]]),
    "empty cells": (b'a,b\n,\n"",""\n', [["", ""], ["", ""]]),
    "not ASCII": ("a,b\n日本,\U0001f600é\n".encode(), [["日本", "\U0001f600é"]]),
    "separators of other systems": (
        "a,b\n1\u2028\x0b\x0c\x1c\x852,3\n".encode(),
        [["1\u2028\x0b\x0c\x1c\x852", "3"]],
    ),
}


@pytest.mark.parametrize("size", [1, 2, 3, 1 << 16])
@pytest.mark.parametrize(("data", "rows"), GOOD.values(), ids=GOOD)
def test_a_good_file_reads_as_it_is_meant_wherever_its_chunks_end(
    data: bytes, rows: list[list[str]], size: int
) -> None:
    header, *found = rows_of(data, size=size)
    assert header.cells == ["a", "b"]
    assert [row.cells for row in found] == rows
    assert len(pd.read_csv(io.BytesIO(data))) == len(rows)


def test_rows_know_the_line_they_start_on() -> None:
    rows = rows_of(b'\na,b\n"1\n2",3\n\n4,5\n')
    assert [row.line for row in rows] == [2, 3, 6]


def test_reading_goes_on_in_the_middle_of_a_file() -> None:
    rows = read_rows(ChunkStream([b'"1\n2",3\n4,5\n6\n']), Dialect(), line=7, width=2)
    assert [next(rows), next(rows)] == [Row(7, ["1\n2", "3"]), Row(9, ["4", "5"])]
    with pytest.raises(FileRejected, match=r"^Line 10 has 1 field, the header has 2\."):
        next(rows)
    assert list(read_rows(ChunkStream([]), Dialect(), line=7, width=2)) == []
    assert [row.cells for row in read_rows(ChunkStream([b"PK\x03\x04\n"]), Dialect(), 7, 1)] == [
        ["PK\x03\x04"]
    ]


DIALECTS: dict[str, tuple[bytes, dict[str, Any], list[list[str]]]] = {
    "semicolons": (b"a;b\n1;2,3\n", {"delimiter": ";"}, [["1", "2,3"]]),
    "single quotes": (b"a,b\n'1,''2',\"3\"\n", {"quote": "'"}, [["1,'2", '"3"']]),
    "no quotes": (b'a,b\n"1,2"\n', {"quote": ""}, [['"1', '2"']]),
    "windows-1252": (b"a,b\n\x80,\xfc\n", {"encoding": "windows-1252"}, [["€", "ü"]]),
    "iso-8859-1": (b"a,b\n\xa4,\xfc\n", {"encoding": "iso-8859-1"}, [["¤", "ü"]]),
    "iso-8859-15": (b"a,b\n\xa4,\x85\n", {"encoding": "iso-8859-15"}, [["€", "\x85"]]),
    "decimal commas": (
        b"a;b\n1,5;1,5\n;-,5e3\n",
        {
            "delimiter": ";",
            "decimal": ",",
            "columns": {"a": {"type": "number", "missing": True}, "b": "text"},
        },
        [["1.5", "1,5"], ["", "-,5e3"]],
    ),
    "quoted decimal commas": (
        b'a,b\n"1,5","x,y"\n',
        {"decimal": ",", "columns": {"a": "number"}},
        [["1.5", "x,y"]],
    ),
}


@pytest.mark.parametrize(("data", "dialect", "rows"), DIALECTS.values(), ids=DIALECTS)
def test_a_dialect_is_read_and_sent_as_it_is_declared(
    data: bytes, dialect: dict[str, Any], rows: list[list[str]]
) -> None:
    assert sent(data, ANY_COLUMNS.but(**dialect)) == [["a", "b"], *rows]


def test_what_is_carried_keeps_its_decimal_comma_and_the_header_its_name() -> None:
    route = ANY_COLUMNS.but(delimiter=";", decimal=",", columns={"1,5": "number"}, carry=("1,5",))
    table, (row,) = read(b"1,5;b\n2,5;3\n", route)
    assert (table.sent_header, table.sent(row.cells)) == (["1,5", "b"], ["2.5", "3"])
    assert table.carried(row.cells) == ["2,5"]


MISFITS: dict[str, tuple[bytes, dict[str, Any], str]] = {
    "UTF-8 for windows-1252": (
        "grösse\n1\n".encode(),
        {"encoding": "windows-1252", "send": ("grösse",)},
        'Line 1: the header lacks "grösse". It must name "grösse". The file seems to be UTF-8, this route expects '
        "windows-1252: set its `encoding`.",
    ),
    "UTF-8 with a mark for iso-8859-1": (
        b"\xef\xbb\xbfa\n1\n",
        {"encoding": "iso-8859-1"},
        "The file is UTF-8, this route expects iso-8859-1: save it as that, or set the route's `encoding`.",
    ),
    "a byte that windows-1252 has not": (
        b"a\n\x81\n",
        {"encoding": "windows-1252"},
        "Line 2 is not windows-1252. Save the file as that, or set the route's `encoding`, and drop it again.",
    ),
    "commas for semicolons": (
        b"a,b\n1,2\n",
        {"delimiter": ";", "send": ("b",)},
        'Line 1: the header lacks "b". It must name "b". The fields seem to be separated by commas, this route expects '
        "semicolons: save the file with those, or set the route's `delimiter`.",
    ),
    "names in single quotes": (
        b"'a','b'\n1,2\n",
        {"send": ("b",)},
        'Line 1: the header lacks "b". It must name "b". The names stand in single quotes, this route expects others: '
        "set its `quote`.",
    ),
    "names in quotes where there are none": (
        b'"a","b"\n1,2\n',
        {"send": ("b",), "quote": ""},
        'Line 1: the header lacks "b". It must name "b". The names stand in double quotes, this route expects others: '
        "set its `quote`.",
    ),
    "decimal points for commas": (
        b"a\n1.5\n2,5\n",
        {"decimal": ",", "delimiter": ";", "columns": {"a": "number"}},
        'Line 2, column "a" is a number with a point.\nWrite numbers with a decimal comma and without separators of '
        'thousands and drop the file again, or set the route\'s `decimal` to ".".',
    ),
    "no number with decimal commas": (
        b"a\nx\n",
        {"decimal": ",", "delimiter": ";", "columns": {"a": "number"}},
        'Line 2, column "a" is not a number.\n'
        "Write plain numbers with a decimal comma, correct these cells and drop the file again.",
    ),
    "a long cell without quotes": (
        b"a\n" + b"x" * 131_073 + b"\n",
        {"quote": ""},
        "Line 2: a cell is longer than 131072 characters. Is the separator the route's `delimiter`?",
    ),
    "columns in another order": (
        b"x,b,a\n1,2,3\n",
        {"send": ("a", "b"), "column_order": "as-sent"},
        'Line 1: the columns must stand in this order: "a", "b".',
    ),
    "none of the columns": (
        b"x\n1\n",
        {"send": ("a", "b"), "columns": {one: {"required": False} for one in "ab"}},
        'Line 1: the header names none of "a", "b", which the model gets.',
    ),
    "no key": (
        b"a\n1\n",
        {"match": "key", "key": "id"},
        'Line 1: the header lacks "id". It must name "id".',
    ),
    "an empty key": (
        b"a,id\n1,\n",
        {"match": "key", "key": "id"},
        f'Line 2, column "id" is empty.\n{EMPTY}',
    ),
}


@pytest.mark.parametrize(("data", "changes", "message"), MISFITS.values(), ids=MISFITS)
def test_a_file_that_does_not_fit_its_route_is_told_the_setting(
    data: bytes, changes: dict[str, Any], message: str
) -> None:
    assert refused(data, ANY_COLUMNS.but(**changes)) == message


def test_the_order_of_the_columns_counts_only_where_the_route_says_so() -> None:
    route = ANY_COLUMNS.but(send=("b", "a"))
    assert sent(b"a,x,b\n1,2,3\n", route) == [["b", "a"], ["3", "1"]]
    assert sent(b"b,x,a\n1,2,3\n", route.but(column_order="as-sent")) == [["b", "a"], ["1", "3"]]


def test_a_column_that_is_not_required_may_be_absent() -> None:
    columns = {"a": "number", "b": {"type": "number", "required": False}}
    route = ANY_COLUMNS.but(send=("b", "a"), columns=columns)
    assert sent(b"a\n1\n", route) == [["a"], ["1"]]
    assert refused(b"a,b\n1,x\n", route) == f'Line 2, column "b" is not a number.\n{NUMBERS}'


def test_the_rows_of_a_key_and_of_a_unique_column_can_be_told_apart() -> None:
    keyed = ANY_COLUMNS.but(match="key", key="id", columns={"id": "integer"})
    assert read(b"a,id\n1,2\n", keyed)[0].key == (1,)
    unique = ANY_COLUMNS.but(columns={"a": {"type": "text", "unique": True}})
    assert read(b"x,a\n1,2\n", unique)[0].key == (1,)
    assert read(b"x,a\n1,2\n", ANY_COLUMNS)[0].key == ()


def test_a_table_tells_all_faults_of_a_row_and_survives_the_way_through_json() -> None:
    columns = {"a": {"type": "number", "min": 1}, "c": {"allowed": ["x"]}}
    route = ANY_COLUMNS.but(columns=columns, carry=("c",), match="key", key="b", delimiter=";")
    table = table_of(["c", "b", "a"], 1, route)
    assert list(table.problems(["y", "", "0"])) == [
        ("a", "is less than 1"),
        ("c", 'is none of "x"'),
        ("b", "is empty"),
    ]
    assert list(table.problems(["x", "k", "1"])) == []
    assert Table.from_dict(json.loads(json.dumps(table.to_dict()))) == table


def test_a_refusal_names_ten_problems_of_many() -> None:
    problems = [Problem(line, "a", "is empty") for line in range(2, 50)]
    lines = refusal(problems, Dialect()).splitlines()
    assert lines[9:] == ['Line 11, column "a" is empty.', "There may be more.", EMPTY]

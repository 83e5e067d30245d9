"""Strict CSV: bad files are refused in exact words, good ones read as they are meant."""

import io

import pandas as pd
import pytest

from shared.csv_rows import LONGEST_LINE
from shared.errors import FileRejected
from tests.shared.packing import ANY_COLUMNS, HEADER, packed, rows_of

NUMBERS = "Write plain numbers with a decimal point, correct these cells and drop the file again."
QUOTES = "Close the quote; write a quote inside a cell twice."
WIDTH = "the header has 3. Give every row as many fields as the header; put a cell that holds the separator in quotes."
UTF_16 = 'The file is UTF-16. Save it as UTF-8 (in Excel: "CSV UTF-8") and drop it again.'
NUL = "holds a NUL byte. The file is damaged or not text: export it again as CSV UTF-8."
NOT_CSV = "not a CSV. Export the table as CSV and drop that."
UNCLOSED = f"a quote is opened and never closed (or a cell is longer than 131072 characters). {QUOTES}"


def refusal(data: bytes) -> str:
    with pytest.raises(FileRejected) as refused:
        packed(data)
    return str(refused.value)


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
    "header only": (HEADER, "The file has a header but no rows. Drop it again with at least one row."),
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
        "Line 3 is not UTF-8. Save the file as UTF-8 and drop it again.",
    ),
    "an encoded surrogate": (
        with_rows(b"\xed\xa0\x80,2,3"),
        "Line 2 is not UTF-8. Save the file as UTF-8 and drop it again.",
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
    "a gzip archive": (b"\x1f\x8b\x08\0", f"The file is a gzip archive, {NOT_CSV}"),
    "words for numbers": (with_rows(b"1,old,3"), f'Line 2, column "age" is not a number.\n{NUMBERS}'),
    "an empty number": (with_rows(b"1,,3"), f'Line 2, column "age" is empty.\n{NUMBERS}'),
    "a blank number": (with_rows(b"1,  ,3"), f'Line 2, column "age" is empty.\n{NUMBERS}'),
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
    assert refusal(data) == message


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
        "1,5",
        "0x10",
        "1e400",
        "--1",
        "1 2",
        "½",
        "True",
    ],
)
def test_what_is_no_plain_finite_number_is_refused(text: str) -> None:
    assert refusal(with_rows(f'1,"{text}",3'.encode())) == f'Line 2, column "age" is not a number.\n{NUMBERS}'


@pytest.mark.parametrize("text", ["0", "-1", "+1", "1.5", ".5", "1.", "1e5", "-1E-5", " 7 ", "007"])
def test_plain_finite_numbers_pass(text: str) -> None:
    assert packed(with_rows(f"1,{text},3".encode()))[0] == 1


def test_at_most_ten_problems_are_told() -> None:
    lines = refusal(with_rows(*[b"1,x,3"] * 50)).splitlines()
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

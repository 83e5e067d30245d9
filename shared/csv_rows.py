"""Strict CSV reading, row by row: the reference. What passes here, pandas reads from the part with the same rows.

Errors name line and column, and the setting that would make the file fit; never a value.
"""

import codecs
import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from shared.column_rules import COMMA, POINT, Rule
from shared.errors import FileRejected
from shared.routes import Route

LONGEST_LINE = 1024 * 1024
LONGEST_ROW = 4 * 1024 * 1024
REPORTED_PROBLEMS = 10
GZIP_MAGIC = b"\x1f\x8b"
MAGIC = {
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"%PDF": "a PDF document",
    b"PK\x03\x04": "a zip archive or an Excel workbook",
    b"PAR1": "a Parquet file",
    GZIP_MAGIC: "a gzip archive",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
}
EMPTY = "The file is empty. Drop it again with a header line and at least one row."
UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars", ",": "commas"}
QUOTES = {"'": "single", '"': "double"}


@dataclass(frozen=True)
class Dialect:
    """How a route's files are written; declared, never guessed.

    `quote` is "" where the file has no quoting. With `decimal` "," the numbers of columns that the route calls numbers
    are sent with a point.
    """

    delimiter: str = ","
    quote: str = '"'
    encoding: str = "utf-8"
    decimal: str = "."


def dialect_of(route: Route) -> Dialect:
    return Dialect(route.delimiter, route.quote, route.encoding, route.decimal)


@dataclass(frozen=True)
class Row:
    """One row: the line it starts on (the header's first line is 1) and its cells."""

    line: int
    cells: list[str]


@dataclass(frozen=True)
class Problem:
    """What is wrong with one cell: the line its row starts on, the column's name, the reason."""

    line: int
    column: str
    reason: str


@dataclass(frozen=True)
class Table:
    """What a route and one file's header say together. Columns are positions in the header.

    `send` and `carry` stand in the route's order; `key` holds the column whose cells must be unique over the run, if
    there is one; `rules` belong to columns that the file has.
    """

    header: tuple[str, ...]
    send: tuple[int, ...]
    carry: tuple[int, ...] = ()
    key: tuple[int, ...] = ()
    rules: tuple[tuple[int, Rule], ...] = ()
    dialect: Dialect = Dialect()

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Table":
        return cls(
            header=tuple(data["header"]),
            send=tuple(data["send"]),
            carry=tuple(data["carry"]),
            key=tuple(data["key"]),
            rules=tuple((at, Rule.from_dict(rule)) for at, rule in data["rules"]),
            dialect=Dialect(**data["dialect"]),
        )

    @property
    def sent_header(self) -> list[str]:
        """The names of the columns the model gets."""
        return [self.header[at] for at in self.send]

    @cached_property
    def rewritten(self) -> frozenset[int]:
        """The columns whose cells are sent with a decimal point instead of a comma."""
        numbers = (at for at, rule in self.rules if rule.type == "number")
        return frozenset(numbers if self.dialect.decimal == "," else ())

    def problems(self, cells: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Column name and reason of every fault of one row."""
        for at, rule in self.rules:
            if reason := rule.fault(cells[at], self.dialect.decimal):
                yield self.header[at], reason

    def sent(self, cells: Sequence[str]) -> list[str]:
        """What the model gets of a row without problems."""
        return [cells[at].replace(",", ".") if at in self.rewritten else cells[at] for at in self.send]

    def carried(self, cells: Sequence[str]) -> list[str]:
        return [cells[at] for at in self.carry]


def read_rows(stream: io.RawIOBase, dialect: Dialect, line: int = 1, width: int = 0) -> Iterator[Row]:
    """The header row, then every data row with exactly as many cells; blank lines are passed over, as pandas does.

    With `width`, the fields of a header read before, the stream goes on with the row that begins on `line`. Raises
    FileRejected where the bytes are not CSV in that dialect, or hold no header.
    """
    buffered = io.BufferedReader(stream, io.DEFAULT_BUFFER_SIZE * 8)
    encoding = dialect.encoding
    if not width:
        refuse_other_formats(buffered.peek(4)[:4], dialect)
        encoding = "utf-8-sig" if encoding == "utf-8" else encoding
    text = io.TextIOWrapper(buffered, encoding=encoding, errors="surrogateescape", newline="")
    for row in records(checked_lines(text, dialect, line), dialect, line):
        if width and len(row.cells) != width:
            raise FileRejected(
                f"Line {row.line} has {count(len(row.cells), 'field')}, the header has {width}. "
                "Give every row as many fields as the header; put a cell that holds the separator in quotes."
            )
        width = len(row.cells)
        yield row
    if not width:
        raise FileRejected(EMPTY)


def refuse_other_formats(start: bytes, dialect: Dialect) -> None:
    if start.startswith(UTF_16):
        raise FileRejected('The file is UTF-16. Save it as UTF-8 (in Excel: "CSV UTF-8") and drop it again.')
    if start.startswith(codecs.BOM_UTF8) and dialect.encoding != "utf-8":
        raise FileRejected(
            f"The file is UTF-8, this route expects {dialect.encoding}: save it as that, or set the route's `encoding`."
        )
    for magic, kind in MAGIC.items():
        if start.startswith(magic):
            what = "Export the table as CSV and drop that."
            if magic == GZIP_MAGIC:
                what = "Drop it unpacked, or as .csv.gz, if the route's `pattern` takes such names."
            raise FileRejected(f"The file is {kind}, not a CSV. {what}")


def checked_lines(text: io.TextIOWrapper, dialect: Dialect, first: int) -> Iterator[str]:
    """The physical lines, numbered from `first`, bounded in length, without NUL and undecodable bytes."""
    for number, line in enumerate(iter(lambda: text.readline(LONGEST_LINE), ""), start=first):
        if len(line) >= LONGEST_LINE:
            raise FileRejected(f"Line {number} is longer than {LONGEST_LINE} characters. Is this a CSV?")
        if "\0" in line:
            raise FileRejected(
                f"Line {number} holds a NUL byte. The file is damaged or not text: export it again as CSV UTF-8."
            )
        if not line.isascii() and any("\ud800" <= character <= "\udfff" for character in line):
            raise FileRejected(f"Line {number} is not {undecodable(dialect.encoding)}")
        yield line


def undecodable(encoding: str) -> str:
    if encoding != "utf-8":
        return f"{encoding}. Save the file as that, or set the route's `encoding`, and drop it again."
    return (
        "UTF-8. Save the file as UTF-8 and drop it again, or set the route's `encoding`, "
        'which for spreadsheets is often "windows-1252".'
    )


def records(lines: Iterator[str], dialect: Dialect, first: int) -> Iterator[Row]:
    """The rows of physical lines numbered from `first`, as the csv module reads them; blank lines are passed over."""
    taken = 0

    def bounded() -> Iterator[str]:
        nonlocal taken
        for text in lines:
            taken += len(text)
            if taken > LONGEST_ROW:
                raise FileRejected(
                    f"Line {line}: the row that begins here has over {LONGEST_ROW} characters. Is a quote missing?"
                )
            yield text

    line = first
    reader = csv.reader(
        bounded(),
        delimiter=dialect.delimiter,
        quotechar=dialect.quote or None,
        quoting=csv.QUOTE_MINIMAL if dialect.quote else csv.QUOTE_NONE,
        strict=True,
    )
    while True:
        line, taken = first + reader.line_num, 0
        try:
            cells = next(reader, None)
        except csv.Error as problem:
            raise FileRejected(explained(problem, line, first + reader.line_num - 1, dialect)) from None
        if cells is None:
            return
        if cells:
            yield Row(line, cells)


def explained(problem: csv.Error, start: int, at: int, dialect: Dialect) -> str:
    """What to do about the csv module's complaint in the record that starts on line `start`."""
    limit = csv.field_size_limit()
    if not dialect.quote:
        return (
            f"Line {at}: a cell is longer than {limit} characters. Is the separator the route's `delimiter`?"
        )
    if "unexpected end of data" in str(problem) or "field larger" in str(problem):
        return (
            f"Line {start}: a quote is opened and never closed (or a cell is longer than "
            f"{limit} characters). Close the quote; write a quote inside a cell twice."
        )
    return (
        f"Line {at}: a quoted cell is followed by more text. "
        "Put the whole cell in quotes and write a quote inside it twice."
    )


def count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def table_of(names: Sequence[str], line: int, route: Route) -> Table:
    """Finds the route's columns in the header on `line`. Raises FileRejected naming what is missing or double."""
    rules = route.rules
    optional = {name for name, rule in rules.items() if not rule.required}
    named = list(dict.fromkeys([*route.send, *route.carry, *route.unique, *rules]))
    required = [name for name in named if name not in optional]
    present = set(names)
    missing = [name for name in required if name not in present]
    if missing:
        raise FileRejected(missing_columns(names, line, missing, required, dialect_of(route)))
    refuse_unusable_names(names, line)
    position = {name: at for at, name in enumerate(names)}
    send = tuple(position[name] for name in route.send or names if name in position)
    if not send:
        raise FileRejected(
            f"Line {line}: the header names none of {quoted(route.send)}, which the model gets."
        )
    if route.column_order == "as-sent" and list(send) != sorted(send):
        wanted = quoted(names[at] for at in send)
        raise FileRejected(f"Line {line}: the columns must stand in this order: {wanted}.")
    return Table(
        header=tuple(names),
        send=send,
        carry=tuple(position[name] for name in route.carried),
        key=tuple(position[name] for name in route.unique),
        rules=tuple((position[name], rule) for name, rule in rules.items() if name in position),
        dialect=dialect_of(route),
    )


def refuse_unusable_names(names: Sequence[str], line: int) -> None:
    first: dict[str, int] = {}
    for at, name in enumerate(names, start=1):
        if not name.strip():
            raise FileRejected(f"Line {line}: field {at} of the header is empty. Give every column a name.")
        if first.setdefault(name, at) != at:
            raise FileRejected(f"Line {line}: fields {first[name]} and {at} of the header are the same.")


def missing_columns(
    names: Sequence[str], line: int, missing: list[str], required: list[str], dialect: Dialect
) -> str:
    """The refusal of a header that lacks columns, with what is likely to be the cause."""
    text = f"Line {line}: the header lacks {quoted(missing)}. It must name {quoted(required)}."
    wanted = {name.casefold(): name for name in missing}
    for name in names:
        if (meant := wanted.get(name.strip().casefold())) is not None:
            text += f' There is "{name}", which differs from "{meant}" in capitals or blanks.'
    return text + likely_setting(names, missing, dialect)


def likely_setting(names: Sequence[str], missing: list[str], dialect: Dialect) -> str:
    """Which key of the route does not fit the file, where the header shows it."""
    others = [word for mark, word in SEPARATORS.items() if mark != dialect.delimiter and mark in names[0]]
    if len(names) == 1 and others:
        expected = SEPARATORS.get(dialect.delimiter, f'"{dialect.delimiter}"')
        return (
            f" The fields seem to be separated by {others[0]}, this route expects {expected}: "
            "save the file with those, or set the route's `delimiter`."
        )
    if names[0].startswith("sep="):
        return (
            ' Its first line, "sep=…", is for a spreadsheet only: delete it, or export the table without it.'
        )
    for mark, word in QUOTES.items():
        if any(name.startswith(mark) and name.strip(mark) in missing for name in names):
            return f" The names stand in {word} quotes, this route expects others: set its `quote`."
    if dialect.encoding != "utf-8" and any(as_utf_8(name, dialect.encoding) in missing for name in names):
        return f" The file seems to be UTF-8, this route expects {dialect.encoding}: set its `encoding`."
    return ""


def as_utf_8(name: str, encoding: str) -> str:
    """The name as it would read if its bytes were UTF-8, or "" where they are not."""
    try:
        return name.encode(encoding).decode("utf-8")
    except UnicodeError:
        return ""


def quoted(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def refusal(problems: Sequence[Problem], dialect: Dialect) -> str:
    """What a file with these problems is told: the first of them, and what to do."""
    told = [f'Line {one.line}, column "{one.column}" {one.reason}.' for one in problems[:REPORTED_PROBLEMS]]
    more = ["There may be more."] if len(problems) >= REPORTED_PROBLEMS else []
    return "\n".join([*told, *more, advice({one.reason for one in problems}, dialect)])


def advice(reasons: set[str], dialect: Dialect) -> str:
    """What to do about problems with these reasons."""
    if reasons & {COMMA, POINT}:
        found, sign = (",", "point") if dialect.decimal == "." else (".", "comma")
        return (
            f"Write numbers with a decimal {sign} and without separators of thousands and drop the file again, "
            f'or set the route\'s `decimal` to "{found}".'
        )
    plain = "a decimal point" if dialect.decimal == "." else "a decimal comma"
    numbers = f"Write plain numbers with {plain}, correct" if "is not a number" in reasons else "Correct"
    return f"{numbers} these cells and drop the file again."

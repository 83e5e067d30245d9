"""Strict CSV reading: what passes here, pandas reads with the same rows. Errors name line and column, never a value."""

import codecs
import csv
import io
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from shared.errors import FileRejected
from shared.routes import Route

LONGEST_LINE = 1024 * 1024
REPORTED_PROBLEMS = 10
MAGIC = {
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"%PDF": "a PDF document",
    b"PK\x03\x04": "a zip archive or an Excel workbook",
    b"PAR1": "a Parquet file",
    b"\x1f\x8b": "a gzip archive",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
}
UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars", ",": "commas"}


@dataclass(frozen=True)
class Row:
    """One row: the line it starts on (the header's first line is 1) and its cells."""

    line: int
    cells: list[str]


def read_rows(stream: io.RawIOBase, delimiter: str) -> Iterator[Row]:
    """The header row, then every data row with exactly as many cells; blank lines are passed over, as pandas does.

    Raises FileRejected where the bytes are not UTF-8 CSV with that delimiter, or hold no header.
    """
    buffered = io.BufferedReader(stream, io.DEFAULT_BUFFER_SIZE * 8)
    refuse_other_formats(buffered.peek(4)[:4])
    text = io.TextIOWrapper(buffered, encoding="utf-8-sig", errors="surrogateescape", newline="")
    reader = csv.reader(checked_lines(text), delimiter=delimiter, strict=True)
    width = 0
    for row in records(reader):
        if width and len(row.cells) != width:
            raise FileRejected(
                f"Line {row.line} has {count(len(row.cells), 'field')}, the header has {width}. "
                "Give every row as many fields as the header; put a cell that holds the separator in quotes."
            )
        width = len(row.cells)
        yield row
    if not width:
        raise FileRejected("The file is empty. Drop it again with a header line and at least one row.")


def refuse_other_formats(start: bytes) -> None:
    if start.startswith(UTF_16):
        raise FileRejected('The file is UTF-16. Save it as UTF-8 (in Excel: "CSV UTF-8") and drop it again.')
    for magic, kind in MAGIC.items():
        if start.startswith(magic):
            raise FileRejected(f"The file is {kind}, not a CSV. Export the table as CSV and drop that.")


def checked_lines(text: io.TextIOWrapper) -> Iterator[str]:
    """The physical lines, bounded in length, without NUL and undecodable bytes."""
    for number, line in enumerate(iter(lambda: text.readline(LONGEST_LINE), ""), start=1):
        if len(line) >= LONGEST_LINE:
            raise FileRejected(f"Line {number} is longer than {LONGEST_LINE} characters. Is this a CSV?")
        if "\0" in line:
            raise FileRejected(
                f"Line {number} holds a NUL byte. The file is damaged or not text: export it again as CSV UTF-8."
            )
        if not line.isascii() and any("\ud800" <= character <= "\udfff" for character in line):
            raise FileRejected(f"Line {number} is not UTF-8. Save the file as UTF-8 and drop it again.")
        yield line


def records(reader: "csv._reader") -> Iterator[Row]:  # type: ignore[name-defined]
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as problem:
            raise FileRejected(explained(problem, line, reader.line_num)) from None
        if cells is None:
            return
        if cells:
            yield Row(line, cells)


def explained(problem: csv.Error, start: int, at: int) -> str:
    """What to do about the csv module's complaint in the record that starts on line `start`."""
    if "unexpected end of data" in str(problem) or "field larger" in str(problem):
        return (
            f"Line {start}: a quote is opened and never closed (or a cell is longer than "
            f"{csv.field_size_limit()} characters). Close the quote; write a quote inside a cell twice."
        )
    return (
        f"Line {at}: a quoted cell is followed by more text. "
        "Put the whole cell in quotes and write a quote inside it twice."
    )


def count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


@dataclass
class Columns:
    """Where a route's columns stand in one file, and the checks its cells must pass."""

    send: list[int]
    carry: list[int]
    header: list[str]
    numbers: list[int]
    problems: list[str] = field(default_factory=list)

    def sent(self, row: Row) -> list[str]:
        return [row.cells[at] for at in self.send]

    def carried(self, row: Row) -> list[str]:
        return [row.cells[at] for at in self.carry]

    def check(self, row: Row) -> None:
        """Notes what is wrong with the row's cells. Raises FileRejected once enough is known."""
        for at in self.numbers:
            if not is_number(row.cells[at]):
                what = "is not a number" if row.cells[at].strip() else "is empty"
                self.problems.append(f'Line {row.line}, column "{self.header[at]}" {what}.')
        if len(self.problems) >= REPORTED_PROBLEMS:
            self.refuse("There may be more.")

    def finish(self) -> None:
        """Raises FileRejected where any row was at fault."""
        if self.problems:
            self.refuse("")

    def refuse(self, more: str) -> None:
        advice = "Write plain numbers with a decimal point, correct these cells and drop the file again."
        raise FileRejected("\n".join(filter(None, [*self.problems, more, advice])))


def is_number(text: str) -> bool:
    """What both Python and pandas read as a finite number. Pandas takes whole numbers over 64 bits for text."""
    try:
        value = float(text)
    except ValueError:
        return False
    readable = "_" not in text and text.isascii() and math.isfinite(value)
    return readable and (abs(value) < 2**63 or not text.strip().lstrip("+-").isdigit())


def columns_of(header: Row, route: Route) -> Columns:
    """Finds the route's columns in the header. Raises FileRejected naming what is missing or double."""
    names = header.cells
    required = list(dict.fromkeys([*route.send, *route.carry, *route.columns]))
    missing = [name for name in required if name not in names]
    if missing:
        raise FileRejected(missing_columns(header, missing, required, route.delimiter))
    for at, name in enumerate(names, start=1):
        if not name.strip():
            raise FileRejected(
                f"Line {header.line}: field {at} of the header is empty. Give every column a name."
            )
        if names.index(name) != at - 1:
            raise FileRejected(
                f"Line {header.line}: fields {names.index(name) + 1} and {at} of the header are the same."
            )
    position = {name: at for at, name in enumerate(names)}
    return Columns(
        send=[position[name] for name in route.send or names],
        carry=[position[name] for name in route.carry],
        header=names,
        numbers=[position[name] for name, kind in route.columns.items() if kind == "number"],
    )


def missing_columns(header: Row, missing: list[str], required: list[str], delimiter: str) -> str:
    names = header.cells
    text = f"Line {header.line}: the header lacks {quoted(missing)}. It must name {quoted(required)}."
    wanted = {name.casefold(): name for name in missing}
    for name in names:
        if (meant := wanted.get(name.strip().casefold())) is not None:
            text += f' There is "{name}", which differs from "{meant}" in capitals or blanks.'
    others = [word for mark, word in SEPARATORS.items() if mark != delimiter and mark in names[0]]
    if len(names) == 1 and others:
        expected = SEPARATORS.get(delimiter, f'"{delimiter}"')
        text += (
            f" The fields seem to be separated by {others[0]}, this route expects {expected}: "
            "save the file with those, or set the route's `delimiter`."
        )
    return text


def quoted(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)

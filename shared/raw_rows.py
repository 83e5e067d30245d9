"""Reading rows of raw predictions: on bytes where a strict check shows that to be exact, else by the csv module."""

import csv
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from shared.csv_lines import csv_line
from shared.errors import StageFailed
from shared.raw_blocks import UNUSABLE, Blocks, Lines, bare_rows, csv_rows, readable
from shared.raw_cells import (
    ROW_NUMBER,
    SEPARATOR,
    bare_name,
    have_marks,
    one_cell,
    row_numbers,
    unquoted,
)
from shared.routes import Route

DELIMITERS = {"order": " ", "file": " ", "row": ",", "key": " ", "none": " ", "files": ","}


@dataclass(frozen=True, kw_only=True)
class Form:
    """How a row is written: what `lead`s it, the predicted cells, the part's name where it is `named`.

    `bare`: a row is a line, and the line is the one value, as `str(item)` of a list comes out.
    """

    match: str
    width: int
    delimiter: str
    lead: str = ""
    named: bool = False
    bare: bool = False

    @property
    def fields(self) -> int:
        return self.width + bool(self.lead) + self.named

    def but(self, **changes: Any) -> "Form":
        return replace(self, **changes)


def delimiter_of(route: Route) -> str:
    """What stands between the cells of the route's raw predictions."""
    return route.raw_delimiter or DELIMITERS[route.match]


@dataclass
class Rows:
    """Rows read: their predicted cells as CSV (comma, quotes where needed), and what leads them, where it does."""

    values: list[bytes]
    numbers: "range | array[int]" = range(0)
    keys: list[bytes] = field(default_factory=list)


class Reader:
    """Reads the rows of one part, or of the whole raw file where the form names no part.

    Raises StageFailed where a row cannot be read, naming it by its number (the first is 1), never by a value.
    """

    def __init__(self, form: Form, part: str = "") -> None:
        self.form = form
        self.part = part
        self.delimiter = form.delimiter.encode()
        self.read = 0

    def rows(self, pieces: Iterable[bytes]) -> Iterator[Rows]:
        """All rows, a piece's at a time."""
        blocks = Blocks(pieces)
        for block in blocks:
            found = self.plain(block)
            if found is None:
                found, rest = self.exact(block)
                blocks.keep(rest)
            self.read += len(found.values)
            if found.values:
                yield found
        if blocks.rest:
            raise StageFailed(
                f"Row {self.read + 1} of the raw predictions opens a quote and never closes it. {UNUSABLE}"
            )
        # A value cut off at its end still looks like a value; a name does not.
        if blocks.cut_off and not self.form.named:
            raise StageFailed(
                f"The raw predictions end within row {self.read}, without a line's end. {UNUSABLE}"
            )

    def plain(self, block: bytes) -> Rows | None:
        """The rows of a block in which every line is a row and quotes stand only around whole cells; else None."""
        if b"\r" in block or not readable(block):
            return None
        rows = self.without_names(block)
        if rows is None or (b"" in rows and not self.form.named):
            return None
        if self.form.lead == "number":
            return self.numbered(rows)
        leads, rows = self.parted(rows) if self.form.lead else ([], rows)
        values = self.cells(rows)
        if values is None or b'"' in b"".join(leads):
            return None
        return Rows(values, keys=leads)

    def without_names(self, block: bytes) -> list[bytes] | None:
        """The lines, less the part's name at their ends; None where one does not end with the name of the last."""
        tail = b"\n"
        if self.form.named:
            at = block.rfind(self.delimiter)
            tail = block[at:]
            if at < 0 or bare_name(unquoted(tail[1:-1]).decode()) != self.part:
                return None
        rows = block.split(tail)
        rows.pop()
        return rows if len(rows) == block.count(b"\n") else None

    def numbered(self, rows: list[bytes]) -> Rows | None:
        """Rows less their numbers. Quickest where these follow each other."""
        first = rows[0].partition(self.delimiter)[0].decode()
        if not ROW_NUMBER.fullmatch(first):
            return None
        expected = range(int(first), int(first) + len(rows))
        leads = list(map((b"%d" + self.delimiter).__mod__, expected))
        numbers: range | array[int] | None = expected
        if all(map(bytes.startswith, rows, leads)):
            less = list(map(bytes.removeprefix, rows, leads))
        else:
            leads, less = self.parted(rows)
            numbers = row_numbers(leads)
        values = self.cells(less)
        return None if numbers is None or values is None else Rows(values, numbers=numbers)

    def parted(self, rows: list[bytes]) -> tuple[list[bytes], list[bytes]]:
        """The first cell of every row, and the others: too many of them where a row has one cell only."""
        text, mark = SEPARATOR.join(rows), self.delimiter
        if self.form.width == 1 and have_marks(text, mark, 1, len(rows)):
            cells = text.replace(SEPARATOR, mark).split(mark)
            return cells[::2], cells[1::2]
        cut = [row.partition(mark) for row in rows]
        too_many = mark * self.form.width
        return [lead for lead, _, _ in cut], [rest if found else too_many for _, found, rest in cut]

    def cells(self, rows: list[bytes]) -> list[bytes] | None:
        """Predicted cells as CSV; None where a row has another number of them, or the csv module must look."""
        width, mark = self.form.width, self.delimiter
        if width == 1:
            return one_cell(rows, b"" if self.form.bare else mark)
        text = SEPARATOR.join(rows)
        if b'"' in text or not have_marks(text, mark, width - 1, len(rows)):
            return None
        if mark == b",":
            return rows
        return None if b"," in text else text.replace(mark, b",").split(SEPARATOR)

    def exact(self, block: bytes) -> tuple[Rows, bytes]:
        """The rows of any block as the csv module reads them, and what is not a whole row yet."""
        lines, rows, problem = Lines(block), [], ""
        try:
            for cells in bare_rows(lines) if self.form.bare else csv_rows(lines, self.form.delimiter):
                rows.append(cells)
        except UnicodeDecodeError:
            problem = "is not UTF-8"
        except csv.Error:
            problem = (
                "cannot be read: a quote that is never closed, a lone carriage return, or a value longer than "
                f"{csv.field_size_limit()} characters"
            )
        found = self.checked(rows)
        if problem:
            row = self.read + len(rows) + 1
            raise StageFailed(f"Row {row} of the raw predictions {problem}. {UNUSABLE}")
        return found, block[lines.begun :]

    def checked(self, rows: list[list[str]]) -> Rows:
        """Rows of the form. Raises StageFailed for the first that is not."""
        form = self.form
        for row, cells in enumerate(rows, start=self.read + 1):
            if len(cells) != form.fields:
                raise StageFailed(self.other_fields(row, len(cells)))
            if form.named and bare_name(cells[-1]) != self.part:
                raise StageFailed(f"Row {row} of the raw predictions belongs to another file. {UNUSABLE}")
            if form.lead == "number" and not ROW_NUMBER.fullmatch(cells[0]):
                raise StageFailed(f"Row {row} of the raw predictions begins with no row number. {UNUSABLE}")
        start, stop = bool(form.lead), form.fields - form.named
        values = [csv_line(cells[start:stop]) for cells in rows]
        if form.lead == "number":
            return Rows(values, numbers=array("q", [int(cells[0]) for cells in rows]))
        return Rows(values, keys=[cells[0].encode() for cells in rows] if form.lead else [])

    def other_fields(self, row: int, fields: int) -> str:
        form = self.form
        if form.bare:
            return f"Row {row} of the raw predictions is empty. {UNUSABLE}"
        return (
            f'Row {row} of the raw predictions has {fields} fields, match = "{form.match}" with {form.width} predicted '
            f"columns needs {form.fields}. Correct `match`, `predictions` or `raw_delimiter` of the route."
        )

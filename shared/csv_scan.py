"""The fast reading of a block of CSV: a strict scan that either knows every cell or says that it does not.

Imports numpy, so that only functions that need it import this module.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from shared.bitmaps import (
    WORD,
    Bits,
    Bytes,
    Places,
    end_of_last,
    first,
    inside,
    packed,
    places,
    shifted,
    spans,
    truncate,
)
from shared.csv_rows import Dialect

QUOTE, COMMA, NEWLINE, RETURN = b'",\n\r'


@dataclass
class Scan:
    """Whole rows whose every cell stands where plain CSV has it: no blank lines, no lone returns, quotes around cells.

    The bits are of `text`, which is `data` with a last line end, filled up to whole words.
    """

    data: bytes
    text: Bytes
    dialect: Dialect
    width: int
    newlines: Bits  # those in quoted cells, too
    separators: Bits  # delimiters and line ends outside quotes
    returns: Bits
    quotes: Bits
    quoted: Bits  # from each opening quote to before its closing one

    @cached_property
    def edges(self) -> Places:
        """Where the delimiter or the newline after each cell is."""
        return places(self.separators)

    @property
    def ends(self) -> Places:
        """(rows, width): the edges, row by row."""
        return self.edges.reshape(-1, self.width)

    @property
    def rows(self) -> int:
        return len(self.ends)

    @property
    def lines(self) -> int:
        return int(np.bitwise_count(self.newlines).sum())

    @cached_property
    def stops(self) -> Places:
        """(rows, width): where the byte after each cell is, a delimiter or the line end."""
        if not self.returns.any():
            return self.ends
        stops = self.ends.copy()
        stops[:, -1] -= self.text[stops[:, -1] - 1] == RETURN
        return stops

    @cached_property
    def starts(self) -> Places:
        """(rows, width): where each cell begins, its quote included."""
        starts = np.empty_like(self.ends)
        starts[0, 0] = 0
        starts.ravel()[1:] = self.ends.ravel()[:-1] + 1
        return starts

    def contents(self, column: int) -> tuple[Places, Places]:
        """Where the cells of a column begin and end, without their quotes."""
        starts, stops = self.starts[:, column], self.stops[:, column]
        if not self.quotes.any():
            return starts, stops
        in_quotes = (self.text[starts] == ord(self.dialect.quote)) & (stops > starts)
        return starts + in_quotes, stops - in_quotes

    def region(self, columns: Sequence[int]) -> Bits:
        """The positions of the cells of the columns, in ascending order, and of the byte after each."""
        if not columns:
            return np.zeros_like(self.separators)
        lows, highs = runs(columns)
        starts, stops = self.starts[:, lows], self.stops[:, highs]
        return spans(len(self.text), starts.ravel(), stops.ravel() + 1)[:-1]

    def cell(self, row: int, column: int) -> str:
        """What the reference reads there."""
        return self.read(self.data[self.starts[row, column] : self.stops[row, column]])

    def read(self, raw: bytes) -> str:
        """The cell that stands in the file as `raw`."""
        text, quote = raw.decode(self.dialect.encoding), self.dialect.quote
        if quote and text.startswith(quote):
            return text[1:-1].replace(quote * 2, quote)
        return text


def scan(data: bytes, dialect: Dialect, width: int, last: bool) -> Scan | None:
    """The plain rows that `data` begins with, of the `last` data to its end. None where the reference must read.

    Plain are whole rows that every reader of CSV reads alike. `data` begins with a row.
    """
    if dialect.quote not in ("", '"') and dialect.quote.encode() in data:
        return None
    text = filled(data, last)
    newlines = packed(text == NEWLINE)
    quotes = packed(text == QUOTE) if dialect.quote == '"' and b'"' in data else np.zeros_like(newlines)
    quoted = inside(quotes)
    size = end_of_last(newlines & ~quoted)
    separators = (newlines | packed(text == ord(dialect.delimiter))) & ~quoted
    returns = packed(text == RETURN) if b"\r" in data else np.zeros_like(newlines)
    for bits in (newlines, separators, returns, quotes, quoted):
        truncate(bits, size)
    found = Scan(data[:size], text, dialect, width, newlines, separators, returns, quotes, quoted)
    fault = first_fault(found) if size else 0
    if fault is None:
        return found
    return scan(data[:fault], dialect, width, last=False) if fault else None


def filled(data: bytes, last: bool) -> Bytes:
    """The bytes, with a line end after the last, and zeros up to whole words."""
    ended = data.endswith(b"\n") or not last
    if ended and len(data) % WORD == 0:
        return np.frombuffer(data, np.uint8)
    text = np.zeros((len(data) + WORD) // WORD * WORD, np.uint8)
    text[: len(data)] = np.frombuffer(data, np.uint8)
    if not ended:
        text[len(data)] = NEWLINE
    return text


def first_fault(found: Scan) -> int | None:
    """The start of the first row that is not plain, or a place in it, as far as one check tells; None: all are."""
    for check in (odd_byte, odd_mark, odd_row):
        if (fault := check(found)) is not None:
            return fault
    return None


def odd_byte(found: Scan) -> int | None:
    """The first NUL, or the first byte that is not of the encoding."""
    if b"\0" in found.data:
        return found.data.index(b"\0")
    try:
        if not found.data.isascii():
            found.data.decode(found.dialect.encoding)
    except UnicodeDecodeError as problem:
        return problem.start
    return None


def odd_mark(found: Scan) -> int | None:
    """Where a lone return or a quote is that neither opens a cell, nor closes one, nor is one of two in a quoted cell.

    Or the position after it.
    """
    faults = shifted(found.returns) & ~found.newlines
    if found.quotes.any():
        opening, closing = found.quotes & found.quoted, found.quotes & ~found.quoted
        faults |= opening & ~(cell_starts(found) | shifted(closing))
        faults |= shifted(closing) & ~(found.separators | found.returns | opening)
    return first(faults)


def odd_row(found: Scan) -> int | None:
    """The start of the first row that has another width, is a blank line or might hold too long a cell."""
    last_cells = np.flatnonzero(found.text[found.edges] == NEWLINE)
    row_ends = found.edges[last_cells]
    lengths = np.diff(row_ends, prepend=-1)
    odd = (np.diff(last_cells, prepend=-1) != found.width) | (lengths >= csv.field_size_limit())
    if found.width == 1:
        odd |= (lengths == 1) | ((lengths == 2) & (found.text[row_ends - 1] == RETURN))
    rows = np.flatnonzero(odd)
    if not rows.size:
        return None
    return int(row_ends[rows[0] - 1]) + 1 if rows[0] else 0


def cell_starts(found: Scan) -> Bits:
    """The positions where cells begin (of an empty cell: the separator after it)."""
    starts = shifted(found.separators)
    starts[0] |= np.uint64(1)
    return starts


def runs(columns: Sequence[int]) -> tuple[list[int], list[int]]:
    """The first and the last of each run of neighbours among ascending columns."""
    known = set(columns)
    lows = [at for at in columns if at - 1 not in known]
    highs = [at for at in columns if at + 1 not in known]
    return lows, highs

"""Rows of CSV as the app writes them: bytes without their line ends, made from cells, and read back in batches."""

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

BATCH = 50_000
# pandas passes over lines of nothing but these.
BLANKS = " \t\v\f"
# The beginning of a cell that a spreadsheet may take for a formula; a signed number is none.
FORMULA = re.compile(rb'(?:^|[,\n])"?(?:[=@\t\r]|[+-](?!(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?:[",\n]|$)))')
IN_QUOTES = re.compile(r'[,"\r\n]')


def csv_line(cells: list[str]) -> bytes:
    """Cells as CSV without a line's end; the same cells always give the same bytes."""
    text = "\n".join(cells)
    if len(cells) == 1 and not text.strip(BLANKS + "\r\n"):
        return f'"{text}"'.encode()
    if not any(mark in text for mark in ',"\r') and text.count("\n") == len(cells) - 1:
        return text.replace("\n", ",").encode()
    return ",".join(map(in_quotes, cells)).encode()


def in_quotes(cell: str) -> str:
    """The cell, in quotes where CSV needs them."""
    return '"' + cell.replace('"', '""') + '"' if IN_QUOTES.search(cell) else cell


def has_formulas(data: bytes) -> bool:
    """Whether a spreadsheet may take a cell of this CSV for a formula. A line within a cell counts as one."""
    return FORMULA.search(data) is not None


class Lines:
    """Rows that come in batches, taken in others."""

    def __init__(self, batches: Iterator[list[Any]]) -> None:
        self.batches = batches
        self.rest: Iterator[Any] = iter(())

    def take(self, count: int) -> list[Any]:
        """The next rows; fewer only at the end."""
        taken = list(islice(self.rest, count))
        while len(taken) < count and (batch := next(self.batches, None)) is not None:
            self.rest = iter(batch)
            taken += islice(self.rest, count - len(taken))
        return taken

    def batches_of(self, count: int | None) -> Iterator[tuple[int, list[Any]]]:
        """The next `count` rows, or all there are, a batch at a time, each with the number of its first (from 1)."""
        given = 0
        while batch := self.take(BATCH if count is None else min(count - given, BATCH)):
            yield given + 1, batch
            given += len(batch)

    def drain(self) -> None:
        """Reads to the end, where what was wrong with all of it is known at last."""
        for _ in self.batches:
            pass


def rows_of(pieces: Iterable[bytes]) -> Iterator[list[bytes]]:
    """The rows of CSV that pack wrote, without their line ends: quotes stand around whole cells only."""
    rest = b""
    for piece in pieces:
        block = rest + piece
        *lines, rest = block.split(b"\n")
        if b'"' in block:
            lines, begun = put_lines_together(lines)
            rest = b"\n".join([*begun, rest])
        yield lines


def put_lines_together(lines: list[bytes]) -> tuple[list[bytes], list[bytes]]:
    """Rows, of which some have line breaks in quoted cells; and the lines of one that goes on after them."""
    rows: list[bytes] = []
    begun: list[bytes] = []
    open_quote = False
    for line in lines:
        begun.append(line)
        open_quote ^= line.count(b'"') % 2 == 1
        if not open_quote:
            rows.append(b"\n".join(begun))
            begun = []
    return rows, begun

"""Raw predictions as a stream: blocks of whole lines, and the rows that the csv module reads in them."""

import csv
import io
from collections.abc import Iterable, Iterator
from itertools import chain

from shared.errors import StageFailed

LONGEST_ROW = 16 * 1024 * 1024
STRIDE = 64 * 1024
UNUSABLE = "Nothing was published."


class Blocks:
    """A stream of bytes in blocks that end with a line's end. What is no whole row yet is given back by `keep`.

    A last line without an end gets one, and `cut_off` says so. Raises StageFailed where a row is far too long.
    """

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self.pieces = pieces
        self.rest = b""
        self.cut_off = False

    def __iter__(self) -> Iterator[bytes]:
        for piece in self.pieces:
            start, self.rest = self.rest, b""
            end = piece.rfind(b"\n") + 1
            self.keep(piece[end:] if end else start + piece)
            if end:
                yield start + piece[:end]
        if self.rest:
            last, self.rest, self.cut_off = self.rest, b"", True
            yield last + b"\n"

    def keep(self, data: bytes) -> None:
        """What the next block begins with, before all that was kept for it."""
        self.rest = data + self.rest
        if len(self.rest) > LONGEST_ROW:
            raise StageFailed(
                f"A row of the raw predictions is longer than {LONGEST_ROW:,} bytes: a quote is never closed, or the "
                f"rows do not name their file. {UNUSABLE}"
            )


class Lines:
    """The lines of a block as text; `begun` is where the row begins that is being read."""

    def __init__(self, block: bytes) -> None:
        self.block = block
        self.begun = self.taken = 0
        self.ended = False

    def __iter__(self) -> Iterator[str]:
        for line in self.block.split(b"\n")[:-1]:
            text = line.decode() + "\n"
            self.taken += len(line) + 1
            yield text
        self.ended = True


def csv_rows(lines: Lines, delimiter: str) -> Iterator[list[str]]:
    """The block's whole rows, as the csv module reads them."""
    for cells in csv.reader(lines, delimiter=delimiter):
        # It asks for a line more than there is only where a quote is open.
        if lines.ended:
            return
        lines.begun = lines.taken
        yield cells


def bare_rows(lines: Lines) -> Iterator[list[str]]:
    """Every line a value; a frame's value with a space or quote in it comes quoted."""
    for line in lines:
        text = line.rstrip("\r\n")
        lines.begun = lines.taken
        cells = [text] if text else []
        if len(text) > 1 and text[0] == text[-1] == '"':
            cells = next(csv.reader([text], delimiter=" "))
        yield cells if len(cells) < 2 else [text]


def readable(block: bytes) -> bool:
    """Whether it is UTF-8 and the csv module would find no cell too long."""
    if any(block.find(b"\n", at, at + STRIDE) < 0 for at in range(0, len(block) - STRIDE, STRIDE)):
        return False
    try:
        return block.isascii() or bool(block.decode())
    except UnicodeDecodeError:
        return False


def first_row(pieces: Iterable[bytes], delimiter: str) -> tuple[list[str], Iterator[bytes]]:
    """The cells of the first row, as far as the pieces up to a line's end show it, and all pieces again."""
    pieces, seen = iter(pieces), b""
    for piece in pieces:
        seen += piece
        if b"\n" in piece or len(seen) > LONGEST_ROW:
            break
    text = io.StringIO(seen.decode(errors="replace"), newline="\n")
    try:
        cells = next(csv.reader(text, delimiter=delimiter), [])
    except csv.Error:
        cells = []
    return cells, chain([seen], pieces)

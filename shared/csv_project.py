"""Chosen columns of a scanned block as CSV: UTF-8, comma, a line end after each row. Cells stay as they stand.

Imports numpy, so that only functions that need it import this module.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from shared.bitmaps import Bits, Bytes, Flags, Places, packed, places, ranks, spans, unpacked
from shared.csv_lines import BLANKS
from shared.csv_scan import COMMA, NEWLINE, QUOTE, Scan, runs

POINT, BLANK = b". "


@dataclass
class Cells:
    """The cells of some columns, those of one row side by side in the order in which they are written."""

    columns: list[int]
    text: Bytes
    starts: Places  # (rows, columns)
    stops: Places  # (rows, columns): where the byte after each cell is


def projected(
    scan: Scan, columns: Sequence[int], rewritten: frozenset[int] = frozenset(), good: Flags | None = None
) -> bytes:
    """The columns of the good rows (None: all), with a decimal point for the comma of those that are rewritten."""
    if not columns:
        return b""
    if good is None and not rewritten and stands_as_wanted(scan, columns):
        whole = scan.data if scan.data.endswith(b"\n") else scan.data + b"\n"
        return whole.replace(b"\r\n", b"\n") if scan.returns.any() else whole
    cells = in_plain_form(scan, chosen(scan, columns, good), rewritten)
    written = joined(cells, scan.dialect.delimiter)
    encoding = scan.dialect.encoding
    return written if encoding == "utf-8" or written.isascii() else written.decode(encoding).encode()


def stands_as_wanted(scan: Scan, columns: Sequence[int]) -> bool:
    """Whether the file's own bytes are what is wanted, but for the line ends."""
    return (
        list(columns) == list(range(scan.width))
        and scan.width > 1
        and scan.dialect.delimiter == ","
        and (scan.dialect.quote == '"' or b'"' not in scan.data)
        and (scan.dialect.encoding == "utf-8" or scan.data.isascii())
        and not (scan.returns & scan.quoted).any()
    )


def chosen(scan: Scan, columns: Sequence[int], good: Flags | None) -> Cells:
    listed = list(columns)
    starts, stops = scan.starts[:, listed], scan.stops[:, listed]
    if good is not None:
        starts, stops = starts[good], stops[good]
    return Cells(listed, scan.text.copy(), starts, stops)


def in_plain_form(scan: Scan, cells: Cells, rewritten: frozenset[int]) -> Cells:
    """The cells with decimal points where they are rewritten, and in double quotes where they need them."""
    if points := sorted(rewritten.intersection(cells.columns)):
        commas = packed(cells.text == COMMA) & ~scan.separators & scan.region(points)
        cells.text[places(commas)] = POINT
    unlike = unlike_plain(scan, cells.text)
    needed = np.zeros(cells.starts.shape, np.bool_)
    if unlike.any():
        needed = ranks(unlike, cells.stops) > ranks(unlike, cells.starts)
    if len(cells.columns) == 1:
        needed |= blank_lines(cells)
    return in_quotes(cells, needed, unlike) if needed.any() else cells


def unlike_plain(scan: Scan, text: Bytes) -> Bits:
    """The commas and double quotes in cells that stand in no double quotes."""
    found = np.zeros_like(scan.separators)
    if scan.dialect.delimiter != "," and b"," in scan.data:
        found |= packed(text == COMMA) & ~scan.quoted
    if scan.dialect.quote != '"' and b'"' in scan.data:
        found |= packed(text == QUOTE)
    return found


def blank_lines(cells: Cells) -> Flags:
    """(rows, 1): which cells, alone on a line, would be passed over by pandas."""
    blank = cells.stops <= cells.starts
    for row in np.flatnonzero((cells.text[cells.starts] <= BLANK) & ~blank):
        raw = cells.text[cells.starts[row, 0] : cells.stops[row, 0]].tobytes()
        blank[row] = not raw.strip(BLANKS.encode())
    return blank


def in_quotes(cells: Cells, needed: Flags, unlike: Bits) -> Cells:
    """With quotes around the needed cells, and those inside doubled."""
    around = np.concatenate([cells.starts[needed], cells.stops[needed]])
    doubled = places(unlike & packed(cells.text == QUOTE))
    added = np.sort(np.concatenate([around, doubled]))
    return Cells(
        cells.columns,
        np.insert(cells.text, added, QUOTE),
        cells.starts + np.searchsorted(added, cells.starts, side="left"),
        cells.stops + np.searchsorted(added, cells.stops, side="right"),
    )


def joined(cells: Cells, delimiter: str) -> bytes:
    """The rows' bytes, a comma or a line end after each cell."""
    in_order = cells.columns == sorted(cells.columns)
    if delimiter != "," or not in_order:
        cells.text[cells.stops[:, :-1]] = COMMA
    cells.text[cells.stops[:, -1]] = NEWLINE
    return (in_file_order(cells) if in_order else in_listed_order(cells)).tobytes()


def in_file_order(cells: Cells) -> Bytes:
    position = {column: at for at, column in enumerate(cells.columns)}
    lows, highs = ([position[column] for column in edge] for edge in runs(cells.columns))
    starts, stops = cells.starts[:, lows], cells.stops[:, highs]
    kept = spans(len(cells.text), starts.ravel(), stops.ravel() + 1)
    written: Bytes = cells.text[unpacked(kept)[: len(cells.text)]]
    return written


def in_listed_order(cells: Cells) -> Bytes:
    starts, lengths = cells.starts.ravel(), (cells.stops + 1 - cells.starts).ravel()
    origin = np.repeat(starts - (np.cumsum(lengths) - lengths), lengths)
    origin += np.arange(len(origin))
    written: Bytes = cells.text[origin]
    return written

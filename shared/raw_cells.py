"""Cells of raw predictions, as bytes: from the form they were written in to CSV."""

import re
from array import array
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Stands between values that are kept as one text: no UTF-8 text holds this byte.
SEPARATOR = b"\xff"
ROW_NUMBER = re.compile(r"0|[1-9][0-9]{0,17}")


def have_marks(text: bytes, mark: bytes, count: int, rows: int) -> bool:
    """Whether each of the rows, separated in one text, holds the mark so many times."""
    others = bytes(byte for byte in range(256) if byte not in mark + SEPARATOR)
    return text.translate(None, others) == SEPARATOR.join([mark * count] * rows)


def one_cell(rows: list[bytes], mark: bytes) -> list[bytes] | None:
    """Lines of one cell each as CSV; None where one is not plainly a cell, bare (without the mark) or in quotes."""
    text = SEPARATOR.join(rows)
    bare = rows
    if b'"' in text:
        bare = [row for row in rows if not row.startswith(b'"')]
        rows = [row[1:-1] if row.startswith(b'"') else row for row in rows]
        opened = len(rows) - len(bare)
        # One quote at the start and one at the end of each, and no other.
        if text.count(b'"') != 2 * opened or b'"' in (text := SEPARATOR.join(rows)):
            return None
    if mark and mark in text and any(mark in row for row in bare):
        return None
    around = SEPARATOR + text + SEPARATOR
    if SEPARATOR * 2 not in around and not any(blank in text for blank in b", \t\v\f"):
        return rows
    return [b'"%b"' % row if b"," in row or not row.strip() else row for row in rows]


def unquoted(cell: bytes) -> bytes:
    return cell[1:-1] if len(cell) > 1 and cell[:1] == cell[-1:] == b'"' else cell


def bare_name(path: str) -> str:
    return path.rsplit("/", 1)[-1]


def row_numbers(texts: list[bytes]) -> "array[int] | None":
    """Row numbers as they were written; None where one is not plainly a row number."""
    if not all(texts) or max(map(len, texts)) > 18 or not b"".join(texts).isdigit():
        return None
    numbers = array("q", map(int, texts))
    return numbers if list(map(b"%d".__mod__, numbers)) == texts else None


def bounds(text: bytes | bytearray) -> "tuple[NDArray[np.int64], NDArray[np.int64]]":
    """Where each value of a text begins and ends; every one is followed by the separator."""
    import numpy as np

    ends = np.flatnonzero(np.frombuffer(text, np.uint8) == SEPARATOR[0])
    return np.append(0, ends[:-1] + 1)[: len(ends)], ends

"""Rows told apart by a key: which row of which part has it (12 bytes a row), and keys that come twice.

Pack keeps the key cells of every part: CSV, one cell a line, in the rows' order. Keys are compared as text.
"""

from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import compress
from typing import TYPE_CHECKING

from shared.errors import StageFailed
from shared.raw_blocks import UNUSABLE, Blocks, Lines, csv_rows
from shared.raw_cells import SEPARATOR, bounds
from shared.raw_rows import Form, Reader, delimiter_of
from shared.routes import Route

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ENOUGH = 1024 * 1024
AT_MOST = 32 * 1024 * 1024
# Opens the key cells of a part, anew at every call, by the part's number.
Sources = Mapping[int, Callable[[], Iterable[bytes]]]
Hashing = Callable[[bytes], int]


@dataclass(frozen=True, order=True)
class Duplicate:
    """A row (0 is its part's first) whose key an earlier row has, too."""

    part: int
    row: int
    first_part: int
    first_row: int


@dataclass(frozen=True)
class KeyIndex:
    """The row of every key, by 64 bits of hash: rows are counted through all parts, `firsts` is each part's first.

    Keys with equal hashes stand as they are in `alike`. That a key which no row has is taken for one that has its hash
    is a matter of 1 in 10^12 for 10 million rows; nobody can provoke it, for each process hashes in its own way.
    """

    hashes: "NDArray[np.int64]"
    rows: "NDArray[np.uint32]"
    parts: list[int]
    firsts: "NDArray[np.int64]"
    hashed: Hashing
    alike: dict[bytes, int] = field(default_factory=dict)

    @classmethod
    def of(cls, sources: Sources, hashed: Hashing = hash) -> "KeyIndex":
        """Raises StageFailed where a key comes twice: pack keeps such rows out."""
        import numpy as np

        hashes, firsts = hashes_of(sources, hashed)
        order = np.argsort(hashes, kind="stable")
        hashes = hashes[order]
        alike: dict[bytes, int] = {}
        for _, row, key in keys_alike(sources, repeated(hashes), hashed):
            if alike.setdefault(key, row) != row:
                raise StageFailed(f"Two rows of this run have the same key. {UNUSABLE}")
        return cls(hashes, order.astype(np.uint32), list(sources), firsts, hashed, alike)

    def find(self, keys: list[bytes]) -> "NDArray[np.int64]":
        """The row of each key, counted through all parts; -1 for a key that none has."""
        import numpy as np

        wanted = np.fromiter(map(self.hashed, keys), np.int64, len(keys))
        at, known = places(wanted, self.hashes)
        found = np.full(len(keys), -1, np.int64)
        found[known] = self.rows[at[known]]
        if self.alike:
            suspects = np.sort([self.hashed(key) for key in self.alike])
            for row in np.flatnonzero(places(wanted, suspects)[1]).tolist():
                found[row] = self.alike.get(keys[row], -1)
        return found

    def distributed(self, rows: "NDArray[np.int64]", values: list[bytes]) -> Iterator[tuple[int, bytes]]:
        """Rows counted through all parts and their values, as lines `row,values` for each part."""
        import numpy as np

        if not len(rows):
            return
        owners = np.searchsorted(self.firsts, rows, side="right") - 1
        turn = np.argsort(owners, kind="stable")
        for some in np.split(turn, np.flatnonzero(np.diff(owners[turn])) + 1):
            owner = int(owners[some[0]])
            numbers = (rows[some] - self.firsts[owner]).tolist()
            lines = map(b"%d,%b\n".__mod__, zip(numbers, (values[at] for at in some.tolist()), strict=True))
            yield self.parts[owner], b"".join(lines)


@dataclass
class Strays:
    """Rows of the raw predictions whose key no row of the run has: how many, and the first one's number (from 1)."""

    count: int = 0
    first: int = 0


def rows_by_key(
    chunks: Iterable[bytes], index: KeyIndex, route: Route, strays: Strays
) -> Iterator[tuple[int, bytes]]:
    """The raw file's rows, given to the parts that have their keys: (part number, lines `row,values` to be appended).

    What is held back is at most some 40 MB. Rows with a key that no row has are counted in `strays`. Raises StageFailed
    for rows that cannot be read.
    """
    form = Form(match="key", width=len(route.predictions), delimiter=delimiter_of(route), lead="key")
    reader = Reader(form)
    held: dict[int, bytearray] = {}
    for found in reader.rows(chunks):
        rows = index.find(found.keys)
        known = rows >= 0
        if not known.all():
            strays.first = strays.first or reader.read - len(rows) + int(known.argmin()) + 1
            strays.count += len(rows) - int(known.sum())
        values = found.values if known.all() else list(compress(found.values, known.tolist()))
        for part, more in index.distributed(rows[known], values):
            held.setdefault(part, bytearray()).extend(more)
        full = sum(map(len, held.values())) > AT_MOST
        for part in [part for part, lines in held.items() if full or len(lines) > ENOUGH]:
            yield part, bytes(held.pop(part))
    for part, lines in held.items():
        yield part, bytes(lines)


def duplicate_keys(sources: Sources, hashed: Hashing = hash) -> Iterator[Duplicate]:
    """Every row whose key an earlier one of the run has, in the rows' order. Exact: equal hashes alone are no fault."""
    import numpy as np

    hashes, firsts = hashes_of(sources, hashed)
    hashes.sort()
    suspects = repeated(hashes)
    del hashes
    again, earlier = array("q"), array("q")
    first_of: dict[bytes, int] = {}
    before = None
    for value, row, key in keys_alike(sources, suspects, hashed):
        if value != before:
            first_of.clear()
        before = value
        first = first_of.setdefault(key, row)
        if first != row:
            again.append(row)
            earlier.append(first)
    parts, starts = list(sources), firsts.tolist()
    for at in np.argsort(np.array(again)).tolist():
        owner, first_owner = (bisect_right(starts, row) - 1 for row in (again[at], earlier[at]))
        yield Duplicate(
            *(parts[owner], again[at] - starts[owner]),
            *(parts[first_owner], earlier[at] - starts[first_owner]),
        )


def hashes_of(sources: Sources, hashed: Hashing) -> "tuple[NDArray[np.int64], NDArray[np.int64]]":
    """The hash of every key, through all parts, and where each part's begin."""
    import numpy as np

    hashes, firsts = array("q"), []
    for opened in sources.values():
        firsts.append(len(hashes))
        for keys in key_cells(opened()):
            hashes.frombytes(np.fromiter(map(hashed, keys), np.int64, len(keys)).tobytes())
    return np.array(hashes, np.int64), np.array(firsts, np.int64)


def repeated(hashes: "NDArray[np.int64]") -> "NDArray[np.int64]":
    """Those that come more than once, of sorted ones."""
    import numpy as np

    return np.unique(hashes[1:][hashes[1:] == hashes[:-1]])


def keys_alike(
    sources: Sources, suspects: "NDArray[np.int64]", hashed: Hashing
) -> Iterator[tuple[int, int, bytes]]:
    """Hash, row (through all parts) and key of all whose hash is a suspect, by hash, then by row."""
    import numpy as np

    if not len(suspects):
        return
    hashes, rows, texts, before = array("q"), array("q"), bytearray(), 0
    for keys in (keys for opened in sources.values() for keys in key_cells(opened())):
        found = np.fromiter(map(hashed, keys), np.int64, len(keys))
        which = np.flatnonzero(places(found, suspects)[1])
        hashes.frombytes(found[which].tobytes())
        rows.frombytes((which + before).tobytes())
        texts += b"".join(keys[at] + SEPARATOR for at in which.tolist())
        before += len(keys)
    starts, ends = bounds(texts)
    for at in map(int, np.argsort(np.array(hashes), kind="stable")):
        yield hashes[at], rows[at], bytes(texts[starts[at] : ends[at]])


def places(
    wanted: "NDArray[np.int64]", known: "NDArray[np.int64]"
) -> "tuple[NDArray[np.int64], NDArray[np.bool]]":
    """Where in the sorted `known` each one stands, and whether it does."""
    import numpy as np

    at = np.zeros(len(wanted), np.int64)
    # Sorted, they are looked up in one sweep through memory.
    turn = np.argsort(wanted)
    at[turn] = np.searchsorted(known, wanted[turn])
    at[at == len(known)] = 0
    return at, known[at] == wanted if len(known) else np.zeros(len(wanted), np.bool)


def key_cells(pieces: Iterable[bytes]) -> Iterator[list[bytes]]:
    """The keys of a part, as pack keeps them."""
    blocks = Blocks(pieces)
    for block in blocks:
        if b'"' in block or b"\r" in block:
            lines = Lines(block)
            yield [cells[0].encode() if cells else b"" for cells in csv_rows(lines, ",")]
            blocks.keep(block[lines.begun :])
        else:
            yield block.split(b"\n")[:-1]

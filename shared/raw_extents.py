"""Which stretches of shared raw predictions belong to which part, by the part's name at the end of every row."""

import re
from collections.abc import Iterable, Iterator
from itertools import repeat, takewhile

from shared.errors import StageFailed
from shared.raw_blocks import Blocks
from shared.raw_rows import DELIMITERS

AT_ONCE = 256
STRETCHES_AT_MOST = 1_000_000
PART = re.compile(rb'"?(?:[^" ,]*/)?(part-\d+\.csv)"?\r?')
KEPT = 1024 * 1024
Extents = dict[str, list[list[int]]]


def extents_of(chunks: Iterable[bytes], match: str, delimiter: str = "") -> Extents:
    """Which stretches of the raw file (first byte, byte after the last) belong to which part, in the file's order.

    Every row ends with its part's name (`match` of `file`, `row` and, in a shared job, `none`); a line that does not,
    or that leaves a quote open, is part of a value with a line break in it, and belongs to the row that it begins.
    Raises StageFailed where rows at the end name no part.
    """
    separator = (delimiter or DELIMITERS[match]).encode()
    found: Extents = {}
    stretch, last = [0, 0], ""
    after = stretched = 0
    blocks = Blocks(chunks)
    for block in blocks:
        begun, at = after, 0
        for part, length in stretches_in(block, separator):
            at += length
            if part and part != last:
                stretch, last = [after, after], part
                found.setdefault(part, []).append(stretch)
                stretched += 1
            if part:
                stretch[1] = after = begun + at
        if stretched > STRETCHES_AT_MOST:
            raise StageFailed(
                f"The raw predictions go from one part to another more than {STRETCHES_AT_MOST:,} times. Nothing was "
                "published: let the scoring script return the rows of a file together."
            )
        blocks.keep(block[after - begun :])
    if blocks.rest:
        raise StageFailed(
            f'The raw predictions do not end with the name of a file, as match = "{match}" needs. '
            "Nothing was published: correct the scoring script, or `match` of the route."
        )
    # The last line was given an end where it had none.
    stretch[1] -= blocks.cut_off
    return found


def in_pieces(chunks: Iterable[bytes], extents: Extents, parts: list[str]) -> Iterator[tuple[int, bytes]]:
    """The whole raw file, stretch by stretch, each with the number of its part in `parts`."""
    numbers = {part: number for number, part in enumerate(parts)}
    order = sorted((begin, end, part) for part, stretches in extents.items() for begin, end in stretches)
    stream, held, at = iter(chunks), b"", 0
    for begin, end, part in order:
        while at + len(held) < end and (more := next(stream, b"")):
            held += more
        yield numbers[part], held[begin - at : end - at]
        if end - at > KEPT:
            held, at = held[end - at :], end


def stretches_in(block: bytes, separator: bytes) -> Iterator[tuple[str, int]]:
    """The lengths of successive stretches of lines, each with the part it belongs to ("": it ends no row)."""
    if b'"' in block and any(line.count(b'"') % 2 for line in block.split(b"\n")):
        return rows_with_line_breaks(block, separator)
    return whole_lines(block, separator)


def whole_lines(block: bytes, separator: bytes) -> Iterator[tuple[str, int]]:
    """Where no line leaves a quote open. Lines that all end as the last one does are one stretch."""
    tail = tail_of(block[:-1], separator)
    part = part_named(tail[1:])
    if part and block.count(tail + b"\n") == block.count(b"\n"):
        yield part, len(block)
        return
    lines, at = block.split(b"\n")[:-1], 0
    while at < len(lines):
        tail = tail_of(lines[at], separator)
        part = part_named(tail[1:])
        alike = lines[at : at + (AT_ONCE if part else 1)]
        same = len(list(takewhile(bool, map(bytes.endswith, alike, repeat(tail)))))
        yield part, len(b"\n".join(alike[:same])) + 1
        at += same


def rows_with_line_breaks(block: bytes, separator: bytes) -> Iterator[tuple[str, int]]:
    """Line by line: a row ends where no quote is open. A quote within a bare value opens nothing."""
    opening = separator + b'"'
    quotes, quoted = 0, False
    for line in block.split(b"\n")[:-1]:
        quotes += line.count(b'"')
        quoted = quoted or line.startswith(b'"') or opening in line
        part = "" if quoted and quotes % 2 else part_named(tail_of(line, separator)[1:])
        if part:
            quotes, quoted = 0, False
        yield part, len(line) + 1


def tail_of(text: bytes, separator: bytes) -> bytes:
    """The last separator and what follows it; nothing where there is none."""
    at = text.rfind(separator)
    return text[at:] if at >= 0 else b""


def part_named(cell: bytes) -> str:
    """The part that a row's last cell names; "" where it names none."""
    name = PART.fullmatch(cell)
    return name[1].decode() if name else ""

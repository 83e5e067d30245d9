"""CSV files in blocks of whole rows: what a part gets, what is carried past the model, what is wrong with a row.

A block is read fast where a strict check shows that this reads it as `shared.csv_rows` does, else row by row by that.
"""

import io
import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from shared.csv_lines import BLANKS, in_quotes
from shared.csv_rows import (
    EMPTY,
    GZIP_MAGIC,
    Dialect,
    Problem,
    Row,
    Table,
    dialect_of,
    read_rows,
    table_of,
)
from shared.errors import FileRejected
from shared.routes import Route

BLOCK = 1024 * 1024
STRETCH = 4 * 1024
INFLATED_PIECE = 1024 * 1024
GZIP = 16 + zlib.MAX_WBITS
LINE_END = re.compile(rb"\r\n|\r|\n")
BREAK = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True)
class Position:
    """Where the next row begins: the byte of the (inflated) file, and the line, the first being 1."""

    offset: int = 0
    line: int = 1


@dataclass(frozen=True)
class Block:
    """Whole rows of a file. The three outputs are UTF-8 CSV: comma, quotes where needed, `\n` after each row."""

    source: bytes  # the file's own bytes, blank lines included
    end: Position  # where the next block begins
    rows: int  # the good rows: those in `sent`, `carried` and `keys`
    read: int  # all rows, bad ones included
    sent: bytes
    carried: bytes  # b"" where the table carries nothing
    keys: bytes  # b"" where the table has no key
    problems: list[Problem]  # of the bad rows, in their order


class Source:
    """The bytes of a file from the next row on. What was read ahead is held until it is taken."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self.chunks = iter(chunks)
        self.chunk = memoryview(b"")  # what is left of the last one
        self.held = b""
        self.taken = 0

    def ahead(self, offset: int, size: int) -> bytes:
        """`size` bytes from `offset` after the next row's start; fewer only at the end of the file."""
        missing = offset + size - (len(self.held) - self.taken)
        pieces: list[bytes | memoryview] = [self.held[self.taken :]] if missing > 0 else []
        while missing > 0 and self.more():
            pieces.append(self.chunk[:missing])
            self.chunk = self.chunk[missing:]
            missing -= len(pieces[-1])
        if len(pieces) > 1:
            self.held, self.taken = b"".join(pieces), 0
        return self.held[self.taken + offset : self.taken + offset + size]

    def more(self) -> bool:
        """Whether there is more than what is held."""
        while not self.chunk and (chunk := next(self.chunks, None)) is not None:
            self.chunk = memoryview(chunk)
        return len(self.chunk) > 0

    def ends_after(self, size: int) -> bool:
        return len(self.held) - self.taken <= size and not self.more()

    def line_end(self, offset: int) -> int:
        """Where the line ends that begins at `offset`, its line break included. It must have been read ahead."""
        found = LINE_END.search(self.held, self.taken + offset)
        return (found.end() if found else len(self.held)) - self.taken

    def skip_lines(self, offset: int, lines: int) -> int:
        for _ in range(lines):
            offset = self.line_end(offset)
        return offset

    def take(self, size: int) -> None:
        self.taken += size


class Ahead(io.RawIOBase):
    """A readable stream over what lies ahead in a source; takes nothing."""

    def __init__(self, source: Source, offset: int = 0) -> None:
        self.source = source
        self.offset = offset

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = self.source.ahead(self.offset, len(buffer))
        buffer[: len(data)] = data
        self.offset += len(data)
        return len(data)


def open_table(chunks: Iterable[bytes], route: Route) -> tuple[Table, Position]:
    """Reads the header, and no more than it takes. Raises FileRejected where there is none that fits the route."""
    source, dialect = Source(chunks), dialect_of(route)
    header = next(read_rows(Ahead(source), dialect))
    end = source.skip_lines(0, header.line - 1 + height(header))
    return table_of(header.cells, header.line, route), Position(end, header.line + height(header))


def height(row: Row) -> int:
    """How many lines the row takes in the file."""
    return 1 + sum(len(BREAK.findall(cell)) for cell in row.cells)


def read_blocks(chunks: Iterable[bytes], table: Table, at: Position, size: int = BLOCK) -> Iterator[Block]:
    """The rows from `at` on, where `chunks` begin, in blocks of about `size` bytes or one row.

    Raises FileRejected, naming the line, where the rows are not CSV of the table's width, after the rows before.
    """
    source, reach, stretch = Source(chunks), size, STRETCH
    while window := source.ahead(0, reach):
        block = read_at_once(window, table, at, last=source.ends_after(reach))
        if block is not None:
            # What is tried at once stays in proportion to what the last try gave: odd rows may stand close together.
            reach, stretch = max(4 * len(block.source), STRETCH), STRETCH
        else:
            block = read_by_row(source, table, at, min(stretch, size))
            reach, stretch = 4 * stretch, 2 * stretch
        reach, at = min(reach, size), block.end
        source.take(len(block.source))
        yield block


def read_at_once(data: bytes, table: Table, at: Position, last: bool) -> Block | None:
    """The plain rows that `data` begins with, of the `last` data to its end; None where the first is not."""
    from shared.csv_checks import checked
    from shared.csv_project import projected
    from shared.csv_scan import scan

    found = scan(data, table.dialect, len(table.header), last)
    if found is None:
        return None
    problems, good = checked(found, table, at.line)
    return Block(
        source=found.data,
        end=Position(at.offset + len(found.data), at.line + found.lines),
        rows=found.rows if good is None else int(good.sum()),
        read=found.rows,
        sent=projected(found, table.send, table.rewritten, good),
        carried=projected(found, table.carry, good=good),
        keys=projected(found, table.key, good=good),
        problems=problems,
    )


def read_by_row(source: Source, table: Table, at: Position, size: int) -> Block:
    """The reference reading of rows of at least `size` bytes in all, or up to the end or a row that cannot be read."""
    outputs = Outputs(table)
    line, end = at.line, 0
    try:
        for row in read_rows(Ahead(source), table.dialect, at.line, len(table.header)):
            start = source.skip_lines(end, row.line - line)
            line = row.line + height(row)
            end = source.skip_lines(start, height(row))
            outputs.add(row, source.ahead(start, end - start))
            if end >= size:
                break
        else:
            while source.ahead(end, 1):
                line, end = line + 1, source.line_end(end)
    except FileRejected:
        if not outputs.read:
            raise
    return outputs.block(source.ahead(0, end), Position(at.offset + end, line))


class Outputs:
    """Collects what rows become."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.rewritten = table.rewritten
        self.read = 0
        self.rows = 0
        self.sent: list[str] = []
        self.carried: list[str] = []
        self.keys: list[str] = []
        self.problems: list[Problem] = []

    def add(self, row: Row, raw: bytes) -> None:
        """One row, and its bytes in the file."""
        table, cells = self.table, row.cells
        self.read += 1
        if found := [Problem(row.line, *problem) for problem in table.problems(cells)]:
            self.problems += found
            return
        self.rows += 1
        quoted = quoted_fields(raw, len(cells), table.dialect)
        self.sent.append(line_of(fields(table.send, cells, quoted, self.rewritten)))
        if table.carry:
            self.carried.append(line_of(fields(table.carry, cells, quoted)))
        if table.key:
            self.keys.append(line_of(fields(table.key, cells, quoted)))

    def block(self, source: bytes, end: Position) -> Block:
        sent, carried, keys = ("".join(lines).encode() for lines in (self.sent, self.carried, self.keys))
        return Block(source, end, self.rows, self.read, sent, carried, keys, self.problems)


def quoted_fields(raw: bytes, width: int, dialect: Dialect) -> list[str]:
    """The cells that stand in double quotes in the row, with them, as every reader of CSV reads them; "" for others."""
    if dialect.quote != '"' or b'"' not in raw:
        return [""] * width
    return field_expression(dialect.delimiter).findall(raw.decode(dialect.encoding))[:width]


@cache
def field_expression(delimiter: str) -> re.Pattern[str]:
    """Matches a field of a row that was read without fault; the group is empty unless the field is quoted."""
    mark = re.escape(delimiter)
    return re.compile(rf'(?:("(?:[^"]|"")*")|[^{mark}\r\n]*)(?:{mark}|\r\n?|\n|\Z)')


def fields(
    columns: Iterable[int], cells: list[str], quoted: list[str], rewritten: frozenset[int] = frozenset()
) -> Iterator[str]:
    """The columns' cells as they are written, with a decimal point where they are rewritten."""
    for at in columns:
        field, cell = quoted[at], cells[at]
        if at in rewritten:
            field, cell = field.replace(",", "."), cell.replace(",", ".")
        yield field or in_quotes(cell)


def line_of(fields: Iterable[str]) -> str:
    """A line of CSV. A blank one is quoted, since pandas passes over blank lines."""
    line = ",".join(fields)
    return (line if line.strip(BLANKS) else f'"{line}"') + "\n"


def inflated(chunks: Iterable[bytes], at_most: int) -> Iterator[bytes]:
    """What a gzip archive of one or more members holds, in pieces of at most a mebibyte.

    Raises FileRejected where it is damaged or truncated, or holds more than `at_most` bytes.
    """
    member, found, begun = zlib.decompressobj(GZIP), 0, False
    for chunk in chunks:
        if not begun and not chunk.startswith(GZIP_MAGIC[: len(chunk)]):
            raise FileRejected(
                "The name ends in .gz, but this is no gzip archive. Drop it again without that end."
            )
        begun = True
        while chunk:
            if member.eof and not (chunk := chunk.lstrip(b"\0")):
                break
            if member.eof:
                member = zlib.decompressobj(GZIP)
            piece, chunk = inflate(member, chunk)
            found += len(piece)
            if found > at_most:
                raise FileRejected(
                    f"The archive holds more than {at_most:,} bytes, the most this route takes. "
                    "Drop it in smaller pieces, or raise the route's `max_size`."
                )
            if piece:
                yield piece
    if not begun:
        raise FileRejected(EMPTY)
    if not member.eof:
        raise FileRejected("The gzip archive is incomplete. Drop it again when it is whole.")


def inflate(member: "zlib._Decompress", data: bytes) -> tuple[bytes, bytes]:
    """A piece of what the data holds, and the data that is left."""
    try:
        piece = member.decompress(data, INFLATED_PIECE)
    except zlib.error:
        raise FileRejected("The gzip archive is damaged. Pack the file and drop it again.") from None
    return piece, member.unused_data if member.eof else member.unconsumed_tail

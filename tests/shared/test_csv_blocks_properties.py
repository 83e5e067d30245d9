"""Whatever the file, the route, the chunks and the size of blocks: blocks hold what the reference reads by row."""

import csv
import io
import random
from collections.abc import Iterator
from dataclasses import dataclass, field

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.blob_io import ChunkStream
from shared.column_rules import Rule
from shared.csv_blocks import Position, read_blocks
from shared.csv_rows import Dialect, Problem, Row, Table, read_rows
from shared.errors import FileRejected


@dataclass
class Reading:
    """All that is found in a file up to its end or to the reason why it is refused."""

    sent: list[list[str]] = field(default_factory=list)
    carried: list[list[str]] = field(default_factory=list)
    keys: list[list[str]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    read: int = 0
    refusal: str = ""


def by_reference(data: bytes, table: Table) -> Reading:
    found = Reading()
    try:
        for row in read_rows(ChunkStream([data]), table.dialect, line=2, width=len(table.header)):
            found.read += 1
            note(found, row, table)
    except FileRejected as reason:
        found.refusal = str(reason)
    return found


def note(found: Reading, row: Row, table: Table) -> None:
    if problems := [Problem(row.line, *problem) for problem in table.problems(row.cells)]:
        found.problems += problems
        return
    found.sent += [table.sent(row.cells)] if table.send else []
    found.carried += [table.carried(row.cells)] if table.carry else []
    found.keys += [[row.cells[at] for at in table.key]] if table.key else []


def by_blocks(data: bytes, table: Table, chunk: int, size: int) -> tuple[Reading, bytes]:
    """What the blocks hold, and all their output in one."""
    found, at, outputs = Reading(), Position(7, 2), [b"", b"", b""]
    try:
        for block in read_blocks(pieces(data, chunk), table, at, size):
            assert block.source == data[at.offset - 7 : block.end.offset - 7] != b""
            assert block.rows == block.read - len({problem.line for problem in block.problems})
            at = block.end
            found.read += block.read
            found.problems += block.problems
            outputs = [
                old + new for old, new in zip(outputs, (block.sent, block.carried, block.keys), strict=True)
            ]
        assert at.offset - 7 == len(data)
    except FileRejected as reason:
        found.refusal = str(reason)
    found.sent, found.carried, found.keys = (rows_in(output) for output in outputs)
    return found, b"|".join(outputs)


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


def rows_in(output: bytes) -> list[list[str]]:
    assert output == b"" or output.endswith(b"\n")
    return list(csv.reader(io.StringIO(output.decode(), newline=""), strict=True))


PIECES = [
    *("1", "-2.5", "+3", ".5", "7.", "1e5", "1E-05", "1e-400", "1.2.3", "--1", "1-2", "1e", "e5", "1,5", "0"),
    *(
        "1234567890123456789",
        "123456789012345678",
        "0.30000000000000004",
        "nan",
        "inf",
        "1_000",
        " 12",
        "12 ",
    ),
    *("2024-02-29", "2023-02-29", "2024-12-31", "0000-01-01", "2024-13-01", "2024-01-05T23:59:59"),
    *("2024-01-05 24:00:00", "2024-01-05T00:00:00Z", "2024-1-5"),
    *(
        "a",
        "bb",
        "red",
        "green",
        "redd",
        "true",
        "False",
        "é",
        "日本",
        "\x85",
        "\u00a0",
        "'",
        "''",
        "\ufeff",
        "\x00",
    ),
    *(
        " ",
        "  ",
        "\t",
        ";",
        ",",
        '"',
        '""',
        '"a"',
        '"a""b"',
        '"1"',
        '"\n"',
        '"\r\n"',
        '"\r"',
        '"1""2"',
        '"red"',
    ),
    *("\n", "\r\n", "\r", "\n\n"),
]
RULES = st.one_of(
    st.builds(
        Rule, st.just("number"), missing=st.booleans(), min=st.sampled_from([None, -2.5, 0, 2**60 + 1])
    ),
    st.builds(Rule, st.just("number"), missing=st.booleans(), max=st.sampled_from([1, 0.3, 1e5])),
    st.builds(Rule, st.just("integer"), missing=st.booleans(), min=st.sampled_from([None, 0, -2])),
    st.builds(Rule, st.sampled_from(["text", "boolean", "date", "datetime"]), missing=st.booleans()),
    st.builds(
        Rule,
        st.sampled_from(["date", "datetime"]),
        missing=st.booleans(),
        min=st.sampled_from([None, "2024-01-05", "2023-12-31"]),
        max=st.sampled_from(["2024-02-29", "2024-12-30"]),
    ),
    st.builds(
        Rule,
        st.sampled_from(["text", "number"]),
        missing=st.booleans(),
        allowed=st.sampled_from([("red", "é", "1"), ('a"b', "日本", "x" * 40), ("0",)]),
    ),
)
DIALECTS = st.one_of(
    st.just(Dialect()),
    st.builds(
        Dialect,
        st.sampled_from(",;\t|"),
        st.sampled_from(['"', "'", ""]),
        st.sampled_from(["utf-8", "windows-1252", "iso-8859-1", "iso-8859-15"]),
        st.sampled_from(".,"),
    ),
)


@st.composite
def tables(draw: st.DrawFn) -> Table:
    width = draw(st.integers(1, 4))
    everything = tuple(range(width))
    orders = st.permutations(everything)
    columns = st.builds(lambda order, count: tuple(order[:count]), orders, st.integers(0, width))
    some = st.builds(lambda order, count: tuple(order[:count]), orders, st.integers(1, width))
    return Table(
        header=tuple(f"column {at}" for at in everything),
        send=draw(st.one_of(st.just(everything), some)),
        carry=draw(columns),
        key=draw(columns.map(lambda positions: positions[:1])),
        rules=tuple((at, draw(RULES)) for at in draw(columns)),
        dialect=draw(DIALECTS),
    )


@st.composite
def files(draw: st.DrawFn) -> tuple[Table, bytes]:
    """A table and rows that mostly fit it, as bytes that mostly are of its encoding."""
    table = draw(tables())
    cell = st.one_of(st.sampled_from(PIECES), st.lists(st.sampled_from(PIECES), max_size=3).map("".join))
    plain = st.sampled_from(["1", "-2.5", "17", "0.25", "red", "2024-02-29", '"x"', '"1"', "", "true"])
    odd = draw(st.booleans())
    row = st.lists(cell if odd else plain, min_size=len(table.header), max_size=len(table.header))
    rows = draw(st.lists(row, max_size=8))
    end = draw(st.sampled_from(["\n", "\r\n", "\r"] if odd else ["\n", "\r\n"]))
    text = "".join(table.dialect.delimiter.join(cells) + end for cells in rows)
    data = text.encode(table.dialect.encoding, "replace" if draw(st.booleans()) else "ignore")
    if odd and draw(st.booleans()):
        data += draw(st.sampled_from([b"\xff", b"\x81", b"\xc3", b"1", b'"', b"\xed\xa0\x80"]))
    return table, data.rstrip(b"\n") if draw(st.booleans()) else data


@settings(max_examples=200)
@given(files(), st.integers(1, 40), st.integers(1, 120))
def test_blocks_hold_what_the_reference_reads(file: tuple[Table, bytes], chunk: int, size: int) -> None:
    table, data = file
    expected = by_reference(data, table)
    found, output = by_blocks(data, table, chunk, size)
    assert found == expected
    assert output == by_blocks(data, table, len(data) + 1, len(data) + 1)[1]


@given(files(), st.sampled_from([1, 64, 1 << 20]))
def test_pandas_reads_as_many_rows_from_the_blocks(file: tuple[Table, bytes], size: int) -> None:
    table, data = file
    try:
        found = list(read_blocks([data], table, Position(0, 2), size))
    except FileRejected:
        return
    rows = sum(block.rows for block in found)
    outputs = (("sent", table.send), ("carried", table.carry), ("keys", table.key))
    for name, columns in outputs:
        part = (
            ",".join(f"c{at}" for at in columns)
            + "\n"
            + b"".join(getattr(block, name) for block in found).decode()
        )
        assert not columns or len(pd.read_csv(io.StringIO(part, newline=""), dtype=str)) == rows


MOMENTS = [cell for cell in PIECES if cell.startswith(("20", "00"))] + ["", '""', '"2024-01-05"', "20240105"]
NUMERIC = [
    *(cell for cell in PIECES if not cell.strip("0123456789+-.eE")),
    *("9" * 19, "8" * 70, '"4"', '""', '"1""2"', "x", "1e400", "1e5.5", "1e5e5", "1.2e3.4"),
    *("1.2345678.9", "1.234567890123.4", "1e12345678"),
]
LARGE = (
    Rule("number"),
    Rule("number", missing=True, min=-3, max=1e5),
    Rule("integer"),
    Rule("text", allowed=("red", "green", "é")),
    Rule("datetime", missing=True, max="2024-12-30"),
    Rule("text"),
)


@pytest.mark.parametrize("decimal", [".", ","])
@pytest.mark.parametrize("seed", range(6))
def test_large_blocks_hold_what_the_reference_reads(seed: int, decimal: str) -> None:
    """Of thousands of rows, most of them good, so that one row's bytes lie across words and blocks."""
    chance = random.Random(seed)
    good = ["12.5", "-3", "17", "red", "2024-02-29T12:30:00", '"a, ""b""\nc"']
    listed = ["greenish", "redd", "é", "gree", '"red"', '""', "", '"r""d"']
    odd = [NUMERIC, NUMERIC, NUMERIC, listed, MOMENTS, ["é", "", " ", "long" * 30, "\u2028"]]
    rows = []
    for _ in range(2000):
        cells = [chance.choice(odd[at]) if chance.random() < 0.15 else cell for at, cell in enumerate(good)]
        rows.append(";".join(cell.replace(".", decimal) for cell in cells))
    data = "\r\n".join(rows).encode()
    table = Table(
        header=tuple("abcdef"),
        send=(5, 0, 1, 2),
        carry=(3, 5),
        key=(1,),
        rules=tuple(enumerate(LARGE)),
        dialect=Dialect(";", decimal=decimal),
    )
    expected = by_reference(data, table)
    found, output = by_blocks(data, table, 10_000, 1 << 16)
    assert found == expected
    assert output == by_blocks(data, table, 1 << 20, 777)[1]
    assert not expected.refusal
    assert 0 < len(expected.sent) < len(rows)

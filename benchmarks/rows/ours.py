"""What the app does, from files to files: its reading of blocks, and its matching of raw predictions."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from benchmarks.rows.data import CARRY, CATEGORIES, FLOATS, HIGHEST_K, SEND, Data
from benchmarks.rows.files import Parts, chunks
from shared.csv_blocks import Block, open_table, read_blocks
from shared.csv_lines import csv_line
from shared.raw_keys import KeyIndex, Strays, rows_by_key
from shared.raw_predictions import extents_of, predicted
from shared.routes import Route

RULES: dict[str, Any] = {
    "id": "integer",
    **dict.fromkeys(FLOATS, "number"),
    "k": {"type": "integer", "min": 0, "max": HIGHEST_K},
    "cat": {"allowed": list(CATEGORIES)},
}


def route(**keys: Any) -> Route:
    return Route(name="benchmark", pattern="*.csv", model="https://benchmark.example/jobs", **keys)


def blocks(path: Path, asked: Route) -> tuple[list[str], Iterator[Block]]:
    """The names of the columns sent, and the rows."""
    table, at = open_table(chunks(path), asked)
    return table.sent_header, read_blocks(chunks(path, at.offset), table, at)


def validate(data: Data, out: Path) -> dict[str, int]:
    rows = bad = 0
    for block in blocks(data.input, route(columns=RULES))[1]:
        rows += block.read
        bad += block.read - block.rows
    return {"rows": rows, "bad": bad}


def cut(data: Data, out: Path, columns: str) -> None:
    """`columns`: "all", or "some": those that are sent, and the id beside them."""
    asked = route(send=SEND, carry=CARRY) if columns == "some" else route()
    header, rows = blocks(data.input, asked)
    parts = Parts(out, csv_line(header) + b"\n", carries=columns == "some")
    for block in rows:
        parts.add(block.sent, block.carried)
    parts.close()


def match(data: Data, out: Path, form: str) -> None:
    """`form`: "file" or "row", whose rows name their part, else raw predictions by id."""
    with (out / "predictions.csv").open("wb") as file:
        file.write(b"id,prediction\n")
        if form in ("file", "row"):
            asked = route(match=form, carry=CARRY)
            write_parts(data, asked, by_name(data.raw(form), form), file)
        else:
            asked = route(match="key", key="id", raw_delimiter=" ")
            write_parts(data, asked, by_key(data, out / "keyed", form, asked), file)


def by_name(raw: Path, form: str) -> Callable[[str], Iterator[bytes]]:
    """Opens the stretches of a part."""
    extents = extents_of(chunks(raw), form)

    def of_part(part: str) -> Iterator[bytes]:
        for begin, end in extents[part]:
            yield from chunks(raw, begin, end)

    return of_part


def by_key(data: Data, folder: Path, form: str, asked: Route) -> Callable[[str], Iterator[bytes]]:
    """Puts the rows of every part into a file of its own in `folder`; opens one, and deletes it after."""
    folder.mkdir()
    parts = list(data.parts)
    sources = {number: lambda part=part: chunks(data.carried(part)) for number, part in enumerate(parts)}
    for number, lines in rows_by_key(chunks(data.raw(form)), KeyIndex.of(sources), asked, Strays()):
        with (folder / parts[number]).open("ab") as file:
            file.write(lines)

    def of_part(part: str) -> Iterator[bytes]:
        yield from chunks(folder / part)
        (folder / part).unlink()

    return of_part


def write_parts(
    data: Data, asked: Route, opened: Callable[[str], Iterable[bytes]], predictions: BinaryIO
) -> None:
    """Every part's ids and predictions, in the order of the input."""
    for part, rows in data.parts.items():
        with data.carried(part).open("rb") as ids:
            for values in predicted(opened(part), asked, part, len(rows)):
                before = [line[:-1] for line in islice(ids, len(values))]
                if None in values:
                    raise ValueError("a row without a prediction")
                predictions.write(b"".join(map(b"%b,%b\n".__mod__, zip(before, values, strict=True))))

"""Raw predictions as a job would write them, for tests."""

import csv
import io
from collections.abc import Iterable, Iterator

from shared.raw_predictions import Tally, predicted
from shared.routes import Route

PART = "part-00001.csv"
USUAL = {"order": " ", "file": " ", "row": ",", "key": ",", "none": " ", "files": ","}


def route(match: str, width: int = 1, **keys: str) -> Route:
    names = ("low", "middle", "high")[:width] if width > 1 else ("prediction",)
    return Route(name="r", pattern="**", model="https://e/jobs", match=match, predictions=names, **keys)  # type: ignore[arg-type]


def lines(rows: Iterable[list[str]], delimiter: str) -> list[bytes]:
    """Rows as a frame is written: quotes where needed, line ends of one newline."""
    written = []
    for cells in rows:
        text = io.StringIO()
        csv.writer(text, delimiter=delimiter, lineterminator="\n").writerow(cells)
        written.append(text.getvalue().encode())
    return written


def written(match: str, values: Iterable[list[str]], part: str = PART, delimiter: str = "") -> list[bytes]:
    """A part's predictions in a form, a row each."""
    mark = delimiter or USUAL[match]
    match match:
        case "row":
            return lines(([str(row), *cells, part] for row, cells in enumerate(values)), mark)
        case "key":
            return lines(([str(row), *cells] for row, cells in enumerate(values)), mark)
        case "file" | "none":
            return lines(([*cells, part] for cells in values), mark)
        case _:
            return lines(values, mark)


def cut(data: bytes, sizes: list[int]) -> Iterator[bytes]:
    """The bytes in chunks of these sizes, again and again."""
    at = 0
    while at < len(data):
        for size in sizes:
            yield data[at : at + size]
            at += size


def read(
    data: bytes | Iterable[bytes], asked: Route, rows: int, tally: Tally | None = None
) -> list[bytes | None]:
    """What `predicted` gives, in one list."""
    pieces = [data] if isinstance(data, bytes) else data
    return [row for batch in predicted(pieces, asked, PART, rows, tally) for row in batch]


def parsed(found: list[bytes | None]) -> list[list[str]]:
    """The rows as a reader of CSV finds them, with a column more so that blank ones are rows, too."""
    assert None not in found
    text = "".join(f"x,{row.decode()}\n" for row in found if row is not None)
    return [cells[1:] for cells in csv.reader(io.StringIO(text, newline=""), strict=True)]

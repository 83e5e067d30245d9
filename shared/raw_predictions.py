"""Reading what a batch deployment wrote: which bytes belong to which part, and which prediction to which row.

The forms (`match` in the route; facts from the Azure ML documentation of `append_row`):

    order   nothing but predictions, rows in order: a list (`str(item)` per line) or a bare frame
            (space-separated, no header)
    file    a frame whose last column is the part's file name (space-separated, no header), rows in order
    row     MLflow's no-code form: `row,prediction,file`, comma-separated, no header
"""

import csv
import re
from collections.abc import Iterable, Iterator

from shared.errors import StageFailed
from shared.routes import Route

SEPARATORS = {"file": b" ", "row": b","}
PART = re.compile(rb'"?(?:[^" ,]*/)?(part-\d+\.csv)"?\r?')
Extents = dict[str, list[list[int]]]


def extents_of(chunks: Iterable[bytes], match: str) -> Extents:
    """Which stretches of the raw file (first byte, byte after the last) belong to which part, in the file's order.

    Every row ends with its part's name (`file` and `row`); a line that does not, or that leaves a quote open, is part
    of a value with a line break in it, and belongs to the row that it begins. Raises StageFailed where rows at the
    end name no part.
    """
    separator = SEPARATORS[match]
    opening = separator + b'"'
    found: Extents = {}
    stretch: list[int] = []
    begun = offset = quotes = 0
    quoted = False
    tail = b""
    for line in byte_lines(chunks):
        offset += len(line)
        text = line.removesuffix(b"\n")
        if b'"' in text:
            quotes += text.count(b'"')
            quoted = quoted or text.startswith(b'"') or opening in text
        if quoted and quotes % 2:
            continue
        if not tail or not text.endswith(tail):
            last = text[text.rfind(separator) + 1 :]
            name = PART.fullmatch(last)
            if name is None:
                continue
            tail, stretch = separator + last, [begun, begun]
            found.setdefault(name[1].decode(), []).append(stretch)
        stretch[1] = begun = offset
        quotes, quoted = 0, False
    if begun != offset:
        raise StageFailed(
            f'The raw predictions do not end with the name of a file, as match = "{match}" needs. '
            "Nothing was published: correct the scoring script, or `match` of the route."
        )
    return found


def byte_lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The lines of a stream of bytes, with their ends."""
    rest = b""
    for chunk in chunks:
        lines = (rest + chunk).split(b"\n")
        rest = lines.pop()
        yield from (line + b"\n" for line in lines)
    if rest:
        yield rest


def matched(lines: Iterable[str], route: Route, part: str, rows: int) -> Iterator[list[str]]:
    """The predicted values of each of the part's rows, in the part's order.

    Raises StageFailed where anything is missing, double, too many, out of order or of another part, naming
    the row by its number in the file (the first data row is 1), never by a value.
    """
    read = {"order": in_order, "file": by_file, "row": by_row}[route.match]
    found = 0
    try:
        for values in read(lines, route, part):
            found += 1
            if found > rows:
                break
            yield values
    except UnicodeDecodeError:
        raise StageFailed(
            f"The raw predictions are not UTF-8 after row {found}. Nothing was published."
        ) from None
    except csv.Error:
        raise StageFailed(
            f"Row {found + 1} of the raw predictions cannot be read: a quote that is never closed, or a value "
            f"longer than {csv.field_size_limit()} characters. Nothing was published."
        ) from None
    if found != rows:
        more = "more than" if found > rows else f"{found} of"
        raise StageFailed(
            f"The job returned {more} {rows} rows. Nothing was published: the model must return one "
            "prediction for every row of the file."
        )


def in_order(lines: Iterable[str], route: Route, _part: str) -> Iterator[list[str]]:
    width = len(route.predictions)
    if width == 1:
        yield from ([only_value(line, row)] for row, line in enumerate(lines, start=1))
        return
    for row, cells in enumerate(csv.reader(lines, delimiter=" "), start=1):
        yield checked_width(cells, width, row, route)


def by_file(lines: Iterable[str], route: Route, part: str) -> Iterator[list[str]]:
    width = len(route.predictions) + 1
    for row, cells in enumerate(csv.reader(lines, delimiter=" "), start=1):
        *values, file = checked_width(cells, width, row, route)
        check_file(file, part, row)
        yield values


def by_row(lines: Iterable[str], route: Route, part: str) -> Iterator[list[str]]:
    width = len(route.predictions) + 2
    for row, cells in enumerate(csv.reader(lines), start=1):
        number, *values, file = checked_width(cells, width, row, route)
        check_file(file, part, row)
        if number != str(row - 1):
            raise StageFailed(
                f"Row {row} of the raw predictions belongs to another row of the file: rows are missing, "
                "double or out of order. Nothing was published."
            )
        yield values


def checked_width(cells: list[str], width: int, row: int, route: Route) -> list[str]:
    if len(cells) != width:
        raise StageFailed(
            f'Row {row} of the raw predictions has {len(cells)} fields, match = "{route.match}" with '
            f"{len(route.predictions)} predicted columns needs {width}. Correct `match` or `predictions` "
            f"of the route."
        )
    return cells


def check_file(file: str, part: str, row: int) -> None:
    if file.rsplit("/", 1)[-1] != part:
        raise StageFailed(f"Row {row} of the raw predictions belongs to another file. Nothing was published.")


def only_value(line: str, row: int) -> str:
    """A line is one value; a frame's value with a space or quote in it comes quoted."""
    text = line.rstrip("\r\n")
    if not text:
        raise StageFailed(f"Row {row} of the raw predictions is empty. Nothing was published.")
    if len(text) > 1 and text[0] == text[-1] == '"':
        cells = next(csv.reader([text], delimiter=" "))
        return cells[0] if len(cells) == 1 else text
    return text

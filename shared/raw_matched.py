"""Predictions one by one, with every row in its place or nothing: `match` of `order`, `file` and `row`."""

import csv
from collections.abc import Iterable, Iterator

from shared.errors import StageFailed
from shared.routes import Route


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

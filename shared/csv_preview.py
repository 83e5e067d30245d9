"""A look at predictions: the first rows, and how the predicted column is distributed. Pure."""

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import islice
from typing import Any

ROWS = 50
READ = 20_000
BINS = 20
CATEGORIES = 12
# Differences of numbers below it are numbers, too.
LARGEST = 1e300


def preview_of(data: bytes, predicted: Sequence[str], *, whole: bool) -> dict[str, Any]:
    """The columns, the first rows and a histogram of the predicted column; `data` may end within a row."""
    text = data.decode("utf-8-sig", "replace")
    if not whole:
        text = text[: text.rfind("\n") + 1]
    rows = list(limited(csv.reader(io.StringIO(text, newline=""))))
    columns, rows = (rows[0], rows[1:]) if rows else ([], [])
    if not whole and len(rows) < READ:
        # The last one may have been cut within a quoted cell.
        rows = rows[:-1]
    at = next((columns.index(name) for name in predicted if name in columns), len(columns) - 1)
    values = [row[at] for row in rows if 0 <= at < len(row)]
    found = histogram(columns[at], values) if values else None
    return {"columns": columns, "rows": rows[:ROWS], "histogram": found}


def limited(rows: Iterator[list[str]]) -> Iterator[list[str]]:
    """The first rows, up to one with a cell that csv finds too long."""
    with suppress(csv.Error):
        yield from islice(rows, READ + 1)


def histogram(column: str, values: list[str]) -> dict[str, Any]:
    """Bins of equal width where all values are numbers, else the most frequent values."""
    numbers = [number for number in map(as_number, values) if number is not None]
    if len(numbers) == len(values):
        return {"column": column, "kind": "number", "bins": bins(numbers), "rows": len(values)}
    common = Counter(values).most_common(CATEGORIES)
    counted = [{"label": value, "count": count} for value, count in common]
    others = len(values) - sum(count for _, count in common)
    more = [{"label": "others", "count": others}] if others else []
    return {"column": column, "kind": "category", "bins": counted + more, "rows": len(values)}


def as_number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if abs(value) < LARGEST else None


def bins(numbers: list[float]) -> list[dict[str, Any]]:
    low, high = min(numbers), max(numbers)
    width = (high / BINS - low / BINS) or 1.0
    counts = Counter(min(int((number - low) / width), BINS - 1) for number in numbers)
    many = BINS if high > low else 1
    return [
        {
            "label": f"{low + width * place:.4g} to {low + width * (place + 1):.4g}"
            if many > 1
            else f"{low:.4g}",
            "from": low + width * place,
            "to": low + width * (place + 1),
            "count": counts[place],
        }
        for place in range(many)
    ]

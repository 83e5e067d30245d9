"""Limits and peers that need nothing but Python: copies, and the csv module."""

import csv
import io
import math
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from benchmarks.rows.data import CATEGORIES, COLUMNS, HIGHEST_K, SEND, Data
from benchmarks.rows.files import Parts, chunks

AT_ONCE = 5_000


def copy(data: Data, out: Path) -> None:
    with (out / "copy.csv").open("wb") as file:
        for chunk in chunks(data.input):
            file.write(chunk)


def copy_both(data: Data, out: Path) -> None:
    """Reads ids and predictions and writes as many bytes."""
    with (out / "copy.csv").open("wb") as file:
        for path in (data.ids, data.raw("batches")):
            for chunk in chunks(path):
                file.write(chunk)


def header_is_right(data: Data) -> bool:
    with data.input.open("rb") as file:
        return file.readline() == ",".join(COLUMNS).encode() + b"\n"


def validate(data: Data, out: Path) -> dict[str, int]:
    with data.input.open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file, strict=True)
        if next(reader) != list(COLUMNS):
            raise ValueError("another header")
        rows = bad = 0
        for cells in reader:
            rows += 1
            bad += not is_good(cells)
    return {"rows": rows, "bad": bad}


def is_good(cells: list[str]) -> bool:
    """Whether a row of the data is as it should be. Raises ValueError where it has another width."""
    number, _, *floats, k, category, _ = cells
    if len(cells) != len(COLUMNS):
        raise ValueError("another number of cells")
    try:
        int(number)
        finite = all(math.isfinite(float(cell)) for cell in floats)
        return finite and 0 <= int(k) <= HIGHEST_K and category in CATEGORIES
    except ValueError:
        return False


def cut(data: Data, out: Path, columns: str) -> None:
    """`columns`: "all", or "some": those that are sent, and the id beside them."""
    names = COLUMNS if columns == "all" else SEND
    sent = [COLUMNS.index(name) for name in names]
    parts = Parts(out, ",".join(names).encode() + b"\n", carries=columns == "some")
    with data.input.open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file, strict=True)
        next(reader)
        while rows := list(islice(reader, AT_ONCE)):
            ids = written(([row[0]] for row in rows), ",") if columns == "some" else b""
            parts.add(
                written(rows if columns == "all" else ([row[at] for at in sent] for row in rows), ","), ids
            )
    parts.close()


def written(rows: Iterable[list[str]], delimiter: str) -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def match(data: Data, out: Path, form: str) -> None:
    """Predictions by id, from a dict."""
    with data.raw(form).open(encoding="utf-8", newline="") as file:
        scores = dict(csv.reader(file, delimiter=" "))
    with (out / "predictions.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["id", "prediction"])
        writer.writerows((number, scores[number]) for number in ids_of(data))


def ids_of(data: Data) -> Iterator[str]:
    with data.ids.open(encoding="utf-8", newline="") as file:
        for [number] in csv.reader(file):
            yield number

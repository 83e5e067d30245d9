"""Doubles the column x, and says for each row which id it belongs to, in no order."""

import csv
import random
from pathlib import Path


def init() -> None:
    """There is no model to load."""


def run(mini_batch: list[str]) -> list[str]:
    """A line for each row: its id, a space, twice x."""
    lines = [f"{quoted(row['id'])} {2 * float(row['x'])}" for file in mini_batch for row in rows(file)]
    random.Random(len(lines)).shuffle(lines)
    return lines


def quoted(cell: str) -> str:
    """The cell as pandas writes it between spaces."""
    return '"' + cell.replace('"', '""') + '"' if set(cell) & set(' "\r\n') or not cell else cell


def rows(file: str) -> list[dict[str, str]]:
    with Path(file).open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))

"""As light a model as there can be: the sum of a row's numbers, a space, the file's name."""

import csv
from pathlib import Path


def init() -> None:
    """There is no model to load."""


def run(mini_batch: list[str]) -> list[str]:
    """A line for each row of each file."""
    return [line for file in mini_batch for line in scored(file)]


def scored(file: str) -> list[str]:
    name = Path(file).name
    with Path(file).open(newline="", encoding="utf-8") as stream:
        rows = csv.reader(stream)
        next(rows)
        return [f"{sum(map(float, cells)):.6f} {name}" for cells in rows]

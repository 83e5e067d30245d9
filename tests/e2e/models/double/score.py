"""Doubles the column x: nothing but predictions, in order."""

import csv
from pathlib import Path


def init() -> None:
    """There is no model to load."""


def run(mini_batch: list[str]) -> list[str]:
    """Twice every x."""
    return [str(2 * float(row["x"])) for file in mini_batch for row in rows(file)]


def rows(file: str) -> list[dict[str, str]]:
    with Path(file).open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))

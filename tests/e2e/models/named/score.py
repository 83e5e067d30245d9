"""Doubles the column x, and says for each row which file it came from. Cannot bear a row of -666."""

import csv
from pathlib import Path


def init() -> None:
    """There is no model to load."""


def run(mini_batch: list[str]) -> list[str]:
    """A line for each row: twice x, a space, the file's name."""
    return [f"{doubled(row['x'])} {Path(file).name}" for file in mini_batch for row in rows(file)]


def rows(file: str) -> list[dict[str, str]]:
    with Path(file).open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def doubled(x: str) -> float:
    if float(x) == -666:
        raise ArithmeticError("-666 cannot be doubled")
    return 2 * float(x)

"""Doubles the column x in the form MLflow models have, and gives the first row of every ten twice."""

import csv
from pathlib import Path


def init() -> None:
    """There is no model to load."""


def run(mini_batch: list[str]) -> list[str]:
    """A line `row,prediction,file` for each row, the doubles after all others."""
    lines = [
        (number, f"{number},{2 * float(row['x'])},{Path(file).name}")
        for file in mini_batch
        for number, row in enumerate(rows(file))
    ]
    return [line for _, line in lines] + [line for number, line in lines if number % 10 == 0]


def rows(file: str) -> list[dict[str, str]]:
    with Path(file).open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))

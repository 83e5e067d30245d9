"""Doubles the column x, as soon as a file `open` lies beside this script; says which file each row came from."""

import csv
import time
from pathlib import Path

GATE = Path(__file__).with_name("open")


def init() -> None:
    """There is no model to load."""


def run(mini_batch: list[str]) -> list[str]:
    """A line for each row: twice x, a space, the file's name."""
    while not GATE.exists():
        time.sleep(0.2)
    return [f"{2 * float(row['x'])} {Path(file).name}" for file in mini_batch for row in rows(file)]


def rows(file: str) -> list[dict[str, str]]:
    with Path(file).open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))

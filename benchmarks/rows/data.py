"""The data that is measured with, made by seed: a CSV, its ids, and raw predictions in every form.

`python -m benchmarks.rows.data FOLDER ROWS` writes them. Row `i` of the CSV has about 100 bytes in 10 columns; one in
fifty ends with a note that holds a line break and doubled quotes. Ids differ and come in no order.
"""

import random
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

SEED = 20240301
COLUMNS = ("id", "ts", "age", "bmi", "pressure", "glucose", "dose", "k", "cat", "note")
FLOATS = ("age", "bmi", "pressure", "glucose", "dose")
SEND, CARRY = (*FLOATS, "k"), ("id",)
HIGHEST_K = 999
CATEGORIES = ("red", "green", "blue", "amber", "violet")
NOTES = ("plain", "came again", "no remarks")
ODD_NOTE = '"said ""hi""\nand went on"'
ODD_SHARE = 0.02
LINE = "%d,2024-03-%02dT%02d:%02d:%02d,%.6f,%.6f,%.6f,%.6f,%.6f,%d,%s,%s\n"
ROWS_A_PART = 250_000
PARTS_AT_LEAST = 10
BATCH = 10_000
# What a run with a key may hold.
KEYS_AT_MOST = 10_000_000


@dataclass(frozen=True)
class Data:
    """Where the files lie, and how many rows they have."""

    folder: Path
    rows: int

    @property
    def input(self) -> Path:
        return self.folder / "input.csv"

    @property
    def ids(self) -> Path:
        """The ids in the order of the input, one a line, without a header."""
        return self.folder / "ids.csv"

    @property
    def parts(self) -> dict[str, range]:
        """The rows of every part that the predictions are for."""
        size = min(ROWS_A_PART, -(-self.rows // PARTS_AT_LEAST))
        firsts = range(0, self.rows, size)
        return {
            f"part-{number:05d}.csv": range(first, min(first + size, self.rows))
            for number, first in enumerate(firsts, start=1)
        }

    def carried(self, part: str) -> Path:
        """The ids of a part, as `ids` has them."""
        return self.folder / "carried" / part

    def raw(self, form: str) -> Path:
        """Raw predictions. The parts of `file`, `row` and `batches` come in one and the same other order.

        file: `score part`; row: `row,score,part`; batches: `id score`; shuffled: the same, no two rows in order.
        """
        return self.folder / f"{form}.raw"


def id_of(row: int) -> int:
    """Ids differ, since the second number is prime and above every row."""
    return row * 7_368_787 % 1_000_000_007


def score_of(row: int) -> bytes:
    return b"0.%06d" % (row * 2_654_435_761 % 999_983)


def line_of(row: int, chance: Callable[[], float]) -> str:
    second = row % 86_400
    return LINE % (
        *(id_of(row), row // 86_400 % 28 + 1, second // 3600, second // 60 % 60, second % 60),
        *(18 + 70 * chance(), 15 + 30 * chance(), 200 * chance() - 100, chance(), 1000 * chance()),
        *(int((HIGHEST_K + 1) * chance()), CATEGORIES[int(len(CATEGORIES) * chance())]),
        ODD_NOTE if chance() < ODD_SHARE else NOTES[int(len(NOTES) * chance())],
    )


def batches_of(rows: range) -> Iterator[range]:
    return (rows[at : at + BATCH] for at in range(0, len(rows), BATCH))


def write_input(data: Data) -> None:
    chance = random.Random(SEED).random
    with data.input.open("w", encoding="utf-8", newline="") as file:
        file.write(",".join(COLUMNS) + "\n")
        for batch in batches_of(range(data.rows)):
            file.write("".join(line_of(row, chance) for row in batch))


def write_ids(data: Data) -> None:
    """All ids, and those of each part."""
    data.carried("").mkdir()
    with data.ids.open("wb") as every:
        for part, rows in data.parts.items():
            with data.carried(part).open("wb") as own:
                for batch in batches_of(rows):
                    lines = b"".join(b"%d\n" % id_of(row) for row in batch)
                    own.write(lines)
                    every.write(lines)


def write_batches(data: Data) -> None:
    """Raw predictions of which the rows of a part stand together, in their order."""
    parts = list(data.parts.items())
    random.Random(SEED).shuffle(parts)
    with ExitStack() as files:
        by_file, by_row, by_id = (
            files.enter_context(data.raw(form).open("wb")) for form in ("file", "row", "batches")
        )
        for part, rows in parts:
            name, first = part.encode(), rows.start
            for batch in batches_of(rows):
                scored = [(row, score_of(row)) for row in batch]
                by_file.write(b"".join(b"%b %b\n" % (score, name) for _, score in scored))
                by_row.write(b"".join(b"%d,%b,%b\n" % (row - first, score, name) for row, score in scored))
                by_id.write(b"".join(b"%d %b\n" % (id_of(row), score) for row, score in scored))


def write_shuffled(data: Data) -> None:
    import numpy as np

    order = np.random.default_rng(SEED).permutation(data.rows)
    with data.raw("shuffled").open("wb") as file:
        for at in range(0, data.rows, BATCH):
            rows = order[at : at + BATCH].tolist()
            file.write(b"".join(b"%d %b\n" % (id_of(row), score_of(row)) for row in rows))


def write(data: Data) -> None:
    """Everything; for more rows than a run with a key may hold, nothing that is matched by key."""
    write_input(data)
    write_ids(data)
    write_batches(data)
    if data.rows <= KEYS_AT_MOST:
        write_shuffled(data)


if __name__ == "__main__":
    write(Data(Path(sys.argv[1]), int(sys.argv[2])))

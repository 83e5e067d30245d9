"""One huge file through the whole stack: every row has its own prediction, the model's."""

import io
import os
from collections.abc import Iterable, Iterator
from itertools import count, islice

import joblib
import pytest

from models.diabetes.train import FEATURES, FOLDER, held_out
from tests.e2e.drops import Drops

GIGABYTE = 1_000_000_000


def patients() -> Iterator[tuple[str, str, float]]:
    """Patient after patient, the held-out ones over and over: who, the row of the file, what the model says."""
    rows = held_out()
    cells = rows[list(FEATURES)].astype(str).agg(",".join, axis=1).tolist()
    predicted = joblib.load(FOLDER / "model" / "diabetes.joblib").predict(rows[list(FEATURES)])
    pairs = list(zip(cells, predicted, strict=True))
    for number in count():
        measured, progression = pairs[number % len(pairs)]
        patient = f"P{number:08d}"
        yield patient, f"{patient},{measured}\n", progression


class File(io.RawIOBase):
    """A file of at least so many bytes, made while it is read."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.rows = self.made = 0
        self.patients = patients()
        self.rest = f"patient,{','.join(FEATURES)}\n".encode()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while len(self.rest) < len(buffer) and self.made < self.size:
            some = [row for _, row, _ in islice(self.patients, 20_000)]
            self.rows += len(some)
            self.rest += "".join(some).encode()
            self.made += sum(map(len, some))
        found = self.rest[: len(buffer)]
        self.rest = self.rest[len(found) :]
        buffer[: len(found)] = found
        return len(found)


def check_huge(drops: Drops, size: int, seconds: float) -> None:
    file = File(size)
    drops.stack.container("inbox").upload_blob("huge/patients.csv", file, overwrite=True)
    run, word = drops.closed(drops.version("huge/patients.csv"), seconds)
    assert (run.outcome, word.word, word.rows) == ("succeeded", "published", file.rows)
    lines = lines_of(drops.stack.container("predictions").download_blob("huge/patients.csv").chunks())
    assert next(lines) == "patient,progression"
    for found, (patient, _, progression) in zip(lines, islice(patients(), file.rows), strict=True):
        who, value = found.split(",")
        # A model that is given other rows beside these may differ in the last digit.
        assert who == patient
        assert abs(float(value) - progression) <= 1e-9


def lines_of(chunks: Iterable[bytes]) -> Iterator[str]:
    rest = b""
    for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        yield from (line.decode() for line in lines)
    assert rest == b""


@pytest.mark.full
def test_a_large_file(drops: Drops) -> None:
    check_huge(drops, int(os.environ.get("HUGE_TEST_BYTES", 20_000_000)), seconds=150)


@pytest.mark.full
@pytest.mark.timeout(3600)
def test_a_file_of_a_gigabyte(drops: Drops) -> None:
    check_huge(drops, GIGABYTE, seconds=3000)

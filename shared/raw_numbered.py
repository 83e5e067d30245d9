"""Predictions that come with the number of their row, in any order, some of them twice."""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from shared.errors import StageFailed
from shared.raw_blocks import UNUSABLE
from shared.raw_cells import SEPARATOR, bounds
from shared.raw_rows import Rows

BATCH = 50_000


@dataclass
class Tally:
    """What was found out while one part's predictions were read; complete when they have all been given.

    `doubled`: equal predictions of a row that had one, dropped. `missing`: rows without one. `differing`: the rows
    (0 is the part's first) with predictions that differ, of which none is given.
    """

    read: int = 0
    doubled: int = 0
    missing: int = 0
    differing: "array[int]" = field(default_factory=lambda: array("q"))


class Numbered:
    """The rows of one part, kept as they come: some 20 bytes a row, 40 more while disorder is put in order."""

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self.runs: list[tuple[range | array[int], bytes]] = []

    def add(self, found: Rows, first: int) -> None:
        """Rows that came together, the first as number `first` of the raw predictions.

        Raises StageFailed where one is numbered beyond the part.
        """
        if max(found.numbers) >= self.rows:
            row = first + next(at for at, number in enumerate(found.numbers) if number >= self.rows)
            raise StageFailed(
                f"Row {row} of the raw predictions is numbered beyond the {self.rows} rows of its part. {UNUSABLE}"
            )
        self.runs.append((found.numbers, SEPARATOR.join(found.values)))

    def in_order(self, tally: Tally) -> Iterator[list[bytes | None]]:
        """The prediction of every row, or None. Raises StageFailed where there is none at all."""
        if not self.runs:
            raise StageFailed(f"The job returned no row of this part. {UNUSABLE}")
        self.runs.sort(key=lambda run: run[0][0])
        if self.follow_each_other():
            for _, text in self.runs:
                yield from batches(text.split(SEPARATOR))
        else:
            yield from self.put_in_order(tally)

    def follow_each_other(self) -> bool:
        """Whether every row came once, in stretches."""
        ranges = [numbers for numbers, _ in self.runs if isinstance(numbers, range)]
        return (
            len(ranges) == len(self.runs)
            and (ranges[0].start, ranges[-1].stop) == (0, self.rows)
            and all(one.stop == other.start for one, other in pairwise(ranges))
        )

    def put_in_order(self, tally: Tally) -> Iterator[list[bytes | None]]:
        import numpy as np

        numbers = np.concatenate([np.asarray(numbers) for numbers, _ in self.runs])
        text = SEPARATOR.join([*(text for _, text in self.runs), b""])
        self.runs.clear()
        starts, ends = bounds(text)
        order = np.argsort(numbers, kind="stable")
        ranked = numbers[order]
        again = np.append(False, ranked[1:] == ranked[:-1])
        for at in np.flatnonzero(again).tolist():
            one, other = (text[starts[row] : ends[row]] for row in order[at - 1 : at + 1])
            note(tally, int(ranked[at]), one == other)
        order, ranked = order[~again], ranked[~again]
        tally.missing = self.rows - len(ranked)
        known = ~np.isin(ranked, np.asarray(tally.differing))
        order, ranked = order[known], ranked[known]
        for begin in range(0, self.rows, BATCH):
            batch: list[bytes | None] = [None] * min(BATCH, self.rows - begin)
            few = slice(*np.searchsorted(ranked, [begin, begin + BATCH]))
            for row, start, end in zip(
                (ranked[few] - begin).tolist(),
                starts[order[few]].tolist(),
                ends[order[few]].tolist(),
                strict=True,
            ):
                batch[row] = text[start:end]
            yield batch


def note(tally: Tally, row: int, equal: bool) -> None:
    """A row that had a prediction has come again; rows come in ascending order."""
    if equal:
        tally.doubled += 1
    elif not tally.differing or tally.differing[-1] != row:
        tally.differing.append(row)


def batches(values: list[bytes]) -> Iterator[list[bytes | None]]:
    for at in range(0, len(values), BATCH):
        yield [*values[at : at + BATCH]]

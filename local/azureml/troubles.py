"""Faults that befall jobs and their outputs: how a job looks, how it ends, what becomes of its rows."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from random import Random

from local.faults.plan import Fault

from .jobs import Job


@dataclass
class Troubles:
    """What the planes show of jobs that is not true, by job name."""

    reported: dict[str, str] = field(default_factory=dict)
    _faults: dict[str, tuple[Fault, float]] = field(default_factory=dict)

    def begin(self, job: Job, fault: Fault) -> None:
        """From here on, a fault befalls the job."""
        self._faults[job.name] = (fault, time.monotonic())

    def status(self, job: Job) -> str:
        """The status to show: the reported one, that of its fault at this time, or the true one."""
        fault, since = self._faults.get(job.name, (None, 0.0))
        if fault and fault.do == "show":
            passed = time.monotonic() - since
            ends = accumulate(seconds for _, seconds in fault.shows)
            shown = (status for (status, _), end in zip(fault.shows, ends, strict=True) if passed < end)
            return self.reported.get(job.name) or next(shown, job.status)
        return self.reported.get(job.name, job.status)

    def listed(self, job: Job) -> bool:
        """Whether lists show the job already."""
        fault, since = self._faults.get(job.name, (None, 0.0))
        return not (fault and fault.do == "hide" and time.monotonic() - since < fault.seconds)


def spoil(path: Path, fault: Fault, job: Job) -> None:
    """Does to the rows of a job's output what the fault says, the same for the same job."""
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(SPOILT[fault.do](lines, Random(job.name))))


def truncated(lines: list[bytes], random: Random) -> list[bytes]:
    """Ends within a row."""
    text = b"".join(lines)
    return [text[: random.randrange(1, max(2, len(text) - 1))].rstrip(b"\n")]


def without_one(lines: list[bytes], random: Random) -> list[bytes]:
    gone = random.randrange(len(lines))
    return [line for number, line in enumerate(lines) if number != gone]


def one_twice(lines: list[bytes], random: Random) -> list[bytes]:
    twice = random.randrange(len(lines))
    return [*lines[: twice + 1], *lines[twice:]]


def one_more(lines: list[bytes], _: Random) -> list[bytes]:
    """A row of no part."""
    return [*lines, b"0.0 nobodys.csv\n"]


def two_swapped(lines: list[bytes], random: Random) -> list[bytes]:
    if len(lines) < 2:
        return lines
    one, other = random.sample(range(len(lines)), 2)
    swapped = dict(enumerate(lines)) | {one: lines[other], other: lines[one]}
    return [swapped[number] for number in range(len(lines))]


def shuffled(lines: list[bytes], random: Random) -> list[bytes]:
    return random.sample(lines, len(lines))


SPOILT: dict[str, Callable[[list[bytes], Random], list[bytes]]] = {
    "truncate": truncated,
    "drop-row": without_one,
    "double-row": one_twice,
    "add-row": one_more,
    "swap-rows": two_swapped,
    "shuffle": shuffled,
}

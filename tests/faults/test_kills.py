"""A process is killed before and after every function's work, and before and after its result is written down."""

import logging
import os
import signal
import time
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path

import pytest

from local.host.fail_points import FILE, POINT, Moment
from local.stack import Stack
from tests.e2e.drops import MODELS, SETTINGS, Drops, routes, until
from tests.faults.audit import Books

log = logging.getLogger(__name__)

KILLS = 200
DURABLE = (Moment.BEGUN, Moment.ENDED, Moment.KNOWN, Moment.WRITTEN)
# Not give_up_job, which comes ten minutes after a job was canceled; the simulation kills there.
FUNCTIONS = (
    *("authenticate", "gather", "pack", "submit_job", "find_job", "read_job", "stop_job", "unpack"),
    *("write_results", "dispose_inputs", "close_run", "score_run", "await_job"),
    *("sweep", "begin_sweep", "find_missed_files", "start_waiting", "end_sweep"),
)
POINTS = [
    *(f"{function}:{moment}" for function in FUNCTIONS for moment in DURABLE),
    *(f"{trigger}:{moment}" for trigger in ("blob_dropped", "sweep_timer") for moment in DURABLE[:2]),
]
QUICK = ("submit_job:ended", "unpack:ended", "close_run:known")


class Mortal:
    """A stack whose host is killed wherever a test wants it, and what was given to it."""

    def __init__(self, stack: Stack, folder: Path) -> None:
        self.stack, self.folder = stack, folder
        self.books = Books(Drops(stack))
        self.kills = 0

    def killed_at(self, point: str) -> None:
        """Starts the host, gives it files, and kills it where it stops by itself. What was killed may be a worker."""
        self.kills += 1
        marker = self.folder / f"{self.kills:03d}"
        self.restarted(point, marker)
        if point.startswith("find_job:"):
            self.books.drops.control("faults", {"do": "reset", "on": "POST /endpoints/", "after": True})
        if point.startswith("stop_job:"):
            self.books.drop(f"endless/{self.kills}.csv", 1)
        self.books.drop(f"double/{self.kills}.csv")
        self.books.drop(f"named/{self.kills % 7}.csv")
        until(lambda: marker.exists() and marker.read_text().endswith("\n"), f"{point} (kill {self.kills})")
        pid = int(marker.read_text())
        os.kill(pid, signal.SIGKILL)
        if pid == self.stack.children["host"].process.pid:
            self.stack.children["host"].process.wait()

    def restarted(self, point: str, marker: Path) -> None:
        """The host comes back, and will stop once at the point; "" where at none."""
        self.stack.settings[POINT], self.stack.settings[FILE] = point, str(marker)
        self.stack.children["host"].stop()
        self.stack.start_host()


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[Mortal]:
    with Stack(tmp_path / "stack", [MODELS], routes(), dict(SETTINGS)) as stack:
        yield Mortal(stack, tmp_path)


def check(mortal: Mortal, points: list[str]) -> None:
    for point in points:
        mortal.killed_at(point)
    begun = time.monotonic()
    mortal.restarted("", mortal.folder / "none")
    mortal.books.settle(300)
    took = time.monotonic() - begun
    log.info("%d kills; at rest %.1f s after the last restart began", mortal.kills, took)
    assert mortal.books.problems() == []


@pytest.mark.full
@pytest.mark.timeout(300)
def test_a_few_kills_lose_nothing_and_double_nothing(mortal: Mortal) -> None:
    check(mortal, list(QUICK))


@pytest.mark.full
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("workers", [1, 2])
def test_two_hundred_kills_over_every_boundary_lose_nothing_and_double_nothing(
    mortal: Mortal, workers: int
) -> None:
    mortal.stack.settings["FUNCTIONS_WORKER_PROCESS_COUNT"] = str(workers)
    check(mortal, list(islice(cycle(POINTS), KILLS // 2)))

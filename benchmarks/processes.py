"""What a process uses, as the kernel tells (proc(5)): seconds of processor time, and memory."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
MIB = 1024


def high_water(process: str) -> int:
    """The most resident memory that the program of a process has had, in KiB; 0 where it has ended."""
    try:
        found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{process}/status").read_text("ascii"))
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return int(found[1]) if found else 0


def forget_high_water(process: int) -> None:
    """From here on, the most is counted anew."""
    Path(f"/proc/{process}/clear_refs").write_text("5", "ascii")


def cpu_seconds(process: int) -> float:
    """User and system time of all its threads, from its beginning."""
    fields = Path(f"/proc/{process}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


@dataclass(frozen=True)
class Used:
    """Processor seconds since `Meter` was made, and the most MiB since then."""

    cpu: float
    peak: float


class Meter:
    """What a running process uses from here on."""

    def __init__(self, process: int) -> None:
        self.process = process
        self.before = cpu_seconds(process)
        forget_high_water(process)

    def read(self) -> Used:
        return Used(
            cpu=round(cpu_seconds(self.process) - self.before, 3),
            peak=round(high_water(str(self.process)) / MIB, 1),
        )


def family_high_water(process: int) -> int:
    """KiB: the most of a process, and of each of its descendants that is there now, added up."""
    parents = dict(map(parentage, numbered_folders()))
    family = {process}
    while more := {child for child, parent in parents.items() if parent in family} - family:
        family |= more
    return sum(high_water(str(one)) for one in family)


def numbered_folders() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal()]


def parentage(process: int) -> tuple[int, int]:
    """A process and its parent; 0 where it has ended."""
    try:
        stat = Path(f"/proc/{process}/stat").read_text("ascii", "replace")
    except (FileNotFoundError, ProcessLookupError):
        return process, 0
    return process, int(stat.rpartition(")")[2].split()[1])


def resident(process: int) -> int:
    """KiB that a process holds now."""
    pages = int(Path(f"/proc/{process}/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 1024

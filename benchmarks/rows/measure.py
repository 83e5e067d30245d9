"""Measures subjects, each in a fresh process, in turn."""

import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.environment import ROOT
from benchmarks.processes import MIB, high_water
from benchmarks.rows.data import Data
from benchmarks.rows.files import chunks, digest
from benchmarks.rows.subjects import Subject

LOOKS_EVERY = 0.01


@dataclass
class Figure:
    """What one subject took, a number for each round: seconds, seconds of all its threads, and peak MiB resident.

    `answer` is what it found out, or the hash of what it wrote; `same`: whether those who answer the same thing agree
    in every round, None where there is nobody to agree with.
    """

    subject: str
    role: str
    answers: str
    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    peak: list[float] = field(default_factory=list)
    answer: list[Any] = field(default_factory=list)
    same: bool | None = None

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def measure(data: Data, subjects: Sequence[Subject], rounds: int) -> list[Figure]:
    """All subjects once, then all again. Stops the program where one fails."""
    figures = [Figure(subject.name, subject.role, subject.answers) for subject in subjects]
    warm(data)
    for _ in range(rounds):
        for subject, figure in zip(subjects, figures, strict=True):
            run(subject, data, figure)
            print(f"  {subject.name}: {figure.wall[-1]:.2f} s", flush=True)
    compare(figures)
    return figures


def warm(data: Data) -> None:
    """Reads all files once, so that they are in memory."""
    for path in data.folder.rglob("*"):
        if path.is_file():
            for _ in chunks(path):
                pass


def run(subject: Subject, data: Data, figure: Figure) -> None:
    """One process, and what it took."""
    out = data.folder / "out"
    out.mkdir()
    try:
        peak, shown = timed(subject.command(data, out), figure)
        told: dict[str, Any] = json.loads(shown) if subject.is_function else {"answer": None, "peak": 0}
        figure.peak.append(max(peak, told["peak"]) / MIB)
        writes = subject.answers and told["answer"] is None
        figure.answer.append(digest(out) if writes else told["answer"])
    finally:
        shutil.rmtree(out)


def timed(command: list[str], figure: Figure) -> tuple[int, bytes]:
    """The most memory that was seen of a process, in KiB, and what it printed.

    The peak that the kernel reports at the end cannot be used: it counts what the parent had before the program began.
    """
    with tempfile.TemporaryFile() as shown, ThreadPoolExecutor(1) as pool:
        begun = time.perf_counter()
        child = subprocess.Popen(command, stdout=shown, cwd=ROOT)
        ending = pool.submit(ended, child.pid)
        peak = high_water(str(child.pid))
        while wait([ending], LOOKS_EVERY).not_done:
            peak = max(peak, high_water(str(child.pid)))
        at, status, usage = ending.result()
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            raise SystemExit(f"`{' '.join(command)}` failed with {child.returncode}; see above.")
        figure.wall.append(at - begun)
        figure.cpu.append(usage.ru_utime + usage.ru_stime)
        shown.seek(0)
        return peak, shown.read()


def ended(process: int) -> tuple[float, int, Any]:
    """When a process has ended, how, and what it and its children used."""
    _, status, usage = os.wait4(process, 0)
    return time.perf_counter(), status, usage


def compare(figures: Iterable[Figure]) -> None:
    """Says of each figure whether it agrees with the others that answer the same."""
    of_word: dict[str, list[Figure]] = {}
    for figure in figures:
        if figure.answers:
            of_word.setdefault(figure.answers, []).append(figure)
    for alike in of_word.values():
        first = alike[0].answer[0]
        for figure in alike:
            figure.same = all(answer == first for answer in figure.answer) if len(alike) > 1 else None


def generate(python: str, folder: Path, rows: int) -> Data:
    """The data, made by another process: what this one has in memory, its children would start with."""
    data = Data(folder, rows)
    print(f"· generating {rows:,} rows", flush=True)
    subprocess.run([python, "-m", "benchmarks.rows.data", str(folder), str(rows)], check=True, cwd=ROOT)
    return data

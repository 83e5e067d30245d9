"""Rows per second: validating, cutting and matching beside others that do the same.

    .venv/bin/python -m benchmarks.rows                              everything: 10 million rows, 1 GB
    .venv/bin/python -m benchmarks.rows --rows 1000000 --only cut    less
    .venv/bin/python -m benchmarks.rows --only flat --huge           5 GB, too

Limit, peers and ours run in turn, each in a fresh process. The peers are installed into `.local/benchmarks` on first
use. Results go to `benchmarks/results/rows.json` and `docs/benchmarks.md`, where steps that were not run stay as they
are. Data is made below the temporary folder (about three times its size) and deleted.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.environment import ROWS
from benchmarks.pages.rows import TITLES, section
from benchmarks.report import write
from benchmarks.results import FULL, Place
from benchmarks.rows import measure
from benchmarks.rows.data import KEYS_AT_MOST, Data
from benchmarks.rows.subjects import FLAT, FLAT_KEYED, STEPS
from benchmarks.setting import machine, quiet_enough

CHOICES = {"validate": ["validate"], "cut": ["cut"], "match": ["match", "shuffled"], "flat": []}
SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
HUGE = 50_000_000


def options_of(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rows", description=__doc__.split("\n")[0])
    parser.add_argument("--rows", type=int, default=10_000_000, help="of 100 bytes each; flat: the most")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", type=chosen, default=list(CHOICES), help=", ".join(CHOICES))
    parser.add_argument("--huge", action="store_true", help="flat goes up to 5 GB")
    parser.add_argument("--anyway", action="store_true", help="although the machine is busy")
    options = parser.parse_args(arguments)
    if options.rows < 1 or options.rounds < 1:
        parser.error("--rows and --rounds must be at least 1")
    return options


def chosen(text: str) -> list[str]:
    names = text.split(",")
    if unknown := set(names) - set(CHOICES):
        raise argparse.ArgumentTypeError(f"{min(unknown)} is none of {', '.join(CHOICES)}")
    return names


def side_by_side(names: Sequence[str], rows: int, rounds: int, folder: Path) -> Iterator[tuple[str, Any]]:
    """Steps with their peers, over the same data."""
    with_peers = {name for name in names if any(subject.needs_peers for subject in STEPS[name])}
    if with_peers:
        ROWS.set_up()
    data = generated(folder, rows)
    for name in names:
        if name == "shuffled" and rows > KEYS_AT_MOST:
            continue
        print(f"· {TITLES[name]}", flush=True)
        figures = [figure.to_dict() for figure in measure.measure(data, STEPS[name], rounds)]
        peers = ROWS.versions() if name in with_peers else {}
        size = data.input.stat().st_size
        yield name, {"rows": rows, "bytes": size, "peers": peers, "figures": figures}


def flat(most: int, huge: bool, rounds: int, folder: Path) -> Iterator[tuple[str, Any]]:
    """Ours at every size up to `most` rows; a key only where a run may hold so many."""
    found = []
    for rows in [*(size for size in SIZES if size <= most), *([HUGE] if huge else [])]:
        with tempfile.TemporaryDirectory(dir=folder) as own:
            data = generated(Path(own), rows)
            subjects = [*FLAT, *([FLAT_KEYED] if rows <= KEYS_AT_MOST else [])]
            size = {"rows": rows, "bytes": data.input.stat().st_size}
            found += [size | figure.to_dict() for figure in measure.measure(data, subjects, rounds)]
    if found:
        yield "flat", {"peers": {}, "figures": found}


def generated(folder: Path, rows: int) -> Data:
    return measure.generate(sys.executable, folder, rows)


def measured(names: Sequence[str], rows: int, rounds: int, huge: bool) -> dict[str, Any]:
    """What was found of each step; `names` as they can be chosen."""
    steps = [step for name in names for step in CHOICES[name]]
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="benchmark-rows-") as folder:
        if steps:
            with tempfile.TemporaryDirectory(dir=folder) as own:
                found.update(side_by_side(steps, rows, rounds, Path(own)))
        if "flat" in names:
            found.update(flat(rows, huge, rounds, Path(folder)))
    return found


def main(arguments: Sequence[str]) -> None:
    options = options_of(arguments)
    common = {
        "command": " ".join(["python -m benchmarks.rows", *arguments]),
        "rounds": options.rounds,
        "machine": machine(),
        "load": quiet_enough(os.getloadavg()[0], options.anyway),
    }
    found = measured(options.only, options.rows, options.rounds, options.huge)
    keep(FULL, {name: common | step for name, step in found.items()})
    write(FULL)


def keep(place: Place, found: Mapping[str, Any]) -> None:
    """Writes steps over what was kept of them, and shows them."""
    for name, step in found.items():
        print(f"\n{section(name, step)}")
    kept = {**(place.read("rows") or {}), **found}
    place.write("rows", {name: kept[name] for name in TITLES if name in kept})

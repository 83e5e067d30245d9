"""What the local stack costs: its Functions host beside others that do the same, its Azure ML beside the bare model.

    .venv/bin/python -m benchmarks.local                       everything, about ten minutes
    .venv/bin/python -m benchmarks.local --only host --chains 100

Subjects run in turn, each in fresh processes, and then all again. The peers are installed into `.local/benchmarks` on
first use. Results go to `benchmarks/results/local.json` and `docs/benchmarks.md`.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from benchmarks import local_report
from benchmarks.environment import LOCAL, ROOT
from benchmarks.local_report import ENGINE, HOST, Rounds
from benchmarks.setting import machine, quiet_enough

CHAINS = {
    HOST: (sys.executable, "benchmarks.chain_host", "host"),
    "durabletask, in memory": (str(LOCAL.python), "benchmarks.chain_peers", "durabletask"),
    "DBOS, SQLite": (str(LOCAL.python), "benchmarks.chain_peers", "dbos"),
    ENGINE: (sys.executable, "benchmarks.chain_host", "engine"),
}
SCORING = {
    "the model, one process": ("direct", "1"),
    "**the emulator, one process**": ("emulator", "1"),
    "the model, two processes": ("direct", "2"),
    "**the emulator, two processes**": ("emulator", "2"),
}


def options_of(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.local", description=__doc__.split("\n")[0])
    parser.add_argument("--chains", type=int, default=500, help="orchestrations of five activities at once")
    parser.add_argument("--rows", type=int, default=2_000_000, help="that the model predicts")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=("host", "emulator"))
    parser.add_argument("--anyway", action="store_true", help="although the machine is busy")
    options = parser.parse_args(arguments)
    if min(options.chains, options.rows, options.rounds) < 1:
        parser.error("--chains, --rows and --rounds must be at least 1")
    return options


def in_turn(subjects: Mapping[str, Callable[[], list[str]]], rounds: int) -> dict[str, Rounds]:
    """What each subject told, round by round. Stops the program where one fails or is wrong."""
    found: dict[str, Rounds] = {name: [] for name in subjects}
    for _ in range(rounds):
        for name, command in subjects.items():
            told = asked(command())
            if not told["right"]:
                raise SystemExit(f"{name} gave wrong results")
            print(f"  {name}: {', '.join(f'{key} {value:g}' for key, value in told.items())}", flush=True)
            found[name].append(told)
    return found


def asked(command: list[str]) -> dict[str, Any]:
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=False)
    if done.returncode:
        raise SystemExit(f"`{' '.join(command)}` failed with {done.returncode}; see above.")
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def of_host(chains: int, rounds: int) -> dict[str, Any]:
    """The host, its peers and its engine alone."""

    def command(words: tuple[str, str, str]) -> Callable[[], list[str]]:
        python, module, subject = words
        return lambda: [python, "-m", module, subject, str(time.time()), str(chains)]

    LOCAL.set_up()
    subjects = {name: command(words) for name, words in CHAINS.items()}
    return {
        "chains": chains,
        "peers": LOCAL.versions(),
        "figures": in_turn(subjects, rounds),
    }


def of_emulator(rows: int, rounds: int) -> dict[str, Any]:
    """The emulator and the model without it."""

    def command(words: tuple[str, str]) -> Callable[[], list[str]]:
        return lambda: [sys.executable, "-m", "benchmarks.scoring", *words, str(rows)]

    return {"figures": in_turn({name: command(words) for name, words in SCORING.items()}, rounds)}


def main(arguments: Sequence[str]) -> None:
    options = options_of(arguments)
    common = {
        "command": " ".join(["python -m benchmarks.local", *arguments]),
        "rounds": options.rounds,
        "machine": machine(),
        "load": quiet_enough(os.getloadavg()[0], options.anyway),
    }
    found: dict[str, Any] = {}
    if options.only != "emulator":
        found["host"] = common | of_host(options.chains, options.rounds)
    if options.only != "host":
        found["emulator"] = common | of_emulator(options.rows, options.rounds)
    for name, step in found.items():
        print(f"\n{local_report.section(name, step)}")
    local_report.write_docs(local_report.keep(found))


if __name__ == "__main__":
    main(sys.argv[1:])

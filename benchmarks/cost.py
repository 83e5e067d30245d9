"""What files cost: `python -m benchmarks.cost [--files N] [--job-seconds S] [--prices FILE.toml]`. Takes two minutes.

Counts, on the local stack, the calls of the app to blob storage and the executions of its functions: for one sweep, and
for N files that are dropped together. With prices (docs/cost.md has the keys), also what that costs.
What Durable Functions itself does with queues and tables on Azure is not among them: the local host has neither.
"""

import argparse
import tempfile
import time
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

import requests

from local.host.state import reading
from local.stack import ROOT, Stack

SAMPLE = ROOT / "models/diabetes/data/clinic-north.csv"
# Faults that do nothing, for the fault proxy counts what befell them: each request is of the first kind that it meets.
KINDS = {"lists": "comp=list", "writes": "^(PUT|POST) ", "deletes": "^DELETE ", "reads": "^(GET|HEAD) "}
SETTLED = 5.0  # seconds without a new execution
PATIENCE = 900.0  # seconds


class Meter:
    """Counts of a stack since its start."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        faults = [{"do": "slow", "seconds": 0.0, "times": None, "on": on} for on in KINDS.values()]
        requests.post(
            f"{stack.storage_faults_url}/control/faults", json=faults, timeout=10
        ).raise_for_status()

    def read(self) -> Counter[str]:
        shown = requests.get(f"{self.stack.storage_faults_url}/control/faults", timeout=10).json()
        counts = Counter(dict(zip(KINDS, (entry["struck"] for entry in shown), strict=True)))
        return counts + self.executions()

    def executions(self) -> Counter[str]:
        """Activities that were asked for, messages to orchestrations (each wakes one at most), and sweeps."""
        with reading(self.stack.state / "host") as connection:
            counts = Counter(dict(connection.execute("select name, seq from sqlite_sequence")))
            [[sweeps]] = connection.execute("select count(*) from instances where name='sweep'")
        return Counter(activities=counts["activities"], messages=counts["messages"], sweeps=sweeps)


def settled(meter: Meter) -> Counter[str]:
    """The counts, once no function has run for a while."""
    seen, since = meter.executions(), time.monotonic()
    while time.monotonic() - since < SETTLED:
        time.sleep(0.5)
        now = meter.executions()
        if now != seen:
            seen, since = now, time.monotonic()
    return meter.read()


def a_sweep(meter: Meter) -> Counter[str]:
    """What one sweep takes that finds nothing to do."""
    before = settled(meter)
    while meter.executions()["sweeps"] == before["sweeps"]:
        time.sleep(0.5)
    counts = settled(meter) - before
    return Counter({kind: round(count / counts["sweeps"]) for kind, count in counts.items()})


def wait_for_predictions(stack: Stack, files: int) -> None:
    until = time.monotonic() + PATIENCE
    while len(list(stack.container("predictions").list_blobs())) < files:
        if time.monotonic() > until:
            raise TimeoutError(
                f"{files} files were not scored within {PATIENCE:.0f} s; logs are in {stack.state}"
            )
        time.sleep(0.5)


def measure(files: int, job_seconds: float) -> tuple[Counter[str], Counter[str]]:
    """What a sweep takes, and what the files take beside the sweeps that come meanwhile."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Stack(Path(folder), storage_faults=True, settings={"DROPSCORE_STATUS": ""}) as stack,
    ):
        slow = {"do": "show", "shows": [["Running", job_seconds]], "times": None}
        requests.post(f"{stack.azureml_url}/control/faults", json=slow, timeout=10).raise_for_status()
        meter = Meter(stack)
        sweep = a_sweep(meter)
        before = settled(meter)
        for number in range(files):
            stack.container("inbox").upload_blob(f"diabetes/{number}.csv", SAMPLE.read_bytes())
        wait_for_predictions(stack, files)
        scored = settled(meter) - before
    for kind, count in sweep.items():
        scored[kind] -= count * scored["sweeps"] if kind != "sweeps" else 0
    return sweep, scored


def priced(counts: Counter[str], prices: dict[str, Any], jobs: int) -> float:
    calls = {"writes": "write", "lists": "list", "reads": "read"}
    storage = sum(counts[kind] * prices[f"{name}_per_10000"] / 10_000 for kind, name in calls.items())
    ran = counts["activities"] + counts["messages"]
    seconds = ran * prices["seconds_per_execution"]
    functions = (
        ran * prices["execution_per_million"] / 1e6 + seconds * prices["memory_gb"] * prices["gb_second"]
    )
    return float(storage + functions + jobs * prices["job_minutes"] / 60 * prices["node_hour"])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", type=int, default=1, help="dropped together")
    parser.add_argument("--job-seconds", type=float, default=0.0, help="how long a job shows that it runs")
    parser.add_argument("--prices", type=Path, help="TOML, in any currency")
    chosen = parser.parse_args()
    prices = tomllib.loads(chosen.prices.read_text("utf-8")) if chosen.prices else None
    sweep, scored = measure(chosen.files, chosen.job_seconds)
    for name, counts, jobs in (("a sweep", sweep, 0), (f"{chosen.files} files", scored, 1)):
        shown = ", ".join(f"{counts[kind]} {kind}" for kind in (*KINDS, "activities", "messages"))
        cost = f": {priced(counts, prices, jobs):.6f}" if prices else ""
        print(f"{name}: {shown}{cost}", flush=True)


if __name__ == "__main__":
    main()

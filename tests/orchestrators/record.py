"""Records histories of the app's orchestrations on the local stack: `python -m tests.orchestrators.record`.

Run it when `defaultVersion` of host.json has changed, and keep what older versions have left.
"""

import json
import tempfile
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

from local.host.recorded import export_history
from local.stack import ROOT, Stack
from shared.records import Run
from tests.e2e.drops import MODELS, SETTINGS, Drops, numbers, post, routes, until
from tests.e2e.test_group_commit import job_under_way
from tests.shared.scripted_http import Endpoint, Received, Reply

TOLD = """
[routes.told]
pattern     = "told/*.csv"
model       = "$AZUREML/endpoints/double/jobs"
send        = ["x"]
predictions = ["twice"]
notify      = "{url}"
"""
SECRET = {"DROPSCORE_WEBHOOK_SECRET": "whsec_" + "MDAw" * 8}
STATUSES = cycle((503, 200))
HISTORIES = Path(__file__).parent / "histories"


def version() -> str:
    """The version that new instances get."""
    host = json.loads((ROOT / "host.json").read_text())
    return str(host["extensions"]["durableTask"]["defaultVersion"])


def scenes(drops: Drops) -> Iterator[tuple[str, str]]:
    """What the orchestrations can come to, each with a name and the instance that lived it."""
    run, _ = drops.closed(drops.drop("double/one.csv", numbers(3)))
    yield "published", first(run)
    run, _ = drops.closed(drops.drop("double/bad.csv", "no such column\n1\n"))
    yield "rejected", first(run)
    with job_under_way(drops, "named/first.csv"):
        good, bad = drops.drop("named/good.csv", numbers(2)), drops.drop("named/bad.csv", "id,x\nr,-666\n")
        until(lambda: len(drops.ledger.waiting("named")) == 2, "the files waiting")
    run, _ = drops.closed(good)
    yield "second attempt", first(run)
    yield "wait for the second attempt", f"{first(run)}-await-2"
    drops.closed(bad)
    drops.faults({"do": "answer", "status": 429, "headers": {"Retry-After": "1"}})
    run, _ = drops.closed(drops.drop("double/throttled.csv", numbers(1)))
    yield "throttled", first(run)
    drops.faults({"do": "reset", "after": True})
    run, _ = drops.closed(drops.drop("double/lost.csv", numbers(1)))
    yield "answer lost", first(run)
    drops.faults({"do": "answer", "status": 403})
    version = drops.drop("double/held.csv", numbers(1))
    held = until(lambda: run if (run := drops.run_of(version)) and run.held else None, "the hold")
    drops.closed(version)
    yield "turned away", first(held)
    version = drops.drop("watched/canceled.csv", "x\n1\n")
    run = drops.submitted(version)
    post(drops, f"runs/{run.run}/cancel")
    drops.closed(version)
    yield "canceled", first(run)
    yield "wait that was canceled", f"{first(run)}-await-1"
    version = drops.drop("told/one.csv", numbers(1))
    run, _ = drops.closed(version)
    until(lambda: not drops.ledger.untold(), "the notice settled")
    yield "told at the second try", f"{first(run)}-notice-1"
    beat = until(lambda: beat if (beat := drops.ledger.heartbeat()) and beat.done else None, "a sweep")
    yield "sweep", beat.sweep


def unready(_: Received) -> Reply:
    """A receiver that accepts every second notice."""
    return Reply(next(STATUSES))


def first(run: Run) -> str:
    return f"{run.run}-1"


def main() -> None:
    folder = HISTORIES / version()
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as state:
        with Endpoint(unready) as receiver:
            told = routes() + TOLD.format(url=receiver.url)
            stack = Stack(Path(state), [MODELS], told, {**SETTINGS, **SECRET})
            with stack:
                found = list(scenes(Drops(stack)))
        for name, instance in found:
            history = export_history(stack.state / "host", instance)
            (folder / f"{name}.jsonl").write_text(history, encoding="utf-8")


if __name__ == "__main__":
    main()

"""The demonstration: real CSVs become real predictions on the local stack, and what goes wrong is explained.

Three files are dropped: a good one, one whose event is delivered twice, and a broken one.
"""

import sys
import time
from pathlib import Path

from local.children import ChildFailed
from local.stack import ROOT, Stack
from shared.ledger import Ledger
from shared.records import Run, Verdict, Version
from shared.store import BlobStore

STATE = ROOT / ".local" / "demo"
DATA = ROOT / "models" / "diabetes" / "data"
GOOD, TWICE, BROKEN = "clinic-north.csv", "clinic-south.csv", "clinic-east.csv"
EXPECTED = {GOOD: "published", TWICE: "published", BROKEN: "rejected"}
PATIENCE = 180.0
SHOWN_LINES = 5


class Clock:
    """Says what happens, with the seconds since the start before it."""

    def __init__(self) -> None:
        self.began = time.monotonic()

    def seconds(self) -> float:
        return time.monotonic() - self.began

    def say(self, text: str) -> None:
        print(f"{self.seconds():6.1f} s  {text}", flush=True)


def main() -> int:
    clock = Clock()
    clock.say("starting Azurite, the Azure ML emulator and the Functions host")
    try:
        with Stack(STATE, fresh=True) as stack:
            clock.say("all three are up")
            drop(stack, clock)
            words = follow(Ledger(BlobStore(stack.container("ledger"))), clock)
            return report(stack, words)
    except ChildFailed as problem:
        print(problem, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped.")
        return 130


def drop(stack: Stack, clock: Clock) -> None:
    inbox = stack.container("inbox")
    for name in (GOOD, TWICE, BROKEN):
        inbox.upload_blob(f"diabetes/{name}", (DATA / name).read_bytes())
        clock.say(f"dropped inbox/diabetes/{name}")
    stack.event_grid.deliver(f"diabetes/{TWICE}")
    clock.say(f"delivered the event of {TWICE} a second time")


def follow(ledger: Ledger, clock: Clock) -> dict[str, Verdict]:
    """Says every change until each file has its final word, or patience ends. Returns the words by file name."""
    shown: dict[str, str] = {}
    words: dict[str, Verdict] = {}
    while len(words) < len(EXPECTED) and clock.seconds() < PATIENCE:
        for version, run in claimed(ledger):
            name = Path(version.blob).name
            stage = run.stage if run else "claimed"
            if shown.get(name) != stage:
                shown[name] = stage
                clock.say(f"{name}: {described(stage, run)}")
            if run and run.stage == "closed":
                [words[name]] = [word for word in ledger.results(run) if word.version == version.key]
        time.sleep(0.1)
    return words


def claimed(ledger: Ledger) -> list[tuple[Version, Run | None]]:
    """Every version some run has claimed, with that run's record."""
    records = [ledger.store.read(item.key) for item in ledger.store.listed("versions/")]
    versions = [Version.from_dict(record[0]) for record in records if record]
    return [(version, ledger.run(version.run or "")) for version in versions if version.run]


def described(stage: str, run: Run | None) -> str:
    job = f" as job {run.job}" if run and run.job else ""
    rows = f", {run.rows} rows" if run and run.rows else ""
    return {
        "packed": f"checked and packed{rows}" if run and run.parts else "checked and refused",
        "submitted": f"submitted{job}",
        "ended": f"job {run.job_outcome if run else ''}",
        "closed": f"done, run {run.outcome if run else ''}",
    }.get(stage, stage)


def report(stack: Stack, words: dict[str, Verdict]) -> int:
    """Shows the predictions, the reason for the rejection, and where everything lies. Returns the exit code."""
    found = {name: verdict.word for name, verdict in words.items()}
    if found != EXPECTED:
        print(f"\nThis is not what should have happened: {found}; the logs are in {STATE / 'logs'}")
        return 1
    for name in (GOOD, TWICE):
        text = stack.container("predictions").download_blob(f"diabetes/{name}", encoding="utf-8").readall()
        lines = text.splitlines()
        print(f"\npredictions/diabetes/{name} ({len(lines) - 1} rows):\n")
        print("\n".join(f"    {line}" for line in [*lines[:SHOWN_LINES], "…"]))
    note = f"diabetes/{BROKEN}.why.txt"
    reason = stack.container("rejected").download_blob(note, encoding="utf-8").readall()
    print(f"\nrejected/{note}:\n")
    print("\n".join(f"    {line}" for line in reason.splitlines()))
    jobs = {run.job for _, run in claimed(Ledger(BlobStore(stack.container("ledger")))) if run and run.job}
    ran = "One job" if len(jobs) == 1 else f"{len(jobs)} jobs"
    print(f"\n{ran} ran for the good files; the second event of {TWICE} started none.")
    print(f"Everything lies under {STATE}: storage in azurite/, jobs in azureml/, logs in logs/.")
    print("Next: `python3 dev.py up` stays up, so that you can drop files of your own.")
    return 0


if __name__ == "__main__":
    sys.exit(main())

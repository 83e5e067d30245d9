"""After any fault: is everything that was given to the app accounted for, once, and nothing left behind?"""

import gzip
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from local.azureml.workspace import WORKSPACE_ID
from shared.names import predictions_name, version_key
from shared.records import Run, Verdict, Version
from tests.e2e.drops import Drops, doubled, numbers, until

FINAL = frozenset(
    {"published", "unchanged", "rejected", "failed", "canceled", "timed-out", "withdrawn", "superseded"}
)
OUTPUT = re.compile(r"dropscore/(\w+)/(\d+)/(\d+)/predictions\.csv")
LIVE = "Pending,Running,Suspended,ContinuedAsNew"


@dataclass(frozen=True)
class Given:
    """A version of a file, and the predictions that the model makes of it when it is called directly."""

    version: Version
    predictions: str


@dataclass
class Books:
    """Every version that was given to the app of one stack; rows are never the same in two of them."""

    drops: Drops
    given: dict[str, Given] = field(default_factory=dict)
    rows: int = 0

    def drop(self, blob: str, rows: int = 3) -> Version:
        """A new version with rows of its own for a doubling model."""
        start, self.rows = self.rows, self.rows + rows
        data = numbers(rows, start=start).encode()
        version = self.drops.drop(blob, gzip.compress(data) if blob.endswith(".gz") else data)
        self.given[version.key] = Given(version, doubled(rows, start=start))
        return version

    def drop_bad(self, blob: str) -> Version:
        """A version that must be rejected."""
        version = self.drops.drop(blob, "id,x\na,no number\nb\n")
        self.given[version.key] = Given(version, "")
        return version

    def run(self, version: Version) -> Run | None:
        """The closed run that has the version's last word."""
        return self.drops.closed_run(version)

    def word(self, version: Version) -> Verdict | None:
        """The version's final word, once its run is closed."""
        run = self.run(version)
        words = self.drops.ledger.results(run) if run else []
        return next((word for word in words if word.version == version.key), None)

    def settle(self, seconds: float = 90) -> None:
        """Waits until everything that was given has its word and nothing is under way."""

        def still() -> bool:
            return not any(self.under_way()) and not any(self.unworded())

        until(still, "rest", seconds, every=0.2)

    def unworded(self) -> Iterator[Given]:
        """What has no word. One that was overwritten or deleted before anybody looked at it needs none."""
        standing = {
            version_key("inbox", blob.name, blob.etag)
            for blob in self.drops.stack.container("inbox").list_blobs()
        }
        for key, given in self.given.items():
            seen = key in standing or self.drops.ledger.version(given.version) is not None
            if seen and self.word(given.version) is None:
                yield given

    def under_way(self) -> Iterator[str]:
        """What is not done, as the ledger and Durable show it."""
        for blob in self.drops.stack.container("ledger").list_blobs():
            if blob.name.startswith(("waiting/", "open/")):
                yield blob.name
        for slot in self.drops.ledger.store.listed("slots/"):
            found = self.drops.ledger.store.read(slot.key)
            if found and found[0]["run"]:
                yield f"{slot.key} is held by {found[0]['run']}"
        yield from (f"{one['instanceId']} is {one['runtimeStatus']}" for one in self.instances(LIVE))

    def instances(self, statuses: str) -> list[dict[str, Any]]:
        """Durable's instances in these statuses, but for sweeps, of which there is always a next one."""
        url = f"{self.drops.stack.host_url}/runtime/webhooks/durabletask/instances"
        asked = {"runtimeStatus": statuses, "top": "10000", "showInput": "false"}
        found = requests.get(url, params=asked, timeout=30).json()
        return [one for one in found if not one["instanceId"].startswith("sweep")]

    def problems(self) -> list[str]:
        """Everything that is wrong, at rest."""
        return [
            *self.wrong_words(),
            *self.wrong_predictions(),
            *self.wrong_jobs(),
            *self.left_behind(),
            *self.under_way(),
        ]

    def wrong_words(self) -> Iterator[str]:
        for given in self.unworded():
            yield f"{given.version.blob} {given.version.etag}: nobody has said what became of it"
        for given in self.given.values():
            word = self.word(given.version)
            if word is None:
                continue
            if word.word not in FINAL:
                yield f"{given.version.blob} {given.version.etag}: its word is {word.word}"
            elif word.word in ("failed", "rejected", "canceled") and not word.why:
                yield f"{given.version.blob}: {word.word}, and nobody says why"
            elif word.word == "published" and word.rows != given.predictions.count("\n") - 1:
                yield f"{given.version.blob}: the ledger counts {word.rows} rows"

    def wrong_predictions(self) -> Iterator[str]:
        """Predictions stand whole, of one version, the newest that was published, and of nothing else."""
        newest: dict[str, Given] = {}
        for given in self.given.values():
            word = self.word(given.version)
            if word and word.word in ("published", "unchanged"):
                newest[given.version.blob] = given
        blobs = {given.version.blob for given in self.given.values()}
        for blob in sorted(blobs):
            standing = self.drops.predictions(predictions_name(blob))
            wanted = newest[blob].predictions if blob in newest else None
            if standing != wanted and not (standing or "").startswith("theirs"):
                yield f"predictions of {blob}: {standing!r}, not {wanted!r}"

    def wrong_jobs(self) -> Iterator[str]:
        """One job a path; none runs on, adopted or not, after its run is closed."""
        jobs = {job["name"]: job for job in self.jobs()}
        paths = {name: OUTPUT.search(str(job)) for name, job in jobs.items()}
        for path, count in Counter(found[0] for found in paths.values() if found).items():
            if count > 1:
                yield f"{count} jobs write to {path}"
        for name, found in paths.items():
            run = self.drops.ledger.run(found[1]) if found else None
            status = jobs[name]["properties"]["status"]
            if run is None:
                yield f"job {name} is of no run"
            elif status not in ("Completed", "Failed", "Canceled"):
                yield f"job {name} of run {run.run} is still {status}"

    def jobs(self) -> Iterator[dict[str, Any]]:
        """Every job of the workspace."""
        url: str | None = f"{self.drops.stack.azureml_url}{WORKSPACE_ID}/jobs?api-version=2023-10-01"
        headers = {"Authorization": f"Bearer {self.drops.token()}"}
        while url:
            page = requests.get(url, headers=headers, timeout=30).json()
            yield from page["value"]
            url = page.get("nextLink")

    def left_behind(self) -> Iterator[str]:
        """Work of runs that need none any more, blocks that were never committed, processes of ended jobs."""
        stack = self.drops.stack
        for name in {blob.name.split("/")[0] for blob in stack.container("work").list_blobs()}:
            run = self.drops.ledger.run(name)
            words = {word.word for word in self.drops.ledger.results(run)} if run else set()
            if run is None or not words & {"failed", "canceled"}:
                yield f"work/{name} is still there"
        for container in ("predictions", "rejected", "archive", "ledger"):
            listed = stack.container(container).list_blobs(include=["uncommittedblobs"])
            committed = set(stack.container(container).list_blob_names())
            for blob in listed:
                if blob.name not in committed and not self.explained(blob.name):
                    yield f"{container}/{blob.name} has blocks that nobody committed"
        yield from (f"process {pid} of a job runs on" for pid in scoring_processes(stack.state))

    def explained(self, blob: str) -> bool:
        """Whether a file may have left blocks that wait for a rerun: one that failed, after its rows were staged."""
        words = [self.word(given.version) for given in self.given.values() if given.version.blob == blob]
        return any(word and word.word == "failed" for word in words)


def scoring_processes(state: Path) -> list[str]:
    """The processes that the Azure ML emulator runs models in, each in a folder of its job."""
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                line, folder = (process / "cmdline").read_bytes(), str((process / "cwd").readlink())
            except OSError:
                continue
            if b"azureml/worker.py" in line and folder.startswith(str(state)):
                found.append(process.name)
    return found

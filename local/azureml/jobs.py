"""Batch jobs, and the SQLite file that remembers them."""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self

from .addresses import BlobAddress, DatastorePath
from .settings import Settings

FINISHED = frozenset({"Completed", "Failed", "Canceled"})


class JobFailed(Exception):
    """A job ends as Failed, for a reason its owner should read."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, kw_only=True)
class JobInput:
    """An input as it was sent: data at a `uri`, or a Literal with a `value`; `kind` says which.

    `address` is where the data lies; None for literals, and for data in an account the emulator does not have.
    """

    kind: str
    uri: str | None = None
    value: str | int | float | bool | None = None
    mode: str | None = None
    description: str | None = None
    address: BlobAddress | None = None


@dataclass(frozen=True, kw_only=True)
class JobOutput:
    """An output: the address as it was sent, if any, and where it goes; `step` is what writes it in a pipeline."""

    kind: str
    place: DatastorePath
    address: BlobAddress
    uri: str | None = None
    mode: str = "ReadWriteMount"
    description: str | None = None
    step: str | None = None


@dataclass(frozen=True, kw_only=True)
class Step:
    """A child run of a job: the scoring of a model, or one step of a pipeline. `run` is its id."""

    run: str
    name: str
    status: str = "NotStarted"
    started: str | None = None
    ended: str | None = None
    error: dict[str, str] | None = None


@dataclass(frozen=True, kw_only=True)
class Job:
    """One invocation of a deployment. The first step's id names the default output."""

    name: str
    display_name: str
    endpoint: str
    deployment: str
    experiment: str
    compute: str
    settings: Settings
    inputs: dict[str, JobInput]
    outputs: dict[str, JobOutput]
    steps: tuple[Step, ...]
    created: str
    component: str | None = None
    repeatability_id: str | None = None
    status: str = "Preparing"
    started: str | None = None
    ended: str | None = None
    error: dict[str, str] | None = None

    @property
    def finished(self) -> bool:
        """Whether the job has come to an end."""
        return self.status in FINISHED

    @property
    def scored(self) -> BlobAddress:
        """The blob the predictions of a model go to."""
        return self.outputs["score"].address

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The job that `to_json` wrote."""
        document = json.loads(text)
        document["settings"] = Settings(**document["settings"])
        document["inputs"] = {name: _input(given) for name, given in document["inputs"].items()}
        document["outputs"] = {name: _output(given) for name, given in document["outputs"].items()}
        document["steps"] = tuple(Step(**step) for step in document["steps"])
        return cls(**document)

    def to_json(self) -> str:
        """The whole job as JSON."""
        return json.dumps(asdict(self))


class JobStore:
    """Jobs in the order they were made. Belongs to the thread that opened it."""

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(path, isolation_level=None)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute(
            "CREATE TABLE IF NOT EXISTS batch_jobs (number INTEGER PRIMARY KEY, name TEXT UNIQUE, job TEXT)"
        )
        self._database.execute("CREATE TABLE IF NOT EXISTS runs (run TEXT PRIMARY KEY, job TEXT)")

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def add(self, job: Job) -> None:
        """Remember a new job, and its child runs."""
        self._database.execute("INSERT INTO batch_jobs (name, job) VALUES (?, ?)", (job.name, job.to_json()))
        runs = [(step.run, job.name) for step in job.steps]
        self._database.executemany("INSERT INTO runs VALUES (?, ?)", runs)

    def get(self, name: str) -> Job | None:
        """The job of that name."""
        row = self._database.execute("SELECT job FROM batch_jobs WHERE name = ?", (name,)).fetchone()
        return row and Job.from_json(row[0])

    def of_run(self, run: str) -> Job | None:
        """The job of which `run` is a child."""
        row = self._database.execute("SELECT job FROM runs WHERE run = ?", (run,)).fetchone()
        return row and self.get(row[0])

    def change(self, name: str, **changes: Any) -> Job:
        """Change fields of a job and return it. Raises KeyError where there is no such job."""
        job = self.get(name)
        if job is None:
            raise KeyError(name)
        job = replace(job, **changes)
        self._database.execute("UPDATE batch_jobs SET job = ? WHERE name = ?", (job.to_json(), name))
        return job

    def change_step(self, name: str, index: int, **changes: Any) -> None:
        """Change fields of a job's child run. Raises KeyError where there is no such job."""
        job = self.get(name)
        if job is None:
            raise KeyError(name)
        steps = list(job.steps)
        steps[index] = replace(steps[index], **changes)
        self.change(name, steps=tuple(steps))

    def newest_first(self, before: int | None = None) -> Iterator[tuple[int, Job]]:
        """Jobs with their numbers, from the newest down; with `before`, only those numbered below it."""
        rows = self._database.execute(
            "SELECT number, job FROM batch_jobs WHERE ? IS NULL OR number < ? ORDER BY number DESC",
            (before, before),
        )
        for number, text in rows:
            yield number, Job.from_json(text)

    def unfinished(self) -> list[Job]:
        """Jobs that have not come to an end, oldest first."""
        return [job for _, job in self.newest_first() if not job.finished][::-1]


def _input(given: dict[str, Any]) -> JobInput:
    return JobInput(**given | {"address": given["address"] and BlobAddress(**given["address"])})


def _output(given: dict[str, Any]) -> JobOutput:
    place, address = DatastorePath(**given["place"]), BlobAddress(**given["address"])
    return JobOutput(**given | {"place": place, "address": address})

"""Batch jobs, and the SQLite file that remembers them."""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from .addresses import BlobAddress, datastore_address
from .deployments import Settings
from .workspace import DATASTORE_CONTAINER

FINISHED = frozenset({"Completed", "Failed", "Canceled"})


class JobFailed(Exception):
    """A job ends as Failed, for a reason its owner should read."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, kw_only=True)
class JobInput:
    """The one data input of a job; `kind` is UriFile or UriFolder."""

    name: str
    kind: str
    uri: str
    mode: str
    description: str | None


@dataclass(frozen=True, kw_only=True)
class JobOutput:
    """An output address as it was sent."""

    uri: str
    mode: str
    description: str | None


@dataclass(frozen=True, kw_only=True)
class Job:
    """One invocation of a deployment. `child` is its scoring step's id, which names the default output.

    `started` is when it began to wait for a node, `taken` when it got one, as no plane shows.
    """

    name: str
    child: str
    display_name: str
    endpoint: str
    deployment: str
    compute: str
    settings: Settings
    input: JobInput
    output: JobOutput | None
    created: str
    repeatability_id: str | None = None
    status: str = "Preparing"
    started: str | None = None
    taken: str | None = None
    ended: str | None = None
    error: dict[str, str] | None = None

    @property
    def finished(self) -> bool:
        """Whether the job has come to an end."""
        return self.status in FINISHED

    @property
    def output_address(self) -> BlobAddress:
        """The blob the predictions go to: where the caller said, else below the child's id as in Azure."""
        given = self.output and datastore_address(self.output.uri)
        default = f"azureml/{self.child}/score/{self.settings.output_file_name}"
        return given or BlobAddress(DATASTORE_CONTAINER, default)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The job that `to_json` wrote."""
        document = json.loads(text)
        document["settings"] = Settings(**document["settings"])
        document["input"] = JobInput(**document["input"])
        document["output"] = document["output"] and JobOutput(**document["output"])
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
            "CREATE TABLE IF NOT EXISTS jobs (number INTEGER PRIMARY KEY, name TEXT UNIQUE, job TEXT)"
        )

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def add(self, job: Job) -> None:
        """Remember a new job."""
        self._database.execute("INSERT INTO jobs (name, job) VALUES (?, ?)", (job.name, job.to_json()))

    def get(self, name: str) -> Job | None:
        """The job of that name."""
        row = self._database.execute("SELECT job FROM jobs WHERE name = ?", (name,)).fetchone()
        return row and Job.from_json(row[0])

    def change(self, name: str, **changes: Any) -> Job:
        """Change fields of a job and return it. Raises KeyError where there is no such job."""
        job = self.get(name)
        if job is None:
            raise KeyError(name)
        job = replace(job, **changes)
        self._database.execute("UPDATE jobs SET job = ? WHERE name = ?", (job.to_json(), name))
        return job

    def newest_first(self, before: int | None = None) -> Iterator[tuple[int, Job]]:
        """Jobs with their numbers, from the newest down; with `before`, only those numbered below it."""
        rows = self._database.execute(
            "SELECT number, job FROM jobs WHERE ? IS NULL OR number < ? ORDER BY number DESC",
            (before, before),
        )
        for number, text in rows:
            yield number, Job.from_json(text)

    def unfinished(self) -> list[Job]:
        """Jobs that have not come to an end, oldest first."""
        return [job for _, job in self.newest_first() if not job.finished][::-1]


def now() -> str:
    """The time, as the service writes it."""
    return datetime.now(UTC).isoformat()

"""A workspace of Azure ML in memory: batch endpoints, their jobs, and the part of ARM that the app asks.

Speaks HTTP through the transport of `requests`, so that the app's own session, request and parsing run.
"""

import csv
import io
import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import MaxRetryError, NewConnectionError

from tests.simulation.storage import NO_CONDITION, Disk

ARM = "https://management.example"
WORKSPACE = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w"
DATASTORE = "datastore"
NAMING = "naming.example"
CANCELING = timedelta(seconds=20)
# Outcomes of a POST. Those of LOST make a job, and the caller does not hear of it.
CREATED = "created"
LOST = ("lost", "error-after", "unreadable")
NOTHING = ("lost-before", "error-before", "throttled", "unreachable")
REFUSED = ("forbidden", "missing")
OUTCOMES = (CREATED, *LOST, *NOTHING, *REFUSED)


@dataclass(frozen=True)
class Script:
    """How a job will go: `silent` is when it stops responding, and until when, from its start.

    A `deaf` one does not hear that it is canceled.
    """

    visible_after: timedelta = timedelta()
    takes: timedelta = timedelta(seconds=40)
    ends: str = "Completed"
    silent: tuple[timedelta, timedelta] = (timedelta(), timedelta())
    loses_part: bool = False
    preempted: bool = False
    deaf: bool = False


@dataclass
class Job:
    """A job and everything that has happened to it. `inputs` are the rows of its parts, by part."""

    name: str
    endpoint: str
    path: str
    folder: str
    tolerant: bool
    created: datetime
    script: Script
    inputs: dict[str, list[str]]
    status: str = ""
    cancel_asked: datetime | None = None

    @property
    def visible(self) -> datetime:
        return self.created + self.script.visible_after

    @property
    def over(self) -> bool:
        return bool(self.status)


@dataclass(frozen=True)
class Posted:
    """A POST that reached the service, its output path, what came of it, and the job it made."""

    at: datetime
    path: str
    outcome: str
    inputs: dict[str, list[str]]
    job: Job | None


@dataclass
class Workspace:
    """The service. `outcomes` and `scripts` say what becomes of the next POSTs and jobs; without, all is well."""

    disk: Disk
    clock: Callable[[], datetime]
    outcomes: deque[str] = field(default_factory=deque)
    scripts: deque[Script] = field(default_factory=deque)
    jobs: dict[str, Job] = field(default_factory=dict)
    posted: list[Posted] = field(default_factory=list)
    watchers: list[Callable[[Posted], None]] = field(default_factory=list)
    barred: bool = False

    def answer(self, request: requests.PreparedRequest) -> requests.Response:
        """Raises ConnectionError where no answer comes."""
        self.go_on()
        assert request.url is not None
        path = urlsplit(request.url).path
        if request.url.startswith(ARM):
            return self.arm(request, path.removeprefix(WORKSPACE).strip("/").split("/"))
        if request.method == "POST":
            return self.invoked(request)
        name = path.rsplit("/", 1)[1]
        if name == "jobs":
            return response(request, 403 if self.barred else 405, {})
        return response(request, 200, self.resource(self.jobs[name]))

    def arm(self, request: requests.PreparedRequest, path: list[str]) -> requests.Response:
        match path:
            case ["jobs"]:
                seen = [job for job in self.jobs.values() if job.visible <= self.clock()]
                return response(request, 200, {"value": [self.resource(job) for job in seen]})
            case ["jobs", name, "cancel"]:
                job = self.jobs[name]
                job.cancel_asked = job.cancel_asked or self.clock()
                return response(request, 202, {})
            case ["datastores", name]:
                place = {"datastoreType": "AzureBlob", "accountName": "drops", "containerName": DATASTORE}
                return response(request, 200, {"name": name, "properties": place})
            case ["batchEndpoints", name]:
                return response(
                    request, 200, {"name": name, "properties": {"defaults": {"deploymentName": "only"}}}
                )
            case ["batchEndpoints", _, "deployments", name]:
                nodes = {"resources": {"instanceCount": 2}, "maxConcurrencyPerInstance": 1}
                return response(request, 200, {"name": name, "properties": nodes})
        raise LookupError(f"the workspace has no {path}")

    def invoked(self, request: requests.PreparedRequest) -> requests.Response:
        """A POST to the endpoint."""
        outcome = self.outcomes.popleft() if self.outcomes else CREATED
        if self.barred:
            outcome = "forbidden"
        if outcome == "unreachable":
            raise unreachable()
        order = json.loads(request.body or b"")["properties"]
        makes = outcome == CREATED or outcome in LOST
        path = str(order["OutputData"]["score"]["Uri"]).split("/paths/")[1]
        folder = urlsplit(order["InputData"]["parts"]["Uri"]).path.strip("/").split("/", 1)[1]
        job = (
            self.made(str(request.url), path, folder, tolerant=order["errorThreshold"] < 0) if makes else None
        )
        posted = Posted(self.clock(), path, outcome, self.rows(folder), job)
        self.posted.append(posted)
        for watcher in self.watchers:
            watcher(posted)
        return self.heard(request, posted)

    def heard(self, request: requests.PreparedRequest, posted: Posted) -> requests.Response:
        match posted.outcome:
            case "lost" | "lost-before":
                raise requests.ConnectionError("Remote end closed connection without response")
            case "error-after" | "error-before":
                return response(request, 500, {"error": {"code": "InternalError", "message": "try again"}})
            case "throttled":
                return response(request, 429, {}, {"Retry-After": "7"})
            case "forbidden" | "missing":
                return response(
                    request, 403 if posted.outcome == "forbidden" else 404, {"error": {"message": "no"}}
                )
            case "unreadable":
                return response(request, 201, [])
        assert posted.job is not None
        return response(request, 201, self.resource(posted.job), {"azureml-model-deployment": "only"})

    def made(self, endpoint: str, path: str, folder: str, *, tolerant: bool) -> Job:
        script = self.scripts.popleft() if self.scripts else Script()
        name = f"job{len(self.jobs) + 1}"
        job = Job(name, endpoint, path, folder, tolerant, self.clock(), script, self.rows(folder))
        self.jobs[name] = job
        return job

    def rows(self, folder: str) -> dict[str, list[str]]:
        """The rows of every part in a folder, without headers."""
        found = self.disk.page("work", folder if folder.endswith(".csv") else f"{folder}/", "", 10_000)
        return {name.rsplit("/", 1)[1]: blob.data.decode().splitlines()[1:] for name, blob in found}

    def resource(self, job: Job) -> dict[str, Any]:
        message = "the node was preempted" if job.script.preempted else "the nodes failed"
        error = {"error": {"code": "UserError", "message": message}} if job.status == "Failed" else {}
        return {
            "name": job.name,
            "id": f"{WORKSPACE}/batchEndpoints/e/deployments/only/jobs/{job.name}",
            "properties": {
                "status": job.status or self.passing(job),
                "properties": {"azureml.parameters": json.dumps({"score": job.path})},
            },
            "systemData": {"createdAt": job.created.isoformat()},
            **error,
        }

    def passing(self, job: Job) -> str:
        """The status of a job that has not ended."""
        begins, ends = job.script.silent
        silent = begins <= self.clock() - job.created < ends
        return "NotResponding" if silent else "Running"

    def go_on(self) -> None:
        """What has happened to the jobs since the last look."""
        for job in self.jobs.values():
            if not job.over:
                self.end(job)

    def end(self, job: Job) -> None:
        done = job.created + job.script.takes
        stopped = job.cancel_asked + CANCELING if job.cancel_asked and not job.script.deaf else None
        if stopped and stopped <= self.clock() and stopped <= done:
            job.status = "Canceled"
        elif done <= self.clock():
            fails = job.script.loses_part and not job.tolerant
            job.status = "Failed" if fails else job.script.ends
            if job.status == "Completed":
                self.write_raw(job)

    def write_raw(self, job: Job) -> None:
        """The raw predictions without a header: each value, and where the endpoint is called so its part's name.

        Parts come in an order of their own, the rows of each in theirs.
        """
        parts = sorted(job.inputs, reverse=len(self.jobs) % 2 == 0)
        kept = parts[1:] if job.script.loses_part else parts
        named = urlsplit(job.endpoint).hostname == NAMING
        lines = [
            predicted(row, job.name) + (f" {part}\n" if named else "\n")
            for part in kept
            for row in job.inputs[part]
        ]
        self.disk.put(DATASTORE, job.path, "".join(lines).encode(), {}, NO_CONDITION)


def predicted(row: str, job: str) -> str:
    """What the model makes of one row of a part: twice its first cell, and the job that said so."""
    return f"{2 * int(next(csv.reader(io.StringIO(row)))[0])}@{job}"


def unreachable() -> requests.ConnectionError:
    """A connection that was never made, as urllib3 reports it."""
    reason = NewConnectionError(None, "refused")  # type: ignore[arg-type]
    return requests.ConnectionError(MaxRetryError(None, "", reason))  # type: ignore[arg-type]


def response(
    request: requests.PreparedRequest, status: int, body: Any, headers: dict[str, str] | None = None
) -> requests.Response:
    answer = requests.Response()
    answer.status_code, answer.request, answer.url = status, request, request.url or ""
    answer.headers.update({"Content-Type": "application/json", **(headers or {})})
    answer._content = json.dumps(body).encode()
    return answer

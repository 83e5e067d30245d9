"""The local stack as it is measured: nothing happens on it but what is asked for, and everything is written down."""

import shutil
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import requests

from benchmarks.counting import Call, calls
from benchmarks.environment import ROOT
from benchmarks.host import Ran, ran
from benchmarks.processes import Meter
from local.azureml.jobs import Job, JobStore
from local.eventgrid import EventGrid
from local.host.state import reading
from local.stack import Stack, in_use

MODELS = ROOT / "benchmarks" / "models"
PEERS_INBOX, PEERS_PREDICTIONS = "peers-inbox", "peers-predictions"
ROUTES = (ROOT / "benchmarks" / "routes.toml").read_text("utf-8")
# Sweeps would come in between: what they do is measured where it belongs, in the flood.
NO_SWEEPS = {"DROPSCORE_SWEEP_SCHEDULE": "0 0 0 29 2 *"}
# Each of them is asked of the emulator, and none strikes: it counts what it meets.
REST = {
    "token": "GET /msi/token",
    "POST of the job": "POST /endpoints/",
    "look at the job": "GET /endpoints/",
    "Azure Resource Manager": "/subscriptions/",
}
EVENTS_AT_ONCE = 500


class OnDemand(EventGrid):
    """Posts an event when it is told to, and looks at nothing."""

    def start(self) -> None:
        """There is nothing to watch."""

    def stop(self) -> None:
        self._session.close()

    def announce(self, names: Sequence[str]) -> float:
        """Posts the events of blobs that have been dropped. Returns when it began, epoch seconds."""
        container = self._container.container_name
        events = [
            {
                "eventType": "Microsoft.Storage.BlobCreated",
                "subject": f"/blobServices/default/containers/{container}/blobs/{name}",
            }
            for name in names
        ]
        begun = time.time()
        for at in range(0, len(events), EVENTS_AT_ONCE):
            answer = self._session.post(
                self._webhook_url,
                json=events[at : at + EVENTS_AT_ONCE],
                headers={"aeg-event-type": "Notification"},
                timeout=60,
            )
            answer.raise_for_status()
        return begun


@dataclass
class Bench(Stack):
    """Stack(storage_faults=True) counts the calls to storage; without it nothing stands between app and storage."""

    models: list[Path] = field(default_factory=lambda: [MODELS])
    routes: str = ROUTES
    settings: dict[str, str] = field(default_factory=lambda: dict(NO_SWEEPS))
    fresh: bool = True

    def __enter__(self) -> "Bench":
        super().__enter__()
        for name in (PEERS_INBOX, PEERS_PREDICTIONS):
            self.container(name).create_container()
        return self

    def __exit__(self, *problem: object) -> None:
        """What failed can be looked into; what did not would fill the disk."""
        super().__exit__(*problem)
        if not any(problem):
            shutil.rmtree(self.state)

    @cached_property
    def event_grid(self) -> OnDemand:
        return OnDemand(self.container("inbox"), self.webhook)

    @property
    def webhook(self) -> str:
        return f"{self.host_url}/runtime/webhooks/blobs?functionName=Host.Functions.blob_dropped"

    @property
    def calls_file(self) -> Path:
        return self.state / "calls.jsonl"

    @property
    def ran_file(self) -> Path:
        return self.state / "ran.jsonl"

    def start_storage_faults(self) -> None:
        if not self.storage_faults:
            return
        upstream = f"http://127.0.0.1:{self.ports['blob']}"
        ends = ["--to", upstream, "--port", str(self.ports["faults"]), "--log", str(self.calls_file)]
        command = [sys.executable, "-m", "benchmarks.counting", *ends]
        child = self.start_child("faults", command, self.base_environment())
        child.wait_until(lambda: in_use(self.ports["faults"]))

    def start_host(self) -> None:
        command = [
            *(sys.executable, "-m", "benchmarks.host", str(self.ran_file), str(self.app)),
            *("--port", str(self.ports["host"]), "--state", str(self.state / "host")),
        ]
        child = self.start_child("host", command, {**self.base_environment(), **self.app_settings()})
        child.wait_until(lambda: in_use(self.ports["host"]))

    def drop(self, name: str, data: bytes, container: str = "inbox") -> None:
        self.container(container).upload_blob(name, data)

    def announce(self, names: Sequence[str]) -> float:
        """Says that blobs were dropped. Returns when, in epoch seconds."""
        return self.event_grid.announce(names)

    def meter(self, child: str = "host") -> Meter:
        return Meter(self.children[child].process.pid)

    @cached_property
    def ran_lines(self) -> "Growing":
        return Growing(self.ran_file)

    @cached_property
    def calls_lines(self) -> "Growing":
        return Growing(self.calls_file)

    def ran(self) -> list[Ran]:
        """Every function that has run since this was last asked, and every span."""
        return list(ran(self.ran_lines.more()))

    def calls(self) -> list[Call]:
        """Every call to storage since this was last asked."""
        return list(calls(self.calls_lines.more()))

    def jobs(self) -> list[Job]:
        """Every job of the workspace, the oldest first."""
        with closing(JobStore(self.state / "azureml" / "jobs.sqlite")) as store:
            return [job for _, job in store.newest_first()][::-1]

    def node_seconds(self, jobs: Sequence[Job], start: float) -> float:
        """What the jobs' nodes are paid for: each for its start, and for its work."""
        return sum(start + epoch(job.ended) - epoch(job.steps[0].started) for job in jobs)

    def history_events(self) -> int:
        """How many events the histories of all runs and their waits hold now, without those of sweeps."""
        with reading(self.state / "host") as database:
            [(count,)] = database.execute("select count(*) from history where instance not like 'sweep%'")
        return int(count)

    def count_rest(self) -> None:
        """Counts the calls to Azure ML and the identity from here on."""
        faults = [{"do": "slow", "on": on, "times": None, "chance": 0.0} for on in REST.values()]
        self.control("PUT", {"faults": faults})

    def rest_calls(self) -> dict[str, int]:
        """How many there were since, by what they were for."""
        met = {entry["on"]: entry["met"] for entry in self.control("GET")}
        return {name: met.get(on, 0) for name, on in REST.items()}

    def start_nodes_after(self, seconds: float) -> None:
        """The node of every job from here on takes so long to start."""
        self.control("PUT", {"faults": [{"do": "wait", "seconds": seconds, "times": None}]})

    def control(self, method: str, body: object = None) -> Any:
        answer = requests.request(method, f"{self.azureml_url}/control/faults", json=body, timeout=10)
        answer.raise_for_status()
        return answer.json()

    def peers_settings(self) -> dict[str, str]:
        """What a peer needs to know."""
        return {
            "BENCHMARK_STORAGE": self.connection_string,
            "BENCHMARK_INBOX": PEERS_INBOX,
            "BENCHMARK_PREDICTIONS": PEERS_PREDICTIONS,
            "BENCHMARK_AZUREML": self.azureml_url,
            "BENCHMARK_ENDPOINT": "score",
            # Where the Azure ML client looks for Azure Resource Manager instead of its public address.
            "AZUREML_DEV_URL_MFE": self.azureml_url,
            "IDENTITY_ENDPOINT": f"{self.azureml_url}/msi/token",
            "IDENTITY_HEADER": self.secret,
        }


class Growing:
    """A file that somebody writes lines to."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.read = 0

    def more(self) -> list[str]:
        """The whole lines that have come since this was last asked."""
        with self.path.open("rb") as file:
            file.seek(self.read)
            *lines, _ = file.read().split(b"\n")
        self.read += sum(len(line) + 1 for line in lines)
        return [line.decode() for line in lines]


def until(found: Callable[[], object], what: str, seconds: float, every: float = 0.02) -> None:
    """Waits. Stops the program where it never comes."""
    deadline = time.monotonic() + seconds
    while not found():
        if time.monotonic() > deadline:
            raise SystemExit(f"{what}: not seen in {seconds:.0f} s; the logs are in the state folder.")
        time.sleep(every)


def epoch(text: str | None) -> float:
    """Epoch seconds of the emulator's times."""
    return datetime.fromisoformat(text or "").timestamp()

"""The app in a world of its own: storage, Azure ML, the Durable host and the clock are the simulation's."""

import asyncio
import json
import logging
import pkgutil
import secrets
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib import import_module
from random import Random
from types import ModuleType, SimpleNamespace
from typing import Any

import azure.functions as func
import pytest
import requests
from azure.core.exceptions import AzureError, ClientAuthenticationError, ServiceResponseError
from requests.adapters import HTTPAdapter

import activities
import orchestrators
from activities import parts, raw, runs
from shared import azureml, blob_io, clients, csv_blocks, current_routes, packing, retries, work
from shared.errors import Fenced, Unsettled
from shared.settings import Settings
from tests.simulation.actors import Stage, driven
from tests.simulation.azureml import ARM, DATASTORE, WORKSPACE, Workspace
from tests.simulation.host import Host, HostAway
from tests.simulation.promises import Promises
from tests.simulation.receiver import Receiver
from tests.simulation.storage import NO_CONDITION, Account, Disk
from triggers import blobs, timers
from triggers.http import runs as http

START = datetime(2026, 11, 20, 6, 0, tzinfo=UTC)
CHUNKS = {"inbox": 16, "work": 200, DATASTORE: 16}
REST_TIME, REST_STEPS, QUIET_ROUNDS = timedelta(hours=12), 50_000, 2
EXPECTED = (AzureError, requests.RequestException, Fenced, Unsettled, HostAway)
MONTH = timedelta(days=31)
SWEEP_EVERY, SELDOM = timedelta(minutes=1), timedelta(minutes=20)
# Shorter than the search window, as functionTimeout is in host.json.
FUNCTION_TIMEOUT = timedelta(seconds=100)
SEARCH_WINDOW = timedelta(minutes=2)
SETTINGS = Settings.from_env(
    {
        "DROPSCORE_STORAGE": "UseDevelopmentStorage=true",
        "DROPSCORE_INBOX": "inbox",
        "DROPSCORE_WORKSPACE": WORKSPACE,
        "DROPSCORE_ARM_URL": ARM,
        "DROPSCORE_SEARCH_WINDOW": f"{SEARCH_WINDOW.total_seconds():.0f}s",
        "DROPSCORE_KEEP": "30d",
        "DROPSCORE_WEBHOOK_SECRET": "whsec_" + "MDAw" * 8,
        "DROPSCORE_POLL_AT_LEAST": "5s",
        "DROPSCORE_POLL_AT_MOST": "1m",
    }
)
ROUTES = """
[routes.shared]
pattern = "shared/*.csv"
model = "https://naming.example/jobs"
match = "file"
send = ["x"]
carry = ["id"]
predictions = ["twice"]
deadline = "40m"
max_jobs = 1

[routes.single]
pattern = "single/*.csv"
model = "https://silent.example/jobs"
match = "order"
send = ["x"]
carry = ["id"]
predictions = ["twice"]
deadline = "40m"
after = "archive"
max_jobs = 2
notify = "https://told.example/hook"
"""
NAMES = (*(f"shared/{one}.csv" for one in "abcde"), *(f"single/{one}.csv" for one in "fgh"))
BAD = b"id,x\nno,such,row\n"
MAX_JOBS = {"shared": 1, "single": 2}


def functions(package: ModuleType) -> dict[str, Any]:
    """What the blueprints of a package register, by name."""
    found = (
        import_module(f"{package.__name__}.{one.name}") for one in pkgutil.iter_modules(package.__path__)
    )
    builders = [
        builder for module in found if hasattr(module, "bp") for builder in module.bp._function_builders
    ]
    built = [builder.build() for builder in builders]
    return {one.get_function_name(): one.get_user_function() for one in built}


def activity(function: Any) -> Callable[..., Any]:
    """An activity as the host calls it: with its input and a durable client, whether it asks for that or not."""
    asked = getattr(function, "client_function", None)
    if asked is not None:
        return lambda given, client: driven(asked(given, client=client))
    return lambda given, client: function(given)


def client_function(trigger: Any) -> Callable[..., Any]:
    """A trigger's own function, which is given a durable client."""
    found: Callable[..., Any] = trigger.build().get_user_function().client_function
    return found


ACTIVITIES = {name: activity(function) for name, function in functions(activities).items()}
ORCHESTRATORS = {name: one.orchestrator_function for name, one in functions(orchestrators).items()}
BLOB_DROPPED = client_function(blobs.blob_dropped)
SWEEP_TIMER = client_function(timers.sweep_timer)
REQUESTS = {
    "start": client_function(http.start_run),
    "cancel": client_function(http.cancel_run),
    "rerun": client_function(http.rerun_run),
}


class World:
    """Everything outside the app, what people do with it, and what can go wrong."""

    def __init__(self, seed: int = 0) -> None:
        self.stage = Stage(START, FUNCTION_TIMEOUT, Random(seed))
        self.disk = Disk(self.stage.clock)
        self.people = Account(self.disk)
        self.account = Account(self.disk, self.reach_storage, page=3, chunks=CHUNKS)
        self.azureml = Workspace(self.disk, self.stage.clock)
        self.host = Host(self.stage, ACTIVITIES, ORCHESTRATORS)
        self.random = Random(seed)
        self.receiver = Receiver()
        self.promises = Promises(self.disk, self.azureml, self.receiver, self.stage, SEARCH_WINDOW, MAX_JOBS)
        self.next_sweep, self.sweep_every = START, SWEEP_EVERY
        self.identity_refused = False
        self.people.get_container_client("config").upload_blob("routes.toml", ROUTES)

    def reach_storage(self, call: str, effect: Callable[[], Any]) -> Any:
        return self.stage.gate(call, effect, lambda: ServiceResponseError("storage does not answer"))

    def reach_http(self, request: requests.PreparedRequest) -> requests.Response:
        return self.stage.gate(
            f"{request.method} {request.url}",
            lambda: (self.receiver if self.receiver.is_meant(request) else self.azureml).answer(request),
            lambda: requests.ConnectionError("Remote end closed connection without response"),
            repeats=False,
        )

    def token(self, audience: str) -> str:
        if self.identity_refused:
            raise ClientAuthenticationError("the identity gets no token")
        return "token"

    # What people do

    def drop(self, name: str, data: bytes) -> None:
        """Writes a version of a file into the inbox."""
        blob = self.disk.put("inbox", name, data, {}, NO_CONDITION)
        self.promises.dropped(name, blob.etag, data)
        self.stage.note(f"people drop {name} {blob.etag}")

    def drop_rows(self, name: str, rows: int) -> None:
        """A version like no other; without rows one that no model can read."""
        number = len(self.promises.versions)
        cells = "".join(f"r{row},{10 * number + row}\n" for row in range(rows))
        self.drop(name, f"id,x\n{cells}".encode() if rows else BAD)

    def drop_again(self, name: str) -> None:
        """A new version with the bytes of the one that stands."""
        standing = self.disk.standing("inbox", name)
        if standing:
            self.drop(name, standing.data)

    def delete(self, name: str) -> None:
        if self.disk.standing("inbox", name):
            self.disk.delete("inbox", name)
            self.stage.note(f"people delete {name}")

    def take(self, name: str) -> None:
        """People move predictions, or a blob that is not ours, away."""
        if self.disk.standing("predictions", name):
            self.disk.delete("predictions", name)
            self.stage.note(f"people take {name} away")

    def put_foreign(self, name: str) -> None:
        """A blob that is not ours, under a name where predictions would go."""
        self.disk.put("predictions", name, b"theirs", {}, NO_CONDITION)
        self.stage.note(f"people put a foreign blob at {name}")

    # What starts things

    def announce(self, name: str) -> None:
        """An event says that a blob was dropped."""
        blob = SimpleNamespace(blob_name=name)
        self.trigger(f"event {name}", lambda: driven(BLOB_DROPPED(blob, client=self.host.client)))

    def sweep(self) -> None:
        """The timer fires."""
        self.next_sweep = self.stage.now + self.sweep_every
        self.trigger("sweep timer", lambda: driven(SWEEP_TIMER(None, client=self.host.client)))

    def ask(self, route: str, blobs: list[str], key: str, *, force: bool) -> None:
        """Somebody asks over HTTP for a run of these files."""
        body = json.dumps({"route": route, "blobs": blobs, "force": force}).encode()
        headers = {"Idempotency-Key": key} if key else {}
        request = func.HttpRequest("POST", "http://app/api/runs", headers=headers, body=body)
        self.trigger(
            f"request for {blobs}", lambda: driven(REQUESTS["start"](request, client=self.host.client))
        )

    def order(self, run: str, order: str) -> None:
        """Somebody asks over HTTP to `cancel` or `rerun` a run."""
        url = f"http://app/api/runs/{run}/{order}"
        request = func.HttpRequest("POST", url, route_params={"run": run}, body=b"")
        self.trigger(f"{order} {run}", lambda: driven(REQUESTS[order](request, client=self.host.client)))

    def trigger(self, name: str, work: Callable[[], Any]) -> None:
        self.stage.send(name, lambda: self.stage.begin(name, work, self.stage.report))

    # What goes wrong

    def crash(self, *, after: bool) -> None:
        """The process dies: every execution at its present call, before or after its effect."""
        self.stage.note("the process dies")
        for actor in list(self.stage.actors):
            self.stage.kill(actor, after=after)
        forget_process()

    def let_in(self) -> None:
        self.azureml.barred = self.identity_refused = False

    # Time

    def pass_time(self, time: timedelta) -> None:
        self.stage.now += time
        self.azureml.go_on()

    def pass_month(self) -> None:
        """Where no run is open: nobody waits for a run that long."""
        if not any(name.startswith("open/") for name in self.disk.container("ledger")):
            self.pass_time(MONTH)

    def wait_for_next(self, *, sweeps: bool = True) -> None:
        """Moves the clock to what comes first: a message that is due, or the sweep's timer."""
        due = [message.due for message in self.stage.messages if message.due > self.stage.now]
        timer = [max(self.next_sweep, self.stage.now)] if sweeps or not due else []
        self.pass_time(min([*due, *timer]) - self.stage.now)
        if sweeps and self.stage.now >= self.next_sweep:
            self.sweep()

    def run_until_idle(self, limit: int) -> int:
        """Lets everything run, the oldest first, until nothing can go on. Returns the steps that are left."""
        while limit and (ready := self.stage.ready()):
            self.stage.take(ready[0])
            limit -= 1
        return limit

    def come_to_rest(self) -> None:
        """No more faults: sweeps, ever seldomer, and time go on until nothing is left to do. Raises Broken."""
        self.stage.note("no more faults")
        self.azureml.outcomes.clear()
        self.azureml.scripts.clear()
        self.let_in()
        self.host.starts_to_lose = self.host.starts_to_strand = 0
        steps, quiet = REST_STEPS, 0
        until = self.stage.now + REST_TIME
        while steps and self.stage.now < until and quiet < QUIET_ROUNDS:
            steps = self.run_until_idle(steps)
            self.check()
            self.wait_for_next()
            self.sweep_every = min(self.sweep_every * 1.2, SELDOM)
            quiet = quiet + 1 if self.at_rest() else 0
        self.promises.check_end()
        self.check()

    def at_rest(self) -> bool:
        """Nothing is under way but sweeps, nothing waits, and everything in the inbox is known."""
        busy = any(one.live for one in self.host.instances.values() if one.name != "sweep")
        return not busy and not self.promises.left_over()

    def check(self) -> None:
        """Raises Broken where a promise was broken since the last look."""
        for problem in [*self.host.problems, *map(unexpected, self.stage.problems)]:
            self.promises.must(not problem, problem)
        self.stage.problems.clear()
        self.promises.check()

    def end(self) -> None:
        for actor in list(self.stage.actors):
            self.stage.kill(actor, after=False)


def unexpected(problem: Exception) -> str:
    """An exception that none of the faults explains, with the place it comes from; "" for one that is."""
    if isinstance(problem, EXPECTED):
        return ""
    place = traceback.extract_tb(problem.__traceback__)[-1]
    return f"{type(problem).__name__}: {problem} in {place.name}, line {place.lineno} of {place.filename}"


@dataclass
class OfProcesses:
    """What a process builds once, in each of the processes: what one remembers, another may have changed since."""

    build: Callable[[], Any]
    stage: Stage
    built: dict[int, Any] = field(default_factory=dict)

    def __call__(self) -> Any:
        if self.stage.process not in self.built:
            self.built[self.stage.process] = self.build()
        return self.built[self.stage.process]

    def cache_clear(self) -> None:
        self.built.clear()


def forget_process() -> None:
    """What the processes keep in memory is gone."""
    current_routes.loaded.routes, current_routes.loaded.etag = None, ""
    current_routes.loaded.at = -current_routes.FRESH_FOR
    runs.sweep_watch.looked_at = runs.NEVER
    clients.ledger.cache_clear()
    clients.kept.cache_clear()
    clients.http.cache_clear()


async def at_once(function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    return function(*arguments, **named)


def reaching(world: World, send: Callable[..., Any]) -> Callable[..., Any]:
    """Requests of the app reach the world; those of other threads of the tests go where they always went."""

    def reach(adapter: HTTPAdapter, request: requests.PreparedRequest, **options: Any) -> Any:
        ours = ".example" in (request.url or "")
        return world.reach_http(request) if ours else send(adapter, request, **options)

    return reach


@contextmanager
def simulated(seed: int = 0) -> Iterator[World]:
    """A world in which the app's code runs, until the block is left."""
    world = World(seed)
    now = world.stage.clock
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clients, "settings", lambda: SETTINGS)
        patch.setattr(clients, "storage", lambda: world.account)
        patch.setattr(clients, "token", world.token)
        patch.setattr(clients, "now", now)
        for kept in ("ledger", "kept"):
            patch.setattr(clients, kept, OfProcesses(getattr(clients, kept).__wrapped__, world.stage))
        patch.setattr(clients, "in_parallel", lambda work, items: [work(item) for item in items])
        patch.setattr(HTTPAdapter, "send", reaching(world, HTTPAdapter.send))
        patch.setattr(azureml, "sleep", lambda seconds: None)
        patch.setattr(retries, "time", lambda: now().timestamp())
        patch.setattr(current_routes, "time", SimpleNamespace(monotonic=lambda: now().timestamp()))
        patch.setattr(blob_io, "BLOCK", 16)
        patch.setattr(raw, "READ_WHOLE", 16)
        # Some worlds read every file of two rows in stretches, some put two files into a part, some do neither.
        patch.setattr(work, "BYTES_AT_ONCE", (16, 24, 1000)[seed % 3])
        patch.setattr(work, "FILES_AT_ONCE", 2)
        patch.setattr(work, "ROWS_AT_ONCE", 1)
        patch.setattr(packing, "read_blocks", partial(csv_blocks.read_blocks, size=8))
        patch.setattr(packing, "PART_AT_LEAST", 8)
        patch.setattr(parts, "PART_AT_LEAST", 1000)
        patch.setattr(secrets, "randbits", world.random.getrandbits)
        patch.setattr(secrets, "token_hex", lambda size: world.random.randbytes(size).hex())
        patch.setattr(asyncio, "to_thread", at_once)
        level = logging.root.manager.disable
        logging.disable(logging.CRITICAL)
        forget_process()
        try:
            yield world
        finally:
            world.end()
            logging.disable(level)
            forget_process()

"""Puts the local Functions host together: one app, one state directory, one address."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from aiohttp import web

from local.host import http_triggers
from local.host.blob_events import BlobEvents
from local.host.blob_polling import BlobPolling
from local.host.blobs import BlobDeliveries
from local.host.client import DurableClient
from local.host.engine import Engine
from local.host.indexing import IndexedFunction, IndexingError, index
from local.host.invocation import Worker
from local.host.keys import Keys
from local.host.links import Links
from local.host.processes import WorkerProcesses
from local.host.settings import HostConfig, MissingSettingError, load_local_settings, worker_processes
from local.host.state import State
from local.host.store import Store
from local.host.timers import Timers
from local.host.webhooks import DurableWebhooks
from local.host.work import RunningWork

GRACE = 5.0  # seconds that running invocations get to finish
MAX_BODY = 100 * 1024 * 1024


class Host:
    """A Functions host for one app. Made ready by its constructor, serving between `start` and `stop`."""

    def __init__(
        self,
        app_dir: Path,
        state_dir: Path,
        *,
        port: int,
        address: str = "127.0.0.1",
        keys: Keys | None = None,
    ) -> None:
        """Index the app and open the state; raises IndexingError, StateInUse."""
        self._keys = keys or Keys.from_environment()
        self._address = address
        self._port = port
        self.url = f"http://{address}:{port}"
        load_local_settings(app_dir)
        try:
            config = HostConfig.load(app_dir)
        except (MissingSettingError, ValueError) as problem:
            raise IndexingError([f"host.json: {problem}"]) from problem
        try:
            processes = worker_processes()
        except ValueError as problem:
            raise IndexingError([str(problem)]) from problem
        links = Links(self.url, config.hub_name, self._keys.system.get("durabletask_extension", "local"))
        self.worker = _worker(app_dir, links, processes, config.function_timeout)
        self._state = State(state_dir)
        self._work = RunningWork()
        self._assemble(config, links)

    def _assemble(self, config: HostConfig, links: Links) -> None:
        store = Store(self._state)
        self._engine = Engine(
            store,
            self.worker,
            self._work,
            max_orchestrators=config.max_orchestrators,
            max_activities=config.max_activities,
            versioning=config.versioning,
        )
        client = DurableClient(
            store,
            self.worker,
            self._engine.wake,
            default_version=config.versioning.default,
            replaces_live=config.replaces_live,
        )
        self._timers = Timers(self._state, self.worker, self._work)
        self._deliveries = BlobDeliveries(
            self._state,
            self.worker,
            self._work,
            attempts=config.blob_attempts,
            concurrent=config.max_blobs,
        )
        by_event, polled = _by_source(self.worker.of_kind("blobTrigger"))
        events = BlobEvents(self._state, by_event, self._deliveries)
        self._polling = BlobPolling(self._state, polled, self._deliveries)
        self._routes = [
            *http_triggers.routes(self.worker, self._work, config.route_prefix, self._keys),
            *DurableWebhooks(client, links).routes(),
            *events.routes(),
        ]

    async def start(self) -> None:
        """Listen, and take up whatever the state holds; returns once requests are answered."""
        await self.worker.start()
        application = web.Application(
            client_max_size=MAX_BODY, middlewares=[http_triggers.as_if_unknown, self._keys.guard()]
        )
        application.add_routes(self._routes)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        await web.TCPSite(self._runner, self._address, self._port).start()
        loops: list[Coroutine[Any, Any, None]] = [
            self.worker.run(),
            self._engine.run(),
            self._timers.run(),
            self._deliveries.run(),
            self._polling.run(),
        ]
        self._loops = [asyncio.create_task(loop) for loop in loops]

    async def failed(self) -> None:
        """Wait until one of the host's own loops fails and raise its error; one with nothing to watch just ends."""
        done, _ = await asyncio.wait(self._loops, return_when=asyncio.FIRST_EXCEPTION)
        for loop in done:
            loop.result()

    async def stop(self) -> None:
        """Stop taking work, let running invocations finish for a few seconds, then close everything."""
        for loop in self._loops:
            loop.cancel()
        await asyncio.wait(self._loops)
        await self._work.drain(GRACE)
        await self._runner.cleanup()
        await self.worker.close()
        self._polling.close()
        self._state.close()


def _worker(app_dir: Path, links: Links, processes: int, timeout: float | None) -> Worker:
    functions, binding = index(app_dir), links.binding()
    if processes == 1:
        return Worker(functions, binding, str(app_dir), timeout)
    return WorkerProcesses(functions, binding, str(app_dir), count=processes, timeout=timeout)


def _by_source(functions: list[IndexedFunction]) -> tuple[list[IndexedFunction], list[IndexedFunction]]:
    """Return the blob functions fed by Event Grid, and those that poll."""
    by_event = [function for function in functions if function.spec.get("source") == "EventGrid"]
    return by_event, [function for function in functions if function not in by_event]

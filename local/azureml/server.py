"""The emulator as a server: all planes on one port, in this thread or, for tests, in one of its own."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import Future
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from aiohttp import web

from local.faults.http import misbehaving
from local.faults.plan import Plan

from . import identity
from .arm import ArmPlane
from .blobs import Storage
from .cluster import Cluster
from .control import ControlPlane
from .deployments import Endpoint, read_endpoints
from .identity import Tokens
from .jobs import JobStore
from .mfe import MfePlane
from .refusals import answer_refusals
from .resource_bodies import scoring_uri
from .scoring import ScoringPlane
from .service import Service
from .workspace import WORKSPACE_ID


@dataclass(frozen=True, kw_only=True)
class Options:
    """What an emulator is started with.

    `storage` is a connection string, `storage_alias` another address of that account, `state` a folder of its own,
    `port` 0 a free one, `nodes` the jobs run at once, `deduplicate` whether a repeated repeatability id gives the job
    made for it (unknown in Azure),
    `faults` what goes wrong.
    """

    endpoints: dict[str, Endpoint]
    storage: str
    state: Path
    storage_alias: str = ""
    port: int = 0
    identity_header: str = "local"
    nodes: int = 4
    deduplicate: bool = False
    page_size: int = 30
    faults: Plan = field(default_factory=Plan)


async def serve(options: Options, ready: Callable[[str], None], stop: asyncio.Event) -> None:
    """Serve until `stop` is set; `ready` is called with the base address. Leaves no process behind."""
    async with _service(options) as service:
        application = web.Application(middlewares=[misbehaving(service.faults), answer_refusals])
        for plane in (ScoringPlane(service), MfePlane(service), ControlPlane(service), ArmPlane(service)):
            application.add_routes(plane.routes())
        application.add_routes(identity.routes(service.tokens))
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", options.port).start()
            service.cluster.resume()
            ready("http://{}:{}".format(*runner.addresses[0]))
            await stop.wait()
        finally:
            await runner.cleanup()


@asynccontextmanager
async def _service(options: Options) -> AsyncIterator[Service]:
    """The service with its files and connections open."""
    options.state.mkdir(parents=True, exist_ok=True)
    storage = Storage(options.storage, options.storage_alias)
    store = JobStore(options.state / "jobs.sqlite")
    cluster = Cluster(store, options.endpoints, storage, options.state, options.nodes, options.faults)
    try:
        await storage.open()
        yield Service(
            endpoints=options.endpoints,
            store=store,
            cluster=cluster,
            storage=storage,
            tokens=Tokens(options.identity_header),
            deduplicate=options.deduplicate,
            page_size=options.page_size,
            faults=options.faults,
        )
    finally:
        await cluster.close()
        await storage.close()
        store.close()


class AzureMLEmulator:
    """The emulator in a thread of its own, as a context manager.

    On entering, it listens; on leaving, its processes are gone and unfinished jobs wait in `state`.
    """

    workspace = WORKSPACE_ID

    def __init__(
        self,
        folders: Iterable[Path],
        storage: str,
        state: Path,
        *,
        port: int = 0,
        identity_header: str = "local",
        nodes: int = 4,
        deduplicate: bool = False,
        page_size: int = 30,
    ) -> None:
        self._options = Options(
            endpoints=read_endpoints(folders),
            storage=storage,
            state=state,
            port=port,
            identity_header=identity_header,
            nodes=nodes,
            deduplicate=deduplicate,
            page_size=page_size,
        )
        self._address: Future[str] = Future()
        self._thread = threading.Thread(target=self._run, name="azureml emulator")

    @property
    def url(self) -> str:
        """The base address."""
        return self._address.result()

    @property
    def identity_header(self) -> str:
        """The secret a client of the identity endpoint sends (IDENTITY_HEADER)."""
        return self._options.identity_header

    def scoring_url(self, endpoint: str) -> str:
        """Where an endpoint is invoked."""
        return scoring_uri(self.url, endpoint)

    def token(self, audience: str, lifetime: int = 3600) -> str:
        """A token for `audience`, as the identity endpoint gives out; a negative lifetime has passed."""
        return Tokens(self.identity_header).issue(audience, lifetime)

    def __enter__(self) -> Self:
        self._thread.start()
        self._address.result()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except Exception as error:
            if self._address.done():
                raise
            self._address.set_exception(error)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        await serve(self._options, self._address.set_result, self._stop)

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
from .addresses import Places
from .all_kinds import kind_of, work_of
from .arm import ArmPlane
from .assets import Assets
from .batch_kinds import scoring_uri
from .blobs import Storage
from .cluster import Cluster
from .control import ControlPlane
from .deployments import Catalogue
from .folders import read_folders
from .history import HistoryPlane
from .identity import Tokens
from .jobs import JobStore
from .mfe import MfePlane
from .online_scoring import OnlineScoringPlane
from .online_serving import OnlineServing
from .operations import Operations
from .reading import InvalidBody
from .refusals import answer_refusals
from .request_log import RequestLog
from .resources import FOLDER, Resource, ResourceStore
from .scoring import ScoringPlane
from .service import Service
from .uploads import uploaded
from .workspace import ARTIFACT_DATASTORE, DATASTORE, DATASTORE_CONTAINER, WORKSPACE_ID
from .yaml_reading import DeploymentError


@dataclass(frozen=True, kw_only=True)
class Options:
    """What an emulator is started with.

    `resources` are those of the folders served, `storage` is a connection string, `storage_alias` another address of
    that account, `state` a folder of its own, `port` 0 a free one, `deduplicate` whether a repeated repeatability id
    gives the job made for it (unknown in Azure), `provisioning` how many seconds it takes at least to make or change a
    resource, `faults` what goes wrong.
    """

    resources: list[Resource]
    storage: str
    state: Path
    storage_alias: str = ""
    port: int = 0
    identity_header: str = "local"
    deduplicate: bool = False
    page_size: int = 30
    provisioning: float = 0.2
    faults: Plan = field(default_factory=Plan)


async def serve(options: Options, ready: Callable[[str], None], stop: asyncio.Event) -> None:
    """Serve until `stop` is set; `ready` is called with the base address. Leaves no process behind."""
    async with _service(options) as service:
        log = RequestLog()
        middlewares = [misbehaving(service.faults), log.middleware(), answer_refusals]
        application = web.Application(middlewares=middlewares)
        application.add_routes(log.routes())
        planes = (ScoringPlane, OnlineScoringPlane, MfePlane, HistoryPlane, ControlPlane, ArmPlane)
        for plane in planes:
            application.add_routes(plane(service).routes())
        application.add_routes(identity.routes(service.tokens))
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", options.port).start()
            service.base = "http://{}:{}".format(*runner.addresses[0])
            service.online.resume()
            service.operations.resume()
            service.cluster.resume()
            ready(service.base)
            await stop.wait()
        finally:
            await runner.cleanup()


@asynccontextmanager
async def _service(options: Options) -> AsyncIterator[Service]:
    """The service with its files and connections open."""
    options.state.mkdir(parents=True, exist_ok=True)
    storage = Storage(options.storage)
    resources = ResourceStore(options.state / "resources.sqlite")
    store = JobStore(options.state / "jobs.sqlite")
    places = Places(resources, storage.url, options.storage_alias)
    assets = Assets(storage, places, options.state / "assets")
    catalogue = Catalogue(resources, assets)
    service = Service(
        resources=resources,
        operations=Operations(
            resources, lambda resource: work_of(service, resource), pause=options.provisioning
        ),
        places=places,
        assets=assets,
        catalogue=catalogue,
        online=OnlineServing(resources, assets, catalogue, options.state),
        store=store,
        cluster=Cluster(store, resources, catalogue, storage, places, options.state, options.faults),
        storage=storage,
        tokens=Tokens(options.identity_header),
        deduplicate=options.deduplicate,
        page_size=options.page_size,
        faults=options.faults,
    )
    try:
        await storage.open()
        kept = [await uploaded(storage, resource) for resource in options.resources]
        serve_resources(service, [*default_datastores(storage.account), *kept])
        yield service
    finally:
        await service.operations.close()
        await service.online.close()
        await service.cluster.close()
        await storage.close()
        store.close()
        resources.close()


def serve_resources(service: Service, resources: Iterable[Resource]) -> None:
    """Make the resources of the folders, in the place of what they held at the last start.

    Raises DeploymentError for what the service would not take.
    """
    service.resources.forget(FOLDER)
    for resource in resources:
        try:
            service.resources.put(kind_of(service, resource).checked(resource))
        except InvalidBody as error:
            raise DeploymentError(f"{resource.path}: {error}") from None


def default_datastores(account: str) -> list[Resource]:
    """The datastores that every workspace has."""
    properties = {
        "datastoreType": "AzureBlob",
        "accountName": account,
        "containerName": DATASTORE_CONTAINER,
        "credentials": {"credentialsType": "AccountKey"},
    }
    names = (DATASTORE, ARTIFACT_DATASTORE)
    return [Resource(path=f"datastores/{name}", properties=properties, origin=FOLDER) for name in names]


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
        provisioning: float = 0.2,
    ) -> None:
        self._options = Options(
            resources=read_folders(folders, nodes),
            storage=storage,
            state=state,
            port=port,
            identity_header=identity_header,
            deduplicate=deduplicate,
            page_size=page_size,
            provisioning=provisioning,
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

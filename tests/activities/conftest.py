"""An app whose containers are the test's own, and an emulated workspace shared by the session."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import RLock
from typing import Any

import pytest
from azure.storage.blob import BlobServiceClient, ContainerClient

from activities import inbox, runs
from activities.inbox import arrive
from activities.runs import authenticate, kick
from local.azureml.server import AzureMLEmulator
from shared import clients, current_routes
from shared.ledger import Ledger
from shared.names import bare_etag, new_run
from shared.records import Launch, Run, Version, timestamp
from shared.routes import Route, Routes
from shared.settings import CONTAINERS
from tests.simulation.storage import Account, Disk

MODELS = Path(__file__).parent.parent / "e2e" / "models"
ONE_ROW = "id,x\na,1\n"
CACHED = (clients.settings, clients.credential, clients.storage, clients.ledger, clients.kept, clients.http)


@pytest.fixture(scope="session")
def emulator(azurite_connection: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AzureMLEmulator]:
    with AzureMLEmulator([MODELS], azurite_connection, tmp_path_factory.mktemp("azureml")) as emulator:
        yield emulator


class App:
    """The app's view of storage, with what a test needs to set a run up and look at it."""

    def __init__(self, emulator: AzureMLEmulator) -> None:
        self.emulator = emulator
        self.ledger: Ledger = clients.ledger()
        self.ahead = timedelta()

    def now(self) -> datetime:
        """The app's time: the storage's, unless the test has slept."""
        return datetime.now(UTC) + self.ahead

    def sleep(self, **time: float) -> None:
        self.ahead += timedelta(**time)

    def container(self, name: str) -> ContainerClient:
        return clients.container(name)

    def drop(self, name: str, data: str | bytes) -> Version:
        """Uploads a file into the inbox and returns the version it made."""
        blob = self.container("inbox").get_blob_client(name)
        blob.upload_blob(data, overwrite=True)
        seen = blob.get_blob_properties()
        return Version(
            container=self.container("inbox").container_name,
            blob=name,
            etag=bare_etag(seen.etag),
            modified=timestamp(seen.last_modified),
            size=seen.size,
            route=name.split("/")[0],
        )

    def wait(self, *names: str, data: str = ONE_ROW) -> list[Version]:
        """Drops files that then wait for a run."""
        versions = [self.drop(name, data) for name in names]
        assert all(arrive(name) for name in names)
        return versions

    def route(self, **changes: object) -> Route:
        values = {
            "name": "double",
            "pattern": "double/*.csv",
            "model": self.emulator.scoring_url("double"),
            "send": ("x",),
            "carry": ("id",),
            "columns": {"x": "number"},
            "predictions": ("twice",),
        }
        return Route.from_dict({**values, **changes})

    def named(self, **changes: object) -> Route:
        """A route whose raw predictions name their file, so that files share jobs."""
        own = {"name": "named", "pattern": "named/*.csv", "model": self.emulator.scoring_url("named")}
        return self.route(**{**own, "match": "file", **changes})

    def set_routes(self, *routes: Route) -> None:
        """Puts routes in force."""
        current_routes.loaded.routes = Routes(tuple(routes))
        current_routes.loaded.at = float("inf")

    def begun(self, route: Route, *names: str) -> Launch:
        """A run that has got the route's slot because of these files, and has authenticated."""
        self.set_routes(route)
        self.wait(*names)
        [launch] = kick(route)
        assert authenticate(launch.to_dict())
        return launch

    def opened(self, *versions: Version, route: Route | None = None, force: bool = False) -> Launch:
        """A run that has gathered these versions."""
        route = route or self.route()
        launch = Launch(run=new_run(self.now()), launch=1, route=route.name, slot=0, force=force)
        self.ledger.open(launch, route)
        self.ledger.bring_plan(launch.run, list(versions))
        claimed = [self.ledger.claim(launch.run, version) for version in versions]
        self.ledger.seal(launch.run, [version for version in claimed if version])
        self.ledger.gathered(launch, len(versions))
        return launch

    def run(self, launch: Launch) -> Run:
        run = self.ledger.run(launch.run)
        assert run is not None
        return run

    def read(self, container: str, name: str) -> bytes:
        return self.container(container).download_blob(name).readall()

    def names(self, container: str, prefix: str = "") -> list[str]:
        return sorted(self.container(container).list_blob_names(name_starts_with=prefix))

    def exists(self, container: str, name: str) -> bool:
        return self.container(container).get_blob_client(name).exists()


@pytest.fixture
def app(azurite_connection: str, emulator: AzureMLEmulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[App]:
    own = new_run(datetime.now(UTC)).lower()
    environment = {
        "DROPSCORE_STORAGE": azurite_connection,
        "DROPSCORE_ARM_URL": emulator.url,
        "DROPSCORE_WORKSPACE": emulator.workspace,
        "DROPSCORE_SEARCH_WINDOW": "0s",
        "IDENTITY_ENDPOINT": f"{emulator.url}/msi/token",
        "IDENTITY_HEADER": emulator.identity_header,
        **{f"DROPSCORE_{name.upper()}": f"{name}-{own}" for name in CONTAINERS},
    }
    for key, value in environment.items():
        monkeypatch.setenv(key, value)
    reset()
    with BlobServiceClient.from_connection_string(azurite_connection) as service:
        for name in CONTAINERS:
            service.create_container(f"{name}-{own}")
    app = App(emulator)
    monkeypatch.setattr(clients, "now", app.now)
    yield app
    clients.storage().close()
    clients.http().close()
    reset()


@contextmanager
def in_memory(app: App) -> Iterator[App]:
    """The same app on an account in memory that keeps Azure's rules where Azurite does not."""
    one_at_a_time = RLock()

    def gate(call: str, effect: Callable[[], Any]) -> Any:
        with one_at_a_time:
            return effect()

    account = Account(Disk(lambda: clients.now()), gate, account_name=str(clients.storage().account_name))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clients, "storage", lambda: account)
        clients.ledger.cache_clear()
        clients.kept.cache_clear()
        chosen = App(app.emulator)
        patch.setattr(clients, "now", chosen.now)
        yield chosen
    clients.ledger.cache_clear()
    clients.kept.cache_clear()


def reset() -> None:
    """Forgets everything a process keeps, as a fresh one would."""
    runs.sweep_watch.looked_at = runs.NEVER
    inbox.unusable_names.told_at = inbox.NEVER
    for built in CACHED:
        built.cache_clear()
    current_routes.loaded.routes, current_routes.loaded.etag = None, ""
    current_routes.loaded.at = -current_routes.FRESH_FOR

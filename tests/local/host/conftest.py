"""Fixtures of the host's tests: one running host per sample app and session."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
from azure.storage.blob import BlobServiceClient

from tests.local.host.harness import APPS, DurableApi, HostProcess, LoopThread, RunningHost, free_port

SDK_WARNINGS = (
    "ignore:.*without expected_type",
    "ignore:Potential duplicate Task completion",
    "ignore:azure.functions Durable JSON codec reconstructed",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the SDK warn: with warnings as errors they would fail the orchestrations under test."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            for warning in SDK_WARNINGS:
                item.add_marker(pytest.mark.filterwarnings(warning))


@pytest.fixture(scope="session")
def loop() -> Iterator[LoopThread]:
    """The event loop of all hosts in this process."""
    with LoopThread() as thread:
        yield thread


@pytest.fixture(scope="session")
def counters(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder in which the sample apps count their calls."""
    folder = tmp_path_factory.mktemp("counters")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COUNTERS", str(folder))
        yield folder


@pytest.fixture(scope="session")
def durable_host(
    loop: LoopThread, counters: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningHost]:
    """A running host of the app `durable`."""
    with (
        pytest.MonkeyPatch.context() as patch,
        RunningHost(loop, APPS / "durable", tmp_path_factory.mktemp("state")) as host,
    ):
        patch.setenv("HOST_URL", host.url)
        yield host


@pytest.fixture(scope="session")
def durable(durable_host: RunningHost) -> DurableApi:
    """The durable HTTP API of the app `durable`."""
    return DurableApi(durable_host.url, durable_host.session)


@pytest.fixture(scope="session")
def blob_service(azurite_connection: str) -> Iterator[BlobServiceClient]:
    """A client of the session's storage."""
    with BlobServiceClient.from_connection_string(azurite_connection) as service:
        yield service


@pytest.fixture(scope="session")
def triggers_host(
    loop: LoopThread, counters: Path, azurite_connection: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningHost]:
    """A running host of the app `triggers`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AzureWebJobs.disabled.Disabled", "true")
        patch.setenv("SAMPLE_INBOX", "host-inbox")
        patch.setenv("SAMPLE_SCHEDULE", "0 0 0 1 1 *")
        patch.setenv("SAMPLE_STORAGE", azurite_connection)
        with RunningHost(loop, APPS / "triggers", tmp_path_factory.mktemp("state")) as host:
            yield host


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., HostProcess]]:
    """Start hosts on one state directory; those still running at the end are killed."""
    hosts: list[HostProcess] = []

    def start_one(app: Path = APPS / "durable", port: int | None = None, **settings: str) -> HostProcess:
        hosts.append(HostProcess(tmp_path, app, port or free_port(), **settings))
        return hosts[-1]

    yield start_one
    for host in hosts:
        host.close()


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        yield session

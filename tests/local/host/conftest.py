"""Fixtures of the host's tests: one running host per sample app and session, and storage for its triggers."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from azure.storage.blob import BlobServiceClient

from tests.local.host.harness import APPS, DurableApi, LoopThread, RunningHost, answers, free_port, wait_until

SDK_WARNINGS = ("ignore:.*without expected_type", "ignore:Potential duplicate Task completion")
AZURITE = Path(__file__).parents[3] / ".local/azurite-probe/node_modules/.bin/azurite"
ACCOUNT_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


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
    with RunningHost(loop, APPS / "durable", tmp_path_factory.mktemp("state")) as host:
        yield host


@pytest.fixture(scope="session")
def durable(durable_host: RunningHost) -> DurableApi:
    """The durable HTTP API of the app `durable`."""
    return DurableApi(durable_host.url, durable_host.session)


@pytest.fixture(scope="session")
def blob_storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The connection string of an Azurite of the session's own."""
    node = shutil.which("node")
    if node is None or not AZURITE.exists():
        pytest.skip(f"needs node and Azurite at {AZURITE}")
    port = free_port()
    options = ["--disableTelemetry", "--skipApiVersionCheck", "--silent", "--inMemoryPersistence"]
    services = ["--blobHost", "127.0.0.1", "--blobPort", str(port)]
    # The other two services are unused; port 0 lets the system choose theirs.
    unused = ["--queueHost", "127.0.0.1", "--queuePort", "0", "--tableHost", "127.0.0.1", "--tablePort", "0"]
    command = [node, str(AZURITE), *options, *services, *unused]
    process = subprocess.Popen(command, cwd=tmp_path_factory.mktemp("azurite"), stdout=subprocess.DEVNULL)
    wait_until(lambda: answers(port), "Azurite")
    yield (
        f"DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey={ACCOUNT_KEY};"
        f"BlobEndpoint=http://127.0.0.1:{port}/devstoreaccount1;"
    )
    process.terminate()
    process.wait()


@pytest.fixture(scope="session")
def blob_service(blob_storage: str) -> Iterator[BlobServiceClient]:
    """A client of the session's storage."""
    with BlobServiceClient.from_connection_string(blob_storage) as service:
        yield service


@pytest.fixture(scope="session")
def triggers_host(
    loop: LoopThread, counters: Path, blob_storage: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningHost]:
    """A running host of the app `triggers`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SAMPLE_INBOX", "inbox")
        patch.setenv("SAMPLE_SCHEDULE", "0 0 0 1 1 *")
        patch.setenv("SAMPLE_STORAGE", blob_storage)
        with RunningHost(loop, APPS / "triggers", tmp_path_factory.mktemp("state")) as host:
            yield host

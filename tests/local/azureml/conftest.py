"""An Azurite for the session, an emulator for each test, and a client that speaks to it as the app does."""

import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from local.azureml.server import AzureMLEmulator

from .client import Client, Serve
from .scripts import CAPITALS, write_deployment

_ROOT = Path(__file__).parents[3]
_AZURITE = next((_ROOT / ".local").glob("*/node_modules/.bin/azurite"), None)
_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The connection string of a storage emulator."""
    if _AZURITE is None or shutil.which("node") is None:
        pytest.skip("Azurite is not installed")
    port, location = _free_port(), tmp_path_factory.mktemp("azurite")
    command = ["node", str(_AZURITE), "--disableTelemetry", "--skipApiVersionCheck", "--silent"]
    command += ["--blobHost", "127.0.0.1", "--blobPort", str(port), "--location", str(location)]
    command += ["--queuePort", str(_free_port()), "--tablePort", str(_free_port())]
    with subprocess.Popen(command) as process:
        _wait_for(port)
        yield (
            f"DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey={_KEY};"
            f"BlobEndpoint=http://127.0.0.1:{port}/devstoreaccount1;"
        )
        process.send_signal(signal.SIGTERM)


@pytest.fixture
def serve(azurite: str, tmp_path: Path) -> Iterator[Serve]:
    """Starts an emulator whose endpoint `capitals` has the given script and deployment settings."""
    with ExitStack() as stack:

        def start(script: str = CAPITALS, options: dict[str, Any] | None = None, **settings: Any) -> Client:
            folder = write_deployment(tmp_path / "served", script, **settings)
            emulator = AzureMLEmulator([folder], azurite, tmp_path / "state", **(options or {}))
            return Client(stack.enter_context(emulator).url, azurite)

        yield start


@pytest.fixture
def client(serve: Serve) -> Client:
    """A client of an emulator whose endpoint turns files into capitals."""
    return serve()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _wait_for(port: int) -> None:
    for _ in range(600):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError(f"nothing listens on port {port}")

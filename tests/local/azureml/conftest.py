"""An emulator for each test, and a client that speaks to it as the app does."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from local.azureml.server import AzureMLEmulator

from .client import Client, Serve
from .scripts import CAPITALS, write_deployment


@pytest.fixture
def serve(azurite_connection: str, tmp_path: Path) -> Iterator[Serve]:
    """Starts an emulator whose endpoint `capitals` has the given script and deployment settings."""
    with ExitStack() as stack:

        def start(script: str = CAPITALS, options: dict[str, Any] | None = None, **settings: Any) -> Client:
            folder = write_deployment(tmp_path / "served", script, **settings)
            options = {"provisioning": 0.05} | (options or {})
            emulator = AzureMLEmulator([folder], azurite_connection, tmp_path / "state", **options)
            return Client(stack.enter_context(emulator).url, azurite_connection)

        yield start


@pytest.fixture(scope="module")
def lasting(azurite_connection: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A client of an emulator that the tests of a module share; they leave it as it was."""
    folder = write_deployment(tmp_path_factory.mktemp("served"))
    state = tmp_path_factory.mktemp("state")
    with AzureMLEmulator([folder], azurite_connection, state, provisioning=0.05) as emulator:
        yield Client(emulator.url, azurite_connection)


@pytest.fixture
def client(serve: Serve) -> Client:
    """A client of an emulator whose endpoint turns files into capitals."""
    return serve()

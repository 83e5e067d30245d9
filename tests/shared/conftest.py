"""The stores the ledger is tested on; property tests that are the same at every run and have no clock."""

import secrets
from collections.abc import Iterator

import pytest
from azure.storage.blob import BlobServiceClient
from hypothesis import settings

from shared.ledger import Ledger
from shared.store import BlobStore, Store
from tests.shared.ledgers import Clock
from tests.shared.memory_store import MemoryStore

settings.register_profile("dropscore", derandomize=True, deadline=None)
settings.load_profile("dropscore")


@pytest.fixture(scope="session")
def azurite_account(azurite_connection: str) -> Iterator[BlobServiceClient]:
    with BlobServiceClient.from_connection_string(azurite_connection) as account:
        yield account


@pytest.fixture(params=["memory", "azurite"])
def store(request: pytest.FixtureRequest) -> Store:
    """An empty store: one in memory, and a container of Azurite."""
    if request.param == "memory":
        return MemoryStore()
    account: BlobServiceClient = request.getfixturevalue("azurite_account")
    return BlobStore(account.create_container(f"ledger-{secrets.token_hex(8)}"))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(store: Store, clock: Clock) -> Ledger:
    """A ledger on either store, whose time stands still."""
    return Ledger(store, clock)

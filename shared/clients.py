"""Everything that talks to the outside, built once per process on first use: nothing happens at import."""

import os
from functools import cache
from typing import Any

import requests
from azure.core.credentials import TokenCredential
from azure.identity import DefaultAzureCredential
from azure.storage.blob import BlobServiceClient, ContainerClient, ExponentialRetry

from shared.ledger import Ledger
from shared.settings import Settings
from shared.store import BlobStore

CHUNK = 4 * 1024 * 1024


@cache
def settings() -> Settings:
    return Settings.from_env(os.environ)


@cache
def credential() -> TokenCredential:
    """The app's identity: managed on Azure, `az login` on a developer's machine."""
    return DefaultAzureCredential(managed_identity_client_id=os.environ.get("AZURE_CLIENT_ID"))


def token(audience: str) -> str:
    """A bearer token for one audience. azure-identity caches it; it never leaves the activity."""
    return credential().get_token(f"{audience.rstrip('/')}/.default").token


@cache
def storage() -> BlobServiceClient:
    """The account of all containers. Reads come in 4 MiB pieces, so that memory stays flat."""
    options: dict[str, Any] = {
        "max_single_get_size": CHUNK,
        "max_chunk_get_size": CHUNK,
        # The default policy waits 15 s before its first retry, too long inside an activity.
        "retry_policy": ExponentialRetry(
            initial_backoff=1, increment_base=2, retry_total=4, random_jitter_range=1
        ),
    }
    chosen = settings()
    if chosen.storage_connection:
        return BlobServiceClient.from_connection_string(chosen.storage_connection, **options)
    return BlobServiceClient(chosen.storage_uri, credential=storage_identity(chosen), **options)


def storage_identity(chosen: Settings) -> TokenCredential:
    if chosen.storage_client_id == os.environ.get("AZURE_CLIENT_ID", ""):
        return credential()
    return DefaultAzureCredential(managed_identity_client_id=chosen.storage_client_id)


def storage_bearer() -> str | None:
    """The token that lets a server-side copy read its source; None where the account key already does."""
    chosen = settings()
    if chosen.storage_connection:
        return None
    return storage_identity(chosen).get_token("https://storage.azure.com/.default").token


def container(name: str) -> ContainerClient:
    """The client of one container, by its role: `inbox`, `predictions`, `work`, …"""
    return storage().get_container_client(getattr(settings(), name))


@cache
def ledger() -> Ledger:
    return Ledger(BlobStore(container("ledger")))


@cache
def http() -> requests.Session:
    """One session for reads. Looking for proxies and netrc in the environment would cost a third of a call."""
    session = requests.Session()
    session.trust_env = False
    return session

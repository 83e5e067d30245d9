"""Everything that talks to the outside, built once per process on first use: nothing happens at import."""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from datetime import UTC, datetime
from functools import cache
from typing import Any, TypeVar
from urllib.request import getproxies

import requests
from azure.core.credentials import TokenCredential
from azure.identity import DefaultAzureCredential
from azure.storage.blob import BlobServiceClient, ContainerClient

from shared.errors import NotTheOwner
from shared.kept import KEPT_FOR, KEYS_KEPT, Kept
from shared.ledger import Ledger
from shared.records import Owner
from shared.retries import StorageRetry
from shared.settings import Settings
from shared.store import BlobStore

CHUNK = 4 * 1024 * 1024
CALLS_AT_A_TIME = 8
# Seconds, where it is only asked whether somebody is there.
CONNECT_WITHIN, READ_WITHIN = 2, 4
CA_BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")

Item = TypeVar("Item")
Result = TypeVar("Result")


@cache
def settings() -> Settings:
    return Settings.from_env(os.environ)


def now() -> datetime:
    """The time of everything that is no orchestrator (those have their context's)."""
    return datetime.now(UTC)


def in_parallel(work: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """The results in the items' order, from a few threads: storage answers many small calls at a time.

    Raises what the first failing item raised, after the others have ended. Spans go on in the caller's trace.
    """
    listed = list(items)
    if len(listed) < 2:
        return [work(item) for item in listed]
    context = copy_context()
    with ThreadPoolExecutor(CALLS_AT_A_TIME) as threads:
        return list(threads.map(lambda item: context.copy().run(work, item), listed))


@cache
def credential(client_id: str = "") -> TokenCredential:
    """An identity of the app, by default its own: managed on Azure, `az login` on a developer's machine."""
    return DefaultAzureCredential(managed_identity_client_id=client_id or settings().client_id or None)


def token(audience: str) -> str:
    """A bearer token for one audience. azure-identity caches it; it never leaves the activity."""
    return credential().get_token(f"{audience.rstrip('/')}/.default").token


@cache
def storage() -> BlobServiceClient:
    """The account of all containers."""
    chosen = settings()
    if chosen.storage_connection:
        return BlobServiceClient.from_connection_string(chosen.storage_connection, **blob_options())
    identity = credential(chosen.storage_client_id)
    return BlobServiceClient(chosen.storage_uri, credential=identity, **blob_options())


def impatient_storage(identity: TokenCredential | None = None) -> BlobServiceClient:
    """The same account, for who asks whether it is there: one try, a few seconds. The caller closes it."""
    chosen = settings()
    if chosen.storage_connection:
        return BlobServiceClient.from_connection_string(chosen.storage_connection, **one_try())
    identity = identity or credential(chosen.storage_client_id)
    return BlobServiceClient(chosen.storage_uri, credential=identity, **one_try())


def foreign_container(url: str) -> ContainerClient:
    """A container of another account, such as a workspace's, by the app's own identity."""
    return ContainerClient.from_container_url(url, credential(), **blob_options())


def one_try() -> dict[str, Any]:
    """Bounds of a call by which somebody only asks how storage is."""
    return {
        "retry_policy": StorageRetry(0),
        "connection_timeout": CONNECT_WITHIN,
        "read_timeout": READ_WITHIN,
        "use_env_settings": environment_counts(),
    }


def blob_options() -> dict[str, Any]:
    """Reads in 4 MiB pieces, so that memory stays flat; retries that wait as long as storage asks for."""
    return {
        "max_single_get_size": CHUNK,
        "max_chunk_get_size": CHUNK,
        "retry_policy": StorageRetry(),
        "use_env_settings": environment_counts(),
    }


def environment_counts() -> bool:
    """Whether the environment says how to reach others. Looking there at every call is a seventh of a call's CPU."""
    return bool(getproxies()) or any(name in os.environ for name in CA_BUNDLES)


def container(name: str) -> ContainerClient:
    """The client of one container, by its role: `inbox`, `predictions`, `work`, …"""
    return storage().get_container_client(getattr(settings(), name))


@cache
def kept() -> Kept[Any]:
    """What the process has written once of the runs' work."""
    return Kept(KEYS_KEPT, KEPT_FOR, lambda: now())


@cache
def ledger() -> Ledger:
    """The ledger, if it is this app's. Raises NotTheOwner where another task hub works on it."""
    found = Ledger(
        BlobStore(container("ledger")), lambda: now(), lambda work, items: in_parallel(work, items)
    )
    refuse_others(found.owner(settings().owner))
    return found


def refuse_others(standing: Owner) -> None:
    """Raises NotTheOwner unless the ledger is this app's."""
    mine = settings().owner
    if (standing.hub, standing.storage) != (mine.hub, mine.storage):
        raise NotTheOwner(
            f"The ledger in container {settings().ledger} is worked on by the task hub {standing.hub} in the storage "
            f"account {standing.storage}; this app's is {mine.hub} in {mine.storage}. Two hubs would score files "
            "twice: give this app containers of its own, or, if the other app is gone for good, delete owner.json "
            "in that container."
        )


def anybodys_ledger(storage: BlobServiceClient) -> Ledger:
    """The ledger in an account, whoever works on it: for those who only look, or leave signs."""
    return Ledger(BlobStore(storage.get_container_client(settings().ledger)), lambda: now())


@cache
def http() -> requests.Session:
    """One session for reads. Looking for proxies and netrc in the environment would cost a third of a call."""
    session = requests.Session()
    session.trust_env = False
    return session

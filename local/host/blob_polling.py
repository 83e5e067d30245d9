"""Blob triggers of source polling: lists each container and queues what has no receipt under its ETag."""

import asyncio
import logging
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from azure.core.exceptions import AzureError, ResourceNotFoundError
from azure.storage.blob import ContainerClient
from azurefunctions.extensions.bindings.blob.utils import service_client_factory

from local.host.blob_paths import BlobPath
from local.host.blobs import BlobDeliveries
from local.host.indexing import IndexedFunction
from local.host.state import State

INTERVAL = 0.5  # seconds
OUTAGE_PAUSE = 5.0  # seconds
SCHEMA = """
create table if not exists blob_receipts(function text, container text, blob text, etag text,
  primary key(function, container, blob)) without rowid;
"""
logger = logging.getLogger(__name__)


class BlobPolling:
    """Watches the containers of all polling blob triggers."""

    def __init__(self, state: State, functions: list[IndexedFunction], deliveries: BlobDeliveries) -> None:
        self._state = state
        self._functions = functions
        self._deliveries = deliveries
        self._threads = ThreadPoolExecutor(thread_name_prefix="polling")
        state.create(SCHEMA)

    async def run(self) -> None:
        """Poll for ever; cancel to stop."""
        async with asyncio.TaskGroup() as group:
            for function in self._functions:
                group.create_task(self._watch(function))

    async def _watch(self, function: IndexedFunction) -> None:
        path = BlobPath(function.spec["path"])
        receipts = self._receipts(function, path.container)
        service = service_client_factory(function.spec["connection"])
        with service, service.get_container_client(path.container) as container:
            while True:
                await asyncio.sleep(await self._scan(function, path, container, receipts))

    async def _scan(
        self, function: IndexedFunction, path: BlobPath, container: ContainerClient, receipts: dict[str, str]
    ) -> float:
        """Offer what is new in the container; returns how many seconds to wait before the next scan."""
        started, loop = time.monotonic(), asyncio.get_running_loop()
        try:
            listing = await loop.run_in_executor(self._threads, _listing, container)
        except AzureError as error:
            # As the real host: the listener outlives an outage of its storage.
            logger.warning("container %s cannot be listed, will try again: %s", path.container, error)
            return OUTAGE_PAUSE
        self._offer(function, path, listing, receipts)
        return max(INTERVAL, 2 * (time.monotonic() - started))

    def close(self) -> None:
        """Stop the threads that list containers."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _receipts(self, function: IndexedFunction, container: str) -> dict[str, str]:
        statement = "select blob, etag from blob_receipts where function=? and container=?"
        return dict(self._state.execute(statement, function.name, container))

    def _offer(
        self, function: IndexedFunction, path: BlobPath, listing: Mapping[str, str], receipts: dict[str, str]
    ) -> None:
        new = {
            blob: etag
            for blob, etag in listing.items()
            if receipts.get(blob) != etag and path.matches(path.container, blob)
        }
        if not new:
            return
        with self._state.transaction():
            self._state.execute_many(
                "insert or replace into blob_receipts values(?,?,?,?)",
                [(function.name, path.container, blob, etag) for blob, etag in new.items()],
            )
            self._deliveries.queue(function, path.container, list(new))
        receipts.update(new)
        self._deliveries.wake()


def _listing(container: ContainerClient) -> dict[str, str]:
    """Return name and ETag of every blob; nothing while the container is missing."""
    try:
        return {blob.name: blob.etag for blob in container.list_blobs(retry_total=0)}
    except ResourceNotFoundError:
        return {}

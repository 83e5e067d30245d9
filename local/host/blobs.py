"""Blob triggers: the durable queue of blobs to offer to functions, with retries and a poison record."""

import asyncio
import logging
import time
from dataclasses import dataclass

from azure.core.exceptions import AzureError

from local.host.blob_content import exists
from local.host.doorbell import Doorbell
from local.host.indexing import IndexedFunction
from local.host.invocation import Worker, blob_datum
from local.host.poison import POISON_QUEUE, put
from local.host.state import State
from local.host.work import RunningWork

RETRY_PAUSE = 1.0  # seconds, times the attempt

SCHEMA = """
create table if not exists blob_deliveries(number integer primary key autoincrement, function text,
  container text, blob text, attempts integer default 0, due real);
create table if not exists poison(number integer primary key autoincrement, queue text, function text,
  container text, blob text, error text, at real);
"""
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Delivery:
    """One blob to offer to one function."""

    number: int
    function: str
    container: str
    blob: str
    attempts: int


class BlobDeliveries:
    """Offers queued blobs to their functions: at least once, at most `attempts` times, then they are poisoned."""

    def __init__(
        self, state: State, worker: Worker, work: RunningWork, *, attempts: int = 5, concurrent: int = 8
    ) -> None:
        self._attempts = attempts
        self._concurrent = concurrent
        self._state = state
        self._worker = worker
        self._work = work
        self._running: set[int] = set()
        self._bell = Doorbell()
        state.create(SCHEMA)

    def queue(self, function: IndexedFunction, container: str, blobs: list[str]) -> None:
        """Write deliveries; run inside a transaction, then call `wake`."""
        self._state.execute_many(
            "insert into blob_deliveries(function, container, blob, due) values(?,?,?,?)",
            [(function.name, container, blob, time.time()) for blob in blobs],
        )

    def wake(self) -> None:
        """Look at the queue again."""
        self._bell.ring()

    async def run(self) -> None:
        """Deliver for ever; cancel to stop taking work."""
        while True:
            now = time.time()
            for delivery in self._due(now):
                if delivery.number not in self._running and len(self._running) < self._concurrent:
                    self._running.add(delivery.number)
                    self._work.start(self._deliver(delivery))
            await self._bell.wait(until=self._next_due(now))

    def _due(self, now: float) -> list[Delivery]:
        statement = (
            "select number, function, container, blob, attempts from blob_deliveries where due<=? "
            "order by due, number limit ?"
        )
        rows = self._state.execute(statement, now, self._concurrent + len(self._running))
        return [Delivery(*row) for row in rows]

    def _next_due(self, now: float) -> float | None:
        due: float | None = self._state.execute("select min(due) from blob_deliveries where due>?", now)[0][0]
        return due

    async def _deliver(self, delivery: Delivery) -> None:
        try:
            function = self._worker.functions.get(delivery.function)
            if function is not None:
                await self._offer(function, delivery)
            self._remove(delivery)
        except Exception as error:
            logger.exception(
                "blob function %s failed on %s/%s (attempt %d of %d)",
                *(delivery.function, delivery.container, delivery.blob),
                *(delivery.attempts + 1, self._attempts),
            )
            await self._postpone(delivery, error)
        finally:
            self._running.discard(delivery.number)
            self.wake()

    async def _offer(self, function: IndexedFunction, delivery: Delivery) -> None:
        place = (function.spec["connection"], delivery.container, delivery.blob)
        if function.binds_content and not await asyncio.to_thread(exists, *place):
            logger.info(
                "blob %s/%s is gone: %s is not called", delivery.container, delivery.blob, function.name
            )
            return
        await self._worker.invoke(function, blob_datum(*place))

    def _remove(self, delivery: Delivery) -> None:
        self._state.execute("delete from blob_deliveries where number=?", delivery.number)

    async def _postpone(self, delivery: Delivery, error: Exception) -> None:
        attempts = delivery.attempts + 1
        if attempts < self._attempts:
            self._state.execute(
                "update blob_deliveries set attempts=?, due=? where number=?",
                *(attempts, time.time() + attempts * RETRY_PAUSE, delivery.number),
            )
            return
        where = await self._poison(delivery)
        with self._state.transaction():
            self._remove(delivery)
            self._state.execute(
                "insert into poison(queue, function, container, blob, error, at) values(?,?,?,?,?,?)",
                *(
                    POISON_QUEUE,
                    delivery.function,
                    delivery.container,
                    delivery.blob,
                    repr(error),
                    time.time(),
                ),
            )
        logger.error(
            "blob %s/%s failed %d times in function %s and is now in %s",
            *(delivery.container, delivery.blob, self._attempts, delivery.function, where),
        )

    async def _poison(self, delivery: Delivery) -> str:
        """Put the message about a blob into the poison queue; returns where the blob is to be looked for."""
        connection = self._worker.functions[delivery.function].spec["connection"]
        place = (delivery.function, delivery.container, delivery.blob)
        try:
            await asyncio.to_thread(put, connection, *place)
        except (AzureError, ValueError) as problem:
            logger.warning("the queue %s takes no message: %s", POISON_QUEUE, problem)
            return "the table poison of the host's state"
        return POISON_QUEUE

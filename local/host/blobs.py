"""Blob triggers: the durable queue of blobs to offer to functions, with retries and a poison record."""

import logging
import time
from dataclasses import dataclass

from local.host.doorbell import Doorbell
from local.host.indexing import IndexedFunction
from local.host.invocation import Worker, blob_datum
from local.host.state import State
from local.host.work import RunningWork

MAX_ATTEMPTS = 5
MAX_CONCURRENT = 8
RETRY_PAUSE = 1.0  # seconds, times the attempt
POISON_QUEUE = "webjobs-blobtrigger-poison"

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
    """Offers queued blobs to their functions: at least once, at most five times, then they are poisoned."""

    def __init__(self, state: State, worker: Worker, work: RunningWork) -> None:
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
                if delivery.number not in self._running and len(self._running) < MAX_CONCURRENT:
                    self._running.add(delivery.number)
                    self._work.start(self._deliver(delivery))
            await self._bell.wait(until=self._next_due(now))

    def _due(self, now: float) -> list[Delivery]:
        statement = (
            "select number, function, container, blob, attempts from blob_deliveries where due<=? "
            "order by due, number limit ?"
        )
        rows = self._state.execute(statement, now, MAX_CONCURRENT + len(self._running))
        return [Delivery(*row) for row in rows]

    def _next_due(self, now: float) -> float | None:
        due: float | None = self._state.execute("select min(due) from blob_deliveries where due>?", now)[0][0]
        return due

    async def _deliver(self, delivery: Delivery) -> None:
        try:
            function = self._worker.functions.get(delivery.function)
            if function is not None:
                connection = function.spec["connection"]
                datum = blob_datum(connection, delivery.container, delivery.blob)
                await self._worker.invoke(function, datum)
            self._remove(delivery)
        except Exception as error:
            logger.exception(
                "blob function %s failed on %s/%s (attempt %d of %d)",
                *(delivery.function, delivery.container, delivery.blob, delivery.attempts + 1, MAX_ATTEMPTS),
            )
            self._postpone(delivery, error)
        finally:
            self._running.discard(delivery.number)
            self.wake()

    def _remove(self, delivery: Delivery) -> None:
        self._state.execute("delete from blob_deliveries where number=?", delivery.number)

    def _postpone(self, delivery: Delivery, error: Exception) -> None:
        attempts = delivery.attempts + 1
        if attempts < MAX_ATTEMPTS:
            self._state.execute(
                "update blob_deliveries set attempts=?, due=? where number=?",
                *(attempts, time.time() + attempts * RETRY_PAUSE, delivery.number),
            )
            return
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
            *(delivery.container, delivery.blob, MAX_ATTEMPTS, delivery.function, POISON_QUEUE),
        )

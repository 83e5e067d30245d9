"""The nodes of a compute cluster: they come as jobs ask for them, and go when they have been idle for long enough."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from .compute_kind import ClusterSize


class Nodes:
    """The nodes of one cluster. `size` says how many there may be; it may change from call to call."""

    def __init__(self, size: Callable[[], ClusterSize]) -> None:
        self._size = size
        self._busy = 0
        self._idle_since: list[float] = []
        # Jobs get their nodes in the order they asked for them, whatever the number.
        self._turn = asyncio.Lock()
        self._freed = asyncio.Event()

    @property
    def count(self) -> int:
        """The nodes that are up."""
        size, now = self._size(), time.monotonic()
        self._idle_since = [since for since in self._idle_since if now - since < size.idle]
        return max(size.least, self._busy + len(self._idle_since))

    @asynccontextmanager
    async def taken(self, wanted: int) -> AsyncIterator[None]:
        """Waits for as many nodes as are `wanted`, which are busy until the context is left."""
        async with self._turn:
            while self._busy + wanted > self._size().most:
                self._freed.clear()
                await self._freed.wait()
            new = max(0, wanted - (self.count - self._busy))
            self._busy += wanted
        self._idle_since = self._idle_since[wanted - new :]
        try:
            if new:
                await asyncio.sleep(self._size().start)
            yield
        finally:
            self._busy -= wanted
            self._idle_since += [time.monotonic()] * wanted
            self._freed.set()

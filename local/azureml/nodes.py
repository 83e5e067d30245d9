"""The nodes of compute clusters: they come as jobs ask for them, and go when they have been idle for long enough."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from .compute_kind import ClusterSize, cluster_size
from .jobs import JobFailed
from .resources import ResourceStore


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

    def resized(self) -> None:
        """There may be more nodes than before: those who wait look again."""
        self._freed.set()

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


class NodePools:
    """The nodes of every cluster, by its name in any case. Sizes are read from the resources each time."""

    def __init__(self, resources: ResourceStore) -> None:
        self._resources = resources
        self._pools: dict[str, Nodes] = {}

    def count(self, compute: str) -> int:
        """The nodes of a cluster that are up."""
        return self._of(compute).count

    def resized(self, compute: str) -> None:
        """The size of a cluster has changed."""
        self._of(compute).resized()

    @asynccontextmanager
    async def taken(self, compute: str, wanted: int) -> AsyncIterator[None]:
        """Waits for nodes, which are busy until the context is left.

        Raises JobFailed where the cluster has not that many, and where it takes them away before the work is done.
        """
        size = self._size(compute)
        if wanted > size.most:
            raise JobFailed(
                "UserError", f"The job asks for {wanted} nodes; the cluster {compute} has at most {size.most}"
            )
        async with self._of(compute).taken(wanted):
            try:
                async with asyncio.timeout(size.preempt) as work:
                    yield
            except TimeoutError:
                if not work.expired():
                    raise
                raise preempted(compute) from None

    def _of(self, compute: str) -> Nodes:
        key = compute.lower()
        return self._pools.setdefault(key, Nodes(lambda: self._size(key)))

    def _size(self, compute: str) -> ClusterSize:
        resource = self._resources.get(f"computes/{compute}")
        return cluster_size(resource) if resource else ClusterSize(most=0)


def preempted(compute: str) -> JobFailed:
    """What a job says whose low-priority nodes were taken away; the wording of Azure is not known."""
    return JobFailed(
        "JobNodePreempted", f"The low-priority nodes of {compute} that ran the job were preempted"
    )

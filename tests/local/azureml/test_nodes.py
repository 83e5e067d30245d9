"""The nodes of a cluster: how many there are, when they come and go, and what becomes of those who wait."""

import asyncio

from local.azureml.compute_kind import ClusterSize
from local.azureml.nodes import Nodes

from .client import Client, Serve, wait_until

SIZE = ClusterSize(most=2)


def nodes(size: ClusterSize = SIZE) -> Nodes:
    """A cluster of a fixed size."""
    return Nodes(lambda: size)


def test_jobs_wait_for_nodes_in_the_order_they_came() -> None:
    order: list[str] = []

    async def job(cluster: Nodes, name: str, wanted: int, leave: asyncio.Event) -> None:
        async with cluster.taken(wanted):
            order.append(name)
            await leave.wait()

    async def scenario() -> None:
        cluster, leave = nodes(), asyncio.Event()
        async with asyncio.TaskGroup() as group:
            for name, wanted in (("one", 1), ("both", 2), ("small", 1)):
                group.create_task(job(cluster, name, wanted, leave))
            await settled()
            assert order == ["one"]
            leave.set()
        assert order == ["one", "both", "small"]

    asyncio.run(scenario())


def test_nodes_come_as_they_are_needed_and_stay_until_they_have_been_idle() -> None:
    async def scenario() -> None:
        size = ClusterSize(least=0, most=2, idle=600)
        cluster = nodes(size)
        assert cluster.count == 0
        async with cluster.taken(2):
            assert cluster.count == 2
        assert cluster.count == 2
        impatient = nodes(ClusterSize(least=1, most=2, idle=0))
        async with impatient.taken(2):
            assert impatient.count == 2
        assert impatient.count == 1

    asyncio.run(scenario())


def test_only_new_nodes_take_time_to_start() -> None:
    async def scenario() -> None:
        cluster = nodes(ClusterSize(least=1, most=2, start=600))
        async with asyncio.timeout(5), cluster.taken(1):
            pass
        waiting = asyncio.create_task(enter(cluster, 2))
        await settled()
        assert not waiting.done()
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        async with asyncio.timeout(5), cluster.taken(1):
            assert cluster.count >= 1

    asyncio.run(scenario())


def test_a_cluster_that_grows_serves_those_who_wait() -> None:
    async def scenario() -> None:
        sizes = [ClusterSize(most=1)]
        cluster = Nodes(lambda: sizes[-1])
        async with cluster.taken(1), asyncio.TaskGroup() as group:
            waiting = group.create_task(enter(cluster, 1))
            await settled()
            assert not waiting.done()
            sizes.append(ClusterSize(most=2))
            cluster.resized()

    asyncio.run(scenario())


async def enter(cluster: Nodes, wanted: int) -> None:
    """Take nodes and let them go."""
    async with cluster.taken(wanted):
        return


async def settled() -> None:
    """Let every task run until it waits."""
    for _ in range(10):
        await asyncio.sleep(0)


def test_a_job_of_more_nodes_than_its_cluster_has_fails_and_says_so(client: Client) -> None:
    job = client.run({"a.txt": "x"}, compute={"instanceCount": 5})
    assert "asks for 5 nodes; the cluster cpu-cluster has at most 4" in job["error"]["message"]


def test_low_priority_nodes_are_taken_away_as_their_cluster_says(serve: Serve) -> None:
    client = serve(WAITING)
    taken_away(client, {"emulator.preemptAfterSeconds": "0.2"})
    job = client.run({"a.txt": "x"})
    assert (job["error"]["code"], job["properties"]["status"]) == ("JobNodePreempted", "Failed")
    assert "preempted" in job["error"]["message"]


def test_a_plan_takes_the_nodes_of_one_job(client: Client) -> None:
    client.control("faults", {"do": "preempt", "on": "capitals/first"})
    assert "preempted" in client.run({"a.txt": "x"})["error"]["message"]
    assert client.run({"a.txt": "x"})["properties"]["status"] == "Completed"


def test_a_cluster_shows_the_nodes_that_are_up(client: Client) -> None:
    assert nodes_up(client) == 0
    client.run({"a.txt": "x"})
    assert nodes_up(client) == 1


def nodes_up(client: Client) -> int:
    """The nodes that the cluster shows."""
    properties = client.arm("/computes/cpu-cluster").json()["properties"]
    return int(properties["properties"]["currentNodeCount"])


WAITING = """
import time

def init():
    pass

def run(mini_batch):
    time.sleep(600)
"""


def taken_away(client: Client, tags: dict[str, str]) -> None:
    """Make the cluster one of low priority, with tags."""
    properties = client.arm("/computes/cpu-cluster").json()["properties"]
    properties["properties"]["vmPriority"] = "LowPriority"
    client.arm("/computes/cpu-cluster", "PATCH", body={"tags": tags, "properties": properties})
    wait_until(lambda: bool(client.arm("/computes/cpu-cluster").json()["tags"]))

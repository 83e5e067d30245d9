"""Compute clusters as resources."""

from dataclasses import dataclass, replace
from typing import Any

from .clock import iso_duration, now
from .kinds import Kind
from .reading import InvalidBody, integer, one_of, seconds
from .resources import Resource

# What a real cluster has from its machines, a client may ask for by tags of these names, in seconds.
START_TAG = "emulator.startSeconds"
PREEMPT_TAG = "emulator.preemptAfterSeconds"


@dataclass(frozen=True, kw_only=True)
class ClusterSize:
    """How many nodes a cluster has, and when.

    `start` is how long a node takes to come, `idle` how long it stays without work, `preempt` after how many seconds
    of work a low-priority node is taken away (None: never).
    """

    least: int = 0
    most: int = 1
    start: float = 0.0
    idle: float = 120.0
    preempt: float | None = None


def cluster_size(resource: Resource) -> ClusterSize:
    """The size of a compute. Raises InvalidBody."""
    properties = resource.properties.get("properties") or {}
    scale = properties.get("scaleSettings") or {}
    least, most = integer(scale, "minNodeCount", 0) or 0, integer(scale, "maxNodeCount", 0)
    if most is None or least > most:
        raise InvalidBody("scaleSettings must give maxNodeCount, and minNodeCount no greater than it")
    low_priority = str(properties.get("vmPriority")).lower() == "lowpriority"
    preempt = _tag_seconds(resource, PREEMPT_TAG)
    if preempt is not None and not low_priority:
        raise InvalidBody(f"{PREEMPT_TAG} is for clusters of the vmPriority LowPriority")
    return ClusterSize(
        least=least,
        most=most,
        start=_tag_seconds(resource, START_TAG) or 0.0,
        idle=seconds(scale, "nodeIdleTimeBeforeScaleDown", "scaleSettings") or 120.0,
        preempt=preempt,
    )


class Computes(Kind):
    """Clusters (AmlCompute), which run jobs."""

    path = "computes"
    prefix = "compute"

    def checked(self, resource: Resource) -> Resource:
        one_of(resource.properties.get("computeType"), ("AmlCompute",), "computeType")
        cluster_size(resource)
        return resource

    async def provision(self, resource: Resource) -> None:
        self.service.cluster.nodes.resized(resource.name)

    def shown(self, resource: Resource) -> dict[str, Any]:
        nodes = self.service.cluster.nodes.count(resource.name)
        given = resource.properties.get("properties") or {}
        scale = given.get("scaleSettings") or {}
        idle = scale.get("nodeIdleTimeBeforeScaleDown") or iso_duration(120)
        allocation = {
            "scaleSettings": scale | {"nodeIdleTimeBeforeScaleDown": idle},
            "vmSize": given.get("vmSize") or "STANDARD_DS3_V2",
            "vmPriority": given.get("vmPriority") or "Dedicated",
            "osType": given.get("osType") or "Linux",
            "allocationState": "Steady",
            "allocationStateTransitionTime": now(),
            "errors": None,
            "currentNodeCount": nodes,
            "targetNodeCount": nodes,
        }
        own = {"isAttachedCompute": False, "createdOn": resource.created, "modifiedOn": resource.modified}
        return resource.properties | own | {"properties": given | allocation}


def default_compute(name: str, nodes: int, **fields: Any) -> Resource:
    """A cluster for YAML that names one without describing it."""
    scale = {"minNodeCount": 0, "maxNodeCount": nodes, "nodeIdleTimeBeforeScaleDown": iso_duration(120)}
    properties = {"vmSize": "STANDARD_DS3_V2", "vmPriority": "Dedicated", "scaleSettings": scale}
    return replace(
        Resource(path=f"computes/{name}", properties={"computeType": "AmlCompute", "properties": properties}),
        **fields,
    )


def _tag_seconds(resource: Resource, tag: str) -> float | None:
    text = resource.tags.get(tag)
    if text is None:
        return None
    try:
        return float(text)
    except ValueError:
        raise InvalidBody(f"the tag {tag} is {text!r}; it must be a number of seconds") from None

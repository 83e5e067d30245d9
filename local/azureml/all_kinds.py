"""All kinds of resources the workspace has, and what becomes of a resource while an operation runs."""

from .asset_kinds import Codes, Data, Environments, Models
from .batch_kinds import BatchDeployments, BatchEndpoints
from .component_kind import Components
from .compute_kind import Computes
from .datastore_kind import Datastores
from .kinds import Kind
from .online_kinds import OnlineDeployments, OnlineEndpoints
from .operations import Work
from .resources import Resource
from .service import Service

_KINDS: tuple[type[Kind], ...] = (
    *(BatchEndpoints, BatchDeployments, OnlineEndpoints, OnlineDeployments, Computes, Datastores),
    *(Models, Codes, Environments, Data, Components),
)


def kinds(service: Service) -> list[Kind]:
    """One of each."""
    return [kind(service) for kind in _KINDS]


def kind_of(service: Service, resource: Resource) -> Kind:
    """The kind of a resource."""
    return next(kind(service) for kind in _KINDS if kind.path == resource.kind)


def work_of(service: Service, resource: Resource) -> Work:
    """What an operation does to a resource, by the state it is in."""
    kind = kind_of(service, resource)
    return kind.remove if resource.state == "Deleting" else kind.provision

"""What every kind of resources has of its own: which bodies it takes, how it is shown, what it takes to make one."""

from typing import TYPE_CHECKING, Any, ClassVar

from .reading import InvalidBody
from .resources import Resource
from .workspace import path_of

if TYPE_CHECKING:
    from .service import Service


class Kind:
    """A kind of resources at {workspace}/{path}, the names left out of `path`.

    `prefix` begins the names of its long-running operations; None for kinds that are there at once. `frozen` names
    properties that a version keeps once it is made.
    """

    path: ClassVar[str]
    prefix: ClassVar[str | None] = None
    frozen: ClassVar[tuple[str, ...]] = ()

    def __init__(self, service: "Service") -> None:
        self.service = service

    def checked(self, resource: Resource) -> Resource:
        """The resource as it will be kept. Raises InvalidBody for what the service would not take."""
        return resource

    def shown(self, resource: Resource) -> dict[str, Any]:
        """The properties a client sees."""
        return resource.properties

    def check_removal(self, resource: Resource) -> None:
        """Raises InvalidBody for what the service would not delete."""

    async def provision(self, resource: Resource) -> None:
        """Do what it takes to make or update it; done again after a restart. Raises ProvisioningFailed."""

    async def remove(self, resource: Resource) -> None:
        """Do what it takes before it can be forgotten, with all below it."""


def existing(service: "Service", arm_id: object, kind: str, where: str) -> Resource:
    """The resource that a member names by its ARM id. Raises InvalidBody where there is none of that kind."""
    path = path_of(arm_id) if isinstance(arm_id, str) else None
    found = service.resources.get(path) if path else None
    if found is None or found.kind.lower() != kind.lower():
        raise InvalidBody(
            f"{where} {arm_id!r} names nothing in this workspace; give the ARM id of one of its {kind}"
        )
    return found

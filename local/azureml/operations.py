"""Long-running operations of Azure Resource Manager: begun by PUT and DELETE, polled until they are over."""

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

from .clock import now
from .resources import Operation, Resource, ResourceStore
from .workspace import WORKSPACE_GUID

logger = logging.getLogger(__name__)

Work = Callable[[Resource], Awaitable[None]]


class ProvisioningFailed(Exception):
    """A resource could not be made as it was asked for; the message is for its owner."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Operations:
    """Runs what operations stand for; `work_of` says what that is for a resource, by the state it is in.

    `pause` is how many seconds each takes at least, so that clients meet resources that are not ready yet.
    """

    def __init__(self, store: ResourceStore, work_of: Callable[[Resource], Work], pause: float) -> None:
        self._store = store
        self._work_of = work_of
        self._pause = pause
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, prefix: str, resource: Resource) -> str:
        """Start to make, change or delete a resource, as its state says; the operation's name.

        Names are `prefix:workspace:guid`, as in `bebes:…` for batch endpoints.
        """
        name = f"{prefix}:{WORKSPACE_GUID}:{uuid.uuid4()}"
        operation = Operation(name=name, path=resource.path, status=resource.state, started=now())
        self._store.put_operation(operation)
        self._start(operation, resource)
        return name

    def resume(self) -> None:
        """Take up what an earlier emulator left unfinished."""
        for operation in self._store.open_operations():
            resource = self._store.get(operation.path)
            if resource is None:
                self._store.put_operation(operation.ending("Succeeded"))
            else:
                self._start(operation, resource)

    async def close(self) -> None:
        """Stop; what is unfinished can be resumed."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _start(self, operation: Operation, resource: Resource) -> None:
        task = asyncio.create_task(self._run(operation, resource), name=operation.name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, operation: Operation, resource: Resource) -> None:
        await asyncio.sleep(self._pause)
        try:
            await self._work_of(resource)(resource)
        except ProvisioningFailed as failure:
            self._fail(operation, resource, {"code": failure.code, "message": str(failure)})
        except Exception as error:
            logger.exception("%s failed in the emulator itself", resource.path)
            message = f"{type(error).__name__}: {error}"
            self._fail(operation, resource, {"code": "InternalServerError", "message": message})
        else:
            if resource.state == "Deleting":
                self._store.delete(resource.path)
            else:
                self._store.change(resource.path, state="Succeeded", error=None)
            self._store.put_operation(operation.ending("Succeeded"))

    def _fail(self, operation: Operation, resource: Resource, error: dict[str, Any]) -> None:
        self._store.change(resource.path, state="Failed", error=error)
        self._store.put_operation(operation.ending("Failed", error))

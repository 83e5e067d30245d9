"""What clients may do with orchestration instances: start, query, message, end, restart and purge them."""

import json
import time
from collections.abc import Callable, Sequence
from typing import Any
from uuid import uuid4

from local.host.episode import Catalog, did_you_mean
from local.host.instances import Instance, Status, id_problem
from local.host.protocol import EventType, event
from local.host.rewind import rewind
from local.host.store import Store


class InvalidStartError(Exception):
    """A start that names no orchestrator or an impossible id."""


class InstanceExistsError(Exception):
    """A start under the id of an instance that is still live."""


class DurableClient:
    """Client operations on the store; each is one transaction, and wakes the engine."""

    def __init__(
        self,
        store: Store,
        catalog: Catalog,
        wake: Callable[[], None],
        *,
        default_version: str = "",
        replaces_live: bool = False,
    ) -> None:
        """With `replaces_live` a start replaces an instance of its id whatever it is doing."""
        self.store = store
        self._catalog = catalog
        self._wake = wake
        self._default_version = default_version
        self._replaces_live = replaces_live

    def start(
        self, name: str, instance_id: str | None, input_text: str | None, version: str | None = None
    ) -> str:
        """Start an orchestration with `input_text` (JSON) and return its id.

        An ended instance of that id is replaced, as on Azure. Raises InvalidStartError, InstanceExistsError.
        """
        if not self._catalog.knows_orchestrator(name):
            raise InvalidStartError(
                f"The function '{name}' doesn't exist, is disabled, or is not an orchestrator function."
                f"{did_you_mean(self._catalog.orchestrator_like(name))}"
            )
        instance_id = uuid4().hex if instance_id is None else instance_id
        problem = id_problem(instance_id)
        if problem:
            raise InvalidStartError(problem)
        with self.store.state.transaction():
            existing = self.store.instance(instance_id)
            if existing and existing.status.live and not self._replaces_live:
                raise InstanceExistsError(
                    f"An Orchestration instance with the status {existing.status} already exists."
                )
            version = self._default_version if version is None else version
            self.store.create(instance_id, name, version, input_text)
        self._wake()
        return instance_id

    def restart(self, instance: Instance, *, with_new_id: bool) -> str:
        """Start the instance's orchestrator with the same input; returns the id."""
        instance_id = None if with_new_id else instance.instance_id
        return self.start(instance.name, instance_id, instance.input_text, instance.version)

    def raise_event(self, instance: Instance, name: str, data_text: str) -> None:
        """Send an external event; `data_text` is JSON."""
        self._send(instance, EventType.EVENT_RAISED, Name=name, Input=data_text)

    def terminate(self, instance: Instance, reason: str | None) -> None:
        """End the instance at its next episode; its children and running activities go on, as on Azure."""
        self._send(instance, EventType.EXECUTION_TERMINATED, Input=json.dumps(reason))

    def suspend(self, instance: Instance, reason: str | None) -> None:
        """Hold the instance's messages until it is resumed."""
        self._send(instance, EventType.EXECUTION_SUSPENDED, Reason=reason)

    def resume(self, instance: Instance, reason: str | None) -> None:
        """Let a suspended instance go on."""
        self._send(instance, EventType.EXECUTION_RESUMED, Reason=reason)

    def rewind(self, instance: Instance, reason: str | None) -> None:
        """Let a failed instance do again what failed."""
        with self.store.state.transaction():
            rewind(self.store, instance, reason)
        self._wake()

    def purge(self, condition: str, values: Sequence[Any]) -> int:
        """Forget the ended instances that meet an SQL condition; returns how many."""
        live = ", ".join(f"'{status}'" for status in Status if status.live)
        with self.store.state.transaction():
            ended = self.store.instances(f"status not in ({live}) and {condition}", values)
            for instance in ended:
                self.store.delete(instance.instance_id)
        return len(ended)

    def _send(self, instance: Instance, kind: EventType, **fields: Any) -> None:
        with self.store.state.transaction():
            self.store.send(instance.instance_id, event(kind, time.time(), **fields))
        self._wake()

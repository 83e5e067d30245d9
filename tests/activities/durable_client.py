"""A durable client for activities that start orchestrations and look at them."""

import asyncio
from types import SimpleNamespace
from typing import Any

from azure.durable_functions import OrchestrationRuntimeStatus


class Client:
    """Remembers what it was asked to start and to end, and shows the statuses it is told."""

    def __init__(self, **statuses: OrchestrationRuntimeStatus) -> None:
        self.started: dict[str, Any] = {}
        self.notices: dict[str, Any] = {}
        self.trials: dict[str, Any] = {}
        self.sweeps: list[str] = []
        self.terminated: list[str] = []
        self.statuses = statuses

    async def get_status(self, instance_id: str) -> Any:
        return SimpleNamespace(runtime_status=self.statuses.get(instance_id))

    async def start_new(self, name: str, instance_id: str, client_input: Any = None) -> None:
        if name == "sweep":
            self.sweeps.append(instance_id)
            return
        if name == "notify":
            self.notices[instance_id] = client_input
            return
        if name == "trial":
            self.trials[instance_id] = client_input
            return
        assert name == "score_run"
        assert instance_id not in self.started
        self.started[instance_id] = client_input

    async def terminate(self, instance_id: str, reason: str) -> None:
        assert reason
        self.terminated.append(instance_id)


def called(activity: Any, given: Any, client: Client) -> Any:
    """What an activity returns, called as the worker calls it, with the client already bound."""
    function = activity._function.get_user_function().client_function
    return asyncio.run(function(given, client=client))

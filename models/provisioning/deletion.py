"""What is taken away again. Versions of models, environments and data assets stay: Azure ML keeps them."""

from collections.abc import Callable
from typing import Any

from azure.ai.ml import MLClient

from .changes import Outcome, ProvisioningError, say
from .workspace import found, wait


def delete(client: MLClient, kind: str, name: str, endpoint_name: str | None) -> Outcome:
    """Delete a resource and what is below it; nothing is done where it is not there.

    Raises ProvisioningError for a deployment that has live traffic.
    """
    if kind.endswith("deployment") and endpoint_name is None:
        raise ProvisioningError(f"which {kind} {name}? Give its --endpoint_name, too")
    owner = () if endpoint_name is None else (endpoint_name,)
    operations = getattr(client, _OPERATIONS[kind])
    what = f"{kind} {'/'.join((*owner, name))}"
    if found(lambda: operations.get(name, *owner)) is None:
        say(f"{what}: not there")
        return "unchanged"
    if kind == "online-deployment" and endpoint_name is not None:
        _check_traffic(client, endpoint_name, name)
    say(f"{what}: deleting")
    _deletion(operations, what)(name, *owner)
    say(f"{what}: deleted")
    return "deleted"


def _deletion(operations: Any, what: str) -> Callable[..., None]:
    if hasattr(operations, "begin_delete"):
        return lambda *names: wait(what, operations.begin_delete(*names))
    return lambda *names: operations.delete(*names)


def _check_traffic(client: MLClient, endpoint_name: str, name: str) -> None:
    share = client.online_endpoints.get(endpoint_name).traffic.get(name, 0)
    if share:
        raise ProvisioningError(
            f"online-deployment {endpoint_name}/{name} takes {share}% of the traffic; "
            "give that to another with the command traffic first"
        )


_OPERATIONS = {
    "batch-endpoint": "batch_endpoints",
    "batch-deployment": "batch_deployments",
    "online-endpoint": "online_endpoints",
    "online-deployment": "online_deployments",
    "compute": "compute",
    "datastore": "datastores",
}

"""What batch deployments run on and read from: compute clusters and datastores."""

import os
from typing import Any

from azure.ai.ml import MLClient
from azure.ai.ml.entities import AccountKeyConfiguration, AmlCompute, AzureBlobDatastore

from .changes import Outcome, ProvisioningError, ensure, spelt
from .workspace import READY, found, settled, state_of, wait

_COMPUTE = ("size", "min_instances", "max_instances", "idle_time_before_scale_down", "tier", "description")
_DATASTORE = ("account_name", "container_name", "endpoint", "protocol", "description")


def provision_compute(client: MLClient, name: str, **wanted: Any) -> Outcome:
    """A compute cluster. Raises ProvisioningError where another size or tier is asked for: these stay."""
    what = f"compute {name}"
    compute = settled(what, lambda: client.compute.get(name))
    present = compute and {setting: getattr(compute, setting) for setting in _COMPUTE}
    wanted["size"] = spelt(wanted["size"], present, "size")
    for fixed in ("size", "tier"):
        if present and wanted[fixed] not in (None, present[fixed]):
            raise ProvisioningError(
                f"{what}: its {fixed} is {present[fixed]} and cannot change; delete it or name another"
            )

    def put() -> None:
        settings = (present or {}) | {key: value for key, value in wanted.items() if value is not None}
        wait(what, client.compute.begin_create_or_update(AmlCompute(name=name, **settings)))

    return ensure(what, wanted | READY, present and present | state_of(compute), put)


def provision_datastore(
    client: MLClient, name: str, account_key_variable: str | None, **wanted: Any
) -> Outcome:
    """A blob datastore, read and written by identity or, where a variable holds one, with the account's key."""
    store = found(lambda: client.datastores.get(name))
    present = store and {setting: getattr(store, setting) for setting in _DATASTORE}
    key = os.environ.get(account_key_variable or "", "")
    if account_key_variable and not key:
        raise ProvisioningError(f"the environment variable {account_key_variable} is not set")

    def put() -> None:
        settings = (present or {}) | {
            setting: value for setting, value in wanted.items() if value is not None
        }
        credentials = AccountKeyConfiguration(account_key=key) if key else None
        client.datastores.create_or_update(AzureBlobDatastore(name=name, credentials=credentials, **settings))

    return ensure(f"datastore {name}", wanted, present, put)

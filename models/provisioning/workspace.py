"""The workspace that is provisioned: connected to, asked for what it has, waited for."""

import time
from collections.abc import Callable
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any, TypeVar

from azure.ai.ml import MLClient
from azure.ai.ml.exceptions import MlException, ValidationErrorType
from azure.core.exceptions import AzureError, ResourceNotFoundError
from azure.core.polling import LROPoller
from azure.identity import DefaultAzureCredential

from .changes import ProvisioningError, plain, say

_TOLD_EVERY = 15.0
_ASKED_EVERY = 5.0
READY = {"provisioning_state": "succeeded"}
_CHANGING = ("creating", "updating", "deleting", "scaling", "resizing")

Found = TypeVar("Found")


def connect(subscription: str | None, resource_group: str | None, workspace: str | None) -> MLClient:
    """A client of the workspace named, or of the one in config.json (here or above) where none is.

    Signs in as DefaultAzureCredential does: `az login`, a managed identity, or AZURE_CLIENT_ID and the like.
    Raises ProvisioningError where it is not clear which workspace is meant.
    """
    names = (subscription, resource_group, workspace)
    if all(names):
        return MLClient(DefaultAzureCredential(), *names, enable_telemetry=False)
    if any(names):
        raise ProvisioningError(
            "give --subscription, --resource_group and --workspace, all three, or none of them"
        )
    if not any((folder / "config.json").exists() for folder in (Path.cwd(), *Path.cwd().parents)):
        raise ProvisioningError(
            "which workspace? Give --subscription, --resource_group and --workspace, or put the config.json "
            "of the workspace (studio, Download config file) here"
        )
    return MLClient.from_config(DefaultAzureCredential(), enable_telemetry=False)


def found(get: Callable[[], Found]) -> Found | None:
    """What `get` finds; None where the workspace has no such thing."""
    try:
        return get()
    except (AzureError, MlException) as error:
        if _is_missing(error):
            return None
        raise


def _is_missing(error: BaseException | None) -> bool:
    """Whether the service said 404: the SDK says so in another way for each kind of thing, or wraps it."""
    if error is None or isinstance(error, ResourceNotFoundError):
        return error is not None
    if getattr(error, "error_type", None) == ValidationErrorType.RESOURCE_NOT_FOUND:
        return True
    return _is_missing(error.__cause__ or error.__context__)


def settled(what: str, get: Callable[[], Found]) -> Found | None:
    """What `get` finds, once nobody is changing it any more."""
    told = False
    while True:
        thing = found(get)
        state = plain(getattr(thing, "provisioning_state", None))
        if state not in _CHANGING:
            return thing
        if not told:
            say(f"{what}: {state} already, waiting")
        told = True
        time.sleep(_ASKED_EVERY)


def state_of(thing: Any) -> dict[str, str]:
    """The setting that is not as wanted where an earlier attempt has failed."""
    return {"provisioning_state": plain(thing.provisioning_state)}


def wait(what: str, poller: "LROPoller[Found]") -> Found:
    """The end of a long operation, told every few seconds. Raises what it failed with."""
    started = time.monotonic()
    while not poller.done():
        # The SDK prints a dot each time it asks.
        with redirect_stdout(StringIO()):
            poller.wait(_TOLD_EVERY)
        if not poller.done():
            say(f"{what}: {poller.status()}, {time.monotonic() - started:.0f} s")
    return poller.result()

"""The workspace that is provisioned: connected to, asked for what it has, waited for."""

import time
from collections.abc import Callable
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import TypeVar

from azure.ai.ml import MLClient
from azure.ai.ml.exceptions import MlException, ValidationErrorType
from azure.core.exceptions import AzureError, ResourceNotFoundError
from azure.core.polling import LROPoller
from azure.identity import DefaultAzureCredential

from .changes import ProvisioningError, say

_TOLD_EVERY = 15.0

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

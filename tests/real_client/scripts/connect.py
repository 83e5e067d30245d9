"""The real client, pointed at the emulator.

What is changed of it is what has to be for a service on this machine: the address, that the address is not https, and
that the storage account stands in the path of its URL, as Azurite has it.
"""

import json
import os
import sys
from collections.abc import Callable
from typing import Any

import requests
from azure.ai.ml import MLClient
from azure.ai.ml._artifacts import _artifact_utilities
from azure.ai.ml.constants import _common
from azure.core.credentials import AccessToken
from azure.core.pipeline.policies import SansIOHTTPPolicy

from local.azureml.workspace import ARM_AUDIENCE, SUBSCRIPTION, WORKSPACE_ID

BASE, STORAGE = os.environ["EMULATOR_URL"], os.environ["EMULATOR_STORAGE"]


class Credential:
    """Tokens of the emulator's identity endpoint."""

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        """A token for the audience of the first scope."""
        query = {"resource": scopes[0].removesuffix("/.default"), "api-version": "2019-08-01"}
        headers = {"X-IDENTITY-HEADER": "local"}
        answer = requests.get(f"{BASE}/msi/token", params=query, headers=headers, timeout=30).json()
        return AccessToken(answer["access_token"], int(answer["expires_on"]))


class PlainHttp(SansIOHTTPPolicy[Any, Any]):
    """Authorises requests as the client's own policy does, without its rule that addresses are https."""

    def on_request(self, request: Any) -> None:
        request.context.options.pop("enforce_https", None)
        token = Credential().get_token(ARM_AUDIENCE).token
        request.http_request.headers["Authorization"] = f"Bearer {token}"


def connect() -> MLClient:
    """The client. It polls every second instead of every few, and is otherwise as it comes."""
    os.environ["AZUREML_DEV_URL_MFE"] = BASE
    _common.LROConfigurations.POLL_INTERVAL = 1
    for module in (_common, _artifact_utilities):
        module.STORAGE_ACCOUNT_URLS["AzureBlob"] = f"{STORAGE}/{{}}"
    policy = {"authentication_policy": PlainHttp(), "polling_interval": 1}
    return MLClient(Credential(), SUBSCRIPTION, "local", "local", **policy)


def traced(act: Callable[[], Any]) -> tuple[Any, list[str]]:
    """What an act gives, and the requests it made, as `METHOD path` with {WS} for the workspace.

    Requests for tokens are left out.
    """
    requests.delete(f"{BASE}/control/requests", timeout=30)
    result = act()
    seen = requests.get(f"{BASE}/control/requests", timeout=30).json()
    shown = [f"{one['method']} {one['path'].replace(WORKSPACE_ID, '{WS}')}" for one in seen]
    return result, [one for one in shown if not one.endswith("/msi/token")]


def last_invoke() -> dict[str, Any]:
    """The headers and the body of the last invoke."""
    seen = requests.get(f"{BASE}/control/requests", timeout=30).json()
    invoked: dict[str, Any] = [one for one in seen if one["path"].endswith("/jobs") and "body" in one][-1]
    return invoked


def report(**facts: Any) -> None:
    """Print what a test wants to know, as the last line: the client may have left dots on the one before."""
    print()
    json.dump(facts, sys.stdout)

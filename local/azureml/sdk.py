"""The SDK that Azure ML's users know, azure-ai-ml 1.35.2, pointed at an emulator; for environments that have it.

Without TLS it sends no token unless the policy that adds it is given, and it makes up the addresses of storage
accounts itself: both are put right here.
"""

import json
import os
import urllib.request
from pathlib import Path
from typing import Any

from azure.ai.ml import MLClient
from azure.ai.ml.constants._common import STORAGE_ACCOUNT_URLS, LROConfigurations
from azure.core.exceptions import AzureError
from azure.core.pipeline import PipelineRequest
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.identity import ManagedIdentityCredential

from .workspace import ARM_AUDIENCE, DATASTORE, SUBSCRIPTION, WORKSPACE_ID

# Operations take seconds here and minutes on Azure, where the SDK asks every 5 or 30 seconds.
_POLLING_INTERVAL = 1
STACK = Path(".local/up/url.json")


class NoEmulator(Exception):
    """There is no emulator to point the SDK at; the message says what to start."""


class _BearerToken(SansIOHTTPPolicy[Any, Any]):
    """Adds the token for Azure Resource Manager, to addresses without TLS, too."""

    def __init__(self, credential: ManagedIdentityCredential) -> None:
        self._credential = credential

    def on_request(self, request: PipelineRequest[Any]) -> None:
        request.context.options.pop("enforce_https", None)
        request.http_request.headers["Authorization"] = f"Bearer {_arm_token(self._credential)}"


def client_of(url: str) -> MLClient:
    """A client of the emulator at `url`, or where it is empty, of the local stack that is up here or above.

    The identity endpoint's secret is IDENTITY_HEADER, by default the emulator's own default. Raises NoEmulator.
    """
    url, secret = (url, os.environ.get("IDENTITY_HEADER", "local")) if url else _of_the_stack()
    os.environ |= {
        "AZUREML_DEV_URL_MFE": url,
        "IDENTITY_ENDPOINT": f"{url}/msi/token",
        "IDENTITY_HEADER": secret,
    }
    LROConfigurations.POLL_INTERVAL = _POLLING_INTERVAL
    credential = ManagedIdentityCredential()
    try:
        STORAGE_ACCOUNT_URLS["AzureBlob"] = _storage_address(url, credential)
    except (AzureError, OSError) as error:
        raise NoEmulator(f"no emulator answers at {url} to the identity header given: {error}") from error
    group, workspace = WORKSPACE_ID.split("/")[4], WORKSPACE_ID.rpartition("/")[2]
    return MLClient(
        credential,
        SUBSCRIPTION,
        group,
        workspace,
        authentication_policy=_BearerToken(credential),
        polling_interval=_POLLING_INTERVAL,
        enable_telemetry=False,
    )


def _of_the_stack() -> tuple[str, str]:
    for folder in (Path.cwd(), *Path.cwd().parents):
        if (folder / STACK).exists():
            announced = json.loads((folder / STACK).read_text("utf-8"))
            return announced["azureml"], announced["identity_header"]
    raise NoEmulator(f"no local stack is up: there is no {STACK} here or above; start it with `dev.py up`")


def _storage_address(url: str, credential: ManagedIdentityCredential) -> str:
    """The form of the storage account's address, as the emulator's datastore tells it; {} is the account."""
    request = urllib.request.Request(
        f"{url}{WORKSPACE_ID}/datastores/{DATASTORE}?api-version=2023-10-01",
        headers={"Authorization": f"Bearer {_arm_token(credential)}"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        properties = json.load(answer)["properties"]
    return f"{properties['protocol']}://{properties['endpoint']}/{{}}"


def _arm_token(credential: ManagedIdentityCredential) -> str:
    return str(credential.get_token(f"{ARM_AUDIENCE}/.default").token)

"""The real client, pointed at the emulator, and what it asked for."""

import json
import os
import sys
from collections.abc import Callable
from typing import Any

import requests
from azure.ai.ml import MLClient

from local.azureml.sdk import client_of
from local.azureml.workspace import WORKSPACE_ID

BASE, STORAGE = os.environ["EMULATOR_URL"], os.environ["EMULATOR_STORAGE"]


def connect() -> MLClient:
    """The client."""
    return client_of(BASE)


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

"""An online endpoint for tests: its script, the bodies it is made of, and a client that sends it requests."""

import json
from typing import Any

import requests
from azure.storage.blob import BlobServiceClient

from local.azureml.workspace import id_of

from .client import Client, made
from .test_resources import ENVIRONMENT

# Answers with its deployment's colour, or does what it is asked to.
SCRIPT = """
import json, os, time
from pathlib import Path

def init():
    print("ready with", Path(os.environ["AZUREML_MODEL_DIR"], "model", "weights.txt").read_text())
    if os.environ["COLOR"] == "none":
        raise OSError("no color")

def run(raw):
    wish = json.loads(raw)
    if "wait" in wish:
        while not Path(wish["wait"]).exists():
            time.sleep(0.02)
    if "touch" in wish:
        Path(wish["touch"] + "." + os.environ["COLOR"]).touch()
    return {"color": os.environ["COLOR"], "sum": sum(wish["data"])}
"""
ENDPOINT = {"authMode": "Key"}
MODEL = {
    "modelUri": "azureml://datastores/workspaceblobstore/paths/online/model",
    "modelType": "custom_model",
}
CODE = {"codeUri": "azureml://datastores/workspaceblobstore/paths/online/code"}
DEPLOYMENT = {
    "endpointComputeType": "Managed",
    "model": id_of("models/online/versions/1"),
    "codeConfiguration": {"codeId": id_of("codes/online/versions/1"), "scoringScript": "score.py"},
    "environmentId": id_of("environments/online/versions/1"),
    "environmentVariables": {"COLOR": "blue"},
    "instanceType": "Standard_DS3_v2",
    "requestSettings": {"requestTimeout": "PT30S", "maxConcurrentRequestsPerInstance": 1},
    "scaleSettings": {"scaleType": "Default"},
    "appInsightsEnabled": False,
}


def deployment(color: Any = "blue", **more: Any) -> dict[str, Any]:
    """The properties of a deployment that answers with a colour."""
    return DEPLOYMENT | {"environmentVariables": {"COLOR": color}} | more


def with_assets(client: Client) -> Client:
    """Uploads a model and code and registers them, as `online`."""
    with BlobServiceClient.from_connection_string(client.storage) as service:
        container = service.get_container_client("azureml")
        container.upload_blob("online/model/weights.txt", "42", overwrite=True)
        container.upload_blob("online/code/score.py", SCRIPT, overwrite=True)
    made(client, "models/online/versions/1", MODEL)
    made(client, "codes/online/versions/1", CODE)
    made(client, "environments/online/versions/1", ENVIRONMENT)
    return client


def with_endpoint(client: Client, name: str, mode: str = "Key") -> Client:
    """Makes an endpoint whose deployment `blue` takes all requests."""
    made(client, f"onlineEndpoints/{name}", {"authMode": mode})
    made(client, f"onlineEndpoints/{name}/deployments/blue", deployment())
    made(client, f"onlineEndpoints/{name}", {"authMode": mode, "traffic": {"blue": 100}})
    return client


def keys(client: Client, name: str) -> dict[str, str]:
    """The keys of an endpoint."""
    return client.arm(f"/onlineEndpoints/{name}/listKeys", "POST").json()  # type: ignore[no-any-return]


def score(
    client: Client, name: str, wish: object, key: str | None = None, **headers: str
) -> requests.Response:
    """Send a request to an endpoint, with its primary key or another."""
    url = client.arm(f"/onlineEndpoints/{name}").json()["properties"]["scoringUri"]
    bearer = f"Bearer {keys(client, name)['primaryKey'] if key is None else key}"
    sent = {"Authorization": bearer, "Content-Type": "application/json"} | headers
    return requests.post(url, data=json.dumps(wish), headers=sent, timeout=60)

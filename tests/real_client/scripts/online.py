"""What users do with online endpoints through azure-ai-ml: `online.py URL FOLDER`. Its last line is what came of it.

FOLDER holds `model` and `code`. Runs in the SDK's own environment.
"""

import json
import sys
from pathlib import Path
from typing import Any

from azure.ai.ml import MLClient
from azure.ai.ml.entities import (
    CodeConfiguration,
    Environment,
    ManagedOnlineDeployment,
    ManagedOnlineEndpoint,
    Model,
    OnlineRequestSettings,
)
from azure.core.exceptions import HttpResponseError

from local.azureml.sdk import client_of


def main(url: str, folder: Path) -> None:
    """Every mode of authentication with an endpoint of its own, and the whole life of one of them."""
    client = client_of(url)
    request = folder / "request.json"
    request.write_text('{"data": [1, 2, 3]}')
    seen: dict[str, Any] = {"modes": {}}
    for mode in ("key", "aml_token", "aad_token"):
        name = f"sdk-{mode.replace('_', '-')}"
        seen["modes"][mode] = created(client, name, mode, folder) | {"answer": answer(client, name, request)}
    seen["life"] = life(client, "sdk-key", folder, request)
    # On a line of its own: the SDK prints a dot each time it polls.
    sys.stdout.write("\n" + json.dumps(seen))


def created(client: MLClient, name: str, mode: str, folder: Path) -> dict[str, Any]:
    """An endpoint and its deployment `blue`, which takes all requests."""
    endpoint = ManagedOnlineEndpoint(name=name, auth_mode=mode, description=mode)
    made = client.online_endpoints.begin_create_or_update(endpoint).result()
    client.online_deployments.begin_create_or_update(deployment(name, "blue", folder)).result()
    made.traffic = {"blue": 100}
    client.online_endpoints.begin_create_or_update(made).result()
    shown = client.online_endpoints.get(name)
    credentials = client.online_endpoints.get_keys(name)
    return {
        "auth_mode": shown.auth_mode,
        "state": shown.provisioning_state,
        "traffic": shown.traffic,
        "credentials": type(credentials).__name__,
    }


def deployment(endpoint: str, name: str, folder: Path) -> ManagedOnlineDeployment:
    """A deployment of local files, which answers with its name."""
    return ManagedOnlineDeployment(
        name=name,
        endpoint_name=endpoint,
        model=Model(name="sdk-online", path=str(folder / "model")),
        code_configuration=CodeConfiguration(code=str(folder / "code"), scoring_script="score.py"),
        environment=Environment(
            name="sdk-online", image="mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04"
        ),
        environment_variables={"COLOR": name},
        instance_type="Standard_DS3_v2",
        instance_count=1,
        request_settings=OnlineRequestSettings(request_timeout_ms=60_000),
    )


def answer(client: MLClient, name: str, request: Path, **more: Any) -> Any:
    """What an endpoint answers to a request."""
    return json.loads(client.online_endpoints.invoke(name, request_file=str(request), **more))


def life(client: MLClient, name: str, folder: Path, request: Path) -> dict[str, Any]:
    """Everything else, to the end of the endpoint."""
    seen: dict[str, Any] = {}
    before = client.online_endpoints.get_keys(name).primary_key
    client.online_endpoints.begin_regenerate_keys(name, key_type="primary").result()
    seen["key changed"] = client.online_endpoints.get_keys(name).primary_key != before
    green = deployment(name, "green", folder)
    client.online_deployments.begin_create_or_update(green).result()
    endpoint = client.online_endpoints.get(name)
    endpoint.traffic, endpoint.mirror_traffic = {"blue": 100}, {"green": 10}
    mirrored = client.online_endpoints.begin_create_or_update(endpoint).result()
    seen["mirror"] = mirrored.mirror_traffic
    endpoint.traffic, endpoint.mirror_traffic = {"blue": 50, "green": 50}, {}
    client.online_endpoints.begin_create_or_update(endpoint).result()
    seen["split"] = sorted({answer(client, name, request)["color"] for _ in range(30)})
    seen["deployments"] = sorted(one.name for one in client.online_deployments.list(name))
    seen["endpoints"] = sorted(one.name for one in client.online_endpoints.list())
    blue = client.online_deployments.get("blue", name)
    blue.instance_count = 2
    client.online_deployments.begin_create_or_update(blue).result()
    seen["instances"] = client.online_deployments.get("blue", name).instance_count
    seen["logs"] = client.online_deployments.get_logs("blue", name, lines=50)
    seen["failure"] = failure(client, name, folder)
    seen["named"] = answer(client, name, request, deployment_name="green")
    seen["refused"] = refused(lambda: client.online_deployments.begin_delete("green", name).result())
    endpoint.traffic = {"blue": 100, "green": 0}
    client.online_endpoints.begin_create_or_update(endpoint).result()
    client.online_deployments.begin_delete("green", name).result()
    seen["left"] = [one.name for one in client.online_deployments.list(name)]
    client.online_endpoints.begin_delete(name).result()
    seen["endpoints left"] = sorted(one.name for one in client.online_endpoints.list())
    return seen


def failure(client: MLClient, name: str, folder: Path) -> list[Any]:
    """The status and the text of a request that the script cannot answer."""
    bad = folder / "bad.json"
    bad.write_text('{"data": null}')
    try:
        answer(client, name, bad)
    except HttpResponseError as error:
        return [error.status_code, error.message]
    return []


def refused(call: Any) -> str:
    """Why the service does not do something; empty where it does."""
    try:
        call()
    except HttpResponseError as error:
        return str(error.message)
    return ""


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))

"""Online endpoints: made by PUT, opened by keys and tokens, scored, and what they answer when that fails."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
from azure.storage.blob import BlobServiceClient

from local.azureml.server import AzureMLEmulator
from local.azureml.workspace import ARM_AUDIENCE, SCORING_AUDIENCE, id_of

from .client import Client, made, over, put, wait_until
from .online import DEPLOYMENT, ENDPOINT, deployment, keys, score, with_assets, with_endpoint
from .scripts import write_deployment, write_mlflow_deployment

DATA = {"data": [1, 2, 3]}


@pytest.fixture(scope="module")
def workspace(azurite_connection: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A client of a workspace with the online endpoint `shared`, which tests leave as it is."""
    folder = write_deployment(tmp_path_factory.mktemp("served"))
    state = tmp_path_factory.mktemp("state")
    with AzureMLEmulator([folder], azurite_connection, state, provisioning=0.01) as emulator:
        yield with_endpoint(with_assets(Client(emulator.url, azurite_connection)), "shared")


def test_an_endpoint_is_made_without_an_address_and_then_has_one(workspace: Client) -> None:
    answer = put(workspace, "onlineEndpoints/new", ENDPOINT | {"description": "d"})
    assert (answer.status_code, answer.json()["properties"]["scoringUri"]) == (201, None)
    operation = workspace.read(answer.headers["Azure-AsyncOperation"]).json()
    assert operation["name"].startswith("oe:")
    assert over(workspace, answer)["status"] == "Succeeded"
    shown = workspace.arm("/onlineEndpoints/new").json()
    properties = shown["properties"]
    assert shown["kind"] == "Managed"
    assert properties["scoringUri"] == f"{workspace.base}/endpoints/new/score"
    assert (properties["authMode"], properties["traffic"], properties["publicNetworkAccess"]) == (
        "Key",
        {},
        "Enabled",
    )
    assert "key" not in str(properties).lower().replace("'authmode': 'key'", "")
    assert "new" in [one["name"] for one in workspace.arm("/onlineEndpoints").json()["value"]]


def test_a_deployment_is_shown_as_it_was_given_with_what_is_usual(workspace: Client) -> None:
    shown = workspace.arm("/onlineEndpoints/shared/deployments/blue").json()
    assert shown["sku"] == {"name": "Default", "capacity": 1}
    assert shown["properties"]["model"] == DEPLOYMENT["model"]
    assert shown["properties"]["requestSettings"] == {
        "requestTimeout": "PT30S",
        "maxConcurrentRequestsPerInstance": 1,
        "maxQueueWait": "PT0.5S",
    }


def test_the_script_is_run_and_its_deployment_named(workspace: Client) -> None:
    answer = score(workspace, "shared", DATA)
    assert (answer.status_code, answer.json()) == (200, {"color": "blue", "sum": 6})
    assert answer.headers["azureml-model-deployment"] == "blue"
    assert answer.headers["Content-Type"].startswith("application/json")
    named = score(workspace, "shared", DATA, **{"azureml-model-deployment": "blue", "x-request-id": "7"})
    assert (named.status_code, named.headers["x-request-id"]) == (200, "7")


@pytest.mark.full
def test_large_requests_are_taken_and_large_answers_given(workspace: Client) -> None:
    assert score(workspace, "shared", {"data": [1] * 3_000_000}).json()["sum"] == 3_000_000


@pytest.mark.full
@pytest.mark.parametrize(
    "given",
    [
        {"columns": ["word", "x"], "index": [0, 1], "data": [["one", 1], ["two", 2]]},
        [{"x": 1, "word": "one"}, {"x": 2.0, "word": "two"}],
    ],
)
def test_an_mlflow_model_is_served_without_a_script(workspace: Client, given: object, tmp_path: Path) -> None:
    folder = write_mlflow_deployment(tmp_path)
    with BlobServiceClient.from_connection_string(workspace.storage) as service:
        container = service.get_container_client("azureml")
        for file in ("MLmodel", "code/saying.py"):
            container.upload_blob(
                f"online/saying/{file}", (folder / "model" / file).read_bytes(), overwrite=True
            )
    uri = "azureml://datastores/workspaceblobstore/paths/online/saying"
    made(workspace, "models/saying/versions/1", {"modelUri": uri, "modelType": "mlflow_model"})
    made(workspace, "onlineEndpoints/saying", ENDPOINT)
    without = {"codeConfiguration": None, "environmentId": None, "model": id_of("models/saying/versions/1")}
    made(workspace, "onlineEndpoints/saying/deployments/mlflow", deployment(**without))
    made(workspace, "onlineEndpoints/saying", ENDPOINT | {"traffic": {"mlflow": 100}})
    answer = score(workspace, "saying", {"input_data": given})
    assert (answer.status_code, answer.json()) == (200, ["one 1.0", "two 2.0"])
    assert score(workspace, "saying", {"data": given}).status_code == 424


def test_both_keys_open_an_endpoint_and_others_do_not(workspace: Client) -> None:
    given = keys(workspace, "shared")
    assert given["primaryKey"] != given["secondaryKey"]
    assert score(workspace, "shared", DATA, given["secondaryKey"]).status_code == 200
    for wrong in ("", "wrong", workspace.tokens.issue(SCORING_AUDIENCE)):
        answer = score(workspace, "shared", DATA, wrong)
        assert (answer.status_code, answer.text) == (401, "key_auth_access_denied")


def ended(client: Client, answer: requests.Response) -> None:
    """Wait for an operation that is polled at its Location."""
    wait_until(lambda: client.read(answer.headers["Location"]).status_code == 200)


@pytest.mark.parametrize("key_type", ["Primary", pytest.param("Secondary", marks=pytest.mark.full)])
def test_a_key_can_be_made_anew(workspace: Client, key_type: str) -> None:
    made(workspace, "onlineEndpoints/rekeyed", ENDPOINT)
    before = keys(workspace, "rekeyed")
    path = "/onlineEndpoints/rekeyed/regenerateKeys"
    name = f"{key_type.lower()}Key"
    for present in (False, True):
        value = before[name] if present else None
        answer = workspace.arm(path, "POST", body={"keyType": key_type, "keyValue": value})
        assert answer.status_code == 202
        ended(workspace, answer)
        after = keys(workspace, "rekeyed")
        assert [changed for changed in before if before[changed] != after[changed]] == [name]
        before = after
    ended(workspace, workspace.arm(path, "POST", body={"keyType": key_type, "keyValue": "given"}))
    assert keys(workspace, "rekeyed") == before | {name: "given"}
    assert workspace.arm(path, "POST", body={"keyType": "Third"}).status_code == 400


@pytest.mark.parametrize(
    ("mode", "opens"), [("AADToken", {SCORING_AUDIENCE}), ("AMLToken", {"the endpoint's own"})]
)
def test_a_token_opens_endpoints_of_its_mode(workspace: Client, mode: str, opens: set[str]) -> None:
    name = mode.lower()
    made(workspace, f"onlineEndpoints/{name}", {"authMode": mode})
    tokens = {audience: workspace.tokens.issue(audience) for audience in (SCORING_AUDIENCE, ARM_AUDIENCE)}
    given = workspace.arm(f"/onlineEndpoints/{name}/token", "POST")
    if mode == "AMLToken":
        tokens["the endpoint's own"] = given.json()["accessToken"]
        assert given.json()["expiryTimeUtc"] > given.json()["refreshAfterTimeUtc"]
    else:
        assert given.status_code == 400
    answers = {
        audience: score(workspace, name, DATA, token).status_code for audience, token in tokens.items()
    }
    # 404: it is let in, and there is no deployment yet.
    assert answers == {audience: 404 if audience in opens else 401 for audience in tokens}
    assert workspace.arm(f"/onlineEndpoints/{name}/listKeys", "POST").status_code == 400


def test_without_traffic_or_with_an_unknown_name_there_is_no_deployment(workspace: Client) -> None:
    made(workspace, "onlineEndpoints/quiet", ENDPOINT)
    answer = score(workspace, "quiet", DATA)
    assert answer.status_code == 404
    assert answer.json()["error"]["message"].startswith("No valid deployments to route to.")
    assert score(workspace, "shared", DATA, **{"azureml-model-deployment": "green"}).status_code == 404
    lost = requests.post(f"{workspace.base}/endpoints/none/score", json=DATA, timeout=60)
    assert lost.status_code == 404


def test_an_error_of_the_model_is_424_with_its_own_status_in_headers(workspace: Client) -> None:
    answer = score(workspace, "shared", {"data": "text"})
    assert answer.status_code == 424
    assert answer.headers["ms-azureml-model-error-statuscode"] == "500"
    assert answer.headers["ms-azureml-model-error-reason"] == "model_error"
    assert answer.json() == {
        "message": "An unexpected error occurred in scoring script. Check the logs for more info."
    }
    url, key = f"{workspace.base}/endpoints/shared/score", keys(workspace, "shared")["primaryKey"]
    bytes_of_no_text = requests.post(url, b"\xff", headers={"Authorization": f"Bearer {key}"}, timeout=60)
    assert bytes_of_no_text.headers["ms-azureml-model-error-statuscode"] == "400"


def test_the_logs_are_what_the_processes_printed(workspace: Client) -> None:
    path = "/onlineEndpoints/shared/deployments/blue/getLogs"
    body = {"containerType": "InferenceServer", "tail": 1000}
    assert "ready with 42" in workspace.arm(path, "POST", body=body).json()["content"]
    score(workspace, "shared", {"data": None})
    last = workspace.arm(path, "POST", body={"tail": 1}).json()["content"]
    assert last == "TypeError: 'NoneType' object is not iterable\n"
    other = workspace.arm(path, "POST", body={"containerType": "StorageInitializer"})
    assert other.json() == {"content": ""}
    assert workspace.arm(path, "POST", body={"containerType": "Other"}).status_code == 400
    assert workspace.arm(path.replace("blue", "green"), "POST", body=body).status_code == 404


def test_too_many_requests_are_429_and_slow_ones_408(workspace: Client, tmp_path: Path) -> None:
    impatient = {"requestSettings": {"requestTimeout": "PT0.5S"}}
    with_endpoint(workspace, "busy")
    made(workspace, "onlineEndpoints/busy/deployments/blue", deployment(**impatient))
    wish = DATA | {"wait": str(tmp_path / "go")}
    with ThreadPoolExecutor() as pool:
        answers = list(pool.map(lambda _: score(workspace, "busy", wish), range(4)))
    (tmp_path / "go").touch()
    assert sorted(answer.status_code for answer in answers) == [408, 408, 429, 429]
    for answer in answers:
        late = answer.status_code == 408
        assert answer.text == ("upstream request timeout" if late else "")
        assert late or answer.headers["ms-azureml-model-error-reason"] == "too_many_pending_request"


def test_traffic_is_split_and_mirrored(workspace: Client, tmp_path: Path) -> None:
    with_endpoint(workspace, "split")
    made(workspace, "onlineEndpoints/split/deployments/green", deployment("green"))
    made(workspace, "onlineEndpoints/split", ENDPOINT | {"traffic": {"blue": 50, "green": 50}})
    assert {score(workspace, "split", DATA).json()["color"] for _ in range(40)} == {"blue", "green"}
    shares = {"traffic": {"blue": 100}, "mirrorTraffic": {"green": 50}}
    made(workspace, "onlineEndpoints/split", ENDPOINT | shares)
    wishes = [DATA | {"touch": str(tmp_path / str(number))} for number in range(40)]
    assert {score(workspace, "split", wish).json()["color"] for wish in wishes} == {"blue"}
    wait_until(lambda: any(path.suffix == ".green" for path in tmp_path.iterdir()))
    named = {"azureml-model-deployment": "green"}
    assert score(workspace, "split", DATA, **named).json()["color"] == "green"


def test_a_deployment_with_traffic_stays_and_one_without_goes(workspace: Client) -> None:
    with_endpoint(workspace, "leaving")
    path = "/onlineEndpoints/leaving/deployments/blue"
    refused = workspace.arm(path, "DELETE")
    assert refused.status_code == 400
    assert "takes 100% of the traffic" in refused.json()["error"]["message"]
    made(workspace, "onlineEndpoints/leaving", ENDPOINT | {"traffic": {"blue": 0}})
    assert over(workspace, workspace.arm(path, "DELETE"))["status"] == "Succeeded"
    assert workspace.arm("/onlineEndpoints/leaving").json()["properties"]["traffic"] == {}


@pytest.mark.full
def test_an_endpoint_goes_with_all_that_is_below(workspace: Client) -> None:
    with_endpoint(workspace, "gone")
    before = keys(workspace, "gone")
    assert over(workspace, workspace.arm("/onlineEndpoints/gone", "DELETE"))["status"] == "Succeeded"
    assert workspace.arm("/onlineEndpoints/gone/deployments/blue").status_code == 404
    made(workspace, "onlineEndpoints/gone", ENDPOINT)
    assert keys(workspace, "gone") != before


def test_a_deployment_whose_init_fails_says_why_and_what_served_before_goes_on(workspace: Client) -> None:
    with_endpoint(workspace, "steady")
    failed = over(workspace, put(workspace, "onlineEndpoints/steady/deployments/blue", deployment("none")))
    assert failed["error"]["code"] == "ResourceNotReady"
    assert "User container has crashed or terminated" in failed["error"]["message"]
    assert "OSError: no color (in init())" in failed["error"]["message"]
    assert score(workspace, "steady", DATA).json()["color"] == "blue"
    put_anew = put(workspace, "onlineEndpoints/steady/deployments/green", deployment("none"))
    assert over(workspace, put_anew)["status"] == "Failed"
    unready = score(workspace, "steady", DATA, **{"azureml-model-deployment": "green"})
    assert unready.status_code == 424
    assert unready.headers["ms-azureml-model-error-reason"] == "model_not_ready"


@pytest.mark.full
def test_a_change_is_served_by_new_processes(workspace: Client) -> None:
    with_endpoint(workspace, "changed")
    shown = made(workspace, "onlineEndpoints/changed/deployments/blue", deployment("teal"))
    assert shown["environmentVariables"] == {"COLOR": "teal"}
    assert score(workspace, "changed", DATA).json()["color"] == "teal"
    patched = workspace.arm(
        "/onlineEndpoints/changed/deployments/blue", "PATCH", body={"properties": {"description": "d"}}
    )
    assert over(workspace, patched)["status"] == "Succeeded"
    assert score(workspace, "changed", DATA).json()["color"] == "teal"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"authMode": "Password"}, "authMode 'Password' is not supported"),
        ({"traffic": {"blue": 90}}, "sums to 90"),
        ({"traffic": {"blue": "100"}}, "whole percentages"),
        ({"traffic": {"red": 100}}, "no deployment red"),
        ({"mirrorTraffic": {"blue": 60}}, "at most 50%"),
        ({"compute": id_of("computes/kubernetes")}, "Kubernetes online endpoints are not emulated"),
        ({"publicNetworkAccess": "Sometimes"}, "use Enabled or Disabled"),
        ({"keys": {}}, "Could not find member 'keys'"),
    ],
)
def test_an_endpoint_that_cannot_be_is_refused(workspace: Client, change: dict[str, Any], said: str) -> None:
    answer = put(workspace, "onlineEndpoints/shared", ENDPOINT | change)
    assert answer.status_code == 400
    assert said in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"model": id_of("models/none/versions/1")}, "names nothing in this workspace"),
        ({"model": None}, "names nothing in this workspace"),
        ({"instanceType": None}, "instanceType is missing"),
        ({"codeConfiguration": None}, "is no mlflow_model"),
        ({"environmentId": None}, "environmentId is missing"),
        ({"endpointComputeType": "Kubernetes"}, "Kubernetes online deployments are not emulated"),
        ({"scaleSettings": {"scaleType": "TargetUtilization"}}, "autoscaling"),
        ({"dataCollector": {"collections": {}}}, "data collectors are not emulated"),
        ({"modelMountPath": "/models"}, "custom containers"),
        ({"requestSettings": {"requestTimeout": "PT181S"}}, "at most 180"),
        ({"requestSettings": {"maxConcurrentRequestsPerInstance": 0}}, "is 0"),
    ],
)
def test_a_deployment_that_cannot_be_is_refused(workspace: Client, change: dict[str, Any], said: str) -> None:
    answer = put(workspace, "onlineEndpoints/shared/deployments/other", DEPLOYMENT | change)
    assert answer.status_code == 400
    assert said in answer.json()["error"]["message"]


def test_a_number_of_workers_that_is_none_fails_the_deployment(workspace: Client) -> None:
    variables = {"environmentVariables": {"COLOR": "blue", "WORKER_COUNT": "many"}}
    answer = put(workspace, "onlineEndpoints/shared/deployments/other", DEPLOYMENT | variables)
    assert "WORKER_COUNT is 'many'" in over(workspace, answer)["error"]["message"]


def test_what_was_served_is_served_again_after_a_restart(azurite_connection: str, tmp_path: Path) -> None:
    folder = write_deployment(tmp_path / "served")
    with AzureMLEmulator([folder], azurite_connection, tmp_path / "state") as emulator:
        client = with_endpoint(with_assets(Client(emulator.url, azurite_connection)), "lasting")
        key = keys(client, "lasting")["primaryKey"]
    with AzureMLEmulator([folder], azurite_connection, tmp_path / "state") as emulator:
        client = Client(emulator.url, azurite_connection)
        assert score(client, "lasting", DATA, key).json() == {"color": "blue", "sum": 6}

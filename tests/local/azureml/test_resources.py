"""Resources made by clients: what Azure Resource Manager takes, answers and remembers."""

from pathlib import Path
from typing import Any

import pytest
from azure.storage.blob import BlobServiceClient, ContainerClient

from local.azureml.server import AzureMLEmulator
from local.azureml.workspace import id_of

from .client import Client, Serve, invocation, made, over, put, wait_until
from .scripts import CAPITALS, write_deployment

CLUSTER = {
    "computeType": "AmlCompute",
    "properties": {"scaleSettings": {"minNodeCount": 0, "maxNodeCount": 2}},
}
ENDPOINT = {"authMode": "aadToken", "description": "d", "defaults": {"deploymentName": None}}
MODEL = {
    "modelUri": "azureml://datastores/workspaceblobstore/paths/uploads/model",
    "modelType": "custom_model",
}
CODE = {"codeUri": "azureml://datastores/workspaceblobstore/paths/uploads/code"}
ENVIRONMENT = {"image": "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04"}
DEPLOYMENT = {
    "model": {"referenceType": "Id", "assetId": id_of("models/m/versions/1")},
    "codeConfiguration": {"codeId": id_of("codes/c/versions/1"), "scoringScript": "score.py"},
    "environmentId": id_of("environments/e/versions/1"),
    "compute": id_of("computes/small"),
    "resources": {"instanceCount": 1},
    "miniBatchSize": 2,
    "outputAction": "AppendRow",
}


@pytest.fixture(scope="module")
def workspace(lasting: Client, azurite_connection: str) -> Client:
    """A client of a workspace that several tests share, with the deployment `blue` of the endpoint `made`."""
    return with_deployment(lasting, azurite_connection)


@pytest.fixture
def deployed(client: Client, azurite_connection: str) -> Client:
    """A client of a workspace of the test's own, with that deployment."""
    return with_deployment(client, azurite_connection)


def with_deployment(client: Client, azurite_connection: str) -> Client:
    """Uploads a model and code, and makes what PUT says."""
    with BlobServiceClient.from_connection_string(azurite_connection) as service:
        container = service.get_container_client("azureml")
        container.upload_blob("uploads/model/weights.txt", "42", overwrite=True)
        container.upload_blob("uploads/code/score.py", CAPITALS, overwrite=True)
        container.upload_blob("uploads/code/deep/helper.py", "", overwrite=True)
    for path, properties in PUT.items():
        made(client, path, properties)
    return client


PUT: dict[str, dict[str, Any]] = {
    "computes/small": CLUSTER,
    "models/m/versions/1": MODEL,
    "codes/c/versions/1": CODE,
    "environments/e/versions/1": ENVIRONMENT,
    "batchEndpoints/made": ENDPOINT,
    "batchEndpoints/made/deployments/blue": DEPLOYMENT,
}


def test_a_put_is_answered_at_once_and_polled_until_it_is_over(serve: Serve) -> None:
    client = serve(options={"provisioning": 1.0})
    answer = put(client, "batchEndpoints/made", ENDPOINT, tags={"a": "b"})
    assert answer.status_code == 201
    operation = client.read(answer.headers["Azure-AsyncOperation"]).json()
    assert operation["name"].startswith("bebes:")
    assert (operation["status"], answer.json()["properties"]["scoringUri"]) == ("Creating", None)
    assert put(client, "batchEndpoints/made", ENDPOINT).status_code == 409
    assert over(client, answer)["status"] == "Succeeded"
    shown = client.arm("/batchEndpoints/made").json()
    assert (shown["tags"], shown["location"]) == ({"a": "b"}, "local")
    assert shown["properties"]["authMode"] == "AADToken"
    assert shown["properties"]["scoringUri"] == f"{client.base}/endpoints/made/jobs"


def test_a_deployment_of_uploaded_files_scores(deployed: Client) -> None:
    endpoint = Client(deployed.base, deployed.storage, "made")
    undecided = endpoint.post(invocation("azureml://datastores/workspaceblobstore/paths/nothing"))
    assert undecided.status_code == 404
    made(deployed, "batchEndpoints/made", ENDPOINT | {"defaults": {"deploymentName": "blue"}})
    job = endpoint.run({"a.txt": "x"})
    assert endpoint.output(job) == "a.txt X\n"


def test_a_change_keeps_what_is_invoked_and_is_polled_too(deployed: Client) -> None:
    answer = put(deployed, "batchEndpoints/made/deployments/blue", DEPLOYMENT | {"miniBatchSize": 7})
    assert (answer.status_code, answer.json()["properties"]["provisioningState"]) == (200, "Updating")
    over(deployed, answer)
    body = {"properties": {"description": "changed"}}
    patched = deployed.arm("/batchEndpoints/made/deployments/blue", "PATCH", body=body)
    over(deployed, patched)
    shown = deployed.arm("/batchEndpoints/made/deployments/blue").json()["properties"]
    assert (shown["miniBatchSize"], shown["description"]) == (7, "changed")


def test_a_deployment_without_its_files_fails_and_says_why(deployed: Client) -> None:
    made(deployed, "models/gone/versions/1", MODEL | {"modelUri": MODEL["modelUri"] + "-gone"})
    lost = DEPLOYMENT | {"model": {"referenceType": "Id", "assetId": id_of("models/gone/versions/1")}}
    failed = over(deployed, put(deployed, "batchEndpoints/made/deployments/green", lost))
    assert failed["status"] == "Failed"
    assert "There are no files at" in failed["error"]["message"]
    shown = deployed.arm("/batchEndpoints/made/deployments/green").json()
    assert shown["properties"]["provisioningState"] == "Failed"


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("batchEndpoints/made/deployments/blue", marks=pytest.mark.full),
        "batchEndpoints/made",
        pytest.param("computes/small", marks=pytest.mark.full),
    ],
)
def test_a_delete_takes_its_time_and_all_that_is_below(deployed: Client, path: str) -> None:
    answer = deployed.arm(f"/{path}", "DELETE")
    assert (answer.status_code, answer.json()) == (202, None)
    assert "mfeOperationResults" in answer.headers["Location"]
    over(deployed, answer)
    assert deployed.read(answer.headers["Location"]).status_code == 200
    assert deployed.arm(f"/{path}").status_code == 404
    left = deployed.arm("/batchEndpoints/made/deployments/blue").status_code
    assert left == (200 if path == "computes/small" else 404)
    assert deployed.arm(f"/{path}", "DELETE").status_code == 204


@pytest.mark.parametrize(
    ("path", "properties", "said"),
    [
        ("batchEndpoints/new", ENDPOINT | {"authMode": "Key"}, "authMode 'Key' is not supported"),
        ("batchEndpoints/new", ENDPOINT | {"defaults": {"deployment_name": "x"}}, "'deployment_name'"),
        ("batchEndpoints/a_b", ENDPOINT, "'a_b' is no name of an endpoint"),
        ("batchEndpoints/ab", ENDPOINT, "'ab' is no name of an endpoint"),
        ("batchEndpoints/new", ENDPOINT | {"more": 1}, "Could not find member 'more'"),
        ("computes/c", CLUSTER | {"computeType": "ComputeInstance"}, "'ComputeInstance' is not supported"),
        ("computes/c", CLUSTER | {"properties": {}}, "maxNodeCount"),
        ("models/new/versions/1", {"modelType": "custom_model"}, "modelUri is missing"),
        ("models/new/versions/1", MODEL | {"modelType": "triton_model"}, "'triton_model' is not supported"),
        ("data/d/versions/1", {"dataType": "mltable", "dataUri": "x"}, "'mltable' is not supported"),
        ("environments/new/versions/1", {"condaFile": "x"}, "needs an image or a build"),
        ("datastores/d", {"datastoreType": "AzureFile"}, "'AzureFile' is not supported"),
        (
            "datastores/d",
            {"datastoreType": "AzureBlob", "accountName": "other", "containerName": "c"},
            "the account other is not emulated",
        ),
    ],
)
def test_what_is_not_supported_is_refused_by_name(
    workspace: Client, path: str, properties: dict[str, Any], said: str
) -> None:
    answer = put(workspace, path, properties)
    assert (answer.status_code, workspace.arm(f"/{path}").status_code) == (400, 404)
    assert said in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"compute": id_of("computes/none")}, "names nothing in this workspace"),
        ({"model": {"referenceType": "DataPath", "path": "x"}}, "'DataPath' is not supported"),
        ({"model": {"referenceType": "Id", "assetId": "azureml://registries/r/models/m"}}, "names nothing"),
        ({"codeConfiguration": None}, "is no mlflow_model"),
        ({"environmentId": None}, "environmentId is missing"),
        ({"outputAction": "Append"}, "use AppendRow or SummaryOnly"),
        ({"miniBatchSize": 0}, "miniBatchSize is 0"),
        ({"retrySettings": {"timeout": "300"}}, "ISO 8601"),
    ],
)
def test_a_deployment_that_cannot_be_is_refused(workspace: Client, change: dict[str, Any], said: str) -> None:
    answer = put(workspace, "batchEndpoints/made/deployments/green", DEPLOYMENT | change)
    assert answer.status_code == 400
    assert said in answer.json()["error"]["message"]


def test_a_deployment_needs_its_endpoint(workspace: Client) -> None:
    assert put(workspace, "batchEndpoints/none/deployments/blue", DEPLOYMENT).status_code == 404
    assert workspace.arm("/batchEndpoints/none/deployments").status_code == 404


def test_null_tags_are_refused_as_the_service_refuses_them(workspace: Client) -> None:
    assert put(workspace, "batchEndpoints/new", ENDPOINT, tags=None).status_code == 400


def test_versions_of_an_asset_are_counted_and_keep_their_contents(client: Client) -> None:
    for version in ("1", "2"):
        assert put(client, f"models/m/versions/{version}", MODEL).status_code == 201
    shown = client.arm("/models/m").json()["properties"]
    assert (shown["latestVersion"], shown["nextVersion"]) == ("2", "3")
    newest = {"$orderBy": "createdtime desc", "$top": "1"}
    assert [one["name"] for one in client.arm("/models/m/versions", **newest).json()["value"]] == ["2"]
    assert "m" in [one["name"] for one in client.arm("/models").json()["value"]]
    again = put(client, "models/m/versions/1", MODEL | {"modelUri": "azureml://datastores/other/paths/x"})
    assert (again.status_code, again.json()["error"]["code"]) == (409, "Conflict")
    assert client.arm("/models/other").status_code == 404


def test_a_datastore_of_another_container_can_be_made_read_and_opened(client: Client) -> None:
    container = client.upload({"raw/a.txt": "x"}).rpartition("/")[2]
    properties = {"datastoreType": "AzureBlob", "accountName": "devstoreaccount1", "containerName": container}
    secret = {"credentials": {"credentialsType": "AccountKey", "secrets": {"key": "k"}}}
    shown = made(client, "datastores/raw", properties | secret)
    assert (shown["isDefault"], shown["credentials"]) == (False, {"credentialsType": "AccountKey"})
    assert [one["name"] for one in client.arm("/datastores", isDefault="false").json()["value"]][1:] == [
        "raw"
    ]
    opened = client.arm("/datastores/raw/listSecrets", "POST", body={"expirableSecret": True}).json()
    with ContainerClient.from_container_url(f"{blob_url(client)}/{container}?{opened['sasToken']}") as files:
        assert list(files.list_blob_names()) == ["raw/a.txt"]
    assert client.arm("/datastores/raw/listSecrets", "POST").json()["secretsType"] == "AccountKey"
    job = client.finished(client.invoke("azureml://datastores/raw/paths/raw"))
    assert client.output(job) == "a.txt X\n"


def test_code_is_uploaded_to_a_container_of_its_own(client: Client) -> None:
    upload = client.arm("/codes/c/versions/1/startPendingUpload", "POST", body={}).json()
    blob = upload["blobReferenceForConsumption"]
    with ContainerClient.from_container_url(blob["credential"]["sasUri"]) as container:
        container.upload_blob("score.py", CAPITALS)
    properties = {"codeUri": blob["blobUri"], "properties": {"hash_sha256": "abc"}}
    made(client, "codes/c/versions/1", properties)
    assert len(client.arm("/codes/c/versions", hash="abc").json()["value"]) == 1
    assert client.arm("/codes/c/versions", hash="other").json()["value"] == []


@pytest.fixture
def served(tmp_path: Path) -> Path:
    """A folder that serves the endpoint `capitals`."""
    return write_deployment(tmp_path / "served")


def test_what_clients_made_outlives_a_restart_and_folders_are_read_anew(
    served: Path, azurite_connection: str
) -> None:
    state = served.parent / "elsewhere"
    with AzureMLEmulator([served], azurite_connection, state) as emulator:
        client = Client(emulator.url, azurite_connection)
        made(client, "batchEndpoints/made", ENDPOINT)
        changed = {"authMode": "AADToken", "defaults": {"deploymentName": "other"}}
        made(client, "batchEndpoints/capitals", changed)
        unfinished = put(client, "computes/small", CLUSTER).headers["Azure-AsyncOperation"]
    with AzureMLEmulator([served], azurite_connection, state) as emulator:
        client = Client(emulator.url, azurite_connection)
        again = unfinished.replace(unfinished.split("/subscriptions")[0], emulator.url)
        wait_until(lambda: client.read(again).json()["status"] == "Succeeded")
        assert client.arm("/batchEndpoints/made").json()["properties"]["description"] == "d"
        capitals = client.arm("/batchEndpoints/capitals").json()["properties"]
        assert capitals["defaults"]["deploymentName"] == "first"
        assert client.arm("/computes/small").json()["properties"]["provisioningState"] == "Succeeded"


def blob_url(client: Client) -> str:
    """The storage account's address."""
    properties = client.arm("/datastores/workspaceblobstore").json()["properties"]
    return f"{properties['protocol']}://{properties['endpoint']}/{properties['accountName']}"

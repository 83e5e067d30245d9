"""The scoring plane: what an invoke answers, and what it refuses."""

import json
from typing import Any

import pytest
import requests

from local.azureml.workspace import ARM_AUDIENCE, SCORING_AUDIENCE, WORKSPACE_ID

from .client import Client, Serve, invocation, output_to
from .scripts import deployment_document, write_yaml

FOLDER = "azureml://datastores/workspaceblobstore/paths/nothing"


def test_an_invoke_answers_201_with_the_recorded_shape(client: Client) -> None:
    answer = client.post(invocation(FOLDER, outputData=output_to("p/x.csv"), errorThreshold=4))
    body = answer.json()
    deployment = f"{WORKSPACE_ID}/batchEndpoints/capitals/deployments/first"
    assert answer.status_code == 201
    assert answer.headers["azureml-model-deployment"] == "first"
    assert answer.headers["Location"].split("?")[0].endswith(deployment)
    assert body["id"] == f"{deployment}/jobs/{body['name']}"
    assert body["name"].startswith("batchjob-")
    assert body["properties"]["status"] == "Preparing"
    assert body["properties"]["inputData"]["files"]["mode"] == "ReadOnlyMount"
    assert body["properties"]["outputData"]["score"]["mode"] == "ReadWriteMount"
    assert body["properties"]["retrySettings"] == {"maxRetries": 3, "timeout": "PT30S"}
    parameters = json.loads(body["properties"]["properties"]["azureml.parameters"])
    assert parameters["output_uri"] == body["properties"]["outputData"]["score"]["uri"]
    assert parameters["append_row_file_name"] == "x.csv"
    assert parameters["error_threshold"] == "4"


def test_the_output_is_told_in_arm_form_and_only_when_the_job_is_completed(client: Client) -> None:
    name = client.invoke(client.upload({"a.txt": "x"}))
    done = client.finished(name)["properties"]
    uri = done["outputData"]["score"]["uri"]
    assert uri.startswith(f"{WORKSPACE_ID}/datastores/workspaceblobstore/paths/azureml/")
    assert uri.endswith("/score/predictions.csv")
    assert "azureml.pipelines.stages" in done["properties"]
    client.control(f"jobs/{name}", {"report": "Finalizing"})
    open_job = client.job(name)["properties"]
    assert "outputData" not in open_job
    assert "azureml.pipelines.stages" not in open_job["properties"]


def test_keys_are_taken_in_any_case(client: Client) -> None:
    data = {"Files": {"JOBINPUTTYPE": "urifolder", "Uri": FOLDER}}
    answer = client.post({"Properties": {"INPUTDATA": data, "MiniBatchSize": 2}})
    assert answer.status_code == 201
    assert list(answer.json()["properties"]["inputData"]) == ["Files"]


def test_the_header_names_the_deployment(serve: Serve, tmp_path: Any) -> None:
    (tmp_path / "served").mkdir()
    write_yaml(tmp_path / "served" / "second.yml", deployment_document("second"))
    client = serve()
    answer = client.post(invocation(FOLDER), **{"azureml-model-deployment": "second"})
    assert answer.headers["azureml-model-deployment"] == "second"
    undecided = client.post(invocation(FOLDER))
    assert undecided.status_code == 404
    assert undecided.json()["error"]["message"].startswith("No valid deployments to route to.")


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"deployment_name": "x"}, "Could not find member 'deployment_name'"),
        ({"inputData": {}}, "exactly one entry"),
        ({"inputData": {"a-b": {"jobInputType": "UriFile", "uri": FOLDER}}}, "a-b"),
        ({"inputData": {"a": {"jobInputType": "Literal", "value": 3}}}, "takes no Literal"),
        ({"inputData": {"a": {"jobInputType": "MLTable", "uri": FOLDER}}}, "'MLTable' is not supported"),
        ({"inputData": {"a": {"jobInputType": "UriFile"}}}, "inputData.a.uri is missing"),
        ({"inputData": {"a": {"jobInputType": "UriFile", "uri": "ftp://x/y"}}}, "not an input address"),
        ({"inputData": {"a": {"jobInputType": "UriFile", "uri": "http://far.away/c/x"}}}, "not an input"),
        ({"inputData": {"a": {"jobInputType": "UriFile", "uri": "azureml:d:1"}}}, "data assets"),
        ({"inputData": {"a": {"jobInputType": "UriFile", "uri": "wasbs://c@a.x/y"}}}, "wasb"),
        ({"outputData": {"o": {"jobOutputType": "UriFolder", "uri": FOLDER}}}, "use UriFile"),
        ({"outputData": {"o": {"jobOutputType": "UriFile", "uri": "https://a.b/c/d.csv"}}}, "datastore"),
        ({"outputData": output_to("x") | {"more": output_to("y")["score"]}}, "exactly one entry"),
        ({"outputDataset": {"datastoreId": "x"}}, "names no datastore"),
        ({"dataset": {"datastoreId": "x"}}, "dataset is not emulated"),
        ({"loggingLevel": 3}, "loggingLevel is 3, not a string"),
        ({"miniBatchSize": 0}, "miniBatchSize"),
        ({"errorThreshold": -2}, "errorThreshold"),
        ({"errorThreshold": True}, "errorThreshold"),
        ({"retrySettings": {"timeout": "300"}}, "ISO 8601"),
        ({"retrySettings": {"timeout": "PT"}}, "ISO 8601"),
        ({"compute": {"instanceCount": "2"}}, "instanceCount"),
    ],
)
def test_a_body_the_service_would_not_take_is_refused(
    lasting: Client, members: dict[str, Any], said: str
) -> None:
    answer = lasting.post(invocation(FOLDER, **members))
    assert answer.status_code == 400
    assert said in answer.json()["error"]["message"]


def test_overrides_are_what_the_job_runs_with(client: Client) -> None:
    overrides = {
        "miniBatchSize": 20,
        "maxConcurrencyPerInstance": 3,
        "retrySettings": {"maxRetries": 5, "timeout": "PT1H30M"},
        "compute": {"instanceCount": 7, "isLocal": True},
        "outputFileName": "rows.txt",
    }
    properties = client.post(invocation(FOLDER, **overrides)).json()["properties"]
    parameters = json.loads(properties["properties"]["azureml.parameters"])
    assert parameters["mini_batch_size"] == "20"
    assert parameters["process_count_per_node"] == "3"
    assert parameters["run_max_try"] == "5"
    assert parameters["run_invocation_timeout"] == "5400"
    assert parameters["NodeCount"] == "7"
    assert parameters["append_row_file_name"] == "rows.txt"
    assert properties["retrySettings"]["timeout"] == "PT1H30M"


@pytest.mark.parametrize("header", [None, "Bearer", "Basic xyz", "Bearer a.b.c", "expired", "arm"])
def test_without_a_live_token_for_scoring_the_answer_is_plain_text(
    lasting: Client, header: str | None
) -> None:
    client = lasting
    expired, arm = client.bearer(SCORING_AUDIENCE, -5), client.bearer(ARM_AUDIENCE)
    given = {"expired": expired, "arm": arm}.get(str(header), header)
    headers = {"Authorization": given} if given else {}
    for answer in (
        requests.post(client.scoring_url, json={}, headers=headers, timeout=60),
        requests.get(f"{client.scoring_url}/x", headers=headers, timeout=60),
    ):
        assert answer.status_code == 401
        assert answer.headers["Content-Type"].startswith("text/plain")
        assert answer.text.startswith("Microsoft Entra Token denied by policy")


def test_other_methods_types_and_jobs_are_refused(client: Client) -> None:
    headers = {"Authorization": client.bearer(SCORING_AUDIENCE)}
    assert requests.put(client.scoring_url, headers=headers, timeout=60).status_code == 405
    assert requests.post(client.scoring_url, data="x", headers=headers, timeout=60).status_code == 415
    headers["Content-Type"] = "application/json"
    assert requests.post(client.scoring_url, data="{", headers=headers, timeout=60).status_code == 400
    assert client.read(f"{client.scoring_url}/batchjob-nobody", SCORING_AUDIENCE).status_code == 404
    assert client.read(f"{client.base}/endpoints/other/jobs/x", SCORING_AUDIENCE).status_code == 404


@pytest.mark.parametrize("deduplicate", [False, True])
def test_a_repeated_request_id_makes_one_job_only_where_that_is_switched_on(
    serve: Serve, deduplicate: bool
) -> None:
    client = serve(options={"deduplicate": deduplicate})
    names = {
        client.post(invocation(FOLDER), **{"repeatability_request-id": "same"}).json()["name"]
        for _ in range(2)
    }
    assert len(names) == (1 if deduplicate else 2)

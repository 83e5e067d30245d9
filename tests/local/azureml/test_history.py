"""Run history, the data service and the regional front end: what clients read of a job besides the job."""

from typing import Any

import pytest
import requests

from local.azureml.workspace import ARM_AUDIENCE, SCORING_AUDIENCE, WORKSPACE_ID

from .client import Client, Serve, invocation, output_to, wait_until

FOLDER = "azureml://datastores/workspaceblobstore/paths/nothing"
PRINTING = """
def init():
    print("ready")

def run(mini_batch):
    print("scoring", len(mini_batch))
    return mini_batch
"""


def child_of(client: Client, job: str) -> dict[str, Any]:
    """The one child run of a job."""
    (run,) = client.history(f"/runs/{job}/children").json()["value"]
    return dict(run)


def test_a_job_has_one_child_run_which_says_what_it_did(client: Client) -> None:
    name = client.run({"a.txt": "x"})["name"]
    parent, child = client.history(f"/runs/{name}").json(), child_of(client, name)
    assert (parent["status"], parent["runType"]) == ("Completed", "azureml.PipelineRun")
    assert (child["name"], child["runType"], child["status"]) == (
        "batchscoring",
        "azureml.StepRun",
        "Completed",
    )
    assert child["parentRunId"] == child["rootRunId"] == name
    assert child["properties"]["azureml.parallelrunstep"] == "true"
    assert child["startTimeUtc"] <= child["endTimeUtc"]
    assert client.history(f"/runs/{child['runId']}").json() == child
    assert client.arm(f"/jobs/{child['runId']}").json()["properties"] is None
    assert [job["name"] for job in client.arm("/jobs").json()["value"]] == [name]


def test_the_child_waits_in_the_queue_while_the_job_is_running(serve: Serve) -> None:
    client = serve(options={"nodes": 1})
    client.arm("/computes/cpu-cluster", "PATCH", body={"tags": {"emulator.startSeconds": "600"}})
    name = client.invoke(client.upload({"a.txt": "x"}))
    wait_until(lambda: child_of(client, name)["status"] == "Queued")
    assert client.status(name) == "Running"
    client.arm(f"/jobs/{name}/cancel", "POST")
    client.finished(name)
    assert child_of(client, name)["status"] == "Canceled"


def test_the_outputs_of_a_child_are_resolved_to_where_they_lie(client: Client) -> None:
    name = client.run({"a.txt": "x"}, outputData=output_to("history/rows.csv"))["name"]
    child = child_of(client, name)
    headers = {"Authorization": client.bearer(ARM_AUDIENCE)}
    url = f"{client.base}/history/v1.0{WORKSPACE_ID}/rundata"
    body = {"runId": child["runId"], "selectRunMetadata": True}
    told = requests.post(url, json=body, headers=headers, timeout=60).json()["runMetadata"]["outputs"]
    assert told["score"]["type"] == "uri_file"
    url = f"{client.base}/data/v1.0{WORKSPACE_ID}/dataversion/batchGetResolvedUris?api-version=1.5.0"
    asked = {"values": [told["score"]["assetId"], "azureml://locations/x/workspaces/y/data/z/versions/1"]}
    found = requests.post(url, json=asked, headers=headers, timeout=60).json()["values"]
    assert list(found) == [told["score"]["assetId"]]
    assert found[told["score"]["assetId"]]["uri"].endswith(
        "/datastores/workspaceblobstore/paths/history/rows.csv"
    )


def test_logs_are_opened_by_their_links_alone(serve: Serve) -> None:
    client = serve(PRINTING)
    name = client.run({"a.txt": "x"})["name"]
    files = client.history(f"/runs/{name}/details").json()["logFiles"]
    assert "batchscoring" in requests.get(files["logs/azureml/executionlogs.txt"], timeout=60).text
    files = client.history(f"/runs/{child_of(client, name)['runId']}/details").json()["logFiles"]
    link = files["logs/user/stdout/0/process000.stdout.txt"]
    assert requests.get(link, timeout=60).text == "ready\nscoring 1\n"
    assert requests.get(link.partition("?")[0], timeout=60).status_code == 403


def test_a_failed_run_says_why_in_the_services_envelope(client: Client) -> None:
    name = client.invoke(FOLDER)
    client.finished(name)
    for run in (name, child_of(client, name)["runId"]):
        details = client.history(f"/runs/{run}/details").json()
        assert details["status"] == "Failed"
        assert details["error"]["error"]["code"] == "ScriptExecution.StreamAccess.NotFound"
        assert details["error"]["componentName"] == "pipeline-run"


@pytest.mark.parametrize("path", ["/runs/no", "/runs/no/details", "/runs/no/children"])
def test_runs_that_do_not_exist_answer_404_and_others_need_a_token(client: Client, path: str) -> None:
    assert client.history(path).status_code == 404
    assert requests.get(f"{client.base}/history/v1.0{WORKSPACE_ID}{path}", timeout=60).status_code == 401


@pytest.mark.parametrize("below", ["", "/deployments/first"])
def test_the_regional_front_end_makes_lists_and_reads_jobs(client: Client, below: str) -> None:
    url = f"{client.base}/mferp/managementfrontend{WORKSPACE_ID}/batchEndpoints/capitals{below}/jobs"
    url += "?api-version=2020-09-01-dataplanepreview"
    headers = {"Authorization": client.bearer(SCORING_AUDIENCE)}
    made = requests.post(url, json=invocation(FOLDER), headers=headers, timeout=60)
    name = made.json()["name"]
    assert (made.status_code, made.headers["azureml-model-deployment"]) == (201, "first")
    assert [job["name"] for job in client.read(url, SCORING_AUDIENCE).json()["value"]] == [name]
    one = client.read(url.replace("?", f"/{name}?"), ARM_AUDIENCE)
    assert one.json()["id"].endswith(f"/deployments/first/jobs/{name}")
    assert requests.post(url.partition("?")[0], json={}, headers=headers, timeout=60).status_code == 400


def test_requests_are_noted_without_their_tokens(client: Client) -> None:
    client.post(invocation(FOLDER), **{"repeatability_request-id": "abc"})
    (noted,) = requests.get(f"{client.base}/control/requests", timeout=60).json()
    assert (noted["method"], noted["path"], noted["status"]) == ("POST", "/endpoints/capitals/jobs", 201)
    assert noted["headers"] == {"repeatability_request-id": "abc"}
    assert noted["body"] == invocation(FOLDER)
    assert requests.delete(f"{client.base}/control/requests", timeout=60).status_code == 204
    assert requests.get(f"{client.base}/control/requests", timeout=60).json() == []

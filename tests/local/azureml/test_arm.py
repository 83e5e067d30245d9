"""The Azure Resource Manager plane, and the regional front end's list of jobs."""

import json
from pathlib import Path

import pytest
import requests

from local.azureml.workspace import ARM_AUDIENCE, SCORING_AUDIENCE, WORKSPACE_ID

from .client import Client, Serve, alive, noted_processes, output_to, wait_until
from .scripts import PATIENT, patient_settings

FOLDER = "azureml://datastores/workspaceblobstore/paths/nothing"


def mfe_jobs(
    client: Client, audience: str = SCORING_AUDIENCE, endpoint: str = "capitals"
) -> requests.Response:
    """The dataplane's list of jobs."""
    url = f"{client.base}/mferp/managementfrontend{WORKSPACE_ID}/batchEndpoints/{endpoint}/jobs"
    return client.read(f"{url}?api-version=2020-09-01-dataplanepreview", audience)


def test_a_job_is_shown_without_outputs_and_without_its_error(client: Client) -> None:
    name = client.invoke(FOLDER, outputData=output_to("some/where.csv"))
    assert "error" in client.finished(name)
    body = client.arm(f"/jobs/{name}").json()
    properties = body["properties"]
    assert body["id"] == f"{WORKSPACE_ID}/jobs/{name}"
    assert "error" not in json.dumps(list(properties))
    assert properties["status"] == "Failed"
    assert properties["experimentName"] == "capitals"
    assert properties["outputs"] is None
    parameters = json.loads(properties["properties"]["azureml.parameters"])
    assert parameters["output_uri"].endswith("/paths/some/where.csv")


def test_lists_come_in_pages_with_the_newest_job_first(serve: Serve) -> None:
    client = serve(options={"page_size": 2})
    names = [client.invoke(FOLDER) for _ in range(5)]
    for page, audience in ((client.arm("/jobs"), ARM_AUDIENCE), (mfe_jobs(client), SCORING_AUDIENCE)):
        seen, body = [], page.json()
        while True:
            assert len(body["value"]) <= 2
            seen += [job["name"] for job in body["value"]]
            if body["nextLink"] is None:
                break
            body = client.read(body["nextLink"], audience).json()
        assert seen == names[::-1]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({"jobType": "Pipeline"}, 1),
        ({"jobType": "Command"}, 0),
        ({"tag": "azureml.batchrun"}, 1),
        ({"tag": "azureml.deploymentname=first"}, 1),
        ({"tag": "azureml.deploymentname=other"}, 0),
        ({"tag": "unknown"}, 0),
        ({"listViewType": "ArchivedOnly"}, 0),
    ],
)
def test_the_list_can_be_filtered(client: Client, query: dict[str, str], count: int) -> None:
    client.invoke(FOLDER)
    assert len(client.arm("/jobs", **query).json()["value"]) == count


def test_paths_match_in_any_case(client: Client) -> None:
    url = f"{client.base}{WORKSPACE_ID}".replace("resourceGroups", "RESOURCEGROUPS")
    answer = client.read(f"{url}/batchendpoints/capitals/Deployments/first?api-version=x")
    assert answer.json()["properties"]["codeConfiguration"]["scoringScript"] == "score.py"


def test_an_endpoint_tells_its_scoring_uri_and_its_default_deployment(client: Client) -> None:
    properties = client.arm("/batchEndpoints/capitals").json()["properties"]
    assert properties["scoringUri"] == client.scoring_url
    assert properties["defaults"] == {"deploymentName": "first"}
    deployments = client.arm("/batchEndpoints/capitals/deployments").json()["value"]
    assert [deployment["name"] for deployment in deployments] == ["first"]


def test_the_default_datastore_tells_where_its_blobs_are(client: Client, azurite_connection: str) -> None:
    datastore = client.arm("/datastores", isDefault="true").json()["value"][0]
    assert client.arm("/datastores/workspaceblobstore").json() == datastore
    properties = datastore["properties"]
    assert (properties["accountName"], properties["containerName"]) == ("devstoreaccount1", "azureml")
    assert (
        f"BlobEndpoint={properties['protocol']}://{properties['endpoint']}/devstoreaccount1;"
        in azurite_connection
    )
    others = client.arm("/datastores", isDefault="false").json()["value"]
    assert [one["name"] for one in others] == ["workspaceartifactstore"]


def test_the_workspace_leads_to_discovery(client: Client) -> None:
    discovery = requests.get(client.arm("").json()["properties"]["discoveryUrl"], timeout=60)
    assert discovery.json()["api"] == client.base


@pytest.mark.parametrize(
    "path",
    [
        "/jobs/no",
        "/batchEndpoints/no",
        "/batchEndpoints/capitals/deployments/no",
        "/datastores/no",
        "/nothing",
    ],
)
def test_what_does_not_exist_answers_404_in_arms_envelope(client: Client, path: str) -> None:
    answer = client.arm(path)
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "ResourceNotFound"


def test_only_arm_tokens_open_arm_and_the_api_version_is_required(client: Client) -> None:
    url = f"{client.base}{WORKSPACE_ID}/jobs"
    wrong = client.read(f"{url}?api-version=x", SCORING_AUDIENCE)
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (401, "InvalidAuthenticationToken")
    assert requests.get(f"{url}?api-version=x", timeout=60).status_code == 401
    assert client.read(url).json()["error"]["code"] == "MissingApiVersionParameter"


def test_the_dataplane_list_opens_to_either_audience_and_knows_its_endpoints(client: Client) -> None:
    name = client.invoke(FOLDER)
    for audience in (SCORING_AUDIENCE, ARM_AUDIENCE):
        job = mfe_jobs(client, audience).json()["value"][0]
        assert (job["name"], job["id"].split("/")[-3]) == (name, "first")
    assert mfe_jobs(client, "https://storage.azure.com").status_code == 401
    assert mfe_jobs(client, endpoint="other").status_code == 404


def test_a_cancelled_job_ends_with_its_processes_and_leaves_no_output(serve: Serve, tmp_path: Path) -> None:
    client = serve(PATIENT, max_concurrency_per_instance=2, mini_batch_size=1, **patient_settings(tmp_path))
    name = client.invoke(client.upload({"a": "", "b": ""}))
    wait_until(lambda: len(noted_processes(tmp_path)) == 4)
    assert client.status(name) == "Running"
    answer = client.arm(f"/jobs/{name}/cancel", "POST")
    assert (answer.status_code, answer.json()) == (202, None)
    wait_until(lambda: client.read(answer.headers["Location"]).status_code == 200)
    job = client.job(name)
    assert job["properties"]["status"] == "Canceled"
    assert "outputData" not in job["properties"]
    assert not any(alive(pid) for pid in noted_processes(tmp_path))
    assert client.arm(f"/jobs/{name}/cancel", "POST").status_code == 400


def test_a_job_whose_script_is_still_in_init_can_be_cancelled(serve: Serve, tmp_path: Path) -> None:
    script = PATIENT.replace('    (notes / f"{child.pid}.pid").touch()', "    time.sleep(600)")
    client = serve(script, **patient_settings(tmp_path))
    name = client.invoke(client.upload({"a": ""}))
    wait_until(lambda: len(noted_processes(tmp_path)) == 1)
    client.arm(f"/jobs/{name}/cancel", "POST")
    assert client.finished(name)["properties"]["status"] == "Canceled"
    assert not any(alive(pid) for pid in noted_processes(tmp_path))


def test_a_job_waiting_for_a_node_is_running_and_can_be_cancelled(serve: Serve, tmp_path: Path) -> None:
    client = serve(PATIENT, options={"nodes": 1}, **patient_settings(tmp_path))
    folder = client.upload({"a": ""})
    first = client.invoke(folder)
    wait_until(lambda: len(noted_processes(tmp_path)) == 2)
    second = client.invoke(folder)
    wait_until(lambda: client.status(second) == "Running")
    client.arm(f"/jobs/{second}/cancel", "POST")
    assert client.finished(second)["properties"]["status"] == "Canceled"
    (tmp_path / "release").touch()
    assert client.finished(first)["properties"]["status"] == "Completed"


def test_a_job_can_be_cancelled_at_once(serve: Serve, tmp_path: Path) -> None:
    client = serve(PATIENT, **patient_settings(tmp_path))
    name = client.invoke(client.upload({"a": ""}))
    assert client.arm(f"/jobs/{name}/cancel", "POST").status_code == 202
    assert client.finished(name)["properties"]["status"] == "Canceled"

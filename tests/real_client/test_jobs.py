"""The real client follows, downloads, lists and cancels jobs."""

from typing import Any

import pytest

from .conftest import ENDPOINT, Run

pytestmark = [pytest.mark.full, pytest.mark.timeout(600), pytest.mark.xdist_group("real_client")]

HISTORY = "/history/v1.0{WS}"


@pytest.fixture(scope="module")
def followed(run: Run, created: dict[str, Any]) -> dict[str, Any]:
    """What following a job in every way has reported."""
    assert created
    return run("follow")


def test_a_job_is_read_with_its_tags(followed: dict[str, Any]) -> None:
    job = followed["job"]
    assert followed["get_requests"] == [f"GET {{WS}}/jobs/{job['name']}"]
    assert (job["status"], job["experiment"]) == ("Completed", ENDPOINT)
    assert job["tags"]["azureml.batchrun"] == "true"


def test_streaming_reads_details_until_the_end_and_prints_the_log(followed: dict[str, Any]) -> None:
    job = followed["job"]["name"]
    requests = followed["stream_requests"]
    assert requests[:3] == [f"GET {{WS}}/jobs/{job}", "GET {WS}", "GET /discovery"]
    assert requests[3] == f"GET {HISTORY}/runs/{job}/details"
    assert f"GET /logs/{job}/logs/azureml/executionlogs.txt" in requests
    assert "batchscoring" in followed["streamed"]
    assert "Execution Summary" in followed["streamed"]


def test_a_failed_job_is_told_with_its_reason(followed: dict[str, Any]) -> None:
    assert "there is no file at" in followed["failed"]


def test_children_are_listed_and_read_from_run_history(followed: dict[str, Any]) -> None:
    job, child = followed["job"]["name"], followed["child_name"]
    assert followed["children"] == [{"name": "batchscoring", "status": "Completed"}]
    assert followed["children_requests"][0] == f"GET {{WS}}/jobs/{job}"
    assert followed["children_requests"][-1] == f"GET {HISTORY}/runs/{job}/children"
    assert followed["child"] == "Completed"
    assert followed["child_requests"][0] == f"GET {{WS}}/jobs/{child}"
    assert followed["child_requests"][-1] == f"GET {HISTORY}/runs/{child}"


def test_the_scores_are_downloaded_by_the_jobs_and_by_the_childs_name(followed: dict[str, Any]) -> None:
    rows = "a.txt HELLO\nb.txt THERE\n"
    (name,) = followed["scores"]
    assert name == "predictions.csv"
    assert sorted(followed["scores"][name].splitlines()) == rows.splitlines()
    assert list(followed["child_scores"]) == ["named-outputs/score/predictions.csv"]
    job = followed["job"]["name"]
    requests = followed["download_requests"]
    steps = [
        f"GET {{WS}}/jobs/{job}",
        f"GET {HISTORY}/runs/{job}/children",
        f"POST {HISTORY}/rundata",
        "POST /data/v1.0{WS}/dataversion/batchGetResolvedUris",
        "GET {WS}/datastores",
        "GET {WS}/datastores/workspaceblobstore",
        "POST {WS}/datastores/workspaceblobstore/listSecrets",
    ]
    assert [requests.index(step) for step in steps] == sorted(requests.index(step) for step in steps)


def test_a_job_is_cancelled_and_the_operation_polled(followed: dict[str, Any]) -> None:
    job = followed["cancelled_name"]
    assert followed["cancelled"] == "Canceled"
    assert followed["cancel_requests"][0] == f"POST {{WS}}/jobs/{job}/cancel"
    assert "/mfeOperationResults/jc:" in followed["cancel_requests"][1]


def test_jobs_are_listed_by_endpoint_by_deployment_and_all(followed: dict[str, Any]) -> None:
    job = followed["job"]["name"]
    assert job in followed["jobs"]
    assert job in followed["deployment_jobs"]
    assert {job, followed["cancelled_name"]} <= set(followed["all_jobs"])
    assert followed["list_requests"][-1] == (
        f"GET /mferp/managementfrontend{{WS}}/batchEndpoints/{ENDPOINT}/jobs"
    )

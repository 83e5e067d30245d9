"""The pure parts of the Azure ML surface: bodies, addresses, readings of jobs and their errors."""

from datetime import timedelta
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from shared.azureml import (
    answers,
    endpoint_of,
    invocation,
    job_error,
    output_uri,
    preempted,
    studio_url,
    view,
    workspace_of,
)
from tests.shared.scripted_http import Endpoint, Reply

WORKSPACE = "/subscriptions/S/resourceGroups/G/providers/Microsoft.MachineLearningServices/workspaces/W"
PARTS = "https://a.blob.core.windows.net/work/R/1/parts"


@pytest.mark.parametrize(("shared", "threshold"), [(True, -1), (False, 0)])
def test_an_invocation_says_everything_that_has_a_bad_default(shared: bool, threshold: int) -> None:
    assert invocation(
        PARTS, "azureml://out", timeout=timedelta(seconds=301.7), mini_batch=7, shared_job=shared
    ) == {
        "properties": {
            "InputData": {"parts": {"JobInputType": "UriFolder", "Uri": PARTS}},
            "OutputData": {"score": {"JobOutputType": "UriFile", "Uri": "azureml://out"}},
            "miniBatchSize": 7,
            "errorThreshold": threshold,
            "retrySettings": {"maxRetries": 3, "timeout": "PT301S"},
        }
    }


def test_a_single_part_is_named() -> None:
    body = invocation(
        f"{PARTS}/part-00001.csv",
        "azureml://out",
        timeout=timedelta(seconds=9),
        mini_batch=1,
        shared_job=False,
    )
    given = {"JobInputType": "UriFile", "Uri": f"{PARTS}/part-00001.csv"}
    assert body["properties"]["InputData"] == {"parts": given}


def test_the_output_has_its_long_form_where_the_workspace_is_known() -> None:
    assert output_uri("blobs", WORKSPACE, "dropscore/R/1/1/predictions.csv") == (
        "azureml://subscriptions/S/resourcegroups/G/workspaces/W/datastores/blobs/paths/dropscore/R/1/1/predictions.csv"
    )


def test_the_output_has_its_short_form_where_it_is_not() -> None:
    assert output_uri("blobs", "", "p.csv") == "azureml://datastores/blobs/paths/p.csv"


@pytest.mark.parametrize(
    ("status", "state"),
    [
        *(
            (status, "running")
            for status in ("NotStarted", "Starting", "Provisioning", "Preparing", "Queued")
        ),
        *(
            (status, "running")
            for status in ("Running", "Finalizing", "CancelRequested", "Unknown", "Hibernating")
        ),
        ("Completed", "completed"),
        ("Failed", "failed"),
        ("Canceled", "canceled"),
        ("Paused", "failed"),
        ("NotResponding", "silent"),
    ],
)
def test_every_status_has_its_reading_whatever_its_case(status: str, state: str) -> None:
    for spelling in (status, status.lower(), status.upper()):
        found = view({"properties": {"status": spelling}})
        assert (found.state, found.status) == (state, spelling)
        assert found.over is (state in {"completed", "failed", "canceled"})


SHAPES: list[dict[str, Any]] = [
    {},
    {"properties": {}},
    {"properties": {"status": None}},
    {"properties": None},
    {"properties": []},
]


@pytest.mark.parametrize("resource", SHAPES)
def test_a_job_without_a_status_is_polled_on(resource: dict[str, Any]) -> None:
    assert (view(resource).state, view(resource).status) == ("running", "Unknown")


@pytest.mark.parametrize(
    ("resource", "why"),
    [
        ({"error": {"code": "UserError", "message": "Out of memory."}}, "UserError"),
        ({"error": {"error": {"code": "UserError", "message": "No."}}}, "UserError"),
        ({"properties": {"error": {"code": "UserError", "message": "No."}}}, "UserError"),
        (
            {"error": {"code": "UserError", "message": "failed with ValueError: Anna, 'age'"}},
            "UserError, ValueError, age",
        ),
        ({"error": {"code": "Anna Schmidt", "message": "my.ModelError in pandas"}}, "ModelError"),
        ({"error": "it broke with KeyError"}, "KeyError"),
        ({"error": {"error": "text"}}, "it gives no reason"),
        ({"error": {"message": None}}, "it gives no reason"),
        ({}, "it gives no reason"),
    ],
)
def test_a_failed_job_names_its_error_and_columns_and_no_value(resource: dict[str, Any], why: str) -> None:
    assert job_error(resource, frozenset({"age"})) == why


@given(st.text(), st.text())
def test_the_reason_of_a_failed_job_never_quotes_its_message(before: str, after: str) -> None:
    error = {"code": "UserError", "message": f"ValueError: {before} CANARY {after}"}
    assert "CANARY" not in job_error({"error": error}, frozenset({"age"}))


@pytest.mark.parametrize(
    ("job_id", "workspace"),
    [
        (f"{WORKSPACE}/jobs/batchjob-1", WORKSPACE),
        (f"{WORKSPACE.lower()}/jobs/batchjob-1", WORKSPACE.lower()),
        (WORKSPACE, WORKSPACE),
        ("/subscriptions/S/resourceGroups/G/jobs/j", ""),
        ("batchjob-1", ""),
        ("", ""),
    ],
)
def test_a_jobs_id_begins_with_its_workspace(job_id: str, workspace: str) -> None:
    assert workspace_of(job_id) == workspace


def test_the_studio_page_is_found_where_there_is_one() -> None:
    points = {"Tracking": {"endpoint": "azureml://x"}, "Studio": {"endpoint": "https://ml.azure.com/runs/j"}}
    assert studio_url({"properties": {"interactionEndpoints": points}}) == "https://ml.azure.com/runs/j"
    for properties in ({}, {"interactionEndpoints": None}, {"interactionEndpoints": {"Studio": None}}):
        assert studio_url({"properties": properties}) == ""


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        ({"error": {"code": "UserError", "message": "The node was pre-empted."}}, True),
        ({"properties": {"error": {"code": "LowPriorityVMPreempted"}}}, True),
        ({"error": {"code": "UserError", "message": "ValueError"}}, False),
        ({"properties": {"status": "Failed"}}, False),
        ({"error": None}, False),
    ],
)
def test_a_preempted_job_is_known_by_its_error(resource: dict[str, Any], expected: bool) -> None:
    assert preempted(resource) is expected


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (200, True),
        (405, True),
        (400, True),
        (401, False),
        (403, False),
        (404, False),
        (500, False),
        (503, False),
    ],
)
def test_an_endpoint_lets_us_in_unless_it_says_otherwise(status: int, expected: bool) -> None:
    with Endpoint(lambda _: Reply(status)) as endpoint, requests.Session() as session:
        assert answers(session, f"{endpoint.url}/jobs", "the-token") is expected
    (request,) = endpoint.received
    assert (request.method, request.headers["Authorization"]) == ("GET", "Bearer the-token")


@pytest.mark.parametrize(
    ("model", "endpoint"),
    [
        ("https://diabetes.westeurope.inference.ml.azure.com/jobs", "diabetes"),
        ("http://127.0.0.1:5000/endpoints/diabetes/jobs", "diabetes"),
    ],
)
def test_an_endpoint_is_known_by_its_scoring_url(model: str, endpoint: str) -> None:
    assert endpoint_of(model) == endpoint

"""The pure parts of the Azure ML surface: bodies, addresses, readings of jobs and their errors."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.azureml import invocation, job_error, masked, output_uri, studio_url, view, workspace_of

WORKSPACE = "/subscriptions/S/resourceGroups/G/providers/Microsoft.MachineLearningServices/workspaces/W"
PARTS = "https://a.blob.core.windows.net/work/R/1/parts"


@pytest.mark.parametrize(("shared", "threshold"), [(True, -1), (False, 0)])
def test_an_invocation_says_everything_that_has_a_bad_default(shared: bool, threshold: int) -> None:
    assert invocation(PARTS, "azureml://out", timeout=timedelta(seconds=301.7), shared_job=shared) == {
        "properties": {
            "InputData": {"parts": {"JobInputType": "UriFolder", "Uri": PARTS}},
            "OutputData": {"score": {"JobOutputType": "UriFile", "Uri": "azureml://out"}},
            "miniBatchSize": 1,
            "errorThreshold": threshold,
            "retrySettings": {"maxRetries": 3, "timeout": "PT301S"},
        }
    }


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
    ("text", "shown"),
    [
        ("could not convert 'Jürgen' to float", "could not convert … to float"),
        ('bad value "4111 1111" in row', "bad value … in row"),
        ("bad value `x` here", "bad value … here"),
        ("row 17 has 3.14 or -2e5 or 1,000", "row … has … or … or …"),
        ("born 1980-02-29 at 10:30", "born … at …"),
        ("column 'age' holds 'old'", "column 'age' holds …"),
        ('column "age" is missing', 'column "age" is missing'),
        ("s5 of v2.1 in x_7", "s5 of v2.1 in x_7"),
        ("two\n  lines", "two lines"),
    ],
)
def test_quoted_text_and_numbers_are_masked_and_columns_stay(text: str, shown: str) -> None:
    assert masked(text, frozenset({"age"})) == shown


@given(st.text("ab 1.'\"\\\n", max_size=4), st.text("ab 1.'\"\\\n", max_size=4))
@example("'", "'\"")
@example("", "\\")
def test_a_value_that_python_quotes_is_masked(before: str, after: str) -> None:
    value = f"{before}CANARY{after}"
    assert "CANARY" not in masked(f"could not convert string to float: {value!r}")
    assert "CANARY" not in masked(f"{[value]!r} are not numbers")


def test_bytes_that_python_quotes_are_masked() -> None:
    assert "CANARY" not in masked(f"could not convert string to float: {b'CANARY'!r}")


def test_a_quote_that_is_never_closed_hides_the_rest() -> None:
    assert masked("could not read 'CANARY and so on") == "could not read …"


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

"""The real client invokes, in every form it has."""

from typing import Any
from uuid import UUID

import pytest

from local.azureml.workspace import SUBSCRIPTION, id_of

from .conftest import ENDPOINT, Run

pytestmark = [pytest.mark.full, pytest.mark.timeout(600), pytest.mark.xdist_group("real_client")]

SHORT = "azureml://datastores/workspaceblobstore/paths/words"
LONG = f"azureml://subscriptions/{SUBSCRIPTION}/resourcegroups/local/workspaces/local/datastores/"
ASSET = id_of("data/words/versions/1")
READ = f"GET {{WS}}/batchEndpoints/{ENDPOINT}"
POST = f"POST /endpoints/{ENDPOINT}/jobs"


@pytest.fixture(scope="module")
def invoked(run: Run, created: dict[str, Any]) -> dict[str, Any]:
    """What every form of invoke has reported."""
    assert created
    return run("invoke")


@pytest.mark.parametrize(
    ("form", "data"),
    [
        ("short", {"UriFolder": {"jobInputType": "UriFolder", "uri": f"{SHORT}"}}),
        (
            "long",
            {"UriFolder": {"jobInputType": "UriFolder", "uri": f"{LONG}workspaceblobstore/paths/words"}},
        ),
        ("asset", {"words": {"jobInputType": "UriFolder", "uri": ASSET}}),
        ("latest", {"words": {"jobInputType": "UriFolder", "uri": ASSET}}),
        ("arm", {"words": {"jobInputType": "UriFolder", "uri": ASSET}}),
        ("deployment", {"words": {"jobInputType": "UriFolder", "uri": SHORT}}),
    ],
)
def test_every_form_of_input_is_sent_as_the_contract_says_and_scored(
    invoked: dict[str, Any], form: str, data: dict[str, Any]
) -> None:
    told = invoked["forms"][form]
    sent = told["sent"]["body"]["properties"]["inputData"]
    assert {name: {**given, "uri": given["uri"].rstrip("/")} for name, given in sent.items()} == data
    assert told["status"] == "Completed"


@pytest.mark.parametrize(
    ("form", "kind", "end"),
    [
        ("https", "UriFolder", "/devstoreaccount1/azureml/words"),
        ("file", "UriFile", "/devstoreaccount1/azureml/words/a.txt"),
        ("local", "UriFolder", "/data"),
    ],
)
def test_addresses_of_blobs_and_files_of_this_machine_are_scored(
    invoked: dict[str, Any], form: str, kind: str, end: str
) -> None:
    told = invoked["forms"][form]
    (given,) = told["sent"]["body"]["properties"]["inputData"].values()
    assert given["jobInputType"] == kind
    assert given["uri"].rstrip("/").endswith(end)
    assert told["status"] == "Completed"


def test_an_invoke_reads_the_endpoint_and_posts_once(invoked: dict[str, Any]) -> None:
    assert invoked["forms"]["short"]["requests"] == [READ, POST]
    headers = invoked["forms"]["short"]["sent"]["headers"]
    assert UUID(headers["repeatability_request-id"]).version == 4
    assert "azureml-model-deployment" not in headers


def test_a_named_deployment_is_looked_up_first_and_named_in_a_header(invoked: dict[str, Any]) -> None:
    told = invoked["forms"]["deployment"]
    assert told["requests"] == [f"{READ}/deployments", READ, POST]
    assert told["sent"]["headers"]["azureml-model-deployment"] == "blue"


def test_outputs_names_and_settings_are_sent_along(invoked: dict[str, Any]) -> None:
    forms = invoked["forms"]
    placed = forms["output"]["sent"]["body"]["properties"]["outputData"]
    assert placed["anything"]["jobOutputType"] == "UriFile"
    assert forms["output"]["status"] == "Completed"
    named = forms["named"]["sent"]["body"]["properties"]
    assert (named["name"], named["properties"]) == ("shown", {"experimentName": "trial"})
    overrides = forms["overrides"]["sent"]["body"]["properties"]
    assert overrides["compute"]["instanceCount"] == 2
    assert overrides["miniBatchSize"] == 1
    assert overrides["errorThreshold"] == 3
    assert overrides["retrySettings"] == {"maxRetries": 1, "timeout": "PT1M30S"}
    assert overrides["outputFileName"] == "other.csv"
    assert forms["overrides"]["status"] == "Completed"


def test_an_endpoint_that_is_not_there_is_told_in_the_clients_own_words(invoked: dict[str, Any]) -> None:
    assert invoked["missing"] == "ResourceNotFoundError"


def test_an_mlflow_model_needs_neither_a_script_nor_an_environment(run: Run) -> None:
    told = run("mlflow_model", "saying")
    assert (told["state"], told["status"]) == ("Succeeded", "Completed")
    assert told["scores"] == {"predictions.csv": "0,heart 1.5,rows.csv\n1,lung 2.0,rows.csv\n"}


def test_a_pipeline_takes_named_inputs_and_literals(run: Run) -> None:
    told = run("pipeline", "piped")
    data = told["sent"]["properties"]["inputData"]
    assert data["mode"] == {"jobInputType": "Literal", "value": "lower"}
    assert data["times"] == {"jobInputType": "Literal", "value": 3}
    assert (told["status"], told["deployment"]) == ("Completed", "Succeeded")
    assert sorted(told["children"]) == ["prepare", "score"]
    assert told["files"] == {"scores.csv": "hello\nthere\n42\n3\n"}
    assert told["job"].startswith("pipelinejob-")
    assert told["requests"][-1] == "POST /endpoints/piped/jobs"

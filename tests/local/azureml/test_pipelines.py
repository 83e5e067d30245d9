"""Pipeline components: named inputs, literals, outputs of their own, steps that really run."""

import copy
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from azure.storage.blob import BlobServiceClient

from local.azureml import step_runner
from local.azureml.server import AzureMLEmulator
from local.azureml.workspace import WORKSPACE_ID, id_of

from .client import Client, alive, made, put, wait_until
from .pipelines import DEPLOYMENT, PIPELINE, PREPARE, RESOURCES
from .scripts import write_deployment

RUNNER = Path(step_runner.__file__)


@pytest.fixture(scope="module")
def piped(azurite_connection: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A client of a workspace with the pipeline deployment `steps` of the endpoint `piped`."""
    folder = write_deployment(tmp_path_factory.mktemp("served"))
    with BlobServiceClient.from_connection_string(azurite_connection) as service:
        container = service.get_container_client("azureml")
        if not container.exists():
            container.create_container()
        container.upload_blob("uploads/prepare/prepare.py", PREPARE, overwrite=True)
    state = tmp_path_factory.mktemp("state")
    with AzureMLEmulator([folder], azurite_connection, state, provisioning=0.05) as emulator:
        client = Client(emulator.url, azurite_connection, "piped")
        for path, properties in RESOURCES.items():
            made(client, path, properties)
        yield client


def inputs(uri: str, **literals: Any) -> dict[str, Any]:
    """The body of an invoke with literals."""
    values = {name: {"jobInputType": "Literal", "value": value} for name, value in literals.items()}
    return {"properties": {"inputData": {"data": {"jobInputType": "UriFolder", "uri": uri}} | values}}


def scores_to(path: str) -> dict[str, Any]:
    """The outputData that writes the scores to a path of the datastore."""
    uri = f"azureml://datastores/workspaceblobstore/paths/{path}"
    return {"scores": {"jobOutputType": "UriFile", "uri": uri}}


@pytest.mark.parametrize(
    ("literals", "rows"),
    [
        ({}, "X\n2\n"),
        ({"mode": "lower", "times": 3}, "x\n3\n"),
        ({"mode": "lower", "times": "4", "flag": True}, "x\n4\nflag True\n"),
    ],
)
def test_literals_reach_the_commands_and_defaults_stand_for_those_not_given(
    piped: Client, literals: dict[str, Any], rows: str
) -> None:
    folder = piped.upload({"a.txt": "x\n", "deep/other.csv": ""})
    answer = piped.post(inputs(folder, **literals))
    assert answer.status_code == 201, answer.text
    name = answer.json()["name"]
    assert name.startswith("pipelinejob-")
    assert answer.json()["id"] == f"{WORKSPACE_ID}/batchEndpoints//jobs/{name}"
    job = piped.finished(name)
    uri = job["properties"]["outputData"]["scores"]["uri"]
    assert piped.blob("azureml", uri.partition("/paths/")[2]) == rows
    assert json.loads(job["properties"]["properties"]["azureml.parameters"]) == {
        key: str(value) for key, value in literals.items()
    }


def test_an_output_goes_where_the_caller_says_and_the_experiment_is_named(piped: Client) -> None:
    body = inputs(piped.upload({"a.txt": "x\n"}))
    body["properties"] |= {"outputData": scores_to("piped/out.csv"), "name": "shown"}
    body["properties"]["properties"] = {"experimentName": "trial"}
    name = piped.post(body, **{"azureml-model-deployment": "steps"}).json()["name"]
    piped.finished(name)
    assert piped.blob("azureml", "piped/out.csv") == "X\n2\n"
    arm = piped.arm(f"/jobs/{name}").json()["properties"]
    assert (arm["experimentName"], arm["displayName"]) == ("trial", "shown")
    assert arm["tags"]["azureml.jobtype"] == "azureml.pipelinejob"
    again = piped.finished(piped.post(body).json()["name"])
    assert "already exists" in again["error"]["message"]


def test_a_step_that_fails_is_named_and_its_log_says_why(piped: Client) -> None:
    name = piped.post(inputs(piped.upload({"a.txt": "x"}), status=3)).json()["name"]
    job = piped.finished(name)
    assert "Failed nodes: /count" in job["error"]["message"]
    runs = piped.history(f"/runs/{name}/children").json()["value"]
    assert {run["name"]: run["status"] for run in runs} == {"prepare": "Completed", "count": "Failed"}
    failed = next(run for run in runs if run["name"] == "count")
    assert "exited with status code 3" in failed["error"]["error"]["message"]
    files = piped.history(f"/runs/{runs[0]['runId']}/details").json()["logFiles"]
    assert piped.read(files["user_logs/std_log.txt"]).text == "prepared upper\n"


def test_a_step_can_be_cancelled_and_its_processes_are_gone(piped: Client, tmp_path: Path) -> None:
    spec = {"type": "command", "command": f"echo $$ > {tmp_path}/pid; sleep 600", "inputs": {}, "outputs": {}}
    step = {"type": "command", "componentId": id_of("components/wait/versions/1")}
    made(piped, "components/wait/versions/1", {"componentSpec": spec})
    made(
        piped,
        "components/waiting/versions/1",
        {"componentSpec": {"type": "pipeline", "jobs": {"wait": step}}},
    )
    waiting = copy.deepcopy(DEPLOYMENT)
    waiting["deploymentConfiguration"]["componentId"]["assetId"] = id_of("components/waiting/versions/1")
    made(piped, "batchEndpoints/piped/deployments/waiting", waiting)
    header = {"azureml-model-deployment": "waiting"}
    name = piped.post({"properties": {}}, **header).json()["name"]
    wait_until(lambda: (tmp_path / "pid").exists() and bool((tmp_path / "pid").read_text()))
    piped.arm(f"/jobs/{name}/cancel", "POST")
    assert piped.finished(name)["properties"]["status"] == "Canceled"
    assert not alive(int((tmp_path / "pid").read_text()))


def test_a_pipeline_that_was_under_way_begins_again_after_a_restart(
    azurite_connection: str, tmp_path: Path
) -> None:
    wait = f"touch {tmp_path}/begun; until [ -e {tmp_path}/release ]; do sleep 0.02; done; "
    wait += "echo over > ${{outputs.out}}"
    spec = {"type": "command", "command": wait, "outputs": {"out": {"type": "uri_file"}}}
    step = {"type": "command", "componentId": id_of("components/wait/versions/1")}
    bound = step | {"outputs": {"out": {"value": "${{parent.outputs.out}}"}}}
    pipeline = {"type": "pipeline", "jobs": {"wait": bound}, "outputs": {"out": {"type": "uri_file"}}}
    served, state = write_deployment(tmp_path / "served"), tmp_path / "state"
    with AzureMLEmulator([served], azurite_connection, state, provisioning=0.05) as emulator:
        client = Client(emulator.url, azurite_connection, "piped")
        made(client, "components/wait/versions/1", {"componentSpec": spec})
        made(client, "components/pipeline/versions/1", {"componentSpec": pipeline})
        made(client, "batchEndpoints/piped", RESOURCES["batchEndpoints/piped"])
        made(client, "batchEndpoints/piped/deployments/steps", DEPLOYMENT)
        name = client.post({"properties": {}}).json()["name"]
        wait_until((tmp_path / "begun").exists)
    (tmp_path / "release").touch()
    with AzureMLEmulator([served], azurite_connection, state) as emulator:
        job = Client(emulator.url, azurite_connection, "piped").finished(name)
    assert job["properties"]["status"] == "Completed"


def test_a_command_ends_with_the_emulator(tmp_path: Path) -> None:
    line = [sys.executable, str(RUNNER), f"echo $$ > {tmp_path}/pid; sleep 600"]
    with subprocess.Popen(line, stdin=subprocess.PIPE, start_new_session=True) as runner:
        wait_until(lambda: (tmp_path / "pid").exists() and bool((tmp_path / "pid").read_text()))
        assert runner.stdin is not None
        runner.stdin.close()
        assert runner.wait(60) == -signal.SIGKILL
    wait_until(lambda: not alive(int((tmp_path / "pid").read_text())))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"inputData": {}}, "inputData.data is missing"),
        ({"inputData": {"other": {"jobInputType": "Literal", "value": 1}}}, "has no input other"),
        ({"inputData": {"data": {"jobInputType": "Literal", "value": 1}}}, "must be of the type UriFolder"),
        ({"outputData": {"more": scores_to("x")["scores"]}}, "has no output more"),
        (
            {
                "outputData": {
                    "scores": {"jobOutputType": "UriFolder", "uri": scores_to("x")["scores"]["uri"]}
                }
            },
            "must be of the type uri_file",
        ),
        ({"miniBatchSize": 3}, "miniBatchSize is for model deployments"),
    ],
)
def test_an_invoke_that_does_not_fit_the_component_is_refused(
    piped: Client, change: dict[str, Any], said: str
) -> None:
    body = inputs("azureml://datastores/workspaceblobstore/paths/x")
    body["properties"] |= change
    answer = piped.post(body)
    assert answer.status_code == 400
    assert said in answer.json()["error"]["message"]


def changed(*path: str, to: Any) -> dict[str, Any]:
    """The pipeline with one member changed."""
    spec = copy.deepcopy(PIPELINE)
    place = spec
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = to
    return spec


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"type": "sweep"}, "'sweep' is not supported"),
        ({"type": "command"}, "componentSpec.command is missing"),
        (
            {"type": "command", "command": "x", "distribution": {"type": "mpi"}},
            "distribution is not emulated",
        ),
        (changed("jobs", to={}), "holds no step"),
        (changed("jobs", "prepare", "type", to="parallel"), "'parallel' is not supported"),
        (changed("jobs", "prepare", "componentId", to=id_of("components/no/versions/1")), "names nothing"),
        (changed("jobs", "prepare", "inputs", "more", to={"value": "1"}), "has no input more"),
        (changed("jobs", "prepare", "inputs", "rows", to={"value": "${{parent.inputs.no}}"}), "no input no"),
        (changed("jobs", "prepare", "inputs", to={}), "lacks its input rows"),
        (
            changed(
                "jobs", "prepare", "inputs", "mode", to={"value": "${{parent.jobs.count.outputs.scores}}"}
            ),
            "in a circle",
        ),
        (changed("jobs", "count", "outputs", to={}), "no step writes the output scores"),
        (changed("inputs", "data", "type", to="mltable"), "'mltable' is not supported"),
    ],
)
def test_a_component_that_cannot_run_here_is_refused(piped: Client, spec: dict[str, Any], said: str) -> None:
    answer = put(piped, "components/refused/versions/1", {"componentSpec": spec})
    assert answer.status_code == 400
    assert said in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"componentId": {"referenceType": "Id", "assetId": id_of("components/count/versions/1")}},
            "give one of the type pipeline",
        ),
        ({"settings": {"default_compute": "none"}}, "default_compute"),
        (
            {"settings": {"default_compute": "cpu-cluster", "continue_on_step_failure": True}},
            "continue_on_step_failure is not emulated",
        ),
        (
            {"settings": {"default_compute": "cpu-cluster", "default_datastore": "none"}},
            "default_datastore",
        ),
        ({"settings": {"more": 1}}, "Could not find member 'more'"),
    ],
)
def test_a_deployment_that_cannot_run_here_is_refused(
    piped: Client, change: dict[str, Any], said: str
) -> None:
    configuration = DEPLOYMENT["deploymentConfiguration"] | change
    answer = put(piped, "batchEndpoints/piped/deployments/no", {"deploymentConfiguration": configuration})
    assert answer.status_code == 400
    assert said in answer.json()["error"]["message"]

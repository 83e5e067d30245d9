"""models/provision.py against the emulator: each command twice, and then what it made scores."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from local.azureml.server import AzureMLEmulator
from local.stack import ROOT
from models.breast_cancer import train as breast_cancer
from models.diabetes import train as diabetes
from tests.local.azureml.client import Client, over
from tests.local.azureml.online import score
from tests.local.azureml.scripts import write_deployment
from tests.models.deployable import trained_breast_cancer, trained_diabetes

from .environment import run_program

pytestmark = [pytest.mark.full, pytest.mark.timeout(900)]

IMAGE = ("--image", "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04:latest")
BATCH = (
    *("batch-deployment", "--endpoint_name", "progression", "--deployment_name", "ridge", "--set_default"),
    *("--model_path", "model", "--score_path", ".", "--score_script", "score.py"),
    *("--environment", "conda.yml", *IMAGE, "--compute", "cluster", "--instance_count", "1"),
    *("--max_concurrency_per_instance", "2", "--mini_batch_size", "1", "--error_threshold", "-1"),
    *("--output_action", "append_row", "--output_file_name", "rows.csv", "--max_retries", "1"),
    *("--timeout", "120", "--logging_level", "debug", "--description", "ridge regression"),
)
ONLINE = (
    *("online-deployment", "--endpoint_name", "masses", "--deployment_name", "logistic"),
    *("--model_path", "model", "--model_name", "masses", "--instance_type", "Standard_DS3_v2"),
    *("--instance_count", "1", "--request_timeout_ms", "60000", "--traffic_allocation", "100"),
)
ENDPOINT = (
    *("online-endpoint", "--endpoint_name", "masses", "--description", "masses"),
    *("--auth_mode", "key", "--public_network", "enabled"),
)


@pytest.fixture(scope="module")
def workspace(
    python: Path, azurite_connection: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Client]:
    """A client of a workspace that the tests provision one after the other."""
    served = write_deployment(tmp_path_factory.mktemp("served"))
    with AzureMLEmulator([served], azurite_connection, tmp_path_factory.mktemp("state")) as emulator:
        yield Client(emulator.url, azurite_connection, endpoint="progression")


def provision(workspace: Client, folder: Path, *arguments: str) -> list[str]:
    """What a command that succeeds says."""
    done = run_program(
        ROOT / "models" / "provision.py", *arguments, "--emulator", workspace.base, folder=folder
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def refused(workspace: Client, folder: Path, *arguments: str) -> str:
    """What a command that fails says."""
    done = run_program(
        ROOT / "models" / "provision.py", *arguments, "--emulator", workspace.base, folder=folder
    )
    assert done.returncode == 1
    return done.stderr


def told(outcome: str, *things: str) -> list[str]:
    return [f"· {thing}: {outcome}" for thing in things]


def test_a_batch_model_is_provisioned_once_and_scores(workspace: Client, tmp_path: Path) -> None:
    folder = trained_diabetes(tmp_path)
    cluster = ("compute", "--name", "cluster", "--size", "STANDARD_DS3_V2", "--max_instances", "2")
    endpoint = ("batch-endpoint", "--endpoint_name", "progression", "--description", "d")
    uri = f"· batch endpoint progression: scoring URI {workspace.base}/endpoints/progression/jobs"
    assert provision(workspace, folder, *endpoint)[-2:] == ["· batch endpoint progression: created", uri]
    assert "make it with `provision compute --name cluster`" in refused(workspace, folder, *BATCH)
    assert workspace.arm("/models/progression").status_code == 404
    for command in (cluster, BATCH):
        assert provision(workspace, folder, *command)[-1].endswith((": created", ": updated"))
    assert provision(workspace, folder, *cluster) == told("unchanged", "compute cluster")
    assert provision(workspace, folder, *endpoint) == [*told("unchanged", "batch endpoint progression"), uri]
    assert provision(workspace, folder, *BATCH) == told(
        "unchanged",
        *("model progression", "environment progression", "batch deployment progression/ridge"),
        "batch endpoint progression",
    )
    shown = workspace.arm("/batchEndpoints/progression/deployments/ridge").json()["properties"]
    assert shown["retrySettings"] == {"maxRetries": 1, "timeout": "PT2M"}
    assert (shown["outputFileName"], shown["loggingLevel"]) == ("rows.csv", "Debug")
    default = ("default-deployment", "--endpoint_name", "progression", "--deployment_name", "ridge")
    assert provision(workspace, folder, *default) == told("unchanged", "batch endpoint progression")
    sample = diabetes.FOLDER / "data" / "clinic-north.csv"
    job = workspace.run({sample.name: sample.read_text()})
    assert len(workspace.output(job).splitlines()) == len(sample.read_text().splitlines()) - 1
    changes = provision(workspace, folder, *BATCH, "--mini_batch_size", "3")
    assert "· batch deployment progression/ridge: mini_batch_size changes from 1 to 3" in changes
    (folder / "score.py").write_text((folder / "score.py").read_text() + "\n# changed\n")
    changes = provision(workspace, folder, *BATCH, "--mini_batch_size", "3")
    assert "· batch deployment progression/ridge: score_path changes" in changes
    assert "· model progression: unchanged" in changes


def test_an_online_model_is_provisioned_once_and_answers(workspace: Client, tmp_path: Path) -> None:
    folder = trained_breast_cancer(tmp_path)
    uri = f"· online endpoint masses: scoring URI {workspace.base}/endpoints/masses/score"
    assert provision(workspace, folder, *ENDPOINT)[-2:] == ["· online endpoint masses: created", uri]
    assert provision(workspace, folder, *ONLINE)[-1] == "· online endpoint masses: updated"
    assert provision(workspace, folder, *ENDPOINT) == [*told("unchanged", "online endpoint masses"), uri]
    things = ("model masses", "online deployment masses/logistic", "online endpoint masses")
    assert provision(workspace, folder, *ONLINE) == told("unchanged", *things)
    answer = score(workspace, "masses", {"input_data": rows()})
    assert (answer.status_code, set(answer.json())) == (200, {"malignant", "benign"})
    path = "/onlineEndpoints/masses/deployments/logistic"
    probe = {"initialDelay": "PT20S", "period": "PT10S", "timeout": "PT2S", "failureThreshold": 30}
    over(workspace, workspace.arm(path, "PATCH", body={"properties": {"livenessProbe": probe}}))
    provision(workspace, folder, *ONLINE, "--description", "changed")
    shown = workspace.arm(path).json()["properties"]
    assert (shown["description"], shown["livenessProbe"]["initialDelay"]) == ("changed", "PT20S")
    mirror = ("traffic", "--endpoint_name", "masses", "--mirror", "logistic=10")
    assert "logistic has live traffic; it cannot have mirrored traffic" in refused(workspace, folder, *mirror)
    gone = ("delete", "online-deployment", "logistic", "--endpoint_name", "masses")
    assert "takes 100% of the traffic" in refused(workspace, folder, *gone)
    delete = ("delete", "online-endpoint", "masses")
    assert provision(workspace, folder, *delete)[-1] == "· online-endpoint masses: deleted"
    assert provision(workspace, folder, *delete) == ["· online-endpoint masses: not there"]
    assert requests.post(f"{workspace.base}/endpoints/masses/score", timeout=60).status_code == 404


def test_what_has_failed_is_tried_again(workspace: Client, tmp_path: Path) -> None:
    folder = trained_diabetes(tmp_path)
    (folder / "score.py").write_text(
        "def init():\n    raise OSError('no weights')\n\ndef run(raw):\n    pass\n"
    )
    endpoint = ("online-endpoint", "--endpoint_name", "failing")
    deployment = (
        *("online-deployment", "--endpoint_name", "failing", "--deployment_name", "first"),
        *("--model_path", "model", "--score_path", ".", "--score_script", "score.py"),
        *("--environment", "conda.yml", *IMAGE, "--instance_type", "Standard_DS3_v2"),
    )
    provision(workspace, folder, *endpoint)
    for _ in range(2):
        assert "OSError: no weights (in init())" in refused(workspace, folder, *deployment)
    (folder / "score.py").write_text("def init():\n    pass\n\ndef run(raw):\n    return raw\n")
    changes = provision(workspace, folder, *deployment)
    retried = "· online deployment failing/first: provisioning_state changes from failed to succeeded"
    assert retried in changes
    assert score(workspace, "failing", 1, **{"azureml-model-deployment": "first"}).json() == "1"


def rows() -> dict[str, Any]:
    """Masses the model never saw, as a request holds them."""
    held = breast_cancer.split()[1].loc[:, list(breast_cancer.FEATURES)]
    return {"columns": list(held.columns), "data": held.to_numpy().tolist()}


def test_assets_and_datastores_are_registered_once(workspace: Client, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.csv").write_text("a\n1\n")
    account = ("--account_name", "devstoreaccount1", "--container_name", "azureml")
    for kind, *command in (
        ("data", "data", "--name", "thing", "--path", "data"),
        ("model", "model", "--name", "thing", "--path", "data", "--type", "custom_model"),
        ("environment", "environment", "--name", "thing", *IMAGE),
        ("datastore", "datastore", "--name", "thing", *account),
    ):
        assert provision(workspace, tmp_path, *command)[-1] == f"· {kind} thing: created"
        assert provision(workspace, tmp_path, *command) == told("unchanged", f"{kind} thing")
    (tmp_path / "data" / "a.csv").write_text("a\n2\n")
    provision(workspace, tmp_path, "data", "--name", "thing", "--path", "data")
    assert workspace.arm("/data/thing").json()["properties"]["latestVersion"] == "2"
    same = ("model", "--name", "thing", "--path", "data", "--version", "1")
    assert "is there with another content, and versions do not change" in refused(workspace, tmp_path, *same)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("batch-deployment --endpoint_name none --deployment_name d", "there is no such endpoint"),
        ("online-deployment --endpoint_name none --deployment_name d", "there is no such endpoint"),
        ("batch-deployment --endpoint_name capitals --deployment_name d", "a new one needs --compute"),
        (
            "batch-deployment --endpoint_name capitals --deployment_name d --compute cpu-cluster --model none@latest",
            "nothing of that name is registered",
        ),
        (
            "batch-deployment --endpoint_name capitals --deployment_name d --compute none --model none@latest",
            "there is no compute none; make it with `provision compute --name none`",
        ),
        (
            "batch-deployment --endpoint_name capitals --deployment_name d --compute c --model m@latest --score_path .",
            "--score_path, a folder, and --score_script",
        ),
        (
            "batch-deployment --endpoint_name capitals --deployment_name d --compute c --model_path .",
            "is no MLflow model, so it needs --score_path, --score_script, --environment",
        ),
        ("delete online-deployment d", "Give its --endpoint_name, too"),
        ("model --name m --path absent", "there is no such file"),
    ],
)
def test_what_cannot_be_done_says_why(workspace: Client, tmp_path: Path, words: str, said: str) -> None:
    assert said in refused(workspace, tmp_path, *words.split())


@pytest.mark.usefixtures("python")
def test_without_a_workspace_it_asks_for_one(tmp_path: Path) -> None:
    done = run_program(
        ROOT / "models" / "provision.py", "batch-endpoint", "--endpoint_name", "e", folder=tmp_path
    )
    assert done.returncode == 1
    assert "which workspace? Give --subscription, --resource_group and --workspace" in done.stderr

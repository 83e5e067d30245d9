"""Folders with YAML of every kind: assets under names of their own, clusters, datastores, components."""

import copy
from pathlib import Path
from typing import Any

import pytest

from local.azureml.folders import read_folders
from local.azureml.server import AzureMLEmulator
from local.azureml.workspace import id_of
from local.azureml.yaml_reading import DeploymentError

from .client import Client
from .pipelines import COUNTING, PIPELINE, PREPARE, PREPARING
from .scripts import deployment_document, endpoint_document, write_deployment, write_yaml

SCHEMAS = "https://azuremlschemas.azureedge.net/latest"


def of(schema: str, name: str, **members: Any) -> dict[str, Any]:
    """A document of a schema."""
    return {"$schema": f"{SCHEMAS}/{schema}.schema.json", "name": name} | members


def read(folder: Path) -> dict[str, dict[str, Any]]:
    """The properties of what a folder serves, by path."""
    return {resource.path: resource.properties for resource in read_folders([folder], nodes=4)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder whose deployment names assets that stand in files of their own."""
    folder = write_deployment(tmp_path / "served")
    documents = {
        "cluster": of("amlCompute", "cpu-cluster", type="amlcompute", max_instances=2, tier="low_priority"),
        "store": of("azureBlob", "raw", type="azure_blob", account_name="a", container_name="c"),
        "model": of("model", "weights", version=3, path="model", type="custom_model"),
        "env": of("environment", "env", version=2, image="mcr.microsoft.com/x", conda_file="conda.yml"),
        "data": of("data", "words", type="uri_folder", path="azureml://datastores/raw/paths/words"),
        "deployment": deployment_document(model="azureml:weights:3", environment="azureml:env@latest"),
    }
    for name, document in documents.items():
        write_yaml(folder / f"{name}.yml", document)
    (folder / "conda.yml").write_text("name: env\n")
    return folder


def test_assets_are_named_by_version_or_as_the_latest(folder: Path) -> None:
    resources = read(folder)
    deployment = resources["batchEndpoints/capitals/deployments/first"]
    assert deployment["model"]["assetId"] == id_of("models/weights/versions/3")
    assert deployment["environmentId"] == id_of("environments/env/versions/2")
    assert resources["environments/env/versions/2"]["condaFile"] == "name: env\n"
    cluster = resources["computes/cpu-cluster"]["properties"]
    assert (cluster["vmPriority"], cluster["scaleSettings"]["maxNodeCount"]) == ("LowPriority", 2)
    assert resources["datastores/raw"]["containerName"] == "c"
    assert resources["data/words/versions/1"]["dataUri"] == "azureml://datastores/raw/paths/words"


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (of("computeInstance", "x"), "compute instances are not emulated"),
        (of("azureFile", "x"), "file share datastores are not emulated"),
        (of("kubernetesOnlineEndpoint", "x"), "Kubernetes online endpoints are not emulated"),
        (of("data", "x", path="./words"), "its data .*/words does not exist"),
        (of("amlCompute", "x", type="kubernetes"), "of the type 'kubernetes' are not emulated"),
        (of("commandComponent", "x", command="true"), "environment is missing"),
        (of("commandComponent", "x", type="parallel"), "of the type 'parallel' are not emulated"),
        (of("pipelineComponent", "x", jobs={"a": {"component": "./no.yml"}}), "there is no file"),
    ],
)
def test_what_is_not_emulated_is_refused_by_name(folder: Path, document: dict[str, Any], said: str) -> None:
    write_yaml(folder / "other.yml", document)
    with pytest.raises(DeploymentError, match=said):
        read(folder)


def test_a_component_in_its_place_needs_no_name_and_may_use_a_curated_environment(folder: Path) -> None:
    step = {"environment": "azureml:AzureML-sklearn-1.0@latest", "command": "true"}
    jobs = {"main": {"type": "command", "component": step, "outputs": None}}
    write_yaml(folder / "hello.yml", of("pipelineComponent", "hello", type="pipeline", jobs=jobs))
    older = {"$schema": "http://azureml/sdk-2-0/BatchDeployment.json", "name": "hi", "type": "pipeline"}
    older |= {"endpoint_name": "capitals", "component": "azureml:hello@latest"}
    write_yaml(folder / "hi.yml", older | {"settings": {"default_compute": "other"}})
    resources = read(folder)
    command = resources["components/hello-main/versions/1"]["componentSpec"]
    assert (
        command["environment"]
        == "azureml://registries/azureml/environments/AzureML-sklearn-1.0/labels/latest"
    )
    assert "batchEndpoints/capitals/deployments/hi" in resources


def test_data_of_this_machine_is_uploaded_when_it_is_served(tmp_path: Path, azurite_connection: str) -> None:
    served = write_deployment(tmp_path / "served")
    (served / "words").mkdir()
    (served / "words" / "a.txt").write_text("x\n")
    write_yaml(served / "words.yml", of("data", "words", type="uri_folder", path="words"))
    with AzureMLEmulator([served], azurite_connection, tmp_path / "state") as emulator:
        client = Client(emulator.url, azurite_connection)
        job = client.finished(client.invoke(id_of("data/words/versions/1")))
        assert client.output(job) == "a.txt X\n"


def test_yaml_of_jobs_is_left_alone(folder: Path) -> None:
    before = read(folder)
    write_yaml(folder / "job.yml", of("commandJob", "x", command="true"))
    assert list(read(folder)) == list(before)


def test_a_folder_with_a_pipeline_of_commands_is_served(tmp_path: Path, azurite_connection: str) -> None:
    served = tmp_path / "served"
    (served / "src").mkdir(parents=True)
    (served / "src" / "prepare.py").write_text(PREPARE)
    (served / "model").mkdir()
    (served / "model" / "weights.txt").write_text("42\n")
    environment = {"image": "mcr.microsoft.com/x"}
    prepare = PREPARING | {"code": "./src", "environment": environment}
    count = copy.deepcopy(COUNTING) | {"environment": environment}
    count["inputs"]["model"] = {"type": "custom_model"}
    count["command"] += " && cat ${{inputs.model}}/weights.txt >> ${{outputs.scores}}"
    count["command"] = count["command"].replace("exit", "test 0 =")
    model = {"path": "azureml:weights@latest", "type": "custom_model"}
    jobs = {
        "prepare": {"type": "command", "component": "./prepare.yml", "inputs": plain("prepare", "inputs")},
        "count": {
            "type": "command",
            "component": "azureml:count@latest",
            "inputs": plain("count", "inputs") | {"model": model},
            "outputs": plain("count", "outputs"),
        },
    }
    settings = {"default_compute": "azureml:cpu-cluster"}
    deployment = of("pipelineComponentBatchDeployment", "steps", endpoint_name="piped", type="pipeline")
    documents = {
        "prepare": of("commandComponent", "prepare", **prepare),
        "count": of("commandComponent", "count", **count),
        "pipeline": of("pipelineComponent", "both", **PIPELINE | {"jobs": jobs}),
        "model": of("model", "weights", path="model", type="custom_model"),
        "endpoint": endpoint_document("piped"),
        "deployment": deployment | {"component": "./pipeline.yml", "settings": settings},
    }
    for name, document in documents.items():
        write_yaml(served / f"{name}.yml", document)
    with AzureMLEmulator([served], azurite_connection, tmp_path / "state") as emulator:
        client = Client(emulator.url, azurite_connection, "piped")
        data = {"data": {"jobInputType": "UriFolder", "uri": client.upload({"a.txt": "x\n"})}}
        job = client.finished(client.post({"properties": {"inputData": data}}).json()["name"])
        uri = job["properties"]["outputData"]["scores"]["uri"]
        assert client.blob("azureml", uri.partition("/paths/")[2]) == "X\n2\n42\n"


def plain(step: str, side: str) -> dict[str, Any]:
    """The bindings of a step as YAML has them."""
    return {name: given["value"] for name, given in PIPELINE["jobs"][step][side].items()}


@pytest.mark.parametrize("content", [b"name: [open", b"name: \xff"])
def test_a_file_that_is_no_yaml_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "endpoint.yml").write_bytes(content)
    with pytest.raises(DeploymentError, match=r"endpoint\.yml cannot be read as YAML; mend it"):
        read(tmp_path)

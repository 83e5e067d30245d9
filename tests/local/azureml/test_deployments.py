"""Endpoints and deployments read from YAML."""

from pathlib import Path
from typing import Any

import pytest

from local.azureml.folders import read_folders
from local.azureml.settings import Settings
from local.azureml.workspace import id_of
from local.azureml.yaml_reading import DeploymentError

from .scripts import (
    deployment_document,
    endpoint_document,
    write_deployment,
    write_mlflow_deployment,
    write_yaml,
)

DEPLOYMENTS = "batchEndpoints/capitals/deployments"
OLDER = "https://azuremlschemas.azureedge.net/latest/batchDeployment.schema.json"


def read(folder: Path) -> dict[str, dict[str, Any]]:
    """The properties of what a folder serves, by path."""
    return {resource.path: resource.properties for resource in read_folders([folder], nodes=4)}


def default_of(folder: Path) -> str | None:
    """The default deployment of the endpoint `capitals`."""
    named: str | None = read(folder)["batchEndpoints/capitals"]["defaults"]["deploymentName"]
    return named


def test_both_schemas_give_the_same_settings(tmp_path: Path) -> None:
    settings: dict[str, Any] = {
        "max_concurrency_per_instance": 2,
        "mini_batch_size": 5,
        "output_action": "summary_only",
        "output_file_name": "rows.csv",
        "retry_settings": {"max_retries": 1, "timeout": 60},
        "error_threshold": 4,
        "logging_level": "debug",
        "environment_variables": {"LEVEL": 3},
    }
    folder = write_deployment(tmp_path, **settings)
    counted: dict[str, Any] = {"instance_count": 3}
    write_yaml(folder / "newer.yml", deployment_document("newer", settings=settings, resources=counted))
    flat = deployment_document("older", resources=counted, **settings) | {"$schema": OLDER}
    write_yaml(folder / "older.yaml", flat)
    resources = read(tmp_path)
    newer, older = (resources[f"{DEPLOYMENTS}/{name}"] for name in ("newer", "older"))
    read_back = Settings().overridden(older, counted="resources")
    assert read_back == Settings().overridden(newer, counted="resources")
    assert read_back == Settings(
        instance_count=3,
        max_concurrency_per_instance=2,
        mini_batch_size=5,
        output_action="summary_only",
        output_file_name="rows.csv",
        max_retries=1,
        timeout=60,
        error_threshold=4,
        logging_level="debug",
    )
    assert older["environmentVariables"] == {"LEVEL": "3"}


def test_paths_are_resolved_from_the_yamls_own_folder(tmp_path: Path) -> None:
    folder = write_deployment(tmp_path / "deep" / "down")
    resources = read(tmp_path)
    deployment = resources[f"{DEPLOYMENTS}/first"]
    assert deployment["model"]["assetId"] == id_of("models/capitals-first/versions/1")
    assert resources["models/capitals-first/versions/1"]["modelUri"] == (folder / "model").as_uri()
    assert resources["codes/capitals-first/versions/1"]["codeUri"] == (folder / "code").as_uri()
    assert deployment["compute"] == id_of("computes/cpu-cluster")


def test_an_endpoint_with_several_deployments_has_the_default_it_names(tmp_path: Path) -> None:
    folder = write_deployment(tmp_path)
    assert default_of(tmp_path) == "first"
    write_yaml(folder / "second.yml", deployment_document("second"))
    assert default_of(tmp_path) is None
    write_yaml(folder / "endpoint.yml", endpoint_document(defaults={"deployment_name": "second"}))
    assert default_of(tmp_path) == "second"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"type": "pipeline"}, "settings.default_compute is missing"),
        ({"type": "sweep"}, "deployments of the type 'sweep' are not emulated"),
        ({"model": "azureml:registered@latest"}, "no YAML describes 'azureml:registered@latest'"),
        ({"model": {"path": "absent"}}, "does not exist; train it first"),
        ({"code_configuration": None}, "only these are scored without a scoring script"),
        (
            {"code_configuration": None, "model": {"path": "model", "type": "mlflow_model"}},
            "has no MLmodel file",
        ),
        ({"code_configuration": {"code": "code", "scoring_script": "no.py"}}, "no scoring script no.py"),
        ({"endpoint_name": "absent"}, "no YAML describes its endpoint 'absent'"),
        ({"compute": None}, "compute is missing"),
        ({"settings": {"mini_batch_size": "ten"}}, "mini_batch_size is 'ten'; the default is 10"),
        ({"settings": {"error_threshold": 0.5}}, "error_threshold is 0.5; the default is -1"),
        (
            {"settings": {"output_action": "append"}},
            "output_action is 'append'; use append_row or summary_only",
        ),
        (
            {"$schema": OLDER.replace("batch", "kubernetesOnline")},
            "Kubernetes online deployments are not emulated",
        ),
    ],
)
def test_what_cannot_be_served_is_refused_by_name(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    folder = write_deployment(tmp_path)
    write_yaml(folder / "deployment.yml", deployment_document() | change)
    with pytest.raises(DeploymentError) as refused:
        read(tmp_path)
    assert said in str(refused.value)
    assert "deployment.yml" in str(refused.value)


def test_an_mlflow_model_needs_no_scoring_script_but_may_have_one(tmp_path: Path) -> None:
    folder = write_mlflow_deployment(tmp_path)
    assert read(folder)["batchEndpoints/saying/deployments/mlflow"]["codeConfiguration"] is None
    (folder / "score.py").touch()
    model = {"path": "model", "type": "mlflow_model"}
    code = {"code": ".", "scoring_script": "score.py"}
    with_script = deployment_document("script", "saying", model=model, code_configuration=code)
    write_yaml(folder / "script.yml", with_script)
    resources = read(folder)
    code = resources["batchEndpoints/saying/deployments/script"]["codeConfiguration"]
    assert code["scoringScript"] == "score.py"
    assert resources["codes/saying-script/versions/1"]["codeUri"] == folder.as_uri()


def test_an_mlflow_model_of_another_flavor_than_python_is_refused(tmp_path: Path) -> None:
    folder = write_mlflow_deployment(tmp_path)
    write_yaml(folder / "model" / "MLmodel", {"flavors": {"onnx": {}}})
    with pytest.raises(DeploymentError, match="no python_function flavor; add code_configuration"):
        read(folder)


def test_names_are_given_once(tmp_path: Path) -> None:
    write_deployment(tmp_path / "one")
    write_deployment(tmp_path / "two")
    with pytest.raises(DeploymentError, match="already names an endpoint 'capitals'"):
        read(tmp_path)

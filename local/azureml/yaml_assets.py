"""YAML of clusters, datastores and assets."""

from pathlib import Path
from typing import Any

import yaml

from .yaml_reading import DeploymentError, Reading, described, is_reference, required, tags_of

# Environments that every workspace has.
_CURATED = ("azureml://registries/", "azureml:AzureML-")


def read_compute(reading: Reading, file: Path, document: dict[str, Any]) -> None:
    """A cluster."""
    if document.get("type") != "amlcompute":
        raise DeploymentError(f"{file}: computes of the type {document.get('type')!r} are not emulated")
    scale = {
        "minNodeCount": document.get("min_instances", 0),
        "maxNodeCount": document.get("max_instances", 1),
        "nodeIdleTimeBeforeScaleDown": f"PT{document.get('idle_time_before_scale_down', 120)}S",
    }
    low = document.get("tier") == "low_priority"
    properties = {
        "vmSize": document.get("size", "STANDARD_DS3_V2"),
        "vmPriority": "LowPriority" if low else "Dedicated",
        "scaleSettings": scale,
    }
    name = required(file, document, "name")
    compute = {"computeType": "AmlCompute", "properties": properties}
    reading.add(f"computes/{name}", compute, tags=tags_of(document))


def read_datastore(reading: Reading, file: Path, document: dict[str, Any]) -> None:
    """A blob datastore. Its credentials are not kept."""
    properties = {
        "datastoreType": "AzureBlob",
        "accountName": required(file, document, "account_name"),
        "containerName": required(file, document, "container_name"),
        "description": document.get("description"),
        "credentials": {"credentialsType": "AccountKey" if document.get("credentials") else "None"},
    }
    reading.add(f"datastores/{required(file, document, 'name')}", properties, tags=tags_of(document))


def read_data(reading: Reading, file: Path, document: dict[str, Any]) -> None:
    """A data asset; files of this machine are uploaded when they are served."""
    path = str(required(file, document, "path"))
    if "://" not in path:
        local = (file.parent / path).resolve()
        if not local.exists():
            raise DeploymentError(f"{file}: its data {local} does not exist")
        path = local.as_uri()
    properties = {"dataType": document.get("type", "uri_folder"), "dataUri": path}
    name, version = required(file, document, "name"), str(document.get("version", 1))
    reading.add_version("data", name, properties, version)


def read_model(reading: Reading, file: Path, document: dict[str, Any]) -> None:
    """A model under a name of its own."""
    model_id(reading, file, document, str(required(file, document, "name")))


def model_id(reading: Reading, file: Path, model: object, name: str) -> str:
    """The ARM id of a model, which is named, or lies at a path. `name` is for one that has none."""
    if is_reference(model):
        return reading.registered(file, "models", str(model))
    file, document = described(file, model)
    location = (file.parent / str(required(file, document, "path"))).resolve()
    if not location.exists():
        raise DeploymentError(f"{file}: its model {location} does not exist; train it first")
    kind = document.get("type", "custom_model")
    properties = {
        "modelUri": location.as_uri(),
        "modelType": kind,
        "description": document.get("description"),
    }
    version = str(document.get("version", 1))
    return reading.add_version("models", document.get("name") or name, properties, version)


def read_environment(reading: Reading, file: Path, document: dict[str, Any]) -> None:
    """An environment under a name of its own."""
    environment_id(reading, file, document, str(required(file, document, "name")))


def environment_id(reading: Reading, file: Path, environment: object, name: str) -> str:
    """The ARM id of an environment, which is named, or described. `name` is for one that has none."""
    if isinstance(environment, str) and environment.startswith(_CURATED):
        name, _, label = environment.removeprefix("azureml:").partition("@")
        place = f"environments/{name}/labels/{label or 'latest'}"
        return environment if "://" in environment else f"azureml://registries/azureml/{place}"
    if is_reference(environment):
        return reading.registered(file, "environments", str(environment))
    file, document = described(file, environment)
    properties = {"image": document.get("image"), "build": document.get("build")}
    conda = document.get("conda_file")
    if isinstance(conda, str):
        properties["condaFile"] = (file.parent / conda).read_text(encoding="utf-8")
    elif conda is not None:
        properties["condaFile"] = yaml.safe_dump(conda)
    version = str(document.get("version", 1))
    return reading.add_version("environments", document.get("name") or name, properties, version)


def code_id(reading: Reading, file: Path, code: str, name: str) -> str:
    """The ARM id of a folder of code."""
    folder = (file.parent / code).resolve()
    if not folder.is_dir():
        raise DeploymentError(f"{file}: there is no folder {folder} of code")
    return reading.add_version("codes", name, {"codeUri": folder.as_uri()})

"""Folders of `az ml` CLI v2 YAML, read into the resources that `az ml … create` would make of them.

An `environment` is not built: scripts, commands and MLflow models run in the emulator's own interpreter.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from .resources import Resource
from .yaml_assets import read_compute, read_data, read_datastore, read_environment, read_model
from .yaml_components import read_component
from .yaml_deployments import read_deployment, read_endpoint, with_default
from .yaml_reading import DeploymentError, Reading, loaded

Read = Callable[[Reading, Path, dict[str, Any]], None]

_ENDPOINT = "batchendpoint"
# In the order in which one may name the other; each is `….schema.json`, or `….json` in older YAML.
_READERS: dict[str, Read] = {
    "amlcompute": read_compute,
    "azureblob": read_datastore,
    "environment": read_environment,
    "model": read_model,
    "data": read_data,
    "commandcomponent": read_component,
    "pipelinecomponent": read_component,
    _ENDPOINT: read_endpoint,
    "modelbatchdeployment": read_deployment,
    "batchdeployment": read_deployment,
    "pipelinecomponentbatchdeployment": read_deployment,
}
_REFUSED = {
    "kubernetesonlineendpoint": "Kubernetes online endpoints",
    "kubernetesonlinedeployment": "Kubernetes online deployments",
    "computeinstance": "compute instances",
    "kubernetescompute": "computes on Kubernetes",
    "vmcompute": "attached virtual machines",
    "azurefile": "file share datastores",
    "azuredatalakegen1": "data lake datastores",
    "azuredatalakegen2": "data lake datastores",
    "onelake": "OneLake datastores",
    "parallelcomponent": "parallel components",
    "sparkcomponent": "Spark components",
}


def read_folders(folders: Iterable[Path], nodes: int) -> list[Resource]:
    """The resources of every YAML below `folders`, those first that others name.

    YAML of other schemas, as of jobs, is left alone. `nodes` is the size of clusters that no YAML describes. Raises
    DeploymentError for YAML that cannot be served, and for a folder without an endpoint.
    """
    found = [one for folder in folders for one in _documents(folder)]
    reading = Reading(nodes)
    for schema, read in _READERS.items():
        for path, of_schema, document in found:
            if of_schema == schema:
                read(reading, path, document)
    for place, resource in reading.resources.items():
        if resource.kind == "batchEndpoints":
            reading.resources[place] = with_default(reading, resource)
    return list(reading.resources.values())


def _documents(folder: Path) -> list[tuple[Path, str, dict[str, Any]]]:
    """The files that are read, with their schemas."""
    found = []
    for path in sorted([*folder.rglob("*.yml"), *folder.rglob("*.yaml")]):
        document = loaded(path)
        if not isinstance(document, dict):
            continue
        schema = str(document.get("$schema", "")).rpartition("/")[2].lower()
        schema = schema.removesuffix(".json").removesuffix(".schema")
        if schema in _REFUSED:
            raise DeploymentError(f"{path}: {_REFUSED[schema]} are not emulated; serve another folder")
        if schema in _READERS:
            found.append((path, schema, document))
    if not any(schema == _ENDPOINT for _, schema, _ in found):
        raise DeploymentError(f"{folder} holds no batch endpoint YAML ($schema …/batchEndpoint.schema.json)")
    return found

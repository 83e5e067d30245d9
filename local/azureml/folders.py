"""Folders of `az ml` CLI v2 YAML, read into the resources that `az ml … create` would make of them.

An `environment` is not built: scripts and MLflow models run in the emulator's own interpreter.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import yaml

from .compute_kind import default_compute
from .deployments import check_mlflow
from .operations import ProvisioningFailed
from .resources import FOLDER, Resource
from .settings import OUTPUT_ACTIONS, Settings
from .workspace import id_of

_REFUSED_SCHEMAS = {
    "kubernetesonlineendpoint.schema.json": "Kubernetes online endpoints",
    "kubernetesonlinedeployment.schema.json": "Kubernetes online deployments",
    "pipelinecomponentbatchdeployment.schema.json": "pipeline component deployments",
}


class DeploymentError(Exception):
    """YAML that cannot be served; the message names the file and what to change."""


@dataclass
class Reading:
    """The resources read so far, by their paths, and how many nodes a cluster has that no YAML describes."""

    nodes: int
    resources: dict[str, Resource] = field(default_factory=dict)

    def add(self, path: str, properties: dict[str, Any], **more: Any) -> str:
        """Add a resource; its ARM id."""
        self.resources[path] = Resource(path=path, properties=properties, origin=FOLDER, **more)
        return id_of(path)

    def add_version(self, kind: str, name: str, properties: dict[str, Any], version: str = "1") -> str:
        """Add a version of an asset, or the next one where there is another of this version; its ARM id."""
        path = f"{kind}/{name}/versions/{version}"
        known = self.resources.get(path)
        if known is not None and known.properties != properties:
            return self.add_version(kind, name, properties, str(int(version) + 1))
        return self.add(path, properties)


Read = Callable[[Reading, Path, dict[str, Any]], None]


def read_folders(folders: Iterable[Path], nodes: int) -> list[Resource]:
    """The resources of every YAML below `folders`, those first that others name; YAML of other schemas is left alone.

    An endpoint that names no default has its only deployment for one, as `create --set-default` makes it.
    Raises DeploymentError for YAML that cannot be served, and for a folder without an endpoint.
    """
    found = [(path, schema, document) for folder in folders for path, schema, document in _documents(folder)]
    reading = Reading(nodes)
    for schema, read in _READERS.items():
        for path, of_schema, document in found:
            if of_schema == schema:
                read(reading, path, document)
    for place, resource in reading.resources.items():
        if resource.kind == "batchEndpoints":
            reading.resources[place] = _with_default(reading, resource)
    return list(reading.resources.values())


def _documents(folder: Path) -> list[tuple[Path, str, dict[str, Any]]]:
    found = []
    for path in sorted([*folder.rglob("*.yml"), *folder.rglob("*.yaml")]):
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        if not isinstance(document, dict):
            continue
        schema = str(document.get("$schema", "")).rpartition("/")[2].lower()
        if schema in _REFUSED_SCHEMAS:
            raise DeploymentError(
                f"{path}: {_REFUSED_SCHEMAS[schema]} are not emulated; serve another folder"
            )
        if schema in _READERS:
            found.append((path, schema, document))
    if not any(schema == _ENDPOINT_SCHEMA for _, schema, _ in found):
        raise DeploymentError(f"{folder} holds no batch endpoint YAML ($schema …/batchEndpoint.schema.json)")
    return found


def _read_compute(reading: Reading, path: Path, document: dict[str, Any]) -> None:
    if document.get("type") != "amlcompute":
        raise DeploymentError(f"{path}: computes of the type {document.get('type')!r} are not emulated")
    name = _required(path, document, "name")
    scale = {
        "minNodeCount": document.get("min_instances", 0),
        "maxNodeCount": document.get("max_instances", 1),
        "nodeIdleTimeBeforeScaleDown": f"PT{document.get('idle_time_before_scale_down', 120)}S",
    }
    low = document.get("tier") == "low_priority"
    priority = {"vmPriority": "LowPriority" if low else "Dedicated"}
    properties = {"vmSize": document.get("size", "STANDARD_DS3_V2"), "scaleSettings": scale} | priority
    tags = {key: str(value) for key, value in (document.get("tags") or {}).items()}
    reading.add(f"computes/{name}", {"computeType": "AmlCompute", "properties": properties}, tags=tags)


def _read_endpoint(reading: Reading, path: Path, document: dict[str, Any]) -> None:
    name = str(_required(path, document, "name"))
    if f"batchEndpoints/{name}" in reading.resources:
        raise DeploymentError(f"{path}: another YAML already names an endpoint {name!r}; rename one of them")
    properties = {
        "description": document.get("description", ""),
        "authMode": "AADToken",
        "defaults": {"deploymentName": document.get("defaults", {}).get("deployment_name")},
    }
    tags = {key: str(value) for key, value in (document.get("tags") or {}).items()}
    reading.add(f"batchEndpoints/{name}", properties, tags=tags)


def _read_deployment(reading: Reading, path: Path, document: dict[str, Any]) -> None:
    if document.get("type", "model") != "model":
        raise DeploymentError(
            f"{path}: pipeline component deployments are not emulated; serve another folder"
        )
    endpoint, name = (str(_required(path, document, key)) for key in ("endpoint_name", "name"))
    place = f"batchEndpoints/{endpoint}/deployments/{name}"
    if f"batchEndpoints/{endpoint}" not in reading.resources:
        raise DeploymentError(f"{path}: no YAML describes its endpoint {endpoint!r}; add one")
    if place in reading.resources:
        raise DeploymentError(f"{path}: {endpoint} already has a deployment {name!r}; rename one")
    nested = document.get("settings", {})
    variables = nested.get("environment_variables") or document.get("environment_variables") or {}
    properties = {
        "description": document.get("description", ""),
        "model": {"referenceType": "Id", "assetId": _model_id(reading, path, document)},
        "codeConfiguration": _code(reading, path, document),
        "environmentId": _environment_id(reading, path, document),
        "environmentVariables": {key: str(value) for key, value in variables.items()},
        "compute": _compute_id(reading, path, document),
    }
    reading.add(place, properties | _read_settings(path, document).to_arm())


def _model_id(reading: Reading, path: Path, document: dict[str, Any]) -> str:
    """Registered models (azureml:…) have no files here."""
    model = _required(path, document, "model")
    if not isinstance(model, dict) or "path" not in model:
        raise DeploymentError(f"{path}: model {model!r} is not a local one; give it as `model: path: …`")
    location = (path.parent / str(model["path"])).resolve()
    if not location.exists():
        raise DeploymentError(f"{path}: its model {location} does not exist; train it first")
    if not document.get("code_configuration"):
        _check_no_code(path, model, location)
    name = model.get("name") or f"{document['endpoint_name']}-{document['name']}"
    kind = model.get("type", "custom_model")
    properties = {"modelUri": location.as_uri(), "modelType": kind, "description": model.get("description")}
    return reading.add_version("models", name, properties, str(model.get("version", 1)))


def _check_no_code(path: Path, described: dict[str, Any], model: Path) -> None:
    """Raises DeploymentError unless Azure ML would score the model without a scoring script."""
    if described.get("type") != "mlflow_model":
        raise DeploymentError(
            f"{path}: add code_configuration, or `type: mlflow_model` to an MLflow model: "
            "only these are scored without a scoring script"
        )
    try:
        check_mlflow(model)
    except ProvisioningFailed as failure:
        raise DeploymentError(f"{path}: {failure}") from None


def _code(reading: Reading, path: Path, document: dict[str, Any]) -> dict[str, str] | None:
    configuration = document.get("code_configuration")
    if not configuration:
        return None
    code, script = (str(_required(path, configuration, key)) for key in ("code", "scoring_script"))
    if not (path.parent / code / script).is_file():
        raise DeploymentError(f"{path}: there is no scoring script {script} in {path.parent / code}")
    properties = {"codeUri": (path.parent / code).resolve().as_uri()}
    name = f"{document['endpoint_name']}-{document['name']}"
    return {"codeId": reading.add_version("codes", name, properties), "scoringScript": script}


def _environment_id(reading: Reading, path: Path, document: dict[str, Any]) -> str | None:
    environment = document.get("environment")
    if environment is None:
        return None
    if not isinstance(environment, dict):
        raise DeploymentError(f"{path}: environment {environment!r} is not described here; give its image")
    properties = {"image": environment.get("image"), "build": environment.get("build")}
    conda = environment.get("conda_file")
    if isinstance(conda, str):
        properties["condaFile"] = (path.parent / conda).read_text(encoding="utf-8")
    elif conda is not None:
        properties["condaFile"] = yaml.safe_dump(conda)
    name = environment.get("name") or f"{document['endpoint_name']}-{document['name']}"
    return reading.add_version("environments", name, properties, str(environment.get("version", 1)))


def _compute_id(reading: Reading, path: Path, document: dict[str, Any]) -> str:
    """The cluster's id; one that no YAML describes is made up."""
    name = str(_required(path, document, "compute")).removeprefix("azureml:")
    if f"computes/{name}" not in reading.resources:
        made_up = default_compute(name, reading.nodes)
        reading.add(made_up.path, made_up.properties)
    return id_of(f"computes/{name}")


def _read_settings(path: Path, document: dict[str, Any]) -> Settings:
    """Settings of both schemas: under `settings:` in the newer one, flat in the older."""
    given = document | document.get("settings", {}) | document.get("resources", {})
    given |= given.get("retry_settings", {})
    chosen: dict[str, Any] = {}
    for setting in fields(Settings):
        if setting.name not in given:
            continue
        value = given[setting.name]
        wanted = (int, float) if isinstance(setting.default, float) else type(setting.default)
        if isinstance(value, bool) or not isinstance(value, wanted):
            raise DeploymentError(f"{path}: {setting.name} is {value!r}; the default is {setting.default!r}")
        chosen[setting.name] = value
    settings = Settings(**chosen)
    if settings.output_action not in OUTPUT_ACTIONS.values():
        actions = " or ".join(OUTPUT_ACTIONS.values())
        raise DeploymentError(f"{path}: output_action is {settings.output_action!r}; use {actions}")
    return settings


def _with_default(reading: Reading, endpoint: Resource) -> Resource:
    deployments = [one for one in reading.resources.values() if one.parent == endpoint.path]
    if endpoint.properties["defaults"]["deploymentName"] or len(deployments) != 1:
        return endpoint
    defaults = {"deploymentName": deployments[0].name}
    return replace(endpoint, properties=endpoint.properties | {"defaults": defaults})


def _required(path: Path, document: dict[str, Any], key: str) -> Any:
    if document.get(key) in (None, ""):
        raise DeploymentError(f"{path}: {key} is missing; add it as `az ml` needs it")
    return document[key]


_ENDPOINT_SCHEMA = "batchendpoint.schema.json"
# In the order in which one may name the other.
_READERS: dict[str, Read] = {
    "amlcompute.schema.json": _read_compute,
    _ENDPOINT_SCHEMA: _read_endpoint,
    "modelbatchdeployment.schema.json": _read_deployment,
    "batchdeployment.schema.json": _read_deployment,
}

"""YAML of batch endpoints and their deployments."""

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from .compute_kind import default_compute
from .deployments import check_mlflow
from .operations import ProvisioningFailed
from .resources import Resource
from .settings import OUTPUT_ACTIONS, Settings
from .workspace import id_of, path_of
from .yaml_assets import code_id, environment_id, model_id
from .yaml_components import component_id
from .yaml_reading import DeploymentError, Reading, required, tags_of

_CODE_MISSING = (
    "add code_configuration, or `type: mlflow_model` to an MLflow model: "
    "only these are scored without a scoring script"
)


def read_endpoint(reading: Reading, file: Path, document: dict[str, Any]) -> None:
    """A batch endpoint."""
    name = str(required(file, document, "name"))
    if f"batchEndpoints/{name}" in reading.resources:
        raise DeploymentError(f"{file}: another YAML already names an endpoint {name!r}; rename one of them")
    properties = {
        "description": document.get("description", ""),
        "authMode": "AADToken",
        "defaults": {"deploymentName": document.get("defaults", {}).get("deployment_name")},
    }
    reading.add(f"batchEndpoints/{name}", properties, tags=tags_of(document))


def read_deployment(reading: Reading, file: Path, document: dict[str, Any]) -> None:
    """A deployment of a model, or of a pipeline component."""
    endpoint, name = (str(required(file, document, key)) for key in ("endpoint_name", "name"))
    place = f"batchEndpoints/{endpoint}/deployments/{name}"
    if f"batchEndpoints/{endpoint}" not in reading.resources:
        raise DeploymentError(f"{file}: no YAML describes its endpoint {endpoint!r}; add one")
    if place in reading.resources:
        raise DeploymentError(f"{file}: {endpoint} already has a deployment {name!r}; rename one")
    kind = document.get("type", "pipeline" if "component" in document else "model")
    if kind not in ("model", "pipeline"):
        raise DeploymentError(f"{file}: deployments of the type {kind!r} are not emulated")
    read = _pipeline if kind == "pipeline" else _model
    described = {"description": document.get("description", "")}
    reading.add(place, described | read(reading, file, document), tags=tags_of(document))


def with_default(reading: Reading, endpoint: Resource) -> Resource:
    """The endpoint, its only deployment the default where it names none, as `create --set-default` makes it."""
    deployments = [one for one in reading.resources.values() if one.parent == endpoint.path]
    if endpoint.properties["defaults"]["deploymentName"] or len(deployments) != 1:
        return endpoint
    defaults = {"deploymentName": deployments[0].name}
    return replace(endpoint, properties=endpoint.properties | {"defaults": defaults})


def _pipeline(reading: Reading, file: Path, document: dict[str, Any]) -> dict[str, Any]:
    settings = dict(document.get("settings") or {})
    if not settings.get("default_compute"):
        raise DeploymentError(f"{file}: settings.default_compute is missing; name a cluster")
    settings["default_compute"] = _compute_id(reading, str(settings["default_compute"]))
    component = component_id(reading, file, required(file, document, "component"))
    return {
        "deploymentConfiguration": {
            "deploymentConfigurationType": "PipelineComponent",
            "componentId": {"referenceType": "Id", "assetId": component},
            "settings": settings,
        }
    }


def _model(reading: Reading, file: Path, document: dict[str, Any]) -> dict[str, Any]:
    own = f"{document['endpoint_name']}-{document['name']}"
    model = model_id(reading, file, required(file, document, "model"), own)
    if not document.get("code_configuration"):
        _check_no_code(file, reading.resources[path_of(model) or ""])
    nested = document.get("settings", {})
    variables = nested.get("environment_variables") or document.get("environment_variables") or {}
    environment = document.get("environment")
    properties = {
        "model": {"referenceType": "Id", "assetId": model},
        "codeConfiguration": _code(reading, file, document, own),
        "environmentId": environment and environment_id(reading, file, environment, own),
        "environmentVariables": {key: str(value) for key, value in variables.items()},
        "compute": _compute_id(reading, str(required(file, document, "compute"))),
    }
    return properties | _settings(file, document).to_arm()


def _check_no_code(file: Path, model: Resource) -> None:
    """Raises DeploymentError unless Azure ML would score the model without a scoring script."""
    if model.properties["modelType"] != "mlflow_model":
        raise DeploymentError(f"{file}: {_CODE_MISSING}")
    try:
        check_mlflow(Path(model.properties["modelUri"].removeprefix("file://")))
    except ProvisioningFailed as failure:
        raise DeploymentError(f"{file}: {failure}") from None


def _code(reading: Reading, file: Path, document: dict[str, Any], own: str) -> dict[str, str] | None:
    configuration = document.get("code_configuration")
    if not configuration:
        return None
    code, script = (str(required(file, configuration, key)) for key in ("code", "scoring_script"))
    if not (file.parent / code / script).is_file():
        raise DeploymentError(f"{file}: there is no scoring script {script} in {file.parent / code}")
    return {"codeId": code_id(reading, file, code, own), "scoringScript": script}


def _compute_id(reading: Reading, compute: str) -> str:
    """The cluster's id; one that no YAML describes is made up."""
    name = compute.removeprefix("azureml:")
    if f"computes/{name}" not in reading.resources:
        made_up = default_compute(name, reading.nodes)
        reading.add(made_up.path, made_up.properties)
    return id_of(f"computes/{name}")


def _settings(file: Path, document: dict[str, Any]) -> Settings:
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
            raise DeploymentError(f"{file}: {setting.name} is {value!r}; the default is {setting.default!r}")
        chosen[setting.name] = value
    settings = Settings(**chosen)
    if settings.output_action not in OUTPUT_ACTIONS.values():
        actions = " or ".join(OUTPUT_ACTIONS.values())
        raise DeploymentError(f"{file}: output_action is {settings.output_action!r}; use {actions}")
    return settings

"""Batch endpoints and deployments as `az ml` CLI v2 YAML describes them, read from the folders served.

An `environment` is not built: scripts and MLflow models run in the emulator's own interpreter.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import yaml

_ENDPOINT_SCHEMA = "batchendpoint.schema.json"
_DEPLOYMENT_SCHEMAS = ("modelbatchdeployment.schema.json", "batchdeployment.schema.json")
_REFUSED_SCHEMAS = {
    "pipelinecomponentbatchdeployment.schema.json": "pipeline component deployments",
    "managedonlineendpoint.schema.json": "online endpoints",
    "managedonlinedeployment.schema.json": "online deployments",
    "kubernetesonlineendpoint.schema.json": "online endpoints",
    "kubernetesonlinedeployment.schema.json": "online deployments",
}
_OUTPUT_ACTIONS = ("append_row", "summary_only")
_MLFLOW_DRIVER = Path(__file__).parent.resolve() / "no_code" / "mlflow_driver.py"


class DeploymentError(Exception):
    """YAML that cannot be served; the message names the file and what to change."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How a deployment scores, under its YAML names and with Azure ML's defaults; a job may override them.

    `mini_batch_size` counts files, `timeout` is seconds for one mini-batch, `error_threshold` the failed
    files that are still put up with (-1: any number).
    """

    instance_count: int = 1
    max_concurrency_per_instance: int = 1
    mini_batch_size: int = 10
    error_threshold: int = -1
    max_retries: int = 3
    timeout: float = 30.0
    logging_level: str = "info"
    output_action: str = "append_row"
    output_file_name: str = "predictions.csv"


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """A model, the scoring script that uses it, and its settings.

    The script of an MLflow model that came without one is the emulator's driver.
    """

    name: str
    endpoint: str
    description: str
    model: Path
    code: Path
    scoring_script: str
    compute: str
    environment_variables: dict[str, str]
    settings: Settings

    @property
    def no_code(self) -> bool:
        """Whether this is an MLflow model deployed without a scoring script."""
        return self.code / self.scoring_script == _MLFLOW_DRIVER


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """A batch endpoint and its deployments by name."""

    name: str
    description: str
    tags: dict[str, str]
    default_deployment: str | None
    deployments: dict[str, Deployment] = field(default_factory=dict)


def read_endpoints(folders: Iterable[Path]) -> dict[str, Endpoint]:
    """The endpoints by name, of every YAML below `folders`; YAML of other schemas is left alone.

    An endpoint that names no default has its only deployment for one, as `create --set-default` makes it.
    Raises DeploymentError for YAML that cannot be served, and for a folder without an endpoint.
    """
    endpoints: dict[str, Endpoint] = {}
    deployments: list[tuple[Path, Deployment]] = []
    for folder in folders:
        found = len(endpoints)
        for path, schema, document in _documents(folder):
            if schema == _ENDPOINT_SCHEMA:
                _add_endpoint(endpoints, path, document)
            else:
                deployments.append((path, _read_deployment(path, document)))
        if len(endpoints) == found:
            raise DeploymentError(
                f"{folder} holds no batch endpoint YAML ($schema …/batchEndpoint.schema.json)"
            )
    for path, deployment in deployments:
        _add_deployment(endpoints, path, deployment)
    return {name: _with_default(endpoint) for name, endpoint in endpoints.items()}


def _documents(folder: Path) -> Iterable[tuple[Path, str, dict[str, Any]]]:
    for path in sorted([*folder.rglob("*.yml"), *folder.rglob("*.yaml")]):
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        if not isinstance(document, dict):
            continue
        schema = str(document.get("$schema", "")).rpartition("/")[2].lower()
        if schema in _REFUSED_SCHEMAS:
            raise DeploymentError(
                f"{path}: {_REFUSED_SCHEMAS[schema]} are not emulated; serve another folder"
            )
        if schema == _ENDPOINT_SCHEMA or schema in _DEPLOYMENT_SCHEMAS:
            yield path, schema, document


def _add_endpoint(endpoints: dict[str, Endpoint], path: Path, document: dict[str, Any]) -> None:
    name = str(_required(path, document, "name"))
    if name in endpoints:
        raise DeploymentError(f"{path}: another YAML already names an endpoint {name!r}; rename one of them")
    endpoints[name] = Endpoint(
        name=name,
        description=document.get("description", ""),
        tags=document.get("tags", {}),
        default_deployment=document.get("defaults", {}).get("deployment_name"),
    )


def _add_deployment(endpoints: dict[str, Endpoint], path: Path, deployment: Deployment) -> None:
    endpoint = endpoints.get(deployment.endpoint)
    if endpoint is None:
        raise DeploymentError(f"{path}: no YAML describes its endpoint {deployment.endpoint!r}; add one")
    if deployment.name in endpoint.deployments:
        raise DeploymentError(
            f"{path}: {endpoint.name} already has a deployment {deployment.name!r}; rename one"
        )
    endpoint.deployments[deployment.name] = deployment


def _with_default(endpoint: Endpoint) -> Endpoint:
    if endpoint.default_deployment or len(endpoint.deployments) != 1:
        return endpoint
    return replace(endpoint, default_deployment=next(iter(endpoint.deployments)))


def _read_deployment(path: Path, document: dict[str, Any]) -> Deployment:
    if document.get("type", "model") != "model":
        raise DeploymentError(
            f"{path}: pipeline component deployments are not emulated; serve another folder"
        )
    described = _required(path, document, "model")
    model = _read_model(path, described)
    if document.get("code_configuration"):
        code, script = _read_script(path, document["code_configuration"])
    else:
        _check_no_code(path, described, model)
        code, script = _MLFLOW_DRIVER.parent, _MLFLOW_DRIVER.name
    nested = document.get("settings", {})
    variables = nested.get("environment_variables") or document.get("environment_variables") or {}
    return Deployment(
        name=str(_required(path, document, "name")),
        endpoint=str(_required(path, document, "endpoint_name")),
        description=document.get("description", ""),
        model=model,
        code=code,
        scoring_script=script,
        compute=str(_required(path, document, "compute")).removeprefix("azureml:"),
        environment_variables={key: str(value) for key, value in variables.items()},
        settings=_read_settings(path, document),
    )


def _read_model(path: Path, model: object) -> Path:
    """Where the model lies. Registered models (azureml:…) have no files here."""
    if not isinstance(model, dict) or "path" not in model:
        raise DeploymentError(f"{path}: model {model!r} is not a local one; give it as `model: path: …`")
    location = (path.parent / str(model["path"])).resolve()
    if not location.exists():
        raise DeploymentError(f"{path}: its model {location} does not exist; train it first")
    return location


def _read_script(path: Path, configuration: dict[str, Any]) -> tuple[Path, str]:
    """The folder of the code, and the scoring script within it."""
    code, script = (str(_required(path, configuration, key)) for key in ("code", "scoring_script"))
    if not (path.parent / code / script).is_file():
        raise DeploymentError(f"{path}: there is no scoring script {script} in {path.parent / code}")
    return (path.parent / code).resolve(), script


def _check_no_code(path: Path, described: dict[str, Any], model: Path) -> None:
    """Raises DeploymentError unless Azure ML would score the model without a scoring script."""
    if described.get("type") != "mlflow_model":
        raise DeploymentError(
            f"{path}: add code_configuration, or `type: mlflow_model` to an MLflow model: "
            "only these are scored without a scoring script"
        )
    if not (model / "MLmodel").is_file():
        raise DeploymentError(f"{path}: its model {model} has no MLmodel file; write it with mlflow")
    described_by_mlflow = yaml.safe_load((model / "MLmodel").read_text(encoding="utf-8"))
    if "python_function" not in described_by_mlflow["flavors"]:
        raise DeploymentError(
            f"{path}: its model {model} has no python_function flavor; add code_configuration"
        )


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
    if settings.output_action not in _OUTPUT_ACTIONS:
        raise DeploymentError(
            f"{path}: output_action is {settings.output_action!r}; use {' or '.join(_OUTPUT_ACTIONS)}"
        )
    return settings


def _required(path: Path, document: dict[str, Any], key: str) -> Any:
    if document.get(key) in (None, ""):
        raise DeploymentError(f"{path}: {key} is missing; add it as `az ml` needs it")
    return document[key]

"""What batch and online deployments share: the model, the environment and the scoring script they are made of."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from azure.ai.ml import MLClient
from azure.ai.ml.entities import CodeConfiguration

from .assets import kind_of, register_environment, register_model, resolved
from .changes import ProvisioningError, content_of
from .names import asset_id, reference

_SCORE_PATH = "score_path_sha256"


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What a deployment is made of, as it was asked for; None: as it is, or not at all.

    `model` and `environment` name registered ones; a `model_path` and an `environment` that is a conda file are
    registered under `model_name` and `environment_name`, which is the endpoint's name by default.
    """

    endpoint_name: str
    deployment_name: str
    model: str | None
    model_path: Path | None
    model_name: str | None
    model_type: str | None
    environment: str | None
    environment_name: str | None
    image: str | None
    score_path: Path | None
    score_script: str | None
    environment_variables: dict[str, str] | None
    description: str | None


def check_parts(what: str, parts: Parts, present: Any) -> None:
    """Raises ProvisioningError for parts that make no deployment, so that nothing is registered for it."""
    if parts.model and parts.model_path:
        raise ProvisioningError("give --model, a registered one, or --model_path, not both")
    _check_script(parts)
    if _is_conda_file(parts) and not parts.image:
        raise ProvisioningError(
            f"--environment {parts.environment} is a conda file: give the --image it goes into"
        )
    if missing := _missing(parts, present):
        raise ProvisioningError(
            f"{what}: {parts.model_path} is no MLflow model, so it needs {', '.join(missing)}"
        )


def wanted_parts(client: MLClient, parts: Parts) -> dict[str, Any]:
    """The parts as settings, after registering those that are local. Raises ProvisioningError."""
    return {
        "model": _model(client, parts),
        "environment": _environment(client, parts),
        "score_path": content_of(parts.score_path) if parts.score_path else None,
        "score_script": parts.score_script,
        "environment_variables": parts.environment_variables,
        "description": parts.description,
    }


def present_parts(deployment: Any) -> dict[str, Any]:
    """The same settings of a deployment that is there."""
    code = deployment.code_configuration
    return {
        "model": reference(deployment.model),
        "environment": reference(deployment.environment),
        "score_path": (deployment.tags or {}).get(_SCORE_PATH),
        "score_script": code and code.scoring_script,
        "environment_variables": dict(deployment.environment_variables or {}),
        "description": deployment.description,
    }


def entity_parts(parts: Parts, settings: dict[str, Any], present: Any) -> dict[str, Any]:
    """The keywords that a deployment entity takes for its parts; code that is not given stays as it is."""
    code = present and present.code_configuration
    if parts.score_path:
        code = CodeConfiguration(code=str(parts.score_path), scoring_script=parts.score_script)
    tags = dict(present.tags or {}) if present else {}
    return {
        "name": parts.deployment_name,
        "endpoint_name": parts.endpoint_name,
        "model": asset_id(settings["model"]),
        "environment": asset_id(settings["environment"]),
        "code_configuration": code,
        "environment_variables": settings["environment_variables"] or {},
        "description": settings["description"],
        "tags": tags | ({_SCORE_PATH: settings["score_path"]} if settings["score_path"] else {}),
    }


def _check_script(parts: Parts) -> None:
    if bool(parts.score_path) != bool(parts.score_script):
        raise ProvisioningError("--score_path, a folder, and --score_script, a file in it, go together")
    if parts.score_path and not (parts.score_path / str(parts.score_script)).is_file():
        raise ProvisioningError(f"there is no {parts.score_script} in {parts.score_path}")


def _missing(parts: Parts, present: Any) -> list[str]:
    """The options without which a model's files would not run."""
    path = parts.model_path
    if path is None or not path.exists() or (parts.model_type or kind_of(path)) == "mlflow_model":
        return []
    scored = parts.score_script or (present and present.code_configuration)
    built = parts.environment or (present and present.environment)
    return [*(() if scored else ("--score_path", "--score_script")), *(() if built else ("--environment",))]


def _model(client: MLClient, parts: Parts) -> str | None:
    if parts.model:
        return resolved(client.models, parts.model)
    if not parts.model_path:
        return None
    name = parts.model_name or parts.endpoint_name
    return register_model(client, name, parts.model_path, parts.model_type, None, None)[1]


def _environment(client: MLClient, parts: Parts) -> str | None:
    if not parts.environment:
        return None
    if not _is_conda_file(parts):
        return resolved(client.environments, parts.environment)
    name = parts.environment_name or parts.endpoint_name
    return register_environment(client, name, str(parts.image), Path(parts.environment), None)[1]


def _is_conda_file(parts: Parts) -> bool:
    return parts.environment is not None and Path(parts.environment).is_file()

"""Batch endpoints and deployments. Settings are named as in `az ml` YAML."""

from typing import Any

from azure.ai.ml import MLClient
from azure.ai.ml.entities import (
    BatchEndpoint,
    BatchRetrySettings,
    ModelBatchDeployment,
    ModelBatchDeploymentSettings,
    ResourceConfiguration,
)

from .changes import Outcome, ProvisioningError, ensure, plain, say
from .deployments import Parts, check_parts, entity_parts, present_parts, wanted_parts
from .workspace import READY, found, settled, state_of, wait

_SETTINGS = (
    *("mini_batch_size", "max_concurrency_per_instance", "error_threshold"),
    *("output_action", "output_file_name", "logging_level"),
)


def provision_batch_endpoint(client: MLClient, endpoint_name: str, description: str | None) -> Outcome:
    """A batch endpoint; its default deployment stays as it is. Its scoring URI is told."""
    what = f"batch endpoint {endpoint_name}"
    endpoint = settled(what, lambda: client.batch_endpoints.get(endpoint_name))
    present = endpoint and {"description": endpoint.description} | state_of(endpoint)

    def put() -> None:
        entity = endpoint or BatchEndpoint(name=endpoint_name, auth_mode="aad_token")
        if description is not None:
            entity.description = description
        _put_endpoint(client, entity)

    outcome = ensure(what, {"description": description, **READY}, present, put)
    say(f"{what}: scoring URI {client.batch_endpoints.get(endpoint_name).scoring_uri}")
    return outcome


def provision_batch_deployment(client: MLClient, parts: Parts, set_default: bool, **settings: Any) -> Outcome:
    """A deployment of a model on a compute cluster, with all it is made of; `set_default` makes it its endpoint's.

    Raises ProvisioningError without a model and a compute, where there is no deployment yet that has them.
    """
    what = f"batch deployment {parts.endpoint_name}/{parts.deployment_name}"
    if found(lambda: client.batch_endpoints.get(parts.endpoint_name)) is None:
        raise ProvisioningError(f"{what}: there is no such endpoint; make it with the command batch-endpoint")
    deployment = settled(
        what, lambda: client.batch_deployments.get(parts.deployment_name, parts.endpoint_name)
    )
    present = deployment and present_parts(deployment) | _present_settings(deployment)
    if present is None and not (settings["compute"] and (parts.model or parts.model_path)):
        raise ProvisioningError(f"{what}: a new one needs --compute, and --model or --model_path")
    check_parts(what, parts, deployment)
    _check_compute(client, what, settings["compute"])
    wanted = wanted_parts(client, parts) | settings | READY

    def put() -> None:
        merged = (present or {}) | {name: value for name, value in wanted.items() if value is not None}
        described = entity_parts(parts, {**dict.fromkeys(wanted), **merged}, deployment)
        entity = _entity(deployment, described, merged)
        wait(what, client.batch_deployments.begin_create_or_update(entity))

    outcome = ensure(what, wanted, present, put)
    default = set_default and set_default_deployment(client, parts.endpoint_name, parts.deployment_name)
    return "updated" if outcome == "unchanged" and default == "updated" else outcome


def set_default_deployment(client: MLClient, endpoint_name: str, deployment_name: str) -> Outcome:
    """The deployment that takes the jobs for which none is named."""
    endpoint = client.batch_endpoints.get(endpoint_name)
    present = endpoint.defaults and endpoint.defaults.deployment_name

    def put() -> None:
        endpoint.defaults = {"deployment_name": deployment_name}
        _put_endpoint(client, endpoint)

    return ensure(
        f"batch endpoint {endpoint_name}",
        {"default deployment": deployment_name},
        {"default deployment": present},
        put,
    )


def _check_compute(client: MLClient, what: str, name: str | None) -> None:
    """Raises ProvisioningError for a compute that the workspace does not have; None asks for none."""
    if name and found(lambda: client.compute.get(name)) is None:
        raise ProvisioningError(
            f"{what}: there is no compute {name}; make it with `provision compute --name {name}`"
        )


def _put_endpoint(client: MLClient, endpoint: BatchEndpoint) -> None:
    wait(f"batch endpoint {endpoint.name}", client.batch_endpoints.begin_create_or_update(endpoint))


def _present_settings(deployment: Any) -> dict[str, Any]:
    retries = deployment.retry_settings
    return {
        **{name: getattr(deployment, name) for name in _SETTINGS},
        "logging_level": plain(deployment.logging_level),
        **state_of(deployment),
        "compute": str(deployment.compute).rpartition("/")[2],
        "instance_count": deployment.resources and deployment.resources.instance_count,
        "max_retries": retries and retries.max_retries,
        "timeout": retries and retries.timeout,
    }


def _entity(present: Any, parts: dict[str, Any], settings: dict[str, Any]) -> Any:
    """The deployment to ask for: what is there, or a new one, with other parts and settings."""
    entity = present or ModelBatchDeployment(
        name=parts["name"],
        endpoint_name=parts["endpoint_name"],
        settings=ModelBatchDeploymentSettings(mini_batch_size=10),
    )
    for name, value in parts.items():
        setattr(entity, name, value)
    for name in _SETTINGS:
        if name in settings:
            setattr(entity, name, settings[name])
    entity.compute = settings["compute"]
    entity.resources = entity.resources or ResourceConfiguration()
    entity.resources.instance_count = settings.get("instance_count", 1)
    entity.retry_settings = BatchRetrySettings(
        max_retries=settings.get("max_retries", 3), timeout=settings.get("timeout", 30)
    )
    return entity

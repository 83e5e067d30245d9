"""Online endpoints and deployments, and their traffic. Settings are named as in `az ml` YAML."""

from typing import Any

from azure.ai.ml import MLClient
from azure.ai.ml.entities import ManagedOnlineDeployment, ManagedOnlineEndpoint, OnlineRequestSettings

from .changes import Outcome, ProvisioningError, ensure, plain, say, spelt
from .deployments import Parts, check_parts, entity_parts, present_parts, wanted_parts
from .traffic import same_traffic, with_share
from .workspace import READY, found, settled, state_of, wait


def provision_online_endpoint(
    client: MLClient,
    endpoint_name: str,
    description: str | None,
    auth_mode: str | None,
    public_network: str | None,
) -> Outcome:
    """An online endpoint; its traffic stays as it is. Its scoring URI is told."""
    what = f"online endpoint {endpoint_name}"
    endpoint = settled(what, lambda: client.online_endpoints.get(endpoint_name))
    wanted = {
        "description": description,
        "auth_mode": auth_mode,
        "public_network_access": public_network,
    }
    present = endpoint and {
        "description": endpoint.description,
        "auth_mode": endpoint.auth_mode,
        "public_network_access": plain(endpoint.public_network_access),
        **state_of(endpoint),
    }

    def put() -> None:
        settings = {setting: value for setting, value in wanted.items() if value is not None}
        entity = endpoint or ManagedOnlineEndpoint(name=endpoint_name, **{"auth_mode": "key"} | settings)
        for setting, value in settings.items():
            setattr(entity, setting, value)
        wait(what, client.online_endpoints.begin_create_or_update(entity))

    outcome = ensure(what, {**wanted, **READY}, present, put)
    say(f"{what}: scoring URI {client.online_endpoints.get(endpoint_name).scoring_uri}")
    return outcome


def provision_online_deployment(
    client: MLClient, parts: Parts, traffic_allocation: int | None, **settings: Any
) -> Outcome:
    """A deployment of a model on instances of its own, with all it is made of, and its share of the traffic.

    Raises ProvisioningError without a model and an instance type, where there is no deployment yet that has them.
    """
    what = f"online deployment {parts.endpoint_name}/{parts.deployment_name}"
    if found(lambda: client.online_endpoints.get(parts.endpoint_name)) is None:
        raise ProvisioningError(
            f"{what}: there is no such endpoint; make it with the command online-endpoint"
        )
    deployment = settled(
        what, lambda: client.online_deployments.get(parts.deployment_name, parts.endpoint_name)
    )
    present = deployment and present_parts(deployment) | _present_settings(deployment)
    settings["instance_type"] = spelt(settings["instance_type"], present, "instance_type")
    if present is None and not (settings["instance_type"] and (parts.model or parts.model_path)):
        raise ProvisioningError(f"{what}: a new one needs --instance_type, and --model or --model_path")
    check_parts(what, parts, deployment)
    wanted = wanted_parts(client, parts) | settings | READY

    def put() -> None:
        merged = (present or {}) | {name: value for name, value in wanted.items() if value is not None}
        described = entity_parts(parts, {**dict.fromkeys(wanted), **merged}, deployment)
        entity = _entity(deployment, described, merged)
        wait(what, client.online_deployments.begin_create_or_update(entity))

    outcome = ensure(what, wanted, present, put)
    if traffic_allocation is None:
        return outcome
    endpoint = client.online_endpoints.get(parts.endpoint_name)
    shares = with_share(endpoint.traffic, parts.deployment_name, traffic_allocation)
    split = set_traffic(client, parts.endpoint_name, shares, None)
    return split if outcome == "unchanged" else outcome


def set_traffic(
    client: MLClient, endpoint_name: str, traffic: dict[str, int] | None, mirror: dict[str, int] | None
) -> Outcome:
    """Who takes which percentage of an endpoint's requests, and who gets copies of how many."""
    what = f"online endpoint {endpoint_name}"
    endpoint = client.online_endpoints.get(endpoint_name)
    present = {"traffic": endpoint.traffic, "mirror_traffic": endpoint.mirror_traffic}
    wanted = {
        name: None if shares is None or same_traffic(shares, present[name]) else shares
        for name, shares in (("traffic", traffic), ("mirror_traffic", mirror))
    }

    def put() -> None:
        for name, shares in wanted.items():
            if shares is not None:
                setattr(endpoint, name, shares)
        wait(what, client.online_endpoints.begin_create_or_update(endpoint))

    return ensure(what, wanted, present, put)


def _present_settings(deployment: Any) -> dict[str, Any]:
    requests = deployment.request_settings
    return {
        **state_of(deployment),
        "instance_type": deployment.instance_type,
        "instance_count": deployment.instance_count,
        "request_timeout_ms": requests and requests.request_timeout_ms,
        "max_concurrent_requests_per_instance": requests and requests.max_concurrent_requests_per_instance,
    }


def _entity(present: Any, parts: dict[str, Any], settings: dict[str, Any]) -> Any:
    """The deployment to ask for: what is there, or a new one, with other parts and settings."""
    entity = present or ManagedOnlineDeployment(name=parts["name"], endpoint_name=parts["endpoint_name"])
    for name, value in parts.items():
        setattr(entity, name, value)
    entity.instance_type = settings["instance_type"]
    entity.instance_count = settings.get("instance_count", 1)
    entity.request_settings = entity.request_settings or OnlineRequestSettings()
    for name, default in (("request_timeout_ms", 5000), ("max_concurrent_requests_per_instance", 1)):
        setattr(entity.request_settings, name, settings.get(name, default))
    return entity

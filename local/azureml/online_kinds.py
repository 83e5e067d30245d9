"""Online endpoints and their deployments as resources."""

import secrets
from dataclasses import replace
from typing import Any

from .batch_kinds import code_of, environment_of
from .kinds import Kind, existing
from .online_runtime import RequestSettings
from .online_traffic import InvalidTraffic, check_traffic
from .operations import ProvisioningFailed
from .reading import InvalidBody, integer, members, one_of, required, seconds, strings
from .resources import Resource
from .workspace import id_of

AUTH_MODES = ("Key", "AMLToken", "AADToken")
KEY_TYPES = ("Primary", "Secondary")
_LONGEST_TIMEOUT = 180
_READ_ONLY = ("provisioningState", "scoringUri", "swaggerUri")
_ENDPOINT = (
    *("authMode", "description", "properties", "traffic", "mirrorTraffic", "publicNetworkAccess", "compute"),
    *_READ_ONLY,
)
_DEPLOYMENT = (
    *("model", "modelMountPath", "codeConfiguration", "environmentId", "environmentVariables"),
    *("endpointComputeType", "instanceType", "requestSettings", "scaleSettings", "livenessProbe"),
    *("readinessProbe", "startupProbe", "appInsightsEnabled", "egressPublicNetworkAccess", "dataCollector"),
    *("privateNetworkConnection", "description", "properties", "provisioningState"),
)
_KEPT_AS_GIVEN = ("livenessProbe", "readinessProbe", "appInsightsEnabled", "egressPublicNetworkAccess")


def key_path(endpoint: str, key_type: str) -> str:
    """Where a key of an endpoint is remembered: below it, and in no list."""
    return f"onlineEndpoints/{endpoint}/keys/{key_type.lower()}"


class OnlineEndpoints(Kind):
    """Managed online endpoints. Public network access is remembered, and restricts nothing here."""

    path = "onlineEndpoints"
    prefix = "oe"

    def checked(self, resource: Resource) -> Resource:
        properties = members(resource.properties, _ENDPOINT, "OnlineEndpointProperties")
        if properties.get("compute"):
            raise InvalidBody("Kubernetes online endpoints are not emulated; leave compute out")
        traffic, mirror = (_shares(properties, name) for name in ("traffic", "mirrorTraffic"))
        below = self.service.resources.listed("onlineEndpoints/deployments", resource.path)
        try:
            check_traffic(traffic, mirror, [deployment.name for deployment in below])
        except InvalidTraffic as error:
            raise InvalidBody(str(error)) from None
        access = properties.get("publicNetworkAccess") or "Enabled"
        kept = {
            "description": properties.get("description"),
            "properties": strings(properties, "properties"),
            "authMode": one_of(properties.get("authMode"), AUTH_MODES, "authMode"),
            "traffic": traffic,
            "mirrorTraffic": mirror,
            "publicNetworkAccess": one_of(access, ("Enabled", "Disabled"), "publicNetworkAccess"),
        }
        return replace(resource, properties=kept, extra=resource.extra | {"kind": "Managed"})

    def shown(self, resource: Resource) -> dict[str, Any]:
        made = resource.state != "Creating"
        return resource.properties | {
            "properties": resource.properties["properties"]
            | {"azureml.onlineendpointid": id_of(resource.path)},
            "scoringUri": f"{self.service.base}/endpoints/{resource.name}/score" if made else None,
            "swaggerUri": None,
            "compute": None,
        }

    async def provision(self, resource: Resource) -> None:
        """Make the keys that are missing: both of a new endpoint, and one that is to be another."""
        for key_type in KEY_TYPES:
            path = key_path(resource.name, key_type)
            if self.service.resources.get(path) is None:
                self.service.resources.put(Resource(path=path, properties={"key": secrets.token_urlsafe(32)}))

    async def remove(self, resource: Resource) -> None:
        for deployment in self.service.resources.listed("onlineEndpoints/deployments", resource.path):
            await self.service.online.remove(deployment.path)


class OnlineDeployments(Kind):
    """Managed online deployments: a model, its instances and the requests they take."""

    path = "onlineEndpoints/deployments"
    prefix = "od"

    def checked(self, resource: Resource) -> Resource:
        properties = members(resource.properties, _DEPLOYMENT, "OnlineDeploymentProperties")
        _refuse_unsupported(properties)
        given = properties.get("model")
        # As clients send it, or as it is kept, in the form that batch deployments have.
        asset = given.get("assetId") if isinstance(given, dict) else given
        model = existing(self.service, asset, "models/versions", "model")
        kept = {
            "description": properties.get("description"),
            "properties": strings(properties, "properties"),
            "model": {"referenceType": "Id", "assetId": id_of(model.path)},
            "codeConfiguration": code_of(self.service, properties, model),
            "environmentId": environment_of(self.service, properties),
            "environmentVariables": strings(properties, "environmentVariables"),
            "endpointComputeType": "Managed",
            "instanceType": required(properties, "instanceType", "OnlineDeploymentProperties"),
            "requestSettings": _request_settings(properties),
            "scaleSettings": {"scaleType": "Default"},
        }
        kept |= {name: properties[name] for name in _KEPT_AS_GIVEN if name in properties}
        return replace(resource, properties=kept, extra=resource.extra | {"sku": _sku(resource)})

    def check_removal(self, resource: Resource) -> None:
        endpoint = self.service.resources.get(resource.parent)
        share = endpoint.properties["traffic"].get(resource.name, 0) if endpoint else 0
        if share:
            raise InvalidBody(f"{resource.path} takes {share}% of the traffic; set that to 0 first")

    def shown(self, resource: Resource) -> dict[str, Any]:
        return resource.properties | {"model": resource.properties["model"]["assetId"]}

    async def provision(self, resource: Resource) -> None:
        await self.service.online.deploy(resource)

    async def remove(self, resource: Resource) -> None:
        await self.service.online.remove(resource.path)
        endpoint = self.service.resources.get(resource.parent)
        if endpoint is None:
            return
        shares = {
            name: {key: share for key, share in endpoint.properties[name].items() if key != resource.name}
            for name in ("traffic", "mirrorTraffic")
        }
        self.service.resources.change(endpoint.path, properties=endpoint.properties | shares)


def request_settings(resource: Resource) -> RequestSettings:
    """How many requests a deployment takes, and for how long. Raises ProvisioningFailed for WORKER_COUNT."""
    properties = resource.properties
    workers = properties["environmentVariables"].get("WORKER_COUNT", "1")
    if not workers.isdigit() or int(workers) < 1:
        raise ProvisioningFailed(
            "UserError", f"WORKER_COUNT is {workers!r}; it must be a whole number from 1"
        )
    settings = properties["requestSettings"]
    return RequestSettings(
        instance_count=resource.extra["sku"]["capacity"],
        max_concurrent_per_instance=settings["maxConcurrentRequestsPerInstance"],
        timeout=seconds(settings, "requestTimeout", "requestSettings") or 5.0,
        workers=int(workers),
    )


def _shares(properties: dict[str, Any], name: str) -> dict[str, int]:
    shares = properties.get(name) or {}
    if not isinstance(shares, dict) or not all(type(share) is int for share in shares.values()):
        raise InvalidBody(f"{name} must be an object whose values are whole percentages")
    return dict(shares)


def _request_settings(properties: dict[str, Any]) -> dict[str, Any]:
    known = ("requestTimeout", "maxConcurrentRequestsPerInstance", "maxQueueWait")
    given = members(properties.get("requestSettings") or {}, known, "requestSettings")
    timeout = seconds(given, "requestTimeout", "requestSettings")
    if timeout and timeout > _LONGEST_TIMEOUT:
        raise InvalidBody(f"requestTimeout is {timeout:g} seconds; at most {_LONGEST_TIMEOUT} are allowed")
    defaults = {"requestTimeout": "PT5S", "maxConcurrentRequestsPerInstance": 1, "maxQueueWait": "PT0.5S"}
    concurrent = integer(given, "maxConcurrentRequestsPerInstance", 1)
    given |= {} if concurrent is None else {"maxConcurrentRequestsPerInstance": concurrent}
    return defaults | {name: value for name, value in given.items() if value is not None}


def _sku(resource: Resource) -> dict[str, Any]:
    """The instances that are asked for; without a number, one."""
    sku = members(resource.extra.get("sku") or {}, ("name", "capacity", "tier", "size", "family"), "sku")
    return {"name": "Default", "capacity": integer(sku, "capacity", 1) or 1}


def _refuse_unsupported(properties: dict[str, Any]) -> None:
    """Raise InvalidBody for what Azure ML has and the emulator has not, by its name."""
    compute = properties.get("endpointComputeType") or "Managed"
    scale = (properties.get("scaleSettings") or {}).get("scaleType") or "Default"
    unsupported = {
        "Kubernetes online deployments": compute.lower() != "managed",
        "scale settings other than Default (autoscaling)": scale.lower() != "default",
        "data collectors": properties.get("dataCollector"),
        "model mount paths, which custom containers have,": properties.get("modelMountPath"),
    }
    for what, given in unsupported.items():
        if given:
            raise InvalidBody(f"{what} are not emulated; leave them out")

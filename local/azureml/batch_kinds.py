"""Batch endpoints and their deployments as resources."""

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .component_kind import Components, models_of
from .components import read_pipeline
from .deployments import check_mlflow, check_script
from .kinds import Kind, existing
from .reading import InvalidBody, members, one_of, required, strings
from .resources import Resource
from .settings import Settings
from .workspace import id_of, short_name

if TYPE_CHECKING:
    from .service import Service

_NAME = re.compile(r"[a-zA-Z][-a-zA-Z0-9]*[a-zA-Z0-9]")
_READ_ONLY = ("provisioningState", "scoringUri", "swaggerUri")
_ENDPOINT = ("authMode", "description", "properties", "keys", "defaults", *_READ_ONLY)
_DEPLOYMENT = (
    *("model", "codeConfiguration", "environmentId", "environmentVariables", "compute", "resources"),
    *("maxConcurrencyPerInstance", "miniBatchSize", "errorThreshold", "loggingLevel", "outputAction"),
    *("outputFileName", "retrySettings", "deploymentConfiguration", "description", "properties"),
    "provisioningState",
)

_PIPELINE = ("deploymentConfigurationType", "componentId", "settings", "tags", "description")
_PIPELINE_SETTINGS = ("default_compute", "default_datastore", "continue_on_step_failure", "force_rerun")


def scoring_uri(base: str, endpoint: str) -> str:
    """Where an endpoint is invoked, below the emulator's own address."""
    return f"{base}/endpoints/{endpoint}/jobs"


class BatchEndpoints(Kind):
    """Batch endpoints; Entra tokens are the only way in. Names are as azure-ai-ml checks them, too."""

    path = "batchEndpoints"
    prefix = "bebes"

    def checked(self, resource: Resource) -> Resource:
        if not 3 <= len(resource.name) <= 32 or _NAME.fullmatch(resource.name) is None:
            raise InvalidBody(
                f"{resource.name!r} is no name of an endpoint: 3 to 32 letters, digits and hyphens, a letter first"
            )
        properties = members(resource.properties, _ENDPOINT, "BatchEndpointProperties")
        one_of(properties.get("authMode"), ("AADToken",), "authMode")
        defaults = members(properties.get("defaults") or {}, ("deploymentName",), "BatchEndpointDefaults")
        kept = {
            "description": properties.get("description"),
            "properties": strings(properties, "properties"),
            "authMode": "AADToken",
            "defaults": {"deploymentName": defaults.get("deploymentName")},
        }
        return replace(resource, properties=kept)

    def shown(self, resource: Resource) -> dict[str, Any]:
        made = resource.state != "Creating"
        own = {
            "BatchEndpointCreationApiVersion": "2023-10-01",
            "azureml.onlineendpointid": id_of(resource.path),
        }
        return resource.properties | {
            "properties": resource.properties["properties"] | own,
            "scoringUri": scoring_uri(self.service.base, resource.name) if made else None,
            "swaggerUri": None,
        }


class BatchDeployments(Kind):
    """Batch deployments: a model with its settings."""

    path = "batchEndpoints/deployments"
    prefix = "bdbes"

    def checked(self, resource: Resource) -> Resource:
        properties = members(resource.properties, _DEPLOYMENT, "BatchDeploymentProperties")
        if properties.get("deploymentConfiguration"):
            return self._checked_pipeline(resource, properties)
        model = _model(self.service, properties)
        kept = {
            "description": properties.get("description"),
            "model": {"referenceType": "Id", "assetId": id_of(model.path)},
            "codeConfiguration": code_of(self.service, properties, model),
            "environmentId": environment_of(self.service, properties),
            "environmentVariables": strings(properties, "environmentVariables"),
            "compute": id_of(existing(self.service, properties.get("compute"), "computes", "compute").path),
            "deploymentConfiguration": None,
            "properties": strings(properties, "properties"),
        }
        return replace(resource, properties=kept | Settings().overridden(properties, "resources").to_arm())

    def _checked_pipeline(self, resource: Resource, properties: dict[str, Any]) -> Resource:
        """Raises InvalidBody."""
        given = members(properties["deploymentConfiguration"], _PIPELINE, "deploymentConfiguration")
        one_of(
            given.get("deploymentConfigurationType"), ("PipelineComponent",), "deploymentConfigurationType"
        )
        reference = members(given.get("componentId") or {}, ("referenceType", "assetId"), "componentId")
        components = Components(self.service)
        component = components.find(reference.get("assetId"), "componentId.assetId")
        pipeline = read_pipeline(component.properties["componentSpec"], components.find)
        settings = members(given.get("settings") or {}, _PIPELINE_SETTINGS, "settings")
        if str(settings.get("continue_on_step_failure", False)).lower() == "true":
            raise InvalidBody("continue_on_step_failure is not emulated; leave it out")
        if settings.get("default_datastore"):
            _datastore(self.service, settings["default_datastore"])
        for compute in [
            settings.get("default_compute"),
            *(step.compute for step in pipeline.steps if step.compute),
        ]:
            _compute(self.service, compute)
        configuration = {
            "deploymentConfigurationType": "PipelineComponent",
            "componentId": {"referenceType": "Id", "assetId": id_of(component.path)},
            "settings": settings,
            "tags": given.get("tags") or {},
            "description": given.get("description"),
        }
        kept = {
            "description": properties.get("description"),
            "deploymentConfiguration": configuration,
            "properties": strings(properties, "properties"),
        }
        return replace(resource, properties=kept)

    async def provision(self, resource: Resource) -> None:
        if resource.properties["deploymentConfiguration"]:
            await self._provision_pipeline(resource)
            return
        model = await self.service.assets.fetch(self.service.catalogue.model(resource).properties["modelUri"])
        code = self.service.catalogue.code_uri(resource)
        if code is None:
            check_mlflow(model)
        else:
            folder = await self.service.assets.fetch(code)
            check_script(folder, resource.properties["codeConfiguration"]["scoringScript"])

    async def _provision_pipeline(self, resource: Resource) -> None:
        components = Components(self.service)
        component = resource.properties["deploymentConfiguration"]["componentId"]["assetId"]
        spec = components.find(component, "componentId").properties["componentSpec"]
        for step in read_pipeline(spec, components.find).steps:
            if step.command.code:
                code = existing(self.service, step.command.code, "codes/versions", "code")
                await self.service.assets.fetch(code.properties["codeUri"])
            for model in models_of(self.service, step):
                await self.service.assets.fetch(model.properties["modelUri"])


def _compute(service: "Service", given: object) -> Resource:
    """The cluster that is given by its name or its ARM id. Raises InvalidBody."""
    return existing(service, id_of(f"computes/{short_name(given)}"), "computes", "default_compute")


def _datastore(service: "Service", given: object) -> Resource:
    """The datastore that is given by its name or its ARM id. Raises InvalidBody."""
    return existing(service, id_of(f"datastores/{short_name(given)}"), "datastores", "default_datastore")


def _model(service: "Service", properties: dict[str, Any]) -> Resource:
    reference = members(
        properties.get("model") or {}, ("referenceType", "assetId", "path", "datastoreId", "jobId"), "model"
    )
    one_of(reference.get("referenceType"), ("Id",), "model.referenceType")
    return existing(service, reference.get("assetId"), "models/versions", "model.assetId")


def code_of(service: "Service", properties: dict[str, Any], model: Resource) -> dict[str, str] | None:
    """The codeConfiguration of a deployment; None for an MLflow model without one. Raises InvalidBody."""
    given = properties.get("codeConfiguration")
    if not given:
        if model.properties.get("modelType") != "mlflow_model":
            raise InvalidBody(
                f"{id_of(model.path)} is no mlflow_model: give a codeConfiguration with a scoring script"
            )
        return None
    configuration = members(given, ("codeId", "scoringScript"), "codeConfiguration")
    code = existing(service, configuration.get("codeId"), "codes/versions", "codeConfiguration.codeId")
    script = required(configuration, "scoringScript", "codeConfiguration")
    return {"codeId": id_of(code.path), "scoringScript": script}


def environment_of(service: "Service", properties: dict[str, Any]) -> str | None:
    """The environment of a deployment, which a scoring script needs. Raises InvalidBody."""
    given = properties.get("environmentId")
    if given is None and properties.get("codeConfiguration"):
        raise InvalidBody("environmentId is missing: a scoring script needs an environment")
    if given is None or str(given).lower().startswith("azureml://registries/azureml/"):
        return given
    return id_of(existing(service, given, "environments/versions", "environmentId").path)

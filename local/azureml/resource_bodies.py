"""The workspace, its endpoints, deployments and datastore as Azure Resource Manager shows them."""

from typing import Any
from urllib.parse import urlsplit

from .deployments import Deployment, Endpoint
from .invocation import iso_duration
from .workspace import DATASTORE, DATASTORE_CONTAINER, LOCATION, WORKSPACE_GUID, WORKSPACE_ID

_TYPE = "Microsoft.MachineLearningServices/workspaces"


def scoring_uri(base: str, endpoint: str) -> str:
    """Where an endpoint is invoked, below the emulator's own address."""
    return f"{base}/endpoints/{endpoint}/jobs"


def workspace_resource(base: str) -> dict[str, Any]:
    """The workspace, which tells where discovery is."""
    return {
        "id": WORKSPACE_ID,
        "name": "local",
        "type": _TYPE,
        "location": LOCATION,
        "tags": {},
        "properties": {
            "workspaceId": WORKSPACE_GUID,
            "friendlyName": "local",
            "provisioningState": "Succeeded",
            "discoveryUrl": f"{base}/discovery",
        },
    }


def endpoint_resource(endpoint: Endpoint, base: str) -> dict[str, Any]:
    """A batch endpoint with its scoring URI."""
    return _resource(
        f"batchEndpoints/{endpoint.name}",
        {
            "description": endpoint.description,
            "properties": {},
            "scoringUri": scoring_uri(base, endpoint.name),
            "swaggerUri": None,
            "authMode": "AADToken",
            "defaults": {"deploymentName": endpoint.default_deployment},
            "provisioningState": "Succeeded",
        },
        tags=endpoint.tags,
    )


def deployment_resource(deployment: Deployment) -> dict[str, Any]:
    """A deployment with the settings its jobs start from."""
    settings = deployment.settings
    return _resource(
        f"batchEndpoints/{deployment.endpoint}/deployments/{deployment.name}",
        {
            "description": deployment.description,
            "model": {
                "referenceType": "Id",
                "assetId": f"{WORKSPACE_ID}/models/{deployment.model.name}/versions/1",
            },
            "codeConfiguration": _code(deployment),
            "environmentVariables": deployment.environment_variables,
            "compute": f"{WORKSPACE_ID}/computes/{deployment.compute}",
            "resources": {"instanceCount": settings.instance_count, "instanceType": None, "properties": {}},
            "maxConcurrencyPerInstance": settings.max_concurrency_per_instance,
            "miniBatchSize": settings.mini_batch_size,
            "errorThreshold": settings.error_threshold,
            "loggingLevel": settings.logging_level.capitalize(),
            "outputAction": settings.output_action.title().replace("_", ""),
            "outputFileName": settings.output_file_name,
            "retrySettings": {"maxRetries": settings.max_retries, "timeout": iso_duration(settings.timeout)},
            "deploymentConfiguration": None,
            "provisioningState": "Succeeded",
            "properties": {},
        },
        tags={},
    )


def datastore_resource(account: str, service_url: str) -> dict[str, Any]:
    """The default datastore. `endpoint` is what follows `<account>.blob.` in the account's address.

    Where the address puts the account into the path, as Azurite's does, it is the host and port.
    """
    url = urlsplit(service_url)
    return {
        "id": f"{WORKSPACE_ID}/datastores/{DATASTORE}",
        "name": DATASTORE,
        "type": f"{_TYPE}/datastores",
        "properties": {
            "description": None,
            "tags": None,
            "properties": None,
            "isDefault": True,
            "credentials": {"credentialsType": "AccountKey"},
            "datastoreType": "AzureBlob",
            "accountName": account,
            "containerName": DATASTORE_CONTAINER,
            "endpoint": url.netloc.removeprefix(f"{account}.blob."),
            "protocol": url.scheme,
            "serviceDataAccessAuthIdentity": "None",
        },
    }


def _code(deployment: Deployment) -> dict[str, str] | None:
    """The deployment's scoring script, unless its MLflow model does without one."""
    if deployment.no_code:
        return None
    return {
        "codeId": f"{WORKSPACE_ID}/codes/{deployment.name}/versions/1",
        "scoringScript": deployment.scoring_script,
    }


def _resource(path: str, properties: dict[str, Any], tags: dict[str, str]) -> dict[str, Any]:
    kinds, name = "/".join(path.split("/")[::2]), path.rpartition("/")[2]
    return {
        "id": f"{WORKSPACE_ID}/{path}",
        "name": name,
        "type": f"{_TYPE}/{kinds}",
        "location": LOCATION,
        "tags": tags,
        "properties": properties,
    }

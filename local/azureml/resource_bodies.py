"""The workspace as Azure Resource Manager shows it."""

from typing import Any

from .workspace import LOCATION, WORKSPACE_GUID, WORKSPACE_ID


def workspace_resource(base: str) -> dict[str, Any]:
    """The workspace, which tells where discovery is."""
    return {
        "id": WORKSPACE_ID,
        "name": "local",
        "type": "Microsoft.MachineLearningServices/workspaces",
        "location": LOCATION,
        "tags": {},
        "identity": {"type": "SystemAssigned"},
        "properties": {
            "workspaceId": WORKSPACE_GUID,
            "friendlyName": "local",
            "provisioningState": "Succeeded",
            "discoveryUrl": f"{base}/discovery",
            "mlFlowTrackingUri": f"azureml://{LOCATION}.api.azureml.ms/mlflow/v1.0{WORKSPACE_ID}",
        },
    }

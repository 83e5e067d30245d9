"""The one workspace the emulator stands for: its ARM id, its datastore and the token audiences."""

SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
WORKSPACE_ID = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/local"
    "/providers/Microsoft.MachineLearningServices/workspaces/local"
)
WORKSPACE_GUID = "00000000-0000-0000-0000-00000000a321"
LOCATION = "local"

DATASTORE = "workspaceblobstore"
DATASTORE_CONTAINER = "azureml"

SCORING_AUDIENCE = "https://ml.azure.com"
ARM_AUDIENCE = "https://management.azure.com"

DATAPLANE_API_VERSION = "2020-09-01-dataplanepreview"

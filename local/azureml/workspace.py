"""The one workspace the emulator stands for: its ARM id, its datastore and the token audiences."""

SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
WORKSPACE_ID = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/local"
    "/providers/Microsoft.MachineLearningServices/workspaces/local"
)
WORKSPACE_GUID = "00000000-0000-0000-0000-00000000a321"
LOCATION = "local"
OPERATIONS_ID = (
    f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.MachineLearningServices/locations/{LOCATION}"
)

DATASTORE = "workspaceblobstore"
ARTIFACT_DATASTORE = "workspaceartifactstore"
DATASTORE_CONTAINER = "azureml"

SCORING_AUDIENCE = "https://ml.azure.com"
ARM_AUDIENCE = "https://management.azure.com"

DATAPLANE_API_VERSION = "2020-09-01-dataplanepreview"


def path_of(arm_id: str) -> str | None:
    """What an ARM id names below this workspace, as `models/m/versions/1`; None for an id of elsewhere."""
    prefix = WORKSPACE_ID + "/"
    return arm_id[len(prefix) :].strip("/") if arm_id.lower().startswith(prefix.lower()) else None


def short_name(given: object) -> str:
    """The name of what is given by its name, as `azureml:name`, or by its ARM id."""
    return str(given or "").removeprefix("azureml:").rpartition("/")[2]


def id_of(path: str) -> str:
    """The ARM id of what lies at `path` below the workspace."""
    return f"{WORKSPACE_ID}/{path}"

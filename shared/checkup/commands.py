"""What to type where a check is not good: commands of the Azure CLI and of `dropscore`, as whole as they can be.

What the app cannot know stands in capitals: APP and GROUP where it does not run on App Service, NAME, ROUTE.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from shared.settings import inbox_events

WORKSPACE_ID = "/subscriptions/…/workspaces/NAME"
MEND_ROUTES = (
    "`dropscore routes rollback`, or mend the text: `dropscore routes show > routes.toml`, edit, "
    "`dropscore routes set routes.toml`"
)
UNWELL = "Azure ML is unwell; ask again in a few minutes."


@dataclass(frozen=True)
class Home:
    """Where the app runs, as App Service tells it; placeholders elsewhere."""

    app: str = "APP"
    group: str = "GROUP"
    host: str = ""
    events: bool = True

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> "Home":
        """WEBSITE_SITE_NAME and WEBSITE_RESOURCE_GROUP are documented by App Service; HOST_VERSION may be missing."""
        return cls(
            app=environment.get("WEBSITE_SITE_NAME") or "APP",
            group=environment.get("WEBSITE_RESOURCE_GROUP") or "GROUP",
            host=environment.get("HOST_VERSION") or environment.get("FUNCTIONS_EXTENSION_VERSION", ""),
            events=inbox_events(environment),
        )

    @classmethod
    def here(cls) -> "Home":
        return cls.of(os.environ)

    @property
    def named(self) -> str:
        return f"-n {self.app} -g {self.group}"

    def setting(self, text: str) -> str:
        return f"az functionapp config appsettings set {self.named} --settings {text}"

    def restart(self) -> str:
        return f"az functionapp restart {self.named}"

    def assign_identity(self) -> str:
        return f"az functionapp identity assign {self.named}"

    def grant(self, client_id: str, role: str, scope: str) -> str:
        """Gives the app's identity, the user-assigned one with that client id if it has one, a role."""
        own = f"$(az functionapp identity show {self.named} --query principalId -o tsv)"
        return f'az role assignment create --assignee {client_id or own} --role "{role}" --scope {scope}'

    def subscribe(self, account: str, inbox: str) -> str:
        """Makes the Event Grid subscription of the inbox, or makes it anew."""
        key = f"$(az functionapp keys list {self.named} --query systemKeys.blobs_extension -o tsv)"
        hook = f"https://{self.app}.azurewebsites.net/runtime/webhooks/blobs?functionName=Host.Functions.blob_dropped"
        source = f"--source-resource-id {account_id(account)}"
        kinds = "--included-event-types Microsoft.Storage.BlobCreated"
        below = f"--subject-begins-with /blobServices/default/containers/{inbox}/"
        create = f"az eventgrid event-subscription create -n dropscore-inbox {source} {kinds} {below}"
        return (
            f'sh infra/hooks/subscribe.sh where azd deployed it; else {create} --endpoint "{hook}&code={key}"'
        )


def account_id(account: str) -> str:
    return f"$(az storage account show -n {account} --query id -o tsv)"


def container_id(account: str, container: str) -> str:
    return f"{account_id(account)}/blobServices/default/containers/{container}"


def let_cluster_read(account: str, container: str) -> str:
    """What the cluster's identity needs, to be handed the parts of a run: its own, or the one it was given."""
    query = "identity.principal_id || identity.user_assigned_identities[0].principal_id"
    own = f"$(az ml compute show -n CLUSTER -w WORKSPACE -g GROUP --query '{query}' -o tsv)"
    scope = container_id(account, container)
    return f'az role assignment create --assignee {own} --role "Storage Blob Data Reader" --scope {scope}'


def network_rules(account: str) -> str:
    return f"az storage account show -n {account} --query networkRuleSet"


def create_container(account: str, container: str) -> str:
    return f"az storage container create -n {container} --account-name {account} --auth-mode login"


def delete_blob(account: str, container: str, blob: str) -> str:
    return f"az storage blob delete -c {container} -n {blob} --account-name {account} --auth-mode login"


def look_into_queue(account: str, queue: str) -> str:
    where = f"--queue-name {queue} --account-name {account} --auth-mode login"
    return f"az storage message peek {where}; then az storage message clear {where}"


def flat_account() -> str:
    return "az storage account create -n NAME -g GROUP --kind StorageV2 --enable-hierarchical-namespace false"


def ml(workspace: str) -> str:
    """The workspace, as `az ml` wants it."""
    _, _, subscription, _, group, _, _, _, name = workspace.split("/")
    return f"-w {name} -g {group} --subscription {subscription}"


def other_datastore(workspace: str) -> str:
    return f"az ml datastore list {ml(workspace)} -o table, then: `dropscore routes set ROUTE datastore=NAME`"


def other_endpoint(workspace: str, route: str) -> str:
    listed = f"az ml batch-endpoint list {ml(workspace)} -o table"
    return f"{listed}, then: `dropscore routes set {route} model=URL`"


def default_deployment(workspace: str, endpoint: str) -> str:
    return f"az ml batch-endpoint update -n {endpoint} {ml(workspace)} --set defaults.deployment_name=NAME"


def other_deployment(workspace: str, endpoint: str, route: str) -> str:
    listed = f"az ml batch-deployment list -e {endpoint} {ml(workspace)} -o table"
    return f"{listed}, then: `dropscore routes set {route} deployment=NAME`"


def show_deployment(workspace: str, endpoint: str, name: str) -> str:
    return f"az ml batch-deployment show -n {name} -e {endpoint} {ml(workspace)}"

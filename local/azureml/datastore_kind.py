"""Blob datastores: containers of the storage account under names."""

from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from .kinds import Kind
from .reading import InvalidBody, one_of, required
from .resources import Resource
from .workspace import DATASTORE


class Datastores(Kind):
    """Datastores. All lie in the one account the emulator has; credentials are taken and not kept."""

    path = "datastores"

    def checked(self, resource: Resource) -> Resource:
        properties = resource.properties
        one_of(properties.get("datastoreType"), ("AzureBlob",), "datastoreType")
        account = required(properties, "accountName", "properties")
        if account != self.service.storage.account:
            raise InvalidBody(
                f"the account {account} is not emulated; the only one is {self.service.storage.account}"
            )
        required(properties, "containerName", "properties")
        credentials = {
            "credentialsType": (properties.get("credentials") or {}).get("credentialsType", "None")
        }
        return replace(resource, properties=properties | {"credentials": credentials})

    def shown(self, resource: Resource) -> dict[str, Any]:
        """`endpoint` is what follows `<account>.blob.` in the account's address.

        Where the address puts the account into the path, as Azurite's does, it is the host and port.
        """
        url = urlsplit(self.service.storage.url)
        defaults = {
            "description": None,
            "tags": None,
            "properties": None,
            "serviceDataAccessAuthIdentity": "None",
        }
        own = {
            "isDefault": resource.name == DATASTORE,
            "endpoint": url.netloc.removeprefix(f"{self.service.storage.account}.blob."),
            "protocol": url.scheme,
        }
        return defaults | resource.properties | own

    def secrets(self, resource: Resource, expirable: bool) -> dict[str, str]:
        """What opens the datastore: the account's key, or a token that expires."""
        if expirable or resource.properties["credentials"]["credentialsType"] == "Sas":
            token = self.service.storage.container_token(resource.properties["containerName"])
            return {"secretsType": "Sas", "sasToken": token}
        return {"secretsType": "AccountKey", "key": self.service.storage.key}

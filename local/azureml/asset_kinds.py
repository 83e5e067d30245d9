"""Versioned assets: models, code, environments, data. Their contents stay as they are once they are made."""

from dataclasses import replace
from typing import Any

from .kinds import Kind
from .reading import InvalidBody, one_of, required
from .resources import Resource

CONTAINERS = ("models", "codes", "environments", "data", "components")
_MODEL_TYPES = ("custom_model", "mlflow_model")
_DATA_TYPES = ("uri_file", "uri_folder")


class Models(Kind):
    """Registered models."""

    path = "models/versions"
    frozen = ("modelUri",)

    def checked(self, resource: Resource) -> Resource:
        kind = one_of(resource.properties.get("modelType") or "custom_model", _MODEL_TYPES, "modelType")
        uri = required(resource.properties, "modelUri", "properties")
        flavors = resource.properties.get("flavors") or {}
        return _with(resource, modelType=kind, modelUri=uri, flavors=flavors)


class Codes(Kind):
    """Folders of code."""

    path = "codes/versions"
    frozen = ("codeUri",)

    def checked(self, resource: Resource) -> Resource:
        required(resource.properties, "codeUri", "properties")
        return resource


class Environments(Kind):
    """Environments. They are kept and not built: scripts run in the emulator's own interpreter."""

    path = "environments/versions"

    def checked(self, resource: Resource) -> Resource:
        if not (resource.properties.get("image") or resource.properties.get("build")):
            raise InvalidBody("an environment needs an image or a build")
        return resource


class Data(Kind):
    """Data assets: a file or a folder in storage under a name."""

    path = "data/versions"
    frozen = ("dataUri",)

    def checked(self, resource: Resource) -> Resource:
        kind = one_of(resource.properties.get("dataType") or "uri_folder", _DATA_TYPES, "dataType")
        uri = required(resource.properties, "dataUri", "properties")
        return _with(resource, dataType=kind, dataUri=uri)


def container_properties(versions: list[Resource]) -> dict[str, Any]:
    """What an asset's name shows of all its versions, the oldest first."""
    numbers = [int(version.name) for version in versions if version.name.isdigit()]
    latest = versions[-1]
    shown: dict[str, Any] = {
        "description": latest.properties.get("description"),
        "tags": {},
        "properties": {},
        "isArchived": False,
        "latestVersion": latest.name,
        "nextVersion": str(max(numbers, default=0) + 1),
    }
    return shown | {key: latest.properties[key] for key in ("dataType",) if key in latest.properties}


def _with(resource: Resource, **changes: Any) -> Resource:
    return replace(resource, properties=resource.properties | changes)

"""What readers of `az ml` YAML share: the resources read so far, and how one names another."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from .resources import FOLDER, Resource
from .workspace import id_of


class DeploymentError(Exception):
    """YAML that cannot be served; the message names the file and what to change."""


@dataclass
class Reading:
    """The resources read so far, by their paths, and how many nodes a cluster has that no YAML describes."""

    nodes: int
    resources: dict[str, Resource] = field(default_factory=dict)

    def add(self, path: str, properties: dict[str, Any], **more: Any) -> str:
        """Add a resource; its ARM id."""
        self.resources[path] = Resource(path=path, properties=properties, origin=FOLDER, **more)
        return id_of(path)

    def add_version(self, kind: str, name: str, properties: dict[str, Any], version: str = "1") -> str:
        """Add a version of an asset, or the next one where there is another of this version; its ARM id."""
        path = f"{kind}/{name}/versions/{version}"
        known = self.resources.get(path)
        if known is not None and known.properties != properties:
            if not version.isdigit():
                raise DeploymentError(
                    f"{path} is described twice, and not the same; give one another version"
                )
            return self.add_version(kind, name, properties, str(int(version) + 1))
        return self.add(path, properties)

    def registered(self, file: Path, kind: str, reference: str) -> str:
        """The ARM id of what `azureml:name:version` or `azureml:name@latest` names among the YAML served.

        Raises DeploymentError where no YAML describes it.
        """
        name, _, label = reference.removeprefix("azureml:").partition("@")
        if label == "latest":
            versions = [path for path in self.resources if path.startswith(f"{kind}/{name}/versions/")]
            path = versions[-1] if versions else ""
        else:
            name, _, version = name.rpartition(":")
            path = f"{kind}/{name}/versions/{version}"
        if path not in self.resources:
            raise DeploymentError(
                f"{file}: no YAML describes {reference!r} ({kind}); add one, or give its path"
            )
        return id_of(path)


def required(file: Path, document: dict[str, Any], key: str) -> Any:
    """A member that must be there. Raises DeploymentError."""
    if document.get(key) in (None, ""):
        raise DeploymentError(f"{file}: {key} is missing; add it as `az ml` needs it")
    return document[key]


def tags_of(document: dict[str, Any]) -> dict[str, str]:
    """The tags, as texts."""
    return {key: str(value) for key, value in (document.get("tags") or {}).items()}


def is_reference(value: object) -> bool:
    """Whether YAML names a registered asset."""
    return isinstance(value, str) and value.startswith("azureml:") and not value.startswith("azureml://")


def loaded(path: Path) -> Any:
    """What a file of YAML holds. Raises DeploymentError."""
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise DeploymentError(
            f"{path} cannot be read as YAML; mend it, or serve another folder: {error}"
        ) from None


def described(file: Path, value: object) -> tuple[Path, dict[str, Any]]:
    """A document written in its place, or in a file of its own, and the file it stands in. Raises DeploymentError."""
    if isinstance(value, dict):
        return file, value
    path = (file.parent / str(value).removeprefix("file:")).resolve()
    if not path.is_file():
        raise DeploymentError(f"{file}: there is no file {path}")
    document = loaded(path)
    if not isinstance(document, dict):
        raise DeploymentError(f"{path}: holds no object")
    return path, document

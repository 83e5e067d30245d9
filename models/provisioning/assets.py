"""Models, environments and data assets: each content is one version, found again by a digest among its tags."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from azure.ai.ml import MLClient
from azure.ai.ml.entities import Data, Environment, Model

from .changes import Outcome, ProvisioningError, content_of, ensure
from .names import latest_of, reference
from .workspace import found

_CONTENT = "content_sha256"


def register_model(
    client: MLClient, name: str, path: Path, kind: str | None, version: str | None, description: str | None
) -> tuple[Outcome, str]:
    """What was done, and the model as NAME:VERSION. `kind` is by default as the files look."""
    kind = kind or kind_of(path)
    wanted = {"content": content_of(path), "type": kind, "description": description}

    def entity(version: str | None) -> Any:
        tags = {_CONTENT: wanted["content"]}
        return Model(
            name=name, version=version, path=str(path), type=kind, description=description, tags=tags
        )

    return _ensure_version(f"model {name}", client.models, name, version, wanted, entity)


def kind_of(path: Path) -> str:
    """What a model is where nobody says it."""
    return "mlflow_model" if (path / "MLmodel").is_file() else "custom_model"


def register_environment(
    client: MLClient, name: str, image: str, conda_file: Path | None, version: str | None
) -> tuple[Outcome, str]:
    """What was done, and the environment as NAME:VERSION."""
    content = image + (content_of(conda_file) if conda_file else "")
    wanted = {"content": content}

    def entity(version: str | None) -> Any:
        return Environment(
            name=name, version=version, image=image, conda_file=conda_file, tags={_CONTENT: content}
        )

    return _ensure_version(f"environment {name}", client.environments, name, version, wanted, entity)


def register_data(
    client: MLClient, name: str, path: str, kind: str, version: str | None, description: str | None
) -> tuple[Outcome, str]:
    """What was done, and the data asset as NAME:VERSION. `path` is local, or an address such as azureml://…."""
    content = path if "://" in path else content_of(Path(path))
    wanted = {"content": content, "type": kind, "description": description}

    def entity(version: str | None) -> Any:
        return Data(
            name=name,
            version=version,
            path=path,
            type=kind,
            description=description,
            tags={_CONTENT: content},
        )

    return _ensure_version(f"data {name}", client.data, name, version, wanted, entity)


def resolved(assets: Any, text: str) -> str:
    """The reference to what azureml:NAME:VERSION, NAME@latest or a registry's address names.

    Raises ProvisioningError for anything else.
    """
    name = latest_of(text)
    if name is None:
        exact = reference(text)
        if exact is None:
            raise ProvisioningError(f"{text!r} names no asset; write azureml:NAME:VERSION or NAME@latest")
        return exact
    newest = found(lambda: assets.get(name, label="latest"))
    if newest is None:
        raise ProvisioningError(f"{text}: nothing of that name is registered in the workspace")
    return f"{newest.name}:{newest.version}"


def _ensure_version(
    what: str,
    assets: Any,
    name: str,
    version: str | None,
    wanted: dict[str, Any],
    entity: Callable[[str | None], Any],
) -> tuple[Outcome, str]:
    """Make sure that a version with the wanted content is there: the one given, else the newest, else a new one.

    Raises ProvisioningError where the version given is there with another content: versions do not change.
    """
    newest = found(lambda: assets.get(name, version) if version else assets.get(name, label="latest"))
    present = newest and _present(newest)
    if (
        newest
        and present
        and present["content"] == wanted["content"]
        and present["type"] == wanted.get("type", "")
    ):
        version = newest.version
    elif present and version:
        raise ProvisioningError(
            f"{what}:{version} is there with another content, and versions do not change; "
            "give another --version, or none to have the next one"
        )
    else:
        present = None
    made: list[Any] = []
    outcome = ensure(what, wanted, present, lambda: made.append(assets.create_or_update(entity(version))))
    return outcome, f"{name}:{made[0].version if made else version}"


def _present(asset: Any) -> dict[str, Any]:
    kind = "" if isinstance(asset, Environment) else asset.type
    return {"content": (asset.tags or {}).get(_CONTENT), "type": kind, "description": asset.description}

"""Batch endpoints and deployments as jobs need them, read from the workspace's resources."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from .assets import Assets
from .components import Pipeline, read_pipeline
from .operations import ProvisioningFailed
from .resources import Resource, ResourceStore
from .settings import Settings
from .workspace import DATASTORE, path_of, short_name

_MLFLOW_DRIVER = Path(__file__).parent.resolve() / "no_code" / "mlflow_driver.py"


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """A model, the scoring script that uses it, and its settings.

    The script of an MLflow model that came without one is the emulator's driver.
    """

    name: str
    endpoint: str
    model: Path
    code: Path
    scoring_script: str
    compute: str
    environment_variables: dict[str, str]
    settings: Settings

    @property
    def no_code(self) -> bool:
        """Whether this is an MLflow model deployed without a scoring script."""
        return self.code / self.scoring_script == _MLFLOW_DRIVER


@dataclass(frozen=True, kw_only=True)
class PipelineDeployment:
    """A pipeline component under a name. `component` is its ARM id.

    `compute` is where steps run that name no other, `datastore` where outputs go that nobody places.
    """

    name: str
    endpoint: str
    component: str
    pipeline: Pipeline
    compute: str
    datastore: str
    settings: Settings


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """A batch endpoint."""

    name: str
    default_deployment: str | None


class Catalogue:
    """Endpoints and deployments that can be invoked now: those that have been made, also while they are changed."""

    def __init__(self, store: ResourceStore, assets: Assets) -> None:
        self._store = store
        self._assets = assets

    def endpoint(self, name: str) -> Endpoint | None:
        """The batch endpoint of that name."""
        resource = self._store.get(f"batchEndpoints/{name}")
        if resource is None or resource.state in ("Creating", "Deleting"):
            return None
        default = (resource.properties.get("defaults") or {}).get("deploymentName")
        return Endpoint(name=resource.name, default_deployment=default)

    def endpoints(self) -> list[str]:
        """The names of all batch endpoints."""
        return [resource.name for resource in self._store.listed("batchEndpoints")]

    def deployment(self, endpoint: str, name: str) -> Deployment | PipelineDeployment | None:
        """The deployment of that name, if it can be used."""
        resource = self._store.get(f"batchEndpoints/{endpoint}/deployments/{name}")
        if resource is None or resource.state not in ("Succeeded", "Updating"):
            return None
        if resource.properties["deploymentConfiguration"]:
            return self._pipeline_deployment(endpoint, resource)
        properties = resource.properties
        code, script = self._script(properties)
        return Deployment(
            name=resource.name,
            endpoint=endpoint,
            model=self._assets.path(self.model(resource).properties["modelUri"]),
            code=code,
            scoring_script=script,
            compute=properties["compute"].rpartition("/")[2],
            environment_variables=properties.get("environmentVariables") or {},
            settings=Settings().overridden(properties, counted="resources"),
        )

    def _pipeline_deployment(self, endpoint: str, resource: Resource) -> PipelineDeployment:
        configuration = resource.properties["deploymentConfiguration"]
        component = configuration["componentId"]["assetId"]
        spec = self._asset(component).properties["componentSpec"]
        return PipelineDeployment(
            name=resource.name,
            endpoint=endpoint,
            component=component,
            pipeline=read_pipeline(spec, self._component),
            compute=short_name(configuration["settings"]["default_compute"]),
            datastore=short_name(configuration["settings"].get("default_datastore") or DATASTORE),
            settings=Settings(),
        )

    def _component(self, arm_id: object, _: str) -> Resource:
        return self._asset(str(arm_id).removeprefix("azureml:"))

    def model_path(self, arm_id: str) -> Path:
        """Where a registered model lies."""
        return self._assets.path(self._asset(arm_id.removeprefix("azureml:")).properties["modelUri"])

    def code_path(self, arm_id: str) -> Path:
        """Where the code of a command lies."""
        return self._assets.path(self._asset(arm_id).properties["codeUri"])

    def model(self, deployment: Resource) -> Resource:
        """The model version of a deployment. Raises ProvisioningFailed where it has gone."""
        return self._asset(deployment.properties["model"]["assetId"])

    def code_uri(self, deployment: Resource) -> str | None:
        """Where the code of a deployment lies; None for an MLflow model without any."""
        configuration = deployment.properties.get("codeConfiguration")
        return configuration and str(self._asset(configuration["codeId"]).properties["codeUri"])

    def _script(self, properties: dict[str, Any]) -> tuple[Path, str]:
        """The folder of the code and the scoring script within it."""
        configuration = properties.get("codeConfiguration")
        if not configuration:
            return _MLFLOW_DRIVER.parent, _MLFLOW_DRIVER.name
        uri = self._asset(configuration["codeId"]).properties["codeUri"]
        return self._assets.path(uri), configuration["scoringScript"]

    def _asset(self, arm_id: str) -> Resource:
        found = self._store.get(path_of(arm_id) or arm_id)
        if found is None:
            raise ProvisioningFailed("UserError", f"{arm_id} is gone; register it again")
        return found


def check_mlflow(model: Path) -> None:
    """Raises ProvisioningFailed unless Azure ML would score the MLflow model without a scoring script."""
    if not (model / "MLmodel").is_file():
        raise ProvisioningFailed("UserError", f"its model {model} has no MLmodel file; write it with mlflow")
    described = yaml.safe_load((model / "MLmodel").read_text(encoding="utf-8"))
    if "python_function" not in described["flavors"]:
        message = f"its model {model} has no python_function flavor; add code_configuration"
        raise ProvisioningFailed("UserError", message)


def check_script(code: Path, script: str) -> None:
    """Raises ProvisioningFailed unless the scoring script is in the folder of the code."""
    if not (code / script).is_file():
        raise ProvisioningFailed("UserError", f"there is no scoring script {script} in {code}")

"""All online deployments at work: started as they are made, replaced without a gap, taken up after a restart."""

import asyncio
import logging
import shutil
import uuid
from pathlib import Path

from .assets import Assets
from .deployments import Catalogue, check_mlflow, check_script
from .jobs import JobFailed
from .online_kinds import request_settings
from .online_runtime import Instances
from .operations import ProvisioningFailed
from .processes import ScriptSetting
from .resources import Resource, ResourceStore

logger = logging.getLogger(__name__)

_MLFLOW_SCRIPT = Path(__file__).parent.resolve() / "no_code" / "mlflow_online.py"


class OnlineServing:
    """Instances by the paths of their deployments. Scratch files are below `state`/online, logs in `state`/logs."""

    def __init__(self, store: ResourceStore, assets: Assets, catalogue: Catalogue, state: Path) -> None:
        self._store = store
        self._assets = assets
        self._catalogue = catalogue
        self._state = state
        self._serving: dict[str, asyncio.Task[Instances]] = {}
        self._retiring: set[asyncio.Task[None]] = set()

    def resume(self) -> None:
        """Start what an earlier emulator served."""
        shutil.rmtree(self._state / "online", ignore_errors=True)
        for resource in self._store.listed("onlineEndpoints/deployments"):
            if resource.state == "Succeeded":
                self._serving[resource.path.lower()] = self._starting(resource)

    async def deploy(self, resource: Resource) -> None:
        """Start a deployment, and then end what served it before. Raises ProvisioningFailed."""
        starting = self._starting(resource)
        try:
            await starting
        except JobFailed as failure:
            message = f"User container has crashed or terminated: {failure}"
            raise ProvisioningFailed("ResourceNotReady", message) from None
        before = self._serving.get(resource.path.lower())
        self._serving[resource.path.lower()] = starting
        if before is not None:
            self._retire(before)

    async def instances(self, path: str) -> Instances | None:
        """What serves a deployment, once it is started; None where nothing does."""
        starting = self._serving.get(path.lower())
        if starting is None:
            return None
        try:
            return await asyncio.shield(starting)
        except (JobFailed, ProvisioningFailed) as failure:
            logger.warning("%s cannot be served: %s", path, failure)
            return None

    async def remove(self, path: str) -> None:
        """End what serves a deployment, after what is in flight."""
        before = self._serving.pop(path.lower(), None)
        if before is not None:
            await _retired(before)

    def log(self, resource: Resource) -> Path:
        """The file that all processes of a deployment print to."""
        return self._state / "logs" / "online" / resource.parent.partition("/")[2] / f"{resource.name}.txt"

    async def close(self) -> None:
        """End all processes."""
        tasks = list(self._serving.values())
        for task in (*tasks, *self._retiring):
            if not task.done():
                task.cancel()
        served = await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*self._retiring, return_exceptions=True)
        await asyncio.gather(*(one.close() for one in served if isinstance(one, Instances)))

    def _starting(self, resource: Resource) -> asyncio.Task[Instances]:
        task = asyncio.create_task(self._start(resource), name=resource.path)
        # Whoever asks for the deployment is told; nobody need have asked.
        task.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
        return task

    async def _start(self, resource: Resource) -> Instances:
        instances = Instances(await self._script(resource), request_settings(resource))
        await instances.start()
        return instances

    async def _script(self, resource: Resource) -> ScriptSetting:
        """The script of a deployment, its files fetched. Raises ProvisioningFailed."""
        model = await self._assets.fetch(self._catalogue.model(resource).properties["modelUri"])
        uri = self._catalogue.code_uri(resource)
        if uri is None:
            check_mlflow(model)
            code, script = _MLFLOW_SCRIPT.parent, _MLFLOW_SCRIPT.name
        else:
            code = await self._assets.fetch(uri)
            script = resource.properties["codeConfiguration"]["scoringScript"]
            check_script(code, script)
        log = self.log(resource)
        log.parent.mkdir(parents=True, exist_ok=True)
        own = {"AZUREML_MODEL_DIR": str(model.parent), "EMULATOR_MLFLOW_MODEL": str(model)}
        return ScriptSetting(
            code=code,
            script=script,
            environment=resource.properties["environmentVariables"] | own,
            folder=self._state / "online" / uuid.uuid4().hex,
            log=log,
        )

    def _retire(self, before: asyncio.Task[Instances]) -> None:
        task = asyncio.create_task(_retired(before))
        self._retiring.add(task)
        task.add_done_callback(self._retiring.discard)


async def _retired(serving: asyncio.Task[Instances]) -> None:
    """End instances, after what is in flight; those that never started have ended themselves."""
    try:
        instances = await serving
    except (JobFailed, ProvisioningFailed):
        return
    await instances.retire()

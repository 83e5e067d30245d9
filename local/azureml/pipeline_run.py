"""A pipeline being run: step by step, each on a node, its inputs mounted and its outputs uploaded."""

import shlex
import shutil
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path

from .addresses import BlobAddress, DatastorePath, Places
from .blobs import Storage
from .clock import now
from .commands import command_line, run_command
from .components import DATA_TYPES, MODEL_TYPES, Binding, CommandStep
from .deployments import Catalogue, PipelineDeployment
from .jobs import Job, JobFailed, JobInput, JobStore
from .workspace import short_name

Taken = Callable[[str], AbstractAsyncContextManager[None]]


@dataclass(frozen=True, kw_only=True)
class PipelineRun:
    """The steps of a job, one after the other. `folder` is scratch space of its own, `logs` keeps what they print.

    `taken` waits for a node of a compute, by its name.
    """

    job: Job
    deployment: PipelineDeployment
    store: JobStore
    catalogue: Catalogue
    storage: Storage
    places: Places
    folder: Path
    logs: Path
    taken: Taken

    async def run(self, *, overwrite: bool) -> None:
        """Run every step. Raises JobFailed where one fails; those after it do not start."""
        self.logs.mkdir(parents=True, exist_ok=True)
        await self._refuse_existing_outputs(overwrite)
        for index, step in enumerate(self.deployment.pipeline.steps):
            self._note(index, status="Queued")
            async with self.taken(short_name(step.compute or self.deployment.compute)):
                self._note(index, status="Running", started=now())
                await self._run_noted(index, step)

    async def _run_noted(self, index: int, step: CommandStep) -> None:
        try:
            await self._run_step(index, step)
        except JobFailed as failure:
            error = {"code": failure.code, "message": str(failure)}
            self._note(index, status="Failed", ended=now(), error=error)
            raise JobFailed(
                "UserError",
                f"Pipeline has failed child jobs. Failed nodes: /{step.name}. For more details and logs, "
                "please go to the job detail page and check the child jobs.",
            ) from None
        self._note(index, status="Completed", ended=now())

    async def _run_step(self, index: int, step: CommandStep) -> None:
        inputs = {name: await self._input(step, name) for name in step.command.inputs}
        outputs = {name: self._output_path(step, name) for name in step.command.outputs}
        given = {name: value for name, value in inputs.items() if value is not None}
        paths = {name: shlex.quote(str(path)) for name, path in outputs.items()}
        line = command_line(step.command.command, given, paths)
        code = self._code(step)
        await run_command(line, code, step.command.environment_variables, self.logs / f"{step.name}.txt")
        for name, path in outputs.items():
            await self._upload(path, self._destination(index, step, name))

    async def _refuse_existing_outputs(self, overwrite: bool) -> None:
        for output in self.job.outputs.values():
            if output.kind == "UriFile" and not overwrite and await self.storage.exists(output.address):
                place = f"{output.address.container}/{output.address.path}"
                raise JobFailed(
                    "UserError", f"The output path already exists: {place}. Give each job its own."
                )

    def _code(self, step: CommandStep) -> Path:
        """A copy of the step's code, in which it may write."""
        folder = self.folder / step.name / "code"
        if step.command.code:
            shutil.copytree(self.catalogue.code_path(step.command.code), folder)
        else:
            folder.mkdir(parents=True)
        return folder

    async def _input(self, step: CommandStep, name: str) -> str | None:
        """An input as the command sees it: a path, or a text; None where it is optional and not given."""
        port, binding = step.command.inputs[name], step.inputs.get(name, Binding())
        if binding.step:
            return shlex.quote(str(self._output_path(self._step(binding.step), str(binding.output))))
        if port.kind in MODEL_TYPES:
            return shlex.quote(str(self.catalogue.model_path(binding.uri))) if binding.uri else None
        if port.kind in DATA_TYPES:
            source = self._source(binding, DATA_TYPES[port.kind])
            return await self._mounted(source, self.folder / step.name / "inputs" / name) if source else None
        value = self._literal(binding)
        return port.default if value is None else value

    def _source(self, binding: Binding, kind: str) -> JobInput | None:
        if binding.uri:
            return JobInput(kind=kind, uri=binding.uri, address=self.places.find(binding.uri))
        return self.job.inputs.get(binding.pipeline_input or "")

    def _literal(self, binding: Binding) -> str | None:
        if binding.pipeline_input is None:
            return binding.value
        given = self.job.inputs.get(binding.pipeline_input)
        if given is not None:
            return str(given.value)
        return self.deployment.pipeline.inputs[binding.pipeline_input].default

    async def _mounted(self, source: JobInput, folder: Path) -> str:
        """Download what a data input names, folders with all that is in them; the path of it, quoted."""
        folder.mkdir(parents=True)
        files = await self.storage.tree(source)
        root = source.address.path if source.address else ""
        for blob in files:
            relative = blob.path.removeprefix(root).lstrip("/") or Path(root).name
            target = folder / relative
            target.parent.mkdir(parents=True, exist_ok=True)
            await self.storage.download(blob, target)
        place = folder if source.kind == "UriFolder" else folder / Path(root).name
        return shlex.quote(str(place))

    def _output_path(self, step: CommandStep, name: str) -> Path:
        """Where a step writes an output: a folder that is there, or a file that is not yet."""
        folder = self.folder / step.name / "outputs"
        folder.mkdir(parents=True, exist_ok=True)
        if step.command.outputs[name] == "uri_folder":
            (folder / name).mkdir(exist_ok=True)
        return folder / name

    def _destination(self, index: int, step: CommandStep, name: str) -> BlobAddress:
        """Where an output of a step goes: where the pipeline's output is, else below the run's id, as in Azure."""
        output = self.job.outputs.get(step.outputs.get(name, ""))
        if output is not None:
            return output.address
        return self.places.of(
            DatastorePath(self.deployment.datastore, f"azureml/{self.job.steps[index].run}/{name}")
        )

    async def _upload(self, path: Path, to: BlobAddress) -> None:
        """Upload a file, or a folder with all that is in it."""
        if path.is_file():
            await self.storage.upload(path, to, overwrite=True)
        for file in sorted(path.rglob("*")) if path.is_dir() else ():
            if file.is_file():
                address = BlobAddress(to.container, f"{to.path}/{file.relative_to(path).as_posix()}")
                await self.storage.upload(file, address, overwrite=True)

    def _step(self, name: str) -> CommandStep:
        return next(step for step in self.deployment.pipeline.steps if step.name == name)

    def _note(self, index: int, **changes: object) -> None:
        self.store.change_step(self.job.name, index, **changes)

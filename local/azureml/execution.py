"""One job's work: its files cut into mini-batches, scored by processes of its own, the rows gathered."""

import asyncio
import posixpath
import random
import shutil
from collections import deque
from pathlib import Path

from azure.core.exceptions import ResourceExistsError

from local.faults.plan import Fault

from .addresses import BlobAddress
from .blobs import Storage
from .deployments import Deployment
from .jobs import Job, JobFailed
from .processes import MiniBatchFailed, ScoringProcess, ScriptSetting
from .troubles import SPOILT, spoil


class Execution:
    """A job being run. `folder` is scratch space of its own, `logs` keeps what its processes print."""

    def __init__(self, job: Job, deployment: Deployment, storage: Storage, folder: Path, logs: Path) -> None:
        self._job = job
        self._deployment = deployment
        self._storage = storage
        self._folder = folder
        self._logs = logs
        self._waiting: deque[tuple[int, list[BlobAddress]]] = deque()
        self._rows: list[Path] = []
        self._succeeded = 0
        self._failed = 0
        self._last_failure = "run() gave back fewer items than it was given files"

    async def score(self) -> None:
        """Score every file of the input. Raises JobFailed by the rules of Azure ML's parallel step."""
        settings = self._job.settings
        for name in ("mount", "rows", "output"):
            (self._folder / name).mkdir(parents=True)
        self._logs.mkdir(parents=True, exist_ok=True)
        files = [file for source in self._job.inputs.values() for file in await self._storage.files(source)]
        size = settings.mini_batch_size
        self._waiting.extend((start, files[start : start + size]) for start in range(0, len(files), size))
        processes = min(len(self._waiting), settings.instance_count * settings.max_concurrency_per_instance)
        try:
            async with asyncio.TaskGroup() as group:
                for number in range(processes):
                    group.create_task(self._work_off(number))
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None
        if not self._succeeded:
            raise JobFailed(
                "UserError", f"No succeeded mini batch item returned from run(). {self._last_failure}"
            )

    async def publish(self, fault: Fault | None, *, overwrite: bool) -> None:
        """Upload what was scored: the script's own files first, then all rows, or the summary, in one file.

        A fault spoils that file, or keeps it from being there.

        Raises JobFailed where there is such an output already, unless it may be overwritten.
        """
        output = self._job.scored
        own = self._folder / "output"
        uploads = [
            (path, posixpath.join(posixpath.dirname(output.path), path.relative_to(own).as_posix()))
            for path in sorted(own.rglob("*"))
            if path.is_file()
        ]
        if fault is None or fault.do != "lose":
            uploads.append((await asyncio.to_thread(self._gather, fault), output.path))
        for path, name in uploads:
            address = BlobAddress(output.container, name)
            try:
                await self._storage.upload(path, address, overwrite=overwrite)
            except ResourceExistsError:
                raise output_exists(address) from None

    async def _work_off(self, number: int) -> None:
        """Score waiting mini-batches in one process until there are none."""
        setting = ScriptSetting(
            code=self._deployment.code,
            script=self._deployment.scoring_script,
            environment=self._environment(),
            folder=self._folder / f"process-{number}",
            log=self._logs / f"process-{number}.txt",
        )
        async with ScoringProcess(setting) as process:
            while self._waiting:
                await self._score_mini_batch(process, *self._waiting.popleft())

    def _environment(self) -> dict[str, str]:
        variables = {
            # As in Azure, the folder that holds the model under its own name.
            "AZUREML_MODEL_DIR": str(self._deployment.model.parent),
            "AZUREML_BI_OUTPUT_PATH": str(self._folder / "output"),
        }
        if self._deployment.no_code:
            variables["EMULATOR_MLFLOW_MODEL"] = str(self._deployment.model)
        return self._deployment.environment_variables | variables

    async def _score_mini_batch(self, process: ScoringProcess, number: int, blobs: list[BlobAddress]) -> None:
        files = [await self._mount(blob) for blob in blobs]
        returned = await self._items_returned(process, files, self._folder / "rows" / str(number))
        self._count(len(blobs), min(returned, len(blobs)))
        for file in files:
            file.unlink(missing_ok=True)

    async def _items_returned(self, process: ScoringProcess, files: list[Path], rows: Path) -> int:
        """How many items run() gave back, written to `rows`; 0 where every try has failed.

        With summary_only they are only counted, and `rows` names the files instead.
        """
        # The service reports maxRetries as run_max_try: it counts tries, the first one included.
        for _ in range(max(1, self._job.settings.max_retries)):
            try:
                returned = await process.run(files, rows, self._job.settings.timeout)
            except MiniBatchFailed as failure:
                self._last_failure = f"{failure} (mini-batch of {_named(files)}; traceback in the job's log)"
            else:
                self._rows.append(rows)
                if self._job.settings.output_action == "summary_only":
                    rows.write_text("".join(f"{file.name}\n" for file in files), encoding="utf-8")
                return returned
        return 0

    async def _mount(self, blob: BlobAddress) -> Path:
        file = self._folder / "mount" / posixpath.basename(blob.path)
        await self._storage.download(blob, file)
        return file

    def _count(self, files: int, succeeded: int) -> None:
        """Count a mini-batch; fewer items back than files in means that files failed."""
        self._succeeded += succeeded
        self._failed += files - succeeded
        threshold = self._job.settings.error_threshold
        if -1 < threshold < self._failed:
            raise JobFailed(
                "UserError",
                f"{self._last_failure}. Files failed: {self._failed}; the error threshold is {threshold}.",
            )

    def _gather(self, fault: Fault | None) -> Path:
        """All rows in one file, the mini-batches in any order but the input's: nobody may rely on it."""
        in_order = sorted(self._rows, key=lambda path: int(path.name))
        if fault and fault.do == "repeat-batch":
            in_order.append(in_order[0])
        elif fault and fault.do == "drop-batch":
            in_order.pop()
        shuffled = random.Random(self._job.name).sample(in_order, len(in_order))
        if shuffled == in_order:
            shuffled.reverse()
        gathered = self._folder / "predictions"
        with gathered.open("wb") as target:
            for path in shuffled:
                with path.open("rb") as rows:
                    shutil.copyfileobj(rows, target)
        if fault and fault.do in SPOILT:
            spoil(gathered, fault, self._job)
        return gathered


def output_exists(address: BlobAddress) -> JobFailed:
    """What a job says that finds its output already there."""
    return JobFailed(
        "UserError",
        f"The output path already exists: {address.container}/{address.path}. Give each job its own.",
    )


def _named(files: list[Path]) -> str:
    """The first few files by name, and how many more there are."""
    more = f" and {len(files) - 3} more" if len(files) > 3 else ""
    return ", ".join(file.name for file in files[:3]) + more

"""The life of jobs: started, taken up again after a restart, cancelled, ended with their final status."""

import asyncio
import logging
import shutil
from dataclasses import replace
from pathlib import Path

from local.faults.plan import Fault, Plan

from .addresses import Places
from .blobs import Storage
from .clock import now
from .deployments import Catalogue, Deployment, PipelineDeployment
from .execution import Execution, output_exists
from .job_logs import JobLogs
from .jobs import Job, JobFailed, JobStore, Step
from .nodes import NodePools, preempted
from .pipeline_run import PipelineRun
from .resources import ResourceStore

logger = logging.getLogger(__name__)


class Cluster:
    """Runs jobs on the nodes of their computes; those that wait for nodes are Running already, as in Azure.

    Scratch files stand below `state`/work and go with the job; logs stay in `state`/logs/<job>.
    """

    def __init__(
        self,
        store: JobStore,
        resources: ResourceStore,
        catalogue: Catalogue,
        storage: Storage,
        places: Places,
        state: Path,
        faults: Plan,
    ) -> None:
        self._store = store
        self._catalogue = catalogue
        self._storage = storage
        self._places = places
        self._work = state / "work"
        self.logs = JobLogs(state / "logs")
        self._faults = faults
        self.nodes = NodePools(resources)
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def start(self, job: Job, fault: Fault | None = None) -> None:
        """Run a job in the background, with a fault that befalls it."""
        task = asyncio.create_task(self._run(job, fault), name=job.name)
        self._tasks[job.name] = task
        task.add_done_callback(self._settle)

    def resume(self) -> None:
        """Run again, from their beginning, the jobs that an earlier emulator left unfinished."""
        shutil.rmtree(self._work, ignore_errors=True)
        for job in self._store.unfinished():
            if job.status == "CancelRequested":
                self._end(job, "Canceled")
            else:
                anew = tuple(Step(run=step.run, name=step.name) for step in job.steps)
                self.start(self._store.change(job.name, steps=anew))

    def cancel(self, job: Job) -> None:
        """Ask a job to end; its processes are killed. A job that is over stays as it is."""
        if job.name in self._tasks:
            self._store.change(job.name, status="CancelRequested")
            self._tasks[job.name].cancel()

    async def close(self) -> None:
        """End the processes of all jobs, which stay unfinished and can be resumed."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _settle(self, task: asyncio.Task[None]) -> None:
        """Forget a task that is over; here, since one that is cancelled early never enters `_run`."""
        job = self._store.get(task.get_name())
        del self._tasks[task.get_name()]
        if job is not None and job.status == "CancelRequested":
            self._end(job, "Canceled")

    async def _run(self, job: Job, fault: Fault | None) -> None:
        # A job that was interrupted while it published may find an output, its own.
        may_overwrite = job.status == "Finalizing"
        try:
            self._store.change(job.name, status="Running", started=now())
            self.logs.note(job.name, f"Submitting {len(job.steps)} runs: {_named(job)}")
            if fault:
                await self._suffer(job, fault)
            deployment = self._deployment(job)
            if isinstance(deployment, PipelineDeployment):
                await self._run_pipeline(job, deployment, may_overwrite)
            else:
                await self._run_model(job, deployment, may_overwrite)
        except JobFailed as failure:
            self._end(job, "Failed", {"code": failure.code, "message": str(failure)})
        except Exception as error:
            logger.exception("job %s failed in the emulator itself", job.name)
            self._end(job, "Failed", {"code": "SystemError", "message": f"{type(error).__name__}: {error}"})
        else:
            self._end(job, "Completed")
        finally:
            shutil.rmtree(self._work / job.name, ignore_errors=True)

    async def _suffer(self, job: Job, fault: Fault) -> None:
        """What a fault does to a job before it is scored. Raises JobFailed."""
        if fault.do == "cancel":
            asyncio.get_running_loop().call_later(fault.seconds, self.cancel, job)
        elif fault.do == "wait":
            await asyncio.sleep(fault.seconds)
        elif fault.do == "fail":
            await asyncio.sleep(fault.seconds)
            raise JobFailed("UserError", fault.message)
        elif fault.do == "preempt":
            await asyncio.sleep(fault.seconds)
            raise preempted(job.compute)

    def _deployment(self, job: Job) -> Deployment | PipelineDeployment:
        """Raises JobFailed where it has gone."""
        deployment = self._catalogue.deployment(job.endpoint, job.deployment)
        if deployment is None:
            raise JobFailed(
                "UserError", f"The deployment {job.endpoint}/{job.deployment} is gone; invoke another"
            )
        return deployment

    async def _run_pipeline(self, job: Job, deployment: PipelineDeployment, may_overwrite: bool) -> None:
        await PipelineRun(
            job=job,
            deployment=deployment,
            store=self._store,
            catalogue=self._catalogue,
            storage=self._storage,
            places=self._places,
            folder=self._work / job.name,
            logs=self.logs.folder(job.name),
            taken=lambda compute: self.nodes.taken(compute, 1),
        ).run(overwrite=may_overwrite)

    async def _run_model(self, job: Job, deployment: Deployment, may_overwrite: bool) -> None:
        self._step(job, status="Queued")
        async with self.nodes.taken(job.compute, job.settings.instance_count):
            self._step(job, status="Running", started=now())
            execution = await self._score(job, deployment, may_overwrite)
        spoiling = self._faults.take("output", f"{job.endpoint}/{job.deployment}")
        if spoiling and spoiling.do == "delay":
            self._end(job, "Completed")
            await asyncio.sleep(spoiling.seconds)
        await execution.publish(spoiling, overwrite=may_overwrite)

    async def _score(self, job: Job, deployment: Deployment, may_overwrite: bool) -> Execution:
        """The job's rows, scored and not yet where they belong."""
        if not may_overwrite and await self._storage.exists(job.scored):
            raise output_exists(job.scored)
        execution = Execution(
            job, deployment, self._storage, self._work / job.name, self.logs.folder(job.name)
        )
        await execution.score()
        self._store.change(job.name, status="Finalizing")
        self._step(job, status="Finalizing")
        return execution

    def _step(self, job: Job, **changes: str) -> None:
        self._store.change_step(job.name, 0, **changes)

    def _end(self, job: Job, status: str, error: dict[str, str] | None = None) -> None:
        job = self._store.change(job.name, status=status, ended=now(), error=error)
        steps = tuple(_ended(job, step) for step in job.steps)
        self._store.change(job.name, steps=steps)
        self.logs.note(job.name, f"Runs are over: {_named(job)}; the job is {status}")
        logger.info("job %s of %s/%s: %s", job.name, job.endpoint, job.deployment, status)


def _named(job: Job) -> str:
    return ", ".join(f"{step.name} ({step.run})" for step in job.steps)


def _ended(job: Job, step: Step) -> Step:
    """A child run as the job's end leaves it: one that is over stays as it is, one that nobody reached is cancelled."""
    if step.ended is not None:
        return step
    if step.started is None and job.component is not None:
        return replace(step, status="Canceled", ended=job.ended)
    return replace(step, status=job.status, ended=job.ended, error=job.error)

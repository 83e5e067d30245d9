"""What all planes share: the resources, the jobs, and who may see them."""

import secrets
import uuid
from dataclasses import dataclass, field, replace

from local.faults.plan import Plan

from .addresses import DatastorePath, Places
from .assets import Assets
from .blobs import Storage
from .clock import now
from .cluster import Cluster
from .deployments import Catalogue, Deployment
from .identity import Tokens
from .invocation import Invocation
from .jobs import Job, JobOutput, JobStore, Step
from .online_serving import OnlineServing
from .operations import Operations
from .resources import ResourceStore
from .troubles import Troubles
from .workspace import DATASTORE


@dataclass(kw_only=True)
class Service:
    """The workspace at work, and what goes wrong with it. `base` is the address it answers at."""

    resources: ResourceStore
    operations: Operations
    places: Places
    assets: Assets
    catalogue: Catalogue
    online: OnlineServing
    store: JobStore
    cluster: Cluster
    storage: Storage
    tokens: Tokens
    deduplicate: bool
    page_size: int
    faults: Plan
    base: str = ""
    troubles: Troubles = field(default_factory=Troubles)

    def create_job(self, deployment: Deployment, invocation: Invocation, repeatability_id: str | None) -> Job:
        """Make a job and start it. With `deduplicate`, a repeated id gives the job that was made for it."""
        if self.deduplicate and repeatability_id:
            for _, job in self.store.newest_first():
                if job.repeatability_id == repeatability_id:
                    return job
        step = Step(run=str(uuid.uuid4()), name="batchscoring")
        job = Job(
            name=f"batchjob-{uuid.uuid4()}",
            display_name=invocation.display_name or f"careful_bulb_{secrets.token_hex(4)}",
            endpoint=deployment.endpoint,
            deployment=deployment.name,
            experiment=deployment.endpoint,
            compute=deployment.compute,
            settings=invocation.settings,
            inputs=invocation.inputs,
            outputs=invocation.outputs or {"score": self._default_output(step, invocation)},
            steps=(step,),
            created=now(),
            repeatability_id=repeatability_id,
        )
        self.store.add(job)
        fault = self.faults.take("job", f"{job.endpoint}/{job.deployment}")
        if fault:
            self.troubles.begin(job, fault)
        self.cluster.start(job, fault)
        return job

    def shown(self, job: Job) -> Job:
        """The job as the planes show it."""
        return replace(job, status=self.troubles.status(job))

    def _default_output(self, step: Step, invocation: Invocation) -> JobOutput:
        """Below the child run's id in the default datastore, as in Azure."""
        path = f"azureml/{step.run}/score/{invocation.settings.output_file_name}"
        place = DatastorePath(DATASTORE, path)
        return JobOutput(kind="UriFile", place=place, address=self.places.of(place))

"""What all planes share: the resources, the jobs, and who may see them."""

from dataclasses import dataclass, field, replace

from local.faults.plan import Plan

from .addresses import Places
from .assets import Assets
from .blobs import Storage
from .cluster import Cluster
from .deployments import Catalogue, Deployment, PipelineDeployment
from .identity import Tokens
from .invocation import Invocation
from .job_making import JobMaker
from .jobs import Job, JobStore
from .online_serving import OnlineServing
from .operations import Operations
from .resources import ResourceStore
from .troubles import Troubles


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

    def create_job(
        self,
        deployment: Deployment | PipelineDeployment,
        invocation: Invocation,
        repeatability_id: str | None,
    ) -> Job:
        """Make a job and start it. With `deduplicate`, a repeated id gives the job that was made for it."""
        if self.deduplicate and repeatability_id:
            for _, job in self.store.newest_first():
                if job.repeatability_id == repeatability_id:
                    return job
        job = JobMaker(places=self.places).make(deployment, invocation, repeatability_id)
        self.store.add(job)
        fault = self.faults.take("job", f"{job.endpoint}/{job.deployment}")
        if fault:
            self.troubles.begin(job, fault)
        self.cluster.start(job, fault)
        return job

    def shown(self, job: Job) -> Job:
        """The job as the planes show it."""
        return replace(job, status=self.troubles.status(job))

"""What all planes share: the endpoints, the jobs, and who may see them."""

import secrets
import uuid
from dataclasses import dataclass, field, replace

from local.faults.plan import Plan

from .blobs import Storage
from .cluster import Cluster
from .deployments import Deployment, Endpoint
from .identity import Tokens
from .invocation import Invocation
from .jobs import Job, JobStore, now
from .troubles import Troubles


@dataclass(kw_only=True)
class Service:
    """The workspace at work, and what goes wrong with it."""

    endpoints: dict[str, Endpoint]
    store: JobStore
    cluster: Cluster
    storage: Storage
    tokens: Tokens
    deduplicate: bool
    page_size: int
    faults: Plan
    troubles: Troubles = field(default_factory=Troubles)

    def create_job(self, deployment: Deployment, invocation: Invocation, repeatability_id: str | None) -> Job:
        """Make a job and start it. With `deduplicate`, a repeated id gives the job that was made for it."""
        if self.deduplicate and repeatability_id:
            for _, job in self.store.newest_first():
                if job.repeatability_id == repeatability_id:
                    return job
        job = Job(
            name=f"batchjob-{uuid.uuid4()}",
            child=str(uuid.uuid4()),
            display_name=invocation.display_name or f"careful_bulb_{secrets.token_hex(4)}",
            endpoint=deployment.endpoint,
            deployment=deployment.name,
            compute=deployment.compute,
            settings=invocation.settings,
            input=invocation.input,
            output=invocation.output,
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

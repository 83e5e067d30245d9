"""Jobs as they are made of an invocation: names, child runs, and the places of outputs nobody has placed."""

import secrets
import uuid
from dataclasses import dataclass

from .addresses import DatastorePath, Places
from .clock import now
from .components import DATA_TYPES
from .deployments import Deployment, PipelineDeployment
from .invocation import Invocation
from .jobs import Job, JobOutput, Step
from .workspace import DATASTORE


@dataclass(frozen=True, kw_only=True)
class JobMaker:
    """Makes jobs whose default outputs lie in the workspace's datastore, below the ids of their child runs."""

    places: Places

    def make(
        self,
        deployment: Deployment | PipelineDeployment,
        invocation: Invocation,
        repeatability_id: str | None,
    ) -> Job:
        """A job, not yet started."""
        pipeline = deployment.pipeline if isinstance(deployment, PipelineDeployment) else None
        names = [step.name for step in pipeline.steps] if pipeline else ["batchscoring"]
        steps = tuple(Step(run=str(uuid.uuid4()), name=name) for name in names)
        defaults = (
            self._pipeline_outputs(deployment, steps)
            if isinstance(deployment, PipelineDeployment)
            else self._model_output(invocation, steps)
        )
        return Job(
            name=f"{'pipelinejob' if pipeline else 'batchjob'}-{uuid.uuid4()}",
            display_name=invocation.display_name or f"careful_bulb_{secrets.token_hex(4)}",
            endpoint=deployment.endpoint,
            deployment=deployment.name,
            experiment=invocation.experiment or deployment.endpoint,
            compute=deployment.compute,
            settings=invocation.settings,
            inputs=invocation.inputs,
            outputs=defaults | invocation.outputs,
            steps=steps,
            created=now(),
            component=deployment.component if isinstance(deployment, PipelineDeployment) else None,
            repeatability_id=repeatability_id,
        )

    def _model_output(self, invocation: Invocation, steps: tuple[Step, ...]) -> dict[str, JobOutput]:
        path = f"azureml/{steps[0].run}/score/{invocation.settings.output_file_name}"
        return {"score": self._output("UriFile", DatastorePath(DATASTORE, path), None)}

    def _pipeline_outputs(
        self, deployment: PipelineDeployment, steps: tuple[Step, ...]
    ) -> dict[str, JobOutput]:
        runs = {step.name: step.run for step in steps}
        outputs = {}
        for step in deployment.pipeline.steps:
            for name, output in step.outputs.items():
                kind = DATA_TYPES[step.command.outputs[name]]
                path = f"azureml/{runs[step.name]}/{name}"
                place = DatastorePath(deployment.datastore, path)
                outputs[output] = self._output(kind, place, step.name)
        return outputs

    def _output(self, kind: str, place: DatastorePath, step: str | None) -> JobOutput:
        return JobOutput(kind=kind, place=place, address=self.places.of(place), step=step)

"""Jobs and their child runs as the run-history service shows them, after live recordings."""

import uuid
from datetime import datetime
from typing import Any

from .job_bodies import arm_tags, run_properties, services
from .jobs import Job, Step
from .refusals import error_envelope
from .workspace import LOCATION, WORKSPACE_GUID

ASSET_TYPES = {"UriFile": "uri_file", "UriFolder": "uri_folder"}
_SUBMISSION = "Pipeline submission for endpoint: {}, deployment: {}."


def job_run(job: Job) -> dict[str, Any]:
    """The run of a job, as the planes show it."""
    return _run(job, job, job.name, "azureml.PipelineRun") | {
        "displayName": job.display_name,
        "description": _SUBMISSION.format(job.endpoint, job.deployment),
        "tags": arm_tags(job),
        "properties": run_properties(job, stages="azureml.pipelines.stages"),
        "services": services(job),
        "target": None,
        "outputs": _outputs(job, job.name, None) if job.component is not None else None,
    }


def step_run(job: Job, step: Step) -> dict[str, Any]:
    """The run of one child of a job."""
    parallel = {"azureml.parallelrunstep": "true"} if job.component is None else {}
    own = {
        "azureml.runsource": "azureml.StepRun",
        "ContentSnapshotId": str(uuid.uuid5(uuid.NAMESPACE_URL, step.run)),
        "StepType": "PythonScriptStep" if job.component is None else "CommandStep",
        "azureml.moduleName": step.name,
        "azureml.pipelinerunid": job.name,
    }
    return _run(job, step, step.run, "azureml.StepRun") | {
        "name": step.name,
        "displayName": step.name,
        "parentRunId": job.name,
        "tags": {},
        "properties": own | parallel,
        "target": job.compute,
        "compute": {
            "target": job.compute,
            "targetType": "AmlCompute",
            "instanceCount": job.settings.instance_count,
        },
        "outputs": _outputs(job, step.run, step.name) if step.status == "Completed" else None,
    }


def details(run: dict[str, Any], files: dict[str, str]) -> dict[str, Any]:
    """A run's details; `files` are the addresses of its log files."""
    kept = ("runId", "target", "status", "parentRunId", "startTimeUtc", "endTimeUtc", "error", "tags")
    more = ("properties", "services", "outputs")
    body = {key: run.get(key) for key in (*kept, *more)}
    return body | {"warnings": [], "inputDatasets": [], "outputDatasets": [], "logFiles": files}


def _run(job: Job, lived: Job | Step, run: str, kind: str) -> dict[str, Any]:
    """What runs of both kinds have."""
    error = lived.error and error_envelope(lived.error["code"], lived.error["message"], "pipeline-run")
    return {
        "runId": run,
        "runUuid": str(uuid.uuid5(uuid.NAMESPACE_URL, run)),
        "parentRunId": None,
        "rootRunId": job.name,
        "experimentId": str(uuid.uuid5(uuid.NAMESPACE_URL, job.experiment)),
        "runType": kind,
        "status": lived.status,
        "createdUtc": job.created,
        "startTimeUtc": lived.started,
        "endTimeUtc": lived.ended,
        "duration": _duration(lived.started, lived.ended),
        "error": error,
        "warnings": None,
        "outputs": None,
        "createdBy": {"userName": "local"},
        "hidden": False,
        "revision": 1,
        "dataContainerId": f"dcid.{run}",
    }


def _outputs(job: Job, run: str, step: str | None) -> dict[str, Any]:
    """The outputs of a run, by the ids that `batchGetResolvedUris` takes; of one step, or of the whole pipeline."""
    return {
        name: {"assetId": output_asset(run, name), "type": ASSET_TYPES[output.kind]}
        for name, output in job.outputs.items()
        if step is None or output.step in (None, step)
    }


def output_asset(run: str, output: str) -> str:
    """The id of the data asset that stands for an output of a run."""
    name = f"azureml_{run}_output_data_{output}"
    return f"azureml://locations/{LOCATION}/workspaces/{WORKSPACE_GUID}/data/{name}/versions/1"


def _duration(started: str | None, ended: str | None) -> str | None:
    """hours:minutes:seconds, as .NET writes a TimeSpan."""
    if started is None or ended is None:
        return None
    return str(datetime.fromisoformat(ended) - datetime.fromisoformat(started))

"""A job as the service shows it, on the dataplane and in Azure Resource Manager, after live recordings."""

import json
from typing import Any

from .clock import iso_duration
from .jobs import Job, JobInput, JobOutput
from .refusals import error_details
from .workspace import DATASTORE, WORKSPACE_ID


def dataplane_job(job: Job) -> dict[str, Any]:
    """The answer to an invoke and to GET {scoring URI}/{job}; on Failed it carries an `error`."""
    body = {
        "id": f"{WORKSPACE_ID}/batchEndpoints/{job.endpoint}/deployments/{job.deployment}/jobs/{job.name}",
        "name": job.name,
        "type": "Microsoft.MachineLearningServices/workspaces/batchEndpoints/deployments/jobs",
        "properties": _dataplane_properties(job),
        "systemData": system_data(job.created),
    }
    if job.status == "Failed" and job.error is not None:
        body["error"] = error_details(job.error["code"], job.error["message"])
    return body


def arm_job(job: Job) -> dict[str, Any]:
    """The same job under {workspace}/jobs: outputs are null, and there is no error."""
    return {
        "id": f"{WORKSPACE_ID}/jobs/{job.name}",
        "name": job.name,
        "type": "Microsoft.MachineLearningServices/workspaces/jobs",
        "properties": {
            "description": f"Pipeline submission for endpoint: {job.endpoint}, deployment: {job.deployment}.",
            "tags": arm_tags(job),
            "properties": run_properties(job, stages="stages"),
            "displayName": job.display_name,
            "status": job.status,
            "experimentName": job.experiment,
            "services": services(job),
            "computeId": None,
            "isArchived": False,
            "identity": None,
            "componentId": None,
            "jobType": "Pipeline",
            "settings": None,
            "jobs": None,
            "inputs": None,
            "outputs": None,
            "sourceJobId": None,
        },
        "systemData": system_data(job.created),
    }


def arm_tags(job: Job) -> dict[str, str]:
    """The tags a batch job has in Azure Resource Manager."""
    kind = "azureml.batchjob" if job.component is None else "azureml.pipelinejob"
    return {
        "azureml.batchrun": "true",
        "azureml.deploymentname": job.deployment,
        "azureml.jobtype": kind,
    }


def child_job(run: str) -> dict[str, Any]:
    """A child run under {workspace}/jobs, where it has no properties any more: clients turn to run history."""
    return {
        "id": f"{WORKSPACE_ID}/jobs/{run}",
        "name": run,
        "type": "Microsoft.MachineLearningServices/workspaces/jobs",
        "properties": None,
        "systemData": None,
    }


def services(job: Job) -> dict[str, Any]:
    """Where a job can be followed."""
    return {kind: _service(job, kind) for kind in ("Tracking", "Studio")}


def system_data(created: str) -> dict[str, str]:
    """Who made a resource, and when."""
    return {"createdAt": created, "createdBy": "local", "createdByType": "User", "lastModifiedAt": created}


def _dataplane_properties(job: Job) -> dict[str, Any]:
    properties = {
        "provisioningState": "Succeeded",
        "inputData": {name: _input(given) for name, given in job.inputs.items()},
        "compute": {
            "target": f"{WORKSPACE_ID}/computes/{job.compute}",
            "instanceCount": None,
            "isLocal": False,
            "location": None,
            "instanceType": None,
            "properties": None,
        },
        "output": {"datastoreId": None, "path": None},
        "retrySettings": _retry_settings(job),
        "status": job.status,
        "interactionEndpoints": {kind: _interaction(job, kind) for kind in ("Tracking", "Studio")},
        "tags": {"outputType": "output_data", "inputType": "input_data"} | arm_tags(job),
        "properties": run_properties(job, stages="azureml.pipelines.stages"),
        "name": job.display_name,
    }
    return properties | _outputs(job)


def _outputs(job: Job) -> dict[str, Any]:
    """The addresses as sent; once completed, those of all outputs in the ARM form."""
    done = job.status == "Completed"
    shown = {name: _output(output, done) for name, output in job.outputs.items() if done or output.uri}
    return {"outputData": shown} if shown else {}


def _input(given: JobInput) -> dict[str, Any]:
    if given.kind == "Literal":
        return {"description": given.description, "value": given.value, "jobInputType": given.kind}
    return {
        "description": given.description,
        "uri": given.uri,
        "mode": given.mode,
        "jobInputType": given.kind,
    }


def _output(output: JobOutput, done: bool) -> dict[str, Any]:
    return {
        "description": output.description,
        "uri": output.place.arm_id if done else output.uri,
        "mode": output.mode,
        "jobOutputType": output.kind,
    }


def run_properties(job: Job, stages: str) -> dict[str, str]:
    """The properties of a job's run; `stages` is the name under which the times of a completed one stand."""
    properties = {
        "azureml.pipelineid": job.steps[0].run,
        "azureml.runsource": "azureml.PipelineRun",
        "runSource": "Unavailable",
        "runType": "HTTP",
        "azureml.parameters": json.dumps(_parameters(job)),
        "azureml.continue_on_step_failure": "False",
        "azureml.continue_on_failed_optional_input": "False",
        "azureml.pipelineComponent": "pipelinerun",
    }
    if job.component is not None:
        properties |= _pipeline_properties(job, job.component)
    if job.status == "Completed":
        execution = {"StartTime": job.started, "EndTime": job.ended, "Status": "Finished"}
        properties[stages] = json.dumps({"Initialization": None, "Execution": execution})
    return properties


def _retry_settings(job: Job) -> dict[str, Any] | None:
    if job.component is not None:
        return None
    return {"maxRetries": job.settings.max_retries, "timeout": iso_duration(job.settings.timeout)}


def _pipeline_properties(job: Job, component: str) -> dict[str, str]:
    stores = [output.place.datastore for output in job.outputs.values() if output.uri is None]
    return {
        "azureml.endpointname": job.endpoint,
        "azureml.deploymentname": job.deployment,
        "azureml.SourceComponentId": component,
        "azureml.sourcepipelinerunid": job.name,
        "azureml.defaultComputeName": job.compute,
        "azureml.defaultDataStoreName": stores[0] if stores else DATASTORE,
        "azureml.runLineageType": "batchDeployment",
        "runSource": "BatchDeployment",
    }


def _parameters(job: Job) -> dict[str, str]:
    """What the scoring step was given, or the literals of a pipeline, every value a string."""
    if job.component is not None:
        return {name: str(given.value) for name, given in job.inputs.items() if given.kind == "Literal"}
    settings = job.settings
    parameters = {
        "run_max_try": str(settings.max_retries),
        "run_invocation_timeout": f"{settings.timeout:.10g}",
        "mini_batch_size": str(settings.mini_batch_size),
        "error_threshold": str(settings.error_threshold),
        "logging_level": settings.logging_level.upper(),
        "process_count_per_node": str(settings.max_concurrency_per_instance),
        "legacy_model_job": "False",
        "NodeCount": str(settings.instance_count),
        "append_row_file_name": settings.output_file_name,
    }
    given = job.outputs["score"].uri
    return parameters | ({"output_uri": given} if given else {})


def _interaction(job: Job, kind: str) -> dict[str, Any]:
    return {"jobEndpointType": kind, "port": None, "endpoint": _place(job, kind), "properties": None}


def _service(job: Job, kind: str) -> dict[str, Any]:
    return {
        "jobServiceType": kind,
        "port": None,
        "endpoint": _place(job, kind),
        "status": None,
        "errorMessage": None,
        "properties": None,
        "nodes": None,
    }


def _place(job: Job, kind: str) -> str:
    places = {
        "Tracking": f"azureml://local.api.azureml.ms/mlflow/v1.0{WORKSPACE_ID}?",
        "Studio": f"https://ml.azure.com/runs/{job.name}?wsid={WORKSPACE_ID}",
    }
    return places[kind]

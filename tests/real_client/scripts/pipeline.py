"""Deploys a pipeline component and invokes it with named inputs: `pipeline.py FOLDER ENDPOINT`."""

import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from azure.ai.ml import Input, Output, load_component
from azure.ai.ml.entities import (
    AmlCompute,
    BatchEndpoint,
    Environment,
    Model,
    PipelineComponentBatchDeployment,
)

from tests.real_client.scripts.connect import connect, last_invoke, report, traced

FOLDER, NAME = sys.argv[1:]

client = connect()
client.compute.begin_create_or_update(AmlCompute(name="steps", min_instances=0, max_instances=1)).result()
client.environments.create_or_update(Environment(name="steps", image="mcr.microsoft.com/azureml/x"))
client.models.create_or_update(Model(name="steps", path=f"{FOLDER}/model", type="custom_model"))
client.batch_endpoints.begin_create_or_update(BatchEndpoint(name=NAME)).result()
component = client.components.create_or_update(load_component(f"{FOLDER}/pipeline/pipeline.yml"))
client.batch_deployments.begin_create_or_update(
    PipelineComponentBatchDeployment(
        name="steps", endpoint_name=NAME, component=component, settings={"default_compute": "steps"}
    )
).result()
scores = Output(type="uri_file", path=f"azureml://datastores/workspaceblobstore/paths/{NAME}/scores.csv")
inputs = {
    "rows": Input(type="uri_folder", path=f"{FOLDER}/data"),
    "mode": Input(type="string", default="lower"),
    "times": Input(type="integer", default=3),
}
job, requests = traced(
    lambda: client.batch_endpoints.invoke(
        NAME, deployment_name="steps", inputs=inputs, outputs={"scores": scores}
    )
)
sent = last_invoke()
while client.jobs.get(job.name).status not in ("Completed", "Failed", "Canceled"):
    time.sleep(0.1)
with TemporaryDirectory() as folder:
    client.jobs.download(job.name, download_path=folder, output_name="scores")
    files = {path.name: path.read_text() for path in Path(folder).rglob("*") if path.is_file()}
report(
    job=job.name,
    status=client.jobs.get(job.name).status,
    sent=sent["body"],
    requests=requests,
    children=[one.display_name for one in client.jobs.list(parent_job_name=job.name)],
    files=files,
    deployment=client.batch_deployments.get("steps", NAME).provisioning_state,
)

"""Deploys an MLflow model without a scoring script, and scores with it: `mlflow_model.py FOLDER ENDPOINT`."""

import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from azure.ai.ml import Input
from azure.ai.ml.entities import AmlCompute, BatchEndpoint, Model, ModelBatchDeployment

from tests.real_client.scripts.connect import connect, report

FOLDER, NAME = sys.argv[1:]

client = connect()
client.compute.begin_create_or_update(AmlCompute(name="saying", max_instances=1)).result()
model = client.models.create_or_update(
    Model(name="saying", path=f"{FOLDER}/mlflow/model", type="mlflow_model")
)
client.batch_endpoints.begin_create_or_update(BatchEndpoint(name=NAME)).result()
deployment = client.batch_deployments.begin_create_or_update(
    ModelBatchDeployment(name="plain", endpoint_name=NAME, model=model, compute="saying")
).result()
rows = Input(type="uri_file", path=f"{FOLDER}/rows.csv")
job = client.batch_endpoints.invoke(NAME, deployment_name="plain", input=rows)
while (status := client.jobs.get(job.name).status) not in ("Completed", "Failed", "Canceled"):
    time.sleep(0.1)
with TemporaryDirectory() as folder:
    client.jobs.download(job.name, download_path=folder, output_name="score")
    scores = {path.name: path.read_text() for path in Path(folder).iterdir()}
report(state=deployment.provisioning_state, status=status, scores=scores)

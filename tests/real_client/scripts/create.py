"""Makes all that an endpoint needs from files on this machine: `create.py FOLDER ENDPOINT`."""

import sys

from azure.ai.ml.constants import BatchDeploymentOutputAction
from azure.ai.ml.entities import (
    AccountKeyConfiguration,
    AmlCompute,
    AzureBlobDatastore,
    BatchEndpoint,
    BatchRetrySettings,
    CodeConfiguration,
    Data,
    Environment,
    Model,
    ModelBatchDeployment,
    ModelBatchDeploymentSettings,
)

from tests.real_client.scripts.connect import connect, report, traced

FOLDER, NAME = sys.argv[1:]

client = connect()
cluster = client.compute.begin_create_or_update(
    AmlCompute(name="small", min_instances=0, max_instances=2)
).result()
environment = client.environments.create_or_update(
    Environment(
        name="scoring",
        image="mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04",
        conda_file=f"{FOLDER}/conda.yml",
    )
)
model = client.models.create_or_update(Model(name="weights", path=f"{FOLDER}/model", type="custom_model"))
data = client.data.create_or_update(Data(name="words", path=f"{FOLDER}/data", type="uri_folder"))
datastore = client.datastores.create_or_update(
    AzureBlobDatastore(
        name="elsewhere",
        account_name="devstoreaccount1",
        container_name="elsewhere",
        credentials=AccountKeyConfiguration(account_key="never kept"),
    )
)
endpoint, made = traced(
    lambda: client.batch_endpoints.begin_create_or_update(
        BatchEndpoint(name=NAME, description="made by the real client", tags={"by": "tests"})
    ).result()
)
deployment, deployed = traced(
    lambda: client.batch_deployments.begin_create_or_update(
        ModelBatchDeployment(
            name="blue",
            endpoint_name=NAME,
            model=model,
            code_configuration=CodeConfiguration(code=f"{FOLDER}/code", scoring_script="score.py"),
            environment=environment,
            compute="small",
            settings=ModelBatchDeploymentSettings(
                mini_batch_size=2,
                output_action=BatchDeploymentOutputAction.APPEND_ROW,
                output_file_name="predictions.csv",
                max_concurrency_per_instance=1,
                retry_settings=BatchRetrySettings(max_retries=2, timeout=60),
            ),
        )
    ).result()
)
endpoint = client.batch_endpoints.get(NAME)
endpoint.defaults.deployment_name = "blue"
updated = client.batch_endpoints.begin_create_or_update(endpoint).result()
read = client.batch_deployments.get("blue", NAME)
report(
    cluster=cluster.provisioning_state,
    latest_model=client.models.get("weights", label="latest").version,
    data=data.version,
    endpoint_requests=made,
    deployment_requests=deployed,
    default=client.batch_endpoints.get(NAME).defaults.deployment_name,
    tags=updated.tags,
    endpoints=[one.name for one in client.batch_endpoints.list()],
    deployments=[one.name for one in client.batch_deployments.list(NAME)],
    deployment={
        "state": read.provisioning_state,
        "mini_batch_size": read.mini_batch_size,
        "timeout": read.retry_settings.timeout,
        "compute": read.compute,
        "script": read.code_configuration.scoring_script,
    },
    datastore=client.datastores.get_default().name,
    datastores=[one.name for one in client.datastores.list()],
    container=client.datastores.get("elsewhere").container_name,
)

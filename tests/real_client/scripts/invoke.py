"""Invokes an endpoint in every form the client has: `invoke.py FOLDER ENDPOINT`."""

import sys
import time
from typing import Any

from azure.ai.ml import Input, Output
from azure.core.exceptions import ResourceNotFoundError

from local.azureml.workspace import SUBSCRIPTION, id_of
from tests.real_client.scripts.connect import STORAGE, connect, last_invoke, report, traced

FOLDER, NAME = sys.argv[1:]
UPLOADED = "words"
SHORT = f"azureml://datastores/workspaceblobstore/paths/{UPLOADED}"
LONG = SHORT.replace(
    "azureml://", f"azureml://subscriptions/{SUBSCRIPTION}/resourcegroups/local/workspaces/local/"
)
HTTPS = f"{STORAGE}/devstoreaccount1/azureml/{UPLOADED}"

client = connect()


def folder(path: str) -> Input:
    """An input folder."""
    return Input(type="uri_folder", path=path)


def invoked(**arguments: Any) -> dict[str, Any]:
    """Invoke, and wait for the end: the requests, what the last one held, and the job."""
    job, seen = traced(lambda: client.batch_endpoints.invoke(NAME, **arguments))
    sent = last_invoke()
    while (status := client.jobs.get(job.name).status) not in ("Completed", "Failed", "Canceled"):
        time.sleep(0.1)
    return {"job": job.name, "requests": seen, "sent": sent, "status": status}


def refused(name: str) -> str:
    """The kind of error the client raises for an endpoint of that name."""
    try:
        client.batch_endpoints.invoke(name, input=folder(SHORT))
    except ResourceNotFoundError as error:
        return type(error).__name__
    return "nothing"


output = Output(type="uri_file", path="azureml://datastores/workspaceblobstore/paths/scored/rows.csv")
single = Input(type="uri_file", path=f"{HTTPS}/a.txt")
# The one that names its deployment comes last: the client sends the name with every later invoke, too.
report(
    forms={
        "short": invoked(input=folder(SHORT)),
        "long": invoked(input=folder(LONG)),
        "https": invoked(input=folder(HTTPS)),
        "file": invoked(input=single),
        "asset": invoked(inputs={"words": folder("azureml:words:1")}),
        "latest": invoked(inputs={"words": folder("azureml:words@latest")}),
        "arm": invoked(inputs={"words": folder(id_of("data/words/versions/1"))}),
        "local": invoked(inputs={"words": folder(f"{FOLDER}/data")}),
        "output": invoked(input=folder(SHORT), outputs={"anything": output}),
        "named": invoked(input=folder(SHORT), job_name="shown", experiment_name="trial"),
        "overrides": invoked(
            input=folder(SHORT),
            params_override=[
                {"mini_batch_size": 1},
                {"compute": {"instance_count": 2}},
                {"error_threshold": 3},
                {"retry_settings": {"max_retries": 1, "timeout": 90}},
                {"output_file_name": "other.csv"},
            ],
        ),
        "deployment": invoked(inputs={"words": folder(SHORT)}, deployment_name="blue"),
    },
    missing=refused("nobody"),
)

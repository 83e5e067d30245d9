"""Follows jobs in every way the client has: `follow.py FOLDER ENDPOINT`."""

import contextlib
import io
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from azure.ai.ml import Input
from azure.ai.ml.exceptions import JobException

from tests.real_client.scripts.connect import connect, report, traced

FOLDER, NAME = sys.argv[1:]
WORDS = Input(type="uri_folder", path="azureml://datastores/workspaceblobstore/paths/words")
NOTHING = Input(type="uri_folder", path="azureml://datastores/workspaceblobstore/paths/no-such-folder")

client = connect()


def streamed(name: str) -> tuple[str, list[str]]:
    """What `stream` prints of a job, or raises, and the requests it makes."""
    printed = io.StringIO()

    def stream() -> None:
        try:
            client.jobs.stream(name)
        except JobException as error:
            print(error)

    with contextlib.redirect_stdout(printed):
        _, seen = traced(stream)
    return printed.getvalue(), seen


def downloaded(name: str, **arguments: Any) -> tuple[dict[str, str], list[str]]:
    """The files that `download` makes, and the requests it makes."""
    with TemporaryDirectory() as folder:
        _, seen = traced(lambda: client.jobs.download(name, download_path=folder, **arguments))
        files = sorted(path for path in Path(folder).rglob("*") if path.is_file())
        return {str(path.relative_to(folder)): path.read_text() for path in files}, seen


job = client.batch_endpoints.invoke(NAME, input=WORDS)
text, stream_requests = streamed(job.name)
read, get_requests = traced(lambda: client.jobs.get(job.name))
children, children_requests = traced(lambda: list(client.jobs.list(parent_job_name=job.name)))
child, child_requests = traced(lambda: client.jobs.get(children[0].name))
scores, download_requests = downloaded(job.name, output_name="score")
child_scores, _ = downloaded(children[0].name, output_name="score")
failed = client.batch_endpoints.invoke(NAME, input=NOTHING)
failure, _ = streamed(failed.name)
cancelled = client.batch_endpoints.invoke("patient", input=WORDS)
_, cancel_requests = traced(lambda: client.jobs.begin_cancel(cancelled.name).result())
jobs, list_requests = traced(lambda: [one.name for one in client.batch_endpoints.list_jobs(NAME)])
report(
    job={"name": job.name, "status": read.status, "experiment": read.experiment_name, "tags": read.tags},
    streamed=text,
    stream_requests=stream_requests,
    get_requests=get_requests,
    children=[{"name": one.display_name, "status": one.status} for one in children],
    children_requests=children_requests,
    child=child.status,
    child_requests=child_requests,
    child_name=child.name,
    scores=scores,
    child_scores=child_scores,
    download_requests=download_requests,
    failed=failure,
    cancelled=client.jobs.get(cancelled.name).status,
    cancelled_name=cancelled.name,
    cancel_requests=cancel_requests,
    jobs=jobs,
    list_requests=list_requests,
    deployment_jobs=[one.name for one in client.batch_deployments.list_jobs(NAME, name="blue")],
    all_jobs=[one.name for one in client.jobs.list()],
)

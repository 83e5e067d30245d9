"""Deletes a deployment, its endpoint and a cluster: `delete.py FOLDER ENDPOINT`."""

import sys

from azure.ai.ml.entities import AmlCompute, BatchEndpoint
from azure.core.exceptions import ResourceNotFoundError

from tests.real_client.scripts.connect import connect, report, traced

_, NAME = sys.argv[1:]

client = connect()


def gone(name: str) -> bool:
    """Whether there is no endpoint of that name."""
    try:
        client.batch_endpoints.get(name)
    except ResourceNotFoundError:
        return True
    return False


client.batch_endpoints.begin_create_or_update(BatchEndpoint(name=NAME)).result()
client.compute.begin_create_or_update(AmlCompute(name="spare", max_instances=1)).result()
there = not gone(NAME)
_, requests = traced(lambda: client.batch_endpoints.begin_delete(NAME).result())
client.compute.begin_delete("spare").result()
report(
    there=there,
    gone=gone(NAME),
    requests=requests,
    computes=[one.name for one in client.compute.list()],
)

"""The poison queue of blob triggers: a message in the storage of the blob, in the documented form.

https://learn.microsoft.com/azure/azure-functions/functions-bindings-storage-blob-trigger#poison-blobs
"""

import base64
import contextlib
import json
import os

from azure.core.exceptions import ResourceExistsError
from azure.storage.blob import BlobProperties, BlobServiceClient
from azure.storage.queue import QueueClient
from azurefunctions.extensions.bindings.blob.utils import service_client_factory

POISON_QUEUE = "webjobs-blobtrigger-poison"


def put(connection: str, function: str, container: str, blob: str) -> None:
    """Put the message about a blob into the poison queue, made if missing; raises AzureError or ValueError.

    `connection` is the trigger's: a connection string, or beside its blob service `{connection}__queueServiceUri`.
    """
    with service_client_factory(connection) as service, _queue(connection, service) as queue:
        properties = service.get_blob_client(container, blob).get_blob_properties()
        with contextlib.suppress(ResourceExistsError):
            queue.create_queue()
        queue.send_message(base64.b64encode(_message(function, properties).encode()).decode())


def _message(function: str, properties: BlobProperties) -> str:
    message = {
        "Type": "BlobTrigger",
        "FunctionId": f"Host.Functions.{function}",
        "BlobType": properties.blob_type.value,
        "ContainerName": properties.container,
        "BlobName": properties.name,
        "ETag": properties.etag,
    }
    return json.dumps(message)


def _queue(connection: str, service: BlobServiceClient) -> QueueClient:
    if connection in os.environ:
        return QueueClient.from_connection_string(os.environ[connection], POISON_QUEUE)
    address = os.environ.get(f"{connection}__queueServiceUri")
    if not address:
        raise ValueError(f"the app setting {connection}__queueServiceUri is missing")
    return QueueClient(address, POISON_QUEUE, credential=service.credential)

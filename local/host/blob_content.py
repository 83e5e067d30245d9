"""Blob content for functions that take it as `func.InputStream` instead of a client of the storage SDK."""

import json
from typing import Any

from azure.functions.meta import Datum
from azure.storage.blob import BlobClient
from azurefunctions.extensions.bindings.blob.utils import service_client_factory

from local.host.converters import converter


def exists(connection: str, container: str, blob: str) -> bool:
    """Whether the blob is still there: the host forgets events about those that are not."""
    with service_client_factory(connection) as service, _client(service, container, blob) as client:
        return bool(client.exists())


def stream(datum: Datum) -> Any:
    """Return the InputStream of the blob that model binding data points at; reads all of it, as the worker does."""
    place = json.loads(datum.value.content)
    container, blob = place["ContainerName"], place["BlobName"]
    with service_client_factory(place["Connection"]) as service, _client(service, container, blob) as client:
        download = client.download_blob()
        content, properties = download.readall(), download.properties
        shown = {"Length": len(content), "ContentLength": len(content), "ETag": properties.etag}
        metadata = {
            "BlobTrigger": Datum(f"{container}/{blob}", "string"),
            "Uri": Datum(client.url, "string"),
            "Properties": Datum(json.dumps(shown), "json"),
            "Metadata": Datum(json.dumps(dict(properties.metadata or {})), "json"),
        }
    return converter("blobTrigger").decode(Datum(content, "bytes"), trigger_metadata=metadata)


def _client(service: Any, container: str, blob: str) -> BlobClient:
    client: BlobClient = service.get_blob_client(container, blob)
    return client

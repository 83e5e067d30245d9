"""A blob was dropped: note the version and start a run if a slot is free."""

import asyncio
import os

import azure.durable_functions as df
import azure.functions as func
import azurefunctions.extensions.bindings.blob as blob_types

from activities.runs import dropped, start, watch_the_sweep
from shared.settings import STORAGE, inbox_events

bp = df.Blueprint()


@bp.blob_trigger(
    arg_name="blob",
    path="%DROPSCORE_INBOX%/{name}",
    connection=STORAGE,
    source=func.BlobSource.EVENT_GRID
    if inbox_events(os.environ)
    else func.BlobSource.LOGS_AND_CONTAINER_SCAN,
)
@bp.durable_client_input(client_name="client")
async def blob_dropped(blob: blob_types.BlobClient, client: df.DurableOrchestrationClient) -> None:
    """Only the name counts: what stands under it now is asked of storage. Content is never bound."""
    launches = await asyncio.to_thread(dropped, blob.blob_name)
    await start(client, launches)
    await watch_the_sweep(client)

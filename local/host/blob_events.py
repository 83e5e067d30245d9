"""Blob triggers of source Event Grid: the webhook that Event Grid delivers to."""

import json
import logging
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from local.host.blob_paths import BlobPath
from local.host.blobs import BlobDeliveries
from local.host.indexing import IndexedFunction
from local.host.state import State

BLOB_CREATED = "Microsoft.Storage.BlobCreated"
CONTAINERS = "/blobServices/default/containers/"
FUNCTION_PREFIX = "Host.Functions."
logger = logging.getLogger(__name__)


class BlobEvents:
    """Takes Event Grid's deliveries for the functions that listen to them."""

    def __init__(self, state: State, functions: list[IndexedFunction], deliveries: BlobDeliveries) -> None:
        self._state = state
        self._functions = {function.name: function for function in functions}
        self._paths = {function.name: BlobPath(function.spec["path"]) for function in functions}
        self._deliveries = deliveries

    def routes(self) -> list[web.RouteDef]:
        """Return the webhook's route."""
        return [web.post("/runtime/webhooks/blobs", self._receive)]

    async def _receive(self, request: web.Request) -> web.Response:
        name = request.query.get("functionName", "").removeprefix(FUNCTION_PREFIX)
        if name not in self._functions:
            text = f"cannot find function: '{name}' with a blob trigger of source EventGrid"
            return web.Response(status=404, text=text)
        try:
            body = json.loads(await request.text())
            json.dumps(body, ensure_ascii=False).encode()
        except (ValueError, RecursionError) as invalid:
            return web.Response(status=400, text=f"the body is not JSON: {type(invalid).__name__}")
        events = body if isinstance(body, list) else [body]
        match request.headers.get("aeg-event-type"), events:
            case "SubscriptionValidation", [{"data": {"validationCode": code}}, *_]:
                return web.json_response({"validationResponse": code})
            case "SubscriptionValidation", _:
                return web.Response(status=400, text="the event has no data.validationCode")
            case "Notification", _ if not all(isinstance(event, dict) for event in events):
                return web.Response(status=400, text="every event must be an object")
            case "Notification", _:
                self._queue(name, events)
                return web.Response(status=202)
        return web.Response(status=400, text="the header aeg-event-type must be Notification")

    def _queue(self, name: str, events: list[Mapping[str, Any]]) -> None:
        path = self._paths[name]
        created = [location for location in map(created_blob, events) if location and path.matches(*location)]
        with self._state.transaction():
            self._deliveries.queue(self._functions[name], path.container, [blob for _, blob in created])
        self._deliveries.wake()


def created_blob(event: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return container and blob of a BlobCreated event, in either schema; None for other events."""
    kind = event.get("eventType") or event.get("type")
    container, _, blob = str(event.get("subject", "")).removeprefix(CONTAINERS).partition("/blobs/")
    if kind == BLOB_CREATED and blob:
        return container, blob
    logger.info("ignored an event of type %s about %s", kind, event.get("subject"))
    return None

"""Refused requests, in the forms the service answers with: plain text at the gate, JSON behind it."""

import json
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from .clock import now
from .workspace import LOCATION

TOKEN_DENIED = (
    "Microsoft Entra Token denied by policy, please review "
    "https://learn.microsoft.com/azure/machine-learning/how-to-authenticate-online-endpoint"
)


class Refusal(Exception):
    """A request that is answered with an error: `content` is text, or an object sent as JSON."""

    def __init__(self, status: int, content: str | dict[str, Any]) -> None:
        super().__init__(content)
        self.status = status
        self.content = content

    def answer(self) -> web.Response:
        """The HTTP answer."""
        if isinstance(self.content, str):
            return web.Response(status=self.status, text=self.content)
        return web.json_response(self.content, status=self.status, headers={"x-ms-response-type": "error"})


@web.middleware
async def answer_refusals(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn a Refusal raised by any handler into its answer."""
    try:
        return await handler(request)
    except Refusal as refusal:
        return refusal.answer()


def error_details(code: str, message: str) -> dict[str, Any]:
    """The error object of the dataplane services, all members present as in recordings."""
    return {
        "code": code,
        "severity": None,
        "message": message,
        "messageFormat": None,
        "messageParameters": None,
        "referenceCode": None,
        "detailsUri": None,
        "target": None,
        "details": [],
        "innerError": None,
        "debugInfo": None,
        "additionalInfo": None,
    }


def dataplane_refusal(status: int, message: str, code: str = "UserError") -> Refusal:
    """An error in the envelope of the dataplane services."""
    return Refusal(status, error_envelope(code, message, "batch-endpoint"))


def error_envelope(code: str, message: str, component: str) -> dict[str, Any]:
    """An error in the envelope of the dataplane services, run history included."""
    return {
        "error": error_details(code, message),
        "correlation": {"operation": "", "request": ""},
        "environment": LOCATION,
        "location": LOCATION,
        "time": now(),
        "componentName": component,
    }


def arm_refusal(status: int, message: str, code: str = "UserError") -> Refusal:
    """An error in the envelope of Azure Resource Manager."""
    info = [{"type": "ComponentName", "info": {"value": "managementfrontend"}}]
    return Refusal(
        status, {"error": {"code": code, "message": message, "details": [], "additionalInfo": info}}
    )


async def json_document(request: web.Request) -> Any:
    """The request's body, read as JSON. Raises Refusal: 415 for another content type, 400 for no JSON."""
    if request.content_type != "application/json":
        raise dataplane_refusal(415, f"The content type {request.content_type} is not application/json")
    try:
        return json.loads(await request.read())
    except ValueError as error:
        raise dataplane_refusal(400, f"The body is not JSON: {error}") from None

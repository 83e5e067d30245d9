"""What every request to Azure Resource Manager has in common: paths of any case, a token, an api-version."""

import re
from collections.abc import Iterable
from typing import NoReturn

from aiohttp import web

from .identity import TokenDenied, Tokens
from .refusals import arm_refusal
from .workspace import ARM_AUDIENCE


def any_case(path: str) -> str:
    """A route path whose fixed segments match in any case; the {variables} keep theirs."""
    segments = path.strip("/").split("/")
    return "".join(
        f"/{segment}" if segment.startswith("{") else f"/{{_{index}:(?i:{re.escape(segment)})}}"
        for index, segment in enumerate(segments)
    )


def authorise(tokens: Tokens, request: web.Request) -> None:
    """Raise Refusal without a token for ARM, and without an api-version."""
    try:
        tokens.check(request.headers.get("Authorization"), ARM_AUDIENCE)
    except TokenDenied as denied:
        raise arm_refusal(
            401, f"The access token is invalid: {denied}", "InvalidAuthenticationToken"
        ) from None
    if not request.query.get("api-version"):
        message = "The api-version query parameter (?api-version=) is required for all requests."
        raise arm_refusal(400, message, "MissingApiVersionParameter")


def not_found(what: str) -> NoReturn:
    """Raise the Refusal of a resource that does not exist."""
    raise arm_refusal(404, f"The resource {what} was not found.", "ResourceNotFound")


def page(bodies: Iterable[object]) -> web.Response:
    """A list that is complete on its first page."""
    return web.json_response({"value": list(bodies), "nextLink": None})

"""What clients have asked for, for tests of clients: `GET /control/requests`, and `DELETE` to forget it."""

import json
from collections import deque
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

ADDRESS = "/control/requests"
_KEPT = 2000
_HEADERS = ("azureml-model-deployment", "repeatability_request-id")


class RequestLog:
    """The last requests, without their tokens; bodies only of those that invoke, since others may hold secrets."""

    def __init__(self) -> None:
        self._requests: deque[dict[str, Any]] = deque(maxlen=_KEPT)

    def middleware(self) -> Middleware:
        """Notes every request but those of the control plane, once it is answered."""

        @web.middleware
        async def noting(request: web.Request, handler: Handler) -> web.StreamResponse:
            if request.path.startswith("/control/"):
                return await handler(request)
            answer = await handler(request)
            self._requests.append(await _noted(request, answer.status))
            return answer

        return noting

    def routes(self) -> list[web.RouteDef]:
        """What answers at {base}/control/requests."""
        return [web.get(ADDRESS, self.show), web.delete(ADDRESS, self.forget)]

    async def show(self, _: web.Request) -> web.Response:
        """The requests, the oldest first."""
        return web.json_response(list(self._requests))

    async def forget(self, _: web.Request) -> web.Response:
        """Forget them."""
        self._requests.clear()
        return web.Response(status=204)


async def _noted(request: web.Request, status: int) -> dict[str, Any]:
    noted: dict[str, Any] = {"method": request.method, "path": request.path, "status": status}
    noted["query"] = {name: value for name, value in request.query.items() if name != "sig"}
    noted["headers"] = {name: request.headers[name] for name in _HEADERS if name in request.headers}
    if request.method == "POST" and request.path.endswith("/jobs"):
        noted["body"] = _json(await request.read())
    return noted


def _json(body: bytes) -> object:
    try:
        document: object = json.loads(body)
    except ValueError:
        return None
    return document

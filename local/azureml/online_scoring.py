"""The scoring plane of online endpoints: who may send a request, which deployment takes it, what comes of it.

How a model's answer becomes the service's follows the codes in learn.microsoft.com/azure/machine-learning/
how-to-troubleshoot-online-endpoints; the texts of 401 and 408 are those in MicrosoftDocs/azure-docs issues 98265 and
94105.
"""

import asyncio
import hmac
import json
import uuid
from random import Random

from aiohttp import web

from .identity import TokenDenied
from .invoking import DEPLOYMENT_HEADER, NO_DEPLOYMENT
from .online_kinds import KEY_TYPES, key_path
from .online_runtime import ModelAnswer, RequestTimedOut, TooManyRequests
from .online_traffic import live_deployment, mirrored_deployment
from .refusals import TOKEN_DENIED, Refusal, dataplane_refusal
from .resources import Resource
from .service import Service
from .workspace import SCORING_AUDIENCE

_REASON = "ms-azureml-model-error-reason"
_STATUS = "ms-azureml-model-error-statuscode"


def token_audience(endpoint: Resource) -> str:
    """What a token of an endpoint in the mode AMLToken is for."""
    return f"{SCORING_AUDIENCE}/{endpoint.path.lower()}"


class OnlineScoringPlane:
    """What answers at {base}/endpoints/{endpoint}/score."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._random = Random()
        self._mirroring: set[asyncio.Task[None]] = set()

    def routes(self) -> list[web.RouteDef]:
        """The plane's routes."""
        return [web.post("/endpoints/{endpoint}/score", self.score)]

    async def score(self, request: web.Request) -> web.Response:
        """The model's answer to one request."""
        endpoint = self._service.resources.get(f"onlineEndpoints/{request.match_info['endpoint']}")
        if endpoint is None or endpoint.state == "Creating":
            raise dataplane_refusal(404, f"There is no online endpoint at {request.path}", "NotFound")
        self._authorise(request, endpoint)
        named = request.headers.get(DEPLOYMENT_HEADER)
        name = named or live_deployment(endpoint.properties["traffic"], self._random)
        body = await request.clone(client_max_size=0).read()
        # Whoever wrote the script need not hold the key.
        headers = {key: value for key, value in request.headers.items() if key != "Authorization"}
        if not named:
            self._mirror(endpoint, body, headers)
        answer = await self._answer(endpoint, name, body, headers)
        answer.headers["x-request-id"] = request.headers.get("x-request-id") or str(uuid.uuid4())
        return answer

    def _authorise(self, request: web.Request, endpoint: Resource) -> None:
        """Raise Refusal without the key or the token that the endpoint's mode asks for."""
        header, mode = request.headers.get("Authorization"), endpoint.properties["authMode"]
        if mode == "Key":
            if not any(_is_bearer(header, self._key(endpoint, key_type)) for key_type in KEY_TYPES):
                raise Refusal(401, "key_auth_access_denied")
            return
        audience = SCORING_AUDIENCE if mode == "AADToken" else token_audience(endpoint)
        try:
            self._service.tokens.check(header, audience)
        except TokenDenied:
            raise Refusal(401, TOKEN_DENIED) from None

    def _key(self, endpoint: Resource, key_type: str) -> str:
        key = self._service.resources.get(key_path(endpoint.name, key_type))
        return str(key.properties["key"]) if key else ""

    async def _answer(
        self, endpoint: Resource, name: str | None, body: bytes, headers: dict[str, str]
    ) -> web.Response:
        """What one deployment makes of a request. Raises Refusal where there is no such deployment."""
        deployment = name and self._service.resources.get(f"{endpoint.path}/deployments/{name}")
        if not deployment or deployment.state in ("Creating", "Deleting"):
            raise dataplane_refusal(404, NO_DEPLOYMENT, "NotFound")
        instances = await self._service.online.instances(deployment.path)
        if instances is None:
            return _response(424, "", deployment.name, {_REASON: "model_not_ready", _STATUS: "503"})
        try:
            answer = await instances.score(body.decode(), headers)
        except UnicodeDecodeError as error:
            answer = ModelAnswer(
                400, json.dumps({"message": f"Input cannot be decoded as UTF-8: {error.reason}"})
            )
        except TooManyRequests:
            return _response(429, "", deployment.name, {_REASON: "too_many_pending_request"})
        except RequestTimedOut:
            return _response(408, "upstream request timeout", deployment.name)
        if answer.status != 200:
            failure = {_REASON: "model_error", _STATUS: str(answer.status)}
            return _response(424, answer.body, deployment.name, failure)
        return _response(200, answer.body, deployment.name)

    def _mirror(self, endpoint: Resource, body: bytes, headers: dict[str, str]) -> None:
        """Send a copy to the mirrored deployment, if it is this request's turn; nobody waits for its answer."""
        name = mirrored_deployment(endpoint.properties["mirrorTraffic"], self._random)
        if name is None:
            return

        async def send() -> None:
            try:
                await self._answer(endpoint, name, body, headers)
            except Refusal:
                return

        task = asyncio.create_task(send(), name=f"mirror of {endpoint.path}")
        self._mirroring.add(task)
        task.add_done_callback(self._mirroring.discard)


def _is_bearer(header: str | None, key: str) -> bool:
    scheme, _, given = (header or "").partition(" ")
    return bool(key) and scheme.lower() == "bearer" and hmac.compare_digest(given.encode(), key.encode())


def _response(status: int, body: str, deployment: str, headers: dict[str, str] | None = None) -> web.Response:
    kind = "application/json" if body and status in (200, 424) else "text/plain"
    own = {DEPLOYMENT_HEADER: deployment}
    return web.Response(status=status, text=body, content_type=kind, headers=own | (headers or {}))

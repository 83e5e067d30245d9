"""What online endpoints are asked for beyond being made and read: keys, tokens, logs."""

import time
from collections import deque
from dataclasses import replace

from aiohttp import web

from .arm_requests import any_case, authorise, not_found
from .online_kinds import KEY_TYPES, key_path
from .online_scoring import token_audience
from .reading import InvalidBody, integer, members, one_of, string
from .refusals import arm_refusal, json_document
from .resources import CHANGING, Resource
from .service import Service
from .workspace import OPERATIONS_ID, WORKSPACE_ID

_TOKEN_LIFETIME = 3600
_ENDPOINT = f"{WORKSPACE_ID}/onlineEndpoints/{{endpoint}}"
_CONTAINERS = ("InferenceServer", "StorageInitializer")


class OnlineActions:
    """What answers at {workspace}/onlineEndpoints/{endpoint}/listKeys, /regenerateKeys, /token and …/getLogs."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def routes(self) -> list[web.RouteDef]:
        """The plane's routes."""
        return [
            web.post(any_case(f"{_ENDPOINT}/listKeys"), self.list_keys),
            web.post(any_case(f"{_ENDPOINT}/regenerateKeys"), self.regenerate_keys),
            web.post(any_case(f"{_ENDPOINT}/token"), self.token),
            web.post(any_case(f"{_ENDPOINT}/deployments/{{deployment}}/getLogs"), self.logs),
        ]

    async def list_keys(self, request: web.Request) -> web.Response:
        """Both keys of an endpoint in the mode Key."""
        endpoint = self._endpoint(request, "Key")
        keys = {}
        for key_type in KEY_TYPES:
            key = self._service.resources.get(key_path(endpoint.name, key_type)) or not_found(request.path)
            keys[f"{key_type.lower()}Key"] = key.properties["key"]
        return web.json_response(keys)

    async def regenerate_keys(self, request: web.Request) -> web.Response:
        """202 and an operation, after which the key of the type given is another: a new one, or the one given.

        azure-ai-ml 1.35.2 gives the present one where a new one is wanted.
        """
        endpoint = self._endpoint(request, "Key")
        if endpoint.state in CHANGING:
            raise arm_refusal(
                409, f"{endpoint.path} is {endpoint.state.lower()}; try again later", "Conflict"
            )
        try:
            body = members(
                await json_document(request), ("keyType", "keyValue"), "RegenerateEndpointKeysRequest"
            )
            path = key_path(endpoint.name, one_of(body.get("keyType"), KEY_TYPES, "keyType"))
            value = string(body, "keyValue")
        except InvalidBody as error:
            raise arm_refusal(400, str(error)) from None
        before = self._service.resources.get(path) or not_found(request.path)
        self._service.resources.delete(path)
        if value and value != before.properties["key"]:
            self._service.resources.put(Resource(path=path, properties={"key": value}))
        changed = replace(endpoint, state="Updating")
        self._service.resources.put(changed)
        name = self._service.operations.begin("oe", changed)
        place = f"{request.url.origin()}{OPERATIONS_ID}/mfeOperationResults/{name}"
        headers = {"Location": f"{place}?api-version={request.query['api-version']}"}
        return web.json_response(None, status=202, headers=headers)

    async def token(self, request: web.Request) -> web.Response:
        """A token that opens an endpoint in the mode AMLToken for an hour."""
        endpoint = self._endpoint(request, "AMLToken")
        now = int(time.time())
        return web.json_response(
            {
                "accessToken": self._service.tokens.issue(token_audience(endpoint), _TOKEN_LIFETIME),
                "expiryTimeUtc": now + _TOKEN_LIFETIME,
                "refreshAfterTimeUtc": now + _TOKEN_LIFETIME // 2,
                "tokenType": "Bearer",
            }
        )

    async def logs(self, request: web.Request) -> web.Response:
        """The last lines that a deployment's processes printed; there is no other container than theirs."""
        endpoint, name = self._endpoint(request), request.match_info["deployment"]
        path = f"{endpoint.path}/deployments/{name}"
        deployment = self._service.resources.get(path) or not_found(request.path)
        try:
            body = members(await json_document(request), ("containerType", "tail"), "DeploymentLogsRequest")
            container = one_of(body.get("containerType") or _CONTAINERS[0], _CONTAINERS, "containerType")
            tail = integer(body, "tail", 1)
        except InvalidBody as error:
            raise arm_refusal(400, str(error)) from None
        log = self._service.online.log(deployment)
        if container != _CONTAINERS[0] or not log.exists():
            return web.json_response({"content": ""})
        with log.open(encoding="utf-8", errors="replace") as lines:
            return web.json_response({"content": "".join(deque(lines, maxlen=tail))})

    def _endpoint(self, request: web.Request, mode: str | None = None) -> Resource:
        """The endpoint. Raises Refusal where there is none, or it is of another mode than `mode`."""
        authorise(self._service.tokens, request)
        path = f"onlineEndpoints/{request.match_info['endpoint']}"
        endpoint = self._service.resources.get(path) or not_found(request.path)
        if mode and endpoint.properties["authMode"] != mode:
            given = endpoint.properties["authMode"]
            raise arm_refusal(400, f"{path} is of the mode {given}: this is for endpoints of the mode {mode}")
        return endpoint

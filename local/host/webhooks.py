"""The durable HTTP API of the extension: status codes and bodies as it gives them."""

import asyncio
import json
import time
from typing import Any

from aiohttp import web

from local.host.client import DurableClient, InstanceExistsError, InvalidStartError
from local.host.clock import to_iso_seconds
from local.host.history_view import history_view
from local.host.instances import Instance, Status
from local.host.links import Links
from local.host.queries import created_from, flag, list_filter, page_size, purge_filter, seconds

PREFIXES = ("/durabletask", "/runtime/webhooks/durabletask")
WRONG = "Something went wrong while processing your request"
CONTINUATION = "x-ms-continuation-token"


class DurableWebhooks:
    """Handlers of the durable HTTP API."""

    def __init__(self, client: DurableClient, links: Links) -> None:
        self._client = client
        self._links = links

    def routes(self) -> list[web.RouteDef]:
        """Return the routes, under both prefixes that the extension serves."""
        return [route for prefix in PREFIXES for route in self._routes_under(prefix)]

    def _routes_under(self, prefix: str) -> list[web.RouteDef]:
        instance = prefix + "/instances/{id}"
        return [
            web.post(prefix + "/orchestrators/{name}", self._start),
            web.post(prefix + "/orchestrators/{name}/{id}", self._start),
            web.get(prefix + "/instances", self._list, allow_head=False),
            web.get(prefix + "/instances/", self._list, allow_head=False),
            web.delete(prefix + "/instances", self._purge_many),
            web.delete(prefix + "/instances/", self._purge_many),
            web.get(instance, self._status, allow_head=False),
            web.delete(instance, self._purge),
            web.post(instance + "/raiseEvent/{event}", self._raise_event),
            web.post(instance + "/{operation:terminate|suspend|resume}", self._control),
            web.post(instance + "/restart", self._restart),
            web.post(instance + "/rewind", self._rewind),
            web.route("*", prefix + "/entities/{tail:.*}", self._entities),
        ]

    async def _start(self, request: web.Request) -> web.Response:
        body = await request.text()
        path = request.match_info
        try:
            input_text = json.dumps(json.loads(body)) if body else None
            instance_id = self._client.start(
                path["name"], path.get("id"), input_text, request.query.get("version")
            )
        except json.JSONDecodeError as invalid:
            return _error(400, "Invalid JSON content", invalid)
        except InvalidStartError as invalid:
            return _error(400, "One or more of the arguments submitted is incorrect", invalid)
        except InstanceExistsError as refusal:
            return _error(500, WRONG, refusal)
        return await self._checked(request, instance_id)

    async def _checked(self, request: web.Request, instance_id: str) -> web.Response:
        """Answer a start at once, or with `timeout` and `pollingInterval` when the instance has ended in time."""
        timeout, interval = seconds(request, "timeout"), seconds(request, "pollingInterval")
        if timeout is None or interval is None:
            return self._started(instance_id)
        if interval > timeout:
            refusal = ValueError(
                f"Total timeout {timeout:g} should be bigger than retry timeout {interval:g}"
            )
            return _error(400, "One or more of the arguments submitted is incorrect", refusal)
        deadline = time.monotonic() + timeout
        while True:
            instance = self._client.store.instance(instance_id)
            rest = deadline - time.monotonic()
            if instance and not instance.status.live:
                return self._ended(request, instance)
            if rest <= 0:
                return self._started(instance_id)
            await asyncio.sleep(min(interval, rest))

    def _ended(self, request: web.Request, instance: Instance) -> web.Response:
        if instance.status == Status.COMPLETED:
            return web.json_response(_value(instance.output_text))
        return self._shown(request, instance)

    def _started(self, instance_id: str) -> web.Response:
        links = self._links.of_instance(instance_id)
        headers = {"Location": links["statusQueryGetUri"], "Retry-After": "10"}
        return web.json_response(dict(links), status=202, headers=headers)

    async def _status(self, request: web.Request) -> web.Response:
        return self._shown(request, self._find(request))

    def _shown(self, request: web.Request, instance: Instance) -> web.Response:
        show_input = flag(request, "showInput", default=True)
        body = _item(instance, show_input)
        if flag(request, "showHistory"):
            body["historyEvents"] = history_view(
                self._client.store.history(instance.instance_id),
                show_output=flag(request, "showHistoryOutput"),
                show_input=show_input,
            )
        if instance.status.live:
            headers = {"Location": str(request.url), "Retry-After": "5"}
            return web.json_response(body, status=202, headers=headers)
        error_wanted = flag(request, "returnInternalServerErrorOnFailure")
        return web.json_response(
            body, status=500 if instance.status == Status.FAILED and error_wanted else 200
        )

    async def _list(self, request: web.Request) -> web.Response:
        condition, values = list_filter(request)
        top = page_size(request)
        after = request.headers.get(CONTINUATION, "")
        found = self._client.store.instances(f"{condition} and id>?", [*values, after], limit=top + 1)
        token = found[top - 1].instance_id if len(found) > top else ""
        show_input = flag(request, "showInput", default=True)
        items = [_item(instance, show_input) for instance in found[:top]]
        return web.json_response(items, headers={CONTINUATION: token})

    async def _raise_event(self, request: web.Request) -> web.Response:
        instance = self._find_live(request)
        if request.content_type != "application/json":
            body = {"Message": "Only application/json request content is supported"}
            return web.json_response(body, status=400)
        try:
            data = json.dumps(json.loads(await request.text()))
        except json.JSONDecodeError as invalid:
            return _error(400, "Invalid JSON content", invalid)
        self._client.raise_event(instance, request.match_info["event"], data)
        return web.Response(status=202)

    async def _control(self, request: web.Request) -> web.Response:
        instance = self._find_live(request)
        operation, reason = request.match_info["operation"], request.query.get("reason")
        if (operation == "suspend") == (instance.status == Status.SUSPENDED) and operation != "terminate":
            refusal = ValueError(f"Cannot {operation} orchestration instance in {instance.status} state.")
            return _error(500, WRONG, refusal)
        operations = {
            "terminate": self._client.terminate,
            "suspend": self._client.suspend,
            "resume": self._client.resume,
        }
        operations[operation](instance, reason)
        return web.Response(status=202)

    async def _restart(self, request: web.Request) -> web.Response:
        with_new_id = flag(request, "restartWithNewInstanceId", default=True)
        instance = self._client.store.instance(request.match_info["id"])
        if instance is None:
            missing = ValueError(
                f"An orchestration with the instanceId {request.match_info['id']} was not found."
            )
            return _error(400, "InstanceId does not match a valid orchestration instance.", missing)
        try:
            started = self._client.restart(instance, with_new_id=with_new_id)
        except InstanceExistsError as refusal:
            return _error(500, WRONG, refusal)
        return await self._checked(request, started)

    async def _rewind(self, request: web.Request) -> web.Response:
        instance = self._find(request)
        if instance.status in (Status.COMPLETED, Status.TERMINATED):
            raise web.HTTPGone(text="")
        if instance.status != Status.FAILED:
            refusal = ValueError("The rewind operation is only supported on failed orchestration instances.")
            return _error(500, WRONG, refusal)
        self._client.rewind(instance, request.query.get("reason"))
        return web.Response(status=202)

    async def _entities(self, _: web.Request) -> web.Response:
        return _error(
            501, "Not implemented", NotImplementedError("The local host does not support entities.")
        )

    async def _purge(self, request: web.Request) -> web.Response:
        purged = self._client.purge("id=?", [self._find(request).instance_id])
        return web.json_response({"instancesDeleted": purged})

    async def _purge_many(self, request: web.Request) -> web.Response:
        if created_from(request) is None:
            return web.json_response("Please provide value for 'createdTimeFrom' parameter.", status=400)
        condition, values = purge_filter(request)
        purged = self._client.purge(condition, values)
        return web.json_response({"instancesDeleted": purged}) if purged else web.Response(status=404)

    def _find(self, request: web.Request) -> Instance:
        instance = self._client.store.instance(request.match_info["id"])
        if instance is None:
            raise web.HTTPNotFound(text="")
        return instance

    def _find_live(self, request: web.Request) -> Instance:
        instance = self._find(request)
        if not instance.status.live:
            raise web.HTTPGone(text="")
        return instance


def _item(instance: Instance, show_input: bool) -> dict[str, Any]:
    return {
        "name": instance.name,
        "instanceId": instance.instance_id,
        "runtimeStatus": instance.status,
        "input": _value(instance.input_text) if show_input else None,
        "customStatus": _value(instance.custom_status_text),
        "output": _value(instance.output_text),
        "createdTime": to_iso_seconds(instance.created),
        "lastUpdatedTime": to_iso_seconds(instance.updated),
    }


def _value(text: str | None) -> Any:
    return None if text is None else json.loads(text)


def _error(status: int, message: str, error: Exception) -> web.Response:
    body = {
        "Message": message,
        "ExceptionMessage": str(error),
        "ExceptionType": type(error).__name__,
        "StackTrace": "",
    }
    return web.json_response(body, status=status)

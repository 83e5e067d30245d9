"""HTTP triggers: the app's routes under the route prefix."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from aiohttp import web
from azure.functions.meta import Datum

from local.host.indexing import IndexedFunction
from local.host.invocation import Worker, WorkerLost
from local.host.keys import Keys
from local.host.route_templates import paths
from local.host.work import RunningWork

logger = logging.getLogger(__name__)

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.Response]]
DEFAULT_METHODS = ("*",)


def routes(worker: Worker, work: RunningWork, prefix: str, keys: Keys) -> list[web.RouteDef]:
    """Return the routes of every HTTP function."""
    return [
        web.route(str(getattr(method, "value", method)), path, _handler(worker, work, function, keys))
        for function in worker.of_kind("httpTrigger")
        for path in paths(prefix, function.spec["route"])
        for method in function.spec.get("methods") or DEFAULT_METHODS
    ]


def _handler(worker: Worker, work: RunningWork, function: IndexedFunction, keys: Keys) -> Handler:
    level = _level(function)

    async def handle(request: web.Request) -> web.Response:
        if not keys.open(level, function.name, request):
            return web.Response(status=401)
        datum = await _request_datum(request)
        return await asyncio.shield(work.start(_answer(worker, function, datum)))

    return handle


def _level(function: IndexedFunction) -> str:
    """Return its authLevel: anonymous, function (which stands where nothing does) or admin."""
    return str(function.spec.get("authLevel") or "function").rpartition(".")[2].lower()


async def _answer(worker: Worker, function: IndexedFunction, datum: Datum) -> web.Response:
    try:
        return _response(await worker.invoke(function, datum))
    except WorkerLost as lost:
        logger.warning("function %s did not answer: %s", function.name, lost)
        return web.Response(status=502)
    except Exception:
        logger.exception("function %s failed", function.name)
        return web.Response(status=500)


async def _request_datum(request: web.Request) -> Datum:
    return Datum(
        {
            "method": Datum(request.method, "string"),
            "url": Datum(str(request.url), "string"),
            "headers": {name.lower(): Datum(value, "string") for name, value in request.headers.items()},
            "query": {name: Datum(value, "string") for name, value in request.query.items()},
            "params": {name: Datum(value, "string") for name, value in request.match_info.items()},
            "body": Datum(await request.read(), "bytes"),
        },
        "http",
    )


def _response(datum: Datum) -> web.Response:
    if datum.type == "string":
        return web.Response(text=datum.value)
    answer = datum.value
    response = web.Response(status=int(answer["status_code"].value), body=answer["body"].value)
    for name, value in answer["headers"].items():
        if name.lower() != "content-length":
            response.headers[name] = value.value
    for cookie in answer["cookies"] or []:
        for morsel in cookie.values():
            response.headers.add("Set-Cookie", morsel.OutputString())
    return response

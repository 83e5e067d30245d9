"""HTTP triggers: the app's routes under the route prefix."""

import asyncio
import logging

from aiohttp import web
from aiohttp.typedefs import Handler
from azure.functions.meta import Datum

from local.host.indexing import IndexedFunction
from local.host.invocation import Worker, WorkerLost
from local.host.keys import Keys
from local.host.route_templates import paths, precedence
from local.host.work import RunningWork

logger = logging.getLogger(__name__)

DEFAULT_METHODS = ("*",)


def routes(worker: Worker, work: RunningWork, prefix: str, keys: Keys) -> list[web.RouteDef]:
    """Return the routes of every HTTP function."""
    return [
        _route(str(getattr(method, "value", method)), path, _handler(worker, work, function, keys))
        for function in sorted(worker.of_kind("httpTrigger"), key=lambda each: precedence(each.spec["route"]))
        for path in paths(prefix, function.spec["route"])
        for method in function.spec.get("methods") or DEFAULT_METHODS
    ]


def _route(method: str, path: str, handler: Handler) -> web.RouteDef:
    options = {"allow_head": False} if method == "GET" else {}
    return web.RouteDef(method, path, handler, options)


@web.middleware
async def as_if_unknown(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer 404 to a method that no function of the route takes, as Functions does (azure-functions-host#10098)."""
    try:
        return await handler(request)
    except web.HTTPMethodNotAllowed:
        return web.Response(status=404)


def _handler(worker: Worker, work: RunningWork, function: IndexedFunction, keys: Keys) -> Handler:
    level = _level(function)

    async def handle(request: web.Request) -> web.Response:
        if not keys.admits(level, function.name, request):
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

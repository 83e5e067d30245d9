"""Faults of HTTP: a middleware that plays a plan, and the control endpoint that sets it.

    GET    /control/faults     the faults in force, how often each was met and has struck
    POST   /control/faults     adds a fault, or a list of them
    PUT    /control/faults     replaces all by a plan: {"seed": 0, "faults": [...]}
    DELETE /control/faults     nothing goes wrong any more

No token is needed. 400 answers what is no fault, and says why.
"""

import asyncio
import contextlib
import json
import socket
import struct
from collections.abc import Awaitable, Callable
from typing import TypeVar

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from local.faults.plan import Fault, NoFault, Plan

ADDRESS = "/control/faults"

Checked = TypeVar("Checked")
Deed = Callable[[Fault, web.Request, Handler], Awaitable[web.StreamResponse]]
# Effects that take place after their client has gone; kept here, because a task nobody holds may be collected.
late_effects: set[asyncio.Task[web.StreamResponse]] = set()


def misbehaving(plan: Plan) -> Middleware:
    """A middleware that lets the plan's faults befall every request but those of the control endpoint."""

    @web.middleware
    async def misbehave(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith("/control/"):
            return await handler(request)
        fault = plan.take("request", f"{request.method} {request.path_qs}")
        return await (DEEDS[fault.do](fault, request, handler) if fault else handler(request))

    return misbehave


async def answer(fault: Fault, request: web.Request, handler: Handler) -> web.StreamResponse:
    if fault.after:
        await handler(request)
    text = fault.body if isinstance(fault.body, str) else json.dumps(fault.body)
    kind = "text/plain" if isinstance(fault.body, str) else "application/json"
    return web.Response(status=fault.status, headers=fault.headers, text=text, content_type=kind)


async def reset(fault: Fault, request: web.Request, handler: Handler) -> web.StreamResponse:
    if fault.after:
        await handler(request)
    reset_connection(request)
    return web.Response()


async def cut(_: Fault, request: web.Request, handler: Handler) -> web.StreamResponse:
    """Half the body comes, then the connection ends."""
    whole = await handler(request)
    body = whole.body if isinstance(whole, web.Response) and isinstance(whole.body, bytes) else b""
    if not body:
        reset_connection(request)
        return web.Response()
    half = web.StreamResponse(status=whole.status, headers=whole.headers)
    half.content_length = len(body)
    await half.prepare(request)
    await half.write(body[: len(body) // 2])
    if request.transport:
        request.transport.close()
    return half


async def slow(fault: Fault, request: web.Request, handler: Handler) -> web.StreamResponse:
    if not fault.after:
        await asyncio.sleep(fault.seconds)
        return await handler(request)
    response = await handler(request)
    await asyncio.sleep(fault.seconds)
    return response


async def late(fault: Fault, request: web.Request, handler: Handler) -> web.StreamResponse:
    """The client loses its connection; what it asked for is done some seconds later."""
    await request.read()

    async def effect() -> web.StreamResponse:
        await asyncio.sleep(fault.seconds)
        return await handler(request)

    task = asyncio.create_task(effect())
    late_effects.add(task)
    task.add_done_callback(late_effects.discard)
    reset_connection(request)
    return web.Response()


DEEDS: dict[str, Deed] = {"answer": answer, "reset": reset, "cut": cut, "slow": slow, "late": late}


def reset_connection(request: web.Request) -> None:
    """Drops the client's connection with a TCP reset."""
    transport = request.transport
    if transport is None:
        return
    connection = transport.get_extra_info("socket")
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


def control_routes(plan: Plan) -> list[web.RouteDef]:
    """What answers at {base}/control/faults."""

    async def show(_: web.Request) -> web.Response:
        return web.json_response(plan.to_list())

    async def add(request: web.Request) -> web.Response:
        document = await json_of(request)
        plan.add(checked(lambda: [Fault.of(one) for one in as_list(document)]))
        return await show(request)

    async def replace(request: web.Request) -> web.Response:
        document = await json_of(request)
        plan.replace(checked(lambda: Plan.of(document)))
        return await show(request)

    async def clear(request: web.Request) -> web.Response:
        plan.replace(Plan())
        return await show(request)

    return [
        web.get(ADDRESS, show),
        web.post(ADDRESS, add),
        web.put(ADDRESS, replace),
        web.delete(ADDRESS, clear),
    ]


def as_list(document: object) -> list[object]:
    return document if isinstance(document, list) else [document]


async def json_of(request: web.Request) -> object:
    """Raises HTTPBadRequest."""
    try:
        document: object = await request.json()
    except ValueError as problem:
        raise web.HTTPBadRequest(text=f"The body is not JSON: {problem}") from None
    return document


def checked(read: Callable[[], Checked]) -> Checked:
    """What was read. Raises HTTPBadRequest where it is no fault."""
    try:
        return read()
    except NoFault as problem:
        raise web.HTTPBadRequest(text=str(problem)) from None

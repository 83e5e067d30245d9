"""`python -m local.faults.proxy --to URL --port N [--faults FILE]`: a server that passes everything on, but for faults.

Stands before Azurite's blob service. The app signs its requests for this address; Azurite, which does not look at
the host, takes them as they are.
"""

import argparse
import asyncio
import signal
from collections.abc import Mapping
from pathlib import Path

from aiohttp import ClientSession, ClientTimeout, TCPConnector, web
from aiohttp.typedefs import Middleware
from multidict import CIMultiDict
from yarl import URL

from local.faults.http import control_routes, misbehaving
from local.faults.plan import Plan

# Of one connection, not of the message (RFC 9110 §7.6.1); the length is written anew.
HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade"})
LARGEST_BODY = 512 * 1024 * 1024


class Proxy:
    """Passes requests on to `upstream`, an address without a path."""

    def __init__(self, upstream: str, session: ClientSession) -> None:
        self._upstream = upstream
        self._session = session

    async def pass_on(self, request: web.Request) -> web.Response:
        """The upstream's answer; 503 where it is away."""
        try:
            return await self._asked(request)
        except OSError as problem:
            return web.Response(status=503, text=f"{self._upstream} is away: {type(problem).__name__}")

    async def _asked(self, request: web.Request) -> web.Response:
        url = URL(f"{self._upstream}{request.raw_path}", encoded=True)
        asked = self._session.request(
            request.method,
            url,
            headers=end_to_end(request.headers),
            data=await request.read(),
            allow_redirects=False,
            skip_auto_headers=("Content-Type", "User-Agent", "Accept", "Accept-Encoding"),
        )
        async with asked as answer:
            body = await answer.read()
            headers = end_to_end(answer.headers)
            if request.method != "HEAD":
                headers.pop("Content-Length", None)
            return web.Response(status=answer.status, reason=answer.reason, headers=headers, body=body)


def end_to_end(headers: Mapping[str, str]) -> CIMultiDict[str]:
    """The headers that are passed on."""
    return CIMultiDict((name, value) for name, value in headers.items() if name.lower() not in HOP_BY_HOP)


async def serve(upstream: str, port: int, plan: Plan, stop: asyncio.Event, *watching: Middleware) -> None:
    """Until `stop` is set, on 127.0.0.1. Middlewares that are `watching` see every request first."""
    connections = TCPConnector(limit=0)
    async with ClientSession(
        auto_decompress=False, connector=connections, timeout=ClientTimeout(total=None)
    ) as session:
        application = web.Application(
            middlewares=[*watching, misbehaving(plan)], client_max_size=LARGEST_BODY
        )
        application.add_routes(control_routes(plan))
        application.router.add_route("*", "/{rest:.*}", Proxy(upstream, session).pass_on)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        await stop.wait()
        await runner.cleanup()


async def main() -> None:
    """Until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m local.faults.proxy", description=__doc__)
    parser.add_argument("--to", required=True, metavar="URL", help="where requests go, without a path")
    parser.add_argument("--port", required=True, type=int, help="on 127.0.0.1")
    parser.add_argument("--faults", type=Path, metavar="FILE", help="a plan of what goes wrong, as JSON")
    chosen = parser.parse_args()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    plan = Plan.read(chosen.faults.read_text()) if chosen.faults else Plan()
    await serve(chosen.to, chosen.port, plan, stop)


if __name__ == "__main__":
    asyncio.run(main())

"""`python -m benchmarks.counting --to URL --port N --log FILE`: passes everything on and writes down each request.

A line of JSON each: when it came (epoch seconds), method, path with its query, status, bytes in and bytes out.
"""

import argparse
import asyncio
import json
import signal
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import parse_qs, unquote, urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from local.faults.plan import Plan
from local.faults.proxy import serve

# What a `comp` or a `restype` in the query makes of a method, in the words of the REST reference.
OPERATIONS = {
    ("GET", "list"): "list",
    ("PUT", "block"): "stage block",
    ("PUT", "blocklist"): "commit blocks",
    ("PUT", "metadata"): "set metadata",
}
NAMES = {"GET": "read", "HEAD": "look", "PUT": "write", "DELETE": "delete"}


@dataclass(frozen=True)
class Call:
    """One request to storage: `operation` such as "read", `container`, `blob` as it is named, bytes each way."""

    at: float
    operation: str
    container: str
    blob: str
    status: int
    sent: int
    received: int


def writing(log: IO[str]) -> Middleware:
    """A middleware that writes a line for every request, when it has been answered."""

    @web.middleware
    async def write(request: web.Request, handler: Handler) -> web.StreamResponse:
        came = time.time()
        response = await handler(request)
        body = getattr(response, "body", None)
        line = [came, request.method, request.raw_path, response.status, request.content_length or 0]
        log.write(json.dumps([*line, len(body) if isinstance(body, bytes) else 0]) + "\n")
        log.flush()
        return response

    return write


def calls(lines: Iterable[str]) -> Iterator[Call]:
    """What the lines of a log say, in their order. The first folder of a path is the account."""
    for line in lines:
        at, method, path, status, sent, received = json.loads(line)
        url = urlsplit(path)
        of = parse_qs(url.query).get("comp", [""])[0]
        _, _, container, *blob = url.path.split("/", 3)
        name = OPERATIONS.get((method, of)) or NAMES.get(method, method)
        yield Call(at, name, container, unquote("/".join(blob)), status, sent, received)


async def main() -> None:
    """Until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.counting", description=__doc__)
    parser.add_argument("--to", required=True, metavar="URL")
    parser.add_argument("--port", required=True, type=int)
    parser.add_argument("--log", required=True, type=Path, metavar="FILE")
    chosen = parser.parse_args()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    with chosen.log.open("w", encoding="utf-8") as log:
        await serve(chosen.to, chosen.port, Plan(), stop, writing(log))


if __name__ == "__main__":
    asyncio.run(main())

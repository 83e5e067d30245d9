"""Canned behaviours of the next invokes, for tests that need the service to misbehave (see control.py)."""

import socket
import struct
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from .refusals import dataplane_refusal

_BEHAVIOURS = ("answer", "reset-after-create", "reset-before-create")


@dataclass(frozen=True)
class Behaviour:
    """What one invoke does instead of the usual."""

    do: str
    status: int = 200
    create: bool = False
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = ""

    @property
    def creates(self) -> bool:
        """Whether a job is made all the same."""
        return self.do == "reset-after-create" or (self.do == "answer" and self.create)

    def answer(self, request: web.Request) -> web.Response:
        """The canned answer, or none at all on a connection that is reset."""
        if self.do != "answer":
            reset_connection(request)
            return web.Response()
        if isinstance(self.body, str):
            return web.Response(status=self.status, headers=self.headers, text=self.body)
        return web.json_response(self.body, status=self.status, headers=self.headers)


class Behaviours:
    """The behaviours waiting for the next invokes."""

    def __init__(self) -> None:
        self._waiting: deque[Behaviour] = deque()

    def queue(self, document: object) -> int:
        """Add one behaviour or a list of them and return how many wait. Raises Refusal for what is none."""
        for item in document if isinstance(document, list) else [document]:
            if not isinstance(item, dict) or item.get("do") not in _BEHAVIOURS:
                raise dataplane_refusal(
                    400, f"{item!r} is no behaviour; `do` is one of {', '.join(_BEHAVIOURS)}"
                )
            try:
                self._waiting.append(Behaviour(**item))
            except TypeError as error:
                raise dataplane_refusal(400, f"{item!r} is no behaviour: {error}") from None
        return len(self._waiting)

    def next(self) -> Behaviour | None:
        """The behaviour for this invoke, if one waits."""
        return self._waiting.popleft() if self._waiting else None


def reset_connection(request: web.Request) -> None:
    """Drop the client's connection with a TCP reset."""
    transport = request.transport
    if transport is None:
        return
    connection = transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()

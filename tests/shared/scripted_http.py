"""A loopback HTTP server that answers, or breaks off, as a test scripts it, and keeps what it received."""

import json
import os
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Received:
    """One request that arrived whole."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Reply:
    """One answer; a dict or list as body becomes JSON. `length` may promise more than is sent."""

    status: int = 200
    body: Any = b""
    headers: dict[str, str] = field(default_factory=dict)
    length: int | None = None

    @property
    def content(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


class Reset:
    """The connection is reset instead of an answer."""


class Garbage:
    """Bytes that are no TLS come instead of an answer, as when the connection is damaged."""


Answer = Reply | Reset | Garbage


class Endpoint:
    """The server; a context manager. `answer` decides on each request."""

    def __init__(
        self,
        answer: Callable[[Received], Answer],
        *,
        reset_at_first_byte: bool = False,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.answer = answer
        self.reset_at_first_byte = reset_at_first_byte
        self.received: list[Received] = []
        self.connections = 0
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.server.server_port}"
        if tls:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)

    def __enter__(self) -> "Endpoint":
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def handler(self) -> type[BaseHTTPRequestHandler]:
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def handle(self) -> None:
                endpoint.connections += 1
                if endpoint.reset_at_first_byte:
                    self.connection.recv(1)
                    reset(self.connection)
                else:
                    super().handle()

            def do_POST(self) -> None:
                self.reply()

            def do_GET(self) -> None:
                self.reply()

            def reply(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                endpoint.received.append(Received(self.command, self.path, dict(self.headers), body))
                answer = endpoint.answer(endpoint.received[-1])
                match answer:
                    case Reply():
                        self.send(answer)
                    case Reset():
                        reset(self.connection)
                    case Garbage():
                        os.write(self.connection.fileno(), b"this is no TLS record")

            def send(self, answer: Reply) -> None:
                self.send_response(answer.status)
                length = len(answer.content) if answer.length is None else answer.length
                for key, value in {"Content-Length": str(length), **answer.headers}.items():
                    self.send_header(key, value)
                self.end_headers()
                self.wfile.write(answer.content)

            def log_message(self, *_: Any) -> None:
                """Keeps the tests quiet."""

        return Handler


def reset(connection: socket.socket) -> None:
    """Sends RST: closes without lingering (socket(7), SO_LINGER)."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    os.close(connection.detach())

"""The API, called in this process as the Functions host calls it."""

import asyncio
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import unquote, urlsplit

import azure.functions as func

from local.host.route_templates import paths
from tests.activities.durable_client import Client
from triggers import http


@dataclass(frozen=True)
class Operation:
    """One HTTP function: its method, its template, who may call it, and the function."""

    method: str
    template: str
    anonymous: bool
    function: Any

    def takes(self, path: str) -> dict[str, str] | None:
        """The parameters of a path that the template fits."""
        [pattern] = paths("", self.template)
        expression = re.sub(r"\{(\w+):\(\?s:\.\*\)\}", r"(?P<\1>(?s:.*))", pattern)
        expression = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", expression)
        found = re.fullmatch(expression, path)
        return {name: unquote(value) for name, value in found.groupdict().items()} if found else None


@cache
def operations() -> list[Operation]:
    return [one for module in http.modules for one in of_module(module.bp)]


def of_module(blueprint: Any) -> Iterator[Operation]:
    for builder in blueprint._function_builders:
        built = builder._function
        trigger = built.get_trigger()
        for method in trigger.methods:
            anonymous = trigger.auth_level == func.AuthLevel.ANONYMOUS
            yield Operation(
                getattr(method, "value", method), trigger.route, anonymous, built.get_user_function()
            )


class Answered:
    """One answer."""

    def __init__(self, answer: func.HttpResponse) -> None:
        self.status = answer.status_code
        self.headers = answer.headers
        self.kind = answer.mimetype
        self.content = answer.get_body()

    @property
    def body(self) -> Any:
        return json.loads(self.content)

    @property
    def code(self) -> str:
        return str(self.body.get("type", ""))


class Api:
    """What a caller does, and the orchestrations that come of it."""

    def __init__(self) -> None:
        self.client = Client()

    def __call__(self, method: str, address: str, body: Any = None, **headers: str) -> Answered:
        """Asks for an address below `/api`; `body` goes as it is where it is text or bytes, else as JSON."""
        parts = urlsplit(address)
        query = dict(part.partition("=")[::2] for part in parts.query.split("&") if part)
        operation, parameters = self.found(method, parts.path)
        request = func.HttpRequest(
            method,
            f"https://app.example/api{address}",
            headers={name.replace("_", "-"): value for name, value in headers.items()},
            params={name: unquote(value) for name, value in query.items()},
            route_params=parameters,
            body=as_bytes(body),
        )
        bound = getattr(operation.function, "client_function", None)
        answer = bound(request, client=self.client) if bound else operation.function(request)
        return Answered(asyncio.run(answer))

    def found(self, method: str, path: str) -> tuple[Operation, dict[str, str]]:
        for operation in operations():
            parameters = operation.takes(path) if operation.method == method else None
            if parameters is not None:
                return operation, parameters
        raise LookupError(f"{method} {path}")

    def get(self, address: str) -> Any:
        """The body of a GET that succeeds."""
        answer = self("GET", address)
        assert answer.status == 200, answer.content
        return answer.body


def as_bytes(body: Any) -> bytes:
    if isinstance(body, bytes):
        return body
    return body.encode() if isinstance(body, str) else b"" if body is None else json.dumps(body).encode()

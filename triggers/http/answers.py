"""How everything over HTTP is answered: JSON, problems by RFC 9457, bounds of bodies and queries."""

import asyncio
import json
import os
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import azure.functions as func
from azure.storage.blob import BlobClient

from shared import clients
from shared.current_routes import current_routes, route_named
from shared.errors import NoSuchRoute, NotTheOwner, RouteError
from shared.ledger import Ledger
from shared.names import usable
from shared.records import Run, timestamp
from shared.routes import Route, Routes
from shared.settings import open_reads

LONGEST_BODY = 1_000_000
NOT_IN_XML = re.compile(r"[\x00-\x1f\ufffe\uffff]")
# Who may read without a key. What holds row values, and everything that changes something, always asks for one.
READS = func.AuthLevel.ANONYMOUS if open_reads(os.environ) else func.AuthLevel.FUNCTION


class BadRequest(Exception):
    """The request cannot be carried out; status, code and detail are the answer."""

    def __init__(self, status: int, code: str, detail: str, **more: Any) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail, self.more = status, code, detail, more


@dataclass(frozen=True)
class Answer:
    """What is answered, as JSON where it is no bytes."""

    body: Any
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    kind: str = "application/json"


async def answered(view: Callable[[], Any]) -> func.HttpResponse:
    """What a view returns (an `Answer`, or the body of one), from a thread; a `BadRequest` as its problem."""
    try:
        found = await asyncio.to_thread(view)
    except BadRequest as problem:
        return problem_json(problem)
    return response(found if isinstance(found, Answer) else Answer(found))


def response(answer: Answer) -> func.HttpResponse:
    body = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body, indent=1)
    headers = {"Cache-Control": "no-store", **answer.headers}
    return func.HttpResponse(body, status_code=answer.status, headers=headers, mimetype=answer.kind)


def problem_json(problem: BadRequest) -> func.HttpResponse:
    """RFC 9457."""
    body = {"type": problem.code, "title": problem.code.replace("-", " "), "status": problem.status}
    more = {"detail": problem.detail, **problem.more}
    return response(Answer({**body, **more}, problem.status, {}, "application/problem+json"))


def json_object(req: func.HttpRequest, form: str, known: Collection[str]) -> dict[str, Any]:
    """The body, an object of `known` keys. Raises BadRequest for everything else; `form` shows what to send."""
    body = req.get_body()
    if len(body) > LONGEST_BODY:
        raise BadRequest(413, "body-too-large", f"The body may have {LONGEST_BODY} bytes.")
    try:
        data = json.loads(body, object_pairs_hook=unambiguous)
        json.dumps(data, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise BadRequest(400, "bad-body", f"Send {form} as JSON.") from None
    if not isinstance(data, dict):
        raise BadRequest(400, "bad-body", f"Send {form} as JSON.")
    unknown = sorted(set(data) - set(known))
    if unknown:
        raise BadRequest(400, "bad-body", f"Unknown: {', '.join(unknown)}. Known are {', '.join(known)}.")
    return data


def as_object(given: Any) -> dict[str, Any]:
    """The input of an orchestration, which is text until its first step."""
    found: dict[str, Any] = json.loads(given) if isinstance(given, str) else given
    return found


def unambiguous(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Raises ValueError for an object that has a key twice."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError
    return found


def toml_body(req: func.HttpRequest) -> str:
    """The body as text. Raises BadRequest where it is empty, too long, or not UTF-8."""
    body = req.get_body()
    if not body:
        raise BadRequest(400, "bad-body", "Send the text of routes.toml: the body is empty.")
    if len(body) > LONGEST_BODY:
        raise BadRequest(413, "body-too-large", f"The body may have {LONGEST_BODY} bytes.")
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadRequest(400, "bad-body", "Send the text of routes.toml, in UTF-8.") from None


def number(query: Mapping[str, str], name: str, default: int, most: int, least: int = 1) -> int:
    """A whole number of the query. Raises BadRequest where it is none, or out of bounds."""
    text = query.get(name, str(default))
    # Digits of other scripts are digits to Python, too.
    if not (text.isascii() and text.isdecimal() and len(text) < 10 and least <= int(text) <= most):
        raise BadRequest(400, "bad-query", f"{name}: write a whole number from {least} to {most}.")
    return int(text)


def choice(query: Mapping[str, str], name: str, known: Collection[str]) -> str:
    """A word of the query, or "". Raises BadRequest where it is none of the known."""
    text = query.get(name, "")
    if text and text not in known:
        raise BadRequest(400, "bad-query", f"{name}: write one of {', '.join(known)}.")
    return text


def time(query: Mapping[str, str], name: str) -> str:
    """A time of the query as the ledger writes them, "" without one. Raises BadRequest for one without a zone."""
    if name not in query:
        return ""
    try:
        return timestamp(aware(datetime.fromisoformat(query[name])))
    except (ValueError, OverflowError):
        raise BadRequest(400, "bad-query", f"{name}: write a time such as 2026-11-20T06:00:00Z.") from None


def aware(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError
    return at


def ledger() -> Ledger:
    """The ledger. Raises BadRequest where it is another app's."""
    try:
        return clients.ledger()
    except NotTheOwner as problem:
        raise BadRequest(503, "not-the-owner", str(problem)) from problem


def found_run(name: str) -> Run:
    run = ledger().run(name) if name.isalnum() else None
    if run is None:
        raise BadRequest(404, "no-such-run", f"There is no run {name}.")
    return run


def name_over_http(name: str) -> str:
    """A name in the inbox. Raises BadRequest for one that no file over HTTP can have.

    Some services take a backslash for a slash: a file would have two names.
    """
    if not name or not usable(name) or "\\" in name:
        raise BadRequest(
            400, "bad-name", "Name a file: no part of its path may be . or .., and it may hold no backslash."
        )
    return name


def listable(prefix: str, code: str) -> str:
    """A prefix that names may be listed by. Raises BadRequest, with the code, for one that storage would stumble over.

    Listings come as XML, which has no place for most control characters.
    """
    if NOT_IN_XML.search(prefix):
        raise BadRequest(
            400, code, "prefix: names cannot be listed by control characters; write a shorter one."
        )
    return prefix


def address_of(blob: BlobClient) -> str:
    """Where a blob lies, without what may give access to it."""
    return str(blob.url).split("?")[0]


def usable_routes() -> Routes:
    try:
        return current_routes()
    except RouteError as problem:
        raise BadRequest(503, "no-routes", str(problem)) from problem


def usable_route(name: str) -> Route:
    try:
        return route_named(name)
    except NoSuchRoute as problem:
        raise BadRequest(404, "no-such-route", str(problem)) from problem
    except RouteError as problem:
        raise BadRequest(503, "no-routes", str(problem)) from problem


def api_url(req: func.HttpRequest) -> str:
    """The address of the API as the caller knows it, `https://…/api`, without a slash at its end."""
    return str(req.url).split("?")[0].partition("/api/")[0] + "/api"

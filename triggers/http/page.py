"""The page: a static shell and its parts, for everyone; the data it shows is asked for with a key."""

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import azure.durable_functions as df
import azure.functions as func

bp = df.Blueprint()
WEB = Path(__file__).parent.parent.parent / "web"
SHELL = "index.html"
TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)


@dataclass(frozen=True)
class Part:
    """One file of the page: its bytes, its media type, and the tag of its content."""

    body: bytes
    media_type: str
    etag: str


@bp.route(route="dashboard", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
async def dashboard(req: func.HttpRequest) -> func.HttpResponse:
    """The shell. It holds no data, so it asks for no key."""
    if req.url.split("?")[0].endswith("/"):
        # The shell names its parts relative to /dashboard, wherever the route prefix puts that.
        return func.HttpResponse(status_code=308, headers={"Location": "../dashboard"})
    return answer(SHELL, req.headers.get("If-None-Match", ""))


@bp.route(route="dashboard/{file}", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
async def dashboard_part(req: func.HttpRequest) -> func.HttpResponse:
    """One script, style sheet or picture of the page."""
    name = req.route_params["file"]
    return answer("" if name == SHELL else name, req.headers.get("If-None-Match", ""))


def answer(name: str, known: str) -> func.HttpResponse:
    """200; 304 where `known`, an If-None-Match, names what is there; 404 for what is no part of the page."""
    part = parts().get(name)
    if part is None:
        return func.HttpResponse("There is no such part of the page.\n", status_code=404, headers=headers(""))
    if part.etag in known or known.strip() == "*":
        return func.HttpResponse(status_code=304, headers=headers(part.etag))
    return func.HttpResponse(part.body, mimetype=part.media_type, charset="utf-8", headers=headers(part.etag))


@cache
def parts() -> dict[str, Part]:
    """The files of the page by name; nothing else is ever served, whatever a request names."""
    found = (path for path in sorted(WEB.iterdir()) if path.suffix in TYPES)
    return {path.name: part(path) for path in found}


def part(path: Path) -> Part:
    body = path.read_bytes()
    return Part(body, TYPES[path.suffix], f'"{hashlib.sha256(body).hexdigest()[:32]}"')


def headers(etag: str) -> dict[str, str]:
    """Asked for anew each time, so that a deployment never mixes old parts with new ones; a tag keeps that cheap."""
    cached = {"ETag": etag, "Cache-Control": "no-cache"} if etag else {"Cache-Control": "no-store"}
    return {
        **cached,
        "Content-Security-Policy": POLICY,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    }

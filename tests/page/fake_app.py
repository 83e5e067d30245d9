"""A stand-in for the app: the page as the app serves it, and the contract of its HTTP API over a made-up world."""

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, unquote, urlsplit

import azure.functions as func

from tests.page.world import Json, World, moment, timeline
from triggers.http import page

Answer = tuple[int, Json]
NOT_FOUND = "There is none of this name."


class FakeApp(ThreadingHTTPServer):
    """Serves one world on a loopback port; tests change the world while it serves."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, world: World) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.world = world

    def url(self, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.server_port}/api/dashboard"


@contextmanager
def serving(world: World) -> Iterator[FakeApp]:
    app = FakeApp(world)
    thread = threading.Thread(target=app.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield app
    finally:
        app.shutdown()
        app.server_close()
        thread.join()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: FakeApp

    def log_message(self, *_: object) -> None:
        """Quiet."""

    def do_GET(self) -> None:
        path, query = self.asked()
        if path.startswith("dashboard"):
            self.shell(path.partition("/")[2] or page.SHELL)
        else:
            self.data(path, query, READS)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path, query = self.asked()
        self.server.world.done.append(path)
        self.data(path, query, ACTIONS)

    def asked(self) -> tuple[str, dict[str, str]]:
        parts = urlsplit(self.path)
        return unquote(parts.path).removeprefix("/api/"), dict(parse_qsl(parts.query))

    def shell(self, name: str) -> None:
        known = self.headers.get("If-None-Match", "")
        answer: func.HttpResponse = page.answer(name, known)
        headers = dict(answer.headers)
        headers["Content-Type"] = f"{answer.mimetype}; charset=utf-8"
        self.answer(answer.status_code, answer.get_body(), headers)

    def data(self, path: str, query: dict[str, str], handlers: dict[str, "Serve"]) -> None:
        world = self.server.world
        world.asked.append(path)
        time.sleep(world.delay)
        if path != "health" and world.key and self.headers.get("x-functions-key") != world.key:
            self.answer(401, b"", {})
            return
        fails = world.status != 200 and path != "health"
        status, body = (world.status, {}) if fails else routed(world, path, query, handlers)
        kind = "application/json" if status < 400 else "application/problem+json"
        self.answer(status, json.dumps(body).encode(), {"Content-Type": kind})

    def answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


Serve = Callable[[World, str, dict[str, str]], Answer]


def routed(world: World, path: str, query: dict[str, str], handlers: dict[str, Serve]) -> Answer:
    for pattern, serve in handlers.items():
        if found := re.fullmatch(pattern, path, re.S):
            return serve(world, found[1] if found.groups() else "", query)
    return problem(404, "not-found", f"Nothing is served at {path}.")


def problem(status: int, code: str, detail: str) -> Answer:
    return status, {"type": code, "title": code, "status": status, "detail": detail}


def health(world: World, _: str, query: dict[str, str]) -> Answer:
    status = "broken" if world.broken else "stale" if world.stale else "ok"
    seen = {"heartbeat_at": moment(3), "heartbeat_age_seconds": 3, "row_values": world.row_values}
    return (200 if status == "ok" else 503), {"status": status, **seen, "why": world.broken}


def routes(world: World, _: str, query: dict[str, str]) -> Answer:
    return 200, {"source": world.source, "etag": "0x1", "problem": world.problem, "routes": world.routes}


def runs(world: World, _: str, query: dict[str, str]) -> Answer:
    found, first = world.newest(query), int(query.get("after", 0))
    last = first + int(query.get("limit", 50))
    return 200, {"runs": found[first:last], "next": str(last) if last < len(found) else None}


def run(world: World, name: str, query: dict[str, str]) -> Answer:
    found = world.run(name)
    if found is None:
        return problem(404, "no-such-run", f"There is no run {name}.")
    plain: Json = {"attempt": 1, "attempts": 2, "launch": 1, "parts": 1, "job": "batchjob-4711", "studio": ""}
    empty: Json = {
        "left_out": "",
        "held": "",
        "released": 0,
        "not_moved": {},
        "spares": [],
        "earlier_jobs": [],
    }
    named = {"model": "https://diabetes.example/jobs", "deployment": "blue", "timeline": timeline(found)}
    return 200, {**plain, **empty, **named, "results": [], **found, **world.details.get(name, {})}


def run_files(world: World, name: str, query: dict[str, str]) -> Answer:
    given = query.get("word", "")
    found = [one for one in world.words.get(name, []) if given in ("", one["word"])]
    first, limit = int(query.get("after", 0)), int(query.get("limit", 100))
    following = first + limit if first + limit < len(found) else None
    return 200, {"files": found[first : first + limit], "next": following, "total": len(found)}


def find(world: World, _: str, query: dict[str, str]) -> Answer:
    found = [name for name in sorted(world.files) if name.startswith(query.get("prefix", ""))]
    limit = int(query.get("limit", 100))
    shown = [{"file": name, "in": ["inbox"], "modified": moment(400)} for name in found[:limit]]
    return 200, {"files": shown, "more": len(found) > limit}


def file(world: World, name: str, query: dict[str, str]) -> Answer:
    found = world.files.get(name)
    return (200, found) if found else problem(404, "no-such-file", f"No file {name} was ever seen.")


def preview(world: World, name: str, query: dict[str, str]) -> Answer:
    if not world.row_values:
        return problem(403, "row-values-not-allowed", "DROPSCORE_ROW_VALUES is not yes.")
    return 200, world.preview


def predictions(world: World, name: str, query: dict[str, str]) -> Answer:
    return 200, {"id,progression": "p1,152.1"}


def waiting(world: World, _: str, query: dict[str, str]) -> Answer:
    limit = int(query.get("limit", 100))
    return 200, {"waiting": world.waiting[:limit], "total": len(world.waiting)}


def stats(world: World, _: str, query: dict[str, str]) -> Answer:
    named = {one["name"]: {"runs": 40, "files": 120, "typical_seconds": 214} for one in world.routes}
    span = {"from": moment(86_400), "to": moment(0), "step_seconds": 3600}
    return 200, {**span, "buckets": world.buckets, "routes": named}


def cancel(world: World, name: str, query: dict[str, str]) -> Answer:
    found = world.run(name)
    if world.refusal or found is None:
        return problem(409, "too-late", (world.refusal or {}).get("detail", NOT_FOUND))
    found["cancel"] = True
    return 202, {"run": name, "stage": found["stage"], "cancel": True}


def rerun(world: World, name: str, query: dict[str, str]) -> Answer:
    if world.refusal:
        return problem(409, "nothing-to-do", world.refusal["detail"])
    newer = world.runs[0]["run"]
    return 202, {"runs": [{"run": newer, "blobs": ["diabetes/east.csv"], "url": f"/api/runs/{newer}"}]}


READS: dict[str, Serve] = {
    "health": health,
    "routes": routes,
    "runs": runs,
    "runs/([^/]+)": run,
    "runs/([^/]+)/files": run_files,
    "files": find,
    "files/(.+)": file,
    "preview/(.+)": preview,
    "predictions/(.+)": predictions,
    "waiting": waiting,
    "stats": stats,
}
ACTIONS: dict[str, Serve] = {"runs/([^/]+)/cancel": cancel, "runs/([^/]+)/rerun": rerun}

"""The world over HTTP on the loopback: addresses, keys, problems, and troubles in between."""

import json
import re
import threading
import tomllib
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.cli.world import World, Wrong, at

# Status, headers, body.
Answer = tuple[int, dict[str, str], bytes]


class FakeApp(ThreadingHTTPServer):
    """One server for many tests: each puts a world of its own into it.

    `troubles` are answers that come before the true ones: (status, headers, body), each once; `seen` has what
    was asked.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.fresh()
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    def fresh(self) -> None:
        self.world, self.key = World(), ""
        self.troubles: list[Answer] = []
        self.seen: list[tuple[str, str, dict[str, str]]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: FakeApp
    protocol_version = "HTTP/1.1"
    # Headers and body in one packet: on two, each answer waits 40 ms for an acknowledgement.
    wbufsize = -1

    def log_message(self, *_: Any) -> None:
        """Nothing on the tests' stderr."""

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.seen.append((self.command, self.path, dict(self.headers)))
        if self.server.troubles:
            self.reply(*self.server.troubles.pop(0))
            return
        wanted = self.server.key if self.path != "/api/health" else ""
        if wanted and self.headers.get("x-functions-key") != wanted:
            self.reply(401, {}, b"")
            return
        try:
            self.reply(*self.routed(body))
        except Wrong as wrong:
            told = {
                "type": wrong.code,
                "title": "",
                "status": wrong.status,
                "detail": wrong.detail,
                **wrong.more,
            }
            self.reply(wrong.status, {"Content-Type": "application/problem+json"}, json.dumps(told).encode())

    do_GET = do_POST = do_PUT = do_PATCH = answer  # noqa: N815

    def routed(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        parts = urlsplit(self.path)
        query = dict(parse_qsl(parts.query))
        for method, pattern, make in ADDRESSES:
            found = re.fullmatch(pattern, unquote(parts.path))
            if method == self.command and found:
                made = make(self.server.world, *found.groups(), query=query, body=body, headers=self.headers)
                if isinstance(made, bytes):
                    return 200, {"ETag": etag(self.server.world)}, made
                status = made.pop("STATUS", 202 if method in ("PUT", "POST") else 200)
                return status, {"Content-Type": "application/json"}, json.dumps(made).encode()
        raise Wrong(404, "no-such-address", "There is nothing.")

    def reply(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


def etag(world: World) -> str:
    """Of the text of the routes."""
    return f'"0xR{len(world.texts)}"'


def health(world: World, **_: Any) -> dict[str, Any]:
    found = {
        "status": "stale" if world.stale else "ok",
        "heartbeat_at": at(world.now),
        "heartbeat_age_seconds": 0,
    }
    return {**found, "row_values": world.row_values, "why": "", "STATUS": 503 if world.stale else 200}


def checkup(world: World, **_: Any) -> dict[str, Any]:
    failing = any(one["state"] == "failed" for one in world.findings)
    found = {"status": "failing" if failing else "ok", "checked_at": at(world.now), "seconds": 0.5}
    told = {"versions": {"python": "3.13.1"}, "checks": world.findings}
    return {**found, **told, "STATUS": 503 if failing else 200}


def start_trial(world: World, route: str, body: bytes, **_: Any) -> dict[str, Any]:
    """Its word is the first line of the sample; `stay` never ends."""
    if route not in world.routes:
        raise Wrong(404, "no-such-route", f"There is no route {route}.")
    if body.startswith(b"bad"):
        raise Wrong(422, "bad-sample", "The route would not take the sample: Line 2 has no age.")
    name = body.split(b"\n")[0].decode()
    world.trials[name] = 0
    return {"trial": name, "rows": 2, "url": f"/api/trials/{name}"}


def get_trial(world: World, name: str, **_: Any) -> dict[str, Any]:
    """Over at the third look."""
    world.trials[name] += 1
    over = name in ("succeeded", "failed") and world.trials[name] > 2
    why = "its job failed: ValueError" if over and name == "failed" else ""
    asked = {"trial": name, "route": "diabetes", "status": name if over else "running"}
    job = {"job": "batchjob-1", "job_status": "Running", "studio": "https://ml.azure.com/runs/batchjob-1"}
    told: dict[str, Any] = {"why": why, "advice": "az role assignment create" if why else "", "left": []}
    return {**asked, **job, **told, "begun_at": at(world.now), "rows": 2}


def cancel_trial(world: World, name: str, **_: Any) -> dict[str, Any]:
    world.trials[name] = -1
    return {"trial": name, "cancel": True}


def put_file(world: World, name: str, body: bytes, headers: Any, **_: Any) -> dict[str, Any]:
    return world.drop(name, body, replace=headers.get("If-None-Match") != "*")


def list_routes(world: World, **_: Any) -> dict[str, Any]:
    return {"source": "blob", "etag": "0xR", "problem": world.problem, "routes": list(world.routes.values())}


def checked(world: World, body: bytes) -> tuple[list[str], list[dict[str, Any]]]:
    """Problems, and what would change: the models only."""
    try:
        wanted = tomllib.loads(body.decode())["routes"]
    except (tomllib.TOMLDecodeError, KeyError):
        return ["This is no TOML with routes."], []
    changes = []
    for name, kept in wanted.items():
        before = world.routes[name]["model"] if name in world.routes else None
        if kept["model"] != before:
            changes.append({"route": name, "key": "model", "before": before, "after": kept["model"]})
    return [], changes


def check_routes(world: World, body: bytes, **_: Any) -> dict[str, Any]:
    problems, changes = checked(world, body)
    return {"valid": not problems, "problems": problems, "changes": changes, "STATUS": 200}


def put_routes(world: World, body: bytes, headers: Any, **_: Any) -> dict[str, Any]:
    if headers.get("If-Match") not in (None, etag(world)):
        raise Wrong(412, "changed-meanwhile", "The routes have been changed since you read them.")
    problems, changes = checked(world, body)
    if problems:
        raise Wrong(422, "bad-routes", "The routes are not valid.", problems=problems)
    world.texts.append(body.decode())
    world.problem = None
    for one in changes:
        world.routes[one["route"]]["model"] = one["after"]
    return {"id": f"v{len(world.texts)}", "etag": "0xR", "changes": changes, "STATUS": 200}


def patch_route(world: World, name: str, body: bytes, **_: Any) -> dict[str, Any]:
    if name not in world.routes:
        raise Wrong(404, "no-such-route", f"There is no route {name}.")
    if world.problem:
        raise Wrong(422, "bad-routes", "The routes cannot be changed: Unexpected character.", problems=[])
    wanted = json.loads(body)
    changes = [
        {"route": name, "key": key, "before": world.routes[name].get(key), "after": value}
        for key, value in wanted.items()
    ]
    world.routes[name] |= wanted
    world.texts.append("# changed\n")
    return {"id": f"v{len(world.texts)}", "etag": "0xR", "changes": changes}


def history(world: World, **_: Any) -> dict[str, Any]:
    last = len(world.texts)
    return {
        "history": [{"id": f"v{n}", "at": at(world.now), "current": n == last} for n in range(last, 0, -1)],
    }


def rollback(world: World, body: bytes, **_: Any) -> dict[str, Any]:
    to = json.loads(body).get("to", f"v{len(world.texts) - 1}")
    if to == "v0":
        raise Wrong(409, "nothing-to-roll-back", "There were no routes before these.")
    if to not in [f"v{n + 1}" for n in range(len(world.texts))]:
        raise Wrong(404, "no-such-version", f"There is no version {to}.")
    changes = [
        {"route": "diabetes", "key": "model", "before": "https://new/jobs", "after": "https://old/jobs"}
    ]
    if world.problem:
        # What is put back is what was in force all the while.
        world.problem, changes = None, []
    return {"id": "v9", "etag": "0xR", "changes": changes, "STATUS": 200}


def backfill(world: World, body: bytes, **_: Any) -> dict[str, Any]:
    asked = json.loads(body)
    found = [one for one in world.versions if one.name.startswith(asked["prefix"])]
    others = [one for one in found if one.route != asked["route"]]
    found = [one for one in found if one not in others]
    before = [one for one in found if world.word(one)]
    wanted = found if asked["force"] else [one for one in found if one not in before]
    if asked["dry_run"]:
        foreseen = {"files": len(wanted), "bytes": sum(len(one.data) for one in wanted), "minutes": 1}
        names = [one.name for one in wanted][:20]
        return {
            **foreseen,
            "scored_before": len(before),
            "others": len(others),
            "names": names,
            "STATUS": 200,
        }
    world.backfills["b1"] = [one.run for one in wanted]
    return {"backfill": "b1", "url": "/api/backfill/b1"}


def get_backfill(world: World, name: str, **_: Any) -> dict[str, Any]:
    """One file further with each look."""
    if name not in world.backfills:
        raise Wrong(404, "no-such-backfill", f"There is no backfill {name}.")
    world.looks += 1
    runs = world.backfills[name][: world.looks]
    running = len(runs) < len(world.backfills[name])
    asked = {"route": "diabetes", "prefix": "diabetes/", "force": False}
    status = "failed" if world.backfill_why else "running" if running else "completed"
    shown = {"files": len(runs), "runs": runs, "why": world.backfill_why}
    return {"backfill": name, "status": status, **asked, **shown}


def no_arguments(act: Callable[..., Any]) -> Callable[..., Any]:
    return lambda world, *found, **_: act(world, *found)


ADDRESSES: list[tuple[str, str, Callable[..., Any]]] = [
    ("GET", "/api/health", health),
    ("GET", "/api/health/deep", checkup),
    ("POST", "/api/routes/([^/]+)/trial", start_trial),
    ("GET", "/api/trials/([^/]+)", get_trial),
    ("POST", "/api/trials/([^/]+)/cancel", cancel_trial),
    ("PUT", "/api/files/(.+)", put_file),
    ("GET", "/api/files/(.+)", no_arguments(World.file)),
    ("GET", "/api/predictions/(.+)", no_arguments(World.predictions)),
    ("GET", "/api/runs", lambda world, query, **_: world.runs(query)),
    ("GET", "/api/runs/([^/]+)", no_arguments(World.run)),
    ("POST", "/api/runs/([^/]+)/cancel", no_arguments(World.cancel)),
    ("POST", "/api/runs/([^/]+)/rerun", no_arguments(World.rerun)),
    ("GET", "/api/routes", list_routes),
    ("GET", "/api/routes.toml", lambda world, **_: world.texts[-1].encode()),
    ("PUT", "/api/routes.toml", put_routes),
    ("POST", "/api/routes/check", check_routes),
    ("PATCH", "/api/routes/([^/]+)", patch_route),
    ("GET", "/api/routes/history", history),
    ("POST", "/api/routes/rollback", rollback),
    ("POST", "/api/backfill", backfill),
    ("GET", "/api/backfill/([^/]+)", get_backfill),
    ("POST", "/api/backfill/([^/]+)/cancel", lambda world, name, **_: {"backfill": name}),
]

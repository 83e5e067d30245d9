"""Hosts in a thread of the test process or in a process of their own, and what tests ask them over HTTP."""

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import requests
from azure.durable_functions.models.utils import http_utils

from local.host.host import Host
from local.host.keys import Keys

APPS = Path(__file__).parent / "apps"
ROOT = Path(__file__).parents[3]
SUBJECT = "/blobServices/default/containers/inbox/blobs/a/b.csv"
PATIENCE = 60.0  # seconds; only a failing test waits that long


def free_port() -> int:
    """Return a port that is free at this moment."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def wait_until(condition: Callable[[], Any], what: str, patience: float = PATIENCE) -> Any:
    """Return the first true value of `condition`; fails after a long time, naming `what` did not happen."""
    deadline = time.monotonic() + patience
    while not (value := condition()):
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.01)
    return value


class LoopThread:
    """One event loop in a thread, for every host of the test process; use as a context manager.

    The SDK keeps one HTTP session for the process, and a session belongs to one loop.
    """

    def __enter__(self) -> "LoopThread":
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.run(http_utils._close_session())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Run a coroutine on the loop and wait for it."""
        asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE)


class RunningHost:
    """A host of an app, on the loop of a thread; use as a context manager."""

    def __init__(self, loop: LoopThread, app: Path, state: Path, keys: Keys | None = None) -> None:
        self._loop = loop
        self._host = Host(app, state, port=free_port(), keys=keys)
        self.url = self._host.url
        self.session = requests.Session()

    def __enter__(self) -> "RunningHost":
        self._loop.run(self._host.start())
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.run(self._host.stop())
        self.session.close()


class DurableApi:
    """The durable HTTP API of a host."""

    def __init__(self, url: str, session: requests.Session) -> None:
        self.url = f"{url}/durabletask"
        self.session = session

    def start(self, name: str, body: str | None = None, instance_id: str | None = None) -> requests.Response:
        """Start an orchestration with a raw body."""
        path = f"/{instance_id}" if instance_id else ""
        return self.session.post(f"{self.url}/orchestrators/{name}{path}", data=body)

    def begin(self, name: str, value: Any = None, instance_id: str | None = None) -> str:
        """Start an orchestration as the SDK does, with its input dumped twice; returns the id."""
        body = None if value is None else json.dumps(json.dumps(value))
        answer = self.start(name, body, instance_id)
        assert answer.status_code == 202, answer.text
        started: str = answer.json()["id"]
        return started

    def status(self, instance_id: str, **query: str) -> dict[str, Any]:
        """Return the status item."""
        answer = self.session.get(f"{self.url}/instances/{instance_id}", params=query)
        body: dict[str, Any] = answer.json()
        return body

    def post(self, instance_id: str, operation: str, **options: Any) -> requests.Response:
        """Post an operation such as `terminate` or `raiseEvent/Go`."""
        return self.session.post(f"{self.url}/instances/{instance_id}/{operation}", **options)

    def wait_for(self, instance_id: str, *statuses: str) -> dict[str, Any]:
        """Wait until the instance has one of these statuses; ended ones by default."""
        wanted = statuses or ("Completed", "Failed", "Terminated")

        def reached() -> dict[str, Any] | None:
            status = self.status(instance_id)
            return status if status["runtimeStatus"] in wanted else None

        status: dict[str, Any] = wait_until(reached, f"{instance_id} to be {wanted}")
        return status

    def events(self, instance_id: str, kind: str) -> list[dict[str, Any]]:
        """Return the events of one kind in the instance's history."""
        history = self.status(instance_id, showHistory="true")["historyEvents"]
        return [event for event in history if event["EventType"] == kind]

    def run(self, name: str, value: Any = None) -> dict[str, Any]:
        """Run an orchestration to its end and return its status."""
        return self.wait_for(self.begin(name, value))


class HostProcess:
    """A `python -m local.host` with its own counters and state; `settings` are app settings."""

    def __init__(self, folder: Path, app: Path, port: int, **settings: str) -> None:
        self.folder = folder
        self.port = port
        command = [sys.executable, "-m", "local.host", str(app), "--port", str(self.port)]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SAMPLE_")}
        # A pipe that nobody reads would hold up a host that logs much.
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed with the process
        self.process = subprocess.Popen(
            [*command, "--state", str(folder / "state")],
            cwd=ROOT,
            env=environment | {"COUNTERS": str(folder), "HOST_URL": f"http://127.0.0.1:{port}"} | settings,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )

    def first_line(self) -> str:
        assert self.process.stdout
        return self.process.stdout.readline()

    def end(self, number: signal.Signals) -> tuple[int, str]:
        """Send a signal; returns the exit code and stderr."""
        self.process.send_signal(number)
        return self.finish()

    def finish(self) -> tuple[int, str]:
        self.process.communicate(timeout=60)
        self._errors.seek(0)
        return self.process.returncode, self._errors.read()

    def close(self) -> None:
        """Kill it, if it is still there."""
        with self.process, self._errors:
            self.process.kill()

    def lines(self, name: str) -> list[str]:
        """What the app has written to one of its counters."""
        path = self.folder / name
        return path.read_text().splitlines() if path.exists() else []

    def count(self, name: str) -> int:
        return len(self.lines(name))


def api(host: HostProcess, session: requests.Session) -> DurableApi:
    """Wait for the host's line and return its durable HTTP API."""
    expected = rf"host ready at http://127\.0\.0\.1:{host.port} \(\d+ functions\)\n"
    assert re.fullmatch(expected, host.first_line())
    return DurableApi(f"http://127.0.0.1:{host.port}", session)


def drop(host: HostProcess, session: requests.Session) -> None:
    """Deliver an event about a blob to the function `dropped`."""
    event = {"eventType": "Microsoft.Storage.BlobCreated", "subject": SUBJECT}
    url = f"http://127.0.0.1:{host.port}/runtime/webhooks/blobs?functionName=Host.Functions.dropped"
    assert session.post(url, json=[event], headers={"aeg-event-type": "Notification"}).status_code == 202

"""A stack whose app is examined by `dropscore doctor`, and the faults that are planted into it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import requests
from click.testing import CliRunner

from dropscore.commands import cli
from dropscore.session import Session
from local.stack import Stack
from shared.records import Heartbeat, Record, timestamp
from tests.e2e.drops import until

ROUTES = """
[routes.double]
pattern     = "double/*.csv"
model       = "$AZUREML/endpoints/double/jobs"
send        = ["x"]
carry       = ["id"]
columns     = { x = "number" }
predictions = ["twice"]

[routes.everything]
pattern     = "**"
model       = "$AZUREML/endpoints/named/jobs"
match       = "file"
send        = ["x"]
predictions = ["twice"]
"""
# Sweeps are started by the tests: a heartbeat stays as old as they make it.
SETTINGS = {"DROPSCORE_SWEEP_SCHEDULE": "0 0 0 1 1 *", "DROPSCORE_SETTLE_AFTER": "1s"}
BEAT = "heartbeat.json"

Fault = dict[str, Any]
# What a check is called, and what it is about.
Name = tuple[str, str]


class Found:
    """What one call of the doctor has found."""

    def __init__(self, exit_code: int, document: dict[str, Any]) -> None:
        self.exit_code, self.document = exit_code, document
        checks = {(one["check"], one["about"]): one for one in document["checks"]}
        assert len(checks) == len(document["checks"])
        self.checks: dict[Name, dict[str, Any]] = checks

    def of(self, state: str) -> set[Name]:
        return {name for name, one in self.checks.items() if one["state"] == state}


class Patient:
    """The stack at rest, after a sweep: nothing is wrong with it."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.swept()

    def doctor(self, *typed: str) -> Found:
        code, shown = self.typed("doctor", *typed)
        return Found(code, json.loads(shown))

    def typed(self, *words: str) -> tuple[int, str]:
        """What a command ends with, and its document."""
        session = Session(environment={"DROPSCORE_URL": self.stack.host_url}, folders=[])
        shown = CliRunner().invoke(cli, [*words, "--json"], obj=session, catch_exceptions=False)
        return shown.exit_code, shown.stdout or shown.stderr

    def swept(self) -> None:
        """The heartbeat of a sweep that has just ended."""
        self.write("ledger", BEAT, Heartbeat(sweep="s", at=timestamp(datetime.now(UTC)), done=True))

    def write(self, container: str, name: str, record: Record) -> None:
        self.put(container, name, json.dumps(record.to_dict()).encode())

    def put(self, container: str, name: str, data: bytes) -> None:
        self.stack.container(container).upload_blob(name, data, overwrite=True)

    def read(self, container: str, name: str) -> bytes:
        data: bytes = self.stack.container(container).download_blob(name).readall()
        return data

    # What goes wrong

    def azureml(self, *faults: Fault) -> None:
        self.play(self.stack.azureml_url, faults)

    def storage(self, *faults: Fault) -> None:
        self.play(self.stack.storage_faults_url, faults)

    def play(self, url: str, faults: tuple[Fault, ...]) -> None:
        plan = {"seed": 1, "faults": [{"times": None, **fault} for fault in faults]}
        requests.put(f"{url}/control/faults", json=plan, timeout=10).raise_for_status()

    def calm(self) -> None:
        self.azureml()
        self.storage()
        self.swept()

    @contextmanager
    def instead(self, container: str, name: str, data: bytes) -> Iterator[None]:
        """A blob is another one for a while."""
        before = self.read(container, name)
        self.put(container, name, data)
        try:
            yield
        finally:
            self.put(container, name, before)

    @contextmanager
    def under(self, **settings: str) -> Iterator[None]:
        """The app with other settings for a while."""
        before = dict(self.stack.settings)
        self.restart({**before, **settings})
        try:
            yield
        finally:
            self.restart(before)

    def restart(self, settings: dict[str, str]) -> None:
        self.stack.children.pop("host").stop()
        self.stack.settings = settings
        self.stack.start_host()
        until(self.is_up, "the host")
        self.swept()

    def is_up(self) -> bool:
        try:
            return requests.get(f"{self.stack.host_url}/api/health", timeout=10).status_code in (200, 503)
        except requests.RequestException:
            return False

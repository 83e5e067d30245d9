"""A fake app for all tests, and the command line as somebody types it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from dropscore.commands import cli
from dropscore.session import Session
from tests.cli.server import FakeApp


@pytest.fixture(scope="session")
def one_app() -> Iterator[FakeApp]:
    app = FakeApp()
    yield app
    app.shutdown()
    app.server_close()


@pytest.fixture
def app(one_app: FakeApp) -> FakeApp:
    one_app.fresh()
    return one_app


@dataclass
class Shell:
    """Types commands, in a folder of its own, on the fake app's clock."""

    app: FakeApp
    folder: Path

    def run(self, *typed: str, **environment: str) -> Result:
        known = {"DROPSCORE_URL": self.app.url, **environment}
        world = self.app.world
        session = Session(environment=known, folders=[self.folder], now=world.clock, sleep=world.sleep)
        return CliRunner().invoke(
            cli, list(typed), obj=session, prog_name="dropscore", catch_exceptions=False
        )

    def json(self, *typed: str) -> Any:
        """The one document on stdout of a command that went well."""
        result = self.run(*typed, "--json")
        assert result.stderr == ""
        return json.loads(result.stdout)

    def file(self, name: str, text: str = "age,bmi\n1,2\n") -> str:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return str(path)


@pytest.fixture
def shell(app: FakeApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.chdir(tmp_path)
    return Shell(app, tmp_path)

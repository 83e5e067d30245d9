"""Schemathesis asks for everything that `openapi.json` describes, and for much that it does not allow."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from local.host.keys import KEY
from local.stack import ROOT, Stack
from tests.e2e.drops import MODELS, SETTINGS, Drops, numbers, routes

SECRET = "the key of this test"


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drops]:
    """A stack whose app asks for a key, as on Azure, with a run in its ledger. A checkup finds nothing."""
    settings = {**SETTINGS, KEY: SECRET}
    with Stack(tmp_path_factory.mktemp("locked"), [ROOT / "models", MODELS], routes(), settings) as stack:
        drops = Drops(stack)
        drops.closed(drops.drop("double/known.csv", numbers(3)))
        yield drops


@pytest.mark.full
def test_without_the_key_nothing_but_health_the_description_and_the_page_is_answered(locked: Drops) -> None:
    url = f"{locked.stack.host_url}/api"
    for path in (
        "runs",
        "files/double/known.csv",
        "routes",
        "stats",
        "predictions/double/known.csv",
        "health/deep",
    ):
        assert requests.get(f"{url}/{path}", timeout=30).status_code == 401
        assert requests.get(f"{url}/{path}", headers={"x-functions-key": "no"}, timeout=30).status_code == 401
        assert requests.get(f"{url}/{path}", headers={"x-functions-key": SECRET}, timeout=30).ok
    for path in ("health", "openapi.json", "dashboard"):
        assert requests.get(f"{url}/{path}", timeout=30).status_code in (200, 503)


@pytest.mark.full
@pytest.mark.timeout(1000)
def test_schemathesis_finds_nothing(locked: Drops, tmp_path: Path) -> None:
    """Except that texts may be refused which a schema cannot tell from others: cursors, TOML, names of routes.

    What is allowed for an address is the platform's to say.
    """
    url = f"{locked.stack.host_url}/api"
    command = [
        *(str(Path(sys.executable).with_name("schemathesis")), "run", f"{url}/openapi.json", "--url", url),
        *("--header", f"x-functions-key: {SECRET}", "--checks", "all"),
        *("--exclude-checks", "positive_data_acceptance,allow_header_conformance"),
        *("--max-examples", "25", "--seed", "1", "--no-color", "--generation-database", "none"),
    ]
    found = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=900)
    assert found.returncode == 0, found.stdout[-20_000:]

"""The smoke test of the pipelines, as they run it, against the local stack."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.stack import ROOT, Stack
from tests.e2e.drops import MODELS, SETTINGS, numbers, routes

pytestmark = pytest.mark.full


def smoke(url: str, file: Path, route: str, *words: str) -> subprocess.CompletedProcess[str]:
    known = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "DROPSCORE_URL": url}
    command = [sys.executable, "-P", str(ROOT / "infra/smoke.py"), str(file), "--route", route, *words]
    return subprocess.run(command, env=known, capture_output=True, text=True, check=False, timeout=150)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with Stack(tmp_path_factory.mktemp("stack"), [ROOT / "models", MODELS], routes(), SETTINGS) as stack:
        yield stack.host_url


def test_a_file_is_scored_each_time(url: str, tmp_path: Path) -> None:
    file = tmp_path / "any.csv"
    file.write_text(numbers(6))
    for _ in range(2):
        done = smoke(url, file, "double")
        assert done.returncode == 0, done.stderr
        assert "6 rows dropped, 6 rows of predictions" in done.stdout


def test_a_file_that_is_not_scored_fails_the_pipeline(url: str, tmp_path: Path) -> None:
    file = tmp_path / "any.csv"
    file.write_text("id,x\nr0,zero\n")
    assert smoke(url, file, "double").returncode == 1


def test_an_app_that_is_away_fails_the_pipeline(tmp_path: Path) -> None:
    file = tmp_path / "any.csv"
    file.write_text(numbers(2))
    assert smoke("http://127.0.0.1:9", file, "double").returncode == 5

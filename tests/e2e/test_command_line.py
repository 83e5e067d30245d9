"""The command line against the whole stack, as somebody who has just read the README would type it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from local.stack import ROOT
from tests.e2e.drops import Drops, numbers

pytestmark = pytest.mark.full


def typed(drops: Drops, *words: str, folder: Path) -> tuple[int, str, str]:
    """What a command ends with and says."""
    known = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "DROPSCORE_URL": drops.stack.host_url}
    command = [sys.executable, "-P", "-m", "dropscore", *words]
    shown = subprocess.run(
        command, cwd=folder, env=known, capture_output=True, text=True, check=False, timeout=120
    )
    return shown.returncode, shown.stdout, shown.stderr


def test_three_files_one_of_them_bad(drops: Drops, tmp_path: Path) -> None:
    names = [f"cli-{number}.csv" for number in range(3)]
    for name in names:
        (tmp_path / name).write_text(numbers(3))
    (tmp_path / names[2]).write_text("id,x\nr0,zero\n")
    code, shown, _ = typed(drops, "drop", *names, "--route", "double", "--wait", "--json", folder=tmp_path)
    words = {one["file"]: one["word"] for one in json.loads(shown)["files"]}
    assert words == {
        "double/cli-0.csv": "published",
        "double/cli-1.csv": "published",
        "double/cli-2.csv": "rejected",
    }
    assert code == 1

    code, shown, _ = typed(drops, "status", "double/cli-2.csv", folder=tmp_path)
    assert shown.startswith("double/cli-2.csv  rejected\n")
    assert "column" in shown
    (tmp_path / names[2]).write_text(numbers(2))
    code, shown, errors = typed(drops, "drop", names[2], "--route", "double", "--wait", folder=tmp_path)
    assert code == 0, errors

    code, shown, _ = typed(drops, "status", "double/cli-2.csv", "--json", folder=tmp_path)
    found = json.loads(shown)
    assert [one["state"] for one in found["versions"]] == ["published", "rejected"]
    code, shown, _ = typed(drops, "show", found["run"], folder=tmp_path)
    assert "double/cli-2.csv" in shown
    assert typed(drops, "rerun", found["run"], folder=tmp_path)[0] == 7


def test_a_long_run_is_canceled(drops: Drops, tmp_path: Path) -> None:
    (tmp_path / "cli-long.csv").write_text(numbers(1))
    typed(drops, "drop", "cli-long.csv", "--route", "watched", folder=tmp_path)
    run = drops.submitted(drops.version("watched/cli-long.csv")).run
    assert typed(drops, "cancel", run, folder=tmp_path)[0] == 0
    run_closed, verdict = drops.closed(drops.version("watched/cli-long.csv"))
    assert (run_closed.outcome, verdict.word) == ("canceled", "canceled")


def test_a_wait_that_is_over_ends_with_6(drops: Drops, tmp_path: Path) -> None:
    (tmp_path / "cli-late.csv").write_text(numbers(1))
    words = ("drop", "cli-late.csv", "--route", "watched", "--wait", "--timeout", "2s")
    assert typed(drops, *words, folder=tmp_path)[0] == 6
    run = drops.submitted(drops.version("watched/cli-late.csv")).run
    assert typed(drops, "cancel", run, folder=tmp_path)[0] == 0


def test_a_model_is_swapped_and_swapped_back(drops: Drops, tmp_path: Path) -> None:
    before = drops.read("config", "routes.toml")
    code, shown, _ = typed(drops, "routes", "set", "spreadsheet", "deadline=3h", folder=tmp_path)
    assert (code, shown) == (0, "spreadsheet.deadline\n  before  -\n  after   3h\n")
    assert 'deadline = "3h"' in (drops.read("config", "routes.toml") or "")
    assert typed(drops, "routes", "rollback", folder=tmp_path)[0] == 0
    assert drops.read("config", "routes.toml") == before

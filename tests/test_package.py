"""The deployment package: what `.funcignore` leaves is all it takes to run on Azure."""

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from local.package import copy
from local.stack import ROOT

INDEX = """
import json, sys
from pathlib import Path
from local.host.indexing import index
functions = index(Path(sys.argv[1]))
homes = {str(Path(module.__file__).parent) for name, module in sys.modules.items()
         if name.split(".")[0] in ("activities", "function_app", "orchestrators", "shared", "triggers")}
print(json.dumps({"functions": sorted(one.name for one in functions), "homes": sorted(homes)}))
"""


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files a deployment would upload, alone in a folder."""
    folder = tmp_path_factory.mktemp("package")
    copy(folder)
    return folder


def test_the_package_holds_only_what_runs_on_azure(package: Path) -> None:
    assert {entry.name for entry in package.iterdir()} == {
        ".funcignore",
        "activities",
        "function_app.py",
        "host.json",
        "orchestrators",
        "requirements.txt",
        "routes.toml",
        "shared",
        "triggers",
        "web",
    }


def test_the_package_alone_is_indexed_with_every_function(package: Path) -> None:
    settings = {
        "TASKHUB_NAME": "t",
        "DROPSCORE_STORAGE": "UseDevelopmentStorage=true",
        "DROPSCORE_INBOX": "inbox",
        "DROPSCORE_SWEEP_SCHEDULE": "0 * * * * *",
    }
    shown = subprocess.run(
        [sys.executable, "-P", "-c", INDEX, str(package)],
        cwd=package,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", **settings},
        capture_output=True,
        text=True,
        check=False,
    )
    assert shown.returncode == 0, shown.stderr
    found = json.loads(shown.stdout)
    assert {"blob_dropped", "sweep_timer", "start_run", "score_run", "await_job", "pack"} <= set(
        found["functions"]
    )
    assert all(home.startswith(str(package)) for home in found["homes"])


def test_the_package_imports_without_settings_and_without_heavy_libraries(package: Path) -> None:
    script = (
        "import function_app, sys; "
        "heavy = ('pandas', 'azure.ai.ml', 'azure.monitor', 'croniter', 'opentelemetry.sdk', 'rich', 'sklearn'); "
        "print([name for name in heavy if name in sys.modules])"
    )
    shown = subprocess.run(
        [sys.executable, "-B", "-c", script], cwd=package, env={}, capture_output=True, text=True, check=False
    )
    assert (shown.returncode, shown.stdout.strip()) == (0, "[]"), shown.stderr


def test_the_app_never_imports_the_local_stack(package: Path) -> None:
    sources = [path.read_text("utf-8") for path in package.rglob("*.py")]
    assert sources
    assert not [
        text for text in sources if re.search(r"^\s*(from|import) (local|tests|models)\b", text, re.M)
    ]


def test_every_requirement_is_pinned() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        lines = (ROOT / name).read_text("utf-8").splitlines()
        wanted = [line for line in lines if line and not line.startswith(("#", "-r"))]
        assert wanted
        assert all("==" in line for line in wanted)


def test_every_top_level_folder_of_code_is_checked_by_mypy_and_sorted_by_ruff() -> None:
    config = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} | {"models"}
    assert packages <= set(config["mypy"]["files"])
    assert packages <= set(config["ruff"]["lint"]["isort"]["known-first-party"])

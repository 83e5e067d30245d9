"""The environments that Azure ML builds for the sample models: of what they were trained with, and installable."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from local.stack import ROOT

ENVIRONMENTS = sorted(ROOT.glob("models/*/conda.yml"))


def wanted(path: Path) -> list[str]:
    """What pip is asked for."""
    document: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
    [packages] = [one["pip"] for one in document["dependencies"] if isinstance(one, dict)]
    return list(packages)


def pinned(lines: list[str]) -> dict[str, str]:
    found = (re.fullmatch(r"([\w-]+)==([\w.]+)", line.strip()) for line in lines)
    return {one[1]: one[2] for one in found if one}


@pytest.mark.parametrize("path", ENVIRONMENTS, ids=lambda path: path.parent.name)
def test_a_model_is_served_with_the_versions_it_was_trained_with(path: Path) -> None:
    ours = pinned((ROOT / "requirements-dev.txt").read_text("utf-8").splitlines())
    ours |= pinned((ROOT / "requirements.txt").read_text("utf-8").splitlines())
    served = wanted(path)
    free = [name for name in served if not name.startswith("azureml-")]
    assert pinned(free).keys() == {re.split("[=<>]", name)[0] for name in free}, "each with one version"
    assert pinned(free).items() <= ours.items()
    trained = path.parent / "requirements.txt"
    if trained.exists():
        assert pinned(trained.read_text("utf-8").splitlines()) == pinned(free)


@pytest.mark.full
@pytest.mark.parametrize("path", ENVIRONMENTS, ids=lambda path: path.parent.name)
def test_pip_finds_versions_that_go_together(path: Path, tmp_path: Path) -> None:
    """A pip as new as the image's; `azureml-dataset-runtime` asks for old versions of much."""
    pip = [str(tmp_path / "bin" / "python"), "-m", "pip"]
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path)], check=True)
    subprocess.run([*pip, "install", "--quiet", "--upgrade", "pip"], check=True)
    tried = subprocess.run(
        [*pip, "install", "--quiet", "--dry-run", *wanted(path)], capture_output=True, text=True, check=False
    )
    assert tried.returncode == 0, tried.stderr[-2000:]

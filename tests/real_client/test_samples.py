"""The YAML beside the sample models is such as `az ml` takes."""

import json
from pathlib import Path

import pytest

from local.stack import ROOT

from .environment import run_program

pytestmark = pytest.mark.full


@pytest.mark.usefixtures("python")
def test_the_yaml_of_every_sample_is_read_by_the_client() -> None:
    done = run_program(Path(__file__).parent / "scripts" / "samples.py", str(ROOT / "models"))
    assert done.returncode == 0, done.stderr
    read = json.loads(done.stdout.splitlines()[-1])
    assert read["compute.yml"] == "cpu-cluster"
    assert read["diabetes/online_deployment.yml"] == "ridge"
    assert read["breast_cancer/online_endpoint.yml"] == "breast-cancer-online"
    for model in ("diabetes", "breast_cancer", "forecast"):
        assert {f"{model}/endpoint.yml", f"{model}/deployment.yml"} <= set(read)

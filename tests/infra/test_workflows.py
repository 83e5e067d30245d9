"""The pipelines: pinned, without secrets, each environment the same way and after the one before."""

import re
import tomllib
from typing import Any

import yaml

from local.stack import ROOT
from tests.infra.bicep import INFRA

WORKFLOWS = {path.stem: path.read_text("utf-8") for path in (ROOT / ".github/workflows").glob("*.yml")}


def jobs(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(WORKFLOWS[name])["jobs"]
    return found


def test_every_action_is_pinned_by_its_commit_with_the_version_beside_it() -> None:
    used = [line for text in WORKFLOWS.values() for line in re.findall(r"uses: (?!\./)(.+)", text)]
    assert used
    assert [line for line in used if not re.match(r"[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line)] == []


def test_one_action_has_one_version() -> None:
    used = {line for text in WORKFLOWS.values() for line in re.findall(r"uses: (?!\./)(\S+)", text)}
    assert len({line.split("@")[0] for line in used}) == len(used)


def test_ci_runs_what_the_readme_says() -> None:
    assert ".ci/run" in WORKFLOWS["test"]
    assert "exec python3 dev.py test" in (ROOT / ".ci/run").read_text("utf-8")
    assert "python3 dev.py test" in (ROOT / "README.md").read_text("utf-8")


def test_ci_tries_pythons_that_the_project_names_and_the_one_that_is_deployed() -> None:
    versions = jobs("test")["test"]["strategy"]["matrix"]["python"]
    requires = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["requires-python"]
    assert f">={versions[0]}" in requires
    assert f"version: '{versions[-1]}'" in (INFRA / "app.bicep").read_text("utf-8")


def test_production_comes_after_staging_after_dev_after_the_tests() -> None:
    order = {name: job.get("needs") for name, job in jobs("deploy").items()}
    assert order == {"test": None, "dev": "test", "staging": "dev", "production": "staging"}
    for name in ("dev", "staging", "production"):
        assert jobs("deploy")[name]["with"] == {"environment": name}
    assert jobs("deploy-to")["deploy"]["environment"] == "${{ inputs.environment }}"


def test_azure_lets_the_pipeline_in_by_its_identity_alone() -> None:
    for name in ("deploy", "deploy-to"):
        assert yaml.safe_load(WORKFLOWS[name])["permissions"] == {"contents": "read", "id-token": "write"}
    assert not [name for name, text in WORKFLOWS.items() if "secrets." in text]
    assert "--federated-credential-provider github" in WORKFLOWS["deploy-to"]


def test_a_deployment_ends_with_a_scored_file() -> None:
    steps = jobs("deploy-to")["deploy"]["steps"]
    assert "infra/smoke.py" in steps[-1]["run"]
    assert "azd deploy" in steps[-2]["run"]


def test_what_can_be_chosen_can_be_chosen_for_a_pipeline() -> None:
    parameters = (INFRA / "main.parameters.json").read_text("utf-8")
    given = jobs("deploy-to")["deploy"]["env"]
    ours = [
        name
        for name in given
        if not name.startswith("AZURE_") or name in ("AZURE_LOCATION", "AZURE_ENV_NAME")
    ]
    chosen = set(re.findall(r"\$\{(\w+)", parameters)) - {"AZURE_PRINCIPAL_ID"}
    assert set(ours) == chosen, "all of them: what a pipeline did not know of, it would set back"

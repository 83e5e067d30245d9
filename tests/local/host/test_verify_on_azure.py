"""The page docs/verify_on_azure.md: its blocks, run against the local stack, answer what it expects of Azure."""

import re
import subprocess
from pathlib import Path
from shlex import quote

import pytest
from azure.storage.blob import BlobServiceClient

from local.azureml.server import AzureMLEmulator
from local.azureml.workspace import DATASTORE_CONTAINER, WORKSPACE_ID
from local.stack import ROOT
from shared import azureml
from tests.local.host.harness import APPS, LoopThread, RunningHost

PAGE = (ROOT / "docs" / "verify_on_azure.md").read_text("utf-8")
AZURE_ML, FUNCTIONS = PAGE.partition("## Functions and Durable")[::2]
CHECK = re.compile(
    r"### (?P<title>.+?)\n\n```sh\n(?P<script>.+?)```\n(?:\n```text\n(?P<expected>.+?)```)?", re.DOTALL
)
MARK = "=== "


def run(part: str, folder: Path, prelude: str) -> tuple[dict[str, str], dict[str, str]]:
    """Run a part's blocks in one bash; returns what each said, and what it should say."""
    checks = list(CHECK.finditer(part))
    script = "".join(f"echo {quote(MARK + each['title'])}\n{each['script']}" for each in checks)
    command = ["bash", "-euo", "pipefail", "-c", f"PAUSE=0.05\n{prelude}\n{script}"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=150)
    assert done.returncode == 0, done.stderr + done.stdout
    said = dict(block.split("\n", 1) for block in done.stdout.split(MARK)[1:])
    return said, {each["title"]: each["expected"] or "" for each in checks}


def agree(said: str, expected: str) -> bool:
    """Whether a text is the expected one, in which … stands for anything within a line."""
    pattern = ".*".join(map(re.escape, expected.split("…")))
    return re.fullmatch(pattern, said) is not None


def differences(said: dict[str, str], expected: dict[str, str]) -> dict[str, str]:
    assert list(said) == list(expected)
    return {title: said[title] for title in expected if not agree(said[title], expected[title])}


def test_the_local_host_answers_what_the_page_expects_of_functions(
    loop: LoopThread, counters: Path, tmp_path: Path
) -> None:
    with RunningHost(loop, APPS / "durable", tmp_path / "state") as host:
        assert not differences(*run(FUNCTIONS, tmp_path, f"BASE={host.url}\nC=code=local"))


def test_what_the_page_names_is_there() -> None:
    files = re.findall(r"`((?:local|shared|tests)/[\w/]+\.py)`", PAGE)
    assert [path for path in files if not (ROOT / path).exists()] == []
    names = re.findall(r"`azureml\.(\w+)`", PAGE)
    assert [name for name in names if not hasattr(azureml, name)] == []
    assert files
    assert names


@pytest.mark.full
def test_the_emulator_answers_what_the_page_expects_of_azure_ml(
    azurite_connection: str, tmp_path: Path
) -> None:
    with BlobServiceClient.from_connection_string(azurite_connection) as service:
        data = service.create_container("verify")
        if not service.get_container_client(DATASTORE_CONTAINER).exists():
            service.create_container(DATASTORE_CONTAINER)
        for path in (ROOT / "models" / "diabetes" / "data").glob("*.csv"):
            data.upload_blob(f"in/{path.name}", path.read_bytes())
    with AzureMLEmulator([ROOT / "models" / "diabetes"], azurite_connection, tmp_path / "state") as emulator:
        tokens = {
            audience: emulator.token(f"https://{audience}")
            for audience in ("ml.azure.com", "management.azure.com")
        }
        cases = "".join(f'  https://{audience}) echo "{token}";;\n' for audience, token in tokens.items())
        prelude = (
            f"ARM={emulator.url}\nWS={WORKSPACE_ID}\nSCORE={emulator.scoring_url('diabetes')}\nDATA={data.url}/in\n"
            f'token() {{ case "$1" in\n{cases}  esac; }}'
        )
        assert not differences(*run(AZURE_ML, tmp_path, prelude))

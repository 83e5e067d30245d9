"""A second app on the same ledger is refused: two task hubs would score files twice."""

import os
import sys
from pathlib import Path

import requests

from local.children import Child
from local.stack import ROOT, free_ports
from tests.e2e.drops import Drops, doubled, numbers, until


def test_a_host_with_another_task_hub_does_nothing_and_says_why(drops: Drops, tmp_path: Path) -> None:
    stack, port = drops.stack, free_ports()["host"]
    settings = {**stack.base_environment(), **stack.app_settings(), "TASKHUB_NAME": "another"}
    command = [
        *(sys.executable, "-m", "local.host", str(ROOT)),
        *("--port", str(port), "--state", str(tmp_path / "host")),
    ]
    log = tmp_path / "host.log"
    other = Child("host", command, log, {**os.environ, **settings})
    try:
        url = f"http://127.0.0.1:{port}/api/runs"
        version = drops.drop("double/two-apps.csv", numbers(3))
        until(lambda: "worked on by the task hub dropscore" in log.read_text(), "the refusal of a sweep")
        asked = {"route": "double", "blobs": [version.blob], "force": True}
        answer = requests.post(url, json=asked, timeout=10)
        assert (answer.status_code, answer.json()["type"]) == (503, "not-the-owner")
        assert requests.get(f"{url}/01NONE", timeout=10).status_code == 503
        assert drops.closed(version)[1].word == "published"
        assert drops.predictions(version.blob) == doubled(3)
    finally:
        other.stop()

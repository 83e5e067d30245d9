"""Runs in flight outlive a redeploy: recorded histories of every version replay through today's orchestrators."""

import json
from pathlib import Path
from typing import Any

import pytest

from local.host.recorded import first_difference
from orchestrators.await_job import await_job
from orchestrators.notify import notify
from orchestrators.score_run import score_run
from orchestrators.sweep import sweep
from tests.durable import name_of
from tests.orchestrators.record import HISTORIES, version

pytestmark = pytest.mark.filterwarnings("ignore:azure.functions df_loads was called without expected_type")
ORCHESTRATORS = {name_of(one): one for one in (await_job, notify, score_run, sweep)}
RECORDED = sorted(HISTORIES.glob("*/*.jsonl"))


def orchestrator_of(history: str) -> Any:
    names = [event["Name"] for line in history.splitlines() if (event := json.loads(line))["EventType"] == 0]
    return ORCHESTRATORS[names[0]]


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_recorded_history_still_leads_to_the_same_decisions(path: Path) -> None:
    history = path.read_text("utf-8")
    difference = first_difference(history, orchestrator_of(history), values=False)
    assert difference is None, (
        f"{difference}. Instances of version {path.parent.name} that are under way at a redeploy would fail: keep "
        "the old order of calls behind context.version, and give host.json a new defaultVersion."
    )


def test_the_present_version_has_been_recorded() -> None:
    recorded = {
        name_of(orchestrator_of(path.read_text("utf-8")))
        for path in RECORDED
        if path.parent.name == version()
    }
    assert recorded == set(ORCHESTRATORS)


def test_a_changed_order_of_calls_is_noticed() -> None:
    history = (HISTORIES / version() / "published.jsonl").read_text("utf-8")
    assert '"pack"' in history
    changed = history.replace('"Name": "pack"', '"Name": "unpack"')
    assert first_difference(changed, score_run, values=False)

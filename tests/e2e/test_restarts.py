"""Processes die at bad moments: nothing is lost, nothing runs twice, nothing stays behind."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

from local.stack import ROOT, Stack
from tests.e2e.drops import MODELS, SETTINGS, Drops, doubled, numbers, routes, until


def stack_on(state: Path) -> Stack:
    return Stack(state, [MODELS], routes(), SETTINGS)


def test_a_killed_host_resumes_and_submits_no_second_job(tmp_path: Path) -> None:
    with stack_on(tmp_path) as stack:
        drops = Drops(stack)
        version = drops.drop("double/killed.csv", numbers(20))
        run = drops.submitted(version)
        stack.children["host"].kill()
        stack.start_host()
        closed, word = drops.closed(version)
        assert word.word == "published"
        assert drops.predictions(version.blob) == doubled(20)
        assert closed.job == run.job
        assert list(drops.jobs()) == [run.job]


@pytest.mark.full
@pytest.mark.parametrize("seed", range(30))
def test_a_host_killed_again_and_again_loses_no_file_and_doubles_no_job(tmp_path: Path, seed: int) -> None:
    moments = random.Random(seed)
    with stack_on(tmp_path) as stack:
        drops = Drops(stack)
        versions = [
            drops.drop(f"{route}/{name}.csv", numbers(5, start=name))
            for name in range(6)
            for route in ("double", "named")
        ]
        for _ in range(4):
            time.sleep(moments.uniform(0.05, 0.8))
            stack.children["host"].kill()
            stack.start_host()
        ends = [drops.closed(version) for version in versions]
        assert [word.word for _, word in ends] == ["published"] * len(versions)
        for number, version in enumerate(versions):
            assert drops.predictions(version.blob) == doubled(5, start=number // 2)
        assert set(drops.jobs()) == {run.job for run, _ in ends}


@pytest.mark.full
def test_a_second_start_continues_where_the_first_stopped(tmp_path: Path) -> None:
    with stack_on(tmp_path) as stack:
        drops = Drops(stack)
        version = drops.drop("double/stopped.csv", numbers(7))
        job = drops.submitted(version).job
    with stack_on(tmp_path) as stack:
        drops = Drops(stack)
        assert drops.closed(version)[1].word == "published"
        assert drops.predictions(version.blob) == doubled(7)
        assert list(drops.jobs()) == [job]


@pytest.mark.parametrize(
    "ending", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.full), signal.SIGKILL]
)
def test_ending_the_stack_leaves_no_process_behind(tmp_path: Path, ending: signal.Signals) -> None:
    state = tmp_path / "state"
    with (tmp_path / "out").open("wb") as out:
        up = subprocess.Popen(
            [sys.executable, "-m", "local.up", "--state", str(state)],
            cwd=ROOT,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    until(lambda: b"dropscore is up" in (tmp_path / "out").read_bytes(), "the stack")
    assert len(mentioning(state)) >= 3
    up.send_signal(ending)
    up.wait(30)
    until(lambda: not mentioning(state), f"the end of every process: {mentioning(state)}")
    if ending != signal.SIGKILL:
        assert up.returncode == 0
        assert (tmp_path / "out").read_bytes().endswith(b"Everything is stopped.\n")


def mentioning(state: Path) -> list[int]:
    """The processes whose command line names the state folder."""
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit() and int(process.name) != os.getpid():
            try:
                line = (process / "cmdline").read_bytes()
            except OSError:
                continue
            if str(state).encode() in line:
                found.append(int(process.name))
    return found


@pytest.mark.full
def test_a_run_whose_orchestration_is_gone_is_taken_up_again(tmp_path: Path) -> None:
    with stack_on(tmp_path) as stack:
        drops = Drops(stack)
        version = drops.drop("watched/orphan.csv", "x\n1\n")
        run = drops.submitted(version)
        for instance in (f"{run.run}-1", f"{run.run}-1-await-1"):
            url = f"{stack.host_url}/runtime/webhooks/durabletask/instances/{instance}/terminate"
            assert requests.post(url, timeout=10).status_code == 202
        until(lambda: (drops.run_of(version) or run).launch == 2, "the second launch", 90)
        drops.control(f"jobs/{run.job}", {"cancel": True})
        closed, word = drops.closed(version)
        assert (closed.job, closed.outcome, word.word) == (run.job, "canceled", "canceled")
        assert list(drops.jobs()) == [run.job]

"""The benchmark of the local stack: it measures what it says, refuses what is wrong, and writes what it found."""

import sys
import time
from pathlib import Path
from typing import Any

import pytest

from benchmarks import chain_host, chains, local, local_report, scoring, setting
from benchmarks.local_report import ENGINE, HOST

MACHINE = {"cores": 2, "memory_gib": 24, "system": "Linux x86_64", "python": "3.11.7"}
STEP = {"command": "python -m benchmarks.local", "rounds": 3, "machine": MACHINE, "load": 0.5}


def test_chains_are_counted_timed_and_compared() -> None:
    found = chains.measured(lambda number: [chains.OUTPUT] * number, time.time() - 1, number=50)
    assert found["right"]
    assert found["start"] == pytest.approx(1, abs=0.5)
    assert found["rate"] > 50
    assert not chains.measured(lambda number: [[0]] * number, time.time(), number=1)["right"]


def test_the_engine_alone_runs_chains_to_their_outputs() -> None:
    found = chain_host.engine(time.time(), 3)
    assert found["right"]
    assert found["engine"] > 0
    assert found["sdk"] > 0


def test_files_hold_so_many_rows_under_a_header_each(tmp_path: Path) -> None:
    files = scoring.files_of(tmp_path, 800)
    assert len(files) == scoring.FILES
    assert [len(path.read_text().splitlines()) for path in files] == [101] * scoring.FILES


@pytest.mark.full
def test_the_model_predicts_as_many_rows_directly_as_in_the_emulator() -> None:
    assert [scoring.direct(2, 800)[0], scoring.emulator(2, 800)[0]] == [800, 800]


def told(text: str) -> Any:
    return lambda: [sys.executable, "-c", f"print('{text}')"]


def test_subjects_run_in_turn_and_wrong_ones_stop_the_program(capsys: pytest.CaptureFixture[str]) -> None:
    found = local.in_turn(
        {"one": told('{"right": true, "s": 1}'), "two": told('{"right": true, "s": 2}')}, rounds=2
    )
    assert [len(rounds) for rounds in found.values()] == [2, 2]
    assert [line.split(":")[0].strip() for line in capsys.readouterr().out.splitlines()] == ["one", "two"] * 2
    with pytest.raises(SystemExit, match="three gave wrong results"):
        local.in_turn({"three": told('{"right": false}')}, rounds=1)


@pytest.mark.parametrize("words", [["--chains", "0"], ["--rounds", "-1"], ["--only", "moon"]])
def test_impossible_options_are_refused(words: list[str]) -> None:
    with pytest.raises(SystemExit):
        local.options_of(words)


def test_a_busy_machine_is_refused_unless_told_otherwise() -> None:
    with pytest.raises(SystemExit, match="wait until the machine is quiet, or add --anyway"):
        setting.quiet_enough(1.2, anyway=False)
    assert setting.quiet_enough(1.2, anyway=True) == 1.2


def test_sections_show_medians() -> None:
    rounds = [
        {"rate": rate, "alone": 9.0, "start": 0.5, "peak": 2048, "answered": 0.4} for rate in (90, 100, 200)
    ]
    figures = {HOST: rounds, "peer": rounds, ENGINE: [{"engine": 1.81, "sdk": 3.5}]}
    shown = local_report.section(
        "host", STEP | {"chains": 500, "peers": {"dbos": "3.4.0"}, "figures": figures}
    )
    assert "| **the local host** |      100 |           9.0 |                     0.50 |        2 |" in shown
    assert "load 0.50 at the start; dbos 3.4.0. 500 at once." in shown
    assert "takes 1.8 ms of CPU an orchestration" in shown
    emulated = {"the model, one process": [{"rows": 1000, "seconds": 2.0}]}
    assert "500 | 2.00 |" in local_report.section("emulator", STEP | {"figures": emulated})

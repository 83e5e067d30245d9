"""Calls are counted as they were made, and processes as the kernel sees them."""

import subprocess
import sys
import time
from pathlib import Path

from benchmarks.counting import calls
from benchmarks.host import ran
from benchmarks.processes import Meter, family_high_water
from benchmarks.stack import Growing

LINES = [
    '[1.5, "GET", "/account/ledger/runs/R/run.json", 206, 0, 80]',
    '[1.6, "GET", "/account/work?restype=container&comp=list&prefix=R%2F", 200, 0, 900]',
    '[1.7, "PUT", "/account/predictions/a%20b.csv?comp=blocklist", 201, 30, 0]',
    '[1.8, "HEAD", "/account/inbox/a.csv", 404, 0, 0]',
]


def test_a_call_is_what_its_method_and_query_make_it() -> None:
    found = [(call.operation, call.container, call.blob, call.status) for call in calls(LINES)]
    assert found == [
        ("read", "ledger", "runs/R/run.json", 206),
        ("list", "work", "", 200),
        ("commit blocks", "predictions", "a b.csv", 201),
        ("look", "inbox", "a.csv", 404),
    ]


def test_what_ran_is_read_as_it_was_written() -> None:
    [one] = ran(['["pack", 2.0, 2.5, "R", 10]'])
    assert (one.name, one.seconds, one.run, one.given) == ("pack", 0.5, "R", 10)


def test_a_line_that_is_not_whole_yet_is_left_for_later(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    path.write_text("one\ntw", "utf-8")
    growing = Growing(path)
    assert growing.more() == ["one"]
    path.write_text("one\ntwo\nthree\n", "utf-8")
    assert (growing.more(), growing.more()) == (["two", "three"], [])


def test_a_process_is_measured_from_when_its_meter_began() -> None:
    script = "held = b'x' * (80 << 20); del held; print(flush=True); input(); sum(range(3_000_000)); input()"
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdin
        assert child.stdout
        child.stdout.readline()
        whole = family_high_water(child.pid) >> 10
        meter = Meter(child.pid)
        child.stdin.write(b"\n")
        child.stdin.flush()
        deadline = time.monotonic() + 20
        while meter.read().cpu < 0.02 and time.monotonic() < deadline:
            time.sleep(0.01)
        used = meter.read()
        child.kill()
    assert whole > 80
    assert used.peak < 40
    assert 0.02 <= used.cpu < 5

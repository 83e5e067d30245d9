"""What is measured on the stack is what happens there. Peers are left out: they are installed from outside."""

from pathlib import Path

import pytest

from benchmarks import large
from benchmarks.floods import dropped, flood
from benchmarks.pages.flood import per_file
from benchmarks.sections import long, one
from benchmarks.setting import Setting
from benchmarks.stack import until

pytestmark = [pytest.mark.full, pytest.mark.timeout(600)]


@pytest.fixture
def setting(tmp_path: Path) -> Setting:
    return Setting(folder=tmp_path, quick=True, rounds=1)


def test_one_file_is_timed_step_by_step_and_its_calls_are_counted(setting: Setting) -> None:
    with one.bench(setting, "one", counted=True) as stack:
        times, steps = one.score_ours(stack, 1)
        counted = one.our_calls(stack)
    assert times["own"] == pytest.approx(times["submit"] + times["publish"], abs=0.001)
    assert all(times[key] > 0 for key in ("submit", "job", "publish", "close", "cpu", "peak"))
    assert [step["step"] for step in steps][:3] == ["blob_dropped", "authenticate", "gather"]
    assert counted["rest"]["POST of the job"] == 1
    written = [
        call for call in counted["calls"] if (call["operation"], call["kind"]) == ("write", "predictions")
    ]
    assert sum(call["calls"] for call in written) == 1
    assert counted["storage"] == sum(call["calls"] for call in counted["calls"])


def test_a_flood_loses_nothing_and_its_late_nodes_are_paid_for(setting: Setting) -> None:
    with one.bench(setting, "flood", counted=True) as stack:
        found = flood(stack, 12, 2.0, 120)
    assert found.lost == 0
    assert 1 <= found.jobs <= 12
    assert found.node >= 2.0 * found.jobs
    assert found.seconds >= 2.0
    assert per_file(found.to_dict()) > 5


def test_a_sweep_over_ten_thousand_files_holds_little_more_than_one_over_none(setting: Setting) -> None:
    """Of files that no route takes, so that nothing but the listing is there to be held."""
    assert peak_of_a_sweep(setting, 10_000) < peak_of_a_sweep(setting, 0) + 40


def peak_of_a_sweep(setting: Setting, files: int) -> float:
    """The most MiB of a host that scores one file, whose arrival starts a sweep over so many others."""
    with one.bench(setting, f"sweep-{files}", counted=False) as stack:
        dropped(stack, [f"nobodys/{number:05d}.csv" for number in range(files)], "inbox")
        meter = stack.meter()
        _, seen = one.score_one(stack, "score/one.csv")

        def swept() -> bool:
            seen.extend(stack.ran())
            return any(ran.name == "end_sweep" for ran in seen)

        until(swept, "the end of the sweep", 120)
        return meter.read().peak


def test_a_large_file_is_whole_at_the_end(setting: Setting) -> None:
    with one.bench(setting, "large", counted=False) as stack:
        found = large.large(stack, 1_000_000, 120)
    assert found["published"] == found["rows"]
    assert found["peak"] > max(0.0, *(stage["peak"] for stage in found["stages"])) - 1


def test_a_job_that_takes_long_is_looked_at_at_a_steady_price(setting: Setting) -> None:
    with long.bench(setting, "long", counted=True) as stack:
        found = long.waiting(stack, 60)
    assert found["looks"] >= 60
    assert found["rest"] == pytest.approx(1, abs=0.1)
    assert found["last"]["bytes"] < 2 * found["first"]["bytes"]

"""The sweep: what no event announced is found first, then what waits is started; one sweep at a time."""

from typing import Any

import pytest

from orchestrators.sweep import sweep
from tests import durable
from tests.durable import FakeContext, OrchestratorFailed, World
from tests.orchestrators import sdk
from tests.orchestrators.scripts import Script, answers, names

ALL = ["begin_sweep", "find_missed_files", "start_waiting", "end_sweep"]
RUNNERS = [durable.run, sdk.run]

# The SDK's own warning about inputs that come without a type.
pytestmark = [
    pytest.mark.filterwarnings("ignore:azure.functions df_loads was called without expected_type"),
    pytest.mark.parametrize("run", RUNNERS, ids=["virtual clock", "real SDK"]),
]


def sweeping(**changed: Script) -> World:
    usual = {
        "begin_sweep": answers(True),
        "find_missed_files": answers(3),
        "start_waiting": answers(2),
        "end_sweep": answers(None),
    }
    return World(usual | changed)


def swept(run: Any, world: World) -> Any:
    return run(sweep, FakeContext(world, None, "sweep-7"))


def test_the_sweep_finds_files_before_it_starts_runs(run: Any) -> None:
    world = sweeping()
    assert swept(run, world) == {"found": 3, "started": 2}
    assert names(world) == ALL
    assert all(call.input == "sweep-7" for call in world.calls)


def test_while_another_sweep_is_at_work_this_one_does_nothing(run: Any) -> None:
    world = sweeping(begin_sweep=answers(False))
    assert swept(run, world) == {}
    assert names(world) == ["begin_sweep"]


@pytest.mark.parametrize("activity", ["find_missed_files", "start_waiting"])
def test_a_sweep_does_all_it_can_and_then_shows_its_trouble(run: Any, activity: str) -> None:
    world = sweeping(**{activity: answers(OSError("no storage"))})
    with pytest.raises(OrchestratorFailed, match="OSError: no storage"):
        swept(run, world)
    assert list(dict.fromkeys(names(world))) == ALL
    assert len(world.called(activity)) == 4


def test_a_sweep_that_cannot_say_that_it_began_does_nothing(run: Any) -> None:
    world = sweeping(begin_sweep=answers(OSError("no storage")))
    with pytest.raises(OrchestratorFailed):
        swept(run, world)
    assert names(world) == ["begin_sweep"] * 4

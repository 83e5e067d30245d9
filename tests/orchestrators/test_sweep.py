"""The sweep: what no event announced is found first, then what waits is started."""

from orchestrators.sweep import sweep
from tests.durable import FakeContext, World, run
from tests.orchestrators.scripts import answers, names


def test_the_sweep_finds_files_before_it_starts_runs() -> None:
    world = World({"find_missed_files": answers(3), "start_waiting": answers(2)})
    assert run(sweep, FakeContext(world, None, "sweep-7")) == {"found": 3, "started": 2}
    assert names(world) == ["find_missed_files", "start_waiting"]
    assert all(call.input == "sweep-7" for call in world.calls)

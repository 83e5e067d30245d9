"""The whole pipeline, broken on purpose: whatever happens, and in whatever order, the promises hold."""

from datetime import timedelta
from random import Random
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from activities import parts
from shared import blob_io, csv_blocks, packing, work
from tests.simulation.azureml import Script
from tests.simulation.machine import Pipeline
from tests.simulation.storm import CALM_STEPS, STORM_STEPS, STORMS, Storm, stormed
from tests.simulation.world import NAMES, World, simulated

# The same examples at every run; a failure is shrunk, and printed with what had happened.
SAME = settings(
    derandomize=True,
    deadline=None,
    database=None,
    stateful_step_count=60,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.generate, Phase.shrink),
)

# As the app has them.
LIMITS: list[tuple[ModuleType, str, Any]] = [
    (blob_io, "BLOCK", 4 * 1024 * 1024),
    (work, "BYTES_AT_ONCE", 64 * 1024 * 1024),
    (work, "FILES_AT_ONCE", 500),
    (work, "ROWS_AT_ONCE", 500_000),
    (packing, "read_blocks", csv_blocks.read_blocks),
    (packing, "PART_AT_LEAST", 1024 * 1024),
    (parts, "PART_AT_LEAST", 1024 * 1024),
]


def published(world: World) -> set[str]:
    return set(world.disk.container("predictions"))


def test_what_is_dropped_is_published_where_nothing_goes_wrong() -> None:
    with simulated() as world:
        for name in NAMES:
            world.drop_rows(name, 2)
            world.announce(name)
        world.come_to_rest()
        assert published(world) == set(NAMES)
        assert len(world.azureml.jobs) == 4
        assert set(world.disk.container("inbox")) == {name for name in NAMES if name.startswith("shared")}


def test_what_nobody_announces_is_found() -> None:
    with simulated() as world:
        for name in NAMES:
            world.drop_rows(name, 1)
        world.come_to_rest()
        assert published(world) == set(NAMES)


def test_the_same_seed_gives_the_same_world() -> None:
    traces = []
    for _ in range(2):
        with simulated(7) as world:
            Storm(world, 7).blow(300)
            world.come_to_rest()
            traces.append(world.stage.trace)
    assert traces[0] == traces[1]


@pytest.mark.timeout(600)
def test_the_promises_hold_whatever_happens() -> None:
    run_state_machine_as_test(Pipeline, settings=settings(SAME, max_examples=8))


def test_the_promises_hold_in_storms() -> None:
    assert stormed(STORMS, STORM_STEPS) > 9_000


def test_no_wake_up_is_lost_where_nothing_goes_wrong_and_no_sweep_helps() -> None:
    assert stormed(STORMS, CALM_STEPS, ["calm"]) > 2_000


@pytest.mark.full
@pytest.mark.timeout(1800)
def test_the_promises_hold_in_many_storms() -> None:
    assert stormed(range(1_000, 2_000), STORM_STEPS) > 1_000_000


@pytest.mark.full
@pytest.mark.timeout(1800)
def test_the_promises_hold_for_many_examples() -> None:
    before = Pipeline.steps
    run_state_machine_as_test(Pipeline, settings=settings(SAME, max_examples=1_000))
    assert Pipeline.steps - before >= 100_000


def flooded(world: World, names: list[str], events: list[str]) -> None:
    """Everything comes while one job runs, with the app's own limits, and Azure's for storage; then all ends."""
    world.account.page = 5_000
    world.stage.limit = timedelta(hours=1)
    world.azureml.scripts.append(Script(takes=timedelta(minutes=30)))
    world.drop_rows("shared/first.csv", 1)
    world.announce("shared/first.csv")
    world.run_until_idle(1_000)
    for number, name in enumerate(names):
        world.drop_rows(name, 1 + number % 3)
    for name in events:
        world.announce(name)
        world.run_until_idle(1_000)
    assert len(world.azureml.jobs) == 1
    while not world.at_rest():
        world.run_until_idle(10_000_000)
        world.wait_for_next()
    world.check()
    world.promises.check_end()
    assert published(world) == {"shared/first.csv", *names}
    assert len(world.azureml.jobs) <= 5


@pytest.mark.full
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("doubled", [0.0, 0.3])
def test_ten_thousand_files_that_come_while_a_job_runs_share_the_next_ones(doubled: float) -> None:
    """Azurite takes longer, the more blobs it has. Events come in any order, some of them twice."""
    names = [f"shared/{number}.csv" for number in range(10_000)]
    events = names + Random(7).sample(names, int(doubled * len(names)))
    with simulated() as world, pytest.MonkeyPatch.context() as patch:
        for place, limit, value in LIMITS:
            patch.setattr(place, limit, value)
        flooded(world, names, Random(8).sample(events, len(events)) if doubled else events)

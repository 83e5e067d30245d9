"""Requests over HTTP at the same time: whoever comes between whom, no more runs are open than may be."""

from random import Random

import pytest

from tests.simulation.actors import Actor, Message
from tests.simulation.world import SETTINGS, World, simulated


def open_runs(world: World) -> int:
    """The runs that somebody asked for and that are not closed."""
    return sum(run["slot"] is None and run["stage"] != "closed" for run in world.promises.runs())


def requests(world: World) -> list[Actor | Message]:
    """The requests that can take a step: nothing else goes on meanwhile."""
    return [one for one in world.stage.ready() if (isinstance(one, Actor) and "request" in one.name)]


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.full) for seed in range(1, 10))])
def test_of_twenty_requests_at_once_as_many_are_let_in_as_may_be_open(seed: int) -> None:
    random = Random(seed)
    with simulated(seed) as world:
        names = [f"single/{number}.csv" for number in range(20)]
        for name in names:
            world.drop_rows(name, 1)
            world.ask("single", [name], "", force=False)
        for message in list(world.stage.messages):
            world.stage.deliver(message)
        while ready := requests(world):
            world.stage.take(random.choice(ready))
            assert open_runs(world) <= SETTINGS.max_adhoc
        assert open_runs(world) == SETTINGS.max_adhoc
        world.come_to_rest()
        assert set(world.disk.container("predictions")) == set(names)

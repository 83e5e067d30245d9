"""People overwrite or delete a file around any call of any step of its run: what is published is what was scored."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from itertools import islice, product
from random import Random
from typing import Any

import pytest

from shared import packing
from shared.blob_io import read_chunks
from shared.names import bare_etag
from tests.simulation.actors import Actor
from tests.simulation.promises import Broken, Dropped
from tests.simulation.test_schedules import words
from tests.simulation.world import World, simulated

STEPS = (
    *("event", "find_missed_files", "authenticate", "gather", "pack", "submit_job", "read_job"),
    *("unpack", "write_results", "dispose_inputs", "close_run"),
)
# What may become of the newest version; nothing where it was deleted before anybody saw it.
ALLOWED = {
    "overwrite": {"published"},
    "overwrite with equal bytes": {"published", "unchanged"},
    "delete": {"", "withdrawn", "published"},
}
EACH = list(product(STEPS, ALLOWED))
TIMES, QUICK_TIMES = 50, 1
MOST_STEPS = 3_000
SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Case:
    """A file, and one beside it that nobody touches; `kind` (0 to 2) says how the world cuts files."""

    files: tuple[str, str]
    rows: int
    kind: int
    announced: bool

    def begin(self, world: World) -> None:
        for name in self.files:
            world.drop_rows(name, self.rows)
            if self.announced:
                world.announce(name)


PAIRS = (("shared/a.csv", "shared/b.csv"), ("single/f.csv", "single/g.csv"))


def some_case(random: Random, step: str) -> Case:
    """Files that nobody announces are found by the sweep, a minute later."""
    announced = step != "find_missed_files"
    return Case(random.choice(PAIRS), random.randint(1, 3), random.randrange(3), announced)


def calls(world: World) -> Iterator[str]:
    """Whose turn it is, before each call, until everything is at rest; the oldest goes first."""
    for _ in range(MOST_STEPS):
        ready = world.stage.ready()
        if not ready and world.at_rest():
            return
        if not ready:
            world.wait_for_next()
            continue
        if isinstance(ready[0], Actor):
            yield ready[0].name.split(" ")[0]
        world.stage.take(ready[0])
    raise AssertionError("\n".join(["it never comes to rest", *world.stage.trace[-100:]]))


@cache
def undisturbed(case: Case) -> Counter[str]:
    """How many calls each step makes where nobody interferes."""
    with simulated(case.kind) as world:
        case.begin(world)
        return Counter(calls(world))


def struck(step: str, act: str, seed: int) -> str:
    """Lets people act right before or right after some call of the step. Returns the word of what they touched.

    Raises Broken where a promise is.
    """
    random = Random(f"{step} {act} {seed}")
    case = some_case(random, step)
    place, after = random.randrange(undisturbed(case)[step]), random.random() < 0.5
    with simulated(case.kind) as world:
        case.begin(world)
        turns = calls(world)
        next(islice((turn for turn in turns if turn == step), place, None))
        if after:
            next(turns, None)
        interfere(world, case.files[0], act, random)
        world.come_to_rest()
        assert said(world, case.files[1]) == ["published"]
        return judged(world, case.files[0])


def interfere(world: World, name: str, act: str, random: Random) -> None:
    """Storage tells versions apart by the second; half of them come in the same one, half are not announced."""
    if random.random() < 0.5:
        world.pass_time(SECOND)
    match act:
        case "overwrite":
            world.drop_rows(name, random.randint(1, 3))
        case "overwrite with equal bytes":
            world.drop(name, versions(world, name)[0].data)
        case "delete":
            world.delete(name)
    if random.random() < 0.5:
        world.announce(name)


def versions(world: World, name: str) -> list[Dropped]:
    return [version for version in world.promises.versions.values() if version.name == name]


def said(world: World, name: str) -> list[str]:
    """What became of the newest version; nothing where nobody has seen it."""
    return words(world, versions(world, name)[-1])


def judged(world: World, name: str) -> str:
    """The newest version's word. Predictions stand under the version, and the ETag, that was scored, or not at all."""
    newest, standing = versions(world, name)[-1], world.disk.standing("predictions", name)
    word = " ".join(said(world, name))
    if standing is None:
        assert word in ("", "withdrawn"), f"{newest}: {word}, and nothing stands"
        return word
    version = world.promises.version_in(standing)
    assert version is not None, f"{name}: published without its version"
    assert version.etag == bare_etag(standing.metadata["dropscore_etag"])
    job = standing.data.split()[-1].decode().partition("@")[2]
    scored = [row for rows in world.azureml.jobs[job].inputs.values() for row in rows]
    assert set(version.inputs()) <= set(scored), (
        f"{name}: published of {version.etag}, which {job} was not given"
    )
    assert version == newest or (word == "unchanged" and version.data == newest.data), f"{name}: {word}"
    return word


def words_after(step: str, act: str, times: int) -> set[str]:
    return {struck(step, act, seed) for seed in range(times)}


@pytest.mark.parametrize(("step", "act"), EACH)
def test_what_is_published_is_what_was_scored_whatever_people_do_at_any_step(step: str, act: str) -> None:
    assert words_after(step, act, QUICK_TIMES) <= ALLOWED[act]


@pytest.mark.full
@pytest.mark.parametrize(("step", "act"), EACH)
def test_what_is_published_is_what_was_scored_fifty_times_over_at_every_step(step: str, act: str) -> None:
    assert words_after(step, act, TIMES) <= ALLOWED[act]


def test_a_file_that_is_read_without_its_etag_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def read_whatever_stands(blob: Any, etag: str, *stretch: tuple[int, int]) -> Iterator[bytes]:
        return read_chunks(blob, None, *stretch)

    monkeypatch.setattr(packing, "read_chunks", read_whatever_stands)
    with pytest.raises(Broken, match=r"not those of version|of no version of the run"):
        words_after("pack", "overwrite", TIMES)

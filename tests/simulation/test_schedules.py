"""Schedules that were thought through by hand: who goes on when is written down, so that each is met every time."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.storage.blob import StorageErrorCode

from tests.simulation.actors import Actor
from tests.simulation.azureml import Script
from tests.simulation.promises import Dropped
from tests.simulation.storage import refusal
from tests.simulation.world import World, simulated

MOST_STEPS = 5_000
# Every file is read in one go and has a part of its own.
WHOLE_FILES = 2
PAST_THE_DEADLINE = timedelta(minutes=50)


def go_on_until(world: World, so: Callable[[], object], *held: Actor) -> None:
    """Everybody but who is held goes on, the oldest first, and time where nobody can, until something is so."""
    for _ in range(MOST_STEPS):
        if so():
            return
        ready = [one for one in world.stage.ready() if one not in held]
        if ready:
            world.stage.take(ready[0])
        else:
            world.wait_for_next()
    raise AssertionError("\n".join(["it never came to that", *world.stage.trace[-100:]]))


def begun(world: World, label: str, *held: Actor) -> Actor:
    """The execution that the first message of that name begins, once there is one; it stands at its first call."""

    def messages() -> list[Any]:
        return [one for one in world.stage.messages if one.label.startswith(label)]

    go_on_until(world, messages, *held)
    world.stage.deliver(messages()[0])
    return world.stage.actors[-1]


def step_to(world: World, actor: Actor, call: str) -> None:
    """The actor, and nobody else, goes on until it is about to make a call that begins so."""
    while not actor.call.startswith(call):
        world.stage.step(actor)
        assert not actor.over, f"{actor.name} never comes to {call}"


def dropped(world: World, name: str, data: bytes = b"", rows: int = 1) -> Dropped:
    """A version of a file that is announced, dropped a second after everything else."""
    world.pass_time(timedelta(seconds=1))
    if data:
        world.drop(name, data)
    else:
        world.drop_rows(name, rows)
    world.announce(name)
    return list(world.promises.versions.values())[-1]


def verdicts(world: World, version: Dropped) -> list[Any]:
    """What all runs have to say of the version in the end."""
    said = []
    for run in world.promises.runs():
        result = world.disk.standing("ledger", f"runs/{run['run']}/result-{run['result']}.jsonl")
        said += [json.loads(line) for line in result.data.splitlines()] if result else []
    return [one for one in said if one["version"] == version.key]


def words(world: World, version: Dropped) -> list[str]:
    return [one["word"] for one in verdicts(world, version)]


def predictions(world: World, name: str) -> bytes:
    found = world.disk.standing("predictions", name)
    assert found is not None
    return found.data


def closed(world: World, run: str) -> bool:
    return world.promises.is_closed(run)


def record(world: World, version: Dropped) -> dict[str, Any]:
    found = world.promises.record(version.key)
    assert found is not None
    return found


def only_run(world: World) -> str:
    """The one run there is."""
    (run,) = world.promises.runs()
    return str(run["run"])


def claimed_after_its_run_was_closed(world: World) -> tuple[Actor, Dropped]:
    """A slow execution of gather that has just claimed, and what.

    Its plan has two files, of which the run takes the first; it is turned away, gives it back and closes. The slow
    one then finds that file gone and takes the second.
    """
    world.azureml.barred = True
    dropped(world, "single/f.csv")
    go_on_until(world, lambda: world.host.instances)
    version = dropped(world, "single/g.csv")
    event = begun(world, "event single/g.csv")
    step_to(world, event, "get ledger/held/single.json")
    first = begun(world, "gather", event)
    world.host.redeliver(first)
    slow = begun(world, "gather", event, first)
    step_to(world, slow, "put ledger/versions/")
    go_on_until(world, lambda: closed(world, only_run(world)), event, slow)
    go_on_until(world, lambda: event.over, slow)
    step_to(world, slow, f"put ledger/versions/{version.key[:26]}")
    world.let_in()
    return slow, version


def test_a_claim_that_comes_after_its_run_was_closed_is_given_back_by_who_made_it() -> None:
    with simulated(WHOLE_FILES) as world:
        slow, version = claimed_after_its_run_was_closed(world)
        world.stage.step(slow)
        assert record(world, version)["run"] == only_run(world)
        while not slow.over:
            world.stage.step(slow)
        assert (record(world, version)["run"], record(world, version)["n"]) == (None, 2)
        world.come_to_rest()
        assert words(world, version) == ["published"]


def test_a_claim_that_comes_after_its_run_was_closed_is_claimed_by_the_next_run_in_the_next_round() -> None:
    with simulated(WHOLE_FILES) as world:
        slow, version = claimed_after_its_run_was_closed(world)
        run = only_run(world)
        world.stage.kill(slow, after=True)
        assert record(world, version)["run"] == run
        world.come_to_rest()
        assert record(world, version)["run"] != run
        assert record(world, version)["n"] == 2
        assert words(world, version) == ["published"]


def test_a_rerun_after_the_deadline_publishes_what_the_job_had_left() -> None:
    with simulated(WHOLE_FILES) as world:
        version = dropped(world, "shared/a.csv")
        world.put_foreign("shared/a.csv")
        go_on_until(world, lambda: words(world, version) == ["failed"])
        world.come_to_rest()
        world.take("shared/a.csv")
        world.pass_time(PAST_THE_DEADLINE)
        world.order(only_run(world), "rerun")
        world.come_to_rest()
        assert words(world, version) == ["published"]
        assert len(world.azureml.jobs) == 1


def test_a_rerun_after_the_deadline_scores_what_the_job_left_incomplete_once_more() -> None:
    with simulated(WHOLE_FILES) as world:
        world.azureml.scripts.extend([Script(loses_part=True), Script(loses_part=True)])
        versions = [dropped(world, name) for name in ("shared/a.csv", "shared/b.csv")]
        go_on_until(world, lambda: any(words(world, version) for version in versions))
        (failed,) = (version for version in versions if words(world, version) == ["failed"])
        world.come_to_rest()
        assert len(world.azureml.jobs) == 2
        world.pass_time(PAST_THE_DEADLINE)
        world.order(only_run(world), "rerun")
        world.come_to_rest()
        assert words(world, failed) == ["published"]
        assert len(world.azureml.jobs) == 3


def is_archived(world: World, name: str) -> bool:
    return world.disk.standing("inbox", name) is None


def test_an_older_version_whose_job_ends_later_does_not_replace_what_a_newer_one_found_unchanged() -> None:
    with simulated(WHOLE_FILES) as world:
        first = dropped(world, "single/f.csv")
        go_on_until(world, lambda: is_archived(world, "single/f.csv"))
        standing = predictions(world, "single/f.csv")
        world.azureml.scripts.append(Script(takes=timedelta(minutes=10)))
        older = dropped(world, "single/f.csv")
        go_on_until(world, lambda: len(world.azureml.jobs) == 2)
        newer = dropped(world, "single/f.csv", first.data)
        go_on_until(world, lambda: is_archived(world, "single/f.csv"))
        assert words(world, newer) == ["unchanged"]
        world.come_to_rest()
        assert predictions(world, "single/f.csv") == standing
        assert words(world, older) == ["superseded"]


def test_an_older_version_does_not_replace_what_a_newer_one_finds_unchanged_while_it_is_published() -> None:
    with simulated(WHOLE_FILES) as world:
        first = dropped(world, "single/f.csv")
        go_on_until(world, lambda: is_archived(world, "single/f.csv"))
        standing = predictions(world, "single/f.csv")
        older = dropped(world, "single/f.csv")
        slow = begun(world, "unpack")
        # The first commit finds the predictions of the first version; the second is for writing over them.
        step_to(world, slow, "commit predictions/")
        world.stage.step(slow)
        step_to(world, slow, "commit predictions/")
        newer = dropped(world, "single/f.csv", first.data)
        go_on_until(world, lambda: is_archived(world, "single/f.csv"), slow)
        assert words(world, newer) == ["unchanged"]
        world.come_to_rest()
        assert predictions(world, "single/f.csv") == standing
        assert words(world, older) == ["superseded"]


def refuse(world: World, call: str, status: int, code: StorageErrorCode) -> None:
    """Storage refuses this call, and no other."""

    def refused() -> Any:
        raise refusal(HttpResponseError, status, code)

    reach = world.account.gate
    world.account.gate = lambda made, effect: reach(made, refused if made == call else effect)


@pytest.mark.parametrize("seed", [0, WHOLE_FILES], ids=["in stretches", "whole"])
@pytest.mark.parametrize(
    ("call", "status", "code"),
    [
        ("get inbox/shared/b.csv", 409, StorageErrorCode.BLOB_ARCHIVED),
        ("commit predictions/shared/b.csv", 412, StorageErrorCode.LEASE_ID_MISSING),
    ],
    ids=["archived", "leased"],
)
def test_a_blob_that_storage_refuses_fails_its_own_file_only(
    call: str, status: int, code: StorageErrorCode, seed: int
) -> None:
    names = ("shared/a.csv", "shared/b.csv", "shared/c.csv")
    with simulated(seed) as world:
        for name in names:
            dropped(world, name, rows=2)
        world.come_to_rest()
        standing = predictions(world, "shared/b.csv")
        refuse(world, call, status, code)
        versions = [dropped(world, name, rows=2) for name in names]
        world.come_to_rest()
        assert [words(world, version) for version in versions] == [["published"], ["failed"], ["published"]]
        assert code.value in verdicts(world, versions[1])[0]["why"]
        assert predictions(world, "shared/b.csv") == standing

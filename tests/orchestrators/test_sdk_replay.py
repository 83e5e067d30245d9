"""The same runs through the real SDK, replayed at every event, take the same steps at the same times."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from orchestrators.await_job import await_job
from orchestrators.score_run import score_run
from shared.errors import Fenced
from tests import durable
from tests.durable import START, FakeContext, World
from tests.orchestrators import sdk
from tests.orchestrators.scripts import (
    LAUNCH,
    SEARCHING,
    SUBMITTED,
    answers,
    gathered,
    job,
    scripted,
    step,
    watching,
)

# The SDK's own warning about inputs that come without a type.
pytestmark = pytest.mark.filterwarnings("ignore:azure.functions df_loads was called without expected_type")

RUNS: dict[str, Callable[[], World]] = {
    "published": scripted,
    "nothing gathered": lambda: scripted(gather=answers(gathered(files=0))),
    "throttled, searched, submitted again": lambda: scripted(
        submit_job=answers(step("again", wait=37), SEARCHING, SUBMITTED),
        find_job=answers(step("searching", wait=10), step("again")),
    ),
    "throttled past the deadline": lambda: scripted(
        gather=answers(gathered(deadline=100)), submit_job=answers(step("again", wait=60))
    ),
    "an activity that keeps raising": lambda: scripted(pack=answers(OSError("full\nline two"))),
    "overtaken while the job is awaited": lambda: scripted(
        read_job=answers(Fenced("run R belongs to launch 2"))
    ),
    "passing trouble": lambda: scripted(unpack=answers(OSError("busy"), {"published": 1})),
}
WATCHES: dict[str, Callable[[], World]] = {
    "sixty looks": lambda: scripted(read_job=answers(*[job("running")] * 60, job("completed"))),
    "canceled but never confirmed": lambda: scripted(read_job=answers(job("running", cancel_wanted=True))),
}


def shown(world: World) -> list[tuple[Any, ...]]:
    """The calls, with times as exact as the SDK writes them."""
    seconds = [round((call.at - START).total_seconds(), 3) for call in world.calls]
    return [
        (call.name, call.input, call.generation, at) for call, at in zip(world.calls, seconds, strict=True)
    ]


@pytest.mark.parametrize("make", RUNS.values(), ids=RUNS)
def test_a_run_takes_the_same_steps_in_the_real_sdk(make: Callable[[], World]) -> None:
    ours, theirs = make(), make()
    output = durable.run(score_run, FakeContext(ours, LAUNCH, "R-1"))
    assert sdk.run(score_run, FakeContext(theirs, LAUNCH, "R-1")) == output
    assert shown(theirs) == shown(ours)


@pytest.mark.parametrize("make", WATCHES.values(), ids=WATCHES)
def test_a_wait_takes_the_same_steps_in_the_real_sdk(make: Callable[[], World]) -> None:
    ours, theirs = make(), make()
    output = durable.run(await_job, watching(ours))
    assert sdk.run(await_job, watching(theirs)) == output
    assert shown(theirs) == shown(ours)


def test_wake_ups_take_the_same_steps_in_the_real_sdk() -> None:
    ours, theirs = (
        scripted(read_job=answers(*[job("running", wait=60)] * 4, job("completed"))) for _ in "ab"
    )
    for world in (ours, theirs):
        world.events = [(START + timedelta(seconds=at), "wake") for at in (3, 70)]
    durable.run(await_job, watching(ours))
    sdk.run(await_job, watching(theirs))
    assert shown(theirs) == shown(ours)
    assert len({call.generation for call in theirs.calls}) == 3

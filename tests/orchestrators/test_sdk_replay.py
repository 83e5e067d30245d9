"""The same runs through the real SDK, replayed at every event, take the same steps at the same times."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from orchestrators.await_job import await_job
from orchestrators.score_run import score_run
from shared.errors import Fenced
from tests import durable
from tests.durable import START, FakeContext, OrchestratorFailed, World
from tests.orchestrators import sdk
from tests.orchestrators.scripts import (
    LAUNCH,
    SEARCHING,
    SUBMITTED,
    answers,
    completing,
    gathered,
    in_portions,
    job,
    packed,
    scripted,
    step,
    unpacked,
    watching,
)

# The SDK's own warning about inputs that come without a type.
pytestmark = pytest.mark.filterwarnings("ignore:azure.functions df_loads was called without expected_type")

RUNS: dict[str, Callable[[], World]] = {
    "published": scripted,
    "identity refused": lambda: scripted(authenticate=answers(False)),
    "nothing gathered": lambda: scripted(gather=answers(gathered(files=0))),
    "all rejected": lambda: scripted(pack=answers(packed(0))),
    "refused": lambda: scripted(submit_job=answers(step("failed"))),
    "turned away": lambda: scripted(submit_job=answers(step("held"))),
    "throttled, searched, submitted again": lambda: scripted(
        submit_job=answers(step("again", wait=37), SEARCHING, SUBMITTED),
        find_job=answers(step("searching", wait=10), step("again")),
    ),
    "searched twice in vain": lambda: scripted(
        submit_job=answers(SEARCHING), find_job=answers(step("again"), step("failed"))
    ),
    "turned away after a search": lambda: scripted(
        submit_job=answers(SEARCHING, step("held")), find_job=answers(step("again"))
    ),
    "throttled and given up": lambda: scripted(submit_job=answers(step("again", wait=60), step("failed"))),
    **{
        f"a single job {state}": lambda state=state: scripted(read_job=answers(job(state)))  # type: ignore[misc]
        for state in ("failed", "canceled", "timed-out", "not-responding")
    },
    "a shared job failed": lambda: scripted(
        pack=answers(packed(2, shared=True)), read_job=completing("failed")
    ),
    "a second attempt": lambda: scripted(
        pack=answers(packed(3, shared=True), packed(1)),
        read_job=completing("completed", "completed"),
        unpack=answers(unpacked(again=True), unpacked()),
    ),
    "pre-empted": lambda: scripted(read_job=completing("preempted", "completed")),
    "chunks": lambda: scripted(
        pack=answers({"more": True}, {"more": True}, packed(3)),
        unpack=answers({"more": True}, unpacked()),
        dispose_inputs=answers({"more": True}, {"more": False, "moved": 3}),
    ),
    "portions at once": lambda: scripted(unpack=in_portions(12, unpacked())),
    "two attempts with portions at once": lambda: scripted(
        pack=answers(packed(3, shared=True), packed(3)),
        read_job=completing("completed", "completed"),
        unpack=in_portions(3, unpacked(again=True)),
        submit_job=answers(SUBMITTED, step("held")),
    ),
    "overtaken while the job is awaited": lambda: scripted(
        read_job=answers(Fenced("run R belongs to launch 2"))
    ),
    "overtaken while it packs": lambda: scripted(pack=answers(Fenced("run R belongs to launch 2"))),
    "passing trouble": lambda: scripted(unpack=answers(OSError("busy"), unpacked())),
}
BROKEN: dict[str, Callable[[], World]] = {
    activity: lambda activity=activity: scripted(**{activity: answers(OSError("full\nline two"))})  # type: ignore[misc]
    for activity in ("authenticate", "pack", "submit_job", "read_job", "unpack", "close_run")
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


@pytest.mark.parametrize("make", BROKEN.values(), ids=BROKEN)
def test_trouble_that_stays_fails_the_instance_in_the_real_sdk_too(make: Callable[[], World]) -> None:
    ours, theirs = make(), make()
    for world, run in ((ours, durable.run), (theirs, sdk.run)):
        with pytest.raises(OrchestratorFailed, match="OSError: full"):
            run(score_run, FakeContext(world, LAUNCH, "R-1"))
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

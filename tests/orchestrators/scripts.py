"""Activities that answer from a script, for one run whose every step succeeds unless a test says otherwise."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from shared.records import Gathered, JobView, Launch, SubmitStep, Watch, timestamp
from tests.durable import START, FakeContext, World

LAUNCH = Launch(run="R", launch=1, route="diabetes", slot=0).to_dict()
SUBMITTED = SubmitStep(kind="submitted").to_dict()
SEARCHING = SubmitStep(kind="searching").to_dict()
LEAD = ["authenticate", "gather", "pack"]
CLOSING = ["write_results", "dispose_inputs", "close_run"]

Script = Callable[[Any], Any]


def answers(*given: Any) -> Script:
    """An activity that gives these answers in turn, the last one ever after; exceptions are raised."""
    left = list(given)

    def answer(_input: Any) -> Any:
        following = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(following, Exception):
            raise following
        return following

    return answer


def gathered(files: int = 1, *, deadline: float = 3600, at_most: float = 30) -> dict[str, Any]:
    until = timestamp(START + timedelta(seconds=deadline))
    return Gathered(files=files, deadline=until, poll_at_least=1, poll_at_most=at_most).to_dict()


def job(state: str, *, status: str = "", cancel_wanted: bool = False, wait: float = 0) -> dict[str, Any]:
    view = JobView(state=state, status=status or state.title(), cancel_wanted=cancel_wanted, wait=wait)
    return view.to_dict()


def step(kind: Any, wait: float = 0) -> dict[str, Any]:
    return SubmitStep(kind=kind, wait=wait).to_dict()


def packed(parts: int, *, shared: bool = False) -> dict[str, Any]:
    return {"more": False, "parts": parts, "shared": shared}


def unpacked(*, again: bool = False) -> dict[str, Any]:
    return {"more": False, "again": again}


def in_portions(count: int, last: Any, trouble: Exception | None = None) -> Script:
    """An activity with so many portions, which may be worked on at once, and a last call that puts them together.

    The third portion raises the `trouble`, if there is any.
    """

    def answer(given: Any) -> Any:
        if trouble and given["chunk"] == 2:
            raise trouble
        return last if given["chunk"] == count else {"more": True, "at_once": count}

    return answer


def scripted(**changed: Script) -> World:
    """A world in which a run of one file is published, but for the activities that are `changed`."""
    activities: dict[str, Script] = {
        "authenticate": answers(True),
        "gather": answers(gathered()),
        "pack": answers(packed(1)),
        "submit_job": answers(SUBMITTED),
        "find_job": answers(SUBMITTED),
        "read_job": answers(job("running"), job("running"), job("completed")),
        "stop_job": answers(None),
        "give_up_job": answers(None),
        "unpack": answers(unpacked()),
        "write_results": answers({"published": 1}),
        "dispose_inputs": answers({"more": False, "moved": 0}),
        "close_run": answers({"run": "R", "outcome": "succeeded"}),
    }
    return World(activities | changed)


def completing(*ends: str) -> Script:
    """Looks at a job, and at the jobs after it, that end in turn as these states say, each after one look."""
    return answers(*[job(state) for end in ends for state in ("running", end)])


def names(world: World) -> list[str]:
    """The activities that were called, in order."""
    return [call.name for call in world.calls]


def watching(world: World, *, deadline: float = 3600, at_most: float = 30) -> FakeContext:
    """The context of an `await_job` whose deadline (seconds) starts now."""
    watch = Watch(
        launch=LAUNCH,
        since=timestamp(START),
        deadline=timestamp(START + timedelta(seconds=deadline)),
        poll_at_least=1,
        poll_at_most=at_most,
    )
    return FakeContext(world, watch.to_dict(), "R-1-await")


def elapsed(world: World, name: str) -> list[float]:
    """The seconds from the start at which an activity was called."""
    return [(call.at - START).total_seconds() for call in world.called(name)]

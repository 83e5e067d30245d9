"""Random orchestrations with the outcome they must have: the steps of a program, and what it returns.

The app's orchestrator `program` performs the steps. A program may fail on purpose, in which case its end is known, too.
"""

import random
from collections.abc import Callable
from typing import Any
from uuid import UUID

Step = tuple[list[Any], Any]
FAILED = "Activity function 'explode' failed:  ValueError: "


def name(source: random.Random) -> str:
    """Return a name that no other step has."""
    return UUID(int=source.getrandbits(128)).hex


def call(source: random.Random) -> Step:
    number = source.randrange(100)
    return ["call", number], 2 * number


def flaky_request(source: random.Random) -> dict[str, Any]:
    return {"name": name(source), "succeeds_at": source.randint(1, 3)}


def retry(source: random.Random) -> Step:
    request = flaky_request(source)
    return ["retry", request], request["succeeds_at"]


def exhausted(source: random.Random) -> Step:
    """Every attempt fails; the error is caught and the program goes on."""
    text = name(source)
    return ["exhausted", text], text


def every(source: random.Random) -> Step:
    numbers = [source.randrange(100) for _ in range(source.randint(1, 5))]
    return ["all", numbers], [2 * number for number in numbers]


def every_retried(source: random.Random) -> Step:
    requests = [flaky_request(source) for _ in range(source.randint(1, 4))]
    return ["all retried", requests], [request["succeeds_at"] for request in requests]


def every_kind(source: random.Random) -> Step:
    """An activity, a retried one, a timer and a child at once."""
    number, request, steps = source.randrange(100), flaky_request(source), program(source, length=1)
    return ["mixed", [number, request, steps[0]]], [2 * number, request["succeeds_at"], None, steps[1]]


def one_of(source: random.Random) -> Step:
    number = source.randrange(100)
    return ["any", number], 2 * number


def sleep(source: random.Random) -> Step:
    return ["sleep", source.random() / 100], None


def too_late(source: random.Random) -> Step:
    """An event that never comes, against a timer."""
    return ["too late", [name(source), source.random() / 100]], "timed out"


def event(source: random.Random) -> Step:
    """An event that an activity sends while the program waits."""
    number = source.randrange(100)
    return ["event", [name(source), number]], number


def caught(source: random.Random) -> Step:
    text = name(source)
    return ["caught", text], text


def child(source: random.Random) -> Step:
    steps, results = program(source, length=2)
    return ["child", steps], results


def named_child(source: random.Random) -> Step:
    steps, results = program(source, length=1)
    return ["named child", [name(source), steps]], results


def failing_child(source: random.Random) -> Step:
    text = name(source)
    return ["failing child", [["fail", text]]], text


def rounds(source: random.Random) -> Step:
    """A child that continues as new some times."""
    left = source.randint(1, 4)
    return ["rounds", left], left


KINDS: list[Callable[[random.Random], Step]] = [
    *(
        call,
        retry,
        exhausted,
        every,
        every_retried,
        every_kind,
        one_of,
        sleep,
        too_late,
        event,
        caught,
        child,
    ),
    *(named_child, failing_child, rounds),
]
FAILS = 0.1


def program(source: random.Random, length: int) -> tuple[list[Any], list[Any]]:
    """Return random steps and the results they should have."""
    steps = [source.choice(KINDS)(source) for _ in range(length)]
    return [step for step, _ in steps], [result for _, result in steps]


def orchestration(source: random.Random) -> tuple[list[Any], tuple[str, Any]]:
    """Return random steps, and the status and output in which they must end; some fail at their last step."""
    steps, results = program(source, source.randint(1, 6))
    if source.random() >= FAILS:
        return steps, ("Completed", results)
    text = name(source)
    return [*steps, ["fail", text]], ("Failed", f"Orchestrator function 'program' failed: {FAILED}{text}")


def end(status: dict[str, Any]) -> tuple[str, Any]:
    """Return the status and output of an ended instance, of a failure without the details of the exception."""
    output = status["output"]
    return status["runtimeStatus"], output.split(" \n ")[0] if isinstance(output, str) else output

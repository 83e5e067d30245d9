"""Random orchestrators: whatever the shape, each step gets its own result and the instance ends."""

import random
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from tests.local.host.harness import DurableApi

Step = tuple[list[Any], Any]


def call(source: random.Random) -> Step:
    number = source.randrange(100)
    return ["call", number], 2 * number


def flaky_request(source: random.Random) -> dict[str, Any]:
    return {"name": uuid4().hex, "succeeds_at": source.randint(1, 3)}


def retry(source: random.Random) -> Step:
    request = flaky_request(source)
    return ["retry", request], request["succeeds_at"]


def every(source: random.Random) -> Step:
    numbers = [source.randrange(100) for _ in range(source.randint(1, 5))]
    return ["all", numbers], [2 * number for number in numbers]


def every_retried(source: random.Random) -> Step:
    requests = [flaky_request(source) for _ in range(source.randint(1, 4))]
    return ["all retried", requests], [request["succeeds_at"] for request in requests]


def one_of(source: random.Random) -> Step:
    number = source.randrange(100)
    return ["any", number], 2 * number


def sleep(source: random.Random) -> Step:
    return ["sleep", source.random() / 100], None


def child(source: random.Random) -> Step:
    steps, results = program(source, length=2)
    return ["child", steps], results


KINDS: list[Callable[[random.Random], Step]] = [call, retry, every, every_retried, one_of, sleep, child]


def program(source: random.Random, length: int) -> tuple[list[Any], list[Any]]:
    """Return random steps and the results they should have."""
    steps = [source.choice(KINDS)(source) for _ in range(length)]
    return [step for step, _ in steps], [result for _, result in steps]


@pytest.mark.parametrize("seed", range(3))
def test_random_programs_end_with_the_results_of_their_steps(durable: DurableApi, seed: int) -> None:
    source = random.Random(seed)
    expected = {}
    for _ in range(12):
        steps, results = program(source, source.randint(1, 6))
        expected[durable.begin("program", steps)] = results
    assert {instance_id: durable.wait_for(instance_id)["output"] for instance_id in expected} == expected

"""Random orchestrators: whatever the shape, each step gets its own result and the instance ends as known beforehand."""

import json
import logging
import random
import threading
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import requests

from tests.local.host.harness import DurableApi, HostProcess, api, free_port, wait_until
from tests.local.host.programs import end, orchestration

STORM = 1000
logger = logging.getLogger(__name__)
FEWEST_KILLS = 10
LIFE = (0.5, 2.0)  # seconds between two kills, the least and the most


def begin(durable: DurableApi, seed: int, number: int) -> dict[str, tuple[str, Any]]:
    """Start random orchestrations under ids of their own; returns the end that each must have."""
    source = random.Random(seed)
    expected = {}
    for each in range(number):
        steps, expected_end = orchestration(source)
        expected[durable.begin("program", steps, f"program-{seed}-{each}")] = expected_end
    return expected


@pytest.mark.parametrize("seed", range(3))
def test_random_programs_end_as_known_beforehand(durable: DurableApi, seed: int) -> None:
    expected = begin(durable, seed, 12)
    assert {instance_id: end(durable.wait_for(instance_id)) for instance_id in expected} == expected


@pytest.mark.full
@pytest.mark.timeout(1800)
def test_two_thousand_random_programs_end_as_known_beforehand(
    start: Callable[..., HostProcess], session: requests.Session
) -> None:
    durable = api(start(), session)
    expected = begin(durable, 2000, 2000)
    wait_until(lambda: not live(durable), "the end of all programs", patience=1500)
    assert {instance_id: end(durable.status(instance_id)) for instance_id in expected} == expected


@pytest.mark.full
@pytest.mark.timeout(1800)
def test_a_storm_of_kills_loses_nothing(start: Callable[..., HostProcess], session: requests.Session) -> None:
    """SIGKILL after SIGKILL, while programs are being started and after, until all have ended."""
    source, port = random.Random(9), free_port()
    planned = {f"storm-{number}": orchestration(source) for number in range(STORM)}
    waiting, kills = list(planned), 0
    while True:
        host = start(port=port)
        durable = api(host, session)
        if kills >= FEWEST_KILLS and not waiting and not live(durable):
            break
        kills += 1
        killer = threading.Timer(source.uniform(*LIFE), host.process.kill)
        killer.start()
        start_each(durable, planned, waiting)
        killer.join()
        host.finish()
    logger.info("%d programs, %d kills", STORM, kills)
    assert {instance_id: end(durable.status(instance_id)) for instance_id in planned} == {
        instance_id: expected for instance_id, (_, expected) in planned.items()
    }


def start_each(durable: DurableApi, planned: Mapping[str, tuple[list[Any], Any]], waiting: list[str]) -> None:
    """Start those that wait, as far as the host lives; one whose answer was lost is started again."""
    while waiting:
        steps, _ = planned[waiting[0]]
        try:
            answer = durable.start("program", json.dumps(json.dumps(steps)), waiting[0])
        except requests.RequestException:
            return
        assert answer.status_code == 202 or "already exists" in answer.text
        waiting.pop(0)


def live(durable: DurableApi) -> int:
    """How many instances have not ended, of a hundred at most."""
    query = {"runtimeStatus": "Pending,Running,Suspended"}
    return len(durable.session.get(f"{durable.url}/instances", params=query).json())

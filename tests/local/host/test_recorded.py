"""Recorded histories: exported from a host at work, and replayed by the code of another day."""

import importlib.util
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from local.host.protocol import EventType, event
from local.host.recorded import export_history, first_difference
from tests.local.host.harness import APPS, DurableApi, LoopThread, RunningHost, wait_until


def module(app: str) -> ModuleType:
    """The module of a sample app, not indexed."""
    spec = importlib.util.spec_from_file_location(app, APPS / app / "function_app.py")
    assert spec
    assert spec.loader
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


ONE, TWO = module("version_one"), module("version_two")


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("state")


@pytest.fixture(scope="module")
def durable(loop: LoopThread, state: Path) -> Iterator[DurableApi]:
    """A host of version_one."""
    with RunningHost(loop, APPS / "version_one", state) as host:
        yield DurableApi(host.url, host.session)


def waiting(durable: DurableApi, price: int = 5) -> str:
    """Begin an order; returns its id when it waits at its timer."""
    instance_id = durable.begin("deliver", {"price": price})
    durable.wait_for(instance_id, "Running")
    wait_until(lambda: durable.events(instance_id, "TimerCreated"), "the timer")
    return instance_id


def delivered(durable: DurableApi, price: int = 5) -> str:
    instance_id = waiting(durable, price)
    durable.post(instance_id, "raiseEvent/Go", json=1)
    durable.wait_for(instance_id)
    return instance_id


def suspended(durable: DurableApi) -> str:
    """Begin an order whose event comes while it is suspended."""
    instance_id = waiting(durable)
    durable.post(instance_id, "suspend")
    durable.wait_for(instance_id, "Suspended")
    durable.post(instance_id, "raiseEvent/Go", json=1)
    durable.post(instance_id, "resume")
    durable.wait_for(instance_id)
    return instance_id


def terminated(durable: DurableApi) -> str:
    instance_id = waiting(durable)
    durable.post(instance_id, "terminate")
    durable.wait_for(instance_id)
    return instance_id


@pytest.mark.parametrize("begun", [waiting, delivered, suspended, terminated])
@pytest.mark.parametrize("code", [ONE, TWO])
def test_code_that_knows_the_version_decides_as_recorded(
    durable: DurableApi, state: Path, begun: Callable[[DurableApi], str], code: ModuleType
) -> None:
    history = export_history(state, begun(durable))
    assert first_difference(history, code.deliver) is None


def test_what_came_together_with_a_suspension_is_decided_at_the_resumption(
    durable: DurableApi, state: Path
) -> None:
    lines = export_history(state, delivered(durable)).splitlines()
    at = next(number for number, line in enumerate(lines) if json.loads(line)["EventType"] == 15)
    begun, completed = lines[at - 1], event(EventType.ORCHESTRATOR_COMPLETED, 0)
    pause = [event(EventType.EXECUTION_SUSPENDED, 0), completed]
    lines[at + 1 : at + 1] = [
        *map(json.dumps, pause),
        begun,
        json.dumps(event(EventType.EXECUTION_RESUMED, 0)),
    ]
    assert first_difference("\n".join(lines), ONE.deliver) is None


def test_failures_and_retries_are_repeated(durable: DurableApi, state: Path) -> None:
    instance_id = delivered(durable, price=0)
    assert durable.status(instance_id)["runtimeStatus"] == "Failed"
    history = export_history(state, instance_id)
    assert history.count("nothing to ship") > 2
    assert first_difference(history, ONE.deliver) is None


def test_children_are_recorded_on_their_own(durable: DurableApi, state: Path) -> None:
    execution = json.loads(export_history(state, delivered(durable)).splitlines()[1])
    child = f"{execution['OrchestrationInstance']['ExecutionId']}:3"
    assert first_difference(export_history(state, child), ONE.stamped) is None


def test_the_id_and_the_version_of_a_child_are_no_difference(durable: DurableApi, state: Path) -> None:
    parent = durable.begin("with_newer_child")
    durable.wait_for(parent, "Running")
    history = export_history(state, parent)
    assert '"Version": "2.0", "InstanceId": "newer-child"' in history
    assert first_difference(history, ONE.with_newer_child) is None


def test_other_code_is_told_by_its_first_other_decision(durable: DurableApi, state: Path) -> None:
    newer = export_history(state, delivered(durable)).replace('"Version": "1.0"', '"Version": "2.0"')
    difference = first_difference(newer, TWO.deliver, values=False)
    assert difference == (
        "episode 1, after 2 events: task 0 was Activity(name='pay', input_text='{\"price\": 5}'), "
        "the code has Activity(name='discount', input_text='{\"price\": 5}')"
    )


def test_code_that_ends_where_it_went_on_is_told_by_its_end(durable: DurableApi, state: Path) -> None:
    difference = first_difference(export_history(state, delivered(durable)), ONE.stamped)
    assert difference is not None
    assert difference.endswith(
        "the code has End(name=<Status.COMPLETED: 'Completed'>, output_text='\"1.0\"')"
    )


def test_code_that_goes_on_where_it_ended_is_told(durable: DurableApi, state: Path) -> None:
    ended = durable.begin("stamped")
    durable.wait_for(ended)
    difference = first_difference(export_history(state, ended), ONE.generations)
    assert difference is not None
    assert difference.startswith("episode 1, after 2 events: the end was End(")
    assert difference.endswith("the code has None")


@pytest.mark.parametrize(
    ("recorded", "changed"),
    [
        ('"Input": "[\\"{\\\\\\"price\\\\\\": 5}', '"Input": "[\\"{\\\\\\"price\\\\\\": 6}'),
        ('"paid 5\\", \\"shipped', '"paid 5\\", \\"thrown'),
    ],
)
def test_other_values_are_told_where_they_are_asked_for(
    durable: DurableApi, state: Path, recorded: str, changed: str
) -> None:
    history = export_history(state, delivered(durable))
    assert recorded in history
    other = history.replace(recorded, changed)
    assert first_difference(other, ONE.deliver) is not None
    assert first_difference(other, ONE.deliver, values=False) is None


def test_an_instance_without_a_history_is_named(state: Path, durable: DurableApi) -> None:
    with pytest.raises(KeyError, match="has no history of the instance nobody"):
        export_history(state, "nobody")

"""Rewind: a failed instance does again what failed, and only that."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.local.host.harness import DurableApi


def rewound(durable: DurableApi, name: str, value: Any) -> tuple[str, dict[str, Any]]:
    """Let an orchestration fail, rewind it; returns its id and its status at the second end."""
    instance_id = durable.begin(name, value)
    assert durable.wait_for(instance_id)["runtimeStatus"] == "Failed"
    answer = durable.post(instance_id, "rewind", params={"reason": "mended"})
    assert (answer.status_code, answer.content) == (202, b"")
    return instance_id, durable.wait_for(instance_id)


def test_a_failed_activity_is_done_again(durable: DurableApi) -> None:
    instance_id, status = rewound(durable, "flaky_child", {"name": uuid4().hex, "succeeds_at": 2})
    assert (status["runtimeStatus"], status["output"]) == ("Completed", 2)
    assert [event["Data"] for event in durable.events(instance_id, "GenericEvent")] == ["mended"]
    assert len(durable.events(instance_id, "ExecutionCompleted")) == 1


def test_what_had_succeeded_is_not_done_again(durable: DurableApi, counters: Path) -> None:
    counted, flaky = uuid4().hex, {"name": uuid4().hex, "succeeds_at": 2}
    _, status = rewound(
        durable, "count_then_flaky", {"counted": {"name": counted, "succeeds_at": 1}, "flaky": flaky}
    )
    assert status["output"] == [1, 2]
    assert (counters / counted).read_text().splitlines() == ["x"]


def test_a_failed_child_is_rewound_with_its_parent(durable: DurableApi) -> None:
    child = uuid4().hex
    value = {"child": "flaky_child", "input": {"name": uuid4().hex, "succeeds_at": 2}, "id": child}
    _, status = rewound(durable, "parent", value)
    assert (status["runtimeStatus"], status["output"]) == ("Completed", 2)
    assert durable.status(child)["runtimeStatus"] == "Completed"


def test_what_fails_again_fails_the_instance_again(durable: DurableApi) -> None:
    _, status = rewound(durable, "failing", None)
    assert status["runtimeStatus"] == "Failed"
    assert "no such luck" in status["output"]


@pytest.mark.parametrize("times", [2, 3])
def test_an_instance_may_be_rewound_more_than_once(durable: DurableApi, times: int) -> None:
    value = {"name": uuid4().hex, "succeeds_at": times + 1}
    instance_id, status = rewound(durable, "flaky_child", value)
    for _ in range(times - 1):
        assert status["runtimeStatus"] == "Failed"
        durable.post(instance_id, "rewind")
        status = durable.wait_for(instance_id)
    assert status["output"] == times + 1


def test_a_step_with_retries_cannot_be_rewound(durable: DurableApi) -> None:
    """Its timers stay in the history, as far as the provider's source tells; the replay then differs."""
    _, status = rewound(durable, "with_retry_only", {"name": uuid4().hex, "succeeds_at": 9})
    assert "Non-Deterministic workflow detected" in status["output"]

"""The SDK's own client on the host: each of its methods, and what it raises."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.local.host.harness import DurableApi, RunningHost


class Client:
    """Calls the SDK's client inside the app."""

    def __init__(self, host: RunningHost) -> None:
        self._host = host

    def __call__(self, method: str, **arguments: Any) -> Any:
        answer = self._host.session.post(f"{self._host.url}/api/client/{method}", json=arguments)
        if answer.status_code == 500:
            raise AssertionError(answer.text)
        return json.loads(answer.text)


@pytest.fixture
def client(durable_host: RunningHost) -> Client:
    return Client(durable_host)


@pytest.fixture
def waiting(durable: DurableApi, client: Client) -> str:
    """The id of an instance that waits for events."""
    instance_id: str = client("start_new", orchestration_function_name="three_events")
    durable.wait_for(instance_id, "Running")
    return instance_id


@pytest.mark.parametrize("value", [None, 3, "text", [1, "zwei"], {"ä": None}, True])
def test_what_is_given_to_a_start_is_what_the_orchestrator_gets(
    durable: DurableApi, client: Client, value: Any
) -> None:
    instance_id = uuid4().hex
    started = client(
        "start_new", orchestration_function_name="echo_input", instance_id=instance_id, client_input=value
    )
    assert started == instance_id
    assert durable.wait_for(instance_id)["output"] == value


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"orchestration_function_name": "sequenz"}, "Did you mean 'sequence'?"),
        ({"orchestration_function_name": "sequence", "instance_id": "@x"}, "must not start with @"),
    ],
)
def test_an_impossible_start_raises_with_the_reason(
    client: Client, arguments: dict[str, str], said: str
) -> None:
    with pytest.raises(AssertionError, match=said.replace("?", r"\?")):
        client("start_new", **arguments)


def test_a_start_of_a_live_instance_raises(client: Client, waiting: str) -> None:
    with pytest.raises(
        AssertionError, match="An Orchestration instance with the status Running already exists"
    ):
        client("start_new", orchestration_function_name="sequence", instance_id=waiting)


def test_a_status_has_its_history_where_asked(durable: DurableApi, client: Client) -> None:
    instance_id = durable.run("sequence", 1)["instanceId"]
    status = client("status", instance_id=instance_id, show_history=True, show_input=False)
    assert (status["status"], status["output"]) == ("Completed", [0])
    # The SDK puts the events elsewhere than it says, and does not send a false show_input.
    assert (status["history"], status["input"]) == (None, "1")
    assert status["events"] == ["ExecutionStarted", "TaskCompleted", "ExecutionCompleted"]


def test_a_missing_instance_has_a_status_without_one(client: Client) -> None:
    assert client("status", instance_id=uuid4().hex)["status"] is None


@pytest.mark.parametrize(("given", "arrives"), [({"a": 1}, '{"a": 1}'), (None, "null"), ("text", '"text"')])
def test_an_event_arrives_as_json_text(durable: DurableApi, client: Client, given: Any, arrives: str) -> None:
    """Dumped twice and loaded once (azure-functions-durable-python#295)."""
    instance_id = durable.begin("event_or_timeout", 3600)
    durable.wait_for(instance_id, "Running")
    client("raise_event", instance_id=instance_id, event_name="Go", event_data=given)
    assert durable.wait_for(instance_id)["output"] == [arrives, "after"]


@pytest.mark.parametrize("operation", ["raise_event", "terminate", "suspend", "resume", "rewind", "restart"])
def test_an_operation_on_a_missing_instance_raises(client: Client, operation: str) -> None:
    arguments = {"event_name": "Go"} if operation == "raise_event" else {"reason": "test"}
    with pytest.raises(AssertionError, match=r"No instance with ID|unexpected status code 400"):
        client(operation, instance_id=uuid4().hex, **({} if operation == "restart" else arguments))


def test_suspend_resume_and_terminate(durable: DurableApi, client: Client, waiting: str) -> None:
    client("suspend", instance_id=waiting, reason="a break")
    durable.wait_for(waiting, "Suspended")
    client("resume", instance_id=waiting, reason="back")
    durable.wait_for(waiting, "Running")
    client("terminate", instance_id=waiting, reason="enough of it")
    assert durable.wait_for(waiting)["output"] == "enough of it"


def test_rewind_and_restart(durable: DurableApi, client: Client) -> None:
    instance_id = durable.begin("flaky_child", {"name": uuid4().hex, "succeeds_at": 2})
    durable.wait_for(instance_id)
    client("rewind", instance_id=instance_id, reason="again")
    assert durable.wait_for(instance_id)["output"] == 2
    # The SDK promises an id and gives the whole answer back.
    again = client("restart", instance_id=instance_id)
    assert durable.wait_for(again["id"])["output"] == 2
    assert client("restart", instance_id=instance_id, restart_with_new_instance_id=False)["id"] == instance_id


def test_instances_are_found_and_purged_by_time_and_status(durable: DurableApi, client: Client) -> None:
    before = (datetime.now(UTC) - timedelta(seconds=1)).replace(tzinfo=None).isoformat()
    failed = durable.run("failing")["instanceId"]
    done = durable.run("sequence", 0)["instanceId"]
    assert failed in client("instances_of", created_time_from=before, runtime_status=["Failed"])
    assert done not in client("instances_of", created_time_from=before, runtime_status=["Failed"])
    assert {failed, done} <= set(client("instances_of", created_time_from=before))
    assert client("instances_of", created_time_to="2020-01-01T00:00:00") == []
    assert client("purge_by", created_time_from=before, runtime_status=["Failed"]) >= 1
    assert failed not in client("all_instances")
    assert client("purge_by", created_time_from="2030-01-01T00:00:00") == 0


def test_the_links_lead_to_the_instance(durable: DurableApi, client: Client, waiting: str) -> None:
    links = client("links", instance_id=waiting)
    assert links["id"] == waiting
    assert durable.session.get(links["statusQueryGetUri"]).json()["instanceId"] == waiting
    assert durable.session.post(links["suspendPostUri"].replace("{text}", "links")).status_code == 202
    durable.wait_for(waiting, "Suspended")
    assert durable.session.post(links["terminatePostUri"].replace("{text}", "links")).status_code == 202
    durable.wait_for(waiting, "Terminated")
    assert durable.session.delete(links["purgeHistoryDeleteUri"]).json() == {"instancesDeleted": 1}


@pytest.mark.parametrize("call", ["entity", "signal"])
def test_entities_raise(client: Client, call: str) -> None:
    with pytest.raises(AssertionError, match=r"501|The local host does not support entities"):
        client(call)

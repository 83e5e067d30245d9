"""The durable HTTP API: status codes and bodies as the extension's."""

import json
from pathlib import Path
from uuid import uuid4

import pytest

from tests.local.host.harness import APPS, DurableApi, LoopThread, RunningHost


@pytest.fixture
def waiting(durable: DurableApi) -> str:
    """The id of an instance that waits for events."""
    instance_id = durable.begin("three_events")
    durable.wait_for(instance_id, "Running")
    return instance_id


@pytest.fixture
def ended(durable: DurableApi) -> str:
    """The id of an instance that has completed."""
    instance_id: str = durable.run("sequence", 1)["instanceId"]
    return instance_id


def test_a_start_answers_with_the_addresses_of_its_instance(durable: DurableApi) -> None:
    answer = durable.start("sequence", json.dumps("1"), "an id")
    assert answer.status_code == 202
    assert answer.json()["id"] == "an id"
    assert "rewindPostUri" not in answer.json()
    assert answer.headers["Location"] == answer.json()["statusQueryGetUri"]
    assert answer.headers["Retry-After"] == "10"
    durable.wait_for("an id")
    assert durable.session.get(answer.headers["Location"]).json()["runtimeStatus"] == "Completed"


@pytest.mark.parametrize(
    ("name", "instance_id", "body", "message"),
    [
        ("nowhere", None, None, "The function 'nowhere' doesn't exist"),
        ("echo", None, None, "is not an orchestrator function"),
        ("sequence", "@entity", None, "must not start with @"),
        ("sequence", "a%23b", None, "must not start with @ nor contain"),
        ("sequence", "x" * 101, None, "1 to 100 characters, this one has 101"),
        ("sequence", None, "{", "Expecting property name"),
    ],
)
def test_an_impossible_start_answers_400(
    durable: DurableApi, name: str, instance_id: str | None, body: str | None, message: str
) -> None:
    answer = durable.start(name, body, instance_id)
    assert answer.status_code == 400
    assert message in answer.json()["ExceptionMessage"]


def test_a_live_instance_cannot_be_started_again(durable: DurableApi, waiting: str) -> None:
    answer = durable.start("sequence", instance_id=waiting)
    assert answer.status_code == 500
    expected = "An Orchestration instance with the status Running already exists."
    assert answer.json()["ExceptionMessage"] == expected


def test_an_ended_instance_is_silently_replaced(durable: DurableApi, ended: str) -> None:
    durable.begin("fan_out", 2, ended)
    assert durable.wait_for(ended)["name"] == "fan_out"


def test_orchestrator_names_are_case_insensitive(durable: DurableApi) -> None:
    assert durable.run("SeQuence", 1)["output"] == [0]


def test_status_codes_tell_live_ended_and_missing_apart(
    durable: DurableApi, waiting: str, ended: str
) -> None:
    live = durable.session.get(f"{durable.url}/instances/{waiting}")
    assert (live.status_code, live.headers["Retry-After"]) == (202, "5")
    assert durable.session.get(f"{durable.url}/instances/{ended}").status_code == 200
    missing = durable.session.get(f"{durable.url}/instances/none")
    assert (missing.status_code, missing.content) == (404, b"")


def test_a_failed_instance_answers_200_unless_an_error_is_asked_for(durable: DurableApi) -> None:
    url = f"{durable.url}/instances/{durable.run('failing')['instanceId']}"
    assert durable.session.get(url).status_code == 200
    assert durable.session.get(f"{url}?returnInternalServerErrorOnFailure=true").status_code == 500


def test_a_status_shows_input_and_history_as_asked(durable: DurableApi, ended: str) -> None:
    assert durable.status(ended)["input"] == "1"
    hidden = durable.status(ended, showInput="false", showHistory="true")
    assert hidden["input"] is None
    kinds = [event["EventType"] for event in hidden["historyEvents"]]
    assert kinds == ["ExecutionStarted", "TaskCompleted", "ExecutionCompleted"]
    assert all("Input" not in event and "Result" not in event for event in hidden["historyEvents"])
    shown = durable.status(ended, showHistory="true", showHistoryOutput="true")["historyEvents"]
    assert (shown[1]["FunctionName"], shown[1]["Input"], shown[1]["Result"]) == ("double", '["0"]', 0)
    assert shown[2]["Result"] == [0]


def test_an_event_needs_a_live_instance_and_json(durable: DurableApi, waiting: str, ended: str) -> None:
    assert durable.post(waiting, "raiseEvent/Next", json=1).status_code == 202
    assert durable.post(waiting, "raiseEvent/Next", data="1").status_code == 400
    headers = {"Content-Type": "application/json"}
    assert durable.post(waiting, "raiseEvent/Next", data="{", headers=headers).status_code == 400
    assert durable.post(ended, "raiseEvent/Next", json=1).status_code == 410
    assert durable.post("none", "raiseEvent/Next", json=1).status_code == 404


def test_terminate_ends_an_instance_with_its_reason(durable: DurableApi, waiting: str) -> None:
    assert durable.post(waiting, "terminate", params={"reason": "enough"}).status_code == 202
    status = durable.wait_for(waiting)
    assert (status["runtimeStatus"], status["output"]) == ("Terminated", "enough")
    assert durable.post(waiting, "terminate").status_code == 410


def test_a_suspended_instance_holds_its_events_until_it_is_resumed(durable: DurableApi) -> None:
    instance_id = durable.begin("event_or_timeout", 3600)
    durable.wait_for(instance_id, "Running")
    assert durable.post(instance_id, "resume").status_code == 500
    assert durable.post(instance_id, "suspend").status_code == 202
    durable.wait_for(instance_id, "Suspended")
    assert durable.post(instance_id, "suspend").status_code == 500
    durable.post(instance_id, "raiseEvent/Go", json="held")
    assert durable.status(instance_id)["runtimeStatus"] == "Suspended"
    assert durable.post(instance_id, "resume").status_code == 202
    assert durable.wait_for(instance_id)["output"] == ["held", "after"]


def test_a_suspended_instance_can_be_terminated(durable: DurableApi, waiting: str) -> None:
    durable.post(waiting, "suspend")
    durable.wait_for(waiting, "Suspended")
    durable.post(waiting, "terminate")
    assert durable.wait_for(waiting)["runtimeStatus"] == "Terminated"


def test_restart_runs_the_same_input_again(durable: DurableApi, ended: str) -> None:
    again = durable.post(ended, "restart")
    assert again.status_code == 202
    assert durable.wait_for(again.json()["id"])["output"] == [0]
    same = durable.post(ended, "restart", params={"restartWithNewInstanceId": "false"})
    assert same.json()["id"] == ended
    assert durable.post("none", "restart").status_code == 400


def test_purge_forgets_an_ended_instance_and_no_live_one(
    durable: DurableApi, ended: str, waiting: str
) -> None:
    def purge(instance_id: str) -> object:
        return durable.session.delete(f"{durable.url}/instances/{instance_id}").json()

    assert purge(ended) == {"instancesDeleted": 1}
    assert durable.session.get(f"{durable.url}/instances/{ended}").status_code == 404
    assert purge(waiting) == {"instancesDeleted": 0}
    assert durable.session.delete(f"{durable.url}/instances/{ended}").status_code == 404


def test_many_instances_are_listed_in_pages_and_purged_by_filter(durable: DurableApi) -> None:
    prefix = uuid4().hex
    for number in range(3):
        durable.begin("sequence", 0, f"{prefix}-{number}")
        durable.wait_for(f"{prefix}-{number}")
    query = {"instanceIdPrefix": prefix, "runtimeStatus": "Completed,Failed", "top": "2"}
    first = durable.session.get(f"{durable.url}/instances/", params=query)
    assert [item["instanceId"] for item in first.json()] == [f"{prefix}-0", f"{prefix}-1"]
    token = {"x-ms-continuation-token": first.headers["x-ms-continuation-token"]}
    second = durable.session.get(f"{durable.url}/instances/", params=query, headers=token)
    assert [item["instanceId"] for item in second.json()] == [f"{prefix}-2"]
    assert second.headers["x-ms-continuation-token"] == ""
    assert durable.session.delete(f"{durable.url}/instances/", params=query).status_code == 400


def test_a_purge_goes_by_times_and_statuses_and_not_by_the_prefix_of_ids(durable: DurableApi) -> None:
    ended = durable.run("failing")["instanceId"]
    query = {
        "createdTimeFrom": "2020-01-01T00:00:00Z",
        "runtimeStatus": "Failed",
        "instanceIdPrefix": "nothing",
    }
    purged = durable.session.delete(f"{durable.url}/instances/", params=query)
    assert purged.json()["instancesDeleted"] >= 1
    assert durable.session.get(f"{durable.url}/instances/{ended}").status_code == 404
    assert durable.session.delete(f"{durable.url}/instances/", params=query).status_code == 404
    query["createdTimeTo"] = "2020-01-02T00:00:00Z"
    del query["runtimeStatus"]
    assert durable.session.delete(f"{durable.url}/instances/", params=query).status_code == 404


def test_parameters_that_cannot_be_parsed_are_as_if_not_sent(durable: DurableApi, ended: str) -> None:
    query = {
        "instanceIdPrefix": ended,
        "top": "many",
        "createdTimeFrom": "soon",
        "runtimeStatus": "Odd",
        "showInput": "?",
    }
    listed = durable.session.get(f"{durable.url}/instances/", params=query)
    assert [item["input"] for item in listed.json()] == ["1"]


@pytest.mark.parametrize("showInput", ["true", "false"])
def test_a_list_shows_inputs_as_asked(durable: DurableApi, ended: str, showInput: str) -> None:  # noqa: N803
    query = {"instanceIdPrefix": ended, "showInput": showInput}
    (item,) = durable.session.get(f"{durable.url}/instances", params=query).json()
    assert item["input"] == ("1" if showInput == "true" else None)


@pytest.mark.parametrize(
    ("name", "value", "timeout", "status", "body"),
    [
        ("sequence", 2, "10", 200, [0, 2]),
        ("event_or_timeout", 3600, "0.05", 202, None),
        ("failing", None, "10", 200, None),
    ],
)
def test_a_start_may_wait_for_the_end(
    durable: DurableApi, name: str, value: object, timeout: str, status: int, body: object
) -> None:
    url = f"{durable.url}/orchestrators/{name}?timeout={timeout}&pollingInterval=0.01"
    answer = durable.session.post(url, json=json.dumps(value))
    assert answer.status_code == status
    if body is not None:
        assert answer.json() == body
    elif status == 200:
        assert answer.json()["runtimeStatus"] == "Failed"
    else:
        durable.post(answer.json()["id"], "terminate")


def test_a_start_that_would_poll_less_often_than_it_waits_is_refused(durable: DurableApi) -> None:
    url = f"{durable.url}/orchestrators/sequence?timeout=1&pollingInterval=2"
    answer = durable.session.post(url, json="1")
    assert answer.status_code == 400
    assert "should be bigger than retry timeout" in answer.json()["ExceptionMessage"]


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "counter"), ("GET", "counter/a"), ("POST", "counter/a?op=add")]
)
def test_entities_are_refused_by_name(durable: DurableApi, method: str, path: str) -> None:
    answer = durable.session.request(method, f"{durable.url}/entities/{path}")
    assert answer.status_code == 501
    assert answer.json()["ExceptionMessage"] == "The local host does not support entities."


def test_the_sdk_client_starts_raises_and_links(durable_host: RunningHost, durable: DurableApi) -> None:
    url = f"{durable_host.url}/api/through-the-client/event_or_timeout"
    answer = durable_host.session.post(url)
    assert answer.status_code == 202
    assert durable.wait_for(answer.json()["id"])["output"] == "timed out"
    status = durable_host.session.get(answer.headers["Location"])
    assert status.json()["runtimeStatus"] == "Completed"


def test_an_unknown_orchestrator_raises_in_the_sdk_client(durable_host: RunningHost) -> None:
    url = f"{durable_host.url}/api/through-the-client/nowhere"
    assert durable_host.session.post(url).status_code == 500


def test_any_state_lets_a_start_replace_a_live_instance(
    loop: LoopThread, counters: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    setting = "AzureFunctionsJobHost__extensions__durableTask__overridableExistingInstanceStates"
    monkeypatch.setenv(setting, "AnyState")
    with RunningHost(loop, APPS / "durable", tmp_path) as host:
        durable = DurableApi(host.url, host.session)
        durable.begin("three_events", None, "one")
        durable.wait_for("one", "Running")
        durable.begin("sequence", 1, "one")
        assert durable.wait_for("one")["output"] == [0]

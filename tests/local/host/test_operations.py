"""Each operation of the durable HTTP API on an instance in each state: codes and bodies as the extension's."""

from typing import Any
from uuid import uuid4

import pytest

from tests.local.host.harness import DurableApi

ENDED = ("Completed", "Failed", "Terminated")
LIVE = ("Running", "Suspended")
REWIND = "The rewind operation is only supported on failed orchestration instances."
EXISTS = "An Orchestration instance with the status Running already exists."


def instance_in(durable: DurableApi, state: str) -> str:
    """Return the id of an instance in this state; of none for the state `missing`."""
    match state:
        case "missing":
            return uuid4().hex
        case "Completed":
            return str(durable.run("sequence", 1)["instanceId"])
        case "Failed":
            return str(durable.run("failing")["instanceId"])
    instance_id = durable.begin("three_events")
    durable.wait_for(instance_id, "Running")
    if state != "Running":
        durable.post(instance_id, {"Suspended": "suspend", "Terminated": "terminate"}[state])
        durable.wait_for(instance_id, state)
    return instance_id


def rows(method: str, operation: str, answers: dict[tuple[str, ...], tuple[int, Any]]) -> list[Any]:
    return [
        pytest.param(method, operation, state, code, body, id=f"{operation or method}-{state}")
        for states, (code, body) in answers.items()
        for state in states
    ]


TABLE = [
    *rows("GET", "", {LIVE: (202, ...), ENDED: (200, ...), ("missing",): (404, None)}),
    *rows(
        "GET",
        "?returnInternalServerErrorOnFailure=true",
        {("Completed", "Terminated"): (200, ...), ("Failed",): (500, ...), ("Running",): (202, ...)},
    ),
    *rows("POST", "raiseEvent/Go", {LIVE: (202, None), ENDED: (410, None), ("missing",): (404, None)}),
    *rows("POST", "terminate", {LIVE: (202, None), ENDED: (410, None), ("missing",): (404, None)}),
    *rows(
        "POST",
        "suspend",
        {
            ("Running",): (202, None),
            ("Suspended",): (500, "Cannot suspend orchestration instance in Suspended state."),
            ENDED: (410, None),
            ("missing",): (404, None),
        },
    ),
    *rows(
        "POST",
        "resume",
        {
            ("Suspended",): (202, None),
            ("Running",): (500, "Cannot resume orchestration instance in Running state."),
            ENDED: (410, None),
            ("missing",): (404, None),
        },
    ),
    *rows(
        "POST",
        "rewind",
        {
            ("Failed",): (202, None),
            LIVE: (500, REWIND),
            ("Completed", "Terminated"): (410, None),
            ("missing",): (404, None),
        },
    ),
    *rows("POST", "restart", {(*LIVE, *ENDED): (202, ...), ("missing",): (400, "was not found")}),
    *rows("POST", "restart?restartWithNewInstanceId=false", {("Running",): (500, EXISTS), ENDED: (202, ...)}),
    *rows(
        "DELETE",
        "",
        {
            ENDED: (200, {"instancesDeleted": 1}),
            LIVE: (200, {"instancesDeleted": 0}),
            ("missing",): (404, None),
        },
    ),
]


@pytest.mark.parametrize(("method", "operation", "state", "code", "body"), TABLE)
def test_an_operation_answers_as_the_extension(
    durable: DurableApi, method: str, operation: str, state: str, code: int, body: Any
) -> None:
    instance_id = instance_in(durable, state)
    separator = "" if operation.startswith("?") or not operation else "/"
    url = f"{durable.url}/instances/{instance_id}{separator}{operation}"
    answer = durable.session.request(method, url, json=1 if "raiseEvent" in operation else None)
    assert answer.status_code == code
    match body:
        case None:
            assert answer.content == b""
        case str():
            assert body in answer.json()["ExceptionMessage"]
        case dict():
            assert answer.json() == body
        case _:
            assert answer.json().get("instanceId", answer.json().get("id"))
    if state in LIVE:
        durable.post(instance_id, "terminate")

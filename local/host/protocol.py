"""The JSON protocol between the durable extension and the azure-functions-durable 1.x SDK.

Facts are from the SDK's source and from the extension and DurableTask.Core sources it was written against.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, NoReturn, TypeAlias

from local.host.clock import to_iso

Event: TypeAlias = dict[str, Any]
Action: TypeAlias = dict[str, Any]

OUT_OF_PROCESS_LABEL = "\n\n$OutOfProcData$:"
HTTP_ACTIVITY = "BuiltIn::HttpActivity"  # the extension's own, behind call_http
CUSTOM_STATUS_LIMIT = 16 * 1024  # bytes of UTF-16

# Schema 1 is the highest number that old SDKs understand; newer ones read the "New" field. The timer limits
# are those of the Azure Storage provider: with them the SDK refuses naive datetimes, as it does on Azure.
_PAYLOAD_CONSTANTS = {
    "upperSchemaVersion": 1,
    "upperSchemaVersionNew": 2,
    "longRunningTimerIntervalDuration": "3.00:00:00",
    "maximumShortTimerDuration": "6.00:00:00",
    "defaultHttpAsyncRequestSleepTimeMillseconds": 30000,
}


class RaisedElsewhere(Exception):
    """What a function raised in another process; the message is `Type: text`."""


class EventType(IntEnum):
    """History events, as DurableTask.Core numbers them."""

    EXECUTION_STARTED = 0
    EXECUTION_COMPLETED = 1
    EXECUTION_FAILED = 2
    EXECUTION_TERMINATED = 3
    TASK_SCHEDULED = 4
    TASK_COMPLETED = 5
    TASK_FAILED = 6
    SUB_ORCHESTRATION_INSTANCE_CREATED = 7
    SUB_ORCHESTRATION_INSTANCE_COMPLETED = 8
    SUB_ORCHESTRATION_INSTANCE_FAILED = 9
    TIMER_CREATED = 10
    TIMER_FIRED = 11
    ORCHESTRATOR_STARTED = 12
    ORCHESTRATOR_COMPLETED = 13
    EVENT_RAISED = 15
    GENERIC_EVENT = 17
    EXECUTION_SUSPENDED = 19
    EXECUTION_RESUMED = 20

    @property
    def title(self) -> str:
        """The event's name in status answers, such as TaskCompleted."""
        return self.name.title().replace("_", "")


class ActionType(IntEnum):
    """What the SDK asks the extension to do."""

    CALL_ACTIVITY = 0
    CALL_ACTIVITY_WITH_RETRY = 1
    CALL_SUB_ORCHESTRATOR = 2
    CALL_SUB_ORCHESTRATOR_WITH_RETRY = 3
    CONTINUE_AS_NEW = 4
    CREATE_TIMER = 5
    WAIT_FOR_EXTERNAL_EVENT = 6
    CALL_ENTITY = 7
    CALL_HTTP = 8
    SIGNAL_ENTITY = 9
    SCHEDULED_SIGNAL_ENTITY = 10
    WHEN_ANY = 11
    WHEN_ALL = 12


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the SDK returned from one replay: all actions since the start, and how far the code came."""

    done: bool = False
    actions: Sequence[Action] = field(default_factory=list)
    output: Any = None
    error: str | None = None
    custom_status: Any = None

    @property
    def ended(self) -> bool:
        """Whether the orchestrator's code has run to its end, well or badly."""
        return self.done or self.error is not None


def event(kind: EventType, at: float, **fields: Any) -> Event:
    """Return a new history event of `kind` at `at` (epoch seconds), not yet played."""
    return {"EventType": int(kind), "EventId": -1, "IsPlayed": False, "Timestamp": to_iso(at), **fields}


def execution_started(
    name: str,
    instance_id: str,
    execution_id: str,
    *,
    at: float,
    version: str,
    input_text: str | None,
    parent: tuple[str, int] | None,
) -> Event:
    """Return the first event of an execution; `parent` is the parent's instance id and the task id there."""
    parent_instance = parent and {
        "TaskScheduleId": parent[1],
        "OrchestrationInstance": {"InstanceId": parent[0]},
    }
    return event(
        EventType.EXECUTION_STARTED,
        at,
        Name=name,
        Version=version,
        Input=input_text,
        Tags=None,
        OrchestrationInstance={"InstanceId": instance_id, "ExecutionId": execution_id},
        ParentInstance=parent_instance,
    )


def told(error: Exception) -> str:
    """Return an error as the worker tells the host of it: `Type: text`."""
    return str(error) if isinstance(error, RaisedElsewhere) else f"{type(error).__name__}: {error}"


def activity_failed(name: str, error: Exception, task_id: int, at: float) -> Event:
    """Return a TaskFailed event with the extension's texts: two spaces after `failed:`, as on Azure."""
    text = f" {told(error)}"
    reason = str(error) if name == HTTP_ACTIVITY else f"Activity function '{name}' failed: {text}"
    details = {"$type": "System.Exception, System.Private.CoreLib", "Message": text}
    return event(
        EventType.TASK_FAILED,
        at,
        TaskScheduledId=task_id,
        Reason=reason,
        Details=json.dumps(details),
    )


def orchestrator_payload(
    instance_id: str,
    parent_id: str | None,
    input_text: str | None,
    past: Sequence[str],
    new: Sequence[Event],
) -> str:
    """Return the orchestrationTrigger payload.

    `input_text` is JSON or None; `past` holds already serialised events, which are joined as they are.
    """
    head = json.dumps(
        {
            "instanceId": instance_id,
            "parentInstanceId": parent_id,
            "isReplaying": bool(past),
            **_PAYLOAD_CONSTANTS,
        }
    )
    history = ",".join([*past, *map(json.dumps, new)])
    return f'{head[:-1]},"input":{input_text or "null"},"history":[{history}]}}'


def parse_answer(text: str) -> Answer:
    """Parse what the SDK returned; raises ValueError when it is no JSON that the extension would accept."""
    state = json.loads(text, parse_constant=_refuse_constant)
    custom_status = state.get("customStatus")
    if custom_status is not None and len(json.dumps(custom_status).encode("utf-16-le")) > CUSTOM_STATUS_LIMIT:
        raise ValueError("the custom status is larger than 16 KiB of UTF-16; Azure refuses it")
    return Answer(
        done=state["isDone"],
        actions=state["actions"][0] if state["actions"] else [],
        output=state.get("output"),
        error=state.get("error"),
        custom_status=custom_status,
    )


def parse_failure(failure: Exception) -> Answer:
    """Return the answer inside an exception raised by the SDK; one of unknown origin carries no actions."""
    _, label, state = str(failure).rpartition(OUT_OF_PROCESS_LABEL)
    if not label:
        return Answer(error=told(failure))
    try:
        return parse_answer(state)
    except ValueError as invalid:
        return Answer(error=str(invalid))


def require_json(text: str) -> str:
    """Return `text` if it is JSON as .NET reads it; raises ValueError for NaN and the infinities."""
    if "NaN" in text or "Infinity" in text:
        json.loads(text, parse_constant=_refuse_constant)
    return text


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON; return null or a string instead")

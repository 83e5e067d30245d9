"""An instance's history as the durable status API shows it."""

import json
from collections.abc import Sequence

from local.host.protocol import Event, EventType

_SCHEDULED = (EventType.TASK_SCHEDULED, EventType.SUB_ORCHESTRATION_INSTANCE_CREATED)
_ENDED = (
    EventType.TASK_COMPLETED,
    EventType.TASK_FAILED,
    EventType.SUB_ORCHESTRATION_INSTANCE_COMPLETED,
    EventType.SUB_ORCHESTRATION_INSTANCE_FAILED,
)
_BRACKETS = (EventType.ORCHESTRATOR_STARTED, EventType.ORCHESTRATOR_COMPLETED)
_HIDDEN = (
    *("EventId", "IsPlayed", "TimerId", "TaskScheduledId"),
    *("OrchestrationInstance", "ParentInstance", "Version", "Tags"),
)


def history_view(texts: Sequence[str], *, show_output: bool, show_input: bool) -> list[Event]:
    """Return the events for people: by name, with what was scheduled folded into how it ended."""
    scheduled: dict[int, Event] = {}
    shown: list[Event] = []
    for event in map(json.loads, texts):
        if event["EventType"] in _SCHEDULED:
            scheduled[event["EventId"]] = event
        elif event["EventType"] in _ENDED:
            shown.append(event | _origin(scheduled.pop(event["TaskScheduledId"], {})))
        elif event["EventType"] not in _BRACKETS:
            shown.append(event)
    return [_view(event, show_output, show_input) for event in [*shown, *scheduled.values()]]


def _origin(scheduled: Event) -> Event:
    return {
        "ScheduledTime": scheduled.get("Timestamp"),
        "FunctionName": scheduled.get("Name"),
        "Input": scheduled.get("Input"),
    }


def _view(event: Event, show_output: bool, show_input: bool) -> Event:
    view = {key: value for key, value in event.items() if key not in _HIDDEN}
    view["EventType"] = EventType(event["EventType"]).title
    if event["EventType"] == EventType.EXECUTION_STARTED:
        view["FunctionName"] = view.pop("Name")
    if not show_input:
        view.pop("Input", None)
    if "Result" in view:
        result = view.pop("Result")
        if show_output:
            view["Result"] = json.loads(result) if result else None
    return view

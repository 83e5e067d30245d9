"""One episode of an orchestration, decided: from its history and the SDK's answer to what becomes of it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from local.host.instances import Instance, Status
from local.host.protocol import Answer, Event, EventType
from local.host.replay import (
    Activity,
    ContinueAsNew,
    NonDeterministicError,
    Replay,
    Step,
    SubOrchestration,
    UnsupportedActionError,
)

HANDED_OUT = (
    "the host has handed out everything that the code asked for, the SDK still waits: does the name of an event differ "
    "in upper and lower case from the awaited one?"
)


class Catalog(Protocol):
    """Which functions there are; names are case-insensitive."""

    def knows_activity(self, name: str) -> bool: ...

    def knows_orchestrator(self, name: str) -> bool: ...

    def activity_like(self, name: str, /) -> str | None:
        """Return the activity that a name without one probably means."""

    def orchestrator_like(self, name: str, /) -> str | None:
        """Return the orchestrator that a name without one probably means."""


def did_you_mean(name: str | None) -> str:
    """Return the sentence that suggests `name`, with a space before it."""
    return f" Did you mean '{name}'?" if name else ""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What an episode comes to: the instance's new state and the steps to schedule, by task id."""

    status: Status
    output_text: str | None = None
    custom_status_text: str | None = None
    steps: Mapping[int, Step] = field(default_factory=dict)
    continued: ContinueAsNew | None = None
    carried: Sequence[Event] = ()
    next_id: int = 0
    warnings: Sequence[str] = ()


def termination(new_events: Sequence[Event]) -> Outcome | None:
    """Return the end of an instance that these events terminate, or None."""
    for event in new_events:
        if event["EventType"] == EventType.EXECUTION_TERMINATED:
            return Outcome(status=Status.TERMINATED, output_text=event["Input"])
    return None


def is_suspended(instance: Instance, new_events: Sequence[Event]) -> bool:
    """Whether the instance stands still after these events."""
    suspended = instance.status == Status.SUSPENDED
    for event in new_events:
        if event["EventType"] in (EventType.EXECUTION_SUSPENDED, EventType.EXECUTION_RESUMED):
            suspended = event["EventType"] == EventType.EXECUTION_SUSPENDED
    return suspended


def decide(instance: Instance, events: Sequence[Event], answer: Answer, catalog: Catalog) -> Outcome:
    """Replay the SDK's answer against the whole history and return what to do."""
    custom_status = None if answer.custom_status is None else json.dumps(answer.custom_status)
    replay = Replay(answer.actions)
    try:
        for event in events:
            replay.feed(event)
    except (NonDeterministicError, UnsupportedActionError) as refusal:
        return _failure(instance, str(refusal), custom_status)
    problem = _unschedulable(replay.unscheduled, instance, catalog)
    if problem:
        return _failure(instance, problem, custom_status)
    status, output = _state(instance, replay, answer)
    return Outcome(
        status=status,
        output_text=output,
        custom_status_text=custom_status,
        steps=replay.unscheduled,
        continued=replay.continued if replay.finished and not replay.open else None,
        carried=replay.carried,
        next_id=replay.next_id,
        warnings=_warnings(replay, answer) if status.live else (),
    )


def _failure(instance: Instance, problem: str, custom_status: str | None) -> Outcome:
    text = f"Orchestrator function '{instance.name}' failed: {problem}"
    return Outcome(status=Status.FAILED, output_text=json.dumps(text), custom_status_text=custom_status)


def _state(instance: Instance, replay: Replay, answer: Answer) -> tuple[Status, str | None]:
    """As DurableTask.Core: no orchestration ends while one of its activities, timers or children is open."""
    if not (answer.ended and replay.finished) or replay.open or replay.continued:
        return Status.RUNNING, None
    if answer.error is not None:
        return Status.FAILED, json.dumps(f"Orchestrator function '{instance.name}' failed: {answer.error}")
    return Status.COMPLETED, None if answer.output is None else json.dumps(answer.output)


def _unschedulable(steps: Mapping[int, Step], instance: Instance, catalog: Catalog) -> str | None:
    ancestors = {instance.instance_id.lower()}
    if instance.parent:
        ancestors.add(instance.parent.instance_id.lower())
    for step in steps.values():
        if isinstance(step, Activity) and not catalog.knows_activity(step.name):
            hint = did_you_mean(catalog.activity_like(step.name))
            return f"The function '{step.name}' doesn't exist or is not an activity function.{hint}"
        if not isinstance(step, SubOrchestration):
            continue
        if not catalog.knows_orchestrator(step.name):
            hint = did_you_mean(catalog.orchestrator_like(step.name))
            return f"The function '{step.name}' doesn't exist or is not an orchestrator function.{hint}"
        if (step.instance_id or "").lower() in ancestors:
            return f"The sub-orchestration id {step.instance_id!r} is that of its parent or grandparent."
    return None


def _warnings(replay: Replay, answer: Answer) -> list[str]:
    warnings = []
    if replay.actions_ahead:
        warnings.append(
            f"the SDK ran {replay.actions_ahead} action(s) ahead of the host; on Azure results get mixed up: "
            "do not go on after a failed task_all, and cancel the timers you no longer wait for"
        )
    if answer.ended and not replay.finished and not replay.open:
        warnings.append(
            "the SDK has finished but the host still waits for an event, so the instance stays Running; "
            "on Azure too: start to wait before anything can send, or use one event name per message"
        )
    if not replay.open and not replay.waits_for_event and not replay.continued:
        hint = f"; {HANDED_OUT}" if answer.actions and not answer.ended else ""
        warnings.append(
            f"the instance is Running with nothing outstanding: nothing will ever move it on{hint}"
        )
    return warnings

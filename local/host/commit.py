"""Writes the outcome of an episode; runs inside one transaction."""

import json
import time
from collections.abc import Sequence

from local.host.clock import to_iso
from local.host.episode import Outcome
from local.host.instances import Instance, Parent, Status
from local.host.protocol import Event, EventType, event
from local.host.replay import Activity, Step, SubOrchestration, Timer
from local.host.store import Message, Store

_ORCHESTRATION_STATUS = {Status.COMPLETED: 1, Status.FAILED: 3, Status.TERMINATED: 5}


def commit(
    store: Store,
    instance: Instance,
    messages: Sequence[Message],
    position: int,
    new_events: Sequence[Event],
    outcome: Outcome,
    default_version: str,
) -> None:
    """Consume the messages, schedule the steps, extend the history from `position`, update the instance."""
    instance_id, now = instance.instance_id, time.time()
    store.consume(messages)
    store.update(instance_id, outcome.status, outcome.output_text, outcome.custom_status_text)
    if outcome.continued:
        store.start_over(instance, json.dumps(outcome.continued.input_text), outcome.carried)
        return
    scheduled = [
        _schedule(store, instance, task_id, step, default_version)
        for task_id, step in sorted(outcome.steps.items())
    ]
    closing = [] if outcome.status.live else [_completed(outcome, now)]
    episode = [*new_events, *scheduled, *closing, event(EventType.ORCHESTRATOR_COMPLETED, now)]
    store.append_history(instance_id, position, episode)
    if not outcome.status.live:
        store.drop_messages(instance_id)
        _tell_parent(store, instance, outcome)


def _completed(outcome: Outcome, now: float) -> Event:
    completed = event(
        EventType.EXECUTION_COMPLETED,
        now,
        OrchestrationStatus=_ORCHESTRATION_STATUS[outcome.status],
        Result=outcome.output_text,
    )
    return completed | {"EventId": outcome.next_id}


def _schedule(store: Store, instance: Instance, task_id: int, step: Step, default_version: str) -> Event:
    match step:
        case Activity():
            scheduled = _schedule_activity(store, instance, task_id, step)
        case Timer():
            scheduled = _schedule_timer(store, instance, task_id, step)
        case SubOrchestration():
            scheduled = _schedule_child(store, instance, task_id, step, default_version)
    return scheduled | {"EventId": task_id}


def _schedule_activity(store: Store, instance: Instance, task_id: int, step: Activity) -> Event:
    store.queue_activity(instance, task_id, step.name, step.input_text)
    return event(
        EventType.TASK_SCHEDULED,
        time.time(),
        Name=step.name,
        Version="",
        Input=json.dumps([step.input_text]),
    )


def _schedule_timer(store: Store, instance: Instance, task_id: int, step: Timer) -> Event:
    fire_at = to_iso(step.fire_at)
    fired = event(EventType.TIMER_FIRED, step.fire_at, TimerId=task_id, FireAt=fire_at)
    store.send(instance.instance_id, fired, instance.execution_id, due=step.fire_at)
    return event(EventType.TIMER_CREATED, time.time(), FireAt=fire_at)


def _schedule_child(
    store: Store, instance: Instance, task_id: int, step: SubOrchestration, default_version: str
) -> Event:
    child_id = step.instance_id or f"{instance.execution_id}:{task_id}"
    version = step.version or default_version
    parent = Parent(instance.instance_id, instance.execution_id, task_id)
    existing = store.instance(child_id)
    if existing and existing.status.live:
        refusal = f"An Orchestration instance with the status {existing.status} already exists."
        _send_failure(store, parent, refusal)
    else:
        store.create(child_id, step.name, version, json.dumps(step.input_text), parent)
    return event(
        EventType.SUB_ORCHESTRATION_INSTANCE_CREATED,
        time.time(),
        Name=step.name,
        Version=version,
        InstanceId=child_id,
        Input=json.dumps(step.input_text),
    )


def _tell_parent(store: Store, instance: Instance, outcome: Outcome) -> None:
    if instance.parent is None:
        return
    if outcome.status == Status.COMPLETED:
        completed = event(
            EventType.SUB_ORCHESTRATION_INSTANCE_COMPLETED,
            time.time(),
            TaskScheduledId=instance.parent.task_id,
            Result=outcome.output_text,
        )
        store.send(instance.parent.instance_id, completed, instance.parent.execution_id)
    else:
        _send_failure(
            store, instance.parent, str(json.loads(outcome.output_text or "null") or outcome.status)
        )


def _send_failure(store: Store, parent: Parent, reason: str) -> None:
    failed = event(
        EventType.SUB_ORCHESTRATION_INSTANCE_FAILED,
        time.time(),
        TaskScheduledId=parent.task_id,
        Reason=reason,
        Details="",
    )
    store.send(parent.instance_id, failed, parent.execution_id)

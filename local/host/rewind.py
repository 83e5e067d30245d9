"""Rewind: takes the failures out of a failed instance's history, so that what failed is done again.

As the Azure Storage provider: failed activities are forgotten and scheduled anew, failed children are rewound
themselves. The timers of a retried step stay, so its replay differs from its history and the instance fails again.
"""

import json
import time

from local.host.instances import Instance, Status
from local.host.protocol import Event, EventType, event
from local.host.store import Store


def rewind(store: Store, instance: Instance, reason: str | None) -> None:
    """Let a failed instance, and its failed children, go on; runs inside one transaction."""
    history: list[Event] = [json.loads(text) for text in store.history(instance.instance_id)]
    failed = _ids(history, EventType.TASK_FAILED)
    failed_children = _ids(history, EventType.SUB_ORCHESTRATION_INSTANCE_FAILED)
    kept = [each for each in history if not _forgotten(each, failed)]
    store.replace_history(instance.instance_id, kept)
    store.update(instance.instance_id, Status.PENDING, None, None)
    for created in kept:
        if created["EventType"] != EventType.SUB_ORCHESTRATION_INSTANCE_CREATED:
            continue
        child = store.instance(created["InstanceId"]) if created["EventId"] in failed_children else None
        if child and child.status == Status.FAILED:
            rewind(store, child, reason)
    if failed or not failed_children:
        rewound = event(EventType.GENERIC_EVENT, time.time(), Data=reason)
        store.send(instance.instance_id, rewound, instance.execution_id)


def _ids(history: list[Event], kind: EventType) -> set[int]:
    return {each["TaskScheduledId"] for each in history if each["EventType"] == kind}


def _forgotten(each: Event, failed: set[int]) -> bool:
    match each["EventType"]:
        case EventType.TASK_SCHEDULED:
            return each["EventId"] in failed
        case EventType.TASK_FAILED | EventType.SUB_ORCHESTRATION_INSTANCE_FAILED:
            return True
        case EventType.EXECUTION_COMPLETED:
            return True
    return False

"""The durable engine: runs orchestrator episodes and activities from the store, and survives being killed.

One episode is one transaction and one activity result is another, so an orchestration's state is exactly
once and its activities are at least once; to resume is to start.
"""

import json
import logging
import time
from collections.abc import Sequence
from typing import Protocol

from local.host.commit import commit
from local.host.doorbell import Doorbell
from local.host.episode import Catalog, Outcome, decide, is_suspended, termination
from local.host.fail_points import Moment, reach
from local.host.instances import Instance, Status
from local.host.invocation import WorkerLost
from local.host.protocol import (
    Answer,
    Event,
    EventType,
    activity_failed,
    event,
    orchestrator_payload,
    parse_answer,
    parse_failure,
)
from local.host.store import Message, QueuedActivity, Store
from local.host.versions import MISMATCH, FailureStrategy, Versioning
from local.host.work import RunningWork

LONG_HISTORY = 1000
logger = logging.getLogger(__name__)


class Functions(Catalog, Protocol):
    """The app's orchestrators and activities, called with the protocol's texts; calls may raise WorkerLost."""

    async def run_orchestrator(self, name: str, payload: str) -> str: ...

    async def run_activity(self, name: str, input_text: str | None) -> str | None: ...


class Engine:
    """Runs what the store holds until stopped; lives on one event loop."""

    def __init__(
        self,
        store: Store,
        functions: Functions,
        work: RunningWork,
        *,
        max_orchestrators: int = 10,
        max_activities: int = 10,
        versioning: Versioning | None = None,
    ) -> None:
        self.store = store
        self._functions = functions
        self._work = work
        self._max_orchestrators = max_orchestrators
        self._max_activities = max_activities
        self._versioning = versioning or Versioning()
        self._bell = Doorbell()
        self._orchestrating: set[str] = set()
        self._acting: set[int] = set()
        self._rejected: set[str] = set()

    def wake(self) -> None:
        """Look at the store again: something was written."""
        self._bell.ring()

    async def run(self) -> None:
        """Start whatever is due, for ever; cancel to stop taking work."""
        while True:
            now = time.time()
            self._start_episodes(now)
            self._start_activities()
            # From the same moment on: what became due in between must not be missed.
            await self._bell.wait(until=self.store.next_due(now))

    def _start_episodes(self, now: float) -> None:
        taken = self._orchestrating | self._rejected
        for instance_id in self.store.due_instances(now, self._max_orchestrators + len(taken)):
            if instance_id not in taken and len(self._orchestrating) < self._max_orchestrators:
                self._orchestrating.add(instance_id)
                self._work.start(self._run_episode(instance_id))

    def _start_activities(self) -> None:
        for activity in self.store.queued_activities(self._max_activities + len(self._acting)):
            if activity.number not in self._acting and len(self._acting) < self._max_activities:
                self._acting.add(activity.number)
                self._work.start(self._run_activity(activity))

    async def _run_activity(self, activity: QueuedActivity) -> None:
        try:
            finished = await self._activity_result(activity)
            reach(activity.name, Moment.KNOWN)
            with self.store.state.transaction():
                self.store.finish_activity(activity, finished)
            reach(activity.name, Moment.WRITTEN)
        except WorkerLost as lost:
            logger.warning("activity %s of %s runs again: %s", activity.name, activity.instance_id, lost)
        finally:
            self._acting.discard(activity.number)
            self.wake()

    async def _activity_result(self, activity: QueuedActivity) -> Event:
        try:
            result = await self._functions.run_activity(activity.name, activity.input_text)
        except WorkerLost:
            raise
        except Exception as error:  # noqa: BLE001 - whatever an activity raises is its orchestrator's to handle
            logger.warning("activity %s of %s failed: %r", activity.name, activity.instance_id, error)
            return activity_failed(activity.name, error, activity.task_id, time.time())
        return event(EventType.TASK_COMPLETED, time.time(), TaskScheduledId=activity.task_id, Result=result)

    async def _run_episode(self, instance_id: str) -> None:
        try:
            await self._episode(instance_id)
        except WorkerLost as lost:
            logger.warning("the episode of orchestration %s is repeated: %s", instance_id, lost)
        finally:
            self._orchestrating.discard(instance_id)
            self.wake()

    async def _episode(self, instance_id: str) -> None:
        now = time.time()
        instance = self.store.instance(instance_id)
        messages = self.store.due_messages(instance_id, now)
        if instance is None or not instance.status.live:
            return self._discard(messages)
        if self._rejects(instance):
            return None
        past = self.store.history(instance_id)
        arrived = _in_order(instance, messages)
        if not arrived:
            return self._discard(messages)
        new = [event(EventType.ORCHESTRATOR_STARTED, now), *arrived]
        outcome = await self._outcome(instance, past, new)
        reach(instance.name, Moment.KNOWN)
        with self.store.state.transaction():
            commit(self.store, instance, messages, len(past), new, outcome, self._versioning.default)
        reach(instance.name, Moment.WRITTEN)
        _log(instance, outcome, len(past), len(past) + len(new))
        return None

    def _rejects(self, instance: Instance) -> bool:
        """Whether the instance is left as it is, its messages unread, for as long as this host lives."""
        rules = self._versioning
        if rules.failure != FailureStrategy.REJECT or rules.takes(instance.version):
            return False
        self._rejected.add(instance.instance_id)
        logger.warning(
            "orchestration %s %s of version %r is left for another host: this one has %r and takes %s",
            *(instance.name, instance.instance_id, instance.version, rules.default, rules.match),
        )
        return True

    def _discard(self, messages: Sequence[Message]) -> None:
        with self.store.state.transaction():
            self.store.consume(messages)

    async def _outcome(self, instance: Instance, past: Sequence[str], new: Sequence[Event]) -> Outcome:
        if not self._versioning.takes(instance.version):
            return Outcome(status=Status.FAILED, output_text=json.dumps(MISMATCH))
        terminated = termination(new)
        if terminated:
            return terminated
        if is_suspended(instance, new):
            return Outcome(status=Status.SUSPENDED)
        parent_id = instance.parent.instance_id if instance.parent else None
        payload = orchestrator_payload(instance.instance_id, parent_id, instance.input_text, past, new)
        answer = await self._ask(instance.name, payload)
        history: list[Event] = json.loads(f"[{','.join(past)}]")
        return decide(instance, [*history, *new], answer, self._functions)

    async def _ask(self, name: str, payload: str) -> Answer:
        try:
            return parse_answer(await self._functions.run_orchestrator(name, payload))
        except WorkerLost:
            raise
        except Exception as failure:  # noqa: BLE001 - the SDK answers a failed orchestrator by raising
            return parse_failure(failure)


def _in_order(instance: Instance, messages: Sequence[Message]) -> list[Event]:
    """Return the events meant for this execution; the SDK wants the one that starts it first."""
    events = [message.event for message in messages if message.execution_id in (None, instance.execution_id)]
    return sorted(events, key=lambda each: each["EventType"] != EventType.EXECUTION_STARTED)


def _log(instance: Instance, outcome: Outcome, length_before: int, length: int) -> None:
    for warning in outcome.warnings:
        logger.warning("orchestration %s %s: %s", instance.name, instance.instance_id, warning)
    if length_before < LONG_HISTORY <= length:
        logger.warning(
            "orchestration %s %s has %d history events, all replayed at each step: use continue_as_new",
            *(instance.name, instance.instance_id, length),
        )
    if not outcome.status.live:
        logger.info("orchestration %s %s: %s", instance.name, instance.instance_id, outcome.status)
    if outcome.status == Status.FAILED:
        logger.warning("orchestration %s failed: %s", instance.instance_id, outcome.output_text)

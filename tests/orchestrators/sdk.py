"""Runs orchestrators through the real SDK's replay, on the same virtual clock and activities as `tests.durable`.

What becomes of each answer is decided by the local host's rules; nothing is stored.
"""

import heapq
import json
from datetime import UTC, datetime
from typing import Any

from local.host import replay
from local.host.episode import Outcome, decide
from local.host.instances import Instance, Status
from local.host.protocol import (
    Answer,
    Event,
    EventType,
    event,
    execution_started,
    orchestrator_payload,
    parse_answer,
    parse_failure,
)
from orchestrators.await_job import await_job
from tests.durable import Failure, FakeContext, OrchestratorFailed, StaysRunning, name_of

CHILDREN = {"await_job": await_job}
Due = tuple[float, int, Event]


class Catalog:
    """Every activity exists; the children are known."""

    def knows_activity(self, name: str) -> bool:
        return True

    def knows_orchestrator(self, name: str) -> bool:
        return name in CHILDREN

    def activity_like(self, _: str) -> None:
        return None

    def orchestrator_like(self, _: str) -> None:
        return None


def run(orchestrator: Any, context: FakeContext) -> Any:
    """As `tests.durable.run`: the output, or OrchestratorFailed."""
    outcome = whole(orchestrator, context)
    if outcome.status is Status.FAILED:
        raise OrchestratorFailed(json.loads(outcome.output_text or "null"))
    return json.loads(outcome.output_text or "null")


def whole(orchestrator: Any, context: FakeContext) -> Outcome:
    """Every generation of one instance; the outcome of the last."""
    input_text = json.dumps(context.input)
    while True:
        outcome = Generation(orchestrator, context, json.dumps(input_text)).run()
        if outcome.continued is None:
            return outcome
        input_text = outcome.continued.input_text or "null"
        context.generation += 1


class Generation:
    """One history, from its start to the end of the instance or of the generation."""

    def __init__(self, orchestrator: Any, context: FakeContext, input_text: str) -> None:
        self.handle = orchestrator.build().get_user_function()
        self.context = context
        self.world = context.world
        self.name = name_of(orchestrator)
        self.input_text = input_text
        self.past: list[str] = []
        self.due: list[Due] = [
            (at.timestamp(), -1, event(EventType.EVENT_RAISED, at.timestamp(), Name=name, Input="null"))
            for at, name in self.world.events
        ]
        heapq.heapify(self.due)

    @property
    def now(self) -> float:
        return self.world.now.timestamp()

    def run(self) -> Outcome:
        instance_id = self.context.instance_id
        happened = execution_started(
            self.name, instance_id, "e", at=self.now, version="", input_text=self.input_text, parent=None
        )
        while True:
            new = [event(EventType.ORCHESTRATOR_STARTED, self.now), happened]
            outcome = self.episode(new)
            if outcome.continued or not outcome.status.live:
                return outcome
            scheduled = [self.schedule(task_id, step) for task_id, step in sorted(outcome.steps.items())]
            ended = event(EventType.ORCHESTRATOR_COMPLETED, self.now)
            self.past += map(json.dumps, [*new, *scheduled, ended])
            happened = self.next_event()

    def episode(self, new: list[Event]) -> Outcome:
        """What the SDK makes of the whole history, and the host of the SDK's answer."""
        instance_id = self.context.instance_id
        payload = orchestrator_payload(instance_id, None, self.input_text, self.past, new)
        row = Instance(
            instance_id, self.name, "", "e", Status.RUNNING, self.input_text, None, None, 0, 0, None
        )
        return decide(row, [*map(json.loads, self.past), *new], self.ask(payload), Catalog())

    def ask(self, payload: str) -> Answer:
        try:
            return parse_answer(self.handle(payload))
        except Exception as failure:  # noqa: BLE001  the SDK answers a failed orchestrator by raising
            return parse_failure(failure)

    def next_event(self) -> Event:
        if not self.due:
            raise StaysRunning(f"{self.context.instance_id} waits for what never comes")
        at, _, happened = heapq.heappop(self.due)
        self.world.now = max(self.world.now, datetime.fromtimestamp(at, UTC))
        if happened["EventType"] == EventType.EVENT_RAISED:
            self.world.events.remove((self.world.now, happened["Name"]))
        return happened

    def schedule(self, task_id: int, step: replay.Step) -> Event:
        """Carries the step out, so that its end is due; returns the event that it was begun."""
        match step:
            case replay.Timer():
                fired = event(EventType.TIMER_FIRED, step.fire_at, TimerId=task_id)
                heapq.heappush(self.due, (step.fire_at, task_id, fired))
                return event(EventType.TIMER_CREATED, self.now) | {"EventId": task_id}
            case replay.Activity():
                begun = event(EventType.TASK_SCHEDULED, self.now, Name=step.name)
                given = json.loads(step.input_text or "null")
                self.end(task_id, self.world.perform(step.name, given, self.context.generation))
                return begun | {"EventId": task_id}
            case replay.SubOrchestration():
                kind = EventType.SUB_ORCHESTRATION_INSTANCE_CREATED
                begun = event(kind, self.now, Name=step.name, InstanceId=step.instance_id)
                self.end_child(task_id, step)
                return begun | {"EventId": task_id}

    def end(self, task_id: int, value: Any) -> None:
        ended = event(EventType.TASK_COMPLETED, self.now, TaskScheduledId=task_id, Result=json.dumps(value))
        if isinstance(value, Failure):
            reason, _, details = value.message.partition(" \n ")
            told = {"TaskScheduledId": task_id, "Reason": reason, "Details": details}
            ended = event(EventType.TASK_FAILED, self.now, **told)
        heapq.heappush(self.due, (self.now, task_id, ended))

    def end_child(self, task_id: int, step: replay.SubOrchestration) -> None:
        input_ = json.loads(step.input_text or "null")
        outcome = whole(CHILDREN[step.name], FakeContext(self.world, input_, step.instance_id or ""))
        kind, told = EventType.SUB_ORCHESTRATION_INSTANCE_COMPLETED, {"Result": outcome.output_text}
        if outcome.status is Status.FAILED:
            kind = EventType.SUB_ORCHESTRATION_INSTANCE_FAILED
            told = {"Reason": json.loads(outcome.output_text or "null"), "Details": ""}
        ended = event(kind, self.now, TaskScheduledId=task_id, **told)
        heapq.heappush(self.due, (self.now, task_id, ended))

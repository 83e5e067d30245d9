"""Recorded histories: taken from a host's state, and replayed to see whether code still decides the same."""

import dataclasses
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

from local.host.clock import to_epoch, to_iso
from local.host.episode import Outcome, decide, is_suspended, termination
from local.host.instances import Instance, Parent, Status
from local.host.protocol import Answer, Event, EventType, orchestrator_payload, parse_answer, parse_failure
from local.host.replay import Activity, Step, SubOrchestration, Timer
from local.host.state import reading

DECIDED = (
    EventType.TASK_SCHEDULED,
    EventType.TIMER_CREATED,
    EventType.SUB_ORCHESTRATION_INSTANCE_CREATED,
    EventType.EXECUTION_COMPLETED,
    EventType.ORCHESTRATOR_COMPLETED,
)
END = -1  # stands among the task ids


@dataclass(frozen=True)
class End:
    """How an execution ended; `output_text` is JSON text."""

    name: str
    output_text: str | None


Decision = Step | End
ENDS = {1: Status.COMPLETED, 3: Status.FAILED, 5: Status.TERMINATED}


class EveryFunction:
    """A catalog of whatever has a name: what was recorded was known."""

    def knows_activity(self, name: str) -> bool:
        return bool(name)

    def knows_orchestrator(self, name: str) -> bool:
        return bool(name)

    def activity_like(self, _: str) -> None:
        return None

    def orchestrator_like(self, _: str) -> None:
        return None


def export_history(state_dir: Path, instance_id: str) -> str:
    """Return the events of the instance's current execution as JSON lines, whether or not a host is running.

    Raises KeyError where the state has none.
    """
    statement = "select event from history where instance=? order by position"
    with reading(state_dir) as database:
        lines = [text for (text,) in database.execute(statement, [instance_id])]
    if not lines:
        raise KeyError(f"{state_dir} has no history of the instance {instance_id}")
    return "".join(f"{line}\n" for line in lines)


def first_difference(history: str, orchestrator: Any, *, values: bool = True) -> str | None:
    """Replay recorded JSON lines through the SDK; returns the first decision that differs, None if none does.

    `orchestrator` is the decorated function. Without `values` only what Azure checks is compared: the order,
    kinds and names of the steps and how it ended, not inputs, due times, ids of children and the output.
    """
    events = [json.loads(line) for line in history.splitlines() if line.strip()]
    instance, call = _instance(events), orchestrator.build().get_user_function()
    past: list[Event] = []
    for number, episode in enumerate(_episodes(events), 1):
        new = [event | {"IsPlayed": False} for event in takewhile(_happened, episode)]
        if termination(new):
            return None
        decided = _decided(instance, past, new, call)
        difference = _difference(_recorded(episode), decided, values)
        if difference:
            return f"episode {number}, after {len(past) + len(new)} events: {difference}"
        past += episode
    return None


def _instance(events: Sequence[Event]) -> Instance:
    started = next(event for event in events if event["EventType"] == EventType.EXECUTION_STARTED)
    ids, above = started["OrchestrationInstance"], started["ParentInstance"]
    return Instance(
        instance_id=ids["InstanceId"],
        name=started["Name"],
        version=started["Version"],
        execution_id=ids["ExecutionId"],
        status=Status.RUNNING,
        input_text=started["Input"],
        output_text=None,
        custom_status_text=None,
        created=0.0,
        updated=0.0,
        parent=above and Parent(above["OrchestrationInstance"]["InstanceId"], "", above["TaskScheduleId"]),
    )


def _episodes(events: Sequence[Event]) -> Iterator[Sequence[Event]]:
    starts = [at for at, event in enumerate(events) if event["EventType"] == EventType.ORCHESTRATOR_STARTED]
    for start, end in zip(starts, [*starts[1:], len(events)], strict=True):
        yield events[start:end]


def _happened(event: Event) -> bool:
    return event["EventType"] not in DECIDED


def _recorded(episode: Sequence[Event]) -> Mapping[int, Decision]:
    decisions: dict[int, Decision] = {}
    for event in episode:
        match event["EventType"]:
            case EventType.TASK_SCHEDULED:
                decisions[event["EventId"]] = Activity(event["Name"], json.loads(event["Input"])[0])
            case EventType.TIMER_CREATED:
                decisions[event["EventId"]] = Timer(to_epoch(event["FireAt"]))
            case EventType.SUB_ORCHESTRATION_INSTANCE_CREATED:
                decisions[event["EventId"]] = SubOrchestration(
                    event["Name"], json.loads(event["Input"]), event["InstanceId"], None
                )
            case EventType.EXECUTION_COMPLETED:
                decisions[END] = End(ENDS[event["OrchestrationStatus"]], event["Result"])
    return decisions


def _decided(
    instance: Instance, past: Sequence[Event], new: Sequence[Event], call: Callable[[str], str]
) -> Mapping[int, Decision]:
    events = [*past, *new]
    if is_suspended(instance, events):
        return {}
    outcome = decide(instance, events, _ask(instance, past, new, call), EveryFunction())
    steps = {task_id: _as_recorded(instance, task_id, step) for task_id, step in outcome.steps.items()}
    return steps | _end(outcome)


def _ask(
    instance: Instance, past: Sequence[Event], new: Sequence[Event], call: Callable[[str], str]
) -> Answer:
    parent_id = instance.parent.instance_id if instance.parent else None
    texts = [json.dumps(event) for event in past]
    try:
        return parse_answer(
            call(orchestrator_payload(instance.instance_id, parent_id, instance.input_text, texts, new))
        )
    except Exception as failure:  # noqa: BLE001 - the SDK answers a failed orchestrator by raising
        return parse_failure(failure)


def _as_recorded(instance: Instance, task_id: int, step: Step) -> Step:
    match step:
        case Timer():
            return Timer(to_epoch(to_iso(step.fire_at)))
        case SubOrchestration():
            child_id = step.instance_id or f"{instance.execution_id}:{task_id}"
            return dataclasses.replace(step, instance_id=child_id, version=None)
    return step


def _end(outcome: Outcome) -> dict[int, Decision]:
    if outcome.continued:
        return {END: End("ContinuedAsNew", outcome.continued.input_text)}
    return {} if outcome.status.live else {END: End(outcome.status, outcome.output_text)}


def _difference(
    recorded: Mapping[int, Decision], decided: Mapping[int, Decision], values: bool
) -> str | None:
    for task_id in sorted({*recorded, *decided}, key=lambda each: (each == END, each)):
        then, now = recorded.get(task_id), decided.get(task_id)
        if _shown(then, values) != _shown(now, values):
            what = "the end" if task_id == END else f"task {task_id}"
            return f"{what} was {then}, the code has {now or decided.get(END)}"
    return None


def _shown(decision: Decision | None, values: bool) -> Any:
    if values or decision is None:
        return decision
    return type(decision), (decision.name or "").lower()

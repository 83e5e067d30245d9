"""The extension's side of a replay: performs the SDK's action list against a history.

The extension and the SDK both number what they schedule, each for itself; every rule here keeps the two in
step as the extension does (its out-of-process shim, DurableTask.Core's context and retry interceptor).
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from local.host.clock import to_epoch
from local.host.protocol import HTTP_ACTIVITY, Action, ActionType, Event, EventType


class NonDeterministicError(Exception):
    """The orchestrator's code did not repeat what its history holds."""


class UnsupportedActionError(Exception):
    """The orchestrator asked for something that the local host does not offer."""


@dataclass(frozen=True)
class Activity:
    """An activity to schedule; `input_text` is JSON text."""

    name: str
    input_text: str | None


@dataclass(frozen=True)
class Timer:
    """A timer to create, firing at `fire_at` (epoch seconds)."""

    fire_at: float
    name: None = None


@dataclass(frozen=True)
class SubOrchestration:
    """A child to start; without an id it gets one made of the parent's execution and the task id."""

    name: str
    input_text: str | None
    instance_id: str | None
    version: str | None


Step = Activity | Timer | SubOrchestration
WORDS = {Activity: "the activity", Timer: "a timer", SubOrchestration: "the sub-orchestration"}


@dataclass(frozen=True)
class ContinueAsNew:
    """The orchestrator starts over with this input (JSON text)."""

    input_text: str | None


class Task:
    """Something the orchestrator may wait for: unfinished, succeeded or failed."""

    def __init__(self) -> None:
        self.succeeded: bool | None = None
        self._listeners: list[Callable[[], None]] = []

    @property
    def finished(self) -> bool:
        return self.succeeded is not None

    def finish(self, *, succeeded: bool) -> None:
        """End the task and resume who waits for it; later calls change nothing."""
        if self.finished:
            return
        self.succeeded = succeeded
        for listener in self._listeners:
            listener()

    def when_finished(self, listener: Callable[[], None]) -> None:
        """Call `listener` at the end of the task, at once if that has come."""
        if self.finished:
            listener()
        else:
            self._listeners.append(listener)


class Replay:
    """One replay. After the last event, `unscheduled` holds what the episode has to schedule, by task id."""

    def __init__(self, actions: Sequence[Action]) -> None:
        self.unscheduled: dict[int, Step] = {}
        self.open: dict[int, Task] = {}
        self.carried: list[Event] = []
        self.continued: ContinueAsNew | None = None
        self.finished = False
        self.position = 0
        self._actions = actions
        self._next_id = 0
        self._now = 0.0
        self._waiting: defaultdict[str, list[Task]] = defaultdict(list)
        self._buffered: defaultdict[str, int] = defaultdict(int)
        self._suspended = False
        self._held: list[Event] = []

    @property
    def next_id(self) -> int:
        """The task id that the next step would get."""
        return self._next_id

    @property
    def waits_for_event(self) -> bool:
        """Whether an external event could move the orchestration on."""
        return any(not task.finished for tasks in self._waiting.values() for task in tasks)

    @property
    def actions_ahead(self) -> int:
        """How many actions the SDK asked for beyond the one the extension's side still waits at."""
        return 0 if self.finished else max(0, len(self._actions) - 1 - self.position)

    def feed(self, event: Event) -> None:
        """Process one history event; raises NonDeterministicError or UnsupportedActionError."""
        kind = event["EventType"]
        if kind == EventType.EXECUTION_RESUMED:
            self._resume()
        elif kind == EventType.ORCHESTRATOR_STARTED:
            self._now = to_epoch(event["Timestamp"])
        elif self._suspended:
            self._held.append(event)
        else:
            self._apply(EventType(kind), event)

    def _apply(self, kind: EventType, event: Event) -> None:
        match kind:
            case EventType.EXECUTION_STARTED:
                _advance(self._perform_all())
            case EventType.EXECUTION_SUSPENDED:
                self._suspended = True
            case EventType.TASK_SCHEDULED:
                self._match(event, Activity)
            case EventType.TIMER_CREATED:
                self._match(event, Timer)
            case EventType.SUB_ORCHESTRATION_INSTANCE_CREATED:
                self._match(event, SubOrchestration)
            case EventType.TASK_COMPLETED | EventType.SUB_ORCHESTRATION_INSTANCE_COMPLETED:
                self._close(event["TaskScheduledId"], succeeded=True)
            case EventType.TASK_FAILED | EventType.SUB_ORCHESTRATION_INSTANCE_FAILED:
                self._close(event["TaskScheduledId"], succeeded=False)
            case EventType.TIMER_FIRED:
                self._close(event["TimerId"], succeeded=True)
            case EventType.EVENT_RAISED:
                self._raise(event)

    def _resume(self) -> None:
        held, self._held, self._suspended = self._held, [], False
        for event in held:
            self.feed(event)

    def _match(self, event: Event, kind: type[Step]) -> None:
        step = self.unscheduled.pop(event["EventId"], None)
        recorded = event.get("Name")
        if not isinstance(step, kind) or (step.name or "").lower() != (recorded or "").lower():
            raise NonDeterministicError(_told(event["EventId"], kind, recorded, step))

    def _close(self, task_id: int, *, succeeded: bool) -> None:
        task = self.open.pop(task_id, None)
        if task:
            task.finish(succeeded=succeeded)

    def _raise(self, event: Event) -> None:
        name = event["Name"].lower()
        if self.continued:
            self.carried.append(event)
        elif self._waiting[name]:
            # The latest waiter first, as the extension does.
            self._waiting[name].pop().finish(succeeded=True)
        else:
            self._buffered[name] += 1

    def _perform_all(self) -> Iterator[Task]:
        for self.position, action in enumerate(self._actions):  # noqa: B020 - how far it came is state
            yield self._perform(action)
        self.finished = True

    def _perform(self, action: Action) -> Task:
        match ActionType(action["actionType"]):
            case ActionType.CALL_ACTIVITY | ActionType.CALL_SUB_ORCHESTRATOR:
                return self._schedule(_step(action))
            case ActionType.CALL_HTTP:
                return self._schedule(Activity(HTTP_ACTIVITY, json.dumps(action["httpRequest"])))
            case ActionType.CALL_ACTIVITY_WITH_RETRY | ActionType.CALL_SUB_ORCHESTRATOR_WITH_RETRY:
                return self._schedule_with_retry(action)
            case ActionType.CREATE_TIMER:
                return self._create_timer(action)
            case ActionType.WAIT_FOR_EXTERNAL_EVENT:
                return self._wait_for_event(action["externalEventName"].lower())
            case ActionType.WHEN_ANY:
                return self._when_any([self._perform(child) for child in action["compoundActions"]])
            case ActionType.WHEN_ALL:
                return self._when_all([self._perform(child) for child in action["compoundActions"]])
            case ActionType.CONTINUE_AS_NEW:
                self.continued = ContinueAsNew(action.get("input"))
                return _finished_task()
            case unsupported:
                raise UnsupportedActionError(
                    f"the local host does not support {unsupported.name.lower()} in orchestrators"
                )

    def _schedule(self, step: Step) -> Task:
        task, task_id = Task(), self._next_id
        self._next_id += 1
        self.unscheduled[task_id] = step
        self.open[task_id] = task
        return task

    def _create_timer(self, action: Action) -> Task:
        task_id = self._next_id
        task = self._schedule(Timer(to_epoch(action["fireAt"])))
        if action.get("isCanceled"):
            self._close(task_id, succeeded=False)
        return task

    def _schedule_with_retry(self, action: Action) -> Task:
        outcome = Task()
        _advance(self._attempts(action, outcome))
        return outcome

    def _attempts(self, action: Action, outcome: Task) -> Iterator[Task]:
        options = action["retryOptions"]
        pause = options["firstRetryIntervalInMilliseconds"] / 1000
        last = options["maxNumberOfAttempts"]
        for attempt in range(1, last + 1):
            task = self._schedule(_step(action))
            yield task
            if task.succeeded:
                outcome.finish(succeeded=True)
                return
            # The interceptor waits after the last failure too; without this timer the SDK never raises.
            yield self._schedule(Timer(self._now + (pause if attempt < last else 0)))
        outcome.finish(succeeded=False)

    def _wait_for_event(self, name: str) -> Task:
        if self._buffered[name]:
            self._buffered[name] -= 1
            return _finished_task()
        task = Task()
        self._waiting[name].append(task)
        return task

    @staticmethod
    def _when_any(tasks: list[Task]) -> Task:
        outcome = Task()
        for task in tasks:
            task.when_finished(lambda: outcome.finish(succeeded=True))
        return outcome

    @staticmethod
    def _when_all(tasks: list[Task]) -> Task:
        outcome = Task()

        def wait_for_each() -> Iterator[Task]:
            yield from tasks
            outcome.finish(succeeded=True)

        _advance(wait_for_each())
        return outcome


def _advance(steps: Iterator[Task]) -> None:
    """Run a generator of tasks as far as its tasks are finished; it goes on when the one it waits for is."""
    for task in steps:
        if not task.finished:
            task.when_finished(lambda: _advance(steps))
            return


def _finished_task() -> Task:
    task = Task()
    task.finish(succeeded=True)
    return task


def _told(task_id: int, kind: type[Step], recorded: str | None, step: Step | None) -> str:
    now = _words(type(step), step.name) if step else "nothing"
    return (
        f"Non-Deterministic workflow detected: task {task_id} of the history is {_words(kind, recorded)}, "
        f"the code now has {now} there. An orchestrator must decide the same at each replay: no clock, random "
        "numbers or I/O of its own. Changed code needs a new version while old instances run."
    )


def _words(kind: type[Step], name: str | None) -> str:
    return f"{WORDS[kind]} {name}" if name else WORDS[kind]


def _step(action: Action) -> Activity | SubOrchestration:
    if action["actionType"] in (ActionType.CALL_ACTIVITY, ActionType.CALL_ACTIVITY_WITH_RETRY):
        return Activity(action["functionName"], action.get("input"))
    return SubOrchestration(
        action["functionName"], action.get("input"), action.get("instanceId"), action.get("version")
    )

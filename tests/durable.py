"""Runs orchestrators whole, in this process, on a virtual clock: plain functions stand in for the activities."""

import json
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from azure.durable_functions import RetryOptions

START = datetime(2026, 11, 20, 6, 0, tzinfo=UTC)
ONCE = RetryOptions(first_retry_interval_in_milliseconds=1, max_number_of_attempts=1)


class StaysRunning(AssertionError):
    """On Azure the instance would stay Running: a timer is neither fired nor canceled, or nothing can happen."""


class NotJson(BaseException):
    """A value that cannot cross the durable boundary; no orchestrator's `except Exception` hides it."""


class OrchestratorFailed(Exception):
    """The instance would end as Failed."""


class Failure(NamedTuple):
    """How an activity or a child failed, in the SDK's words."""

    message: str


class Call(NamedTuple):
    """One execution of an activity: a retry is one of its own."""

    name: str
    input: Any
    at: datetime
    generation: int


@dataclass
class World:
    """What all instances of one test share. `events` are the names raised, each at its virtual time.

    An activity may move `now` on; an event that nobody waits for is lost, which is the worst that Azure does.
    """

    activities: dict[str, Callable[[Any], Any]]
    events: list[tuple[datetime, str]] = field(default_factory=list)
    now: datetime = START
    calls: list[Call] = field(default_factory=list)
    statuses: list[Any] = field(default_factory=list)

    def perform(self, name: str, given: Any, generation: int) -> Any:
        """One attempt at an activity: what it returns, or a Failure."""
        self.calls.append(Call(name, crossing(given), self.now, generation))
        try:
            value = self.activities[name](crossing(given))
        except Exception as problem:  # noqa: BLE001  whatever an activity raises is its orchestrator's to handle
            text = f" {type(problem).__name__}: {problem}"
            return Failure(f"Activity function '{name}' failed: {text} \n {json.dumps({'Message': text})}")
        return crossing(value)

    def called(self, name: str) -> list[Call]:
        return [call for call in self.calls if call.name == name]


def crossing(value: Any) -> Any:
    """The value as it arrives behind the durable boundary."""
    try:
        return json.loads(json.dumps(value, allow_nan=False))
    except (TypeError, ValueError) as problem:
        raise NotJson(f"{value!r} cannot cross the durable boundary: {problem}") from problem


def name_of(function: Any) -> str:
    """The name the SDK resolves a decorated function to."""
    return str(function.build().get_function_name())


class Task:
    """What an orchestrator may wait for: `due` says when at the earliest (None: never), `settle` its outcome."""

    def __init__(self, due: Callable[[], datetime | None], settle: Callable[[], Any]) -> None:
        self.due = due
        self.settle = settle


class Timer(Task):
    """A durable timer: its instance stays Running until it is fired or canceled."""

    open = True

    def cancel(self) -> None:
        if not self.open:
            raise ValueError("Cannot cancel a completed task.")
        self.open = False


class FakeContext:
    """What an orchestrator sees of Durable Functions, for one instance."""

    def __init__(self, world: World, input_: Any, instance_id: str = "run-1") -> None:
        self.world = world
        self.input = crossing(input_)
        self.instance_id = instance_id
        self.version = "1.0"
        self.generation = 1
        self.renewed = False
        self.timers: list[Timer] = []

    @property
    def current_utc_datetime(self) -> datetime:
        return self.world.now

    def get_input(self) -> Any:
        return self.input

    def set_custom_status(self, status: Any) -> None:
        self.world.statuses.append(crossing(status))

    def continue_as_new(self, input_: Any) -> None:
        self.input = crossing(input_)
        self.renewed = True

    def call_activity(self, activity: Any, input_: Any = None) -> Task:
        return self.call_activity_with_retry(activity, ONCE, input_)

    def call_activity_with_retry(self, activity: Any, retry: RetryOptions, input_: Any = None) -> Task:
        def settle() -> Any:
            outcome = self.world.perform(name_of(activity), input_, self.generation)
            for _ in range(1, retry.max_number_of_attempts):
                if isinstance(outcome, Failure):
                    self.world.now += timedelta(milliseconds=retry.first_retry_interval_in_milliseconds)
                    outcome = self.world.perform(name_of(activity), input_, self.generation)
            return outcome

        return Task(lambda: self.world.now, settle)

    def call_sub_orchestrator(
        self,
        orchestrator: Any,
        input_: Any = None,
        instance_id: str = "",
        version: str | None = None,
        expected_type: type = str,
    ) -> Task:
        def settle() -> Any:
            outcome = whole(orchestrator, FakeContext(self.world, input_, instance_id))
            if isinstance(outcome, Failure):
                return Failure(
                    f"Orchestrator function '{name_of(orchestrator)}' failed: {outcome.message} \n "
                )
            return outcome

        return Task(lambda: self.world.now, settle)

    def create_timer(self, fire_at: datetime) -> Timer:
        def fire() -> None:
            self.world.now, timer.open = max(fire_at, self.world.now), False

        timer = Timer(lambda: max(fire_at, self.world.now), fire)
        self.timers.append(timer)
        return timer

    def wait_for_external_event(self, name: str) -> Task:
        def due() -> datetime | None:
            raised = [at for at, raised in self.world.events if raised == name and at >= self.world.now]
            return min(raised, default=None)

        def arrive() -> None:
            self.world.now = due() or self.world.now
            self.world.events.remove((self.world.now, name))

        return Task(due, arrive)

    def task_any(self, tasks: list[Task]) -> Task:
        def due() -> datetime | None:
            return min((at for task in tasks if (at := task.due())), default=None)

        def settle() -> Task:
            first = next(task for task in tasks if task.due() == due())
            first.settle()
            return first

        return Task(due, settle)

    def task_all(self, tasks: list[Task]) -> Task:
        def due() -> datetime | None:
            times = [at for task in tasks if (at := task.due())]
            return max(times, default=self.world.now) if len(times) == len(tasks) else None

        def settle() -> Any:
            outcomes = [task.settle() for task in tasks]
            return next((outcome for outcome in outcomes if isinstance(outcome, Failure)), outcomes)

        return Task(due, settle)


def run(orchestrator: Any, context: FakeContext) -> Any:
    """The output of an orchestrator's whole run. Raises OrchestratorFailed where it raises."""
    outcome = whole(orchestrator, context)
    if isinstance(outcome, Failure):
        raise OrchestratorFailed(outcome.message)
    return outcome


def whole(orchestrator: Any, context: FakeContext) -> Any:
    """The output or the Failure of an instance, whatever the number of its generations."""
    function = orchestrator.build().get_user_function().orchestrator_function
    while True:
        context.renewed = False
        outcome = driven(function(context), context.instance_id)
        if any(timer.open for timer in context.timers):
            raise StaysRunning(f"{context.instance_id} ends with a timer neither fired nor canceled")
        if not context.renewed or isinstance(outcome, Failure):
            return outcome
        context.generation += 1


def driven(decisions: Generator[Task, Any, Any], instance_id: str) -> Any:
    """One generation, to its end."""
    outcome: Any = None
    while True:
        try:
            failed = isinstance(outcome, Failure)
            task = decisions.throw(Exception(outcome.message)) if failed else decisions.send(outcome)
        except StopIteration as end:
            return crossing(end.value)
        except Exception as problem:  # noqa: BLE001  an exception of the orchestrator fails its instance
            return Failure(str(problem) or type(problem).__name__)
        if task.due() is None:
            raise StaysRunning(f"{instance_id} waits for what never comes")
        outcome = task.settle()

"""The Durable host: instances as generators that outlive every crash, activities delivered at least once."""

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

from azure.durable_functions import OrchestrationRuntimeStatus, RetryOptions

from tests.durable import Failure, crossing, name_of
from tests.simulation.actors import Actor, Message, Stage

ONCE = RetryOptions(first_retry_interval_in_milliseconds=1, max_number_of_attempts=1)
Result = TypeVar("Result")
LIVE = ("Pending", "Running")


class Task:
    """What an orchestrator may wait for."""

    def __init__(self) -> None:
        self.settled = False
        self.value: Any = None

    def ready(self) -> bool:
        return self.settled

    def settle(self, value: Any) -> None:
        self.settled, self.value = True, value


class Timer(Task):
    """A durable timer; an instance that ends with an open one would stay Running."""

    message: Message

    def cancel(self) -> None:
        if self.settled:
            raise ValueError("Cannot cancel a completed task.")
        self.settle(None)


class AnyOf(Task):
    """Ready with the first of its tasks."""

    def __init__(self, tasks: list[Task]) -> None:
        super().__init__()
        self.tasks = tasks

    def ready(self) -> bool:
        first = next((task for task in self.tasks if task.ready()), None)
        if first is not None and not self.settled:
            self.settle(first)
        return self.settled


class AllOf(Task):
    """Ready with all of its tasks."""

    def __init__(self, tasks: list[Task]) -> None:
        super().__init__()
        self.tasks = tasks

    def ready(self) -> bool:
        if not self.settled and all(task.ready() for task in self.tasks):
            values = [task.value for task in self.tasks]
            self.settle(next((value for value in values if isinstance(value, Failure)), values))
        return self.settled


class HostAway(Exception):
    """The durable client's call failed: the host does not answer, or will not do it."""


@dataclass
class Instance:
    """One orchestration instance."""

    instance_id: str
    name: str
    input: Any
    parent: tuple["Instance", Task] | None = None
    status: str = "Pending"
    context: "Context | None" = None
    decisions: Generator[Task, Any, Any] | None = None
    awaited: Task | None = None
    output: Any = None
    timers: list[Timer] = field(default_factory=list)
    events: list[tuple[str, Task]] = field(default_factory=list)

    @property
    def live(self) -> bool:
        return self.status in LIVE


@dataclass(frozen=True)
class Status:
    """What `get_status` shows."""

    instance_id: str
    runtime_status: OrchestrationRuntimeStatus | None


class Context:
    """What an orchestrator sees of Durable Functions, for one generation of one instance."""

    def __init__(self, host: "Host", instance: Instance) -> None:
        self.host, self.instance = host, instance
        self.instance_id = instance.instance_id
        self.current_utc_datetime = host.stage.now
        self.version = "1.0"
        self.renewed = False

    def get_input(self) -> Any:
        return crossing(self.instance.input)

    def set_custom_status(self, status: Any) -> None:
        crossing(status)

    def continue_as_new(self, input_: Any) -> None:
        self.instance.input = crossing(input_)
        self.renewed = True

    def call_activity(self, activity: Any, input_: Any = None) -> Task:
        return self.call_activity_with_retry(activity, ONCE, input_)

    def call_activity_with_retry(self, activity: Any, retry: RetryOptions, input_: Any = None) -> Task:
        task = Task()
        self.host.schedule(Work(self.instance, task, name_of(activity), crossing(input_), retry))
        return task

    def call_sub_orchestrator(
        self,
        orchestrator: Any,
        input_: Any = None,
        instance_id: str = "",
        version: str = "",
        expected_type: type = str,
    ) -> Task:
        task = Task()
        self.host.start(name_of(orchestrator), instance_id, crossing(input_), (self.instance, task))
        return task

    def create_timer(self, fire_at: datetime) -> Timer:
        timer = Timer()
        self.instance.timers.append(timer)
        label = f"timer of {self.instance_id}"
        timer.message = self.host.stage.send(label, lambda: self.fire(timer), fire_at)
        return timer

    def fire(self, timer: Timer) -> None:
        if not timer.settled:
            timer.settle(None)
            self.host.resume(self.instance)

    def wait_for_external_event(self, name: str) -> Task:
        task = Task()
        self.instance.events.append((name, task))
        return task

    def task_any(self, tasks: list[Task]) -> Task:
        return AnyOf(tasks)

    def task_all(self, tasks: list[Task]) -> Task:
        return AllOf(tasks)


@dataclass(frozen=True, eq=False)
class Work:
    """An activity's message."""

    instance: Instance
    task: Task
    name: str
    input: Any
    retry: RetryOptions
    attempt: int = 1

    @property
    def label(self) -> str:
        return f"{self.name} of {self.instance.instance_id}"


class Client:
    """The durable client of triggers and activities."""

    def __init__(self, host: "Host") -> None:
        self.host = host

    async def start_new(self, name: str, instance_id: str, client_input: Any = None) -> str:
        given = crossing(client_input)
        self.host.gate(f"start {instance_id}", lambda: self.host.start_asked(name, instance_id, given))
        return instance_id

    async def get_status(self, instance_id: str) -> Status:
        return self.host.gate(f"status {instance_id}", lambda: self.host.status(instance_id))

    async def raise_event(self, instance_id: str, event_name: str, event_data: Any = None) -> None:
        self.host.gate(
            f"event {event_name} to {instance_id}", lambda: self.host.raised(instance_id, event_name)
        )

    async def terminate(self, instance_id: str, reason: str) -> None:
        self.host.gate(f"terminate {instance_id}", lambda: self.host.terminated(instance_id))


class Host:
    """All instances and their messages. `activities` and `orchestrators` are functions by name."""

    def __init__(
        self,
        stage: Stage,
        activities: dict[str, Callable[..., Any]],
        orchestrators: dict[str, Callable[..., Any]],
    ) -> None:
        self.stage, self.activities, self.orchestrators = stage, activities, orchestrators
        self.instances: dict[str, Instance] = {}
        self.executions: dict[int, Work] = {}
        self.client = Client(self)
        self.starts_to_lose = self.starts_to_strand = 0
        self.problems: list[str] = []

    def gate(self, call: str, effect: Callable[[], Result]) -> Result:
        return self.stage.gate(call, effect, lambda: HostAway("no answer"), repeats=False)

    def start_asked(self, name: str, instance_id: str, given: Any) -> None:
        """A `start_new`. It may be lost, or its message may never be taken up."""
        standing = self.instances.get(instance_id)
        if standing is not None and standing.live:
            raise HostAway(f"An Orchestration instance with the status {standing.status} already exists.")
        if self.starts_to_lose:
            self.starts_to_lose -= 1
        elif self.starts_to_strand:
            self.starts_to_strand -= 1
            self.instances[instance_id] = Instance(instance_id, name, given)
        else:
            self.start(name, instance_id, given)

    def start(
        self, name: str, instance_id: str, given: Any, parent: tuple[Instance, Task] | None = None
    ) -> None:
        instance = Instance(instance_id, name, given, parent)
        self.instances[instance_id] = instance
        self.stage.send(f"start of {instance_id}", lambda: self.begin(instance))

    def begin(self, instance: Instance) -> None:
        if instance.status == "Pending":
            instance.status = "Running"
            self.generation(instance)

    def generation(self, instance: Instance) -> None:
        instance.timers, instance.events, instance.awaited = [], [], None
        instance.context = Context(self, instance)
        instance.decisions = self.orchestrators[instance.name](instance.context)
        self.decide(instance, instance.context, None)

    def resume(self, instance: Instance) -> None:
        """Something the instance may wait for has happened."""
        awaited = instance.awaited
        if instance.status != "Running" or awaited is None or not awaited.ready():
            return
        assert instance.context is not None
        instance.context.current_utc_datetime = self.stage.now
        self.decide(instance, instance.context, awaited.value)

    def decide(self, instance: Instance, context: Context, outcome: Any) -> None:
        """Lets the orchestrator decide until it must wait, or ends."""
        decisions = instance.decisions
        assert decisions is not None
        while True:
            try:
                failed = isinstance(outcome, Failure)
                task = decisions.throw(Exception(outcome.message)) if failed else decisions.send(outcome)
            except StopIteration as end:
                self.over(instance, context, crossing(end.value))
                return
            except Exception as problem:  # noqa: BLE001  an exception of the orchestrator fails its instance
                if type(problem) is not Exception:
                    self.problems.append(f"{instance.name}: {type(problem).__name__}: {problem}")
                self.over(instance, context, Failure(str(problem) or type(problem).__name__))
                return
            instance.awaited = task
            if not task.ready():
                return
            outcome = task.value

    def over(self, instance: Instance, context: Context, output: Any) -> None:
        if any(not timer.settled for timer in instance.timers):
            self.problems.append(
                f"{instance.instance_id} ends a generation with an open timer: it stays Running"
            )
        if context.renewed and not isinstance(output, Failure):
            self.generation(instance)
            return
        instance.status = "Failed" if isinstance(output, Failure) else "Completed"
        instance.output = output
        self.tell_parent(instance)

    def tell_parent(self, instance: Instance) -> None:
        """The outcome of a sub-orchestration is its parent's."""
        if instance.parent is None:
            return
        parent, task = instance.parent
        output = instance.output
        if isinstance(output, Failure):
            output = Failure(f"Orchestrator function '{instance.name}' failed: {output.message} \n ")
        task.settle(output)
        self.resume(parent)

    def schedule(self, work: Work, due: datetime | None = None) -> None:
        self.stage.send(work.label, lambda: self.execute(work), due)

    def execute(self, work: Work) -> Actor:
        """One delivery of an activity's message."""
        function = self.activities[work.name]

        def run() -> Any:
            return function(crossing(work.input), self.client)

        actor = self.stage.begin(work.label, run, lambda actor: self.returned(work, actor))
        if not actor.over:
            self.executions[id(actor)] = work
        return actor

    def returned(self, work: Work, actor: Actor) -> None:
        """An execution is over: its answer counts if it is the first; a killed one is delivered again."""
        self.executions.pop(id(actor), None)
        if work.task.settled or not work.instance.live:
            return
        self.stage.report(actor)
        if actor.killed:
            self.schedule(work)
            return
        if actor.problem is None:
            work.task.settle(crossing(actor.value))
        elif not self.tried_again(work):
            text = f" {type(actor.problem).__name__}: {actor.problem}"
            work.task.settle(Failure(f"Activity function '{work.name}' failed: {text} \n "))
        self.resume(work.instance)

    def tried_again(self, work: Work) -> bool:
        if work.attempt >= work.retry.max_number_of_attempts:
            return False
        wait = timedelta(milliseconds=work.retry.first_retry_interval_in_milliseconds)
        following = Work(work.instance, work.task, work.name, work.input, work.retry, work.attempt + 1)
        self.schedule(following, self.stage.now + wait)
        return True

    def redeliver(self, actor: Actor) -> None:
        """The message of an execution that is still under way comes a second time."""
        work = self.executions.get(id(actor))
        if work is not None:
            self.schedule(work)

    def status(self, instance_id: str) -> Status:
        found = self.instances.get(instance_id)
        return Status(instance_id, OrchestrationRuntimeStatus[found.status] if found else None)

    def raised(self, instance_id: str, name: str) -> None:
        """An event. One nobody waits for at that moment is lost."""
        instance = self.instances.get(instance_id)
        waiting = [task for wanted, task in instance.events if wanted == name] if instance else []
        for task in waiting:
            task.settle(None)
        if instance:
            self.resume(instance)

    def terminated(self, instance_id: str) -> None:
        """Ends an instance; what it has started goes on."""
        instance = self.instances.get(instance_id)
        if instance is None or not instance.live:
            return
        instance.status, instance.output = "Terminated", Failure("terminated")
        if instance.decisions is not None:
            instance.decisions.close()
        self.tell_parent(instance)

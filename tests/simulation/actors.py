"""Real code that runs piece by piece: it stops before each call to the outside, until somebody lets it go on."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from random import Random
from typing import Any, TypeVar

from greenlet import GreenletExit, greenlet

Result = TypeVar("Result")
CALL_TAKES = timedelta(milliseconds=10)
PROCESSES = 2


class Fate(Enum):
    """What becomes of a call, and of its caller."""

    DONE = "done"
    REPEATED = "answer lost, sent again by the client"
    REFUSED = "failed before its effect"
    UNANSWERED = "failed after its effect"
    KILLED_BEFORE = "caller killed before the effect"
    KILLED_AFTER = "caller killed after the effect"


class Actor:
    """One execution, in one of the app's processes.

    `call` is what it is about to do; `over` once it has returned, raised or been killed.
    """

    def __init__(self, name: str, work: Callable[[], Any], started: datetime, process: int) -> None:
        self.name, self.started, self.process = name, started, process
        self.call = ""
        self.over = self.killed = False
        self.value: Any = None
        self.problem: Exception | None = None
        self.greenlet = greenlet(lambda: self.perform(work))

    def perform(self, work: Callable[[], Any]) -> None:
        try:
            self.value = work()
        except GreenletExit:
            self.killed = True
        except Exception as problem:  # noqa: BLE001  whatever it raises is its host's to handle
            self.problem = problem
        self.over = True


@dataclass
class Message:
    """Something that waits to be delivered at `due` or later; `deliver` may begin an actor."""

    label: str
    due: datetime
    deliver: Callable[[], object]


@dataclass
class Stage:
    """The actors, the messages between them, and the clock. One step: one call, or one delivery."""

    now: datetime
    limit: timedelta
    random: Random = field(default_factory=Random)
    actors: list[Actor] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    ended: dict[int, Callable[[Actor], None]] = field(default_factory=dict)
    running: Actor | None = None
    steps: int = 0
    trace: list[str] = field(default_factory=list)
    problems: list[Exception] = field(default_factory=list)

    def clock(self) -> datetime:
        return self.now

    @property
    def process(self) -> int:
        """Where what runs now runs."""
        return self.running.process if self.running else 0

    def gate(
        self,
        call: str,
        effect: Callable[[], Result],
        trouble: Callable[[], Exception],
        *,
        repeats: bool = True,
    ) -> Result:
        """A call to the outside. The running actor stops here; what comes of it is decided when it is let go on.

        `trouble` makes the exception of a call that failed; `repeats`: the client sends it again on a lost answer.
        """
        actor = self.running
        if actor is None:
            return effect()
        if actor.killed:
            raise GreenletExit
        actor.call = call
        fate: Fate = actor.greenlet.parent.switch()  # type: ignore[union-attr]
        self.now += CALL_TAKES
        return self.outcome(actor, fate, effect, trouble, repeats=repeats)

    def outcome(
        self,
        actor: Actor,
        fate: Fate,
        effect: Callable[[], Result],
        trouble: Callable[[], Exception],
        *,
        repeats: bool,
    ) -> Result:
        match fate:
            case Fate.REFUSED:
                raise trouble()
            case Fate.UNANSWERED:
                attempted(effect)
                raise trouble()
            case Fate.REPEATED if repeats:
                attempted(effect)
            case Fate.KILLED_BEFORE:
                actor.killed = True
                raise GreenletExit
            case Fate.KILLED_AFTER:
                attempted(effect)
                actor.killed = True
                raise GreenletExit
        return effect()

    def begin(self, name: str, work: Callable[[], Any], ended: Callable[[Actor], None]) -> Actor:
        """An actor at its first call. `ended` is told when it is over."""
        actor = Actor(name, work, self.now, self.random.randrange(PROCESSES))
        self.actors.append(actor)
        self.ended[id(actor)] = ended
        self.go_on(actor, None)
        return actor

    def step(self, actor: Actor, fate: Fate = Fate.DONE) -> None:
        """Lets an actor make its call and run to the next one, or to its end. One past the limit is killed."""
        self.steps += 1
        if self.now - actor.started > self.limit:
            fate = Fate.KILLED_BEFORE
        self.note(f"{actor.name}: {actor.call}" + ("" if fate is Fate.DONE else f" [{fate.value}]"))
        self.go_on(actor, fate)

    def go_on(self, actor: Actor, fate: Fate | None) -> None:
        self.running = actor
        try:
            actor.greenlet.switch(*([fate] if fate else []))
        finally:
            self.running = None
        if actor.over:
            self.actors.remove(actor)
            if actor.problem is not None:
                self.note(f"{actor.name}: raises {type(actor.problem).__name__}")
            self.ended.pop(id(actor))(actor)

    def send(self, label: str, deliver: Callable[[], object], due: datetime | None = None) -> Message:
        message = Message(label, due or self.now, deliver)
        self.messages.append(message)
        return message

    def deliver(self, message: Message) -> None:
        self.steps += 1
        self.messages.remove(message)
        self.note(f"deliver {message.label}")
        message.deliver()

    def ready(self) -> list[Actor | Message]:
        """All that can take a step now."""
        return [*self.actors, *(message for message in self.messages if message.due <= self.now)]

    def take(self, which: Actor | Message) -> None:
        if isinstance(which, Actor):
            self.step(which)
        else:
            self.deliver(which)

    def kill(self, actor: Actor, *, after: bool) -> None:
        self.step(actor, Fate.KILLED_AFTER if after else Fate.KILLED_BEFORE)

    def report(self, actor: Actor) -> None:
        """Keeps what an execution that counts has raised."""
        if actor.problem is not None:
            self.problems.append(actor.problem)

    def note(self, text: str) -> None:
        self.trace.append(f"{self.now:%H:%M:%S} {text}")


def attempted(effect: Callable[[], object]) -> None:
    """The effect, if any; nobody hears the answer."""
    try:
        effect()
    except Exception:  # noqa: BLE001  the answer is lost, whatever it was
        return


def driven(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """The result of a coroutine that waits for nothing but what is done at once."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]
    coroutine.close()
    raise RuntimeError(f"{coroutine} waits for an event loop, of which the simulation has none")

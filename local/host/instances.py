"""Orchestration instances as the host stores them: their words, their row and the tables around them."""

from dataclasses import dataclass
from enum import StrEnum

MAX_ID_LENGTH = 100


class Status(StrEnum):
    """The runtime status of an instance, in the words of the durable status API."""

    PENDING = "Pending"
    RUNNING = "Running"
    SUSPENDED = "Suspended"
    COMPLETED = "Completed"
    FAILED = "Failed"
    TERMINATED = "Terminated"

    @property
    def live(self) -> bool:
        """Whether an instance of this status may still do something."""
        return self in (Status.PENDING, Status.RUNNING, Status.SUSPENDED)


@dataclass(frozen=True)
class Parent:
    """Who waits for a sub-orchestration: an execution of an instance, and the task id there."""

    instance_id: str
    execution_id: str
    task_id: int


@dataclass(frozen=True)
class Instance:
    """One orchestration instance. Input, output and custom status are JSON texts; times are epoch seconds."""

    instance_id: str
    name: str
    version: str
    execution_id: str
    status: Status
    input_text: str | None
    output_text: str | None
    custom_status_text: str | None
    created: float
    updated: float
    parent: Parent | None


def id_problem(instance_id: str) -> str | None:
    """Return why Azure would refuse `instance_id`, or None."""
    forbidden = any(character in "/\\#?" or ord(character) < 32 for character in instance_id)
    if instance_id.startswith("@") or forbidden:
        return "Instance ids must not start with @ nor contain / \\ # ? or control characters."
    if not 0 < len(instance_id) <= MAX_ID_LENGTH:
        return f"Instance ids must have 1 to {MAX_ID_LENGTH} characters, this one has {len(instance_id)}."
    return None

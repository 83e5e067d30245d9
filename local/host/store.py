"""The durable store: instances, their histories, the messages to them and the activities they wait for."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from local.host.instances import Instance, Parent, Status
from local.host.protocol import Event, execution_started
from local.host.state import State

SCHEMA = """
create table if not exists instances(id text primary key, name text, version text, execution text,
  status text, input text, output text, custom_status text, created real, updated real,
  parent text, parent_execution text, parent_task integer) without rowid;
create table if not exists history(instance text, position integer, event text,
  primary key(instance, position)) without rowid;
create table if not exists messages(number integer primary key autoincrement, instance text, execution text,
  due real, event text);
create index if not exists messages_by_due on messages(due);
create index if not exists messages_by_instance on messages(instance);
create table if not exists activities(number integer primary key autoincrement, instance text, execution text,
  task integer, name text, input text);
"""

COLUMNS = (
    "id, name, version, execution, status, input, output, custom_status, created, updated, "
    "parent, parent_execution, parent_task"
)


@dataclass(frozen=True)
class Message:
    """An event on its way to an instance; one tagged with an execution is meant for that execution only."""

    number: int
    execution_id: str | None
    event: Event


@dataclass(frozen=True)
class QueuedActivity:
    """An activity to run, or to run again after a crash."""

    number: int
    instance_id: str
    execution_id: str
    task_id: int
    name: str
    input_text: str | None


class Store:
    """Reads and writes of the durable tables. Writers run inside `state.transaction()`."""

    def __init__(self, state: State) -> None:
        self.state = state
        state.create(SCHEMA)

    def instance(self, instance_id: str) -> Instance | None:
        """Return the instance, or None."""
        found = self.instances("id=?", [instance_id], limit=1)
        return found[0] if found else None

    def instances(self, condition: str, values: Sequence[Any], *, limit: int = -1) -> list[Instance]:
        """Return the instances that meet an SQL condition, by id."""
        statement = f"select {COLUMNS} from instances where {condition} order by id limit ?"
        return [_instance(row) for row in self.state.execute(statement, *values, limit)]

    def history(self, instance_id: str) -> list[str]:
        """Return the events of the current execution, each as JSON text."""
        statement = "select event from history where instance=? order by position"
        return [text for (text,) in self.state.execute(statement, instance_id)]

    def create(
        self, instance_id: str, name: str, version: str, input_text: str | None, parent: Parent | None = None
    ) -> None:
        """Write a pending instance and the message that starts it, in place of an ended one of that id."""
        now = time.time()
        execution_id = uuid4().hex
        self.delete(instance_id)
        parent_values = (parent.instance_id, parent.execution_id, parent.task_id) if parent else (None,) * 3
        self.state.execute(
            f"insert into instances({COLUMNS}) values(?,?,?,?,?,?,?,?,?,?,?,?,?)",
            *(instance_id, name, version, execution_id, Status.PENDING, input_text, None, None, now, now),
            *parent_values,
        )
        self._send_start(instance_id, name, execution_id, version, input_text, parent)

    def start_over(self, instance: Instance, input_text: str | None, carried: Sequence[Event]) -> None:
        """Give the instance a new execution with this input; only `carried` events reach it."""
        execution_id = uuid4().hex
        self.state.execute("delete from history where instance=?", instance.instance_id)
        self.state.execute(
            "delete from messages where instance=? and execution=?",
            *(instance.instance_id, instance.execution_id),
        )
        self.state.execute(
            "update instances set execution=?, status=?, input=?, updated=? where id=?",
            *(execution_id, Status.RUNNING, input_text, time.time(), instance.instance_id),
        )
        self._send_start(
            instance.instance_id, instance.name, execution_id, instance.version, input_text, instance.parent
        )
        for event in carried:
            self.send(instance.instance_id, event)

    def _send_start(
        self,
        instance_id: str,
        name: str,
        execution_id: str,
        version: str,
        input_text: str | None,
        parent: Parent | None,
    ) -> None:
        started = execution_started(
            name,
            instance_id,
            execution_id,
            at=time.time(),
            version=version,
            input_text=input_text,
            parent=(parent.instance_id, parent.task_id) if parent else None,
        )
        self.send(instance_id, started, execution_id)

    def update(
        self, instance_id: str, status: Status, output_text: str | None, custom_status_text: str | None
    ) -> None:
        """Write what an episode came to; without a custom status the old one stays, as on Azure."""
        self.state.execute(
            "update instances set status=?, output=?, custom_status=coalesce(?, custom_status), updated=? "
            "where id=?",
            *(status, output_text, custom_status_text, time.time(), instance_id),
        )

    def append_history(self, instance_id: str, position: int, events: Sequence[Event]) -> None:
        """Store events, now played, from `position` on."""
        rows = [
            (instance_id, number, json.dumps(event | {"IsPlayed": True}))
            for number, event in enumerate(events, position)
        ]
        self.state.execute_many("insert into history(instance, position, event) values(?,?,?)", rows)

    def replace_history(self, instance_id: str, events: Sequence[Event]) -> None:
        """Store these events in place of those there are."""
        self.state.execute("delete from history where instance=?", instance_id)
        self.append_history(instance_id, 0, events)

    def delete(self, instance_id: str) -> None:
        """Forget the instance, its history, its messages and its activities."""
        self.state.execute("delete from instances where id=?", instance_id)
        for table in ("history", "messages", "activities"):
            self.state.execute(f"delete from {table} where instance=?", instance_id)

    def send(
        self, instance_id: str, event: Event, execution_id: str | None = None, due: float | None = None
    ) -> None:
        """Put a message on its way, to arrive at `due` (epoch seconds; now by default)."""
        self.state.execute(
            "insert into messages(instance, execution, due, event) values(?,?,?,?)",
            *(instance_id, execution_id, time.time() if due is None else due, json.dumps(event)),
        )

    def due_messages(self, instance_id: str, now: float) -> list[Message]:
        """Return the messages that have arrived, in the order of their arrival."""
        statement = (
            "select number, execution, event from messages where instance=? and due<=? order by due, number"
        )
        return [
            Message(number, execution_id, json.loads(event))
            for number, execution_id, event in self.state.execute(statement, instance_id, now)
        ]

    def consume(self, messages: Sequence[Message]) -> None:
        """Delete messages."""
        self.state.execute_many(
            "delete from messages where number=?", [(message.number,) for message in messages]
        )

    def drop_messages(self, instance_id: str) -> None:
        """Delete whatever is on its way to an ended instance, its open timers included."""
        self.state.execute("delete from messages where instance=?", instance_id)

    def due_instances(self, now: float, limit: int) -> list[str]:
        """Return ids with arrived messages, the longest waiting first."""
        statement = "select instance from messages where due<=? group by instance order by min(due) limit ?"
        return [instance_id for (instance_id,) in self.state.execute(statement, now, limit)]

    def next_due(self, now: float) -> float | None:
        """Return when the next message arrives (epoch seconds), or None."""
        due: float | None = self.state.execute("select min(due) from messages where due>?", now)[0][0]
        return due

    def queue_activity(self, instance: Instance, task_id: int, name: str, input_text: str | None) -> None:
        """Write an activity to run."""
        self.state.execute(
            "insert into activities(instance, execution, task, name, input) values(?,?,?,?,?)",
            *(instance.instance_id, instance.execution_id, task_id, name, input_text),
        )

    def queued_activities(self, limit: int) -> list[QueuedActivity]:
        """Return the oldest activities without a result, running ones included."""
        statement = (
            "select number, instance, execution, task, name, input from activities order by number limit ?"
        )
        return [QueuedActivity(*row) for row in self.state.execute(statement, limit)]

    def finish_activity(self, activity: QueuedActivity, event: Event) -> None:
        """Replace an activity by the message with its result."""
        self.state.execute("delete from activities where number=?", activity.number)
        self.send(activity.instance_id, event, activity.execution_id)


def _instance(row: tuple[Any, ...]) -> Instance:
    *values, parent_id, parent_execution, parent_task = row
    parent = Parent(parent_id, parent_execution, parent_task) if parent_id else None
    values[4] = Status(values[4])
    return Instance(*[*values, parent])

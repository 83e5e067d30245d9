"""A plan of faults: what goes wrong, at which of the requests, jobs and outputs, the same each time it is played.

As JSON: `{"seed": 7, "faults": [{"do": "reset", "on": "POST .*/jobs", "after": true}]}`; docs/local.md explains it.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from random import Random
from typing import Any

KINDS = {
    "request": frozenset({"answer", "reset", "cut", "slow", "late"}),
    "job": frozenset({"hide", "show", "wait", "fail", "cancel", "preempt"}),
    "output": frozenset(
        {
            *("lose", "delay", "truncate", "drop-row", "double-row", "add-row", "swap-rows", "shuffle"),
            *("drop-batch", "repeat-batch"),
        }
    ),
}


class NoFault(ValueError):
    """A document that describes no fault; the message says why."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One thing that goes wrong, `times` times (None: for ever), after `skip` that go well, each with a `chance`.

    `on` is searched, as a regular expression, in what it may befall: "METHOD /path?query" for a request,
    "endpoint/deployment" for a job and its output.
    """

    do: str
    on: str = ""
    skip: int = 0
    times: int | None = 1
    chance: float = 1.0
    after: bool = False
    seconds: float = 0.0
    status: int = 500
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = ""
    shows: list[tuple[str, float]] = field(default_factory=list)
    message: str = ""

    @classmethod
    def of(cls, document: object) -> "Fault":
        """Raises NoFault for what is none."""
        if not isinstance(document, Mapping):
            raise NoFault(f"{document!r} is no fault: give an object with `do`")
        unknown = sorted(set(document) - {one.name for one in fields(cls)})
        if unknown:
            raise NoFault(f"a fault has no {', '.join(unknown)}")
        known = sorted(set().union(*KINDS.values()))
        if document.get("do") not in known:
            raise NoFault(f"{document.get('do')!r} is no fault; `do` is one of {', '.join(known)}")
        try:
            re.compile(document.get("on", ""))
            return cls(**document)
        except (TypeError, re.error) as problem:
            raise NoFault(f"{dict(document)!r} is no fault: {problem}") from None

    @property
    def kind(self) -> str:
        """What it befalls: request, job or output."""
        return next(kind for kind, names in KINDS.items() if self.do in names)


class Entry:
    """A fault of a plan, and how often it was met and struck."""

    def __init__(self, fault: Fault, random: Random) -> None:
        self.fault = fault
        self.met = self.struck = 0
        self._on = re.compile(fault.on)
        self._random = random

    def strikes(self, kind: str, subject: str) -> bool:
        """Whether this time it goes wrong; counts."""
        fault = self.fault
        if fault.kind != kind or not self._on.search(subject):
            return False
        if fault.times is not None and self.struck >= fault.times:
            return False
        self.met += 1
        if self.met <= fault.skip or self._random.random() >= fault.chance:
            return False
        self.struck += 1
        return True


class Plan:
    """The faults that are in force. Of those that could strike, the first does."""

    def __init__(self, faults: Iterable[Fault] = (), seed: int = 0) -> None:
        self._entries: list[Entry] = []
        self._seed = seed
        self.add(faults)

    @classmethod
    def of(cls, document: object) -> "Plan":
        """Raises NoFault."""
        if not isinstance(document, Mapping) or not isinstance(document.get("faults"), list):
            raise NoFault('a plan is an object {"seed": 0, "faults": [...]}')
        return cls([Fault.of(one) for one in document["faults"]], document.get("seed", 0))

    @classmethod
    def read(cls, text: str) -> "Plan":
        """Raises NoFault."""
        try:
            return cls.of(json.loads(text))
        except json.JSONDecodeError as problem:
            raise NoFault(f"the plan is not JSON: {problem}") from None

    def add(self, faults: Iterable[Fault]) -> None:
        for fault in faults:
            self._entries.append(Entry(fault, Random(f"{self._seed}/{len(self._entries)}")))

    def replace(self, other: "Plan") -> None:
        """Forgets what stood, counts included."""
        self._entries, self._seed = other._entries, other._seed

    def take(self, kind: str, subject: str) -> Fault | None:
        """What goes wrong with this one."""
        return next((entry.fault for entry in self._entries if entry.strikes(kind, subject)), None)

    def to_list(self) -> list[dict[str, Any]]:
        """Every fault, how often it was met and how often it struck."""
        return [
            {"do": entry.fault.do, "on": entry.fault.on, "met": entry.met, "struck": entry.struck}
            for entry in self._entries
        ]

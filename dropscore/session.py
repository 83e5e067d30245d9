"""What every command is given: the app, the screen, the clock. Made once, and by tests of other parts."""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import click

from dropscore.api import Api, Document
from dropscore.errors import Unreachable
from dropscore.screen import Screen
from dropscore.where import START, Place, place


def now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Session:
    """`asked` holds the common options of the command line, wherever they stood."""

    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    folders: list[Path] = field(default_factory=lambda: [Path.cwd(), Path(__file__).resolve().parent])
    now: Callable[[], datetime] = now
    sleep: Callable[[float], None] = time.sleep
    asked: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def screen(self) -> Screen:
        return Screen(as_json=self.as_json, program=self.program)

    @property
    def as_json(self) -> bool:
        return bool(self.asked.get("as_json"))

    @property
    def program(self) -> str:
        """How this is called here: `dev.py cli` calls it by another name."""
        return self.environment.get("DROPSCORE_PROGRAM", "dropscore")

    @cached_property
    def api(self) -> Api:
        """The app. Raises a Problem where there is none, or where a local stack is one no more."""
        found = Api(place(self.asked, self.environment, self.folders), self.sleep)
        if found.place.stack:
            self.check_stack(found)
        return found

    def check_stack(self, api: Api) -> None:
        """Another program may have the port of a stack that was killed."""
        try:
            api.health()
        except Unreachable as problem:
            raise Unreachable(
                "unreachable", stack_gone(api.place), f"Start it in the project's folder: {START}"
            ) from (problem)

    def show(self, document: Document | dict[str, Any], *shown: Any) -> None:
        """The result of a command: the document for programs, or what is shown to people."""
        if self.as_json:
            self.screen.document(document)
        else:
            self.screen.say(*shown)


def stack_gone(place: Place) -> str:
    return f"The local stack of {place.stack} is not up: nothing of dropscore answers at {place.url}."


def session() -> Session:
    """The session of the command that runs."""
    return click.get_current_context().ensure_object(Session)

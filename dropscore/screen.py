"""What a person sees on stdout and stderr, and what a program reads there instead."""

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from dropscore.errors import Problem
from dropscore.plain import plain

# A pipe has no width: what is cut there is lost to grep.
PIPE_WIDTH = 1000
NARROW = 70
COLOURS = {
    "published": "green",
    "succeeded": "green",
    "ok": "green",
    "unchanged": "green",
    "rejected": "red",
    "failed": "red",
    "timed-out": "red",
    "stale": "red",
    "partial": "yellow",
    "canceled": "yellow",
    "superseded": "yellow",
    "withdrawn": "yellow",
    "released": "yellow",
    "held": "yellow",
}


class Screen:
    """Two consoles; with `as_json`, stdout has one JSON document and nothing else."""

    def __init__(self, *, as_json: bool = False, program: str = "dropscore") -> None:
        self.as_json, self.program = as_json, program
        self.out, self.err = console(stderr=False), console(stderr=True)

    def document(self, content: object) -> None:
        """In ASCII: any terminal and any program takes it as it is."""
        print(json.dumps(content, indent=2), file=sys.stdout)

    def say(self, *shown: RenderableType) -> None:
        with self.out.capture() as captured:
            for one in shown:
                self.out.print(
                    self.named(one) if isinstance(one, str) else one, soft_wrap=isinstance(one, str)
                )
        # Cells are filled up with spaces; nobody wants them in a file.
        for line in captured.get().removesuffix("\n").split("\n"):
            print(line.rstrip(), file=sys.stdout)

    def note(self, text: str) -> None:
        """For a person, beside the result: on stderr, and not with --json."""
        if not self.as_json:
            self.err.print(self.named(text), soft_wrap=True)

    def problem(self, problem: Problem) -> None:
        if self.as_json:
            print(json.dumps({"error": problem.to_dict()}, indent=2), file=sys.stderr)
            return
        self.err.print(Text.assemble(("Error: ", "red"), self.named(problem.message)), soft_wrap=True)
        for one in problem.details:
            self.err.print(self.named(f"  {one}"), soft_wrap=True)
        if problem.hint:
            self.err.print(self.named(problem.hint), soft_wrap=True)

    def named(self, text: str) -> Text:
        """Commands as they are typed here, where the program is not called dropscore."""
        return Text(plain(text.replace("`dropscore ", f"`{self.program} ")))


def console(*, stderr: bool) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else PIPE_WIDTH
    return Console(stderr=stderr, width=width, highlight=False, markup=False, emoji=False)


def cell(value: object) -> Text:
    """One cell, in the colour of its word."""
    text = plain("" if value is None else value)
    return Text(text, COLOURS.get(text, ""), overflow="fold")


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], width: int) -> RenderableType:
    """A table; on a narrow terminal each row stands by itself, below the others."""
    kept = [[cell(value) for value in row] for row in rows]
    if width < NARROW:
        return Group(*(pairs(zip(columns, row, strict=True)) for row in kept))
    shown = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1), show_edge=False)
    for column in columns:
        shown.add_column(
            column, justify="right" if column in ("files", "rows", "size") else "left", overflow="fold"
        )
    for row in kept:
        shown.add_row(*row)
    return shown


def pairs(entries: Iterable[tuple[str, Any]]) -> Table:
    """Names and values, below one another; what is empty is left out."""
    shown = Table.grid(padding=(0, 2, 0, 0))
    shown.add_column(no_wrap=True)
    shown.add_column(overflow="fold")
    for name, value in entries:
        text = value if isinstance(value, Text) else cell(value)
        if text.plain:
            shown.add_row(Text(name, "dim"), text)
    return shown

"""What a person sees on stdout and stderr, and what a program reads there instead."""

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from dropscore.errors import Problem
from dropscore.plain import plain

# A pipe has no width: what is cut there is lost to grep.
PIPE_WIDTH = 10_000
# Between columns; and what the last one should have, which holds prose or an address.
GAP, LAST_COLUMN = 2, 24
COLOURS = {
    "published": "green",
    "succeeded": "green",
    "ok": "green",
    "unchanged": "green",
    "rejected": "red",
    "failed": "red",
    "timed-out": "red",
    "stale": "red",
    "warning": "yellow",
    "skipped": "dim",
    "broken": "red",
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
                text = self.named(one) if isinstance(one, str) else one
                self.out.print(text, soft_wrap=isinstance(text, Text))
        # Cells are filled up with spaces; nobody wants them in a file.
        for line in captured.get().removesuffix("\n").split("\n"):
            print(line.rstrip(), file=sys.stdout)

    def note(self, text: str) -> None:
        """For a person, beside the result: on stderr, and not with --json."""
        if not self.as_json:
            self.err.print(self.named(text), soft_wrap=True)

    def problem(self, problem: Problem) -> None:
        """The last that is said, also where stdout and stderr go into one file."""
        sys.stdout.flush()
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


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], width: int) -> Table | Text:
    """A table, whose last column takes what is left; where that is too little, each row is a block of lines."""
    kept = [[cell(value) for value in row] for row in rows]
    needed = sum(
        max(map(len, texts)) + GAP for texts in zip(columns[:-1], *(row[:-1] for row in kept), strict=True)
    )
    if width - needed < min(LAST_COLUMN, max((len(row[-1]) for row in kept), default=0)):
        return Text("\n\n").join(pairs(zip(columns, row, strict=True)) for row in kept)
    shown = Table(box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True, show_edge=False)
    for column in columns:
        right = column in ("files", "rows", "size", "waiting")
        shown.add_column(
            column, justify="right" if right else "left", overflow="fold", no_wrap=column == "run"
        )
    for row in kept:
        shown.add_row(*row)
    return shown


def pairs(entries: Iterable[tuple[str, Any]]) -> Text:
    """Names and values, line by line; what is empty is left out. The terminal wraps: what is copied stays whole."""
    kept = [(name, cell(value)) for name, value in entries]
    kept = [(name, value) for name, value in kept if value.plain]
    widest = max((len(name) for name, _ in kept), default=0)
    return Text("\n").join(Text.assemble((f"{name:{widest}}  ", "dim"), value) for name, value in kept)

"""Progress of what is followed: bars on a terminal, lines of what has changed elsewhere."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from dropscore.following import Followed
from dropscore.plain import plain
from dropscore.screen import Screen

# More bars than that are no picture any more: then one bar counts what is done.
MOST_BARS = 12


class Says(ProgressColumn):
    """How far it is, cut where the line is too short: the name before it stays whole."""

    def render(self, task: Task) -> Text:
        return Text(task.fields["says"], no_wrap=True, overflow="ellipsis")


@contextmanager
def shown(screen: Screen, followed: Sequence[Followed]) -> Iterator[Callable[[], None]]:
    """What to call after each look."""
    if screen.as_json:
        yield lambda: None
    elif not screen.err.is_terminal:
        yield lines(screen, followed)
    else:
        with Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            Says(),
            TimeElapsedColumn(),
            console=screen.err,
            transient=True,
        ) as progress:
            yield bars(progress, followed)


def lines(screen: Screen, followed: Sequence[Followed]) -> Callable[[], None]:
    """For a log: one line for each change."""
    said: dict[str, str] = {}

    def show() -> None:
        for one in followed:
            if said.get(one.name) != (text := says(one)):
                said[one.name] = text
                screen.note(f"{one.name}: {text}")

    return show


def bars(progress: Progress, followed: Sequence[Followed]) -> Callable[[], None]:
    if len(followed) > MOST_BARS:
        total = progress.add_task(f"{len(followed)} files", total=len(followed), says="")

        def show_total() -> None:
            ended = sum(bool(one.word) for one in followed)
            progress.update(total, completed=sum(one.done for one in followed), says=f"{ended} done")

        return show_total
    tasks: list[TaskID] = [progress.add_task(plain(one.name), total=1.0, says="") for one in followed]

    def show() -> None:
        for task, one in zip(tasks, followed, strict=True):
            progress.update(task, completed=one.done, says=plain(says(one)))

    return show


def says(one: Followed) -> str:
    """`submitted`, `waiting (1 of 1 jobs busy)`, `published`."""
    if one.word:
        return one.word
    return f"{one.stage} ({one.note})" if one.note else one.stage

"""What a check comes to, and many checks at the same time."""

from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from dataclasses import asdict, dataclass
from typing import Any, Literal

State = Literal["ok", "warning", "failed", "skipped"]
# Seconds that checks of one round may take. Each of their calls is bounded by itself, too.
LONGEST = 12.0
# As many as the connections that a client keeps.
AT_A_TIME = 10


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One check of one thing: `says` what was seen, `advice` what to type where that is not good.

    `skipped`: it could not be tried, since another check has failed or a setting is missing.
    """

    check: str
    about: str
    state: State
    says: str
    advice: str = ""

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Check:
    """The name of a check and what it is about; makes its findings."""

    name: str
    about: str = ""

    def ok(self, says: str) -> Finding:
        return Finding(check=self.name, about=self.about, state="ok", says=says)

    def failed(self, says: str, advice: str) -> Finding:
        return Finding(check=self.name, about=self.about, state="failed", says=says, advice=advice)

    def warning(self, says: str, advice: str) -> Finding:
        return Finding(check=self.name, about=self.about, state="warning", says=says, advice=advice)

    def skipped(self, says: str) -> Finding:
        return Finding(check=self.name, about=self.about, state="skipped", says=says)


@dataclass(frozen=True)
class Examination:
    """Checks that follow from each other; `look` makes their findings, `first` is named where it makes none in time."""

    first: Check
    look: Callable[[], list[Finding]]


def at_once(examinations: Iterable[Examination], longest: float = LONGEST) -> list[Finding]:
    """All findings, in the order of the examinations. What is not done in time has failed; its thread ends later."""
    chosen = list(examinations)
    if not chosen:
        return []
    threads = ThreadPoolExecutor(min(len(chosen), AT_A_TIME), thread_name_prefix="checkup")
    futures = [threads.submit(copy_context().run, one.look) for one in chosen]
    wait(futures, timeout=longest)
    threads.shutdown(wait=False, cancel_futures=True)
    return [found for one, future in zip(chosen, futures, strict=True) for found in of(one, future, longest)]


def of(one: Examination, future: Future[list[Finding]], longest: float) -> list[Finding]:
    if not future.done() or future.cancelled():
        return [
            one.first.failed(
                f"it was not done within {longest:.0f} s", "Ask again; `dropscore health` says more."
            )
        ]
    problem = future.exception()
    if problem is not None:
        # A fault of ours: the others are told all the same. The text may hold anything.
        return [
            one.first.failed(f"the check itself failed: {type(problem).__name__}", "Look at the app's log.")
        ]
    return future.result()

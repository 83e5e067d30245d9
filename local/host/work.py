"""What the host has under way, so that it can wait for it when it stops."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")
logger = logging.getLogger(__name__)


class RunningWork:
    """A set of running tasks. One that raises is logged: only the host's own errors get here."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def start(self, work: Coroutine[Any, Any, Result]) -> asyncio.Task[Result]:
        """Run `work` in the background; shield what this returns if you wait for it."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception():
            logger.error("the local host failed at its own work", exc_info=task.exception())

    async def drain(self, seconds: float) -> None:
        """Wait up to `seconds` for everything under way, then cancel what is left."""
        if not self._tasks:
            return
        _, unfinished = await asyncio.wait(self._tasks, timeout=seconds)
        for task in unfinished:
            task.cancel()
        if unfinished:
            await asyncio.wait(unfinished)
            logger.warning(
                "%d invocation(s) did not finish in %g s and will run again", len(unfinished), seconds
            )

"""Wakes a loop that otherwise sleeps until its next task is due."""

import asyncio
import time


class Doorbell:
    """Rung by whoever has written something to do; a ring while nobody waits is kept for the next wait."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Wake the loop now."""
        self._rung.set()

    async def wait(self, until: float | None) -> None:
        """Sleep until rung, or until the moment `until` (epoch seconds) if there is one."""
        alarm = until and asyncio.get_running_loop().call_later(until - time.time(), self.ring)
        await self._rung.wait()
        self._rung.clear()
        if alarm:
            alarm.cancel()

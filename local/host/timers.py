"""Timer triggers: NCRONTAB or hh:mm:ss schedules in UTC, run late after a restart where one was missed."""

import asyncio
import json
import logging
import time

from azure.functions.meta import Datum

from local.host.clock import to_iso
from local.host.indexing import IndexedFunction
from local.host.invocation import Worker
from local.host.schedules import Schedule
from local.host.state import State
from local.host.work import RunningWork

SCHEMA = "create table if not exists timers(function text primary key, last_run real) without rowid;"
logger = logging.getLogger(__name__)


class Timers:
    """Runs every timer function of an app at its times."""

    def __init__(self, state: State, worker: Worker, work: RunningWork) -> None:
        self._state = state
        self._worker = worker
        self._work = work
        self._schedules = {
            function.name: Schedule(function.spec["schedule"]) for function in worker.of_kind("timerTrigger")
        }
        state.create(SCHEMA)

    async def run(self) -> None:
        """Run the timers for ever; cancel to stop."""
        async with asyncio.TaskGroup() as group:
            for name in self._schedules:
                group.create_task(self._run_one(self._worker.functions[name]))

    async def _run_one(self, function: IndexedFunction) -> None:
        schedule = self._schedules[function.name]
        last = self._last_run(function.name)
        monitored = function.spec.get("useMonitor") is not False and schedule.monitored
        past_due = monitored and last is not None and schedule.next_after(last) < time.time()
        if past_due or function.spec.get("runOnStartup"):
            last = await self._fire(function, schedule, last, past_due=past_due)
        while True:
            await _sleep_until(schedule.next_after(time.time()))
            last = await self._fire(function, schedule, last, past_due=False)

    async def _fire(
        self, function: IndexedFunction, schedule: Schedule, last: float | None, *, past_due: bool
    ) -> float:
        now = time.time()
        self._state.execute("insert or replace into timers values(?,?)", function.name, now)
        status = {
            "Last": to_iso(last or 0),
            "Next": to_iso(schedule.next_after(now)),
            "LastUpdated": to_iso(last or 0),
        }
        request = {"Schedule": {"AdjustForDST": True}, "ScheduleStatus": status, "IsPastDue": past_due}
        await asyncio.shield(self._work.start(self._invoke(function, Datum(json.dumps(request), "json"))))
        return now

    async def _invoke(self, function: IndexedFunction, datum: Datum) -> None:
        try:
            await self._worker.invoke(function, datum)
        except Exception:
            logger.exception("timer function %s failed", function.name)

    def _last_run(self, name: str) -> float | None:
        rows = self._state.execute("select last_run from timers where function=?", name)
        return rows[0][0] if rows else None


async def _sleep_until(moment: float) -> None:
    while (rest := moment - time.time()) > 0:
        await asyncio.sleep(rest)

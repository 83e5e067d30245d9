"""Runs the app's functions in several worker processes, and replaces those that die."""

import asyncio
import contextlib
import logging
import socket
import subprocess
import sys
from collections.abc import Sequence

from azure.functions.meta import Datum

from local.host.indexing import IndexedFunction
from local.host.invocation import FunctionTimeout, Worker, WorkerLost
from local.host.protocol import RaisedElsewhere
from local.host.wire import READY, Call, Reply, pack, receive

RESTART_PAUSE = 1.0  # seconds, after a process that ended before it was ready
PATIENCE = 5.0  # seconds that a process gets to end
logger = logging.getLogger(__name__)


class WorkerProcess:
    """One worker process and what it has under way; `lost` says how it ended."""

    def __init__(self, command: Sequence[str]) -> None:
        self.turns: dict[str, int] = {}
        self.lost: WorkerLost | None = None
        self._calls: dict[int, asyncio.Future[Datum]] = {}
        self._number = READY.number
        self._socket, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [*command, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # Ctrl-C is for the host, which lets running functions finish
            )

    @property
    def busy(self) -> int:
        """How many functions it is running."""
        return len(self._calls)

    @property
    def free(self) -> bool:
        """Whether it takes calls."""
        return self._ready.done() and self.lost is None

    async def start(self) -> None:
        """Wait until it takes calls; raises WorkerLost."""
        self._ready = asyncio.get_running_loop().create_future()
        self._talk = asyncio.create_task(self._listen())
        await asyncio.shield(self._ready)
        logger.info("worker process %d is ready", self._process.pid)

    async def call(self, function: str, datum: Datum) -> Datum:
        """Run a function there; raises RaisedElsewhere or WorkerLost."""
        if self.lost:
            raise WorkerLost(str(self.lost))
        self._number += 1
        number = self._number
        self._calls[number] = asyncio.get_running_loop().create_future()
        self._writer.write(pack(Call(number=number, function=function, datum=datum)))
        try:
            return await self._calls[number]
        finally:
            del self._calls[number]

    async def ended(self) -> None:
        """Wait for its end."""
        await asyncio.shield(self._talk)

    def kill(self) -> None:
        """End it at once; what it is running is lost."""
        self._process.kill()

    async def close(self) -> None:
        """Let it end, whatever it is running."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        _, unfinished = await asyncio.wait([self._talk], timeout=PATIENCE)
        if unfinished:
            self._process.kill()
            await self._talk

    async def _listen(self) -> None:
        reader, self._writer = await asyncio.open_connection(sock=self._socket)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                self._settle(await receive(reader))
        self._writer.close()
        code = await asyncio.to_thread(self._process.wait)
        self.lost = WorkerLost(f"worker process {self._process.pid} ended with {code}")
        for waiting in (self._ready, *self._calls.values()):
            if not waiting.done():
                waiting.set_exception(WorkerLost(str(self.lost)))

    def _settle(self, reply: Reply) -> None:
        if reply == READY:
            self._ready.set_result(None)
            return
        waiting = self._calls.get(reply.number)
        if waiting is None or waiting.done():
            return
        if reply.failure is not None:
            failure = RaisedElsewhere(reply.failure)
            failure.add_note(reply.traceback)
            waiting.set_exception(failure)
        elif reply.result is not None:
            waiting.set_result(reply.result)


class WorkerProcesses(Worker):
    """The app's functions, run by processes: each call by the least busy; equals take turns at each trigger."""

    def __init__(
        self,
        functions: Sequence[IndexedFunction],
        client_binding: str,
        app_dir: str,
        *,
        count: int,
        timeout: float | None = None,
    ) -> None:
        """`count` processes; one in which a call lasts `timeout` seconds is ended."""
        super().__init__(functions, client_binding, app_dir, timeout)
        self._command = [sys.executable, "-m", "local.host.worker_process", app_dir, client_binding]
        self._count = count
        self._processes: list[WorkerProcess] = []
        self._started = asyncio.Event()
        self._turn = 0

    async def start(self) -> None:
        """Start every process; raises WorkerLost when one ends before it is ready."""
        self._processes = [WorkerProcess(self._command) for _ in range(self._count)]
        await asyncio.gather(*(process.start() for process in self._processes))

    async def run(self) -> None:
        """Replace each process that ends, for ever; cancel to stop."""
        async with asyncio.TaskGroup() as group:
            for process in self._processes:
                group.create_task(self._keep(process))

    async def invoke(self, function: IndexedFunction, datum: Datum) -> Datum:
        """Call a function in a free process; raises RaisedElsewhere, FunctionTimeout or WorkerLost."""
        process = await self._free_process(function.kind)
        try:
            async with asyncio.timeout(self.timeout):
                return await process.call(function.name, datum)
        except TimeoutError:
            logger.warning("function %s outlasts functionTimeout: its worker process is ended", function.name)
            process.kill()
            raise FunctionTimeout(function.name, self.timeout or 0) from None

    async def close(self) -> None:
        """End every process."""
        await asyncio.gather(*(process.close() for process in self._processes))
        await super().close()

    async def _free_process(self, kind: str) -> WorkerProcess:
        while not (free := [process for process in self._processes if process.free]):
            self._started.clear()
            await self._started.wait()
        chosen = min(free, key=lambda process: (process.busy, process.turns.get(kind, 0)))
        self._turn += 1
        chosen.turns[kind] = self._turn
        return chosen

    async def _keep(self, process: WorkerProcess) -> None:
        while True:
            await process.ended()
            logger.warning("%s: another takes its place", process.lost)
            self._processes.remove(process)
            process = WorkerProcess(self._command)
            self._processes.append(process)
            try:
                await process.start()
            except WorkerLost:
                await asyncio.sleep(RESTART_PAUSE)
            self._started.set()

"""The emulator's end of a scoring process: start it, ask it to score, replace it when it hangs or dies."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from .jobs import JobFailed

_WORKER = Path(__file__).with_name("worker.py")
_INIT_TIMEOUT = 600.0
# An answer is one line, however long.
_LONGEST_REPLY = 256 * 1024 * 1024


class ProcessGone(Exception):
    """A scoring process took too long or died; the message says which."""


class MiniBatchFailed(Exception):
    """A mini-batch was not scored: the script raised, took too long, or took its process down."""


@dataclass(frozen=True, kw_only=True)
class ScriptSetting:
    """What a scoring process is started with; `folder` is its working folder, `log` takes all it prints."""

    code: Path
    script: str
    environment: dict[str, str]
    folder: Path
    log: Path


class ScoringProcess:
    """A place where requests are scored one after the other, by one process at a time.

    Used as a context manager: on leaving, the process is gone, with everything it started.
    """

    def __init__(self, setting: ScriptSetting) -> None:
        self._setting = setting
        self._process: Process | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.end()

    async def run(self, files: list[Path], rows: Path, timeout: float) -> int:
        """Score `files` into `rows` and return how many items run() gave back.

        Raises MiniBatchFailed, after `timeout` seconds at the latest; the next call finds a fresh process
        where this one hung or died.
        """
        try:
            reply = await self.ask({"files": [str(file) for file in files], "rows": str(rows)}, timeout)
        except ProcessGone as gone:
            raise MiniBatchFailed(str(gone)) from gone
        if "failed" in reply:
            raise MiniBatchFailed(f"User program failed with {reply['failed']}")
        return int(reply["returned"])

    async def ask(self, request: dict[str, Any], timeout: float) -> dict[str, Any]:
        """The process's reply to a request; it has `failed` where run() raised.

        Raises ProcessGone, after `timeout` seconds at the latest; the next call finds a fresh process.
        """
        await self.start()
        return await self._ask(request, timeout)

    async def start(self) -> None:
        """Start a process where there is none, and wait for init().

        Raises JobFailed where that fails: nothing can be scored.
        """
        if self._process is not None:
            return
        setting = self._setting
        setting.folder.mkdir(parents=True, exist_ok=True)
        with setting.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", str(_WORKER), str(setting.code), setting.script),
                stdin=PIPE,
                stdout=PIPE,
                stderr=log,
                cwd=setting.folder,
                limit=_LONGEST_REPLY,
                env=os.environ | setting.environment | {"PYTHONUNBUFFERED": "1"},
                start_new_session=True,
            )
        try:
            reply = await self._ask(None, _INIT_TIMEOUT)
        except ProcessGone as gone:
            raise JobFailed("UserError", f"init() was not finished: {gone}") from gone
        if "failed" in reply:
            raise JobFailed("UserError", f"User program failed with {reply['failed']} (in init())")

    async def end(self) -> int | None:
        """Kill the process and everything it started; its exit status."""
        process, self._process = self._process, None
        if process is None:
            return None
        exited = process.returncode
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        if process.stdin is not None:
            process.stdin.close()
        status = await process.wait()
        return status if exited is None else exited

    async def _ask(self, request: dict[str, Any] | None, timeout: float) -> dict[str, Any]:
        """Send a request, if any, and wait for the reply; a process that does not give one is ended."""
        try:
            async with asyncio.timeout(timeout):
                line = await self._exchange(request)
        except TimeoutError:
            await self.end()
            raise ProcessGone(f"No progress update in {timeout:g} seconds; the process was ended") from None
        if not line:
            status = await self.end()
            raise ProcessGone(f"User program ended its process (exit status {status})")
        reply: dict[str, Any] = json.loads(line)
        return reply

    async def _exchange(self, request: dict[str, Any] | None) -> bytes:
        """The next line of the process, after sending it `request`; empty when it has died."""
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        if request is not None:
            with contextlib.suppress(ConnectionError):
                self._process.stdin.write(json.dumps(request).encode() + b"\n")
                await self._process.stdin.drain()
        return await self._process.stdout.readline()

"""Child processes of the stack: none outlives it, however it ends."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

PR_SET_PDEATHSIG = 1
PATIENCE = 15.0


class ChildFailed(Exception):
    """A child ended before it was ready; the message ends with the last lines of its log."""


class Child:
    """One process with a log of its own, in a session of its own so that Ctrl-C reaches only the stack."""

    def __init__(self, name: str, command: list[str], log: Path, environment: Mapping[str, str]) -> None:
        self.name = name
        self.log = log
        self.beginning = log.stat().st_size if log.exists() else 0
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                command,
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env=dict(environment),
                start_new_session=True,
                preexec_fn=end_with_parent if sys.platform == "linux" else None,
            )

    def wait_until(self, ready: Callable[[], bool], seconds: float = 60.0) -> None:
        """Returns when it is ready. Raises ChildFailed when it ends before, or takes too long."""
        deadline = time.monotonic() + seconds
        while not ready():
            if self.process.poll() is not None:
                raise ChildFailed(f"{self.name} ended with {self.process.returncode}:\n{self.last_lines()}")
            if time.monotonic() > deadline:
                raise ChildFailed(f"{self.name} was not ready after {seconds:.0f} s:\n{self.last_lines()}")
            time.sleep(0.02)

    def last_lines(self, number: int = 15) -> str:
        """Of what this process has written; the log goes on from start to start."""
        written = self.log.read_bytes()[self.beginning :].decode("utf-8", "replace")
        return "\n".join(written.splitlines()[-number:])

    def stop(self) -> None:
        """SIGTERM, and SIGKILL only for what does not end on it."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def kill(self) -> None:
        """SIGKILL, as a crash would."""
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()


def end_with_parent() -> None:
    """Asks the kernel for a SIGTERM when the parent dies (prctl(2)), a SIGKILL of the parent included."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)

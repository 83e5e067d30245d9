"""The command line of a step: names of inputs and outputs replaced, and the process that runs it."""

import asyncio
import contextlib
import os
import re
import signal
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path

from .jobs import JobFailed

_RUNNER = Path(__file__).with_name("step_runner.py")
_NAME = re.compile(r"\$\{\{\s*(inputs|outputs)\.(\w+)\s*\}\}")
_OPTIONAL = re.compile(r"\$\[\[(.*?)\]\]", re.DOTALL)


def command_line(command: str, inputs: dict[str, str], outputs: dict[str, str]) -> str:
    """The command with its names replaced by values as they are, which may need quotes around them.

    Parts in `$[[…]]` are left out where an input is not given. Raises JobFailed for a name without a value.
    """
    known = {"inputs": inputs, "outputs": outputs}

    def optional(part: re.Match[str]) -> str:
        names = _NAME.findall(part[1])
        return part[1] if all(name in known[side] for side, name in names) else ""

    def value(name: re.Match[str]) -> str:
        found = known[name[1]].get(name[2])
        if found is None:
            raise JobFailed("UserError", f"The command uses {name[1]}.{name[2]}, which is not given")
        return found

    return _NAME.sub(value, _OPTIONAL.sub(optional, command))


async def run_command(line: str, folder: Path, variables: dict[str, str], log: Path) -> None:
    """Run a command in `folder`, with all it prints in `log`. Raises JobFailed where it fails.

    On being cancelled, the process is ended with everything it started.
    """
    python = str(Path(sys.executable).parent)
    environment = os.environ | variables | {"PATH": f"{python}{os.pathsep}{os.environ.get('PATH', '')}"}
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, str(_RUNNER), line),
            stdin=PIPE,
            stdout=output,
            stderr=output,
            cwd=folder,
            env=environment | {"PYTHONUNBUFFERED": "1"},
            start_new_session=True,
        )
    try:
        status = await process.wait()
    finally:
        await _end(process)
    if status:
        raise JobFailed(
            "UserError",
            f"Execution failed. User process exited with status code {status}. "
            "Please check log file 'user_logs/std_log.txt' for error details.",
        )


async def _end(process: Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    if process.stdin is not None:
        process.stdin.close()
    await process.wait()

"""The environment of the real client: the one that `dev.py provision` has."""

import os
import subprocess
from pathlib import Path

import dev


class NotInstalled(Exception):
    """The packages could not be had; the message says which command failed."""


def client_python() -> Path:
    """The interpreter that has the client. Raises NotInstalled."""
    try:
        dev.set_up_sdk()
    except SystemExit as stopped:
        raise NotInstalled(str(stopped)) from None
    return dev.SDK / "bin" / "python"


def run_program(
    program: Path, *arguments: str, folder: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a program in that environment. Raises NotInstalled."""
    return subprocess.run(
        [str(client_python()), str(program), *arguments],
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(dev.ROOT)},
        check=False,
    )

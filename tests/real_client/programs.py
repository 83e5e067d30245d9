"""The environment of Azure ML's SDK, and programs that run in it."""

import os
import subprocess
from pathlib import Path

import dev


def sdk(program: Path, *arguments: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run a program in the SDK's environment, which is made where it is missing."""
    dev.set_up_sdk()
    return subprocess.run(
        [str(dev.SDK / "bin" / "python"), str(program), *arguments],
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(dev.ROOT)},
        check=False,
    )

"""How it is measured this time, and on what machine."""

import os
import platform
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.environment import ROOT

BUSY = 1.0


@dataclass(frozen=True, kw_only=True)
class Setting:
    """`folder` is for files that nobody keeps; `app` is the app that is measured, by default this one."""

    folder: Path
    quick: bool = False
    huge: bool = False
    rounds: int = 3
    app: Path = ROOT

    def sized(self, full: int, quick: int) -> int:
        """A size, smaller where it is only tried."""
        return quick if self.quick else full


def quiet_enough(load: float, anyway: bool) -> float:
    """The load average. Stops the program where others are at work, since they would be measured, too."""
    print(f"· load average {load:.2f}", flush=True)
    if load > BUSY and not anyway:
        raise SystemExit(f"The load is above {BUSY}: wait until the machine is quiet, or add --anyway.")
    return load


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cores": os.cpu_count(),
        "memory_gib": round(memory / 2**30),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
    }


def revision(app: Path) -> str:
    """The commit of what is measured, "+" where it was changed since; "" outside of a repository."""
    described = ["git", "-C", str(app), "describe", "--always", "--dirty=+", "--abbrev=10", "--exclude=*"]
    shown = subprocess.run(described, capture_output=True, text=True, check=False)
    return shown.stdout.strip()

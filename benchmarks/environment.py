"""The peers' own environment in `.local/benchmarks`, made on first use and when its requirements change."""

import hashlib
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "benchmarks" / "requirements.txt"
HOME = ROOT / ".local" / "benchmarks"
PYTHON = HOME / "bin" / "python"
STAMP = HOME / "requirements.sha256"


def set_up() -> Path:
    """The Python that has the peers. Takes a minute where it is missing."""
    if not STAMP.exists() or STAMP.read_text() != fingerprint():
        print(f"· installing the peers into {HOME.relative_to(ROOT)}", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", HOME], check=True)
        quiet = ("-qq", "--disable-pip-version-check")
        subprocess.run([PYTHON, "-m", "pip", "install", *quiet, "-r", REQUIREMENTS], check=True)
        STAMP.write_text(fingerprint())
    return PYTHON


def fingerprint() -> str:
    """Changes with the requirements and with the Python that runs them."""
    return hashlib.sha256(REQUIREMENTS.read_bytes() + sys.version.encode()).hexdigest()


def versions(*names: str) -> dict[str, str]:
    """The versions of these peers, as they are pinned."""
    lines = REQUIREMENTS.read_text("utf-8").splitlines()
    pinned = dict(line.split("==") for line in lines if "==" in line)
    return {name: pinned[name] for name in names}

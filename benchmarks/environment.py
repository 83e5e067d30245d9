"""The environments that subjects run in, each of its own in `.local/benchmarks`.

Made on first use, and again when what they need changes.
"""

import hashlib
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / ".local" / "benchmarks"


@dataclass(frozen=True)
class Environment:
    """`name` is its folder, `requirements` what it holds, pinned."""

    name: str
    requirements: Path

    @property
    def folder(self) -> Path:
        return HOME / self.name

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    @property
    def stamp(self) -> Path:
        return self.folder / "requirements.sha256"

    def set_up(self) -> Path:
        """Its Python. Takes a minute where it is missing."""
        if not self.stamp.exists() or self.stamp.read_text() != self.fingerprint():
            print(f"· installing {self.requirements.name} into {self.folder.relative_to(ROOT)}", flush=True)
            subprocess.run([sys.executable, "-m", "venv", "--clear", self.folder], check=True)
            quiet = ("-qq", "--disable-pip-version-check")
            subprocess.run([self.python, "-m", "pip", "install", *quiet, "-r", self.requirements], check=True)
            self.stamp.write_text(self.fingerprint())
        return self.python

    def fingerprint(self) -> str:
        """Changes with the requirements and with the Python that runs them."""
        return hashlib.sha256(self.requirements.read_bytes() + sys.version.encode()).hexdigest()

    def versions(self) -> dict[str, str]:
        """What is pinned, and how."""
        lines = self.requirements.read_text("utf-8").splitlines()
        pins = [line.partition(";")[0].strip() for line in lines if "==" in line]
        return {name: version for name, _, version in (pin.partition("==") for pin in pins)}


def of_peers(name: str) -> Environment:
    return Environment(name, ROOT / "benchmarks" / f"requirements-{name}.txt")


ROWS = of_peers("rows")
# What a straight script needs is what all peers need beside their engine.
SCRIPT = of_peers("script")
AZURE_AI_ML = of_peers("azure-ai-ml")
PREFECT = of_peers("prefect")
DBOS = of_peers("dbos")
LOCAL = of_peers("local")
APP = Environment("app", ROOT / "requirements.txt")

"""The environment of the real client, in .local: made on first use, and anew when its requirements change."""

import subprocess
import sys
import venv
from pathlib import Path

from local.stack import ROOT

REQUIREMENTS = Path(__file__).with_name("requirements.txt")
ENVIRONMENT = ROOT / ".local" / "real-client"
_STAMP = ENVIRONMENT / "requirements.txt"


class NotInstalled(Exception):
    """The packages could not be had; the message says what pip said."""


def client_python() -> Path:
    """The interpreter that has the client. Raises NotInstalled."""
    python = ENVIRONMENT / "bin" / "python"
    wanted = f"{sys.version}\n{REQUIREMENTS.read_text()}"
    if _STAMP.is_file() and _STAMP.read_text() == wanted:
        return python
    venv.create(ENVIRONMENT, clear=True, with_pip=True)
    install = ["-m", "pip", "install", "-qq", "--disable-pip-version-check", "-r", str(REQUIREMENTS)]
    ended = subprocess.run([python, *install], capture_output=True, text=True, check=False)
    if ended.returncode:
        raise NotInstalled(ended.stderr.strip().rpartition("\n")[2])
    _STAMP.write_text(wanted)
    return python

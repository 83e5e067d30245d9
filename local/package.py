"""The deployment package: what `.funcignore` leaves of the project's files."""

import shutil
import subprocess
from pathlib import Path

import pathspec

from local.stack import ROOT


def files() -> list[str]:
    """The names of what a deployment uploads, without what git ignores."""
    ignored = pathspec.GitIgnoreSpec.from_lines((ROOT / ".funcignore").read_text("utf-8").splitlines())
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    known = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return sorted(ignored.match_files(known, negate=True))


def copy(folder: Path) -> None:
    """Puts the package, alone, into a folder."""
    for name in files():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, target)

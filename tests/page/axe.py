"""axe-core, which finds what keeps people with disabilities out: from npm, checked by its hash, never committed.

`python -m tests.page.axe` fetches it.
"""

import base64
import hashlib
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

from local import azurite
from local.stack import ROOT

VERSION = "4.14.1"
INTEGRITY = "sha512-FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ=="
SCRIPT = ROOT / ".local" / "axe" / f"axe-{VERSION}.min.js"


def install() -> None:
    """Stops with npm's own words where it cannot, and where the registry gives something else."""
    npm = azurite.required_node().npm
    with tempfile.TemporaryDirectory() as folder:
        command = [*npm, "pack", f"axe-core@{VERSION}", "--loglevel=error"]
        subprocess.run(command, cwd=folder, env=azurite.environment(), check=True, stdout=subprocess.DEVNULL)
        packed = Path(folder) / f"axe-core-{VERSION}.tgz"
        check(packed.read_bytes())
        with tarfile.open(packed) as archive:
            archive.extract("package/axe.min.js", folder, filter="data")
        SCRIPT.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(Path(folder) / "package/axe.min.js", SCRIPT)


def check(packed: bytes) -> None:
    found = "sha512-" + base64.b64encode(hashlib.sha512(packed).digest()).decode()
    if found != INTEGRITY:
        raise SystemExit(f"axe-core {VERSION} has the hash {found}, which is not the one that is pinned.")


if __name__ == "__main__":
    install()

"""One step of a pipeline: a shell command, which ends with the emulator, however that ends.

Started by path, never imported: it must not pull the emulator into the command's interpreter. The emulator holds its
stdin open for as long as the command may run.
"""

import os
import signal
import subprocess
import sys
import threading


def main(command: str) -> int:
    """Run the command, and give its exit status."""
    threading.Thread(target=_watch, daemon=True).start()
    return subprocess.run(["bash", "-c", command], stdin=subprocess.DEVNULL, check=False).returncode


def _watch() -> None:
    """End the whole group once stdin ends: the emulator is gone."""
    while os.read(0, 1024):
        pass
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

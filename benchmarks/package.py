"""What is deployed: `python -m benchmarks.package [--install]`. Its size, and what importing it takes in a new process.

With --install the requirements, too, are installed into a folder and measured: a minute.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from local.package import copy
from local.stack import ROOT

TIMES = 7
IMPORT = """
import json, os, time
begun, ran = time.perf_counter(), time.process_time()
import {names}
print(json.dumps([time.perf_counter() - begun, time.process_time() - ran]))
"""
# What the Python worker imports besides, where telemetry is on.
EXPORTER = "azure.monitor.opentelemetry"


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def imported(folder: Path, names: str) -> tuple[float, float]:
    """Seconds on the clock and of the processor, the median of fresh processes that have compiled it before."""
    command = [sys.executable, "-c", IMPORT.format(names=names)]
    runs = [
        json.loads(subprocess.run(command, cwd=folder, capture_output=True, check=True).stdout)
        for _ in range(TIMES + 1)
    ][1:]
    return median(clock for clock, _ in runs), median(processor for _, processor in runs)


def install(folder: Path) -> str:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-compile", "--target", str(folder)]
    subprocess.run([*command, "-r", str(ROOT / "requirements.txt")], check=True)
    packages = len(list(folder.glob("*.dist-info")))
    return f"installed requirements: {size(folder) / 1e6:.0f} MB, {packages} packages"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--install", action="store_true", help="measure the installed requirements, too")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "package")
        copy(folder)
        files = [path for path in folder.rglob("*") if path.is_file()]
        print(f"package: {len(files)} files, {size(folder) / 1e3:.0f} kB")
        for names in ("function_app", f"function_app, {EXPORTER}"):
            clock, processor = imported(folder, names)
            print(f"import {names}: {clock:.2f} s, {processor:.2f} s of a processor")
        if chosen.install:
            print(install(Path(name, "requirements")))


if __name__ == "__main__":
    main()

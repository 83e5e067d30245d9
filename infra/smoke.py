"""Does the app score? `python infra/smoke.py FILE.csv --route NAME [--timeout 90m]`: drops a file and waits.

Uses the command line `dropscore`, which knows the app by DROPSCORE_URL and DROPSCORE_KEY. The rows are dropped in
another order each time: equal bytes would be `unchanged`, and no job would run. Ends with 0 only if there are
as many rows of predictions as there were rows.
"""

import argparse
import csv
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

NAME = "smoke-test.csv"


def shuffled(source: Path, target: Path) -> int:
    """Writes the source's rows in another order; returns how many there are."""
    with source.open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    random.shuffle(rows)
    with target.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])
    return len(rows)


def predicted(folder: Path) -> int:
    """How many rows the saved predictions have."""
    [saved] = folder.rglob("*.csv")
    with saved.open(newline="", encoding="utf-8") as file:
        return sum(1 for _ in csv.reader(file)) - 1


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", type=Path, help="a CSV that the route accepts")
    parser.add_argument("--route", required=True)
    parser.add_argument("--timeout", default="90m", help="a cluster that starts from nothing takes its time")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = shuffled(chosen.file, folder / NAME)
        command = [sys.executable, "-m", "dropscore", "drop", str(folder / NAME), "--route", chosen.route]
        saving = ["--wait", "--timeout", chosen.timeout, "--out", str(folder / "predictions")]
        code = subprocess.run([*command, *saving], env=os.environ, check=False).returncode
        if code:
            return code
        found = predicted(folder / "predictions")
    print(f"{rows} rows dropped, {found} rows of predictions")
    return 0 if found == rows else 1


if __name__ == "__main__":
    sys.exit(main())

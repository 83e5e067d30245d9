"""`python3 dev.py bench [SECTION ...]`: measures dropscore beside what else one would take, and writes the report.

python3 dev.py bench                        everything; hours on two cores, see docs/benchmarks.md
python3 dev.py bench one cold               some sections, the others stay as they are
python3 dev.py bench one --quick --anyway   small sizes on a busy machine, for trying; kept apart
python3 dev.py bench --render               the page once more, from what was kept
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.environment import ROOT
from benchmarks.report import TITLES, write
from benchmarks.results import FULL, QUICK, Place
from benchmarks.rows import steps as rows
from benchmarks.sections import cold, flood, growth, huge, long, one
from benchmarks.setting import Setting, machine, quiet_enough, revision

SECTIONS = {"one": one, "flood": flood, "huge": huge, "long": long, "cold": cold, "growth": growth}
ROWS, ROWS_QUICK = 10_000_000, 20_000


def options_of(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="dev.py bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=", ".join(TITLES))
    parser.add_argument(
        "--quick", action="store_true", help="small sizes, once; kept in .local/benchmarks/quick"
    )
    parser.add_argument("--huge", action="store_true", help="10,000 files and 5 GB, too")
    parser.add_argument("--rounds", type=int, help="3 by default, 1 with --quick")
    parser.add_argument(
        "--anyway", action="store_true", help="although the machine is busy; the report says so"
    )
    parser.add_argument("--render", action="store_true", help="measure nothing, write the page")
    parser.add_argument("--app", type=Path, default=ROOT, help="measure another checkout's app")
    parser.add_argument("--before", action="store_true", help="keep it as what was before an improvement")
    options = parser.parse_args(arguments)
    if unknown := set(options.sections) - set(TITLES):
        parser.error(f"{min(unknown)} is none of {', '.join(TITLES)}")
    options.rounds = options.rounds or (1 if options.quick else 3)
    return options


def main(arguments: Sequence[str]) -> None:
    options = options_of(arguments)
    place = QUICK if options.quick else FULL
    names = [] if options.render else [name for name in TITLES if name in (options.sections or TITLES)]
    measures = {*SECTIONS, "rows"} & {*names}
    load = quiet_enough(os.getloadavg()[0], options.anyway) if measures else 0.0
    for name in names:
        begun = time.monotonic()
        print(f"· {TITLES[name]}", flush=True)
        section(name, options, place, load)
        print(f"  took {time.monotonic() - begun:.0f} s", flush=True)
    write(place)
    print(f"· {place.page.relative_to(ROOT)}", flush=True)


def section(name: str, options: argparse.Namespace, place: Place, load: float) -> None:
    """Measures one section and keeps what was found. Money measures nothing."""
    command = " ".join(["python3 dev.py bench", name, *flags(options)])
    common: dict[str, Any] = {
        "command": command,
        "rounds": options.rounds,
        "machine": machine(),
        "load": load,
    }
    if name == "rows":
        size = ROWS_QUICK if options.quick else ROWS
        found = rows.measured(list(rows.CHOICES), size, options.rounds, options.huge)
        rows.keep(place, {step: common | one for step, one in found.items()})
    elif name in SECTIONS:
        common |= {"revision": revision(options.app), "anyway": options.anyway, "quick": options.quick}
        with tempfile.TemporaryDirectory(prefix=f"benchmark-{name}-") as folder:
            setting = Setting(
                folder=Path(folder),
                quick=options.quick,
                huge=options.huge,
                rounds=options.rounds,
                app=options.app.resolve(),
            )
            place.write(name, common | SECTIONS[name].measured(setting), before=options.before)


def flags(options: argparse.Namespace) -> list[str]:
    """The options that change what is measured, as they are typed."""
    words = [f"--{word}" for word in ("quick", "huge", "anyway", "before") if getattr(options, word)]
    words += ["--app FOLDER"] if options.app.resolve() != ROOT else []
    return words + ([f"--rounds {options.rounds}"] if options.rounds != (1 if options.quick else 3) else [])


if __name__ == "__main__":
    main(sys.argv[1:])

"""What it costs to start: import time and memory of the deployed package beside what others import."""

import os
import re
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

from benchmarks.environment import APP, AZURE_AI_ML, DBOS, PREFECT, SCRIPT, Environment
from benchmarks.processes import MIB
from benchmarks.setting import Setting

ROUNDS, ROUNDS_QUICK = 7, 2
PACKAGE = (
    "activities",
    "orchestrators",
    "shared",
    "triggers",
    "web",
    "function_app.py",
    "host.json",
    "routes.toml",
)
OURS = "dropscore, deployed"
IMPORTS: dict[str, tuple[Environment, str]] = {
    "bare Python": (SCRIPT, "pass"),
    "requests, identity, blob": (SCRIPT, "import requests, azure.identity, azure.storage.blob"),
    "azure-ai-ml": (AZURE_AI_ML, "from azure.ai.ml import Input, MLClient; import azure.identity"),
    "DBOS": (DBOS, "from dbos import DBOS"),
    "Prefect": (PREFECT, "from prefect import flow, task"),
    "azure-functions, durable": (APP, "import azure.functions, azure.durable_functions"),
    OURS: (APP, "import function_app"),
}
DEAREST = 15
NOT_COUNTED = ("pip", "setuptools", "_distutils_hack")
LINE = re.compile(r"import time:\s+(\d+) \|\s+(\d+) \|(\s+)(\S+)")
MEASURE = """
{statement}
import time
peak = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(time.process_time(), peak)
"""


def measured(setting: Setting) -> dict[str, Any]:
    for environment, _ in IMPORTS.values():
        environment.set_up()
    package = packaged(setting.app, setting.folder / "package")
    found: dict[str, list[dict[str, float]]] = {name: [] for name in IMPORTS}
    # The first time compiles what has not been compiled.
    for number in range(1 + (ROUNDS_QUICK if setting.quick else ROUNDS)):
        for name, (environment, statement) in IMPORTS.items():
            figures = imported(environment, statement, package)
            if number:
                found[name].append(figures)
    sizes = {name: installed(environment) for name, (environment, _) in IMPORTS.items()}
    return {"imports": found, "installed": sizes, "largest": largest(package), "loaded": loaded(package)}


def packaged(app: Path, folder: Path) -> Path:
    """What a deployment uploads, compiled."""
    folder.mkdir()
    for name in PACKAGE:
        source = app / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        elif source.exists():
            shutil.copy(source, folder / name)
    subprocess.run([str(APP.python), "-m", "compileall", "-q", str(folder)], check=True)
    return folder


def imported(environment: Environment, statement: str, package: Path) -> dict[str, float]:
    """One fresh process from its start to its end: seconds by the clock and of the processor, and its MiB."""
    begun = time.perf_counter()
    shown = python(environment, package, "-c", MEASURE.format(statement=statement)).stdout
    took = time.perf_counter() - begun
    spent, peak = shown.split()[-2:]
    return {"wall": round(took, 4), "cpu": round(float(spent), 4), "peak": round(int(peak) / MIB, 1)}


def python(environment: Environment, package: Path, *words: str) -> subprocess.CompletedProcess[str]:
    surroundings = {
        "PATH": os.environ["PATH"],
        "DO_NOT_TRACK": "1",
        "PREFECT_HOME": str(package.parent / "prefect"),
    }
    return subprocess.run(
        [str(environment.python), *words],
        cwd=package,
        env=surroundings,
        check=True,
        capture_output=True,
        text=True,
    )


def largest(package: Path) -> list[dict[str, Any]]:
    """What each import of the app costs, by the module that is named in it: the slowest of them, of one process.

    A module's milliseconds are those of all that it imports first.
    """
    shown = python(APP, package, "-X", "importtime", "-c", "import function_app").stderr
    costs = [(found[4], int(found[1]), int(found[2])) for found in LINE.finditer(shown)]
    of_packages: dict[str, int] = {}
    for module, own, _ in costs:
        name = distribution(module)
        of_packages[name] = of_packages.get(name, 0) + own
    dearest = sorted(of_packages.items(), key=lambda one: -one[1])[:DEAREST]
    return [{"package": name, "ms": round(own / 1000, 1)} for name, own in dearest]


def distribution(module: str) -> str:
    """The part of a module's name by which people know where it comes from."""
    first, *others = module.split(".")
    return ".".join([first, *others[: 2 if others[:1] == ["storage"] else 1]]) if first == "azure" else first


def loaded(package: Path) -> int:
    shown = python(APP, package, "-c", "import function_app, sys; print(len(sys.modules))").stdout
    return int(shown)


def installed(environment: Environment) -> dict[str, float]:
    """Megabytes of an environment's packages and how many distributions there are, without pip's own."""
    [site] = environment.folder.glob("lib/python3*/site-packages")
    entries = [entry for entry in site.iterdir() if not entry.name.startswith(NOT_COUNTED)]
    files = [path for entry in entries for path in (entry.rglob("*") if entry.is_dir() else [entry])]
    size = sum(path.stat().st_size for path in files if path.is_file() and path.suffix != ".pyc")
    return {
        "mb": round(size / 1e6, 1),
        "distributions": sum(one.name.endswith(".dist-info") for one in entries),
    }

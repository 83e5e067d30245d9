"""Starts the local Functions host: `python -m local.host APP_DIR --port N --state DIR`."""

import argparse
import os
import sys
from pathlib import Path

from local.host.host import Host
from local.host.indexing import IndexingError
from local.host.keys import InvalidKeysError, Keys
from local.host.logs import log_to_stderr
from local.host.service import run_until_signalled
from local.host.state import StateInUse


def main() -> None:
    """Run the host until SIGTERM or SIGINT; exit code 1 when the app or the state directory is refused."""
    parser = argparse.ArgumentParser(prog="python -m local.host", description=__doc__)
    parser.add_argument("app", type=Path, help="directory with function_app.py and host.json")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument(
        "--state", type=Path, required=True, help="directory of the host's database; one host each"
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument(
        "--keys", type=Path, metavar="FILE", help="ask for HTTP keys as Azure does; made where it is missing"
    )
    arguments = parser.parse_args()
    log_to_stderr()
    try:
        keys = Keys.from_file(arguments.keys) if arguments.keys else None
        host = Host(arguments.app, arguments.state, address=arguments.host, port=arguments.port, keys=keys)
    except (IndexingError, InvalidKeysError, StateInUse) as refusal:
        sys.exit(str(refusal))

    def announce() -> None:
        print(f"host ready at {host.url} ({len(host.worker.functions)} functions)", flush=True)

    code = run_until_signalled(host, announce)
    # A thread that outlived its grace period would otherwise hold the process; its activity runs again.
    os._exit(code)


if __name__ == "__main__":
    main()

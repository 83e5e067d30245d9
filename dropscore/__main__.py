"""`dropscore`, or `python -m dropscore`."""

import io
import os
import sys

from dropscore.commands import cli


def main() -> None:
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a character shows a question mark; it is no reason to fail.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    cli.main(prog_name=os.environ.get("DROPSCORE_PROGRAM", "dropscore"))


if __name__ == "__main__":
    main()

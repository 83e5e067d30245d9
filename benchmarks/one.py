"""One subject in a process of its own: `python -m benchmarks.one MODULE:FUNCTION FOLDER ROWS OUT [WORD ...]`.

Prints what the function answers and the most memory the process had, in KiB, as JSON.
"""

import importlib
import json
import re
import sys
from pathlib import Path

from benchmarks.data import Data


def high_water(process: str) -> int:
    """The most resident memory that the program of a process has had, in KiB; 0 where it has ended."""
    try:
        found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{process}/status").read_text("ascii"))
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return int(found[1]) if found else 0


def main(subject: str, folder: str, rows: str, out: str, *words: str) -> None:
    module, name = subject.split(":")
    function = getattr(importlib.import_module(module), name)
    answer = function(Data(Path(folder), int(rows)), Path(out), *words)
    print(json.dumps({"answer": answer, "peak": high_water("self")}))


if __name__ == "__main__":
    main(*sys.argv[1:])

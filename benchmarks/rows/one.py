"""One subject in a process of its own: `python -m benchmarks.rows.one MODULE:FUNCTION FOLDER ROWS OUT [WORD ...]`.

Prints what the function answers and the most memory the process had, in KiB, as JSON.
"""

import importlib
import json
import sys
from pathlib import Path

from benchmarks.processes import high_water
from benchmarks.rows.data import Data


def main(subject: str, folder: str, rows: str, out: str, *words: str) -> None:
    module, name = subject.split(":")
    function = getattr(importlib.import_module(module), name)
    answer = function(Data(Path(folder), int(rows)), Path(out), *words)
    print(json.dumps({"answer": answer, "peak": high_water("self")}))


if __name__ == "__main__":
    main(*sys.argv[1:])

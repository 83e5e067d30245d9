"""Chains of five activities, measured alike wherever they run: from the start, alone, and many at once."""

import json
import socket
import sys
import time
from collections.abc import Callable
from statistics import median
from typing import Any

from benchmarks.processes import high_water

OUTPUT = [0, 2, 4, 6, 8]
ALONE = 20

Outputs = list[list[int]]


def measured(
    run: Callable[[int], Outputs], begun: float, number: int, process: str = "self"
) -> dict[str, Any]:
    """What chains cost where `run` performs so many of them at once.

    `begun` (epoch seconds) is when the process was started; `start`: seconds from then to the first output; `alone`:
    milliseconds; `rate`: chains a second of `number` at once; `peak`: the most memory of `process` in KiB.
    """
    outputs = run(1)
    start = time.time() - begun
    alone = []
    for _ in range(ALONE):
        before = time.perf_counter()
        outputs += run(1)
        alone.append(time.perf_counter() - before)
    before = time.perf_counter()
    outputs += run(number)
    seconds = time.perf_counter() - before
    return {
        "start": start,
        "alone": 1000 * median(alone),
        "rate": number / seconds,
        "right": all(output == OUTPUT for output in outputs) and len(outputs) == 1 + ALONE + number,
        "peak": high_water(process),
    }


def free_port() -> int:
    """Return a port that is free at this moment."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def tell(subject: Callable[[float, int], dict[str, Any]]) -> None:
    """Print what a subject measured, as JSON; the arguments of the program are `begun` and `number`."""
    begun, number = sys.argv[-2:]
    print(json.dumps(subject(float(begun), int(number))))

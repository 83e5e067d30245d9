"""Runs a peer over the names on standard input, so many at a time, and says when each came to which step."""

import argparse
import json
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from benchmarks.peers.steps import Steps

# From a name to its job.
Score = Callable[[str], str]


def run(make: Callable[[Steps], Score]) -> None:
    """`make` gets the steps and answers with what scores one file. A line of JSON for each file, as it is done."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--poll", type=float, default=1.0)
    parser.add_argument("--at-once", type=int, default=1)
    chosen = parser.parse_args()
    steps = Steps(poll=chosen.poll)
    score = make(steps)

    def one(name: str) -> None:
        arrived = time.time()
        job = score(name)
        told = {"name": name, "job": job, "arrived": arrived, "seen": steps.seen[job]}
        told |= {"published": steps.published[name], "done": time.time()}
        # In one piece: other threads write, too.
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()

    first, *others = [line.strip() for line in sys.stdin]
    # Alone: Prefect would start a server for every thread.
    one(first)
    with ThreadPoolExecutor(chosen.at_once) as threads:
        for _ in threads.map(one, others):
            pass

"""Packs runs in a process of its own, one after the other, and prints by how much the last lets its memory grow.

Arguments: launches as JSON. The app's settings are those of the environment.
"""

import json
import resource
import sys

from activities.parts import pack


def peak() -> int:
    """The most memory this process has had, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main(*launches: str) -> None:
    *first, last = map(json.loads, launches)
    for launch in first:
        pack(launch)
    before = peak()
    pack(last)
    print(peak() - before)  # noqa: T201


if __name__ == "__main__":
    main(*sys.argv[1:])

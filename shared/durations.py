"""Durations and sizes as people write them in settings and routes: "30s", "10m", "12h", "2d", "64MB"."""

import re
from datetime import timedelta

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
LONGEST = timedelta(days=3650)
BYTES = {"B": 1, "KB": 1000, "MB": 1000**2, "GB": 1000**3}


def parse_duration(text: str) -> timedelta:
    """`"90s"` -> 90 seconds. Raises ValueError naming the form that is expected."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smhd])", text.strip())
    if found is None:
        raise ValueError(f'"{text}" is not a duration: write a number and s, m, h or d, such as "10m"')
    seconds = float(found[1]) * SECONDS[found[2]]
    if seconds > LONGEST.total_seconds():
        raise ValueError(f'"{text}" is too long: at most {LONGEST.days}d')
    return timedelta(seconds=seconds)


def parse_size(text: str) -> int:
    """`"64MB"` -> 64 000 000 bytes. Raises ValueError naming the form that is expected."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMG]?B)", text.strip())
    if found is None:
        raise ValueError(f'"{text}" is not a size: write a number and B, KB, MB or GB, such as "64MB"')
    return int(float(found[1]) * BYTES[found[2]])

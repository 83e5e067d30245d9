"""Times and durations as the service writes them."""

import re
from datetime import UTC, datetime

_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?", re.IGNORECASE)


def now() -> str:
    """The time in ISO 8601."""
    return datetime.now(UTC).isoformat()


def iso_duration(seconds: float) -> str:
    """Seconds in ISO 8601, as in PT30S or PT1H5M."""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(int(minutes), 60)
    parts = [f"{value:g}{unit}" for value, unit in ((hours, "H"), (minutes, "M"), (rest, "S")) if value]
    return "PT" + "".join(parts or ["0S"])


def duration_seconds(text: str) -> float | None:
    """The seconds of an ISO 8601 duration; None for what is none."""
    match = _DURATION.fullmatch(text)
    if match is None or not any(match.groups()):
        return None
    days, hours, minutes, seconds = (float(part or 0) for part in match.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds

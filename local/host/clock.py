"""Moments: seconds since the epoch inside the host, ISO texts with seven digits and Z on the wire."""

from datetime import UTC, datetime


def to_iso(moment: float) -> str:
    """Return `moment` (epoch seconds) as .NET prints a UTC date: 2026-01-31T12:00:00.1234560Z."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f0Z")


def to_iso_seconds(moment: float) -> str:
    """Return `moment` without fractions, as the durable status API prints it."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def to_epoch(text: str) -> float:
    """Return the epoch seconds of an ISO text; without an offset it is UTC, as for the extension."""
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()

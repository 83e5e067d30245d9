"""Timer schedules, and timers that a stopped host has missed."""

from datetime import UTC, datetime

import pytest

from local.host.schedules import Schedule


@pytest.mark.parametrize(
    ("schedule", "after", "expected"),
    [
        ("0 */5 * * * *", "2026-01-01T00:00:00", "2026-01-01T00:05:00"),
        ("*/10 * * * * *", "2026-01-01T00:00:59.9", "2026-01-01T00:01:00"),
        ("0 30 9 * * 1-5", "2026-01-02T10:00:00", "2026-01-05T09:30:00"),
        ("0 0 0 * * 0", "2026-01-01T00:00:00", "2026-01-04T00:00:00"),
        # NCRONTAB wants both day fields to match; cron would take either.
        ("0 0 0 13 * 5", "2026-01-01T00:00:00", "2026-02-13T00:00:00"),
        ("01:30:05", "2026-01-01T00:00:00", "2026-01-01T01:30:05"),
    ],
)
def test_the_next_time_of_a_schedule(schedule: str, after: str, expected: str) -> None:
    moments = [datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() for text in (after, expected)]
    assert Schedule(schedule).next_after(moments[0]) == moments[1]


@pytest.mark.parametrize(
    ("schedule", "monitored"),
    [
        ("*/5 * * * * *", False),
        ("10,20,45 * * * * *", False),
        ("0 * * * * *", True),
        ("30 * * * * *", True),
        ("0 */5 * * * *", True),
        ("* 1-5 * * * *", True),
        ("00:00:59", False),
        ("00:01:00", True),
    ],
)
def test_only_runs_a_minute_apart_are_made_up_for(schedule: str, monitored: bool) -> None:
    assert Schedule(schedule).monitored is monitored


@pytest.mark.parametrize("schedule", ["", "* * * * *", "0 0 0 32 * *", "1:2", "often"])
def test_what_is_no_schedule_is_refused(schedule: str) -> None:
    with pytest.raises(ValueError, match="is neither NCRONTAB"):
        Schedule(schedule)

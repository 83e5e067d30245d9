"""Route schedules: NCRONTAB, six fields with seconds first, in UTC, as Azure Functions timers write them."""

from datetime import UTC, datetime, timedelta


def check(expression: str) -> None:
    """Raises ValueError when the expression is not NCRONTAB with six fields, or names a time that never comes."""
    from croniter import CroniterError  # heavy for a cold start, and most routes have no schedule

    try:
        if len(expression.split()) != 6:
            raise ValueError("six fields are needed")
        last_due(expression, datetime.now(UTC))
    except (CroniterError, ValueError):
        raise ValueError(
            f'"{expression}" is not NCRONTAB, or never falls due: write six fields, seconds first, such as '
            '"0 0 6 * * *"'
        ) from None


def last_due(expression: str, now: datetime) -> datetime:
    """The latest time at or before `now` (aware, UTC) that the schedule names.

    NCRONTAB wants both day fields to fit where both are restricted (CrontabSchedule.cs), hence `day_or=False`.
    """
    from croniter import croniter

    just_after = now.replace(microsecond=0) + timedelta(seconds=1)
    due: datetime = croniter(expression, just_after, second_at_beginning=True, day_or=False).get_prev(
        datetime
    )
    return due


def next_due(expression: str, now: datetime) -> datetime:
    """The first time after `now` (aware, UTC) that the schedule names."""
    from croniter import croniter

    due: datetime = croniter(expression, now, second_at_beginning=True, day_or=False).get_next(datetime)
    return due

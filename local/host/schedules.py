"""Timer schedules: NCRONTAB with six fields, or hh:mm:ss; all in UTC."""

import re
from datetime import UTC, datetime

from croniter import CroniterError, croniter

MINUTE = 60  # seconds


class Schedule:
    """When a timer is due."""

    def __init__(self, text: str) -> None:
        """Parse `text`; raises ValueError."""
        span = re.fullmatch(r"(\d+):(\d+):(\d+)", text.strip())
        self._interval = span and sum(
            int(part) * unit for part, unit in zip(span.groups(), (3600, 60, 1), strict=True)
        )
        self._expression = " ".join(text.split())
        if self._interval is None and not _is_ncrontab(self._expression):
            raise ValueError(f"{text!r} is neither NCRONTAB (six fields, seconds first) nor hh:mm:ss")

    @property
    def monitored(self) -> bool:
        """Whether a run that was missed is made up for: not where they come less than a minute apart, as on Azure."""
        if self._interval is not None:
            return self._interval >= MINUTE
        first = self.next_after(0)
        every_minute = self._expression.split()[1:] == ["*"] * 5
        return not every_minute or self.next_after(first) - first >= MINUTE

    def next_after(self, moment: float) -> float:
        """Return the first due time after `moment`, both in epoch seconds."""
        if self._interval is not None:
            return moment + self._interval
        start = datetime.fromtimestamp(moment, UTC)
        # NCRONTAB has its seconds first, and a day must match both day fields.
        following = croniter(self._expression, start, second_at_beginning=True, day_or=False)
        return following.get_next(datetime).timestamp()


def _is_ncrontab(expression: str) -> bool:
    if len(expression.split()) != 6:
        return False
    try:
        croniter(expression, second_at_beginning=True, day_or=False)
    except CroniterError:
        return False
    return True

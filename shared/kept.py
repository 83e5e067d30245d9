"""What a process keeps in memory of what it has written or read, to save calls: a little, for a short time."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Generic, TypeVar

# What has been written once is kept for the steps that follow, where it is short. For a short time: an idempotency key
# may bring a run back to life that has been forgotten, with other lists under the same keys.
LINES_KEPT, KEYS_KEPT, KEPT_FOR = 100, 200, timedelta(minutes=5)

Value = TypeVar("Value")


class Kept(Generic[Value]):
    """At most `most` values, each for `time` by the `clock`. Several threads may use it."""

    def __init__(self, most: int, time: timedelta, clock: Callable[[], datetime]) -> None:
        self.most, self.time, self.clock = most, time, clock
        self.values: dict[str, tuple[datetime, Value]] = {}

    def keep(self, key: str, value: Value) -> None:
        """Where there is no room, everything else goes: what was kept is only read once more then."""
        if key not in self.values and len(self.values) >= self.most:
            self.values.clear()
        self.values[key] = (self.clock(), value)

    def get(self, key: str) -> Value | None:
        at, value = self.values.get(key, (None, None))
        return value if at is not None and self.clock() - at < self.time else None

    def forget(self, prefix: str) -> None:
        """Everything whose key begins so."""
        for key in [key for key in self.values.copy() if key.startswith(prefix)]:
            self.values.pop(key, None)

    def take(self, key: str) -> Value | None:
        """As `get`, and forgets it."""
        value = self.get(key)
        self.values.pop(key, None)
        return value

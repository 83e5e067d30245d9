"""What all of the ledger rests on: the store, the clock, and whose ledger it is."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.ledger_keys import OWNER
from shared.records import Owner, timestamp
from shared.store import Store

# What a process has written once is kept in memory for the steps that follow, where it is short. For a short time: an
# idempotency key may bring a run back to life that has been forgotten, with other lists under the same keys.
LINES_KEPT, KEYS_KEPT, KEPT_FOR = 100, 200, timedelta(minutes=5)

InParallel = Callable[[Callable[[Any], Any], Iterable[Any]], list[Any]]


def one_by_one(work: Callable[[Any], Any], items: Iterable[Any]) -> list[Any]:
    return [work(item) for item in items]


class Base:
    """Documents under keys, and the time."""

    def __init__(
        self,
        store: Store,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        in_parallel: InParallel = one_by_one,
    ) -> None:
        self.store = store
        self.clock = clock
        self.in_parallel = in_parallel
        self.kept_words: dict[str, dict[str, str]] = {}
        self.kept_lines: dict[str, tuple[datetime, list[dict[str, Any]]]] = {}
        self.seen_runs: dict[str, tuple[dict[str, Any], str]] = {}

    def now(self) -> str:
        return timestamp(self.clock())

    def put(self, key: str, document: dict[str, Any], found: tuple[dict[str, Any], str] | None) -> bool:
        """Writes over what was found, or where nothing was. False: somebody was faster."""
        if found is None:
            return self.store.create(key, document)
        return self.store.replace(key, document, found[1])

    def standing_owner(self) -> Owner | None:
        """Whose ledger this is, if it is somebody's yet."""
        found = self.store.read(OWNER)
        return Owner.from_dict(found[0]) if found else None

    def write_once(self, key: str, documents: list[dict[str, Any]]) -> bool:
        """Writes a list that never changes. False: there is one already."""
        written = self.store.create_lines(key, documents)
        if written and len(documents) <= LINES_KEPT:
            if len(self.kept_lines) >= KEYS_KEPT:
                self.kept_lines.clear()
            self.kept_lines[key] = (self.clock(), documents)
        return written

    def written_once(self, key: str) -> list[dict[str, Any]] | None:
        """A list that never changes, or None where there is none yet."""
        at, kept = self.kept_lines.get(key, (None, None))
        fresh = at is not None and self.clock() - at < KEPT_FOR
        return kept if fresh else self.store.read_lines(key)

    def owner(self, mine: Owner) -> Owner:
        """Whose ledger this is: `mine`, if nobody came first."""
        if self.store.create(OWNER, mine.but(at=self.now()).to_dict()):
            return mine
        return self.standing_owner() or self.owner(mine)

"""What all of the ledger rests on: the store, the clock, and whose ledger it is."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from shared.kept import KEPT_FOR, KEYS_KEPT, LINES_KEPT, Kept
from shared.ledger_keys import OWNER
from shared.records import Owner, timestamp
from shared.store import Store

RUNS_SEEN, WORDS_KEPT = 50, 8

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
        self.kept_words: Kept[dict[str, str]] = Kept(WORDS_KEPT, KEPT_FOR, clock)
        self.kept_lines: Kept[list[dict[str, Any]]] = Kept(KEYS_KEPT, KEPT_FOR, clock)
        # ETags of blobs that only the run's own launch writes again.
        self.kept_etags: Kept[str] = Kept(KEYS_KEPT, KEPT_FOR, clock)
        self.seen_runs: Kept[tuple[dict[str, Any], str]] = Kept(RUNS_SEEN, KEPT_FOR, clock)

    def now(self) -> str:
        return timestamp(self.clock())

    def put(self, key: str, document: dict[str, Any], found: tuple[dict[str, Any], str] | None) -> str:
        """Writes over what was found, or where nothing was. Returns the new ETag; "": somebody was faster."""
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
            self.kept_lines.keep(key, documents)
        return bool(written)

    def written_once(self, key: str) -> list[dict[str, Any]] | None:
        """A list that never changes, or None where there is none yet."""
        kept = self.kept_lines.get(key)
        return self.store.read_lines(key) if kept is None else kept

    def owner(self, mine: Owner) -> Owner:
        """Whose ledger this is: `mine`, if nobody came first."""
        if self.store.create(OWNER, mine.but(at=self.now()).to_dict()):
            return mine
        return self.standing_owner() or self.owner(mine)

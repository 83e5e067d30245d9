"""What all of the ledger rests on: the store, the clock, and whose ledger it is."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from shared.ledger_keys import OWNER
from shared.records import Owner, timestamp
from shared.store import Store

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

    def owner(self, mine: Owner) -> Owner:
        """Whose ledger this is: `mine`, if nobody came first."""
        if self.store.create(OWNER, mine.but(at=self.now()).to_dict()):
            return mine
        return self.standing_owner() or self.owner(mine)

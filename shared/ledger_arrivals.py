"""The ledger on how files are announced: what a checkup goes by, and nothing else rests on."""

from typing import Any

from shared.ledger_keys import ARRIVALS
from shared.ledger_retention import Retention
from shared.records import Arrivals


class ArrivalSigns(Retention):
    """Signs, not records: of two that are written at the same time, one may be lost."""

    def arrivals(self) -> Arrivals:
        found = self.store.read(ARRIVALS)
        return Arrivals.from_dict(found[0]) if found else Arrivals()

    def heard(self, probe: str) -> None:
        """The event of a probe has come."""
        self.note_arrivals(probe=probe, heard_at=self.now())

    def missed(self, files: int) -> None:
        """The sweep has found files that no event had announced."""
        self.note_arrivals(missed=files, missed_at=self.now())

    def note_arrivals(self, **seen: Any) -> None:
        found = self.store.read(ARRIVALS)
        before = Arrivals.from_dict(found[0]) if found else Arrivals()
        self.put(ARRIVALS, before.but(**seen).to_dict(), found)

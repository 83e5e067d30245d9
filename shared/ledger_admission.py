"""The ledger on runs that somebody asked for, which take no slot: how many may be open at a time."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from shared.ledger_keys import ADMITTED, run_key
from shared.ledger_runs import Runs
from shared.records import Launch, Record, moment

# Longer than a request lasts; so long the place of one that died before it opened its run stays taken.
OPENED_WITHIN = timedelta(minutes=5)


@dataclass(frozen=True, kw_only=True)
class Admitted(Record):
    """The launches that were let in of late, by run, each with when; an open run counts by itself."""

    launches: dict[str, dict[str, Any]]
    schema: int = 1


class Admission(Runs):
    """Who is let in is written down before the run is opened: of requests at the same time, all see each other."""

    def admit(self, launches: list[Launch], allowed: int) -> int | None:
        """Lets launches in that hold no slot, all or none, where at most `allowed` runs are open with them.

        None: they are let in, and must be opened, or reopened, within `OPENED_WITHIN`. Else how many others are open.
        """
        while True:
            found = self.store.read(ADMITTED)
            known = Admitted.from_dict(found[0]).launches if found else {}
            # What has been opened since is seen in the index, which is read after this.
            coming = {run: entry for run, entry in known.items() if self.is_coming(run, entry)}
            others = coming.keys() | {launch.run for launch, _ in self.announced() if launch.slot is None}
            wanted = {one.run: {"launch": one.launch, "at": self.now()} for one in launches}
            if wanted and len(others | wanted.keys()) > allowed:
                return len(others - wanted.keys())
            if not wanted or self.put(ADMITTED, Admitted(launches={**coming, **wanted}).to_dict(), found):
                return None

    def is_coming(self, run: str, entry: dict[str, Any]) -> bool:
        """Whether a launch that was let in is still to be opened."""
        if self.clock() - moment(entry["at"]) > OPENED_WITHIN:
            return False
        found = self.store.read(run_key(run))
        return found is None or found[0]["launch"] < entry["launch"]

"""The ledger on notices: who is still to be told that a run has closed, and what came of telling."""

from collections.abc import Callable
from datetime import timedelta

from shared.ledger_keys import notice_key, untold_key
from shared.ledger_versions import Versions
from shared.records import CameOf, Launch, Notice, moment

# Longer than one orchestration tries, so that there is only one at a time.
TOLD_WITHIN = timedelta(minutes=20)
STARTS = 3


class Notices(Versions):
    """One notice for each launch that closes a run. It has no part in what becomes of the run."""

    def to_be_told(self, launch: Launch) -> None:
        """The launch is about to close its run, and somebody wants to know. Written before that: none is lost."""
        self.store.create(untold_key(launch), {**launch.to_dict(), "at": "", "starts": 0})

    def untold(self) -> list[Launch]:
        """The launches whose notices are not settled."""
        keys = [item.key for item in self.store.listed("untold/")]
        return [Launch.from_dict(found[0]) for found in self.in_parallel(self.store.read, keys) if found]

    def take_notice(self, launch: Launch) -> int:
        """The number of the orchestration that is to tell now; 0 where there is none to be started.

        After some that have come to no end the notice is given up.
        """
        found = self.store.read(untold_key(launch))
        if found is None or (found[0]["at"] and self.clock() - moment(found[0]["at"]) < TOLD_WITHIN):
            return 0
        number: int = found[0]["starts"] + 1
        if number > STARTS:
            self.settle(launch, "given-up")
            return 0
        taken = {**found[0], "at": self.now(), "starts": number}
        return number if self.store.replace(untold_key(launch), taken, found[1]) else 0

    def telling(self, launch: Launch, nonce: str) -> Notice:
        """The intent; only the execution whose nonce stands may POST, once.

        Where an earlier POST was never answered, nobody can tell whether it was accepted: that ends the notice.
        """

        def change(notice: Notice) -> Notice:
            if notice.nonce == nonce and not notice.came_of:
                return notice  # this very execution's, whose answer was lost
            if notice.nonce or notice.came_of:
                return notice.but(came_of=notice.came_of or "unknown")
            return notice.but(nonce=nonce, attempts=notice.attempts + 1, at=self.now())

        return self.change_notice(launch, change)

    def told(self, launch: Launch, nonce: str, came_of: CameOf, *, status: int, why: str) -> Notice:
        """What came of the POST of that nonce; "": it was surely not accepted, and may be made again."""

        def change(notice: Notice) -> Notice:
            if notice.nonce != nonce:
                return notice
            known = came_of or notice.came_of
            return notice.but(came_of=known, status=status, why=why, nonce=nonce if known else "")

        return self.change_notice(launch, change)

    def settle(self, launch: Launch, came_of: CameOf) -> Notice:
        """Ends a notice without a POST."""
        return self.change_notice(launch, lambda notice: notice.but(came_of=notice.came_of or came_of))

    def change_notice(self, launch: Launch, change: Callable[[Notice], Notice]) -> Notice:
        """Read, change, write; again while somebody else was faster. A settled notice leaves the index."""
        while True:
            found = self.store.read(notice_key(launch))
            notice = Notice.from_dict(found[0]) if found else Notice()
            changed = change(notice)
            if changed == notice or self.put(notice_key(launch), changed.to_dict(), found):
                break
        if changed.came_of:
            self.forget_notice(launch)
        return changed

    def forget_notice(self, launch: Launch) -> None:
        """Takes a notice out of the index."""
        self.store.delete(untold_key(launch))

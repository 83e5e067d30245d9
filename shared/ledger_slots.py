"""The ledger on slots, a route's permits for runs, and on holds, which keep its files waiting."""

from collections.abc import Iterator
from datetime import timedelta

from shared import names
from shared.ledger_base import Base
from shared.ledger_keys import hold_key, slot_key
from shared.records import Hold, Launch, Slot, moment, timestamp
from shared.routes import Route

FIRST_HOLD = timedelta(minutes=1)
LONGEST_HOLD = timedelta(hours=1)


class Slots(Base):
    """Who may start a run of a route, and whether anybody may."""

    def take_slot(self, route: Route) -> Launch | None:
        """The first launch of a new run in a free slot, or None while all are taken, or the route is held."""
        for k in range(route.max_jobs):
            launch = Launch(run=names.new_run(self.clock()), launch=1, route=route.name, slot=k)
            held = Slot(run=launch.run, at=self.now())
            found = self.store.read(slot_key(route.name, k))
            if found and Slot.from_dict(found[0]).run is not None:
                continue
            # Whoever is turned away writes the hold before the slot is free again.
            if self.held(route):
                return None
            if etag := self.put(slot_key(route.name, k), held.to_dict(), found):
                self.kept_etags.keep(f"slot of {launch.run}", etag)
                return launch
        return None

    def free_slot(self, launch: Launch) -> None:
        """Frees the run's slot; list what waits only after this."""
        if launch.slot is None:
            return
        key, free = slot_key(launch.route, launch.slot), Slot(at=self.now()).to_dict()
        kept = self.kept_etags.take(f"slot of {launch.run}")
        if kept and self.store.replace(key, free, kept):
            return
        found = self.store.read(key)
        if found and found[0].get("run") == launch.run:
            self.store.replace(key, free, found[1])

    def held_slots(self, route: Route) -> Iterator[tuple[Launch, str]]:
        """The runs that hold the route's slots, and since when."""
        for k in range(route.max_jobs):
            found = self.store.read(slot_key(route.name, k))
            if found and found[0]["run"]:
                launch = Launch(run=found[0]["run"], launch=1, route=route.name, slot=k)
                yield launch, found[0]["at"]

    def held(self, route: Route) -> Hold | None:
        """The hold that keeps the route's files waiting. One for another target counts no more."""
        hold = self.last_hold(route.name)
        return hold if hold and not hold.lifted and hold.target == route.target else None

    def last_hold(self, route: str) -> Hold | None:
        found = self.store.read(hold_key(route))
        return Hold.from_dict(found[0]) if found else None

    def hold(self, route: Route, why: str) -> bool:
        """The route's files wait from now on; each refusal in a row doubles the time. False: they wait already."""
        found = self.store.read(hold_key(route.name))
        last = Hold.from_dict(found[0]) if found else None
        same = last is not None and last.target == route.target
        if last and same and not last.lifted:
            return False
        in_a_row = last and same and self.clock() - moment(last.until) < LONGEST_HOLD
        times = last.times + 1 if last and in_a_row else 1
        wait = min(FIRST_HOLD * 2 ** (times - 1), LONGEST_HOLD)
        hold = Hold(
            route=route.name,
            target=route.target,
            why=why,
            at=self.now(),
            until=timestamp(self.clock() + wait),
            times=times,
        )
        return bool(self.put(hold_key(route.name), hold.to_dict(), found))

    def lift(self, route: Route) -> bool:
        """The next run of the route may try again. False: somebody else has changed the hold."""
        found = self.store.read(hold_key(route.name))
        if found is None:
            return False
        return bool(
            self.put(hold_key(route.name), Hold.from_dict(found[0]).but(lifted=True).to_dict(), found)
        )

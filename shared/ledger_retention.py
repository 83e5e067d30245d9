"""The ledger on the sweep that begins every minute, and on what it clears once it is old."""

from collections.abc import Set
from datetime import datetime, timedelta

from shared.ledger_keys import HEARTBEAT, closed_key, run_key
from shared.ledger_notices import Notices
from shared.records import Heartbeat, Run, moment

SWEEP_AT_MOST = timedelta(minutes=5)
# So long after the last sweep began, something is wrong with the timer.
STALE_AFTER = timedelta(minutes=5)
PURGED_AT_ONCE = 5_000
RUNS_LOOKED_AT = 2_000


class Retention(Notices):
    """One sweep at a time; what closed long ago is forgotten, versions first."""

    def heartbeat(self) -> Heartbeat | None:
        found = self.store.read(HEARTBEAT)
        return Heartbeat.from_dict(found[0]) if found else None

    def begin_sweep(self, sweep: str) -> bool:
        """False while another sweep, begun less than five minutes ago, has not ended."""
        found = self.store.read(HEARTBEAT)
        last = Heartbeat.from_dict(found[0]) if found else Heartbeat(sweep="", at="", done=True)
        if last.sweep == sweep:
            return True
        if not last.done and self.clock() - moment(last.at) < SWEEP_AT_MOST:
            return False
        return bool(self.put(HEARTBEAT, last.but(sweep=sweep, at=self.now(), done=False).to_dict(), found))

    def end_sweep(self, sweep: str, **purged: str) -> None:
        """The sweep has done all it does; the next may begin. `purged` says what was cleared, if anything."""
        found = self.store.read(HEARTBEAT)
        if found and found[0]["sweep"] == sweep:
            done = Heartbeat.from_dict(found[0]).but(done=True, **purged)
            self.store.replace(HEARTBEAT, done.to_dict(), found[1])

    def forget_versions(self, present: Set[str], before: datetime) -> int:
        """Deletes the records of versions whose run closed before a time and which are not `present` any more.

        `present` are the keys of all versions in the inbox, listed before this call: a version that is not there
        cannot be scored again for want of its record. While a run as old as that is open, its plan may name any of
        them; a run whose versions go is first marked, so that it is not reopened any more, and a record that another
        run claims meanwhile stays. Returns how many there were.
        """
        if any(moment(since) < before for _, since in self.announced()):
            return 0
        old = [item.key for item in self.store.listed("versions/") if moment(item.created) < before]
        gone = [key for key in old if key.rsplit("/", 1)[1].removesuffix(".json") not in present]
        looked_at = gone[:PURGED_AT_ONCE]
        records = zip(looked_at, self.in_parallel(self.store.read, looked_at), strict=True)
        found = [(key, read[0]["run"], read[1]) for key, read in records if read and read[0]["run"]]
        given_up = {run for run in {run for _, run, _ in found} if self.give_up(run, before)}
        doomed = [(key, etag) for key, run, etag in found if run in given_up]
        self.in_parallel(lambda one: self.store.delete(*one), doomed)
        return len(doomed)

    def give_up(self, run: str, before: datetime) -> bool:
        """Makes sure that a run which closed before a time is never reopened. False: it is open, or closed later."""
        found = self.store.read(run_key(run))
        record = Run.from_dict(found[0]) if found else None
        if record is None or found is None or record.stage != "closed" or moment(record.closed_at) >= before:
            return False
        given_up = record.but(forgetting=True).to_dict()
        return record.forgetting or bool(self.store.replace(run_key(run), given_up, found[1]))

    def forget_runs(self, before: datetime, after: str, until: datetime) -> tuple[list[str], str]:
        """Deletes runs that closed before a time and that no version's record names any more.

        Looks at them from the run `after` on, at a limited number and until a time. Returns which went, and where to
        go on.
        """
        listed = (item for item in self.store.listed("runs/") if item.key.endswith("/run.json"))
        old = [item.key.split("/")[1] for item in listed if moment(item.created) < before]
        gone, last = [], ""
        for run in [run for run in old if run > after][:RUNS_LOOKED_AT]:
            if self.clock() > until:
                break
            last = run
            if self.is_forgotten(run, before) and self.give_up(run, before) and self.forget_run(run):
                gone.append(run)
        return gone, last

    def is_forgotten(self, run: str, before: datetime) -> bool:
        record = self.run(run)
        if record is None or record.stage != "closed" or moment(record.closed_at) >= before:
            return False
        records = (self.version(version) for version in self.planned(run) or [])
        return all(one is None or one.run != run for one in records)

    def forget_run(self, run: str) -> bool:
        """The record goes last, and only after everything else: it is what a later look starts from."""
        rest = [item.key for item in self.store.listed(f"runs/{run}/") if item.key != run_key(run)]
        record = self.run(run)
        self.in_parallel(self.store.delete, [*rest, *([closed_key(record)] if record else [])])
        if any(item.key != run_key(run) for item in self.store.listed(f"runs/{run}/")):
            return False
        self.store.delete(run_key(run))
        return True

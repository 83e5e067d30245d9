"""The durable record of every version, slot and run, and its only writer: one function per transition.

`docs/protocol.md` gives the reason for each order of writes; `shared/ledger_keys.py` says where things lie.
"""

from collections.abc import Callable, Iterable, Iterator, Set
from datetime import UTC, datetime, timedelta
from typing import Any

from shared import names
from shared.errors import Fenced
from shared.ledger_keys import (
    HEARTBEAT,
    OWNER,
    claims_key,
    hold_key,
    marker_key,
    marker_metadata,
    open_key,
    plan_key,
    result_key,
    run_key,
    slot_key,
    version_of_marker,
    version_path,
)
from shared.records import (
    Heartbeat,
    Hold,
    Launch,
    Owner,
    Run,
    Slot,
    Stage,
    Verdict,
    Version,
    moment,
    timestamp,
)
from shared.routes import Route
from shared.store import Store

InParallel = Callable[[Callable[[Any], Any], Iterable[Any]], list[Any]]
FIRST_HOLD = timedelta(minutes=1)
LONGEST_HOLD = timedelta(hours=1)
SWEEP_AT_MOST = timedelta(minutes=5)
REOPENING = timedelta(minutes=1)
PURGED_AT_ONCE = 5_000
RUNS_LOOKED_AT = 2_000
WORDS_KEPT = 8
CANCELABLE = ("gathering", "gathered", "packed", "submitting", "searching", "submitted")


def one_by_one(work: Callable[[Any], Any], items: Iterable[Any]) -> list[Any]:
    return [work(item) for item in items]


class Ledger:
    """All transitions. Each either happened once or can be repeated safely."""

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

    # Versions

    def arrive(self, seen: Version) -> bool:
        """Leaves a marker for a version nobody scores yet. False: it is known already."""
        known = self.version(seen)
        if known is not None and known.run is not None:
            return False
        waiting = seen.but(n=known.n) if known else seen
        self.store.create(marker_key(waiting), waiting.to_dict(), marker_metadata(waiting))
        return True

    def version(self, version: Version) -> Version | None:
        found = self.store.read(version_path(version))
        return Version.from_dict(found[0]) if found else None

    def known_versions(self) -> set[str]:
        """The keys of every version that has a record."""
        return {item.key.rsplit("/", 1)[1].removesuffix(".json") for item in self.store.listed("versions/")}

    def marked_versions(self) -> set[tuple[str, str]]:
        """Route and key of every version that waits: a marker counts only for the route it stands under."""
        found = (item.key.split("/") for item in self.store.listed("waiting/"))
        return {(route, marker.split(".", 1)[0]) for _, route, marker in found}

    def waiting(self, route: str, until: str = "") -> list[Version]:
        """The versions that are marked for a route, the first dropped first; `until` leaves out those dropped later."""
        marked = [version_of_marker(item, route) for item in self.store.listed(f"waiting/{route}/")]
        found = [version for version in marked if not until or version.modified <= until]
        return sorted(found, key=lambda version: (version.modified, version.key))

    def claim(self, run: str, marked: Version) -> Version | None:
        """Makes a waiting version the run's, or None where the marker says nothing any more."""
        claimed = marked.but(run=run)
        if self.store.create(version_path(marked), claimed.to_dict()):
            return claimed
        found = self.store.read(version_path(marked))
        if found is None:
            return self.claim(run, marked)
        record = Version.from_dict(found[0])
        if record.run == run:
            return record
        holder = self.run(record.run) if record.run is not None else None
        if record.n > marked.n:
            self.store.delete(marker_key(marked))
            return None
        if record.run is not None and (holder is None or holder.stage != "closed"):
            return None  # its run releases it, or forgets its marker, itself
        if record.n < marked.n or holder is None:
            return self.take_over(run, record, found[1], marked.n)
        if record.key not in self.words(holder):
            # It was claimed by an execution so slow that its run was closed before.
            return self.take_over(run, record, found[1], marked.n + 1)
        self.store.delete(marker_key(marked))
        return None

    def claim_again(self, run: str, wanted: Version, *, force: bool = False) -> tuple[Version | None, str]:
        """For an explicit run: also takes versions that have ended. Returns the claim, or why there is none."""
        claimed = wanted.but(run=run, force=force)
        if self.store.create(version_path(wanted), claimed.to_dict()):
            return claimed, ""
        found = self.store.read(version_path(wanted))
        if found is None:
            return self.claim_again(run, wanted, force=force)
        record = Version.from_dict(found[0]).but(force=force)
        if record.run == run:
            return record, ""
        if record.run is None:
            return self.take_over(run, record, found[1], record.n), "another run was faster"
        word = self.final_word(record)
        if not word:
            return None, f"run {record.run} is scoring it"
        if word in ("published", "unchanged") and not force:
            return None, f"run {record.run} has published it"
        return self.take_over(run, record, found[1], record.n + 1), "another run was faster"

    def take_over(self, run: str, record: Version, etag: str, n: int) -> Version | None:
        claimed = record.but(run=run, n=n)
        if self.store.replace(version_path(record), claimed.to_dict(), etag):
            return claimed
        # It may have been this run: by another execution, or by a write whose answer was lost.
        standing = self.version(record)
        return standing if standing and standing.run == run else None

    def release(self, run: str, version: Version) -> bool:
        """The run gives a version back, which waits in the next round. False: it is not the run's any more.

        The marker comes first: a version that nobody has claimed is always marked.
        """
        found = self.store.read(version_path(version))
        if found is None or found[0]["run"] != run:
            return False
        record = Version.from_dict(found[0])
        waiting = record.but(n=record.n + 1, run=None)
        self.store.create(marker_key(waiting), waiting.to_dict(), marker_metadata(waiting))
        return self.store.replace(version_path(record), waiting.to_dict(), found[1])

    def final_word(self, record: Version) -> str:
        """The word a version ended with, or "" while its run is open."""
        run = self.run(record.run or "")
        if run is None or run.stage != "closed":
            return ""
        return self.words(run).get(record.key, "failed")

    def words(self, run: Run) -> dict[str, str]:
        """The words of a run by version. Kept for a while: results are written once, and asked for file by file."""
        key = f"{run.run}/{run.result}"
        if key not in self.kept_words:
            if len(self.kept_words) >= WORDS_KEPT:
                self.kept_words.clear()
            self.kept_words[key] = {word.version: word.word for word in self.results(run)}
        return self.kept_words[key]

    def claims(self, run: str) -> list[Version]:
        """The versions of the run's plan whose records name it."""
        records = self.in_parallel(self.version, self.planned(run) or [])
        return [record for record in records if record is not None and record.run == run]

    def forget_markers(self, versions: Iterable[Version]) -> None:
        """The markers of claimed versions have done their work."""
        self.store.delete_all([marker_key(version) for version in versions])

    # Slots

    def take_slot(self, route: Route) -> Launch | None:
        """The first launch of a new run in a free slot, or None while all are held."""
        for k in range(route.max_jobs):
            launch = Launch(run=names.new_run(self.clock()), launch=1, route=route.name, slot=k)
            held = Slot(run=launch.run, at=self.now())
            found = self.store.read(slot_key(route.name, k))
            if found is None:
                won = self.store.create(slot_key(route.name, k), held.to_dict())
            else:
                free = Slot.from_dict(found[0]).run is None
                won = free and self.store.replace(slot_key(route.name, k), held.to_dict(), found[1])
            if won:
                return launch
        return None

    def free_slot(self, launch: Launch) -> None:
        """Frees the run's slot; list what waits only after this."""
        if launch.slot is None:
            return
        found = self.store.read(slot_key(launch.route, launch.slot))
        if found and found[0].get("run") == launch.run:
            self.store.replace(slot_key(launch.route, launch.slot), Slot(at=self.now()).to_dict(), found[1])

    # Holds

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
        return self.put(hold_key(route.name), hold.to_dict(), found)

    def lift(self, route: Route) -> bool:
        """The next run of the route may try again. False: somebody else has changed the hold."""
        found = self.store.read(hold_key(route.name))
        if found is None:
            return False
        return self.put(hold_key(route.name), Hold.from_dict(found[0]).but(lifted=True).to_dict(), found)

    def put(self, key: str, document: dict[str, Any], found: tuple[dict[str, Any], str] | None) -> bool:
        """Writes over what was found, or where nothing was. False: somebody was faster."""
        if found is None:
            return self.store.create(key, document)
        return self.store.replace(key, document, found[1])

    # Runs

    def open(self, launch: Launch, route: Route) -> Run:
        """Creates the run record, or finds it and moves it to this launch. Raises Fenced when outrun."""
        self.store.create(open_key(launch.run), {**launch.to_dict(), "at": self.now()})
        fresh = Run(
            run=launch.run,
            launch=launch.launch,
            route=route.to_dict(),
            slot=launch.slot,
            force=launch.force,
            created_at=self.now(),
            progress_at=self.now(),
        )
        if self.store.create(run_key(launch.run), fresh.to_dict()):
            return fresh
        return self.change(launch, lambda run: run, fence=lambda run: run.launch > launch.launch)

    def run(self, run: str) -> Run | None:
        found = self.store.read(run_key(run))
        return Run.from_dict(found[0]) if found else None

    def unfinished(self, routes: Iterable[Route]) -> list[tuple[Launch, datetime]]:
        """The present launch of every run that is announced or holds a slot, and its last sign of life.

        On the way, finishes the closing of runs whose record says that they are closed.
        """
        held = [*self.announced(), *(one for route in routes for one in self.held_slots(route))]
        found = {}
        for launch, since in held:
            run = self.run(launch.run)
            if run is None:
                found[launch.run] = (launch, moment(since))
            elif run.stage != "closed":
                present = launch.but(launch=run.launch, slot=run.slot, first=run.first_launch)
                found[launch.run] = (present, moment(run.progress_at))
            elif self.clock() - moment(since) > REOPENING:
                self.withdraw(launch)
        return list(found.values())

    def withdraw(self, launch: Launch) -> None:
        """Takes a run out of the index and out of its slot: it is closed."""
        self.store.delete(open_key(launch.run))
        self.free_slot(launch)

    def abandon(self, launch: Launch) -> bool:
        """Closes a run that never began, so that it cannot begin any more. False: it has begun after all."""
        tomb = Run(
            run=launch.run,
            launch=launch.launch,
            route={"name": launch.route},
            slot=launch.slot,
            created_at=self.now(),
            stage="closed",
            outcome="empty",
            why="its orchestration never began",
            closed_at=self.now(),
        )
        if not self.store.create(run_key(launch.run), tomb.to_dict()):
            return False
        self.withdraw(launch)
        return True

    def announced(self) -> Iterator[tuple[Launch, str]]:
        """The runs of the open index, and since when they stand there."""
        for item in self.store.listed("open/"):
            found = self.store.read(item.key)
            if found:
                yield Launch.from_dict(found[0]), found[0]["at"]

    def held_slots(self, route: Route) -> Iterator[tuple[Launch, str]]:
        """The runs that hold the route's slots, and since when."""
        for k in range(route.max_jobs):
            found = self.store.read(slot_key(route.name, k))
            if found and found[0]["run"]:
                launch = Launch(run=found[0]["run"], launch=1, route=route.name, slot=k)
                yield launch, found[0]["at"]

    def bring_plan(self, run: str, versions: list[Version]) -> bool:
        """An explicit run comes with its plan. False: this run was asked for before."""
        return self.store.create_lines(plan_key(run), [version.to_dict() for version in versions])

    def plan(self, run: str, candidates: Callable[[], list[Version]]) -> list[Version]:
        """The run's candidate versions, written once; later calls get the first answer."""
        planned = self.planned(run)
        if planned is None:
            planned = candidates()
            if not self.bring_plan(run, planned):
                return self.planned(run) or []
        return planned

    def planned(self, run: str) -> list[Version] | None:
        """The run's plan, or None where it was never written."""
        lines = self.store.read_lines(plan_key(run))
        return None if lines is None else [Version.from_dict(line) for line in lines]

    def seal(self, run: str, claims: list[Version]) -> list[Version]:
        """The claims that count, written once: what an execution sealed before stands, and is returned."""
        self.store.create_lines(claims_key(run), [version.to_dict() for version in claims])
        return self.sealed(run)

    def sealed(self, run: str) -> list[Version]:
        """The versions the run has claimed, in the order of its plan."""
        return [Version.from_dict(line) for line in self.store.read_lines(claims_key(run)) or []]

    def gathered(self, launch: Launch, files: int, left_out: str = "") -> Run:
        """The claims stand; `left_out` says which asked-for files are not among them, and why."""
        return self.advance(launch, "gathering", "gathered", files=files, left_out=left_out)

    def packed(self, launch: Launch, *, attempt: int, rows: int, parts: int) -> Run:
        """The attempt's parts are all there."""

        def change(run: Run) -> Run:
            same = run.stage == "gathered" and run.attempt == attempt
            return run.but(stage="packed", rows=rows, parts=parts) if same else run

        return self.change(launch, change)

    def submitting(self, launch: Launch, *, path: str, nonce: str, **place: str) -> Run:
        """The intent; only the execution whose nonce stands may POST. `place` is where the path lies.

        A run that is to be canceled, or that another execution has given up meanwhile, stays where it is.
        """
        intent = {"path": path, "nonce": nonce, "intent_at": self.now(), **place}

        def change(run: Run) -> Run:
            over = run.cancel or run.held or run.failed_stage
            return run.but(stage="submitting", **intent) if run.stage == "packed" and not over else run

        return self.change(launch, change)

    def not_submitted(self, launch: Launch, seen: Run, *, post: int) -> Run:
        """Surely no job came of the POST of `seen`; the run may submit again under the number `post`."""

        def change(run: Run) -> Run:
            same = run.stage in ("submitting", "searching") and run.nonce == seen.nonce
            return run.but(stage="packed", post=post, nonce="") if same else run

        return self.change(launch, change)

    def searching(self, launch: Launch) -> Run:
        """A POST may or may not have made a job."""
        return self.advance(launch, "submitting", "searching")

    def submitted(self, launch: Launch, *, job: str, seen: Run, **found: Any) -> Run:
        """The one job of the attempt that `seen` was in, and what is known of it; the first one stands."""

        def change(run: Run) -> Run:
            same = run.attempt == seen.attempt and run.stage in ("submitting", "searching")
            return run.but(stage="submitted", job=job, **found) if same else run

        return self.change(launch, change)

    def preempted(self, launch: Launch, seen: Run) -> Run:
        """The nodes were taken away from the job before it was done; the attempt's second POST makes another."""

        def change(run: Run) -> Run:
            if run.stage != "submitted" or run.job != seen.job:
                return run
            return run.but(
                stage="packed", post=2, job="", nonce="", earlier_jobs=[*run.earlier_jobs, run.job]
            )

        return self.change(launch, change)

    def stopping(self, launch: Launch, reason: str) -> Run:
        """The job is being canceled by us; the first reason stands."""
        return self.change(launch, lambda run: run if run.stopping else run.but(stopping=reason))

    def ended(self, launch: Launch, seen: Run, job_outcome: str, *, why: str, studio: str) -> Run:
        """The job of `seen` has ended: `completed`, `failed`, `canceled`, `timed-out` or `not-responding`."""
        failed_stage = "" if job_outcome == "completed" else "await"
        changes = {"job_outcome": job_outcome, "why": why, "studio": studio, "failed_stage": failed_stage}

        def change(run: Run) -> Run:
            same = run.stage == "submitted" and run.job == seen.job
            return run.but(stage="ended", **changes) if same else run

        return self.change(launch, change)

    def raw_found(self, launch: Launch, seen: Run, etag: str) -> Run:
        """The raw predictions of the job of `seen` that count, by their ETag, once. Raises Fenced where it is over."""

        def change(run: Run) -> Run:
            if run.stage != "ended" or (run.attempt, run.job) != (seen.attempt, seen.job):
                raise Fenced(f"run {run.run} has gone on from job {seen.job}")
            return run if run.raw_etag else run.but(raw_etag=etag)

        return self.change(launch, change)

    def try_alone(self, launch: Launch, seen: Run) -> Run:
        """What the job left incomplete is packed once more, in the next attempt, each file alone."""

        def change(run: Run) -> Run:
            if run.stage != "ended" or run.attempt != seen.attempt or run.attempt >= run.attempts:
                return run
            return run.but(
                stage="gathered",
                attempt=run.attempt + 1,
                post=1,
                earlier_jobs=[*run.earlier_jobs, run.job],
                **dict.fromkeys(("path", "nonce", "job", "raw_etag", "stopping", "job_outcome"), ""),
                **dict.fromkeys(("why", "failed_stage"), ""),
            )

        return self.change(launch, change)

    def failed(self, launch: Launch, stage: str, why: str) -> Run:
        """Notes why the run cannot go on; the first reason stands."""
        return self.change(launch, lambda run: run if run.why else run.but(failed_stage=stage, why=why))

    def turned_away(self, launch: Launch, why: str) -> Run:
        """The endpoint or the identity refused, so that the run will release what it has claimed.

        Not where another execution has got further, for there may be a job.
        """

        def change(run: Run) -> Run:
            unspent = run.stage in ("gathering", "gathered", "packed")
            return run.but(held=why) if unspent and not run.held else run

        return self.change(launch, change)

    def released(self, launch: Launch, files: int) -> Run:
        """Is done: so many files of the run wait again."""
        return self.change(launch, lambda run: run.but(released=max(files, run.released)))

    def cancel(self, run: str) -> Run | None:
        """Notes that a person wants the run stopped; it is read before every step that costs something.

        Whatever the launch. Changes nothing once the job has ended; None: there is no such run.
        """
        while True:
            found = self.store.read(run_key(run))
            if found is None:
                return None
            record = Run.from_dict(found[0])
            if record.cancel or record.stage not in CANCELABLE:
                return record
            canceled = record.but(cancel=True)
            if self.store.replace(run_key(run), canceled.to_dict(), found[1]):
                return canceled

    def canceled(self, launch: Launch) -> Run:
        """A run that was to be canceled before it had a job ends so."""
        ending = {
            "job_outcome": "canceled",
            "failed_stage": "cancel",
            "why": "the run was canceled on request",
        }

        def change(run: Run) -> Run:
            unspent = run.cancel and not run.held and run.stage in ("gathering", "gathered", "packed")
            return run.but(**ending) if unspent else run

        return self.change(launch, change)

    def progressing(self, launch: Launch) -> Run:
        """A sign of life of a run that only waits."""
        return self.change(launch, lambda run: run.but(progress_at=self.now()))

    def resulted(self, launch: Launch, words: list[Verdict]) -> list[Verdict]:
        """One final word per version, written once, before any input is touched."""
        number = self.fenced(launch).result or launch.launch
        self.store.create_lines(result_key(launch.run, number), [word.to_dict() for word in words])
        run = self.change(
            launch, lambda run: run if run.stage == "closed" else run.but(stage="resulted", result=number)
        )
        return self.results(run)

    def not_moved(self, launch: Launch, left: dict[str, str]) -> Run:
        """Inputs that stay where they are because storage would not have them moved, and its word for it."""
        return self.change(launch, lambda run: run.but(not_moved={**run.not_moved, **left}))

    def results(self, run: Run) -> list[Verdict]:
        if run.result is None:
            return []
        lines = self.store.read_lines(result_key(run.run, run.result)) or []
        return [Verdict.from_dict(line) for line in lines]

    def closed(self, launch: Launch, outcome: str) -> Run:
        """The end: outcome, then the open index, then the slot (list what waits only after this)."""
        ending = {"stage": "closed", "outcome": outcome, "closed_at": self.now()}
        run = self.change(launch, lambda run: run if run.stage == "closed" else run.but(**ending))
        self.withdraw(launch)
        return run

    def reopen(self, run: str, route: Route) -> Launch | None:
        """The next launch, which unpacks the job's raw predictions again. None: not closed.

        What they still leave incomplete gets one attempt more. How raw predictions are read is taken from `route`,
        the rest stays frozen. `touch` its versions before they are published.
        """
        found = self.store.read(run_key(run))
        record = Run.from_dict(found[0]) if found else None
        if record is None or found is None or record.stage != "closed":
            return None
        following = record.launch + 1
        launch = Launch(
            run=run, launch=following, route=record.route["name"], force=record.force, first=following
        )
        self.announce(launch)
        reading = {"match": route.match, "predictions": list(route.predictions), "raw_delimiter": route.raw_delimiter}
        reopened = record.but(
            launch=launch.launch,
            slot=None,
            stage="ended",
            attempts=record.attempt + 1,
            reopened_at=self.now(),
            first_launch=launch.launch,
            result=None,
            cancel=False,
            progress_at=self.now(),
            route={**record.route, **reading},
            **dict.fromkeys(("why", "failed_stage", "outcome", "closed_at", "raw_etag"), ""),
        )
        if not self.store.replace(run_key(run), reopened.to_dict(), found[1]):
            return None
        self.announce(launch)
        return launch

    def announce(self, launch: Launch) -> None:
        """Puts a run into the open index, with the present time."""
        found = self.store.read(open_key(launch.run))
        self.put(open_key(launch.run), {**launch.to_dict(), "at": self.now()}, found)

    def touch(self, version: Version) -> None:
        """Gives a version's record a new ETag, if it still is the same run's.

        A claim of it that looked at the run while it was closed so comes too late.
        """
        found = self.store.read(version_path(version))
        if found and found[0]["run"] == version.run:
            self.store.replace(version_path(version), found[0], found[1])

    def still_mine(self, run: str, versions: Iterable[Version]) -> list[Version]:
        """Those that no other run has taken since the run was closed."""
        records = self.in_parallel(self.version, versions)
        return [record for record in records if record is not None and record.run == run]

    def fenced(self, launch: Launch) -> Run:
        """The run record, read. Raises Fenced when a newer launch has taken over."""
        return self.change(launch, lambda run: run)

    def advance(self, launch: Launch, before: Stage, after: Stage, **changes: Any) -> Run:
        """Moves the run on from one stage; at any other stage it stays as it is."""

        def change(run: Run) -> Run:
            return run.but(stage=after, **changes) if run.stage == before else run

        return self.change(launch, change)

    def change(
        self, launch: Launch, change: Callable[[Run], Run], fence: Callable[[Run], bool] | None = None
    ) -> Run:
        """Read, check the fence, change, write; again while somebody else was faster."""
        while True:
            found = self.store.read(run_key(launch.run))
            if found is None:
                raise Fenced(f"run {launch.run} has no record: it was never gathered, or was purged")
            run = Run.from_dict(found[0])
            if fence(run) if fence else run.launch != launch.launch:
                raise Fenced(f"run {launch.run} belongs to launch {run.launch}, not {launch.launch}")
            changed = change(run).but(launch=launch.launch)
            if changed == run:
                return run
            changed = changed.but(progress_at=self.now())
            if self.store.replace(run_key(launch.run), changed.to_dict(), found[1]):
                return changed

    # The sweep and its watchers

    def owner(self, mine: Owner) -> Owner:
        """Whose ledger this is: `mine`, if nobody came first."""
        if self.store.create(OWNER, mine.but(at=self.now()).to_dict()):
            return mine
        found = self.store.read(OWNER)
        return Owner.from_dict(found[0]) if found else self.owner(mine)

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
        return self.put(HEARTBEAT, last.but(sweep=sweep, at=self.now(), done=False).to_dict(), found)

    def end_sweep(self, sweep: str, **purged: str) -> None:
        """The sweep has done all it does; the next may begin. `purged` says what was cleared, if anything."""
        found = self.store.read(HEARTBEAT)
        if found and found[0]["sweep"] == sweep:
            done = Heartbeat.from_dict(found[0]).but(done=True, **purged)
            self.store.replace(HEARTBEAT, done.to_dict(), found[1])

    # Retention

    def forget_versions(self, present: Set[str], before: datetime) -> int:
        """Deletes the records of versions whose run closed before a time and which are not `present` any more.

        `present` are the keys of all versions in the inbox, listed before this call: a version that is not there
        cannot be scored again for want of its record. While a run as old as that is open, its plan may name any of
        them. Returns how many there were.
        """
        if any(moment(since) < before for _, since in self.announced()):
            return 0
        old = [item.key for item in self.store.listed("versions/") if moment(item.created) < before]
        gone = [key for key in old if key.rsplit("/", 1)[1].removesuffix(".json") not in present]
        ended = [key for key in gone[:PURGED_AT_ONCE] if self.ended_before(key, before)]
        self.store.delete_all(ended)
        return len(ended)

    def ended_before(self, key: str, before: datetime) -> bool:
        found = self.store.read(key)
        run = self.run(found[0]["run"] or "") if found else None
        return run is not None and run.stage == "closed" and moment(run.closed_at) < before

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
            if self.is_forgotten(run, before) and self.forget_run(run):
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
        self.store.delete_all(rest)
        if any(item.key != run_key(run) for item in self.store.listed(f"runs/{run}/")):
            return False
        self.store.delete(run_key(run))
        return True

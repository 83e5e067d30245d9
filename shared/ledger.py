"""The durable record of every version, slot and run, and its only writer: one function per transition.

`docs/protocol.md` gives the keys and the reason for each order of writes.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from shared import names
from shared.errors import Fenced
from shared.records import Launch, Listed, Run, Slot, Stage, Verdict, Version, timestamp
from shared.routes import Route
from shared.store import Store


class Ledger:
    """All transitions. Each either happened once or can be repeated safely."""

    def __init__(self, store: Store, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.store = store
        self.clock = clock

    def now(self) -> str:
        return timestamp(self.clock())

    # Versions

    def arrive(self, seen: Version) -> bool:
        """V1: leaves a marker for a version nobody scores yet. False: it is known already."""
        known = self.version(seen)
        if known is not None and known.run is not None:
            return False
        waiting = known or seen
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
        """The markers of a route, oldest first; `until` leaves out those that came later."""
        markers = sorted(self.store.listed(f"waiting/{route}/"), key=lambda item: (item.created, item.key))
        return [version_of_marker(item, route) for item in markers if not until or item.created <= until]

    def claim(self, run: str, marked: Version) -> Version | None:
        """V2 for a waiting version: makes it the run's, or None where the marker says nothing any more."""
        claimed = marked.but(run=run)
        if self.store.create(version_path(marked), claimed.to_dict()):
            return claimed
        found = self.store.read(version_path(marked))
        if found is None:
            return self.claim(run, marked)
        record = Version.from_dict(found[0])
        if record.run == run:
            return record
        if record.run is None and record.n == marked.n:
            return self.take_over(run, record, found[1], record.n)
        if record.n >= marked.n:
            self.store.delete(marker_key(marked))
        return None

    def claim_again(self, run: str, wanted: Version, *, force: bool = False) -> tuple[Version | None, str]:
        """V2 for an explicit run: also takes versions that have ended. Returns the claim, or why there is none."""
        if self.store.create(version_path(wanted), wanted.but(run=run).to_dict()):
            return wanted.but(run=run), ""
        found = self.store.read(version_path(wanted))
        if found is None:
            return self.claim_again(run, wanted, force=force)
        record = Version.from_dict(found[0])
        if record.run == run:
            return record, ""
        if record.run is None:
            return self.take_over(run, record, found[1], record.n), "another run was faster"
        word = self.final_word(record)
        if not word:
            return None, f"run {record.run} is scoring it"
        if word == "published" and not force:
            return None, f"run {record.run} has published it"
        return self.take_over(run, record, found[1], record.n + 1), "another run was faster"

    def take_over(self, run: str, record: Version, etag: str, n: int) -> Version | None:
        claimed = record.but(run=run, n=n)
        return claimed if self.store.replace(version_path(record), claimed.to_dict(), etag) else None

    def final_word(self, record: Version) -> str:
        """The word a version ended with, or "" while its run is open."""
        run = self.run(record.run or "")
        if run is None or run.stage != "closed":
            return ""
        return next((word.word for word in self.results(run) if word.version == record.key), "failed")

    def claims(self, run: str) -> list[Version]:
        """The versions of the run's plan whose records name it: the truth, wherever its work was interrupted."""
        records = (self.version(version) for version in self.plan(run, list))
        return [record for record in records if record is not None and record.run == run]

    def forget_markers(self, versions: Iterable[Version]) -> None:
        """The markers of claimed versions have done their work."""
        for version in versions:
            self.store.delete(marker_key(version))

    # Slots

    def take_slot(self, route: Route) -> Launch | None:
        """S1: the first launch of a new run in a free slot, or None while all are held."""
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
        """S2: frees the run's slot; list what waits only after this."""
        if launch.slot is None:
            return
        found = self.store.read(slot_key(launch.route, launch.slot))
        if found and found[0].get("run") == launch.run:
            self.store.replace(slot_key(launch.route, launch.slot), Slot(at=self.now()).to_dict(), found[1])

    # Runs

    def open(self, launch: Launch, route: Route) -> Run:
        """R1, R5: creates the run record, or finds it and moves it to this launch. Raises Fenced when outrun."""
        self.store.create(f"open/{launch.run}", {**launch.to_dict(), "at": self.now()})
        fresh = Run(
            run=launch.run,
            launch=launch.launch,
            route=route.to_dict(),
            slot=launch.slot,
            created_at=self.now(),
        )
        if self.store.create(run_key(launch.run), fresh.to_dict()):
            return fresh
        return self.change(launch, lambda run: run, fence=lambda run: run.launch > launch.launch)

    def run(self, run: str) -> Run | None:
        found = self.store.read(run_key(run))
        return Run.from_dict(found[0]) if found else None

    def unfinished(self, routes: Iterable[Route], patience: timedelta) -> list[Launch]:
        """W3, W4: the present launch of every run that was announced or holds a slot longer than `patience`.

        On the way, finishes the closing of runs whose record says that they are closed.
        """
        long_ago = timestamp(self.clock() - patience)
        held = [*self.announced(), *(one for route in routes for one in self.held_slots(route))]
        found = {}
        for launch, since in held:
            run = self.run(launch.run)
            if run is not None and run.stage == "closed":
                self.withdraw(launch)
            elif since < long_ago:
                found[launch.run] = launch.but(launch=run.launch, slot=run.slot) if run else launch
        return list(found.values())

    def withdraw(self, launch: Launch) -> None:
        """Takes a run out of the index and out of its slot: it is closed, or never came to anything."""
        self.store.delete(f"open/{launch.run}")
        self.free_slot(launch)

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
                launch = Launch(run=found[0]["run"], launch=found[0]["launch"], route=route.name, slot=k)
                yield launch, found[0]["at"]

    def bring_plan(self, run: str, versions: list[Version]) -> bool:
        """An explicit run comes with its plan. False: this run was asked for before."""
        return self.store.create_lines(plan_key(run), [version.to_dict() for version in versions])

    def plan(self, run: str, candidates: Callable[[], list[Version]]) -> list[Version]:
        """R1: the run's candidate versions, written once; later calls get the first answer."""
        lines = self.store.read_lines(plan_key(run))
        if lines is None:
            self.bring_plan(run, candidates())
            lines = self.store.read_lines(plan_key(run)) or []
        return [Version.from_dict(line) for line in lines]

    def gathered(self, launch: Launch, files: int, left_out: str = "") -> Run:
        """R1: the claims stand; `left_out` says which asked-for files are not among them, and why."""
        return self.advance(launch, "gathering", "gathered", files=files, left_out=left_out)

    def packed(self, launch: Launch, *, rows: int, parts: int) -> Run:
        return self.advance(launch, "gathered", "packed", rows=rows, parts=parts)

    def submitting(self, launch: Launch, *, path: str, nonce: str, **place: str) -> Run:
        """R3: the intent; only the execution whose nonce stands may POST. `place` is where the path lies."""
        return self.advance(
            launch, "packed", "submitting", path=path, nonce=nonce, intent_at=self.now(), **place
        )

    def not_submitted(self, launch: Launch, seen: Run, *, post: int) -> Run:
        """R3/R4: surely no job came of the POST of `seen`; the run may submit again under the number `post`."""

        def change(run: Run) -> Run:
            same = run.stage in ("submitting", "searching") and run.nonce == seen.nonce
            return run.but(stage="packed", post=post, nonce="") if same else run

        return self.change(launch, change)

    def searching(self, launch: Launch) -> Run:
        """R4: a POST may or may not have made a job."""
        return self.advance(launch, "submitting", "searching")

    def submitted(self, launch: Launch, *, job: str, **found: Any) -> Run:
        """R3/R4: the run's one job, and what is known of it; the first one stands."""
        return self.change(
            launch, lambda run: run if run.job else run.but(stage="submitted", job=job, **found)
        )

    def stopping(self, launch: Launch, reason: str) -> Run:
        """R6: the job is being canceled by us; the first reason stands."""
        return self.change(launch, lambda run: run if run.stopping else run.but(stopping=reason))

    def ended(self, launch: Launch, job_outcome: str, *, why: str, studio: str) -> Run:
        """R6: the job has ended: `completed`, `failed`, `canceled`, `timed-out` or `not-responding`."""
        failed_stage = "" if job_outcome == "completed" else "await"
        changes = {"job_outcome": job_outcome, "why": why, "studio": studio, "failed_stage": failed_stage}
        return self.advance(launch, "submitted", "ended", **changes)

    def raw_found(self, launch: Launch, etag: str) -> Run:
        """R7: the raw predictions that count, by their ETag, once."""
        return self.change(launch, lambda run: run if run.raw_etag else run.but(raw_etag=etag))

    def failed(self, launch: Launch, stage: str, why: str) -> Run:
        """Notes why the run cannot go on; the first reason stands."""
        return self.change(launch, lambda run: run if run.why else run.but(failed_stage=stage, why=why))

    def resulted(self, launch: Launch, words: list[Verdict]) -> list[Verdict]:
        """R8: one final word per version, written once, before any input is touched."""
        number = self.fenced(launch).result or launch.launch
        self.store.create_lines(result_key(launch.run, number), [word.to_dict() for word in words])
        run = self.change(
            launch, lambda run: run if run.stage == "closed" else run.but(stage="resulted", result=number)
        )
        return self.results(run)

    def not_moved(self, launch: Launch, left: dict[str, str]) -> Run:
        """R9: inputs that stay where they are because storage would not have them moved, and its word for it."""
        return self.change(launch, lambda run: run.but(not_moved=left))

    def results(self, run: Run) -> list[Verdict]:
        if run.result is None:
            return []
        lines = self.store.read_lines(result_key(run.run, run.result)) or []
        return [Verdict.from_dict(line) for line in lines]

    def closed(self, launch: Launch, outcome: str) -> Run:
        """The end: outcome, then the open index, then the slot (list what waits after this)."""
        ending = {"stage": "closed", "outcome": outcome, "closed_at": self.now()}
        run = self.change(launch, lambda run: run if run.stage == "closed" else run.but(**ending))
        self.withdraw(launch)
        return run

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
            if changed == run or self.store.replace(run_key(launch.run), changed.to_dict(), found[1]):
                return changed


def marker_key(version: Version) -> str:
    return f"waiting/{version.route}/{version.key}.{version.n}"


def marker_metadata(version: Version) -> dict[str, str]:
    """Everything a run must know to claim the version, so that a listing is enough.

    Azure Storage allows 8 KiB of ASCII: the name goes in base64, the shortest form of the longest names.
    """
    return {
        "container": version.container,
        "blob64": urlsafe_b64encode(version.blob.encode("utf-8", "surrogatepass")).decode(),
        "etag": version.etag,
        "modified": version.modified,
        "size": str(version.size),
        "n": str(version.n),
    }


def version_of_marker(marker: Listed, route: str) -> Version:
    metadata = marker.metadata
    return Version(
        container=metadata["container"],
        blob=urlsafe_b64decode(metadata["blob64"]).decode("utf-8", "surrogatepass"),
        etag=metadata["etag"],
        modified=metadata["modified"],
        size=int(metadata["size"]),
        n=int(metadata["n"]),
        route=route,
    )


def version_path(version: Version) -> str:
    return f"versions/{version.name}/{version.key}.json"


def slot_key(route: str, k: int) -> str:
    return f"slots/{route}/{k}.json"


def run_key(run: str) -> str:
    return f"runs/{run}/run.json"


def plan_key(run: str) -> str:
    return f"runs/{run}/plan.jsonl"


def result_key(run: str, number: int) -> str:
    return f"runs/{run}/result-{number}.jsonl"

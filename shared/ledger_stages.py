"""The ledger on a run under way: every step from stage to stage, each behind the fence."""

from collections.abc import Callable
from typing import Any

from shared.errors import Fenced
from shared.ledger_keys import hold_key, run_key
from shared.ledger_slots import Slots
from shared.records import Hold, Launch, Run, Stage
from shared.routes import target_of

CANCELABLE = ("gathering", "gathered", "packed", "submitting", "searching", "submitted")


class Stages(Slots):
    """Changes of one run's record. A launch that a newer one has overtaken changes nothing."""

    def run(self, run: str) -> Run | None:
        found = self.store.read(run_key(run))
        return Run.from_dict(found[0]) if found else None

    def rewrite(self, run: str, change: Callable[[Run], Run]) -> Run | None:
        """Read, change, write; again while somebody else was faster. None: there is no such run.

        What was read or written last is tried first: that it is written over that ETag says that it still stood.
        Where there is nothing to write, and where the change is refused, only a reading of now counts.
        """
        seen = self.seen_runs.take(run)
        changed = self.written_over(seen, change) if seen else None
        if changed is not None:
            return changed
        while (found := self.store.read(run_key(run))) is not None:
            record = Run.from_dict(found[0])
            changed = change(record)
            if changed == record:
                self.seen_runs.keep(run, found)
                return changed
            if self.written(changed, found[1]):
                return changed
        return None

    def written_over(self, seen: tuple[dict[str, Any], str], change: Callable[[Run], Run]) -> Run | None:
        """The changed record, if there was a change and the record still stood as it was seen."""
        record = Run.from_dict(seen[0])
        try:
            changed = change(record)
        except Fenced:
            return None
        return changed if changed != record and self.written(changed, seen[1]) else None

    def written(self, run: Run, etag: str) -> bool:
        """Writes the record over that ETag. False: somebody was faster."""
        document = run.to_dict()
        written = self.store.replace(run_key(run.run), document, etag)
        if written:
            self.seen_runs.keep(run.run, (document, written))
        return bool(written)

    def change(
        self, launch: Launch, change: Callable[[Run], Run], fence: Callable[[Run], bool] | None = None
    ) -> Run:
        """Changes the record of a run that is still this launch's. Raises Fenced where it is not."""

        def fenced(run: Run) -> Run:
            if fence(run) if fence else run.launch != launch.launch:
                raise Fenced(f"run {run.run} belongs to launch {run.launch}, not {launch.launch}")
            changed = change(run).but(launch=launch.launch)
            return run if changed == run else self.timed(changed, run).but(progress_at=self.now())

        changed = self.rewrite(launch.run, fenced)
        if changed is None:
            raise Fenced(f"run {launch.run} has no record: it was never gathered, or was purged")
        return changed

    def timed(self, changed: Run, before: Run) -> Run:
        """The record with the time of the stage that the change brings it to."""
        if (changed.stage, changed.attempt) == (before.stage, before.attempt):
            return changed
        return changed.but(times={**before.times, f"{changed.attempt}.{changed.stage}": self.now()})

    def fenced(self, launch: Launch) -> Run:
        """The run record, read. Raises Fenced when a newer launch has taken over."""
        return self.change(launch, lambda run: run)

    def advance(self, launch: Launch, before: Stage, after: Stage, **changes: Any) -> Run:
        """Moves the run on from one stage; at any other stage it stays as it is."""

        def change(run: Run) -> Run:
            return run.but(stage=after, **changes) if run.stage == before else run

        return self.change(launch, change)

    def gathered(self, launch: Launch, files: int, *, oldest: str = "", left_out: str = "") -> Run:
        """The claims stand; `left_out` says which asked-for files are not among them, and why."""
        found = {"files": files, "oldest": oldest, "left_out": left_out}
        return self.advance(launch, "gathering", "gathered", **found)

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
        """The one job of the attempt that `seen` was in, and what is known of it; the first one stands.

        The endpoint has let the route in: the next refusal at it is a first one.
        """

        def change(run: Run) -> Run:
            same = run.attempt == seen.attempt and run.stage in ("submitting", "searching")
            return run.but(stage="submitted", job=job, **found) if same else run

        changed = self.change(launch, change)
        self.let_in(changed)
        return changed

    def let_in(self, run: Run) -> None:
        """Forgets a hold of the endpoint that the run has got a job from, if it is older than the run's intent."""
        key = hold_key(run.route.get("name", ""))
        found = self.store.read(key)
        hold = Hold.from_dict(found[0]) if found else None
        if found and hold and hold.target == target_of(run.route) and hold.at < run.intent_at:
            self.store.delete(key, found[1])

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
        return self.rewrite(run, lambda run: run.but(cancel=True) if run.stage in CANCELABLE else run)

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

    def not_moved(self, launch: Launch, left: dict[str, str]) -> Run:
        """Inputs that stay where they are because storage would not have them moved, and its word for it."""
        return self.change(launch, lambda run: run.but(not_moved={**run.not_moved, **left}))

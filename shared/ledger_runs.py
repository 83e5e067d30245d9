"""The ledger on runs from beginning to end: opened, given their plan, worded, closed, found again, reopened."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta

from shared.errors import Unsettled
from shared.ledger_keys import (
    claims_key,
    closed_key,
    closed_metadata,
    open_key,
    plan_key,
    result_key,
    run_key,
    run_of_index,
)
from shared.ledger_stages import Stages
from shared.records import Launch, Run, Verdict, Version, moment
from shared.routes import Route

REOPENING = timedelta(minutes=1)


class Runs(Stages):
    """The runs, and the index of those that are open."""

    def open(self, launch: Launch, route: Route) -> Run:
        """Creates the run record, or finds it and moves it to this launch. Raises Fenced when outrun.

        A run that has closed stays the launch's that closed it, after which its notice is called.
        """

        def outrun(run: Run) -> bool:
            return run.launch > launch.launch or (run.stage == "closed" and run.launch < launch.launch)

        return self.begin(launch, route) or self.change(launch, lambda run: run, fence=outrun)

    def begin(self, launch: Launch, route: Route) -> Run | None:
        """Creates the run record, once. None: there is one already."""
        announced = self.store.create(open_key(launch.run), {**launch.to_dict(), "at": self.now()})
        fresh = Run(
            run=launch.run,
            launch=launch.launch,
            route=route.frozen(),
            slot=launch.slot,
            force=launch.force,
            created_at=self.now(),
            progress_at=self.now(),
        )
        document = fresh.to_dict()
        written = self.store.create(run_key(launch.run), document)
        if not written:
            return None
        self.kept_etags.keep(f"announcement of {launch.instance_id}", announced)
        self.seen_runs.keep(launch.run, (document, written))
        return fresh

    def bring_plan(self, run: str, versions: list[Version]) -> bool:
        """An explicit run comes with its plan. False: this run was asked for before."""
        return self.write_once(plan_key(run), [version.to_dict() for version in versions])

    def plan(self, run: str, candidates: Callable[[], list[Version]]) -> list[Version]:
        """The run's candidate versions, written once; later calls get the first answer."""
        planned = candidates()
        return planned if self.bring_plan(run, planned) else self.planned(run) or []

    def planned(self, run: str) -> list[Version] | None:
        """The run's plan, or None where it was never written."""
        lines = self.written_once(plan_key(run))
        return None if lines is None else [Version.from_dict(line) for line in lines]

    def seal(self, run: str, claims: list[Version]) -> list[Version]:
        """The claims that count, written once: what an execution sealed before stands, and is returned."""
        self.write_once(claims_key(run), [version.to_dict() for version in claims])
        return self.sealed(run)

    def sealed(self, run: str) -> list[Version]:
        """The versions the run has claimed, in the order of its plan."""
        return [Version.from_dict(line) for line in self.written_once(claims_key(run)) or []]

    def resulted(self, launch: Launch, run: Run, words: list[Verdict]) -> list[Verdict]:
        """One final word per version, written once, before any input is touched; `run` as it was read for them.

        Raises Unsettled where they cannot be read again: closed without them, the run would have lost its files.
        """
        number = run.result or launch.launch
        key = result_key(launch.run, number)
        self.write_once(key, [word.to_dict() for word in words])
        lines = self.written_once(key)
        if lines is None:
            raise Unsettled(
                f"run {launch.run}: storage says that its words are written, but they are not there"
            )
        standing = [Verdict.from_dict(line) for line in lines]
        told = {"stage": "resulted", "result": number, "words": dict(Counter(one.word for one in standing))}
        self.change(launch, lambda run: run if run.stage == "closed" else run.but(**told))
        return standing

    def results(self, run: Run) -> list[Verdict]:
        if run.result is None:
            return []
        lines = self.written_once(result_key(run.run, run.result)) or []
        return [Verdict.from_dict(line) for line in lines]

    def words(self, run: Run) -> dict[str, str]:
        """The words of a run by version. Kept for a while: results are written once, and asked for file by file."""
        key = f"{run.run}/{run.result}"
        words = self.kept_words.get(key)
        if words is None:
            words = {word.version: word.word for word in self.results(run)}
            self.kept_words.keep(key, words)
        return words

    def closed(self, launch: Launch, outcome: str) -> Run:
        """The end: outcome, then the indexes, then the slot (list what waits only after this)."""
        ending = {"stage": "closed", "outcome": outcome, "closed_at": self.now()}
        announced = self.announcement(launch)
        run = self.change(launch, lambda run: run if run.stage == "closed" else run.but(**ending))
        self.take_out(run, launch, announced)
        return run

    def withdraw(self, run: Run, launch: Launch) -> None:
        """Finishes the closing of a run that was closed some time ago, unless it has been reopened since."""
        announced = self.announcement(launch)
        standing = self.run(run.run)
        if standing is not None and (standing.stage, standing.launch) == ("closed", run.launch):
            self.take_out(run, launch, announced)

    def announcement(self, launch: Launch) -> str:
        """The ETag of the run's entry in the open index, "" where there is none.

        Ask for it before the record says, or is seen to say, that the run is closed: the entry that a reopening
        writes anew after the record has another one then, and stays.
        """
        kept = self.kept_etags.take(f"announcement of {launch.instance_id}")
        found = None if kept else self.store.read(open_key(launch.run))
        return kept or (found[1] if found else "")

    def take_out(self, run: Run, launch: Launch, announced: str) -> None:
        """Moves a closed run from the open index to that of the closed ones, and takes it out of its slot."""
        if run.reopened_at:
            self.store.delete(closed_key(run))
        self.store.create(closed_key(run), {"run": run.run}, closed_metadata(run))
        if announced:
            self.store.delete(open_key(run.run), announced)
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
        self.withdraw(tomb, launch)
        return True

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
                self.withdraw(run, launch)
        return list(found.values())

    def announced(self) -> Iterator[tuple[Launch, str]]:
        """The runs of the open index, and since when they stand there."""
        keys = [item.key for item in self.store.listed("open/")]
        for found in self.in_parallel(self.store.read, keys):
            if found:
                yield Launch.from_dict(found[0]), found[0]["at"]

    def is_announced(self, run: str) -> bool:
        """Whether the run stands in the open index."""
        return self.store.read(open_key(run)) is not None

    def closed_runs(self, size: int, after: str = "") -> tuple[list[Run], str]:
        """A page of the closed runs, the last begun first, with what their index says of them, and where to go on.

        A run that was reopened is among them until it closes again. The second part is "" at the end.
        """
        listed, following = self.store.page("closed/", size, after)
        return [run_of_index(item) for item in listed], following

    def reopen(self, run: str, route: Route) -> Launch | None:
        """The next launch, which unpacks the job's raw predictions again. None: not closed, or being forgotten.

        What they still leave incomplete gets one attempt more. How raw predictions are read is taken from `route`,
        the rest stays frozen. `touch` its versions before they are published.
        """
        found = self.store.read(run_key(run))
        record = Run.from_dict(found[0]) if found else None
        if record is None or found is None or record.stage != "closed" or record.forgetting:
            return None
        following = record.launch + 1
        launch = Launch(
            run=run, launch=following, route=record.route["name"], force=record.force, first=following
        )
        self.announce(launch)
        reading = {
            "match": route.match,
            "predictions": list(route.predictions),
            "raw_delimiter": route.raw_delimiter,
        }
        reopened = record.but(
            launch=launch.launch,
            slot=None,
            stage="ended",
            attempts=record.attempt + 1,
            reopened_at=self.now(),
            first_launch=launch.launch,
            result=None,
            words={},
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

"""The run itself: opened, given its files, ended with a word for each of them, and closed."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Set
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import accumulate, takewhile
from typing import Any

import azure.durable_functions as df
from azure.core.exceptions import ClientAuthenticationError

from activities import notices, status
from activities.inbox import arrive
from activities.jobs import cancel, cancel_spares, no_token
from shared import clients, names, schedule, telemetry, watching, work
from shared.current_routes import current_routes, route_named
from shared.durations import parse_size
from shared.errors import Unsettled
from shared.ledger_retention import STALE_AFTER
from shared.names import named_at, shown
from shared.outcomes import final_words, outcome
from shared.records import Gathered, Launch, Run, Verdict, Version, moment, timestamp
from shared.routes import Route
from shared.telemetry import traced

log = logging.getLogger(__name__)
bp = df.Blueprint()

PLANNED_VERSIONS = 100
LOOKED_AFTER = timedelta(minutes=1)
# Far less than any record is kept, far more than an orchestration takes to begin.
BEGINS_WITHIN = timedelta(days=1)
WHERE_TO_LOOK = "the workspace's jobs cannot be listed: may the app's identity read them?"
NEVER = datetime.min.replace(tzinfo=UTC)


@bp.activity_trigger(input_name="message")
@traced
def authenticate(message: dict) -> bool:
    """Opens the run's record and proves that both tokens can be had; they stay here. Key: run and launch.

    False where the identity is refused (the route is held, its files go on waiting) or the run is over. Raises
    ClientAuthenticationError where it is refused to a run that may have a job, which is then taken up again later.
    """
    launch = Launch.from_dict(message)
    ledger = clients.ledger()
    known = ledger.run(launch.run)
    if not may_begin(launch) if known is None else known.stage == "closed":
        return False
    route = Route.from_dict(known.route) if known else route_named(launch.route)
    run = ledger.open(launch, route)
    if run.stage == "closed":
        return False
    try:
        get_tokens()
    except ClientAuthenticationError as problem:
        if not no_token(launch, run, problem).held:
            raise
        return False
    if run.reopened_at:
        clients.in_parallel(ledger.touch, ledger.claims(run.run))
    return True


def may_begin(launch: Launch) -> bool:
    """Whether a run without a record has yet to begin. One that was closed and forgotten never begins again, however
    late its orchestration comes; the sweep closes what is refused here."""
    if launch.launch > 1:
        return False
    if launch.slot is None:
        return clients.ledger().is_announced(launch.run)
    return clients.now() - named_at(launch.run) < BEGINS_WITHIN


def get_tokens() -> None:
    """Raises ClientAuthenticationError where the identity is refused."""
    chosen = clients.settings()
    for audience in (chosen.scoring_audience, chosen.arm_audience):
        clients.token(audience)


@bp.activity_trigger(input_name="message")
@traced
def gather(message: dict) -> dict[str, Any]:
    """Writes the plan once, then claims from it. Key: run; called again it finds the same claims."""
    launch = Launch.from_dict(message)
    ledger = clients.ledger()
    run = ledger.fenced(launch)
    route = Route.from_dict(run.route)
    files = run.files
    if run.stage == "gathering":
        claims, left_out = claimed_now(launch, route, partial(candidates, route))
        sealed = seal(run, claims)
        oldest = min((version.modified for version in sealed), default="")
        files = ledger.gathered(launch, len(sealed), oldest=oldest, left_out="; ".join(left_out)).files
        ledger.forget_markers(sealed)
        status.show_running(run, sealed)
        measure_waits(launch, sealed)
        log.info("run %s: %d files of route %s", launch.run, files, route.name)
    elif run.reopened_at and clients.settings().status:
        status.show_running(run, still_claimed(run), again=True)
    chosen = clients.settings()
    return Gathered(
        files=files,
        deadline=timestamp(watching.deadline(run)),
        poll_at_least=chosen.poll_at_least.total_seconds(),
        poll_at_most=chosen.poll_at_most.total_seconds(),
    ).to_dict()


def measure_waits(launch: Launch, versions: list[Version]) -> None:
    """How long files have waited. Not those that somebody asked for, which may have lain there for years."""
    now, of = clients.now(), telemetry.of(launch.route)
    for version in versions if launch.slot is not None else ():
        telemetry.FILE_WAIT.record(telemetry.seconds_since(version.modified, now), of)


def seal(run: Run, claims: list[Version]) -> list[Version]:
    """The claims that count for good. What an execution claimed after that waits again."""
    sealed = clients.ledger().seal(run.run, claims)
    rounds = {version.key: version.n for version in sealed}
    late = [version for version in claims if rounds.get(version.key) != version.n]
    clients.in_parallel(partial(clients.ledger().release, run.run), late)
    return sealed


def candidates(route: Route) -> list[Version]:
    """What a run may take of what waits, oldest first, within the route's limits.

    Where each file needs a job of its own, a few more than one: the oldest marker may be stale.
    """
    limit = route.max_files if route.shares_jobs else PLANNED_VERSIONS
    waiting = waiting_now(route)[:limit]
    return within_a_run(waiting, route) if route.shares_jobs else waiting


def within_a_run(versions: list[Version], route: Route) -> list[Version]:
    """The first versions that are together no larger than a run of the route may be, but one at least."""
    totals = accumulate(version.size for version in versions)
    within = sum(1 for _ in takewhile(lambda total: total <= parse_size(route.max_run_size), totals))
    return versions[: max(within, 1)]


def waiting_now(route: Route) -> list[Version]:
    """Everything that waits; of a scheduled route only what was there when it last fell due."""
    due = timestamp(schedule.last_due(route.schedule, clients.now())) if route.schedule else ""
    return clients.ledger().waiting(route.name, due)


def claimed_now(
    launch: Launch, route: Route, plan_if_none: Callable[[], list[Version]]
) -> tuple[list[Version], list[str]]:
    """The versions of the plan that are the run's, and why files that somebody asked for are not among them."""
    if launch.slot is None:
        return asked_claims(launch, clients.ledger().planned(launch.run) or [])
    plan = clients.ledger().plan(launch.run, plan_if_none)
    claim = partial(clients.ledger().claim, launch.run)
    if route.shares_jobs:
        return [mine for mine in clients.in_parallel(claim, plan) if mine is not None], []
    first = next((mine for mine in map(claim, plan) if mine is not None), None)
    return [first] if first else [], []


def asked_claims(launch: Launch, plan: list[Version]) -> tuple[list[Version], list[str]]:
    again = partial(clients.ledger().claim_again, launch.run, force=launch.force)
    answers = list(zip(plan, clients.in_parallel(again, plan), strict=True))
    left_out = [f"{wanted.blob}: {why}" for wanted, (mine, why) in answers if mine is None]
    return [mine for _, (mine, _) in answers if mine is not None], left_out


@bp.activity_trigger(input_name="message")
@traced
def write_results(message: dict) -> dict[str, Any]:
    """One final word per version, written once; what a run that was turned away cannot word, it gives back.

    Key: run. Returns how many versions got each word.
    """
    launch = Launch.from_dict(message)
    counts = Counter(verdict.word for verdict in word_each(launch))
    return dict(counts)


def word_each(launch: Launch) -> list[Verdict]:
    """Words or releases every claimed version. Returns the words that stand."""
    ledger = clients.ledger()
    run = ledger.fenced(launch)
    if run.stage == "gathering":
        # An execution that is only slow may still be claiming: what the plan offers is claimed before it is worded.
        claimed = seal(run, claimed_now(launch, Route.from_dict(run.route), list)[0])
    else:
        claimed = still_claimed(run)
    words = final_words(run, claimed, known_verdicts(run))
    if run.held:
        release(run, launch, claimed, words)
    standing = ledger.resulted(launch, run, words)
    for verdict in standing:
        level = logging.WARNING if verdict.word == "failed" else logging.INFO
        log.log(
            level, "run %s: blob %s %s%s", launch.run, shown(verdict.blob), verdict.word, said(verdict.why)
        )
    return standing


def still_claimed(run: Run) -> list[Version]:
    """What the run has to word: all it claimed, but for what others have taken before it was reopened."""
    claimed = clients.ledger().sealed(run.run)
    return clients.ledger().still_mine(run.run, claimed) if run.reopened_at else claimed


def release(run: Run, launch: Launch, claimed: list[Version], words: list[Verdict]) -> None:
    worded = {verdict.version for verdict in words}
    waiting = [version for version in claimed if version.key not in worded]
    clients.in_parallel(partial(clients.ledger().release, run.run), waiting)
    clients.ledger().released(launch, len(waiting))
    status.show_waiting((one.but(n=one.n + 1) for one in waiting), held=run.held)
    log.info("run %s: %d files wait again", run.run, len(waiting))


def known_verdicts(run: Run) -> list[Verdict]:
    """What all stages of all attempts have found out, in their order."""
    found: list[Verdict] = []
    for attempt in range(1, run.attempt + 1):
        index = work.index(run, attempt=attempt)
        found += [*index, *work.unpacked(run, index, attempt=attempt)]
    return found


def said(why: str) -> str:
    return f" ({shown(' '.join(why.split()))})" if why else ""


@bp.activity_trigger(input_name="message")
@bp.durable_client_input(client_name="client")
@traced
async def close_run(message: dict, client: Any) -> dict[str, Any]:
    """Closes the record, frees the slot, and only then looks for what waits: the next run starts here. Key: run.

    What the run kept in `work` goes last, unless it may be of use: the next run need not wait for that.
    """
    launch = Launch.from_dict(message)
    run, launches = await asyncio.to_thread(close, launch)
    await start(client, launches)
    await notices.tell(client, launch)
    await watch_the_sweep(client)
    await asyncio.to_thread(tidy, run)
    return {"run": run.run, "outcome": run.outcome}


def close(launch: Launch, *, at_last: bool = False) -> tuple[Run, list[Launch]]:
    """Ends the run. Raises Unsettled where it may have a job that nobody knows and the list of jobs cannot be read.

    The run is taken up again then, until it is given up (`at_last`).
    """
    ledger = clients.ledger()
    run = ledger.fenced(launch)
    ended = outcome(run, ledger.results(run))
    if run.job and not run.job_outcome:
        cancel(run.job, run.job_id)
    if not cancel_spares(run):
        if not at_last:
            raise Unsettled(f"run {run.run} is not closed yet: it may have a spare job; {WHERE_TO_LOOK}")
        log.error("run %s: closed, although it may have a spare job; %s", run.run, WHERE_TO_LOOK)
    first = run.stage != "closed"
    if first:
        notices.announce(launch)
    run = ledger.closed(launch, ended)
    if first:
        measure_run(run, ended)
    log.info("run %s: closed, %s%s", run.run, ended, said(run.why))
    return run, following(run, launch)


def measure_run(run: Run, ended: str) -> None:
    begun, now, route = run.reopened_at or run.created_at, clients.now(), run.route["name"]
    telemetry.RUN_DURATION.record(telemetry.seconds_since(begun, now), telemetry.of(route, outcome=ended))
    for word, number in run.words.items():
        telemetry.FILES.add(number, telemetry.of(route, word=word))
    told = {"run": run.run, "route": route, "launch": run.launch, "outcome": ended}
    telemetry.span_of_the_past("dropscore.run", begun, now, **told)


def tidy(run: Run) -> None:
    if all(verdict.word not in ("failed", "canceled") for verdict in clients.ledger().results(run)):
        work.forget(run.run)


def following(run: Run, launch: Launch) -> list[Launch]:
    """The runs for what waits now. What this run was offered and left is not offered at once again."""
    route = current_routes().named(launch.route)
    if route is None or run.outcome == "released":
        return []
    offered = {version.key for version in clients.ledger().planned(run.run) or []} if not run.files else set()
    return kick(route, offered)


def kick(route: Route, offered: Set[str] = frozenset()) -> list[Launch]:
    """Runs for the files that wait, as far as there are free slots, unless all of them were `offered` in vain."""
    waiting = waiting_now(route)
    if all(version.key in offered for version in waiting):
        return []
    runs = len(waiting)
    if route.shares_jobs:
        size = sum(version.size for version in waiting)
        runs = max(-(-runs // route.max_files), -(-size // parse_size(route.max_run_size)))
    launches = (clients.ledger().take_slot(route) for _ in range(min(runs, route.max_jobs)))
    return [launch for launch in launches if launch is not None]


def dropped(name: str) -> list[Launch]:
    """A file was dropped under a name: notes the version. Returns the runs that begin with it."""
    if names.is_probe(name):
        clients.anybodys_ledger(clients.storage()).heard(name)
        return []
    route = arrive(name)
    return kick_arrival(route) if route is not None else []


def kick_arrival(route: Route) -> list[Launch]:
    """Right after an arrival, whose marker is known to wait; scheduled routes wait for their time."""
    if route.schedule:
        return []
    launch = clients.ledger().take_slot(route)
    return [launch] if launch else []


def open_asked(launch: Launch, route: Route, versions: list[Version]) -> tuple[list[Version], bool]:
    """Opens a run that brings its plan and takes no slot. Returns the files of its plan, and whether to start it.

    Of calls at the same time, the one that makes the record starts the run; the sweep, where that one dies.
    """
    ledger = clients.ledger()
    if not ledger.bring_plan(launch.run, versions):
        versions = ledger.planned(launch.run) or versions
    return versions, ledger.run(launch.run) is None and ledger.begin(launch, route) is not None


async def start(client: Any, launches: Iterable[Launch]) -> None:
    """Starts the orchestrations. Instance ids are never used twice: each is a run and its launch."""
    for launch in launches:
        await client.start_new("score_run", launch.instance_id, launch.to_dict())


@dataclass
class SweepWatch:
    """When this process last looked whether sweeps begin."""

    looked_at: datetime = NEVER


sweep_watch = SweepWatch()


async def watch_the_sweep(client: Any) -> None:
    """Starts a sweep where none has begun for a while: the timer that should start them may be dead."""
    now = clients.now()
    if now - sweep_watch.looked_at < LOOKED_AFTER:
        return
    sweep_watch.looked_at = now
    beat = await asyncio.to_thread(clients.ledger().heartbeat)
    if beat is None or now - moment(beat.at) > STALE_AFTER:
        log.warning("no sweep has begun since %s, starting one", beat.at if beat else "the beginning")
        await client.start_new("sweep", sweep_id(now))


def sweep_id(now: datetime) -> str:
    """A new instance each time: one id for all could get stuck and stop every later sweep."""
    return f"sweep-{now:%Y%m%dT%H%M%S%f}"

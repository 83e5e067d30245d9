"""The run itself: opened, given its files, ended with a word for each of them, and closed."""

import asyncio
import logging
from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import azure.durable_functions as df
from azure.core.exceptions import ClientAuthenticationError

from activities.jobs import cancel, cancel_spares
from shared import clients, schedule, work
from shared.current_routes import current_routes, route_named
from shared.durations import parse_duration
from shared.masking import masked
from shared.outcomes import final_words, outcome
from shared.records import Gathered, Launch, Run, Verdict, Version, moment, timestamp
from shared.routes import Route, Routes

log = logging.getLogger(__name__)
bp = df.Blueprint()

PLANNED_VERSIONS = 100
VERSIONS_PER_RUN = 1
STUCK_AFTER = timedelta(seconds=30)
LAUNCHES = 5
ENDED = ("Completed", "Failed", "Terminated", "Canceled")


@bp.activity_trigger(input_name="message")
def authenticate(message: dict) -> bool:
    """Opens the run's record and proves that both tokens can be had; they stay here. Key: run and launch.

    False where the identity is refused (the record says why, the files go on waiting) or the run is closed. Raises
    ClientAuthenticationError where it is refused to a run that has got further, which is then taken up again later.
    """
    launch = Launch.from_dict(message)
    known = clients.ledger().run(launch.run)
    route = Route.from_dict(known.route) if known else route_named(launch.route)
    run = clients.ledger().open(launch, route)
    if run.stage == "closed":
        return False
    chosen = clients.settings()
    try:
        clients.token(chosen.scoring_audience)
        clients.token(chosen.arm_audience)
    except ClientAuthenticationError as problem:
        if run.stage != "gathering":
            raise
        why = f"The app's identity gets no token: {masked(str(problem))[:300]}"
        clients.ledger().failed(launch, "authenticate", why)
        return False
    return True


@bp.activity_trigger(input_name="message")
def gather(message: dict) -> dict[str, Any]:
    """R1, V2: writes the plan once, then claims from it. Key: run; called again it finds the same claims."""
    launch = Launch.from_dict(message)
    ledger = clients.ledger()
    run = ledger.fenced(launch)
    route = Route.from_dict(run.route)
    plan = ledger.plan(launch.run, lambda: candidates(route))
    left_out: list[str] = []
    claims = list(
        waiting_claims(launch, plan) if launch.slot is not None else asked_claims(launch, plan, left_out)
    )
    work.write_claimed(launch.run, claims)
    ledger.gathered(launch, len(claims), "; ".join(left_out))
    ledger.forget_markers(claims)
    log.info("run %s: %d files of route %s", launch.run, len(claims), route.name)
    chosen = clients.settings()
    return Gathered(
        files=len(claims),
        deadline=timestamp(moment(run.created_at) + parse_duration(route.deadline)),
        poll_at_least=chosen.poll_at_least.total_seconds(),
        poll_at_most=chosen.poll_at_most.total_seconds(),
    ).to_dict()


def candidates(route: Route) -> list[Version]:
    """What waits, oldest first. A scheduled route takes only what was there when it last fell due."""
    return clients.ledger().waiting(route.name, due_until(route))[:PLANNED_VERSIONS]


def due_until(route: Route) -> str:
    return timestamp(schedule.last_due(route.schedule, clients.now())) if route.schedule else ""


def waiting_claims(launch: Launch, plan: list[Version]) -> Iterable[Version]:
    claimed = 0
    for marked in plan:
        if claimed == VERSIONS_PER_RUN:
            return
        mine = clients.ledger().claim(launch.run, marked)
        if mine is not None:
            claimed += 1
            yield mine


def asked_claims(launch: Launch, plan: list[Version], left_out: list[str]) -> Iterable[Version]:
    for wanted in plan:
        mine, why = clients.ledger().claim_again(launch.run, wanted, force=launch.force)
        if mine is not None:
            yield mine
        else:
            left_out.append(f"{wanted.blob}: {why}")


@bp.activity_trigger(input_name="message")
def fail_run(message: dict) -> None:
    """Notes at which stage the run failed and why; the first reason stands. Key: run and launch."""
    clients.ledger().failed(
        Launch.from_dict(message["launch"]), message["stage"], masked(message["why"])[:500]
    )


@bp.activity_trigger(input_name="message")
def write_results(message: dict) -> dict[str, Any]:
    """R8: one final word per version, written once. Key: run. Returns how many versions got each word."""
    launch = Launch.from_dict(message)
    counts = Counter(verdict.word for verdict in word_each(launch))
    return dict(counts)


def word_each(launch: Launch) -> list[Verdict]:
    """Gives every claimed version its word; what was claimed is asked of the ledger where the run's list is missing."""
    ledger = clients.ledger()
    run = ledger.fenced(launch)
    claimed = work.claimed(launch.run) or ledger.claims(launch.run)
    words = final_words(run, claimed, work.verdicts(run, "pack"), work.verdicts(run, "unpack"))
    for verdict in ledger.resulted(launch, words):
        level = logging.WARNING if verdict.word == "failed" else logging.INFO
        log.log(level, "run %s: blob %s %s%s", launch.run, verdict.blob, verdict.word, said(verdict.why))
    return words


def said(why: str) -> str:
    return f" ({' '.join(why.split())})" if why else ""


@bp.activity_trigger(input_name="message")
@bp.durable_client_input(client_name="client")
async def close_run(message: dict, client: Any) -> dict[str, Any]:
    """Closes the record, frees the slot, and only then looks for what waits: the next run starts here. Key: run."""
    launch = Launch.from_dict(message)
    run, launches = await asyncio.to_thread(close, launch)
    await start(client, launches)
    return {"run": run.run, "outcome": run.outcome}


def close(launch: Launch) -> tuple[Run, list[Launch]]:
    ledger = clients.ledger()
    run = ledger.fenced(launch)
    ended = outcome(run, ledger.results(run))
    if run.job and not run.job_outcome:
        cancel(run.job, run.job_id)
    if run.spares or run.post > 1:
        cancel_spares(run)
    if ended not in ("failed", "timed-out"):
        work.forget(launch.run)
    run = ledger.closed(launch, ended)
    log.info("run %s: closed, %s%s", run.run, ended, said(run.why))
    return run, following(run, launch)


def following(run: Run, launch: Launch) -> list[Launch]:
    """S2: the runs for what waits now. What this run was offered and left is not offered at once again."""
    route = current_routes().named(launch.route)
    if route is None or run.outcome == "released":
        return []
    offered = {version.key for version in clients.ledger().plan(run.run, list)} if not run.files else set()
    return kick(route) if any(version.key not in offered for version in candidates(route)) else []


def kick(route: Route) -> list[Launch]:
    """S1: a run for every file that waits, as far as there are free slots."""
    waiting = candidates(route)
    launches = (clients.ledger().take_slot(route) for _ in waiting[: route.max_jobs])
    return [launch for launch in launches if launch is not None]


def kick_arrival(route: Route) -> list[Launch]:
    """S1 right after an arrival, whose marker is known to wait; scheduled routes wait for their time."""
    launch = None if route.schedule else clients.ledger().take_slot(route)
    return [launch] if launch else []


@bp.activity_trigger(input_name="sweep")
@bp.durable_client_input(client_name="client")
async def start_waiting(sweep: str, client: Any) -> int:
    """W3, W4, W5, W7: starts runs for files that wait, and takes up runs whose orchestration is gone.

    Key: slots, run ids and launches; a run that is under way is left alone. Returns how many were started.
    """
    routes = await asyncio.to_thread(current_routes)
    resumed = await taken_up(client, routes)
    await start(client, resumed)
    fresh = [launch for route in routes.routes for launch in await asyncio.to_thread(kick, route)]
    await start(client, fresh)
    if resumed or fresh:
        log.info("%s: resumed %d runs, started %d", sweep, len(resumed), len(fresh))
    return len(resumed) + len(fresh)


async def taken_up(client: Any, routes: Routes) -> list[Launch]:
    """The launches that go on with runs nobody carries any more."""
    unfinished = await asyncio.to_thread(clients.ledger().unfinished, routes.routes, STUCK_AFTER)
    found = []
    for launch in unfinished:
        status = (await client.get_status(launch.instance_id)).runtime_status
        if status is None or status.name in ENDED:
            found += await asyncio.to_thread(next_launch, launch, begun=status is not None)
    return found


def next_launch(launch: Launch, *, begun: bool) -> list[Launch]:
    """R5: the launch that resumes a run; the same one where it never began.

    An orchestration that ended without leaving a record claimed nothing: its slot is freed, its files go on waiting.
    """
    ledger = clients.ledger()
    run = ledger.run(launch.run)
    if run is None and begun:
        ledger.withdraw(launch)
        return []
    if run is None:
        return [launch]
    if run.stage == "closed":
        return []
    if launch.launch >= LAUNCHES:
        return given_up(launch, run)
    resumed = launch.but(launch=launch.launch + 1)
    log.warning(
        "run %s: its orchestration is gone at stage %s, launch %d", run.run, run.stage, resumed.launch
    )
    ledger.open(resumed, Route.from_dict(run.route))
    return [resumed]


def given_up(launch: Launch, run: Run) -> list[Launch]:
    """Closes a run that no launch could bring to its end, so that the route goes on. Returns what comes after it."""
    why = f"{LAUNCHES} orchestrations of the run have failed; the app's log says why"
    clients.ledger().failed(launch, run.stage, why)
    word_each(launch)
    return close(launch)[1]


async def start(client: Any, launches: Iterable[Launch]) -> None:
    """Starts the orchestrations. Instance ids are never used twice: each is a run and its launch."""
    for launch in launches:
        await client.start_new("score_run", launch.instance_id, launch.to_dict())

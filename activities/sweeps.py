"""What the sweep looks after besides the inbox: runs that nobody carries, routes that are held, files that wait."""

import asyncio
import logging
from datetime import datetime, timedelta
from typing import Any

import azure.durable_functions as df
import requests
from azure.core.exceptions import AzureError

from activities import notices, status
from activities.jobs import jobs_of, submission_unknown
from activities.runs import close, get_tokens, kick, start, word_each
from shared import azureml, clients, names, telemetry, work
from shared.blob_io import listed
from shared.current_routes import current_routes
from shared.errors import Fenced
from shared.records import Heartbeat, Hold, Launch, Run, moment
from shared.routes import Route, Routes
from shared.telemetry import traced

log = logging.getLogger(__name__)
bp = df.Blueprint()

GONE_AFTER = timedelta(seconds=30)
PENDING_AFTER = timedelta(minutes=5)
STALLED_AFTER = timedelta(minutes=30)
PURGED_EVERY = timedelta(hours=1)
PURGED_WITHIN = timedelta(minutes=1)
# With the waits between them, these make some eight minutes, and some hours once a job may be paid for.
LAUNCHES = 5
LAUNCHES_OF_A_PAID_RUN = 12
LONGEST_PATIENCE = timedelta(minutes=30)
PAID = ("submitting", "searching", "submitted", "ended")
ENDED = ("Completed", "Failed", "Terminated", "Canceled")


@bp.activity_trigger(input_name="sweep")
@traced
def begin_sweep(sweep: str) -> bool:
    """Leaves the heartbeat. False while another sweep is at work. Key: the sweep's instance id."""
    return clients.ledger().begin_sweep(sweep)


@bp.activity_trigger(input_name="sweep")
@traced
def end_sweep(sweep: str) -> None:
    """Once an hour clears old records; then lets the next sweep begin. Key: the sweep's instance id."""
    beat = clients.ledger().heartbeat()
    due = beat is None or not beat.purged_at or clients.now() - moment(beat.purged_at) > PURGED_EVERY
    clients.ledger().end_sweep(sweep, **(purged(beat) if due else {}))


def purged(beat: Heartbeat | None) -> dict[str, str]:
    """Clears what closed longer ago than the app's `keep`, and says when and how far."""
    ledger, before = clients.ledger(), clients.now() - clients.settings().keep
    try:
        present = {
            names.version_key(blob.container, blob.name, blob.etag)
            for blob in listed(clients.container("inbox"))
        }
        status.tidy(present)
        versions = ledger.forget_versions(present, before)
        until = clients.now() + PURGED_WITHIN
        runs, last = ledger.forget_runs(before, beat.purged_to if beat else "", until)
        for run in runs:
            work.forget(run)
    except AzureError as problem:
        log.warning("old records could not be cleared: %s", type(problem).__name__)
        return {}
    if versions or runs:
        log.info("forgot %d versions and %d runs that had ended before %s", versions, len(runs), before)
    return {"purged_at": ledger.now(), "purged_to": last}


@bp.activity_trigger(input_name="sweep")
@bp.durable_client_input(client_name="client")
@traced
async def start_waiting(sweep: str, client: Any) -> int:
    """Takes up runs that nobody carries, lifts holds, and starts runs for what waits.

    Key: slots, run ids and launches; a run that is under way is left alone. Returns how many were started.
    """
    routes = await asyncio.to_thread(current_routes)
    resumed, problems = await taken_up(client, routes)
    fresh = 0
    for route in routes.routes:
        try:
            await asyncio.to_thread(lift_hold, route)
            launches = await asyncio.to_thread(kick, route)
            await start(client, launches)
        except Exception as problem:  # noqa: BLE001  one route does not stop the others; it is raised below
            problems.append(problem)
        else:
            fresh += len(launches)
    try:
        await notices.tell_again(client)
    except Exception as problem:  # noqa: BLE001  no more does this, and it is raised below, too
        problems.append(problem)
    if resumed or fresh:
        log.info("%s: resumed %d runs, started %d", sweep, resumed, fresh)
    if problems:
        raise problems[0]
    return resumed + fresh


async def taken_up(client: Any, routes: Routes) -> tuple[int, list[Exception]]:
    """Goes on with the runs nobody carries any more. Returns with how many, and what went wrong with others."""
    unfinished = await asyncio.to_thread(clients.ledger().unfinished, routes.routes)
    resumed, problems = 0, []
    for launch, since in unfinished:
        try:
            launches = await looked_after(client, launch, since)
            await start(client, launches)
        except Exception as problem:  # noqa: BLE001  one run does not stop the others; the caller raises it
            problems.append(problem)
        else:
            resumed += len(launches)
    return resumed, problems


async def looked_after(client: Any, launch: Launch, since: datetime) -> list[Launch]:
    """What is to be started for one run, whose last sign of life is given."""
    silent = clients.now() - since
    if silent < patience(launch):
        return []
    status = (await client.get_status(launch.instance_id)).runtime_status
    state = status.name if status is not None else ""
    # One that does not end when it is told to has no host, as after a return to an older version; it is fenced.
    abandoned = silent > 2 * STALLED_AFTER or (state == "Pending" and silent > PENDING_AFTER)
    if state in ENDED or not state or abandoned:
        return await asyncio.to_thread(next_launch, launch, begun=bool(state))
    if state != "Pending" and silent > STALLED_AFTER:
        # Its end is seen by the next sweep, which goes on with the run.
        log.error("run %s: its orchestration has done nothing since %s, ending it", launch.run, since)
        await client.terminate(launch.instance_id, "stalled; the run goes on under its next launch")
    return []


def patience(launch: Launch) -> timedelta:
    """Each launch of a run waits twice as long as the one before: what stopped that may take a while to pass."""
    return min(GONE_AFTER * (1 << (launch.tries - 1)), LONGEST_PATIENCE)


def next_launch(launch: Launch, *, begun: bool) -> list[Launch]:
    """The launch that resumes a run; the same one where its orchestration was never made.

    A run whose orchestration left no record has claimed nothing: it is closed, its slot freed, its files wait on.
    """
    ledger = clients.ledger()
    run = ledger.run(launch.run)
    if run is None and not begun:
        return [launch]
    if run is None:
        ledger.abandon(launch)
        return []
    if run.stage == "closed" or run.launch != launch.launch:
        return []
    resumed = launch.but(launch=launch.launch + 1)
    try:
        run = ledger.open(resumed, Route.from_dict(run.route))
        if launch.tries >= (LAUNCHES_OF_A_PAID_RUN if run.stage in PAID else LAUNCHES):
            return given_up(resumed, run)
    except Fenced:
        return []
    telemetry.RETRIES.add(1, telemetry.of(launch.route, kind="launch"))
    log.warning(
        "run %s: its orchestration is gone at stage %s, launch %d", run.run, run.stage, resumed.launch
    )
    return [resumed]


def given_up(launch: Launch, run: Run) -> list[Launch]:
    """Closes a run that no launch could bring to its end, so that the route goes on. Returns what comes after it."""
    why = f"{launch.tries - 1} orchestrations of the run have failed; the app's log says why"
    if run.nonce and not run.job and jobs_of(run) is None:
        why = submission_unknown(run)
    clients.ledger().failed(launch, run.stage, why)
    words = {word.version: word for word in word_each(launch)}
    status.show_end(run, words, clients.ledger().sealed(run.run))
    return close(launch, at_last=True)[1]


def lift_hold(route: Route) -> None:
    """A held route is tried again when its time is over, when it names another target, or when that lets us in."""
    hold = clients.ledger().last_hold(route.name)
    if hold is None or hold.lifted:
        return
    over = hold.target != route.target or clients.now() >= moment(hold.until)
    if (over or let_in(route, hold)) and clients.ledger().lift(route):
        log.info("route %s: its files go on", route.name)


def let_in(route: Route, hold: Hold) -> bool:
    """Whether tokens can be had and the endpoint answers. After a second refusal only time counts: a GET may be
    allowed where a POST is not."""
    if hold.times > 1:
        return False
    try:
        get_tokens()
        return azureml.answers(
            clients.http(), route.model, clients.token(clients.settings().scoring_audience)
        )
    except (requests.RequestException, AzureError):
        return False

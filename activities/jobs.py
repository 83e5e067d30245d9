"""Azure ML jobs: submitted once, found again when an answer was lost, read, and canceled."""

import json
import logging
import secrets
from datetime import timedelta
from typing import Any

import azure.durable_functions as df
import requests
from azure.core.exceptions import AzureError, ClientAuthenticationError

from shared import azureml, clients, telemetry, watching, work
from shared.durations import parse_duration
from shared.errors import StageFailed
from shared.masking import masked
from shared.names import output_marker, output_path
from shared.packing import PART_AT_LEAST, SLOWEST_BYTES_PER_SECOND
from shared.records import JobView, Launch, Run, SubmitStep, moment
from shared.routes import Route
from shared.telemetry import traced

log = logging.getLogger(__name__)
bp = df.Blueprint()

THROTTLED_WAIT = 30.0
SEARCH_EVERY = 10.0
# An execution that is slower than this may have been taken for dead, and its job is searched for.
POSTED_WITHIN = timedelta(seconds=30)
SIGN_OF_LIFE = timedelta(minutes=5)
SLOWEST_PART = timedelta(minutes=5)
TOGETHER_AT_MOST = 20
MINI_BATCHES_AT_LEAST = 16
# A passing trouble with Azure ML or the identity; what is under way is looked at again.
UNREACHABLE = (requests.RequestException, AzureError, StageFailed)
STOPPED = {
    "timed-out": "the job did not end before the route's deadline and was canceled",
    "canceled": "the run was canceled on request",
    "not-responding": "the job stopped responding and was canceled",
}


@bp.activity_trigger(input_name="message")
@traced
def submit_job(message: dict) -> dict[str, Any]:
    """Writes the intent, then POSTs once. Key: run, attempt and post, by the nonce of the intent.

    An execution that finds an intent it did not write does not POST: the job is searched for instead.
    """
    launch = Launch.from_dict(message)
    ledger = clients.ledger()
    run = ledger.fenced(launch)
    if run.cancel:
        run = ledger.canceled(launch)
    if run.stage == "packed" and clients.now() >= watching.deadline(run):
        run = ledger.failed(launch, "submit", "no job could be submitted before the route's deadline")
    if run.stage == "packed" and not run.failed_stage and not run.held:
        try:
            return posted(launch, run).to_dict()
        except StageFailed as problem:
            return turned_away(launch, run, str(problem)).to_dict()
        except ClientAuthenticationError as problem:
            return settled(no_token(launch, run, problem)).to_dict()
        except (requests.RequestException, AzureError) as problem:
            # The record says whether the intent stood already, and so whether "again" means a POST or a search.
            log.warning("run %s: cannot submit yet: %s", run.run, type(problem).__name__)
            retried(run, "submission")
            wait = azureml.retry_after_of(problem) or THROTTLED_WAIT
            return SubmitStep(kind="again", wait=wait).to_dict()
    if run.stage == "submitting":
        run = ledger.searching(launch)
    return settled(run).to_dict()


def turned_away(launch: Launch, run: Run, why: str) -> SubmitStep:
    """The endpoint, the workspace or the identity refuses: the fault is no file's, so that all of them will wait."""
    route = Route.from_dict(run.route)
    run = clients.ledger().turned_away(launch, why)
    if run.held and clients.ledger().hold(route, why):
        log.error("route %s: its files wait, for nothing can be submitted: %s", route.name, why)
    return settled(run)


def no_token(launch: Launch, run: Run, problem: ClientAuthenticationError) -> Run:
    """The identity is refused. The record that is returned says whether the run is turned away for that."""
    turned_away(launch, run, f"The app's identity gets no token: {masked(str(problem))[:300]}")
    return clients.ledger().fenced(launch)


def posted(launch: Launch, run: Run) -> SubmitStep:
    """What can fail first, then the intent, then the one POST. Raises StageFailed only before anything is spent."""
    ledger, nonce = clients.ledger(), secrets.token_hex(8)
    path = output_path(run.run, run.attempt, run.post)
    place = datastore(run, workspace_of(run))
    body, token = invocation(run, path), clients.token(clients.settings().scoring_audience)
    run = ledger.submitting(launch, path=path, nonce=nonce, raw_account=place.account, raw_url=place.url)
    if run.cancel:
        run = ledger.canceled(launch)
    slow = clients.now() - moment(run.intent_at) > POSTED_WITHIN if run.intent_at else False
    if run.nonce != nonce or slow:
        return settled(ledger.searching(launch))
    return noted(launch, run, azureml.invoke(Route.from_dict(run.route), body, token, path))


def datastore(run: Run, workspace: str) -> azureml.Place:
    """Where the raw predictions go, if the workspace is known. Raises StageFailed where it cannot be used."""
    if not workspace:
        return azureml.Place("", "")
    arm, audience = clients.settings().arm_url, clients.settings().arm_audience
    name = run.route["datastore"]
    return azureml.datastore_place(clients.http(), arm, workspace, name, clients.token(audience))


def workers(run: Run) -> int:
    """How many parts the route's deployment scores at a time; 1 where nobody says."""
    chosen, workspace = clients.settings(), workspace_of(run)
    if not workspace:
        return 1
    try:
        token = clients.token(chosen.arm_audience)
        return azureml.workers(clients.http(), chosen.arm_url, workspace, Route.from_dict(run.route), token)
    except (*UNREACHABLE, KeyError, TypeError, ValueError) as problem:
        log.warning("run %s: its deployment cannot be read: %s", run.run, type(problem).__name__)
        return 1


def settled(run: Run) -> SubmitStep:
    """What the run's record says of its submission, whoever wrote it."""
    if run.job:
        return SubmitStep(kind="submitted")
    if run.held:
        return SubmitStep(kind="held")
    if run.failed_stage or run.stage not in ("packed", "submitting", "searching"):
        return SubmitStep(kind="failed")
    return SubmitStep(kind="again" if run.stage == "packed" else "searching")


def invocation(run: Run, path: str) -> dict[str, Any]:
    route = Route.from_dict(run.route)
    counted = {piece[0] for verdict in work.index(run) if verdict.packed for piece in verdict.pieces}
    sizes = list(work.sizes_of(run, counted).values())
    # An execution that was too slow to count may leave parts in the folder as late as now.
    parts = work.blob(run, f"parts/{min(counted)}" if len(counted) == 1 else "parts")
    together = parts_together(sizes) if run.attempt == 1 else 1
    patience = SLOWEST_PART + timedelta(seconds=together * max(sizes) / SLOWEST_BYTES_PER_SECOND)
    if route.part_timeout:
        patience = together * parse_duration(route.part_timeout)
    return azureml.invocation(
        # A connection string with a SAS would put it into the address, for everybody in the workspace to see.
        parts.url.split("?")[0],
        azureml.output_uri(route.datastore, workspace_of(run), path),
        timeout=patience,
        mini_batch=together,
        shared_job=run.files > 1,
    )


def parts_together(sizes: list[int]) -> int:
    """How many parts a mini-batch has: some, where they are small and many. Each costs a start of its own."""
    return max(1, min(TOGETHER_AT_MOST, PART_AT_LEAST // max(sizes), len(sizes) // MINI_BATCHES_AT_LEAST))


def noted(launch: Launch, run: Run, answer: azureml.Answer) -> SubmitStep:
    """Writes down what came of the POST, and says what comes next."""
    ledger = clients.ledger()
    if answer.kind == "created":
        told = {"job_id": answer.job_id, "deployment": answer.deployment}
        # With its own path: an execution that was slow may be answered after the intent of another.
        standing = ledger.submitted(launch, seen=run, job=answer.job, path=run.path, **told)
        log.info("run %s: job %s", run.run, standing.job)
        if standing.job != answer.job:
            log.warning("run %s: canceling spare job %s", run.run, answer.job)
            cancel(answer.job, answer.job_id)
        return settled(standing)
    if answer.kind == "ambiguous":
        log.warning(
            "run %s: no usable answer to the submission (%s), searching for its job", run.run, answer.why
        )
        return settled(ledger.searching(launch))
    standing = ledger.not_submitted(launch, run, post=run.post)
    if standing.stage != "packed":
        return settled(standing)
    if answer.kind == "throttled":
        retried(run, "submission")
        return SubmitStep(kind="again", wait=answer.retry_after or THROTTLED_WAIT)
    if answer.kind == "barred":
        return turned_away(launch, run, f"{run.route['model']} cannot be used: {answer.why}")
    ledger.failed(launch, "submit", f"{run.route['model']} refused the job: {answer.why}")
    return SubmitStep(kind="failed")


@bp.activity_trigger(input_name="message")
@traced
def find_job(message: dict) -> dict[str, Any]:
    """Looks for a job on this attempt's output paths. Key: run and attempt.

    Found: the oldest is adopted, others are canceled. Not found within the search window: one more POST. No list
    could be read: the run fails as "submission-unknown", because a person must decide.
    """
    launch = Launch.from_dict(message)
    run = clients.ledger().fenced(launch)
    if run.stage not in ("submitting", "searching") or run.failed_stage:
        return settled(run).to_dict()
    found = jobs_of(run)
    if found:
        return adopted(launch, run, found).to_dict()
    waited = clients.now() - moment(run.intent_at)
    window = clients.settings().search_window
    if waited < window or (found is None and waited < 2 * window):
        return SubmitStep(kind="searching", wait=SEARCH_EVERY).to_dict()
    return not_found(launch, run, readable=found is not None).to_dict()


def jobs_of(run: Run) -> list[dict[str, Any]] | None:
    """The attempt's jobs that nobody has accounted for, oldest first; None where the list cannot be read."""
    chosen, workspace = clients.settings(), workspace_of(run)
    if not workspace:
        return None
    marker = output_marker(run.run, run.attempt)
    try:
        token = clients.token(chosen.arm_audience)
        found = azureml.jobs_with_output(clients.http(), chosen.arm_url, workspace, token, marker)
    except UNREACHABLE as problem:
        log.warning("run %s: the list of jobs cannot be read: %s", run.run, type(problem).__name__)
        return None
    unknown = [job for job in found if job["name"] not in run.earlier_jobs]
    return sorted(unknown, key=lambda job: str((job.get("systemData") or {}).get("createdAt", "")))


def workspace_of(run: Run) -> str:
    """The resource id of the model's workspace, or "" where nobody has set it."""
    return str(run.route.get("workspace") or clients.settings().workspace)


def adopted(launch: Launch, run: Run, found: list[dict[str, Any]]) -> SubmitStep:
    """Takes the oldest job for the run's own, with the path it was given; the others are spare."""
    oldest, *spares = found
    paths = [output_path(run.run, run.attempt, post) for post in range(1, run.post + 1)]
    path = next((one for one in paths if one in json.dumps(oldest)), run.path)
    run = clients.ledger().submitted(
        launch,
        seen=run,
        job=str(oldest["name"]),
        job_id=str(oldest["id"]),
        path=path,
        spares=[*run.spares, *(str(job["name"]) for job in spares)],
    )
    log.warning("run %s: adopted job %s, %d are spare", run.run, run.job, len(spares))
    cancel_spares(run)
    return SubmitStep(kind="submitted")


def cancel_spares(run: Run) -> bool:
    """Cancels every job of the run but its own; where a POST had no usable answer, the list is read once more.

    False: the list cannot be read at present, and a job may run on.
    """
    unsure = workspace_of(run) and (run.post > 1 or (run.nonce and not run.job))
    listed = jobs_of(run) if unsure else []
    found = {str(job["name"]): str(job["id"]) for job in listed or []}
    spares = {**dict.fromkeys(run.spares, run.job_id), **found}
    spares.pop(run.job, None)
    for job, job_id in spares.items():
        log.warning("run %s: canceling spare job %s", run.run, job)
        cancel(job, job_id)
    return listed is not None


def submission_unknown(run: Run) -> str:
    """What to say where nobody can tell whether there is a job."""
    return (
        "submission-unknown: the answer was lost and the workspace's jobs cannot be listed. Look in the studio "
        f"for a job with {output_marker(run.run, run.attempt)} in its output before the file is scored again"
    )


def not_found(launch: Launch, run: Run, *, readable: bool) -> SubmitStep:
    ledger = clients.ledger()
    if readable and run.post == 1:
        ledger.not_submitted(launch, run, post=2)
        retried(run, "submission")
        return SubmitStep(kind="again")
    why = "not accepted: two submissions, and no job came of either" if readable else submission_unknown(run)
    ledger.failed(launch, "submit", why)
    return SubmitStep(kind="failed")


@bp.activity_trigger(input_name="message")
@traced
def read_job(message: dict) -> dict[str, Any]:
    """One look at the job; writes down its end. Key: run. A look that fails counts as still running."""
    launch = Launch.from_dict(message)
    ledger = clients.ledger()
    run = ledger.fenced(launch)
    if run.stage != "submitted":
        return JobView(
            state="preempted" if run.stage == "packed" else run.job_outcome, status=run.stage
        ).to_dict()
    if clients.now() - moment(run.progress_at) > SIGN_OF_LIFE:
        ledger.progressing(launch)
    route = Route.from_dict(run.route)
    try:
        token = clients.token(clients.settings().scoring_audience)
        resource = azureml.get(clients.http(), f"{route.model}/{run.job}", token)
    except UNREACHABLE as problem:
        log.warning("run %s: job %s cannot be read: %s", run.run, run.job, type(problem).__name__)
        wait = azureml.retry_after_of(problem)
        return JobView(state="running", status="unreadable", cancel_wanted=run.cancel, wait=wait).to_dict()
    view = azureml.view(resource)
    if view.state in ("failed", "canceled") and azureml.preempted(resource) and run.post == 1:
        log.warning("run %s: job %s was pre-empted, submitting it once more", run.run, run.job)
        ledger.preempted(launch, run)
        retried(run, "preempted")
        return view.but(state="preempted").to_dict()
    if view.state in ("completed", "failed", "canceled"):
        end(launch, run, view, resource)
    return view.but(cancel_wanted=run.cancel).to_dict()


def end(launch: Launch, run: Run, view: JobView, resource: dict[str, Any]) -> None:
    """Writes down the end of the job. One we canceled ended for our reason, unless it was faster."""
    outcome, why = view.state, ""
    if view.state != "completed" and run.stopping:
        outcome, why = run.stopping, STOPPED[run.stopping]
    elif view.state == "canceled":
        why = f"job {run.job} was canceled in Azure ML"
    elif view.state == "failed":
        why = f"job {run.job} failed: {azureml.job_error(resource, column_names(run))}; its log says more"
    clients.ledger().ended(launch, run, outcome, why=why, studio=azureml.studio_url(resource))
    measure_job(run, outcome)
    log.info("run %s: job %s %s", run.run, run.job, outcome)


def measure_job(run: Run, outcome: str) -> None:
    now, route = clients.now(), run.route["name"]
    telemetry.JOB_DURATION.record(
        telemetry.seconds_since(run.intent_at, now), telemetry.of(route, outcome=outcome)
    )
    told = {"run": run.run, "route": route, "job": run.job, "outcome": outcome}
    telemetry.span_of_the_past("dropscore.job", run.intent_at, now, **told)


def retried(run: Run, kind: str) -> None:
    telemetry.RETRIES.add(1, telemetry.of(run.route["name"], kind=kind))


def column_names(run: Run) -> frozenset[str]:
    route = Route.from_dict(run.route)
    return frozenset({*route.send, *route.carry, *route.columns, *route.predictions})


@bp.activity_trigger(input_name="message")
@traced
def stop_job(message: dict) -> None:
    """Cancels the job for a reason of ours (a key of STOPPED). Key: run; canceling twice does no harm."""
    launch = Launch.from_dict(message["launch"])
    run = clients.ledger().stopping(launch, message["reason"])
    cancel(run.job, run.job_id)


def cancel(job: str, job_id: str) -> None:
    """Asks for it; where Azure ML refuses, the polls and their deadline go on."""
    chosen = clients.settings()
    workspace = azureml.workspace_of(job_id) or chosen.workspace
    try:
        azureml.cancel(clients.http(), chosen.arm_url, workspace, job, clients.token(chosen.arm_audience))
    except UNREACHABLE as problem:
        log.warning("job %s could not be canceled: %s", job, type(problem).__name__)


@bp.activity_trigger(input_name="message")
@traced
def give_up_job(message: dict) -> None:
    """Ends the wait for a job that does not confirm its cancellation. Key: run."""
    launch = Launch.from_dict(message)
    run = clients.ledger().fenced(launch)
    reason = run.stopping or "timed-out"
    why = f"{STOPPED[reason]}; it did not confirm being canceled and may still be running"
    clients.ledger().ended(launch, run, reason, why=f"job {run.job}: {why}", studio=run.studio)

"""Trials: a sample is packed as a file would be, submitted once, its predictions are read, and all of it is deleted."""

import logging
from contextlib import suppress
from typing import Any

import azure.durable_functions as df
import requests
from azure.core.exceptions import AzureError, ClientAuthenticationError

from activities.jobs import UNREACHABLE, cancel, column_names, datastore, invocation, jobs_of, workspace_of
from activities.parts import refuse_bad_rows
from activities.raw import raw_container, raw_predictions
from shared import azureml, clients, work
from shared.checkup import commands
from shared.errors import FileRejected, StageFailed
from shared.masking import masked
from shared.names import new_run
from shared.packing import PART_AT_LEAST, Parts, key_faults, opened, read_rows
from shared.raw_predictions import Tally, predicted
from shared.records import Verdict, Version, timestamp
from shared.routes import Route
from shared.telemetry import traced
from shared.trials import UNREAD_AT_MOST, Trial

log = logging.getLogger(__name__)
bp = df.Blueprint()

LOST = "the answer to its submission was lost; the job, if there is one, is canceled"


def prepared(route: Route, sample: bytes) -> Trial:
    """Checks a sample as a file of the route is checked, and puts its parts into `work`. Raises FileRejected."""
    now = clients.now()
    trial = Trial(id=new_run(now), route=route.name, frozen=route.frozen(), begun_at=timestamp(now))
    try:
        return trial.but(rows=packed(trial, route, sample))
    except Exception:
        with suppress(AzureError):
            work.forget(trial.id)
        raise


def packed(trial: Trial, route: Route, sample: bytes) -> int:
    """How many rows the model will be given."""
    run, size = trial.run, len(sample)
    version = Version(
        container="", blob="sample.csv", etag="", modified=trial.begun_at, size=size, route=route.name
    )
    found, rest = opened(iter([sample]), route)
    read_rows(found, rest, version, run, route, Parts(run, 0, PART_AT_LEAST))
    refuse_bad_rows(found, route)
    verdict = Verdict(version=version.key, blob=version.blob, rows=found.rows, pieces=found.pieces)
    faults = key_faults(run, route, [verdict]) if route.unique else {}
    if faults:
        raise FileRejected(faults[version.key])
    work.write_index(run, [verdict])
    return found.rows


@bp.activity_trigger(input_name="message")
@traced
def submit_trial(message: dict) -> dict[str, Any]:
    """Makes the job, once. Key: the trial; whoever finds that somebody was here before submits nothing."""
    trial = Trial.from_dict(message)
    try:
        return submitted(trial).to_dict()
    except StageFailed as problem:
        return trial.failed(str(problem)).to_dict()
    except ClientAuthenticationError as problem:
        return trial.failed(f"the app's identity gets no token: {masked(str(problem))[:300]}").to_dict()


def intent(trial: Trial) -> str:
    """Where it is written down that the job is about to be made."""
    return f"{trial.id}/intent"


def submitted(trial: Trial) -> Trial:
    run, route = trial.run, trial.of
    place = datastore(run, workspace_of(run))
    trial = trial.but(raw_account=place.account, raw_url=place.url)
    body, token = invocation(run, run.path), clients.token(clients.settings().scoring_audience)
    if not work.create(intent(trial), b""):
        return trial.failed(LOST)
    answer = azureml.invoke(route, body, token, run.path)
    if answer.kind == "created":
        log.info("trial %s of route %s: job %s", trial.id, trial.route, answer.job)
        return trial.but(job=answer.job, job_id=answer.job_id)
    return trial.failed(
        LOST if answer.kind == "ambiguous" else f"{route.model} refuses the job: {answer.why}"
    )


@bp.activity_trigger(input_name="message")
@traced
def look_at_trial(message: dict) -> dict[str, Any]:
    """One look at the job; once it has completed, at its predictions. A look that fails counts as still running."""
    trial = Trial.from_dict(message)
    if work.read_lines(f"{trial.id}/cancel") is not None:
        return trial.but(outcome="canceled").to_dict()
    if trial.late(clients.now()):
        return trial.failed("the job did not end in time and is canceled").to_dict()
    try:
        token = clients.token(clients.settings().scoring_audience)
        resource = azureml.get(clients.http(), f"{trial.of.model}/{trial.job}", token)
    except StageFailed as problem:
        trial = trial.but(status="unreadable", unread=trial.unread + 1)
        refused = trial.failed(f"its job may not be read: {problem}")
        return (refused if trial.unread > UNREAD_AT_MOST else trial).to_dict()
    except UNREACHABLE as problem:
        log.warning("trial %s: its job cannot be read: %s", trial.id, type(problem).__name__)
        return trial.but(status="unreadable").to_dict()
    return judged(trial.but(unread=0), resource).to_dict()


def judged(trial: Trial, resource: dict[str, Any]) -> Trial:
    """What the job's state says of the trial."""
    view = azureml.view(resource)
    trial = trial.but(status=view.status, over=view.over, studio=azureml.studio_url(resource))
    if view.state == "completed":
        return read_back(trial)
    if view.state == "failed":
        why = azureml.job_error(resource, column_names(trial.run))
        account, container = str(clients.storage().account_name), clients.settings().work
        grant = commands.let_cluster_read(account, container)
        told = f"Where its log says that it may not read its input, give the cluster's identity that right: {grant}"
        return trial.failed(f"its job failed: {why}; the job's log says more", told)
    return trial.failed("its job was canceled in Azure ML") if view.over else trial


def read_back(trial: Trial) -> Trial:
    """Whether every row of the sample has its predictions, matched as the route says."""
    run, route = trial.run, trial.of
    [part] = work.parts_of(work.index(run))
    try:
        raw = raw_predictions(run, route, {part.name: part.rows}, lambda etag: etag)
        cells = predicted(raw(part.name), route, part.name, part.rows, Tally())
        lacking = sum(one is None for some in cells for one in some)
    except StageFailed as problem:
        return trial.failed(f"its job completed, but: {problem}")
    except AzureError as problem:
        return trial.failed(
            f"its job completed, but the app cannot read what it wrote: {type(problem).__name__}"
        )
    if lacking:
        return trial.failed(f"its job completed, but {lacking} of {part.rows} rows have no prediction")
    return trial.but(outcome="succeeded")


@bp.activity_trigger(input_name="message")
@traced
def end_trial(message: dict) -> dict[str, Any]:
    """Cancels a job that is not over, and deletes everything of the trial, as far as the app may. Key: the trial."""
    trial = Trial.from_dict(message)
    if trial.job and not trial.over:
        cancel(trial.job, trial.job_id)
    elif not trial.job and work.read_lines(intent(trial)) is not None:
        for job in jobs_of(trial.run) or []:
            cancel(str(job["name"]), str(job["id"]))
    work.forget(trial.id)
    return trial.but(left=raw_left(trial)).to_dict()


def raw_left(trial: Trial) -> list[str]:
    """Deletes the raw predictions. The app may be allowed only to read them; then they stay, and are named."""
    if not trial.job:
        return []
    folder = trial.run.path.rpartition("/")[0] + "/"
    try:
        container = raw_container(trial.run)
        for name in list(container.list_blob_names(name_starts_with=folder)):
            container.delete_blob(name)
    except (*UNREACHABLE, requests.RequestException) as problem:
        log.warning("trial %s: %s is left on the datastore: %s", trial.id, folder, type(problem).__name__)
        return [f"{folder} on the datastore {trial.of.datastore}"]
    return []

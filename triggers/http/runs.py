"""Runs over HTTP: start some, cancel one, go on with one."""

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count, islice
from typing import Any

import azure.durable_functions as df
import azure.functions as func

from activities.inbox import look, versions_below
from activities.runs import dropped, open_asked, start
from shared import clients
from shared.ledger_stages import CANCELABLE
from shared.names import new_run, run_of_idempotency_key
from shared.records import Launch, Run, Version
from shared.route_values import value_problems
from shared.routes import Route
from shared.watching import WAKE
from triggers.http.answers import (
    Answer,
    BadRequest,
    api_url,
    found_run,
    json_object,
    ledger,
    listable,
    problem_json,
    response,
    usable_route,
)
from triggers.http.inputs import brought_in, taken

bp = df.Blueprint()
BLOBS_PER_REQUEST = 100
FORM = '{"route": "...", "blobs": ["..."]}'
KNOWN = ("route", "blobs", "prefix", "input", "as", "force", "overrides")
# What one run may do otherwise than its route says.
OVERRIDES = ("deployment", "deadline", "part_timeout")


@dataclass(frozen=True)
class Asked:
    """The body of `POST /api/runs`: files by their names, or all below a prefix, or one from elsewhere."""

    route: str
    blobs: list[str] = field(default_factory=list)
    prefix: str = ""
    input: str = ""
    name: str = ""
    force: bool = False
    overrides: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Planned:
    """One run of a request; `new` is False where the same request was made before."""

    launch: Launch
    blobs: list[str]
    new: bool


@bp.route(route="runs", methods=["POST"])
@bp.durable_client_input(client_name="client")
async def start_run(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """Scores files that lie in the inbox, now, whether or not they were scored before in vain.

    Body: `{"route": "...", "blobs": ["path in the inbox", ...], "force": false}`; instead of blobs a `prefix`, or an
    `input` address that is copied into the inbox. 202: the runs, each with its files and the address to look at. The
    same `Idempotency-Key` names the same runs.
    """
    try:
        asked = parsed(json_object(req, FORM, KNOWN))
        if asked.input:
            name, launches = await asyncio.to_thread(brought, asked)
            await start(client, launches)
            return taken(name, launches, api_url(req))
        runs = await asyncio.to_thread(planned, asked, req.headers.get("Idempotency-Key", ""))
    except BadRequest as problem:
        return problem_json(problem)
    await start(client, [one.launch for one in runs if one.new])
    return accepted(runs, api_url(req))


def accepted(runs: list[Planned], base: str) -> func.HttpResponse:
    """202: the runs, each with its files and the address to look at."""
    urls = [f"{base}/runs/{one.launch.run}" for one in runs]
    shown = [
        {"run": one.launch.run, "blobs": one.blobs, "url": url} for one, url in zip(runs, urls, strict=True)
    ]
    return response(Answer({"runs": shown}, 202, {"Location": urls[0], "Retry-After": "5"}))


def parsed(data: dict[str, Any]) -> Asked:
    """Raises BadRequest for everything that is not the documented body."""
    texts = [data.get(key, "") for key in ("route", "prefix", "input", "as")]
    force, overrides = data.get("force", False), data.get("overrides", {})
    if not all(isinstance(text, str) for text in texts) or not texts[0] or not isinstance(force, bool):
        raise BadRequest(400, "bad-body", "route, prefix, input and as are text, force is true or false.")
    if sum(key in data for key in ("blobs", "prefix", "input")) != 1:
        raise BadRequest(400, "bad-body", f"Send {FORM}; instead of blobs a prefix, or an input address.")
    if not isinstance(overrides, dict) or not all(isinstance(value, str) for value in overrides.values()):
        raise BadRequest(400, "bad-body", "overrides is an object of texts.")
    if not (texts[1] or texts[2] or "blobs" in data):
        raise BadRequest(400, "bad-body", "A prefix or an input address is not empty.")
    if texts[2] and (force or overrides):
        raise BadRequest(
            400, "bad-body", "An input is scored as any file of its route: no force, no overrides."
        )
    route, prefix, address, name = texts
    return Asked(
        route,
        named_blobs(data),
        listable(prefix, "bad-body"),
        address,
        name,
        force=force,
        overrides=overrides,
    )


def named_blobs(data: dict[str, Any]) -> list[str]:
    blobs = data.get("blobs", [])
    named = isinstance(blobs, list) and all(isinstance(blob, str) and blob for blob in blobs)
    if not named or ("blobs" in data and not blobs):
        raise BadRequest(400, "bad-body", "blobs is a list of names in the inbox.")
    if len(blobs) > BLOBS_PER_REQUEST:
        raise BadRequest(413, "too-many-blobs", f"Name at most {BLOBS_PER_REQUEST} blobs in one request.")
    return list(dict.fromkeys(blobs))


def brought(asked: Asked) -> tuple[str, list[Launch]]:
    """The name under which the input came into the inbox, and the runs that begin with it."""
    name = brought_in(asked.input, asked.name, usable_route(asked.route))
    return name, dropped(name)


def planned(asked: Asked, key: str) -> list[Planned]:
    """Writes the plan and the record of each run that was not asked for before; starting them is all that remains.

    Files of a route whose jobs can be shared make one run, others one each.
    """
    route = overridden(usable_route(asked.route), asked.overrides)
    versions = found_versions(asked, route)
    groups = grouped(versions, route)
    launches = [
        first_launch(asked_run(key, asked, route, group), route, force=asked.force) for group in groups
    ]
    let_in([launch for launch in launches if ledger().run(launch.run) is None])
    return [opened(launch, route, group) for launch, group in zip(launches, groups, strict=True)]


def overridden(route: Route, overrides: dict[str, str]) -> Route:
    """The route as one run freezes it. Raises BadRequest where a key may not be overridden, or not with that."""
    unknown = sorted(set(overrides) - set(OVERRIDES))
    if unknown:
        raise BadRequest(
            400,
            "bad-body",
            f"overrides: {', '.join(unknown)}: only {', '.join(OVERRIDES)} may be overridden.",
        )
    changed = route.but(**overrides)
    problems = list(value_problems(changed))
    if problems:
        raise BadRequest(400, "bad-body", f"overrides: {problems[0]}")
    return changed


def grouped(versions: list[Version], route: Route) -> list[list[Version]]:
    """The files of each run."""
    return [versions] if route.shares_jobs else [[version] for version in versions]


def asked_run(key: str, asked: Asked, route: Route, versions: list[Version]) -> str:
    """The run of an `Idempotency-Key` and its files; without a key a new one.

    More may lie below a prefix the next time: where it makes one run, the prefix counts, not what was found.
    """
    if not key:
        return new_run(clients.now())
    whole = asked.prefix and route.shares_jobs
    what = [{"prefix": asked.prefix}] if whole else [version.blob for version in versions]
    return run_of_idempotency_key(json.dumps([key, *what]))


def let_in(launches: list[Launch]) -> None:
    """Raises BadRequest where more runs that take no slot would be open than the app allows."""
    allowed = clients.settings().max_adhoc
    if len(launches) > allowed:
        detail = f"These files make {len(launches)} runs, {allowed} may be open (DROPSCORE_MAX_ADHOC)."
        raise BadRequest(413, "too-many-blobs", f"{detail} Ask for fewer at a time, or for a backfill.")
    under_way = ledger().admit(launches, allowed)
    if under_way is not None:
        detail = f"{under_way} runs that were asked for are open, {allowed} may be (DROPSCORE_MAX_ADHOC)."
        raise BadRequest(429, "too-many-runs", f"{detail} Try again when some have closed.")


def first_launch(run: str, route: Route, *, force: bool) -> Launch:
    return Launch(run=run, launch=1, route=route.name, force=force)


def opened(launch: Launch, route: Route, versions: list[Version]) -> Planned:
    """A run that brings its plan and takes no slot."""
    planned, begun = open_asked(launch, route, versions)
    return Planned(launch, [version.blob for version in planned], new=begun)


@bp.route(route="runs/{run}/cancel", methods=["POST"])
@bp.durable_client_input(client_name="client")
async def cancel_run(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """Stops a run: its job is canceled, its files end as `canceled`. 409 once the job has ended."""
    try:
        run = await asyncio.to_thread(to_be_canceled, req.route_params["run"])
    except BadRequest as problem:
        return problem_json(problem)
    await wake(client, Launch(run=run.run, launch=run.launch, route=""))
    told = {"run": run.run, "stage": run.stage, "cancel": True}
    return response(Answer(told, 202, {"Retry-After": "5"}))


def to_be_canceled(name: str) -> Run:
    run = ledger().cancel(name) if name.isalnum() else None
    if run is None:
        raise BadRequest(404, "no-such-run", f"There is no run {name}.")
    if run.stage not in CANCELABLE:
        raise BadRequest(
            409, "too-late", f"Run {name} cannot be canceled any more: it is {run.outcome or run.stage}."
        )
    return run


async def wake(client: df.DurableOrchestrationClient, launch: Launch) -> None:
    """Ends the launch's present wait, so that the record is read at once and not at the next look."""
    for number in count(1):
        status = (await client.get_status(launch.watch_id(number))).runtime_status
        if status is None:
            return
        if status.name == "Running":
            # It may have ended since; the flag stands in any case.
            with suppress(Exception):
                await client.raise_event(launch.watch_id(number), WAKE)


@bp.route(route="runs/{run}/rerun", methods=["POST"])
@bp.durable_client_input(client_name="client")
async def rerun_run(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """Goes on with the files of a closed run that failed or were canceled.

    Where its job completed, its raw predictions are unpacked again, and only what they leave incomplete is scored once
    more, in the same run; otherwise new runs score the files. 202: the runs that go on, as `POST /api/runs` shows them.
    """
    name = req.route_params["run"]
    try:
        runs = await asyncio.to_thread(to_be_rerun, name)
    except BadRequest as problem:
        return problem_json(problem)
    await start(client, [one.launch for one in runs])
    return accepted(runs, api_url(req))


def to_be_rerun(name: str) -> list[Planned]:
    """The runs that go on; their records are written. Raises BadRequest where there is nothing to go on with."""
    run = found_run(name)
    if run.stage != "closed":
        raise BadRequest(409, "still-open", f"Run {name} is at {run.stage}; cancel it, or wait for its end.")
    unscored = {word.version for word in ledger().results(run) if word.word in ("failed", "canceled")}
    versions = [version for version in ledger().claims(name) if version.key in unscored]
    if not versions:
        raise BadRequest(409, "nothing-to-do", f"Run {name} has nothing to go on with: {why_nothing(run)}")
    route = usable_route(run.route["name"])
    if run.job_outcome == "completed" and not run.forgetting:
        return [reopened(run, route, versions)]
    groups = grouped(versions, route)
    launches = [first_launch(new_run(clients.now()), route, force=run.force) for _ in groups]
    let_in(launches)
    return [opened(launch, route, group) for launch, group in zip(launches, groups, strict=True)]


def why_nothing(run: Run) -> str:
    if set(run.words) & {"failed", "canceled"}:
        return "other runs have taken the files that failed or were canceled."
    if run.words.get("rejected"):
        return "no file failed or was canceled. Rejected files are corrected and dropped again."
    return "no file failed or was canceled."


def reopened(run: Run, route: Route, versions: list[Version]) -> Planned:
    """The same run, which unpacks what its job has left once more."""
    let_in([Launch(run=run.run, launch=run.launch + 1, route=route.name)])
    launch = ledger().reopen(run.run, route)
    if launch is None:
        raise BadRequest(409, "still-open", f"Run {run.run} is being rerun already.")
    return Planned(launch, [version.blob for version in versions], new=True)


def found_versions(asked: Asked, route: Route) -> list[Version]:
    """The versions that stand in the inbox under the names that were asked for."""
    if asked.prefix:
        return found_below(asked.prefix, route)
    # Some services take a backslash for a slash: a file would have two names.
    looked = clients.in_parallel(lambda blob: None if "\\" in blob else look(blob, route), asked.blobs)
    versions = dict(zip(asked.blobs, looked, strict=True))
    missing = [blob for blob, version in versions.items() if version is None]
    if missing:
        raise BadRequest(404, "no-such-blob", f"Not in the inbox, or not whole yet: {', '.join(missing)}.")
    return [version for version in versions.values() if version]


def found_below(prefix: str, route: Route) -> list[Version]:
    """The versions of the route's files below a prefix."""
    found = list(islice(versions_below(prefix, route), BLOBS_PER_REQUEST + 1))
    if not found:
        raise BadRequest(
            404, "no-such-blob", f"The inbox has no file of the route {route.name} whose name begins so."
        )
    if len(found) > BLOBS_PER_REQUEST:
        raise BadRequest(
            413,
            "too-many-blobs",
            f"More than {BLOBS_PER_REQUEST} files begin so: ask for a backfill instead.",
        )
    return found

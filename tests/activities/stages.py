"""Runs brought to the stage that a test is about."""

import csv
import io
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import requests

from activities.parts import pack, pack_portion, parts_for
from activities.predictions import unpack
from local.azureml.workspace import ARM_AUDIENCE
from shared import clients, work
from shared.names import output_path, parts_folder
from shared.records import Launch, Run, Verdict, Version
from shared.routes import Route
from shared.work import Found, Portion
from tests.activities.conftest import App

DATASTORE = "azureml"


def packed(app: App, *versions: Version, route: Route | None = None, force: bool = False) -> Launch:
    """A run whose parts are all there."""
    launch = app.opened(*versions, route=route, force=force)
    whole(pack, launch)
    return launch


def portion_packed(run: Run, portion: Portion) -> Found:
    """What one more execution of pack makes of a portion; it writes down nothing."""
    return pack_portion(
        run, portion, parts_for(run, portion.number, sum(one.size for one in portion.versions))
    )


def whole(activity: Callable[[dict[str, Any]], Any], launch: Launch) -> Any:
    """The last answer of an activity that is called portion after portion."""
    answers = (activity({**launch.to_dict(), "chunk": chunk}) for chunk in count())
    return next(answer for answer in answers if not answer["more"])


def job_ended(app: App, launch: Launch, raw: str | None, outcome: str = "completed", why: str = "") -> None:
    """The job of a packed run has ended and left these raw predictions."""
    run = app.run(launch)
    path = output_path(run.run, run.attempt, run.post)
    run = app.ledger.submitting(launch, path=path, nonce="n")
    job_id = f"{app.emulator.workspace}/batchEndpoints/{launch.route}/deployments/only/jobs/j{run.attempt}"
    run = app.ledger.submitted(launch, seen=run, job=f"j{run.attempt}", job_id=job_id)
    app.ledger.ended(launch, run, outcome, why=why, studio="")
    if raw is not None:
        clients.storage().get_container_client(DATASTORE).upload_blob(path, raw)


def scored(app: App, version: Version, raw: str | None, route: Route | None = None) -> Launch:
    """A run of one file whose job has completed."""
    launch = packed(app, version, route=route)
    job_ended(app, launch, raw)
    return launch


def unpacked(app: App, launch: Launch) -> Verdict:
    """What unpack found out about the one file of a run."""
    whole(unpack, launch)
    [verdict] = work.verdicts(app.run(launch), "unpack")
    return verdict


def published(app: App, name: str, data: str, raw: str, route: Route | None = None) -> None:
    """A file whose predictions stand."""
    assert unpacked(app, scored(app, app.drop(name, data), raw, route)).word == "published"


def rows(app: App, launch: Launch, *of_files: tuple[str, float]) -> str:
    """Raw predictions that name their part: a line for each (file, prediction), each file lying in one part."""
    part = {verdict.blob: verdict.pieces[0][0] for verdict in work.index(app.run(launch))}
    return "".join(f"{value} {part[name]}\n" for name, value in of_files)


def contents(app: App, launch: Launch) -> dict[str, list[dict[str, str]]]:
    """The parts of the run's attempt as a model reads them: their rows, by the names of the columns."""
    folder = parts_folder(launch.run, app.run(launch).attempt)
    texts = {name: app.read("work", f"{folder}/{name}").decode() for name in work.parts(app.run(launch))}
    return {name: list(csv.DictReader(io.StringIO(text, newline=""))) for name, text in texts.items()}


def twice(app: App, launch: Launch, match: str) -> list[str]:
    """What a model that doubles `x` makes of the run's parts: the lines of a raw file of one form."""
    return list(doubled(contents(app, launch), match))


def doubled(parts: dict[str, list[dict[str, str]]], match: str) -> Iterator[str]:
    for part, rows in parts.items():
        for number, row in enumerate(rows):
            value = 2 * float(row["x"])
            yield {
                "order": f"{value}\n",
                "file": f"{value} {part}\n",
                "row": f"{number},{value},{part}\n",
                "key": f"{row.get('id')} {value}\n",
            }[match]


def jobs(app: App, run: str) -> list[str]:
    """The names of the workspace's jobs for one run."""
    url: str | None = f"{app.emulator.url}{app.emulator.workspace}/jobs?api-version=2023-10-01"
    found: list[str] = []
    while url:
        bearer = {"Authorization": f"Bearer {app.emulator.token(ARM_AUDIENCE)}"}
        page = requests.get(url, headers=bearer, timeout=10).json()
        found += [job["name"] for job in page["value"] if run in str(job)]
        url = page.get("nextLink")
    return found

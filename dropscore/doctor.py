"""`doctor`: whether a deployment can do what it is for, and with `--job` whether its cluster can, too."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from dropscore.api import Document, path_of
from dropscore.application import Command
from dropscore.bars import shown
from dropscore.errors import Bad, StillWaiting, Unusable
from dropscore.following import Looks, follow
from dropscore.parameters import Duration, RouteName
from dropscore.plain import counted, prose
from dropscore.screen import table
from dropscore.session import Session, session

ORDER = ("ok", "warning", "failed", "skipped")
COLUMNS = ("state", "check", "about", "what was found")


@click.command(cls=Command)
@click.option("--job", is_flag=True, help="Also score a sample with a real job, and publish nothing.")
@click.option("--route", metavar="NAME", type=RouteName(), help="With --job: the route to try.")
@click.option(
    "--sample",
    metavar="FILE",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="With --job: a CSV of a few rows as the route takes them; made ones will do.",
)
@click.option(
    "--timeout", type=Duration(), default="1h", show_default=True, help="With --job: the longest wait."
)
def doctor(job: bool, route: str | None, sample: Path | None, timeout: timedelta) -> int:
    """Check that the app can do what it is for.

    Tokens, rights, containers, events, endpoints, clocks: each is tried, and each that is not good says what to type.
    It ends with 1 where one has failed. docs/doctor.md explains each.

    --job proves that the route's cluster may read, score and write: the rows of --sample go to the model as those of a
    file would, in one job, which costs what a job costs. They never lie in the inbox, and all of them is deleted.
    """
    found = session()
    check_options(job=job, route=route, sample=sample)
    chosen = the_route(found, route) if job else ""
    checkup = found.api.checkup()
    document: dict[str, Any] = {**checkup, "url": found.api.place.url}
    if not found.as_json:
        tell(found, checkup)
    failed = checkup["status"] != "ok"
    if sample is not None:
        trial = tried(found, chosen, sample, timeout)
        document["trial"] = trial
        failed = failed or trial["status"] != "succeeded"
    if found.as_json:
        found.screen.document(document)
    return Bad.exit_code if failed else 0


def check_options(*, job: bool, route: str | None, sample: Path | None) -> None:
    """Raises Unusable where --job lacks its sample, or its options stand alone."""
    form = "`dropscore doctor --job --route NAME --sample FILE`"
    if job and sample is None:
        raise Unusable(
            "no-sample", "--job wants a sample: a CSV of a few rows as the route takes them.", form
        )
    if not job and (route or sample):
        raise Unusable("usage", "--route and --sample belong to --job.", form)


def tell(session: Session, checkup: Document) -> None:
    """Everything that was tried, and below it what to type."""
    rows = [(one["state"], one["check"], one["about"], prose(one["says"])) for one in checkup["checks"]]
    session.screen.say(table(COLUMNS, rows, session.screen.out.width))
    for one in checkup["checks"]:
        if one["advice"]:
            about = f" {one['about']}" if one["about"] else ""
            session.screen.say("", f"{one['check']}{about}: {prose(one['says'])}", f"  {one['advice']}")
    states = [one["state"] for one in checkup["checks"]]
    counts = ", ".join(f"{states.count(one)} {one}" for one in dict.fromkeys(sorted(states, key=ORDER.index)))
    session.screen.say("", f"{counted(len(states), 'check')} in {checkup['seconds']} s: {counts}.")


def the_route(session: Session, named: str | None) -> str:
    """The route to try. Raises Unusable where there are several and none is named."""
    if named:
        return named
    names = [str(one["name"]) for one in session.api.get("routes")["routes"]]
    if len(names) != 1:
        raise Unusable("which-route", "Say which route to try.", f"--route is one of {', '.join(names)}")
    return names[0]


class FollowedTrial:
    """A trial, until it has its word."""

    def __init__(self, route: str, trial: str) -> None:
        self.trial = trial
        self.name, self.word, self.stage, self.done, self.note = route, "", "submitting", 0.0, ""
        self.document = Document()

    def look(self, seen: Looks) -> None:
        found = self.document = seen.api.get(f"trials/{path_of(self.trial)}")
        self.stage = found["job_status"] or self.stage
        self.word = "" if found["status"] == "running" else found["status"]
        self.done = 1.0 if self.word else 0.0


def tried(session: Session, route: str, sample: Path, timeout: timedelta) -> Document:
    """What has come of a trial. One that nobody waits for any more is stopped, and cleaned up by the app."""
    headers = {"Content-Type": "text/csv"}
    begun = session.api.send("POST", f"routes/{path_of(route)}/trial", sample.read_bytes(), headers)
    followed = FollowedTrial(route, begun["trial"])
    try:
        with shown(session.screen, [followed]) as show:
            follow(session, [followed], timeout, show)
    except (StillWaiting, KeyboardInterrupt) as over:
        session.api.post(f"trials/{path_of(begun['trial'])}/cancel")
        if isinstance(over, StillWaiting):
            over.message, over.hint = f"The job of {route} did not end in time; it is being canceled.", ""
        raise
    tell_trial(session, followed.document)
    return followed.document


def tell_trial(session: Session, trial: Document) -> None:
    if session.as_json:
        return
    rows = counted(trial["rows"], "row")
    says = f"{rows} scored by {trial['job']}, read back, deleted" if not trial["why"] else prose(trial["why"])
    session.screen.say("", f"Trial of {trial['route']} {trial['status']}: {says}.")
    for line in [
        *(f"Left behind: {one}" for one in trial["left"]),
        *filter(None, [trial["advice"], trial["why"] and trial["studio"]]),
    ]:
        session.screen.say(f"  {line}")

"""The app itself: its versions, its routes, whose ledger it works on, and whether its sweep runs."""

import json
import platform
import re
import sys
from importlib import metadata
from pathlib import Path

from shared import clients, current_routes
from shared.checkup import commands
from shared.checkup.commands import Home
from shared.checkup.findings import Check, Finding
from shared.checkup.surroundings import Surroundings
from shared.errors import NotTheOwner, RouteError
from shared.ledger import Ledger
from shared.ledger_retention import STALE_AFTER
from shared.records import moment
from shared.routes import Routes

ROOT = Path(__file__).parent.parent.parent
PINNED = re.compile(r"^([\w.-]+)==([\w.]+)", re.MULTILINE)
PYTHONS = ((3, 11), (3, 13))


def versions(home: Home) -> dict[str, str]:
    """What runs here: the API's version, the orchestrations', Python, the host where it says so, and libraries."""
    host = json.loads((ROOT / "host.json").read_text("utf-8"))
    api = json.loads((ROOT / "web" / "openapi.json").read_text("utf-8"))["info"]["version"]
    libraries = {name: installed(name) for name in sorted({name for name, _ in pins()})}
    orchestrations = host["extensions"]["durableTask"]["defaultVersion"]
    own = {"dropscore": api, "orchestrations": orchestrations, "python": platform.python_version()}
    return {**own, "host": home.host or "unknown", **libraries}


def pins() -> list[tuple[str, str]]:
    """The libraries of the deployment package, each with a version; one that depends on Python's stands twice."""
    return PINNED.findall((ROOT / "requirements.txt").read_text("utf-8"))


def installed(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "none"


def check_versions(home: Home) -> list[Finding]:
    """Whether what is installed is what was tested."""
    check, pinned = Check("versions"), pins()
    others = [
        f"{name} {installed(name)}"
        for name in sorted({name for name, _ in pinned})
        if (name, installed(name)) not in pinned
    ]
    if not PYTHONS[0] <= sys.version_info[:2] <= PYTHONS[1]:
        others.insert(0, f"Python {platform.python_version()}")
    if others:
        again = f"Deploy anew: func azure functionapp publish {home.app} --build remote"
        return [check.warning(f"not what was tested: {', '.join(others)}", again)]
    told = versions(home)
    own = f"dropscore {told['dropscore']}, Python {told['python']}, host {told['host']}"
    return [check.ok(f"{own}, the libraries of requirements.txt")]


def check_routes() -> tuple[Routes, list[Finding]]:
    """The routes in force, none where there are none that can be used; and whether they are those of the text."""
    check = Check("routes")
    try:
        found = current_routes.current_routes()
    except RouteError as problem:
        return Routes(()), [check.failed(one_line(problem), commands.MEND_ROUTES)]
    if current_routes.loaded.problem:
        told = f"the last good ones are in force: {' '.join(current_routes.loaded.problem.split())}"
        return found, [check.failed(told, commands.MEND_ROUTES)]
    return found, [check.ok(", ".join(route.name for route in found.routes) or "there are none yet")]


def check_notices(routes: Routes, around: Surroundings) -> list[Finding]:
    """Whether what routes tell of is signed, and so sent at all. Nothing to find where no route tells anybody."""
    check, telling = Check("notices"), [route.name for route in routes.routes if route.notify]
    if not telling:
        return []
    named = ", ".join(telling)
    if around.settings.webhook_secrets:
        return [check.ok(f"those of {named} are signed")]
    says = f"notify is set in {named}, but there is no DROPSCORE_WEBHOOK_SECRET: their notices are not sent"
    return [check.warning(says, around.home.setting("DROPSCORE_WEBHOOK_SECRET=SECRET"))]


def check_owner(ledger: Ledger, around: Surroundings) -> list[Finding]:
    check, standing = Check("owner"), ledger.standing_owner()
    if standing is None:
        return [check.ok("nobody has worked on the ledger yet")]
    try:
        clients.refuse_others(standing)
    except NotTheOwner as problem:
        delete = commands.delete_blob(around.account, around.settings.ledger, "owner.json")
        other = "Set TASKHUB_NAME back, or give this app containers of its own"
        return [
            check.failed(one_line(problem), f"{other}; only where the other app is gone for good: {delete}")
        ]
    return [check.ok(f"the task hub {standing.hub} in {standing.storage}")]


def check_heartbeat(ledger: Ledger, around: Surroundings) -> list[Finding]:
    check, beat, restart = Check("heartbeat"), ledger.heartbeat(), around.home.restart()
    if beat is None:
        return [
            check.warning("no sweep has begun yet", f"Ask again in two minutes. If it stays so: {restart}")
        ]
    age = clients.now() - moment(beat.at)
    if age > STALE_AFTER:
        enabled = around.home.setting("AzureWebJobs.sweep_timer.Disabled=false")
        says = f"the last sweep began {age.total_seconds():.0f} s ago, at {beat.at}"
        return [check.failed(says, f"{restart}; if the timer was switched off: {enabled}")]
    return [check.ok(f"the last sweep began {max(age.total_seconds(), 0):.0f} s ago")]


def one_line(problem: Exception) -> str:
    return " ".join(str(problem).split())

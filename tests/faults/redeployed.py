"""An app that is released anew while its runs are under way, and what the local host knows of them."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from local.children import Child
from local.host.protocol import EventType
from local.host.state import reading
from local.stack import ROOT, Stack
from tests.e2e.drops import MODELS as E2E_MODELS
from tests.e2e.drops import SETTINGS, Drops
from tests.orchestrators.record import version as present_version

MODELS = Path(__file__).parent / "models"
PACKAGE = (
    *("function_app.py", "host.json", "routes.toml"),
    *("activities", "orchestrators", "shared", "triggers"),
)
ROUTES = """
[routes.gated]
pattern     = "gated/*.csv"
model       = "$AZUREML/endpoints/gated/jobs"
send        = ["x"]
carry       = ["id"]
predictions = ["twice"]
match       = "file"
max_jobs    = 8

[routes.alone]
pattern     = "alone/*.csv"
model       = "$AZUREML/endpoints/gated/jobs"
send        = ["x"]
carry       = ["id"]
predictions = ["twice", "part"]
match       = "order"
max_jobs    = 8

[routes.double]
pattern     = "double/*.csv"
model       = "$AZUREML/endpoints/double/jobs"
send        = ["x"]
carry       = ["id"]
predictions = ["twice"]
match       = "order"
max_jobs    = 8
"""
PATIENT = {
    **SETTINGS,
    "DROPSCORE_SEARCH_WINDOW": "2m",
    "DROPSCORE_POLL_AT_MOST": "5s",
    "DROPSCORE_MAX_ADHOC": "500",
}
LIVE = ("Pending", "Running")

OLD, NEW = present_version(), f"{int(present_version().split('.')[0]) + 1}.0"
NEW_STEPS = ("announce", "prove", "conclude", "watch_closely")
NEW_ACTIVITIES = '''"""Activities that came with a release: three new ones, and one under another name."""

import azure.durable_functions as df

from activities.runs import authenticate

bp = df.Blueprint()


@bp.activity_trigger(input_name="message")
def announce(message: dict) -> None:
    """The first step of a run."""


@bp.activity_trigger(input_name="message")
def conclude(message: dict) -> None:
    """The last step but one."""


@bp.activity_trigger(input_name="message")
def watch_closely(message: dict) -> None:
    """The first step of a wait."""


@bp.activity_trigger(input_name="message")
def prove(message: dict) -> bool:
    """What used to be called `authenticate`."""
    return bool(authenticate.build().get_user_function()(message))
'''
# (file, what stands there, what stands there in the release). GUARD says whether the instance takes the new path.
CHANGES = [
    (
        "function_app.py",
        "\nfrom activities import ",
        "\nfrom activities import release\nfrom activities import ",
    ),
    ("function_app.py", "*(inbox, ", "*(release, inbox, "),
    (
        "orchestrators/score_run.py",
        "\nbp = df.Blueprint()\n",
        "\nfrom activities.release import announce, conclude, prove\n\nbp = df.Blueprint()\n",
    ),
    (
        "orchestrators/score_run.py",
        "        yield from score(context, steps)\n",
        "        if GUARD:\n"
        '            yield steps("authenticate", announce)\n'
        "        yield from score(context, steps)\n",
    ),
    (
        "orchestrators/score_run.py",
        'steps("authenticate", authenticate)',
        'steps("authenticate", prove if GUARD else authenticate, release="new")',
    ),
    (
        "orchestrators/score_run.py",
        '        return (yield steps("close", close_run))\n',
        "        if GUARD:\n"
        '            yield steps("close", conclude)\n'
        '        return (yield steps("close", close_run))\n',
    ),
    (
        "orchestrators/await_job.py",
        "\nbp = df.Blueprint()\n",
        "\nfrom activities.release import watch_closely\n\nbp = df.Blueprint()\n",
    ),
    (
        "orchestrators/await_job.py",
        "    for _ in range(watching.POLLS_PER_GENERATION):\n",
        "    if GUARD:\n"
        "        yield context.call_activity_with_retry(watch_closely, TRANSIENT, watch.launch)\n"
        "    for _ in range(watching.POLLS_PER_GENERATION):\n",
    ),
]


@dataclass(frozen=True)
class Instance:
    """An orchestration as the host has it: `stage` is its custom status, `steps` the activities it has called.

    Of an instance that has started over, `steps` are those of its present `execution`.
    """

    id: str
    name: str
    version: str
    status: str
    execution: str
    stage: str
    output: str
    steps: tuple[str, ...]

    @property
    def live(self) -> bool:
        return self.status in LIVE


class RoomyStack(Stack):
    """Its cluster has a node for every job: those that wait for the gate hold up no other."""

    def start_child(self, name: str, command: list[str], environment: dict[str, str]) -> Child:
        more = ["--nodes", "200"] if name == "azureml" else []
        return super().start_child(name, [*command, *more], environment)


def deploy(app: Path) -> None:
    """Puts the app as it is into a folder, in place of what lies there."""
    shutil.rmtree(app, ignore_errors=True)
    app.mkdir()
    for name in PACKAGE:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, app / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, app / name)


def release(app: Path) -> None:
    """The app with another order of calls, as docs/protocol.md asks: a new version, the old order behind it."""
    deploy(app)
    change(app, f'context.version != "{OLD}"')
    host = json.loads((app / "host.json").read_text())
    host["extensions"]["durableTask"]["defaultVersion"] = NEW
    (app / "host.json").write_text(json.dumps(host))


def release_carelessly(app: Path) -> None:
    """The same change under the old version, whatever an instance has begun with."""
    deploy(app)
    change(app, "True")


def change(app: Path, guard: str) -> None:
    (app / "activities/release.py").write_text(NEW_ACTIVITIES)
    for name, old, new in CHANGES:
        text = (app / name).read_text("utf-8")
        assert text.count(old) == 1, f"the release changes {old!r}, which {name} has {text.count(old)} times"
        (app / name).write_text(text.replace(old, new.replace("GUARD", guard)), "utf-8")


@contextmanager
def gated_stack(folder: Path) -> Iterator[Drops]:
    """A stack on an app in `folder`/app, with a model that waits for `open_gate`."""
    deploy(folder / "app")
    shutil.copytree(MODELS, folder / "models")
    models = [E2E_MODELS, folder / "models"]
    with RoomyStack(folder / "state", models, ROUTES, PATIENT, app=folder / "app") as stack:
        yield Drops(stack)


def open_gate(folder: Path) -> None:
    (folder / "models/gated/open").touch()


def instances(stack: Stack) -> dict[str, Instance]:
    """Every orchestration the host has on record, whether or not it is running."""
    with reading(stack.state / "host") as database:
        rows = database.execute(
            "select id, name, version, status, execution, custom_status, output from instances"
        ).fetchall()
        events = database.execute(
            "select instance, event from history order by instance, position"
        ).fetchall()
    steps: dict[str, list[str]] = {}
    for instance, text in events:
        event = json.loads(text)
        if event["EventType"] == EventType.TASK_SCHEDULED:
            steps.setdefault(instance, []).append(event["Name"])
    return {
        row[0]: Instance(
            id=row[0],
            name=row[1],
            version=row[2],
            status=row[3],
            execution=row[4],
            stage=json.loads(row[5] or "{}").get("stage", ""),
            output=row[6] or "",
            steps=tuple(steps.get(row[0], ())),
        )
        for row in rows
    }


def live(stack: Stack) -> dict[str, Instance]:
    """The orchestrations that have not ended."""
    return {one.id: one for one in instances(stack).values() if one.live}


def stages(stack: Stack) -> list[str]:
    """Where the runs under way are; "" for those that have not begun."""
    statement = f"select custom_status from instances where name='score_run' and status in {LIVE}"
    with reading(stack.state / "host") as database:
        return [json.loads(text or "{}").get("stage", "") for (text,) in database.execute(statement)]


def raise_event(stack: Stack, instance: str, event: str) -> None:
    url = f"{stack.host_url}/runtime/webhooks/durabletask/instances/{instance}/raiseEvent/{event}"
    answer = requests.post(url, data="null", headers={"Content-Type": "application/json"}, timeout=10)
    answer.raise_for_status()

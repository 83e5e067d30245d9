"""Metrics that are looked up in the ledger when somebody collects them, and only then.

They are the same whichever process shows them, and are shown even where the sweep no longer runs.
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterable

from azure.core.exceptions import AzureError
from opentelemetry.metrics import CallbackOptions, Observation

from shared import clients
from shared.current_routes import current_routes
from shared.errors import DropscoreError
from shared.records import moment
from shared.telemetry import METER, of

log = logging.getLogger(__name__)
UNDER_WAY = ("submitting", "searching", "submitted")
Look = Callable[[], Iterable[Observation]]


def register() -> None:
    """Offers the gauges to whoever collects metrics; once in a process."""
    for name, unit, description, look in (
        ("dropscore.jobs.active", "{job}", "Jobs that are under way, or may be", jobs_active),
        ("dropscore.runs.open", "{run}", "Runs that are not closed", runs_open),
        ("dropscore.files.waiting", "{file}", "Files that wait for a run", files_waiting),
        ("dropscore.heartbeat.age", "s", "Since the last sweep began", heartbeat_age),
    ):
        METER.create_observable_gauge(name, [quietly(look)], unit, description)


def quietly(look: Look) -> Callable[[CallbackOptions], Iterable[Observation]]:
    """Nothing is shown while the ledger cannot be read."""

    def looked(_: CallbackOptions) -> Iterable[Observation]:
        try:
            return list(look())
        except (AzureError, DropscoreError) as problem:
            log.warning("a metric cannot be looked up: %s", type(problem).__name__)
            return []

    return looked


def jobs_active() -> Iterable[Observation]:
    ledger = clients.ledger()
    runs = [ledger.run(launch.run) for launch, _ in ledger.announced()]
    return per_route(run.route["name"] for run in runs if run and run.stage in UNDER_WAY)


def runs_open() -> Iterable[Observation]:
    return per_route(launch.route for launch, _ in clients.ledger().announced())


def files_waiting() -> Iterable[Observation]:
    return per_route(route for route, _ in clients.ledger().marked_versions())


def per_route(found: Iterable[str]) -> Iterable[Observation]:
    """How often each route was found; none at all, too, is worth knowing."""
    counts = Counter({route.name: 0 for route in current_routes().routes})
    counts.update(found)
    return [Observation(number, of(route)) for route, number in counts.items()]


def heartbeat_age() -> Iterable[Observation]:
    beat = clients.ledger().heartbeat()
    return [Observation((clients.now() - moment(beat.at)).total_seconds())] if beat else []

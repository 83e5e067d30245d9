"""Metrics and traces, by the OpenTelemetry API alone: where the process has no SDK, nothing comes of them.

Spans name runs and versions by their ids, metrics only routes and words of ours: no blob's name, no cell, no secret.
`docs/telemetry.md` lists all of them. What is counted is counted at least once, as activities are.
"""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any, TypeVar, cast

from opentelemetry import context, metrics, trace
from opentelemetry.context import Context
from opentelemetry.trace import NonRecordingSpan, SpanContext, StatusCode, TraceFlags

from shared.records import moment

TRACER = trace.get_tracer("dropscore")
METER = metrics.get_meter("dropscore")
SECONDS = (0.05, 0.25, 1, 5, 15, 30, 60, 120, 300, 600, 1800, 3600, 10_800, 43_200)

FILE_WAIT = METER.create_histogram(
    "dropscore.file.wait",
    "s",
    "From the drop of a file to its run",
    explicit_bucket_boundaries_advisory=SECONDS,
)
FILE_DURATION = METER.create_histogram(
    "dropscore.file.duration",
    "s",
    "From the drop of a file to its predictions",
    explicit_bucket_boundaries_advisory=SECONDS,
)
JOB_DURATION = METER.create_histogram(
    "dropscore.job.duration",
    "s",
    "From the submission of a job to its end",
    explicit_bucket_boundaries_advisory=SECONDS,
)
PUBLISH_DURATION = METER.create_histogram(
    "dropscore.publish.duration",
    "s",
    "Making a file's predictions visible",
    explicit_bucket_boundaries_advisory=SECONDS,
)
RUN_DURATION = METER.create_histogram(
    "dropscore.run.duration",
    "s",
    "From the beginning of a run to its close",
    explicit_bucket_boundaries_advisory=SECONDS,
)
FILES = METER.create_counter("dropscore.files", "{file}", "Files that got their word")
ROWS = METER.create_counter("dropscore.rows", "{row}", "Rows whose predictions were published")
BYTES = METER.create_counter("dropscore.bytes", "By", "Bytes of the files that were read to their end")
RETRIES = METER.create_counter("dropscore.retries", "{retry}", "What was tried again")
NOTICES = METER.create_counter("dropscore.notices", "{notice}", "Notices that came to an end")

Activity = TypeVar("Activity", bound=Callable[..., Any])


@contextmanager
def unseen_by_others() -> Iterator[None]:
    """HTTP calls in it get no spans from libraries that instrument HTTP clients: those would hold whole addresses."""
    # The one name of the API for that; what instruments HTTP looks for it.
    token = context.attach(context.set_value(context._SUPPRESS_HTTP_INSTRUMENTATION_KEY, True))
    try:
        yield
    finally:
        context.detach(token)


def traced(activity: Activity) -> Activity:
    """A span around each execution of an activity, with what its input says of the run."""
    name = f"dropscore.{activity.__name__}"

    @wraps(activity)
    def called(*given: Any, **named: Any) -> Any:
        with span(name, **of_input(*given, **named)):
            return activity(*given, **named)

    @wraps(activity)
    async def awaited(*given: Any, **named: Any) -> Any:
        with span(name, **of_input(*given, **named)):
            return await activity(*given, **named)

    return cast(Activity, awaited if iscoroutinefunction(activity) else called)


def of_input(*given: Any, **named: Any) -> dict[str, Any]:
    """The attributes that an activity's input holds: a launch, alone or within an order, or the id of a sweep."""
    first = next(iter((*given, *named.values())), None)
    if isinstance(first, str):
        return {"sweep": first}
    order: dict[str, Any] = first if isinstance(first, dict) else {}
    launch = order["launch"] if isinstance(order.get("launch"), dict) else order
    known = {key: launch.get(key) for key in ("run", "route", "launch")} | {"portion": order.get("chunk")}
    return {key: value for key, value in known.items() if value is not None}


@contextmanager
def span(name: str, **attributes: Any) -> Iterator[None]:
    """A span as long as the block. Of an exception only the type is kept: its text may quote a cell."""
    with TRACER.start_as_current_span(
        name,
        whole_run(str(attributes.get("run", ""))),
        attributes=ours(attributes),
        record_exception=False,
        set_status_on_exception=False,
    ) as current:
        try:
            yield
        except Exception as problem:
            current.set_attribute("error.type", type(problem).__name__)
            current.set_status(StatusCode.ERROR)
            raise


def span_of_the_past(name: str, begun: str, ended: datetime, **attributes: Any) -> None:
    """A span for what no single execution lasts as long as: a job, a run."""
    if not begun:
        return
    whole = whole_run(str(attributes.get("run", "")))
    past = TRACER.start_span(name, whole, attributes=ours(attributes), start_time=nanoseconds(moment(begun)))
    past.end(nanoseconds(ended))


def whole_run(run: str) -> Context | None:
    """One trace for all activities of a run, whichever process they run in; None: go on in the present trace."""
    if not run or trace.get_current_span().get_span_context().is_valid:
        return None
    digest = hashlib.sha256(run.encode()).digest()
    trace_id, span_id = int.from_bytes(digest[:16], "big"), int.from_bytes(digest[16:24], "big")
    root = SpanContext(trace_id, span_id, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))
    return trace.set_span_in_context(NonRecordingSpan(root))


def ours(attributes: dict[str, Any]) -> dict[str, Any]:
    return {f"dropscore.{key}": value for key, value in attributes.items()}


def of(route: str, **words: str) -> dict[str, str]:
    """The attributes of a measurement: its route, and words of ours of which there are few."""
    return ours({"route": route, **words})


def nanoseconds(at: datetime) -> int:
    return round(at.timestamp() * 1e9)


def seconds_since(begun: str, now: datetime) -> float:
    """0 where the beginning is not known, or another clock's."""
    return max((now - moment(begun)).total_seconds(), 0.0) if begun else 0.0

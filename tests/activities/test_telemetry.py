"""Metrics and traces, as the SDK collects them from activities: what the docs list, and nothing that may not leave."""

import re
from time import sleep

import pytest
from opentelemetry import context, metrics, trace
from opentelemetry.sdk.metrics import Counter, Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import AggregationTemporality, InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import activities
from activities.inbox import dispose_inputs
from activities.jobs import find_job, read_job, submit_job
from activities.parts import pack
from activities.predictions import unpack
from activities.runs import close_run, gather, write_results
from activities.sweeps import begin_sweep
from local.stack import ROOT
from shared import clients, gauges
from shared.records import Launch
from shared.telemetry import unseen_by_others
from tests.activities.conftest import App
from tests.activities.durable_client import Client, called
from tests.activities.stages import whole
from tests.simulation.world import functions

DOCS = (ROOT / "docs/telemetry.md").read_text("utf-8")
SOURCES = [
    path.read_text("utf-8")
    for name in ("activities", "shared")
    for path in sorted((ROOT / name).glob("*.py"))
]


class Collected:
    """What an SDK collects in this process."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        temporality: dict[type, AggregationTemporality] = dict.fromkeys(
            (Counter, Histogram), AggregationTemporality.DELTA
        )
        self.reader = InMemoryMetricReader(preferred_temporality=temporality)
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        trace.set_tracer_provider(provider)
        metrics.set_meter_provider(MeterProvider([self.reader]))
        gauges.register()

    def spans(self) -> dict[str, ReadableSpan]:
        """The last span of each name."""
        return {span.name: span for span in self.exporter.get_finished_spans()}

    def points(self) -> dict[str, dict[tuple[str, ...], float]]:
        """The metrics since the last look: for each the values of its attributes, and a number, or a sum."""
        data = self.reader.get_metrics_data()
        found: dict[str, dict[tuple[str, ...], float]] = {}
        for metric in [
            one
            for resource in (data.resource_metrics if data else [])
            for scope in resource.scope_metrics
            for one in scope.metrics
        ]:
            for point in metric.data.data_points:
                key = tuple(str(value) for _, value in sorted((point.attributes or {}).items()))
                number = point.value if hasattr(point, "value") else point.sum
                found.setdefault(metric.name, {})[key] = number
        return found


@pytest.fixture(scope="session")
def sdk() -> Collected:
    """An SDK can be set up only once in a process."""
    return Collected()


@pytest.fixture
def collected(app: App, sdk: Collected) -> Collected:
    """Nothing but what the test itself does."""
    sdk.points()
    sdk.exporter.clear()
    return sdk


def scored(app: App, *names: str) -> Launch:
    """A run of these files from one end to the other."""
    launch = app.begun(app.named(), *names)
    gather(launch.to_dict())
    whole(pack, launch)
    assert submit_job(launch.to_dict())["kind"] == "submitted"
    while read_job(launch.to_dict())["state"] == "running":
        sleep(0.01)
    whole(unpack, launch)
    write_results(launch.to_dict())
    dispose_inputs(launch.to_dict())
    called(close_run, launch.to_dict(), Client())
    return launch


def test_a_run_is_one_trace_of_spans_and_counts_its_files_rows_and_bytes(
    app: App, collected: Collected
) -> None:
    launch = scored(app, "named/secret-name.csv")
    spans, points = collected.spans(), collected.points()
    assert {
        *(
            "dropscore.gather",
            "dropscore.pack",
            "dropscore.read_file",
            "dropscore.submit_job",
            "dropscore.read_job",
        ),
        *("dropscore.job", "dropscore.unpack", "dropscore.publish_file", "dropscore.write_results"),
        *("dropscore.dispose_inputs", "dropscore.close_run", "dropscore.run"),
    } <= set(spans)
    assert len({span.context.trace_id for span in spans.values() if span.context}) == 1
    assert dict(spans["dropscore.pack"].attributes or {}) == {
        "dropscore.run": launch.run,
        "dropscore.route": "named",
        "dropscore.launch": 1,
        "dropscore.portion": 0,
    }
    [version] = app.ledger.sealed(launch.run)
    assert (spans["dropscore.publish_file"].attributes or {})["dropscore.version"] == version.key
    assert points["dropscore.files"] == {("named", "published"): 1}
    assert points["dropscore.rows"] == {("named",): 1}
    assert points["dropscore.bytes"] == {("named",): version.size}
    assert set(points["dropscore.job.duration"]) == {("completed", "named")}
    assert set(points["dropscore.run.duration"]) == {("succeeded", "named")}
    for name in ("dropscore.file.wait", "dropscore.file.duration", "dropscore.publish.duration"):
        assert set(points[name]) == {("named",)}
    told = "".join(span.to_json() for span in collected.exporter.get_finished_spans()) + str(points)
    assert "secret-name" not in told


def test_gauges_say_what_waits_and_what_is_under_way(app: App, collected: Collected) -> None:
    launch = app.begun(app.named(max_files=1), "named/a.csv", "named/b.csv")
    gather(launch.to_dict())
    whole(pack, launch)
    submit_job(launch.to_dict())
    begin_sweep("sweep-1")
    app.sleep(seconds=90)
    points = collected.points()
    assert points["dropscore.jobs.active"] == {("named",): 1}
    assert points["dropscore.runs.open"] == {("named",): 1}
    assert points["dropscore.files.waiting"] == {("named",): 1}
    assert 90 <= points["dropscore.heartbeat.age"][()] < 120


def test_where_the_ledger_cannot_be_read_gauges_show_nothing(app: App, collected: Collected) -> None:
    app.set_routes(app.route())
    app.container("ledger").delete_container()
    assert not {"dropscore.jobs.active", "dropscore.heartbeat.age"} & set(collected.points())


def test_of_an_exception_only_the_type_is_kept(
    app: App, collected: Collected, monkeypatch: pytest.MonkeyPatch
) -> None:
    def quoting() -> None:
        raise ValueError("could not convert string to float: 'a patient'")

    launch = app.begun(app.route(), "double/a.csv")
    monkeypatch.setattr(clients, "ledger", quoting)
    with pytest.raises(ValueError, match="a patient"):
        gather(launch.to_dict())
    span = collected.spans()["dropscore.gather"]
    assert (span.attributes or {})["error.type"] == "ValueError"
    assert not span.status.is_ok
    assert "a patient" not in span.to_json()


def test_what_is_tried_again_is_counted(app: App, collected: Collected) -> None:
    launch = app.begun(app.route(model="http://127.0.0.1:9/jobs"), "double/a.csv")
    gather(launch.to_dict())
    whole(pack, launch)
    app.ledger.submitting(launch, path="p", nonce="n")
    app.ledger.searching(launch)
    assert find_job(launch.to_dict())["kind"] == "again"
    assert collected.points()["dropscore.retries"] == {("submission", "double"): 1}


@pytest.mark.parametrize("name", sorted(functions(activities)))
def test_the_span_of_every_activity_is_documented(name: str) -> None:
    assert f"`dropscore.{name}`" in DOCS


def test_every_metric_and_every_other_span_is_documented_and_no_other() -> None:
    made = set(re.findall(r'"(dropscore\.[a-z._]+)"', "".join(SOURCES)))
    told = set(re.findall(r"^\| `(dropscore\.[a-z._]+)` \|", DOCS, re.M))
    spans = set(re.findall(r"`(dropscore\.[a-z_]+)`", DOCS.split("## Metrics")[0]))
    assert made <= told | spans
    assert told - made == set()


def test_what_instruments_http_clients_does_not_see_receivers() -> None:
    with unseen_by_others():
        assert suppressed()
    assert not suppressed()


def suppressed() -> bool:
    return bool(context.get_value(context._SUPPRESS_HTTP_INSTRUMENTATION_KEY))

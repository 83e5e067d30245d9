"""What Application Insights would get: the exporter, set up as by the Python worker, sends to a server of ours."""

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from local.stack import ROOT
from tests.infra.test_settings import app_settings

pytestmark = pytest.mark.full

# The worker's own two steps (azure-functions-python-worker, initialize_azure_monitor): the distribution, then the app.
PROCESS = """
import os
from azure.monitor.opentelemetry import configure_azure_monitor
configure_azure_monitor(connection_string=os.environ["APPLICATIONINSIGHTS_CONNECTION_STRING"], logger_name="")
import function_app, requests
from opentelemetry import metrics, trace
from shared import telemetry
telemetry.FILE_WAIT.record(3.0, telemetry.of("demo"))
telemetry.FILE_WAIT.record(5.0, telemetry.of("demo"))
telemetry.FILES.add(2, telemetry.of("demo", word="rejected"))
with telemetry.span("dropscore.gather", run="R", route="demo", launch=1):
    requests.get(os.environ["BLOB"], timeout=5)
metrics.get_meter_provider().force_flush()
trace.get_tracer_provider().force_flush()
os._exit(0)
"""
SETTINGS = ("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY")


class Ingestion(ThreadingHTTPServer):
    """Takes what is sent, and answers as Application Insights does."""

    def __init__(self) -> None:
        self.envelopes: list[dict[str, Any]] = []
        super().__init__(("127.0.0.1", 0), Handler)


class Handler(BaseHTTPRequestHandler):
    server: Ingestion

    def do_GET(self) -> None:
        self.answer({})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        text = gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body
        sent = json.loads(text) if "/track" in self.path else []
        self.server.envelopes += sent
        self.answer({"itemsReceived": len(sent), "itemsAccepted": len(sent), "errors": []})

    def answer(self, body: dict[str, Any]) -> None:
        text = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: Any) -> None:
        """Nothing is written."""


@pytest.fixture(scope="module")
def envelopes() -> Iterator[list[dict[str, Any]]]:
    with Ingestion() as server:
        Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        key = "InstrumentationKey=00000000-0000-0000-0000-000000000000"
        known = {
            "PATH": os.environ["PATH"],
            "APPLICATIONINSIGHTS_CONNECTION_STRING": f"{key};IngestionEndpoint={url};LiveEndpoint={url}",
            "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL": "true",
            "BLOB": f"{url}/inbox/private-name.csv",
            **{name: app_settings()[name] for name in SETTINGS},
        }
        done = subprocess.run(
            [sys.executable, "-c", PROCESS],
            cwd=ROOT,
            env=known,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        server.shutdown()
        yield server.envelopes


def metrics_of(envelopes: list[dict[str, Any]], name: str) -> tuple[dict[str, Any], dict[str, str]]:
    found = [one["data"]["baseData"] for one in envelopes if "Metric" in one["name"]]
    [(value, properties)] = [
        (metric, data["properties"]) for data in found for metric in data["metrics"] if metric["name"] == name
    ]
    return value, properties


def test_a_histogram_comes_as_sum_count_least_and_most(envelopes: list[dict[str, Any]]) -> None:
    value, properties = metrics_of(envelopes, "dropscore.file.wait")
    assert (value["value"], value["count"], value["min"], value["max"]) == (8.0, 2, 3.0, 5.0)
    assert properties["dropscore.route"] == "demo"


def test_a_counter_comes_with_its_word(envelopes: list[dict[str, Any]]) -> None:
    value, properties = metrics_of(envelopes, "dropscore.files")
    assert value["value"] == 2
    assert properties["dropscore.word"] == "rejected"


def test_a_span_comes_under_its_name_and_no_address_with_it(envelopes: list[dict[str, Any]]) -> None:
    spans = [one["data"]["baseData"] for one in envelopes if "RemoteDependency" in one["name"]]
    assert [span["name"] for span in spans] == ["dropscore.gather"]
    assert spans[0]["properties"]["dropscore.run"] == "R"
    assert "private-name" not in json.dumps(envelopes)

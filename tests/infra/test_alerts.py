"""Alerts and the workbook ask for what the app tells, and each alert is explained."""

import json
import re
from typing import get_args

from local.stack import ROOT
from shared import records
from tests.infra.bicep import INFRA, declared

SOURCES = "".join(
    path.read_text("utf-8") for path in [*ROOT.glob("shared/*.py"), *ROOT.glob("activities/*.py")]
)
METRICS = set(re.findall(r'METER\.create_\w+\(\s*"([a-z.]+)"', SOURCES)) | set(
    re.findall(r'\("(dropscore\.[a-z.]+)", "[^"]+", "[^"]+", \w+\)', SOURCES)
)
ATTRIBUTES = set(re.findall(r"\b(?:of|ours)\([^\n]*?(\w+)=", SOURCES)) | {"route"}
# Of the tables of Log Analytics, the columns that queries use.
COLUMNS = {
    "AppMetrics": {"Name", "Sum", "ItemCount", "Max", "Min", "Properties", "TimeGenerated"},
    "AppDependencies": {"Name", "ItemCount", "DurationMs", "TimeGenerated"},
    "AzureMetrics": {"ResourceProvider", "MetricName", "Total", "TimeGenerated"},
}


def rules() -> list[dict[str, str]]:
    found: list[dict[str, str]] = declared(INFRA / "alerts.bicep", "variable")["rules"].value
    return found


def charts() -> dict[str, str]:
    items = json.loads((INFRA / "workbook.json").read_text("utf-8"))["items"]
    return {item["name"]: item["content"]["query"] for item in items if "query" in item["content"]}


QUERIES = {**{rule["name"]: rule["query"] for rule in rules()}, **charts()}


def test_the_metrics_of_the_app_are_found() -> None:
    assert len(METRICS) == 14
    told = (ROOT / "docs/telemetry.md").read_text("utf-8")
    documented = set(re.findall(r"^\| `(dropscore\.[a-z.]+)` \|", told, re.M))
    assert documented >= METRICS


def test_a_query_names_only_metrics_that_the_app_tells() -> None:
    for name, query in QUERIES.items():
        told = re.findall(r"'(dropscore\.[a-z.]+)'", re.sub(r"Properties\['[^']+'\]", "", query))
        assert set(told) - {"dropscore."} <= METRICS, name
    assert "'dropscore.'" in QUERIES["slowest"], "spans of any name"


def test_a_query_names_only_attributes_that_the_app_gives() -> None:
    for name, query in QUERIES.items():
        asked = re.findall(r"Properties\['dropscore\.(\w+)'\]", query)
        assert set(asked) <= ATTRIBUTES, name


def test_a_query_compares_only_with_words_of_the_app() -> None:
    words = {*get_args(records.Word), *get_args(records.Outcome)}
    for name, query in QUERIES.items():
        for compared in re.findall(r"(?:word|outcome)'\]\) == '([\w-]+)'", query):
            assert compared in words, name


def test_a_query_uses_columns_that_its_table_has() -> None:
    for name, query in QUERIES.items():
        table, *rest = query.strip().splitlines()
        known = COLUMNS[table] | set(re.findall(r"\b(\w+) =(?!=)", query))
        bare = re.sub(r"'[^']*'|\{[^}]*\}", "", "\n".join(rest))
        assert set(re.findall(r"\b[A-Z]\w+", bare)) <= known, name


def test_every_alert_is_explained() -> None:
    explained = (ROOT / "docs/operations.md").read_text("utf-8")
    for rule in rules():
        [entry] = re.findall(rf"^### `{rule['name']}`\n(.*?)(?=^##|\Z)", explained, re.M | re.S)
        assert all(f"**{part}**" in entry for part in ("Means.", "Look at.", "Do.")), rule["name"]
    assert len(re.findall(r"^### `", explained, re.M)) == len(rules())


def test_what_ought_to_wake_somebody_does() -> None:
    assert {rule["name"] for rule in rules()} == {
        *("runs-failed", "files-waiting", "heartbeat-stale", "jobs-overdue", "dead-letters"),
        *("slow-starts", "many-rejected"),
    }

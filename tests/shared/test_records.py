"""The values of the ledger: flat JSON, readable by older and newer code, times as sortable text."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest

from shared.records import (
    Heartbeat,
    Hold,
    JobView,
    Launch,
    Owner,
    Record,
    Run,
    Version,
    moment,
    timestamp,
)

VERSION = Version(container="inbox", blob="日 %.csv", etag="0x1", modified="m", size=7, route="r")
RECORDS = [
    VERSION,
    Launch(run="R", launch=1, route="r", slot=0),
    Run(run="R", launch=1, route={"name": "r"}, slot=None, created_at="c", spares=["j"], result=2),
    JobView(state="running", status="Running", wait=1.5),
    Hold(route="r", target=["m", "", "", ""], why="403", at="a", until="u", times=2),
    Heartbeat(sweep="sweep-1", at="a", purged_to="R"),
    Owner(hub="h", storage="s"),
]


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_a_record_survives_the_way_through_json_and_keys_of_the_future(record: Record) -> None:
    written = json.loads(json.dumps(record.to_dict()))
    assert type(record).from_dict({**written, "from_the_future": 1}) == record


def test_times_are_sortable_text_in_utc_to_the_millisecond() -> None:
    at = datetime(2026, 11, 20, 7, 0, 0, 123_999, tzinfo=timezone(timedelta(hours=1)))
    assert timestamp(at) == "2026-11-20T06:00:00.123Z"
    assert moment(timestamp(at)) == datetime(2026, 11, 20, 6, 0, 0, 123_000, tzinfo=UTC)
    assert timestamp(at) < timestamp(at + timedelta(milliseconds=1)) < timestamp(at + timedelta(days=40))


def test_a_version_is_known_by_its_name_and_etag() -> None:
    assert VERSION.key.startswith(VERSION.name)
    assert VERSION.key == VERSION.but(route="other", size=8, n=2).key != VERSION.but(etag="0x2").key


def test_an_instance_is_named_for_its_run_and_launch() -> None:
    launch = Launch(run="R", launch=3, route="r")
    assert (launch.instance_id, launch.watch_id(2)) == ("R-3", "R-3-await-2")

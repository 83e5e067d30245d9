"""Arrival: what is announced, what the sweep finds, and what is left alone."""

import pytest

from activities.inbox import arrive, find_missed_files
from shared import clients
from tests.activities.conftest import ONE_ROW, App, in_memory


def test_a_file_without_a_route_is_left_alone(app: App) -> None:
    app.set_routes(app.route())
    app.drop("elsewhere/a.csv", ONE_ROW)
    assert arrive("elsewhere/a.csv") is None


def test_a_name_that_is_gone_is_left_alone(app: App) -> None:
    app.set_routes(app.route())
    assert arrive("double/never.csv") is None


def test_an_empty_file_waits_for_the_sweep(app: App) -> None:
    app.set_routes(app.route())
    app.drop("double/empty.csv", b"")
    assert arrive("double/empty.csv") is None
    app.sleep(minutes=4)
    assert find_missed_files("sweep-1") == 0
    app.sleep(minutes=2)
    assert find_missed_files("sweep-2") == 1
    assert find_missed_files("sweep-3") == 0


def test_a_file_that_no_event_announced_is_found_once_it_has_settled(app: App) -> None:
    app.set_routes(app.route())
    app.drop("double/a.csv", ONE_ROW)
    assert find_missed_files("sweep-1") == 0
    app.sleep(minutes=2)
    assert find_missed_files("sweep-2") == 1
    assert [version.blob for version in app.ledger.waiting("double")] == ["double/a.csv"]


def test_a_file_that_waits_or_is_being_scored_is_not_missed(app: App) -> None:
    app.set_routes(app.route())
    [first, _] = app.wait("double/a.csv", "double/b.csv")
    app.ledger.claim("R", first)
    app.sleep(minutes=2)
    assert find_missed_files("sweep-1") == 0


def test_files_of_a_route_that_was_renamed_go_on_waiting_under_the_new_one(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.set_routes(app.route(name="old"))
    app.wait("double/a.csv")
    app.set_routes(app.route(name="new"))
    monkeypatch.setenv("DROPSCORE_SETTLE_AFTER", "0s")
    clients.settings.cache_clear()
    assert find_missed_files("sweep-1") == 1
    assert [version.blob for version in app.ledger.waiting("new")] == ["double/a.csv"]
    assert find_missed_files("sweep-2") == 0


def test_a_name_that_cannot_be_asked_for_is_told_of_once_an_hour(
    app: App, caplog: pytest.LogCaptureFixture
) -> None:
    with in_memory(app) as odd:
        odd.set_routes(odd.route())
        for name in ("double/../a.csv", "double/./b.csv", "a.csv.why.txt", "folder/"):
            odd.container("inbox").upload_blob(name, b"id,x\na,1\n")
        for sweep in ("sweep-1", "sweep-2"):
            assert find_missed_files(sweep) == 0
        assert [record.message.partition(":")[0] for record in caplog.records] == ["blob double/../a.csv"]
        odd.sleep(minutes=61)
        find_missed_files("sweep-3")
        assert len(caplog.records) == 2

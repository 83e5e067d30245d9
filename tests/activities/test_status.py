"""Status blobs: what people who see only containers are told of a file that waits, runs or failed."""

import json
from typing import Any

import pytest

from activities import status
from activities.inbox import arrive, dispose_inputs, find_missed_files
from activities.parts import pack
from activities.runs import gather, write_results
from activities.sweeps import begin_sweep, end_sweep
from shared import clients
from shared.ledger_keys import marker_key
from shared.records import Launch, Verdict, Version
from tests.activities.conftest import ONE_ROW, App
from tests.activities.stages import whole

FILE = "double/a.csv"
MORE_WORDS = ("unchanged", "rejected", "withdrawn", "superseded")


@pytest.fixture
def showing(app: App, monkeypatch: pytest.MonkeyPatch) -> App:
    """An app that shows the status of its files."""
    own = clients.settings().inbox.replace("inbox", "status")
    monkeypatch.setenv("DROPSCORE_STATUS", own)
    clients.settings.cache_clear()
    clients.storage().create_container(own)
    app.set_routes(app.route())
    return app


def shown(app: App, file: str = FILE) -> dict[str, Any] | None:
    if not app.exists("status", f"{file}.json"):
        return None
    found: dict[str, Any] = json.loads(app.read("status", f"{file}.json"))
    return found


def state(app: App, file: str = FILE) -> str:
    return str((shown(app, file) or {"state": "none"})["state"])


def gathered(app: App, file: str = FILE) -> tuple[Launch, Version]:
    """A run that has taken a file which waited."""
    launch = app.begun(app.route(), file)
    gather(launch.to_dict())
    [version] = app.ledger.sealed(launch.run)
    return launch, version


def ended(app: App, launch: Launch, version: Version, word: str) -> None:
    """The run has come to this word for its file."""
    app.ledger.resulted(
        launch,
        app.ledger.fenced(launch),
        [Verdict(version=version.key, blob=version.blob, word=word, why="because")],
    )
    dispose_inputs(launch.to_dict())


def test_a_file_that_has_arrived_is_shown_as_waiting_since_it_was_dropped(showing: App) -> None:
    [version] = showing.wait(FILE)
    assert shown(showing) == {
        "file": FILE,
        "etag": version.etag,
        "run": None,
        "state": "waiting",
        "says": "The file has arrived and waits to be scored.",
        "since": version.modified,
        "why": "",
    }


@pytest.mark.full
def test_a_file_of_a_scheduled_route_waits_for_its_time(showing: App) -> None:
    showing.set_routes(showing.route(schedule="0 0 6 * * *"))
    showing.wait(FILE)
    assert (shown(showing) or {})["says"] == status.SAYS["scheduled"]


@pytest.mark.full
def test_a_file_that_no_event_announced_is_shown_once_it_is_found(showing: App) -> None:
    showing.drop(FILE, ONE_ROW)
    showing.sleep(minutes=2)
    assert find_missed_files("sweep-1") == 1
    assert state(showing) == "waiting"


def test_a_file_that_a_run_has_taken_is_shown_as_running(showing: App) -> None:
    launch, version = gathered(showing)
    found = shown(showing)
    assert found is not None
    assert (found["state"], found["run"], found["etag"]) == ("running", launch.run, version.etag)


@pytest.mark.parametrize(
    "word", ["published", *(pytest.param(word, marks=pytest.mark.full) for word in MORE_WORDS)]
)
def test_what_speaks_for_itself_needs_no_status(showing: App, word: str) -> None:
    ended(showing, *gathered(showing), word)
    assert state(showing) == "none"


@pytest.mark.parametrize("word", ["failed", "canceled"])
def test_a_file_that_was_not_scored_keeps_its_status_with_the_reason(showing: App, word: str) -> None:
    ended(showing, *gathered(showing), word)
    found = shown(showing)
    assert found is not None
    assert (found["state"], found["why"]) == (word, "because")
    assert "drop it again" in found["says"]


def test_a_file_that_is_given_back_waits_again_and_says_why(showing: App) -> None:
    launch, _ = gathered(showing)
    whole(pack, launch)
    showing.ledger.turned_away(launch, "403")
    write_results(launch.to_dict())
    found = shown(showing)
    assert found is not None
    assert (found["state"], found["says"], found["why"]) == ("waiting", status.SAYS["held"], "403")


def test_news_of_an_older_version_never_replaces_that_of_a_newer_one(showing: App) -> None:
    launch, older = gathered(showing)
    [newer] = showing.wait(FILE, data="id,x\nb,2\n")
    ended(showing, launch, older, "failed")
    found = shown(showing)
    assert found is not None
    assert (found["state"], found["etag"]) == ("waiting", newer.etag)
    status.show_running(showing.run(launch), [older])
    assert state(showing) == "waiting"


@pytest.mark.full
def test_an_event_that_comes_twice_does_not_show_a_running_file_as_waiting(showing: App) -> None:
    _, version = gathered(showing)
    status.show_waiting([version])
    assert state(showing) == "running"


def test_an_arrival_that_is_slow_to_show_leaves_nothing_behind_a_run_that_is_over(showing: App) -> None:
    launch, version = gathered(showing)
    ended(showing, launch, version, "published")
    status.show_waiting([version])
    assert state(showing) == "none"


@pytest.mark.full
def test_a_blob_that_is_not_ours_stays(showing: App) -> None:
    showing.container("status").upload_blob(f"{FILE}.json", b"theirs")
    ended(showing, *gathered(showing), "failed")
    assert showing.read("status", f"{FILE}.json") == b"theirs"


def test_where_statuses_cannot_be_written_files_are_scored_all_the_same(showing: App) -> None:
    showing.container("status").delete_container()
    launch, version = gathered(showing)
    ended(showing, launch, version, "failed")
    assert showing.ledger.results(showing.run(launch))[0].word == "failed"


@pytest.mark.full
def test_a_run_that_goes_on_shows_only_the_files_that_had_failed(showing: App) -> None:
    launch, version = gathered(showing)
    ended(showing, launch, version, "failed")
    showing.ledger.closed(launch, "failed")
    again = showing.ledger.reopen(launch.run, showing.route())
    assert again is not None
    gather(again.to_dict())
    assert state(showing) == "running"
    status.clear(version, status.turn(version, 9, 9))
    gather(again.to_dict())
    assert state(showing) == "none"


def swept(app: App, number: int) -> None:
    """A sweep that clears what is old."""
    app.sleep(hours=2)
    assert begin_sweep(f"sweep-{number}")
    end_sweep(f"sweep-{number}")


def test_once_an_hour_what_no_longer_holds_goes(showing: App) -> None:
    launch, _ = gathered(showing, "double/running.csv")
    failed, _, stale = showing.wait("double/failed.csv", "double/waiting.csv", "double/stale.csv")
    verdict = Verdict(version=failed.key, blob=failed.blob, word="failed", why="because")
    status.show_end(showing.run(launch), {failed.key: verdict}, [failed])
    showing.container("inbox").delete_blob(failed.blob)
    showing.ledger.store.delete(marker_key(stale))
    swept(showing, 1)
    files = ("double/running.csv", "double/failed.csv", "double/waiting.csv", "double/stale.csv")
    assert [state(showing, file) for file in files] == ["running", "none", "waiting", "none"]
    showing.ledger.closed(launch, "failed")
    swept(showing, 2)
    assert [state(showing, file) for file in files] == ["none", "none", "waiting", "none"]


def test_without_the_setting_nothing_is_shown_and_storage_not_asked(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status, "write", lambda *_, **__: pytest.fail("asked"))
    app.set_routes(app.route())
    app.drop(FILE, ONE_ROW)
    assert arrive(FILE)

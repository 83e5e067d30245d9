"""Disposal: rejected files move with their reason, scored ones as the route says, nothing else moves."""

import pytest

from activities.inbox import dispose_inputs
from shared import work
from shared.records import Launch, Verdict, Version
from tests.activities.conftest import ONE_ROW, App
from tests.activities.stages import whole


def worded(app: App, word: str, *versions: Version, **changes: object) -> Launch:
    """A run whose versions all have this word."""
    launch = app.opened(*versions, route=app.route(**changes))
    words = [Verdict(version=one.key, blob=one.blob, word=word, why="because") for one in versions]
    app.ledger.resulted(launch, app.ledger.fenced(launch), words)
    return launch


def disposed(app: App, word: str, data: str | bytes = ONE_ROW, **changes: object) -> int:
    """How many of one file moved."""
    launch = worded(app, word, app.drop("double/a.csv", data), **changes)
    moved: int = dispose_inputs(launch.to_dict())["moved"]
    return moved


@pytest.mark.parametrize("data", [b"id,x\na,1\n", b""], ids=["rows", "empty"])
def test_a_rejected_file_moves_beside_its_reason(app: App, data: bytes) -> None:
    assert disposed(app, "rejected", data) == 1
    assert app.read("rejected", "double/a.csv") == data
    assert b"because" in app.read("rejected", "double/a.csv.why.txt")
    assert not app.exists("inbox", "double/a.csv")


@pytest.mark.parametrize("word", ["failed", "canceled", "superseded"])
def test_a_file_that_was_not_scored_stays_in_the_inbox(app: App, word: str) -> None:
    assert disposed(app, word, after="archive") == 0
    assert app.exists("inbox", "double/a.csv")


@pytest.mark.parametrize("word", ["published", "unchanged"])
def test_a_scored_file_stays_or_is_archived_as_the_route_says(app: App, word: str) -> None:
    assert disposed(app, word) == 0
    assert app.exists("inbox", "double/a.csv")
    assert disposed(app, word, after="archive") == 1
    assert not app.exists("inbox", "double/a.csv")
    assert len(app.names("archive")) == 1


def test_a_file_that_waits_again_stays(app: App) -> None:
    given_back = app.drop("double/a.csv", ONE_ROW)
    launch = app.opened(given_back, route=app.route(after="archive"))
    app.ledger.resulted(launch, app.ledger.fenced(launch), [])
    assert dispose_inputs(launch.to_dict()) == {"more": False, "moved": 0}
    assert app.exists("inbox", "double/a.csv")


def test_a_file_too_large_to_look_at_stays_with_a_note(app: App) -> None:
    assert disposed(app, "rejected", max_size="5B") == 0
    assert app.exists("inbox", "double/a.csv")
    assert b"left where it is" in app.read("rejected", "double/a.csv.why.txt")
    assert not app.exists("rejected", "double/a.csv")


def test_an_input_that_cannot_be_moved_is_named_and_stops_nothing(app: App) -> None:
    app.container("archive").delete_container()
    assert disposed(app, "published", after="archive") == 0
    assert app.exists("inbox", "double/a.csv")
    [launch] = [one for one, _ in app.ledger.announced()]
    assert app.run(launch).not_moved == {"double/a.csv": "ResourceNotFoundError"}


def test_a_rejected_file_that_was_overwritten_meanwhile_is_left_alone(app: App) -> None:
    launch = worded(app, "rejected", app.drop("double/a.csv", "bad"))
    app.drop("double/a.csv", ONE_ROW)
    assert dispose_inputs(launch.to_dict())["moved"] == 0
    assert app.read("inbox", "double/a.csv") == ONE_ROW.encode()


def test_disposing_again_moves_nothing(app: App) -> None:
    launch = worded(app, "rejected", app.drop("double/a.csv", "bad"))
    assert dispose_inputs(launch.to_dict())["moved"] == 1
    assert dispose_inputs(launch.to_dict())["moved"] == 0
    assert app.names("rejected") == ["double/a.csv", "double/a.csv.why.txt"]


def test_many_files_move_chunk_by_chunk(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "FILES_AT_ONCE", 2)
    versions = [app.drop(f"double/{name}.csv", "bad") for name in "abc"]
    launch = worded(app, "rejected", *versions)
    assert dispose_inputs(launch.to_dict()) == {"more": True, "moved": 2}
    assert whole(dispose_inputs, launch) == {"more": False, "moved": 1}
    assert app.names("inbox") == []

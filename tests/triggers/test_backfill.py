"""Backfill: what lies below a prefix is scored again, run after run, and no file twice."""

import pytest

from activities.backfills import backfill_portion
from shared.records import Backfill, Verdict
from tests.activities.conftest import ONE_ROW, App
from tests.activities.durable_client import Client, called
from tests.triggers.api import Api


@pytest.fixture
def files(app: App, api: Api) -> Api:
    for number in range(5):
        app.drop(f"named/a/{number}.csv", ONE_ROW)
    app.drop("named/b.csv", ONE_ROW)
    app.set_routes(app.named(pattern="named/**", max_files=2))
    return api


def portion(backfill: Backfill, client: Client | None = None) -> Backfill:
    return Backfill.from_dict(called(backfill_portion, backfill.to_dict(), client or Client()))


def end(app: App, run: str) -> None:
    """The run has published all it was given."""
    planned = app.ledger.planned(run) or []
    [launch] = [one for one, _ in app.ledger.announced() if one.run == run]
    claimed = [app.ledger.claim_again(run, one, force=launch.force)[0] for one in planned]
    words = [Verdict(version=one.key, blob=one.blob, word="published") for one in claimed if one]
    app.ledger.resulted(launch, app.ledger.fenced(launch), words)
    app.ledger.closed(launch, "succeeded")


def done(app: App, backfill: Backfill) -> list[list[str]]:
    """The files of each run of a backfill that is carried to its end."""
    runs: list[list[str]] = []
    while not (backfill := portion(backfill)).done:
        runs.append([one.blob for one in app.ledger.planned(backfill.runs[-1]) or []])
        end(app, backfill.runs[-1])
    return runs


def test_a_dry_run_says_what_would_be_scored_and_starts_nothing(files: Api) -> None:
    answer = files(
        "POST", "/backfill", {"route": "named", "prefix": "named/a/", "dry_run": True, "per_minute": 2}
    )
    assert answer.status == 200
    assert answer.body == {
        "files": 5,
        "bytes": 5 * len(ONE_ROW),
        "scored_before": 0,
        "others": 0,
        "names": [f"named/a/{number}.csv" for number in range(5)],
        "minutes": 3,
    }


def test_every_file_below_the_prefix_is_scored_once_in_runs_of_the_routes_size(app: App, files: Api) -> None:
    runs = done(app, Backfill(id="B1", route="named", prefix="named/a/"))
    assert runs == [
        ["named/a/0.csv", "named/a/1.csv"],
        ["named/a/2.csv", "named/a/3.csv"],
        ["named/a/4.csv"],
    ]


def test_what_was_scored_before_is_scored_again_only_by_force(app: App, files: Api) -> None:
    done(app, Backfill(id="B1", route="named", prefix="named/a/"))
    assert done(app, Backfill(id="B2", route="named", prefix="named/")) == [["named/b.csv"]]
    assert len(done(app, Backfill(id="B3", route="named", prefix="named/", force=True))) == 3


def test_the_next_run_waits_for_the_one_before(files: Api) -> None:
    first = portion(Backfill(id="B1", route="named", prefix="named/a/"))
    assert portion(first) == first


def test_a_portion_that_is_called_again_starts_nothing_twice(files: Api) -> None:
    client, begun = Client(), Backfill(id="B1", route="named", prefix="named/a/")
    assert portion(begun, client) == portion(begun, client)
    assert len(client.started) == 1


def test_a_minute_takes_no_more_than_was_asked_for(app: App, files: Api) -> None:
    runs = done(app, Backfill(id="B1", route="named", prefix="named/a/", per_minute=1))
    assert [len(run) for run in runs] == [1] * 5


def closed(app: App, run: str, outcome: str) -> None:
    [launch] = [one for one, _ in app.ledger.announced() if one.run == run]
    app.ledger.resulted(launch, app.ledger.fenced(launch), [])
    app.ledger.closed(launch, outcome)


def test_a_backfill_waits_while_its_route_is_held(app: App, files: Api) -> None:
    begun = Backfill(id="B1", route="named", prefix="named/a/")
    app.ledger.hold(app.named(), "403")
    assert portion(begun) == begun
    app.ledger.lift(app.named())
    assert portion(begun).files == 2


def test_files_that_a_forced_run_gave_back_are_taken_again(app: App, files: Api) -> None:
    first = portion(Backfill(id="B1", route="named", prefix="named/a/", force=True))
    closed(app, first.runs[0], "released")
    again = portion(first)
    assert [one.blob for one in app.ledger.planned(again.runs[-1]) or []] == [
        "named/a/0.csv",
        "named/a/1.csv",
    ]


def test_a_backfill_ends_after_three_runs_in_vain(app: App, files: Api) -> None:
    backfill = Backfill(id="B1", route="named", prefix="named/", per_minute=1)
    for _ in range(3):
        backfill = portion(backfill)
        closed(app, backfill.runs[-1], "failed")
    backfill = portion(backfill)
    assert (backfill.done, len(backfill.runs)) == (True, 3)
    assert backfill.runs[-1] in backfill.why


def test_a_backfill_outlasts_a_time_without_its_route(app: App, files: Api) -> None:
    begun = Backfill(id="B1", route="named", prefix="named/a/")
    app.set_routes(app.route())
    assert portion(begun) == begun


@pytest.mark.parametrize(
    "body",
    [
        *({}, {"route": "named", "prefix": 1}, {"route": "named", "per_minute": 0}),
        *(
            {"route": "named", "per_minute": True},
            {"route": "named", "dry_run": "yes"},
            {"route": "named", "x": 1},
        ),
    ],
)
def test_a_body_that_is_no_backfill_is_told_so(api: Api, body: object) -> None:
    assert api("POST", "/backfill", body).code == "bad-body"

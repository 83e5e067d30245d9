"""The end of a run: words for its files, the slot freed, what waits started, and the sweep watched."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from activities.jobs import submit_job
from activities.parts import pack
from activities.runs import (
    authenticate,
    close_run,
    gather,
    kick_arrival,
    watch_the_sweep,
    write_results,
)
from shared import clients
from shared.errors import Unsettled
from shared.names import new_run
from shared.records import Launch, Verdict
from tests.activities.conftest import ONE_ROW, App
from tests.activities.durable_client import Client, called
from tests.activities.stages import jobs, whole

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def closed(launch: Launch, client: Client | None = None) -> dict[str, Any]:
    answer: dict[str, Any] = called(close_run, launch.to_dict(), client or Client())
    return answer


def waiting(app: App, route: str = "double") -> list[str]:
    return sorted(version.blob for version in app.ledger.waiting(route))


@pytest.fixture
def refused(app: App, monkeypatch: pytest.MonkeyPatch) -> Launch:
    """A run of one file whose identity gets no token."""
    app.set_routes(app.route())
    app.wait("double/a.csv")
    [launch] = kick_arrival(app.route())
    monkeypatch.setenv("IDENTITY_HEADER", "wrong")
    clients.credential.cache_clear()
    assert not authenticate(launch.to_dict())
    return launch


def test_an_identity_that_gets_no_token_releases_the_run_and_keeps_the_file_waiting(
    app: App, refused: Launch
) -> None:
    assert write_results(refused.to_dict()) == {}
    client = Client()
    assert closed(refused, client)["outcome"] == "released"
    assert "gets no token" in app.run(refused).held
    assert waiting(app) == ["double/a.csv"]
    assert client.started == {}


def test_an_identity_that_gets_no_token_holds_the_route(app: App, refused: Launch) -> None:
    hold = app.ledger.held(app.route())
    assert hold is not None
    assert "gets no token" in hold.why


def test_a_run_that_is_closed_already_does_not_begin(app: App) -> None:
    launch = app.begun(app.route(), "double/a.csv")
    app.ledger.closed(launch, "empty")
    assert not authenticate(launch.to_dict())


@pytest.mark.parametrize(
    "late",
    [
        pytest.param({"launch": 2}, id="a later launch"),
        pytest.param({"slot": None}, id="asked for, and in no index"),
        pytest.param({"run": new_run(LONG_AGO)}, id="a slot of long ago"),
    ],
)
def test_an_orchestration_that_comes_when_its_run_is_forgotten_begins_nothing(
    app: App, late: dict[str, Any]
) -> None:
    app.set_routes(app.route())
    app.wait("double/a.csv")
    [launch] = kick_arrival(app.route())
    assert not authenticate(launch.but(**late).to_dict())
    assert app.ledger.run(launch.but(**late).run) is None
    assert authenticate(launch.to_dict())


def test_a_run_that_was_asked_for_begins_though_whoever_asked_died_before_its_record(app: App) -> None:
    app.set_routes(app.route())
    launch = Launch(run="K1", launch=1, route="double")
    app.ledger.announce(launch)
    assert authenticate(launch.to_dict())


def test_a_run_that_was_abandoned_before_it_began_closes_and_leaves_its_file_waiting(app: App) -> None:
    app.set_routes(app.route())
    app.wait("double/a.csv")
    [launch] = kick_arrival(app.route())
    app.ledger.abandon(launch)
    assert not authenticate(launch.to_dict())
    assert write_results(launch.to_dict()) == {}
    assert closed(launch)["outcome"] == "empty"
    assert waiting(app) == ["double/a.csv"]


def test_closing_frees_the_slot_and_starts_the_next_file(app: App) -> None:
    launch = app.begun(app.route(), "double/a.csv", "double/b.csv")
    gather(launch.to_dict())
    app.ledger.failed(launch, "pack", "for the test")
    write_results(launch.to_dict())
    client = Client()
    assert closed(launch, client) == {"run": launch.run, "outcome": "failed"}
    assert [begun["slot"] for begun in client.started.values()] == [0]
    assert list(app.ledger.announced()) == []


def test_a_run_that_found_nothing_to_claim_does_not_start_another_for_the_same_files(app: App) -> None:
    launch = app.begun(app.route(), "double/a.csv")
    [marked] = app.ledger.plan(launch.run, lambda: app.ledger.waiting("double"))
    app.ledger.gathered(launch, 0)
    write_results(launch.to_dict())
    client = Client()
    assert closed(launch, client)["outcome"] == "empty"
    assert client.started == {}
    assert [version.key for version in app.ledger.waiting("double")] == [marked.key]


@pytest.mark.parametrize(
    ("word", "kept"), [("published", False), ("rejected", False), ("failed", True), ("canceled", True)]
)
def test_what_a_run_kept_goes_unless_it_may_be_of_use(app: App, word: str, kept: bool) -> None:
    version = app.drop("double/a.csv", ONE_ROW)
    launch = app.opened(version)
    app.set_routes(app.route())
    whole(pack, launch)
    app.ledger.resulted(
        launch, app.ledger.fenced(launch), [Verdict(version=version.key, blob=version.blob, word=word)]
    )
    assert app.names("work", launch.run) != []
    closed(launch)
    assert (app.names("work", launch.run) != []) is kept


@pytest.fixture
def turned_away(app: App) -> Launch:
    """A run of two good files and a bad one whose endpoint does not let it in."""
    app.set_routes(app.named())
    bad = app.drop("named/bad.csv", "id\n")
    launch = app.opened(*app.wait("named/a.csv", "named/b.csv"), bad, route=app.named())
    app.ledger.forget_markers(app.ledger.waiting("named"))
    whole(pack, launch)
    app.ledger.turned_away(launch, "403")
    app.ledger.hold(app.named(), "403")
    return launch


def test_what_has_no_word_waits_again(app: App, turned_away: Launch) -> None:
    write_results(turned_away.to_dict())
    assert waiting(app, "named") == ["named/a.csv", "named/b.csv"]
    assert {version.n for version in app.ledger.waiting("named")} == {2}
    assert app.run(turned_away).released == 2


def test_releasing_again_changes_nothing(app: App, turned_away: Launch) -> None:
    write_results(turned_away.to_dict())
    before = app.ledger.waiting("named")
    assert write_results(turned_away.to_dict()) == {"rejected": 1}
    assert app.ledger.waiting("named") == before
    assert app.run(turned_away).released == 2


def test_a_bad_file_of_a_run_that_is_turned_away_gets_its_word(app: App, turned_away: Launch) -> None:
    assert write_results(turned_away.to_dict()) == {"rejected": 1}
    assert closed(turned_away)["outcome"] == "released"


def test_a_run_that_is_turned_away_starts_no_other(app: App, turned_away: Launch) -> None:
    write_results(turned_away.to_dict())
    client = Client()
    closed(turned_away, client)
    assert client.started == {}


def sweeps_started() -> int:
    """How many sweeps are started by whoever looks after them, an arrival or a closing run."""
    client = Client()
    asyncio.run(watch_the_sweep(client))
    return len(client.sweeps)


def test_where_no_sweep_has_ever_begun_one_is_started(app: App) -> None:
    assert sweeps_started() == 1


def test_one_process_looks_after_the_sweep_once_a_minute(app: App) -> None:
    assert sweeps_started() == 1
    app.sleep(seconds=59)
    assert sweeps_started() == 0
    app.sleep(seconds=2)
    assert sweeps_started() == 1


@pytest.mark.parametrize(("minutes", "started"), [(4, 0), (6, 1)])
def test_a_sweep_is_started_where_none_has_begun_for_five_minutes(
    app: App, minutes: float, started: int
) -> None:
    app.ledger.begin_sweep("sweep-1")
    app.sleep(minutes=minutes)
    assert sweeps_started() == started


def test_a_closing_run_looks_after_the_sweep(app: App) -> None:
    launch = app.begun(app.route(), "double/a.csv")
    client = Client()
    closed(launch, client)
    assert len(client.sweeps) == 1


def test_a_run_that_may_have_a_spare_job_closes_only_when_jobs_can_be_listed(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    launch = app.begun(app.named(), "named/a.csv")
    gather(launch.to_dict())
    whole(pack, launch)
    assert submit_job(launch.to_dict())["kind"] == "submitted"
    [job] = jobs(app, launch.run)
    app.ledger.change(launch, lambda run: run.but(stage="packed", post=2, job="", held="no role"))
    assert write_results(launch.to_dict()) == {}
    monkeypatch.setenv("DROPSCORE_ARM_URL", "http://127.0.0.1:9")
    clients.settings.cache_clear()
    with pytest.raises(Unsettled, match="may have a spare job"):
        closed(launch)
    assert app.run(launch).stage == "resulted"
    monkeypatch.setenv("DROPSCORE_ARM_URL", app.emulator.url)
    clients.settings.cache_clear()
    canceled: list[str] = []
    monkeypatch.setattr("activities.jobs.cancel", lambda job, job_id: canceled.append(job))
    assert closed(launch)["outcome"] == "released"
    assert canceled == [job]

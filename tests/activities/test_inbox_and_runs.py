"""Arrival, claims, disposal and closing."""

import asyncio
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from azure.durable_functions import OrchestrationRuntimeStatus

from activities.inbox import arrive, dispose_inputs, find_missed_files
from activities.runs import (
    LAUNCHES,
    authenticate,
    close_run,
    gather,
    kick,
    kick_arrival,
    start_waiting,
    write_results,
)
from shared import clients, current_routes, work
from shared.errors import Fenced
from shared.records import Launch, Verdict
from tests.activities.conftest import App, reset


class Starter:
    """A durable client that remembers what it was asked to start, and shows the statuses it is told."""

    def __init__(self, **statuses: OrchestrationRuntimeStatus) -> None:
        self.started: dict[str, Any] = {}
        self.statuses = statuses

    async def get_status(self, instance_id: str) -> Any:
        return SimpleNamespace(runtime_status=self.statuses.get(instance_id))

    async def start_new(self, name: str, instance_id: str, client_input: Any) -> None:
        assert name == "score_run"
        assert instance_id not in self.started
        self.started[instance_id] = client_input


def closed(launch: Launch, starter: Starter) -> dict[str, Any]:
    """`close_run` as the worker calls it, with the client already bound."""
    function = close_run._function.get_user_function().client_function
    result: dict[str, Any] = asyncio.run(function(launch.to_dict(), client=starter))
    return result


def test_a_file_without_a_route_is_left_alone(app: App) -> None:
    app.set_routes(app.route())
    app.drop("elsewhere/a.csv", "id,x\na,1\n")
    assert arrive("elsewhere/a.csv") is None


def test_a_name_that_is_gone_is_left_alone(app: App) -> None:
    app.set_routes(app.route())
    assert arrive("double/never.csv") is None


def test_an_empty_file_waits_for_the_sweep(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    app.set_routes(app.route())
    app.drop("double/empty.csv", b"")
    assert arrive("double/empty.csv") is None
    assert find_missed_files("sweep-1") == 0
    monkeypatch.setenv("DROPSCORE_EMPTY_AFTER", "0s")
    clients.settings.cache_clear()
    assert find_missed_files("sweep-2") == 1
    assert find_missed_files("sweep-3") == 0


def test_an_arrival_is_claimed_once_however_many_runs_look_for_it(app: App) -> None:
    route = app.route(max_jobs=3)
    app.set_routes(route)
    app.drop("double/a.csv", "id,x\na,1\n")
    assert arrive("double/a.csv") == route
    launches = [launch for _ in range(3) for launch in kick_arrival(route)]
    for launch in launches:
        assert authenticate(launch.to_dict())
    assert [gather(launch.to_dict())["files"] for launch in launches] == [1, 0, 0]
    assert arrive("double/a.csv") is None


def test_gathering_again_finds_the_same_claims(app: App) -> None:
    route = app.route()
    app.set_routes(route)
    for name in ("double/a.csv", "double/b.csv"):
        app.drop(name, "id,x\na,1\n")
        arrive(name)
    [launch] = kick(route)
    authenticate(launch.to_dict())
    assert gather(launch.to_dict()) == gather(launch.to_dict())
    [claimed] = work.claimed(launch.run)
    [left] = app.ledger.waiting("double")
    assert {claimed.blob, left.blob} == {"double/a.csv", "double/b.csv"}


def test_a_file_that_was_claimed_before_gathering_broke_off_gets_its_word(app: App) -> None:
    route = app.route()
    app.set_routes(route)
    app.drop("double/a.csv", "id,x\na,1\n")
    arrive("double/a.csv")
    [launch] = kick(route)
    authenticate(launch.to_dict())
    [marked] = app.ledger.plan(launch.run, lambda: app.ledger.waiting("double"))
    app.ledger.claim(launch.run, marked)
    app.ledger.failed(launch, "gather", "storage was away")
    assert write_results(launch.to_dict()) == {"failed": 1}
    [word] = app.ledger.results(app.run(launch))
    assert (word.blob, word.why) == ("double/a.csv", "gather: storage was away")


def test_a_scheduled_route_starts_nothing_on_arrival(app: App) -> None:
    route = app.route(schedule="0 0 0 1 1 *")
    app.set_routes(route)
    app.drop("double/a.csv", "id,x\na,1\n")
    assert arrive("double/a.csv") == route
    assert kick_arrival(route) == []
    assert kick(route) == []


def test_an_identity_that_gets_no_token_releases_the_run_and_keeps_the_file_waiting(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    route = app.route()
    app.set_routes(route)
    app.drop("double/a.csv", "id,x\na,1\n")
    arrive("double/a.csv")
    [launch] = kick_arrival(route)
    monkeypatch.setenv("IDENTITY_HEADER", "wrong")
    clients.credential.cache_clear()
    assert not authenticate(launch.to_dict())
    write_results(launch.to_dict())
    starter = Starter()
    assert closed(launch, starter)["outcome"] == "released"
    assert "gets no token" in app.run(launch).why
    assert [version.blob for version in app.ledger.waiting("double")] == ["double/a.csv"]
    assert starter.started == {}


def test_closing_frees_the_slot_and_starts_the_next_file(app: App) -> None:
    route = app.route()
    app.set_routes(route)
    for name in ("double/a.csv", "double/b.csv"):
        app.drop(name, "id,x\na,1\n")
        arrive(name)
    [launch] = kick(route)
    authenticate(launch.to_dict())
    gather(launch.to_dict())
    assert kick(route) == []
    app.ledger.failed(launch, "pack", "for the test")
    write_results(launch.to_dict())
    starter = Starter()
    assert closed(launch, starter) == {"run": launch.run, "outcome": "failed"}
    assert [begun["slot"] for begun in starter.started.values()] == [0]
    assert list(app.ledger.announced()) == []


def swept(starter: Starter) -> int:
    """`start_waiting` as the worker calls it."""
    function = start_waiting._function.get_user_function().client_function
    started: int = asyncio.run(function("sweep-1", client=starter))
    return started


def opened_long_ago(app: App) -> Launch:
    """A run of a waiting file that was opened before the sweep's patience."""
    app.set_routes(app.route())
    app.drop("double/a.csv", "id,x\na,1\n")
    arrive("double/a.csv")
    app.ledger.clock = lambda: datetime.now(UTC) - timedelta(minutes=5)
    [launch] = kick(app.route())
    return launch


def test_the_sweep_leaves_alone_a_run_that_is_under_way(app: App) -> None:
    launch = opened_long_ago(app)
    authenticate(launch.to_dict())
    app.ledger.clock = lambda: datetime.now(UTC)
    starter = Starter(**{launch.instance_id: OrchestrationRuntimeStatus.Running})
    assert swept(starter) == 0
    assert starter.started == {}


@pytest.mark.parametrize(
    "status", [None, OrchestrationRuntimeStatus.Failed, OrchestrationRuntimeStatus.Terminated]
)
def test_the_sweep_goes_on_with_a_run_whose_orchestration_is_gone(
    app: App, status: OrchestrationRuntimeStatus | None
) -> None:
    launch = opened_long_ago(app)
    authenticate(launch.to_dict())
    app.ledger.clock = lambda: datetime.now(UTC)
    starter = Starter(**({launch.instance_id: status} if status else {}))
    assert swept(starter) == 1
    assert list(starter.started) == [f"{launch.run}-2"]
    with pytest.raises(Fenced):
        gather(launch.to_dict())


def test_a_run_that_no_launch_can_finish_is_closed_and_its_route_goes_on(app: App) -> None:
    launch = opened_long_ago(app)
    authenticate(launch.to_dict())
    gather(launch.to_dict())
    app.ledger.clock = lambda: datetime.now(UTC)
    for _ in range(LAUNCHES - 1):
        assert swept(Starter()) == 1
    assert swept(Starter()) == 0
    assert (app.run(launch).stage, app.run(launch).outcome) == ("closed", "failed")
    assert [word.word for word in app.ledger.results(app.run(launch))] == ["failed"]
    assert list(app.ledger.held_slots(app.route())) == []


def test_files_of_a_route_that_was_renamed_go_on_waiting_under_the_new_one(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.set_routes(app.route(name="old"))
    app.drop("double/a.csv", "id,x\na,1\n")
    arrive("double/a.csv")
    app.set_routes(app.route(name="new"))
    monkeypatch.setenv("DROPSCORE_SETTLE_AFTER", "0s")
    clients.settings.cache_clear()
    assert find_missed_files("sweep-1") == 1
    assert [version.blob for version in app.ledger.waiting("new")] == ["double/a.csv"]
    assert find_missed_files("sweep-2") == 0


def test_the_sweep_starts_a_run_that_got_a_slot_and_never_began(app: App) -> None:
    launch = opened_long_ago(app)
    app.ledger.clock = lambda: datetime.now(UTC)
    starter = Starter()
    assert swept(starter) == 1
    assert list(starter.started) == [launch.instance_id]


def test_the_sweep_frees_the_slot_of_a_run_that_ended_without_a_record(app: App) -> None:
    launch = opened_long_ago(app)
    app.ledger.clock = lambda: datetime.now(UTC)
    starter = Starter(**{launch.instance_id: OrchestrationRuntimeStatus.Completed})
    assert swept(starter) == 1
    [begun] = starter.started.values()
    assert begun["run"] != launch.run


def disposed(app: App, word: str, **changes: object) -> int:
    version = app.drop("double/a.csv", "id,x\na,1\n")
    launch = app.opened(version, route=app.route(**changes))
    app.ledger.resulted(launch, [Verdict(version=version.key, blob=version.blob, word=word, why="because")])
    moved: int = dispose_inputs(launch.to_dict())
    return moved


def test_a_rejected_file_moves_beside_its_reason(app: App) -> None:
    assert disposed(app, "rejected") == 1
    assert app.read("rejected", "double/a.csv") == b"id,x\na,1\n"
    assert b"because" in app.read("rejected", "double/a.csv.why.txt")
    assert not app.exists("inbox", "double/a.csv")


@pytest.mark.parametrize("word", ["failed", "canceled", "superseded"])
def test_a_file_that_was_not_scored_stays_in_the_inbox(app: App, word: str) -> None:
    assert disposed(app, word, after="archive") == 0
    assert app.exists("inbox", "double/a.csv")


def test_a_scored_file_stays_or_is_archived_as_the_route_says(app: App) -> None:
    assert disposed(app, "published") == 0
    assert app.exists("inbox", "double/a.csv")
    assert disposed(app, "published", after="archive") == 1
    assert not app.exists("inbox", "double/a.csv")
    assert len(list(app.container("archive").list_blobs())) == 1


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


def test_an_empty_rejected_file_moves_too(app: App) -> None:
    version = app.drop("double/empty.csv", b"")
    launch = app.opened(version)
    word = Verdict(version=version.key, blob=version.blob, word="rejected", why="empty")
    app.ledger.resulted(launch, [word])
    assert dispose_inputs(launch.to_dict()) == 1
    assert app.read("rejected", "double/empty.csv") == b""


def test_a_rejected_file_that_was_overwritten_meanwhile_is_left_alone(app: App) -> None:
    version = app.drop("double/a.csv", "bad")
    launch = app.opened(version)
    app.ledger.resulted(launch, [Verdict(version=version.key, blob=version.blob, word="rejected", why="bad")])
    app.drop("double/a.csv", "id,x\na,1\n")
    assert dispose_inputs(launch.to_dict()) == 0
    assert app.read("inbox", "double/a.csv") == b"id,x\na,1\n"


def test_a_mistake_in_the_routes_changes_nothing_over_restarts_too(app: App) -> None:
    config = app.container("config")
    config.upload_blob("routes.toml", '[routes.good]\npattern = "good/*"\nmodel = "https://e/jobs"\n')
    assert [route.name for route in current_routes.current_routes().routes] == ["good"]
    for broken in ("[routes.broken", b"\xff\xfe", "", '[routes.bad]\npattern = "x"\n'):
        config.upload_blob("routes.toml", broken, overwrite=True)
        reset()
        assert [route.name for route in current_routes.current_routes().routes] == ["good"]
    config.upload_blob(
        "routes.toml", '\ufeff[routes.new]\npattern = "n/*"\nmodel = "https://e/jobs"\n', overwrite=True
    )
    reset()
    assert [route.name for route in current_routes.current_routes().routes] == ["new"]

"""Health over HTTP: bounded where storage does not answer; the checkup on the test's own containers."""

import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest

from shared import clients
from shared.records import Owner
from tests.activities.conftest import App
from tests.triggers.api import Api

OTHER = Owner(hub="other", storage="elsewhere")


@pytest.fixture(params=["away", pytest.param("silent", marks=pytest.mark.full)])
def unreachable(request: pytest.FixtureRequest, app: App, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nobody listens where storage should be, or somebody who never says anything."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        if request.param == "silent":
            bound.listen()
        there = clients.container("inbox").url.split("/")[2]
        elsewhere = f"127.0.0.1:{bound.getsockname()[1]}"
        connection = clients.settings().storage_connection.replace(there, elsewhere)
        monkeypatch.setenv("DROPSCORE_STORAGE", connection)
        clients.settings.cache_clear()
        yield


def test_health_says_that_no_sweep_has_begun_yet(api: Api) -> None:
    told = api.get("/health")
    assert (told["status"], told["why"], told["heartbeat_at"]) == ("starting", "", None)


def test_health_says_that_storage_is_unreachable_within_seconds(unreachable: None) -> None:
    begun = time.monotonic()
    told = Api()("GET", "/health")
    assert time.monotonic() - begun < 6
    assert (told.status, told.body["status"], told.body["why"]) == (503, "broken", "Storage is unreachable.")


def test_health_says_that_another_app_works_on_the_ledger(api: Api, app: App) -> None:
    api.get("/health")
    app.ledger.store.delete("owner.json")
    app.ledger.store.create("owner.json", OTHER.to_dict())
    told = api("GET", "/health")
    assert (told.status, told.body["why"]) == (503, "Another app works on the ledger.")


def test_health_does_not_name_settings_to_everybody(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DROPSCORE_KEEP", "secret")
    clients.settings.cache_clear()
    told = api("GET", "/health")
    assert (told.status, told.body["why"]) == (503, "The app's settings are not usable.")
    monkeypatch.setenv("DROPSCORE_KEEP", "90d")
    clients.settings.cache_clear()


def test_deep_leads_to_the_function_that_asks_for_a_key(api: Api) -> None:
    told = api("GET", "/health?deep=1")
    assert (told.status, told.headers["Location"]) == (307, "health/deep")
    assert api("GET", "/health?deep=0").status == 200


@pytest.fixture
def examined(api: Api, app: App, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The findings, by check and what it is about. No Event Grid is here."""
    monkeypatch.setenv("DROPSCORE_BLOB_SOURCE", "polling")
    app.set_routes(app.route())

    def look() -> dict[tuple[str, str], dict[str, str]]:
        told = api("GET", "/health/deep")
        assert told.status == (503 if told.body["status"] == "failing" else 200)
        return {(one["check"], one["about"]): one for one in told.body["checks"]}

    return look


def not_well(found: dict[tuple[str, str], dict[str, str]]) -> dict[tuple[str, str], str]:
    return {name: one["state"] for name, one in found.items() if one["state"] in ("failed", "warning")}


NOT_YET = {("heartbeat", ""): "warning"}


def test_the_checkup_finds_nothing_but_that_no_sweep_has_begun(examined: Any, app: App) -> None:
    found = examined()
    assert not_well(found) == NOT_YET
    assert found["scoring", "double"]["state"] == "ok"
    roles = ("inbox", "predictions", "rejected", "archive", "work", "config")
    assert {role: app.names(role) for role in roles} == {role: [] for role in roles}


def test_a_container_that_is_missing_is_found(examined: Any, app: App) -> None:
    app.container("archive").delete_container()
    found = examined()
    assert not_well(found) == {**NOT_YET, ("container", "archive"): "failed"}
    assert "az storage container create -n archive-" in found["container", "archive"]["advice"]


def test_another_owner_and_an_endpoint_that_is_gone_are_found(examined: Any, app: App) -> None:
    app.ledger.store.delete("owner.json")
    app.ledger.store.create("owner.json", OTHER.to_dict())
    app.set_routes(app.route(model=app.emulator.scoring_url("gone")))
    found = examined()
    assert not_well(found) == {**NOT_YET, ("owner", ""): "failed", ("endpoint", "double"): "failed"}
    assert found["deployment", "double"]["state"] == found["scoring", "double"]["state"] == "skipped"

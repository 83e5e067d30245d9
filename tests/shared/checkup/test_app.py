"""What runs here, and whether it is what was tested."""

from typing import Any

import pytest

from shared.checkup import app
from shared.checkup.commands import Home
from shared.checkup.findings import Finding
from shared.checkup.surroundings import Surroundings
from shared.routes import Route, Routes
from shared.settings import Settings


def test_what_is_installed_here_is_what_was_tested() -> None:
    [found] = app.check_versions(Home())
    assert found.state == "ok"


def test_other_libraries_are_a_warning_that_names_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "pins", lambda: [("requests", "1.0.0"), ("no-such-library", "2.0")])
    [found] = app.check_versions(Home())
    assert found.state == "warning"
    assert "no-such-library none, requests 2." in found.says
    assert "--build remote" in found.advice


def test_another_python_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "PYTHONS", ((3, 8), (3, 9)))
    [found] = app.check_versions(Home())
    assert found.says.startswith("not what was tested: Python 3.1")


def test_versions_name_the_app_the_host_and_the_libraries() -> None:
    told = app.versions(Home(host="4.1037.0"))
    assert told["host"] == "4.1037.0"
    assert {"dropscore", "orchestrations", "python", "azure-functions-durable", "azure-identity"} <= set(told)
    assert app.versions(Home())["host"] == "unknown"


def test_on_app_service_commands_name_the_app() -> None:
    home = Home.of({"WEBSITE_SITE_NAME": "scores", "WEBSITE_RESOURCE_GROUP": "prod", "HOST_VERSION": "4.1"})
    assert home.restart() == "az functionapp restart -n scores -g prod"
    assert Home.of({}).restart() == "az functionapp restart -n APP -g GROUP"
    assert (home.host, home.events) == ("4.1", True)


def test_a_role_is_granted_to_the_identity_that_the_app_has() -> None:
    home = Home()
    assert "--assignee CLIENT " in home.grant("CLIENT", "Reader", "SCOPE")
    assert "--assignee $(az functionapp identity show -n APP -g GROUP" in home.grant("", "Reader", "SCOPE")


def notices_of(route: dict[str, Any], **settings: str) -> list[Finding]:
    chosen = Settings.from_env(REQUIRED | settings)
    return app.check_notices(Routes((Route.from_dict(ROUTE | route),)), Surroundings(chosen, Home()))


REQUIRED = {"DROPSCORE_STORAGE": "https://a.blob.core.windows.net", "DROPSCORE_INBOX": "inbox"}
ROUTE = {"name": "told", "pattern": "told/*.csv", "model": "https://m.example/jobs", "send": ("x",)}
TELLS = {"notify": "https://hooks.example.com/told"}


def test_notices_that_nobody_signs_are_a_warning_that_names_the_route_and_the_setting() -> None:
    [found] = notices_of(TELLS)
    assert (found.state, "set in told" in found.says) == ("warning", True)
    assert "DROPSCORE_WEBHOOK_SECRET=SECRET" in found.advice


def test_notices_that_are_signed_are_well_and_where_there_are_none_nothing_is_said() -> None:
    secret = "whsec_" + "QUJD" * 8
    assert [one.state for one in notices_of(TELLS, DROPSCORE_WEBHOOK_SECRET=secret)] == ["ok"]
    assert notices_of({}) == []

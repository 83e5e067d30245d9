"""What runs here, and whether it is what was tested."""

import pytest

from shared.checkup import app
from shared.checkup.commands import Home


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

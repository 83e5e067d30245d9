"""Routes over HTTP: checked before they take effect, each text kept, so that one can go back."""

from pathlib import Path

import pytest

from shared import current_routes
from shared.records import moment
from tests.activities.conftest import App
from tests.triggers.api import Api

TEXT = """# who looks after this: Ann
[routes.double]
pattern = "double/*.csv"
model   = "https://one.example/jobs"   # the model of spring
"""


@pytest.fixture
def standing(app: App, api: Api) -> Api:
    """`config/routes.toml` holds the text above."""
    app.container("config").upload_blob("routes.toml", TEXT)
    current_routes.loaded.routes, current_routes.loaded.at = None, -current_routes.FRESH_FOR
    return api


def model(api: Api) -> str:
    [route] = api.get("/routes")["routes"]
    return str(route["model"])


def test_routes_in_force_show_what_waits_and_what_is_busy(app: App, api: Api) -> None:
    app.begun(app.route(), "double/a.csv")
    app.wait("double/b.csv")
    app.ledger.hold(app.route(), "403")
    [route] = api.get("/routes")["routes"]
    assert (route["busy"], route["max_jobs"], route["waiting"], route["held"]["why"]) == (1, 1, 2, "403")


def test_a_model_is_swapped_and_the_rest_of_the_text_stays(app: App, standing: Api) -> None:
    answer = standing("PATCH", "/routes/double", {"model": "https://two.example/jobs"})
    assert answer.status == 200
    changed = {"route": "double", "key": "model", "before": "https://one.example/jobs"}
    assert answer.body["changes"] == [{**changed, "after": "https://two.example/jobs"}]
    assert model(standing) == "https://two.example/jobs"
    assert app.read("config", "routes.toml").decode() == TEXT.replace("one.example", "two.example")


def test_a_swap_is_taken_back(app: App, standing: Api) -> None:
    standing("PATCH", "/routes/double", {"model": "https://two.example/jobs"})
    assert standing("POST", "/routes/rollback", {}).status == 200
    assert app.read("config", "routes.toml").decode() == TEXT
    assert model(standing) == "https://one.example/jobs"
    history = standing.get("/routes/history")["history"]
    assert [entry["current"] for entry in history] == [True, False, False]
    assert all(moment(entry["at"]) for entry in history)


def test_one_goes_back_to_any_text(app: App, standing: Api) -> None:
    for number in range(3):
        standing("PATCH", "/routes/double", {"model": f"https://m{number}.example/jobs"})
    first = standing.get("/routes/history")["history"][-1]["id"]
    assert standing("POST", "/routes/rollback", {"to": first}).status == 200
    assert app.read("config", "routes.toml").decode() == TEXT


def test_what_was_edited_by_hand_is_kept_before_it_is_replaced(app: App, standing: Api) -> None:
    standing("PATCH", "/routes/double", {"max_jobs": 2})
    by_hand = TEXT.replace("one.example", "hand.example")
    app.container("config").upload_blob("routes.toml", by_hand, overwrite=True)
    standing("PUT", "/routes.toml", TEXT.replace("one.example", "three.example"))
    standing("POST", "/routes/rollback", {})
    assert app.read("config", "routes.toml").decode() == by_hand


def test_a_key_is_taken_out_by_null(app: App, standing: Api) -> None:
    standing("PATCH", "/routes/double", {"max_jobs": 3})
    assert b"max_jobs" in app.read("config", "routes.toml")
    standing("PATCH", "/routes/double", {"max_jobs": None})
    assert b"max_jobs" not in app.read("config", "routes.toml")


@pytest.mark.parametrize(
    ("route", "body", "code"),
    [
        ("double", {"model": "ftp://x"}, "bad-routes"),
        ("double", {"max_jobs": "two"}, "bad-routes"),
        ("double", {"modle": "https://x/jobs"}, "bad-body"),
        ("double", {}, "bad-body"),
        ("double", [], "bad-body"),
        ("none", {"model": "https://x/jobs"}, "no-such-route"),
    ],
)
def test_a_change_that_cannot_be_leaves_everything_as_it_is(
    app: App, standing: Api, route: str, body: object, code: str
) -> None:
    assert standing("PATCH", f"/routes/{route}", body).code == code
    assert app.read("config", "routes.toml").decode() == TEXT
    assert standing.get("/routes/history")["history"] == []


def test_a_text_is_checked_without_taking_effect(standing: Api) -> None:
    bad = standing("POST", "/routes/check", "[routes.a]\npattern = 1").body
    assert (bad["valid"], len(bad["problems"])) == (False, 2)
    good = standing("POST", "/routes/check", TEXT.replace("one.example", "two.example")).body
    assert (good["valid"], [change["key"] for change in good["changes"]]) == (True, ["model"])
    assert model(standing) == "https://one.example/jobs"


def test_a_bad_text_is_refused_with_every_problem(standing: Api) -> None:
    answer = standing("PUT", "/routes.toml", "[routes.a]\npattern = 1\n[routes.B]\nmodel = 'x'")
    assert (answer.status, answer.code) == (422, "bad-routes")
    assert len(answer.body["problems"]) >= 3
    assert model(standing) == "https://one.example/jobs"


def test_a_text_is_put_only_over_the_one_that_was_read(standing: Api) -> None:
    etag = standing("GET", "/routes.toml").headers["ETag"]
    assert standing("PUT", "/routes.toml", TEXT + "# more", If_Match=etag).status == 200
    late = standing("PUT", "/routes.toml", TEXT + "# less", If_Match=etag)
    assert (late.status, late.code) == (412, "changed-meanwhile")
    assert standing("GET", "/routes.toml").content.decode() == TEXT + "# more"


def test_the_packaged_routes_can_be_replaced_and_come_back(
    app: App, api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packaged = TEXT.replace("one.example", "packaged.example")
    (tmp_path / "routes.toml").write_text(packaged)
    monkeypatch.setattr(current_routes, "PACKAGED", tmp_path / "routes.toml")
    current_routes.loaded.routes, current_routes.loaded.at = None, -current_routes.FRESH_FOR
    assert model(api) == "https://packaged.example/jobs"
    assert api("PUT", "/routes.toml", TEXT).status == 200
    assert model(api) == "https://one.example/jobs"
    assert api("POST", "/routes/rollback", {}).status == 200
    assert app.read("config", "routes.toml").decode() == packaged


def test_going_back_leaves_out_what_was_broken_by_hand(app: App, standing: Api) -> None:
    standing("PATCH", "/routes/double", {"max_jobs": 2})
    app.container("config").upload_blob("routes.toml", "[routes.a]\npattern = 1", overwrite=True)
    standing("PUT", "/routes.toml", TEXT.replace("one.example", "three.example"))
    assert standing("POST", "/routes/rollback", {}).status == 200
    assert b"max_jobs" in app.read("config", "routes.toml")


def test_a_change_is_the_last_good_text_at_once(app: App, standing: Api) -> None:
    standing("PATCH", "/routes/double", {"max_jobs": 3})
    app.container("config").upload_blob("routes.toml", "[routes.a", overwrite=True)
    current_routes.loaded.routes, current_routes.loaded.at = None, -current_routes.FRESH_FOR
    [route] = standing.get("/routes")["routes"]
    assert route["max_jobs"] == 3


@pytest.mark.parametrize("text", ["[routes.double", "[routes.double]\npattern = 1\npattern = 2"])
def test_a_text_that_is_no_toml_is_not_changed_key_by_key(app: App, standing: Api, text: str) -> None:
    app.container("config").upload_blob("routes.toml", text, overwrite=True)
    answer = standing("PATCH", "/routes/double", {"max_jobs": 3})
    assert (answer.status, answer.code) == (422, "bad-routes")


def test_what_people_put_beside_the_history_is_none_of_it(app: App, standing: Api) -> None:
    app.container("config").upload_blob("history/before-the-swap.toml", TEXT)
    standing("PATCH", "/routes/double", {"max_jobs": 2})
    assert len(standing.get("/routes/history")["history"]) == 2
    assert standing("POST", "/routes/rollback", {}).status == 200


def test_there_is_nothing_to_go_back_to(standing: Api) -> None:
    assert standing("POST", "/routes/rollback", {}).code == "nothing-to-roll-back"
    assert standing("POST", "/routes/rollback", {"to": "nothing"}).code == "no-such-version"
    assert standing("POST", "/routes/rollback", {"to": "../routes"}).code == "no-such-version"


def test_a_text_that_was_broken_by_hand_is_shown_with_its_problem(app: App, standing: Api) -> None:
    assert model(standing) == "https://one.example/jobs"
    app.container("config").upload_blob("routes.toml", "[routes.a", overwrite=True)
    current_routes.loaded.at = -current_routes.FRESH_FOR
    found = standing.get("/routes")
    assert "not TOML" in found["problem"]
    assert found["routes"][0]["name"] == "double"

"""One file over HTTP: where it is at every moment, how it is dropped, its predictions."""

import pytest
from azure.storage.blob import BlobClient

from shared import clients
from shared.names import bare_etag
from shared.records import Verdict
from tests.activities.conftest import ONE_ROW, App
from tests.activities.stages import packed
from tests.triggers.api import Api
from triggers.http.answers import address_of


def where(api: Api, name: str = "double/a.csv") -> dict[str, object]:
    found: dict[str, object] = api.get(f"/files/{name}")
    return found


def worded(app: App, word: str, why: str = "") -> None:
    """The file's run has closed with this word."""
    launch = app.opened(app.drop("double/a.csv", ONE_ROW))
    [version] = app.ledger.sealed(launch.run)
    app.ledger.resulted(
        launch,
        app.ledger.fenced(launch),
        [Verdict(version=version.key, blob=version.blob, word=word, why=why, rows=3)],
    )
    app.ledger.closed(launch, "failed")


def test_a_file_nobody_has_seen_yet_lies_in_the_inbox(app: App, api: Api) -> None:
    app.drop("double/a.csv", ONE_ROW)
    found = where(api)
    assert (found["state"], found["versions"]) == ("seen", [])
    assert "within a minute" in str(found["says"])


def test_a_file_that_waits_says_for_what(app: App, api: Api) -> None:
    app.begun(app.route(), "double/first.csv")
    app.wait("double/before.csv")
    app.sleep(seconds=2)
    app.wait("double/a.csv")
    found = where(api)
    assert found["state"] == "waiting"
    assert "1 of 1 jobs are busy" in str(found["says"])


def test_a_file_of_a_held_route_says_why_it_waits(app: App, api: Api) -> None:
    app.wait("double/a.csv")
    app.ledger.hold(app.route(), "the endpoint answers 403")
    assert "the endpoint answers 403" in str(where(api)["says"])


def test_a_file_of_a_scheduled_route_says_when_its_time_comes(app: App, api: Api) -> None:
    app.set_routes(app.route(schedule="0 0 6 * * *"))
    app.wait("double/a.csv")
    assert "06:00 UTC" in str(where(api)["says"])


def test_a_file_that_is_being_scored_names_its_run(app: App, api: Api) -> None:
    launch = app.opened(app.drop("double/a.csv", ONE_ROW))
    found = where(api)
    assert (found["state"], found["run"]) == ("running", launch.run)


def test_a_file_that_pack_has_refused_says_so_long_before_its_run_ends(app: App, api: Api) -> None:
    good, bad = app.drop("named/a.csv", ONE_ROW), app.drop("named/bad.csv", "id,y\nb,2\n")
    launch = packed(app, good, bad, route=app.named())
    found = where(api, "named/bad.csv")
    assert (found["state"], found["run"]) == ("running", launch.run)
    assert "checked and refused: " in str(found["says"])
    assert '"x"' in str(found["says"])
    assert "moved to rejected when its run ends" in str(found["says"])
    assert '"x"' in found["versions"][0]["why"]  # type: ignore[index]
    assert "being scored: packed" in str(where(api, "named/a.csv")["says"])
    files = api.get(f"/runs/{launch.run}/files")["files"]
    assert [(one["blob"], one["word"]) for one in files] == [
        ("named/a.csv", ""),
        ("named/bad.csv", "rejected"),
    ]
    assert [one["blob"] for one in api.get(f"/runs/{launch.run}/files?word=rejected")["files"]] == [
        "named/bad.csv"
    ]


def test_a_file_whose_run_was_turned_away_says_that_it_goes_back_to_wait(app: App, api: Api) -> None:
    launch = app.opened(app.drop("double/a.csv", ONE_ROW))
    app.ledger.turned_away(launch, "there is no endpoint of this name.")
    assert "goes back to wait: there is no endpoint of this name. The" in str(where(api)["says"])


def test_a_file_waits_for_a_held_route_also_while_the_app_tries_again(app: App, api: Api) -> None:
    app.wait("double/a.csv")
    app.ledger.hold(app.route(), "there is no endpoint of this name.")
    app.ledger.lift(app.route())
    assert "It waits: there is no endpoint of this name. The app" in str(where(api)["says"])
    app.sleep(hours=2)
    assert "no endpoint" not in str(where(api)["says"])


def test_an_empty_file_says_how_long_it_is_left_alone(app: App, api: Api) -> None:
    app.drop("double/a.csv", "")
    assert "5 minutes (DROPSCORE_EMPTY_AFTER)" in str(where(api)["says"])


@pytest.mark.parametrize("word", ["published", "unchanged", "failed", "superseded", "withdrawn", "canceled"])
def test_a_file_that_has_ended_says_how_and_why(app: App, api: Api, word: str) -> None:
    worded(app, word, "because")
    found = where(api)
    assert found["state"] == word
    assert "because" in str(found["says"])


def test_a_rejected_file_shows_the_note_beside_it(app: App, api: Api) -> None:
    worded(app, "rejected", "Line 3")
    app.container("rejected").upload_blob("double/a.csv.why.txt", "double/a.csv was not scored. Line 3")
    found = where(api)
    assert found["state"] == "rejected"
    assert found["rejected"] == {"name": "double/a.csv", "why": "double/a.csv was not scored. Line 3"}


def test_a_file_that_was_dropped_again_is_as_its_newest_version(app: App, api: Api) -> None:
    worded(app, "failed")
    app.sleep(seconds=2)
    app.wait("double/a.csv", data="id,x\nb,2\n")
    found = where(api)
    assert found["state"] == "waiting"
    assert [one["state"] for one in found["versions"]] == ["waiting", "failed"]  # type: ignore[attr-defined]


def test_a_file_that_no_route_takes_stays(app: App, api: Api) -> None:
    app.drop("elsewhere/a.csv", ONE_ROW)
    found = where(api, "elsewhere/a.csv")
    assert found["state"] == "ignored"
    assert "double/*.csv" in str(found["says"])
    assert "named/*.csv" in str(found["says"])


def test_predictions_say_where_they_lie(app: App, api: Api) -> None:
    worded(app, "published")
    app.container("predictions").upload_blob("double/a.csv", "id,twice\na,2\n")
    found = where(api)
    assert found["predictions"]["url"].endswith("/double/a.csv")  # type: ignore[index]
    assert found["errors"] is None
    app.container("predictions").upload_blob(
        "double/a.csv.errors.csv", "line,column,reason\n3,x,not a number\n"
    )
    assert where(api)["errors"]["url"].endswith("/double/a.csv.errors.csv")  # type: ignore[index]


@pytest.mark.parametrize(("name", "status"), [("double/no.csv", 404), ("double/../x", 400), ("a%5Cb", 400)])
def test_a_name_without_a_file_is_told_so(api: Api, name: str, status: int) -> None:
    assert api("GET", f"/files/{name}").status == status


def test_names_are_found_by_how_they_begin(app: App, api: Api) -> None:
    app.drop("double/a.csv", ONE_ROW)
    app.container("predictions").upload_blob("double/a.csv", "x")
    app.container("rejected").upload_blob("double/b.csv", "x")
    app.container("rejected").upload_blob("double/b.csv.why.txt", "x")
    found = api.get("/files?prefix=double/")
    assert [(one["file"], one["in"]) for one in found["files"]] == [
        ("double/a.csv", ["inbox", "predictions"]),
        ("double/b.csv", ["rejected"]),
    ]
    assert api.get("/files?prefix=double/&limit=1")["more"]


def test_a_file_is_dropped_by_putting_it(app: App, api: Api) -> None:
    answer = api("PUT", "/files/double/größe 1.csv", ONE_ROW)
    assert answer.status == 202
    assert app.read("inbox", "double/größe 1.csv") == ONE_ROW.encode()
    assert (answer.body["route"], answer.body["size"]) == ("double", len(ONE_ROW))
    assert answer.body["etag"] == api.get("/files/double/größe 1.csv")["inbox"]["etag"]
    [run] = answer.body["runs"]
    assert list(api.client.started) == [f"{run['run']}-1"]
    assert answer.headers["Location"].endswith("/api/files/double/gr%C3%B6%C3%9Fe%201.csv")


def test_a_file_that_stands_is_replaced_only_where_that_is_wanted(app: App, api: Api) -> None:
    app.drop("double/a.csv", ONE_ROW)
    refused = api("PUT", "/files/double/a.csv", "id,x\nb,2\n", If_None_Match="*")
    assert (refused.status, refused.code) == (409, "file-exists")
    assert app.read("inbox", "double/a.csv") == ONE_ROW.encode()
    assert api("PUT", "/files/double/a.csv", "id,x\nb,2\n").status == 202
    assert app.read("inbox", "double/a.csv") == b"id,x\nb,2\n"


@pytest.mark.parametrize(
    ("name", "body", "code"),
    [
        ("elsewhere/a.csv", ONE_ROW, "no-route"),
        ("double/a.csv", "", "empty-file"),
        ("double/../ledger/owner.json", ONE_ROW, "bad-name"),
        ("double/a.csv", b"x" * 50_000_001, "file-too-large"),
    ],
)
def test_what_cannot_be_scored_is_not_dropped(app: App, api: Api, name: str, body: object, code: str) -> None:
    assert api("PUT", f"/files/{name}", body).code == code
    assert app.names("inbox") == []


def test_a_file_of_many_versions_is_as_its_newest(app: App, api: Api) -> None:
    for number in range(25):
        app.wait("double/a.csv", data=f"id,x\na,{number}\n")
        launch = app.opened(app.drop("double/a.csv", f"id,x\na,{number}\n"))
        app.ledger.forget_markers(app.ledger.waiting("double"))
        app.ledger.resulted(launch, app.ledger.fenced(launch), [])
        app.ledger.closed(launch, "succeeded")
        app.sleep(seconds=2)
    newest = bare_etag(app.container("inbox").get_blob_client("double/a.csv").get_blob_properties().etag)
    assert newest in [one["etag"] for one in where(api)["versions"]]  # type: ignore[attr-defined]
    assert where(api)["state"] == "failed"


def test_a_file_whose_time_has_come_is_not_said_to_wait_for_the_next(app: App, api: Api) -> None:
    app.set_routes(app.route(schedule="0 0 6 * * *"))
    app.wait("double/a.csv")
    app.sleep(days=2)
    assert "UTC" not in str(where(api)["says"])


def test_no_address_holds_what_gives_access() -> None:
    blob = BlobClient.from_blob_url("https://a.example/c/b.csv?sv=2025&sig=secret")
    assert "secret" in blob.url
    assert address_of(blob) == "https://a.example/c/b.csv"


@pytest.mark.parametrize("condition", [{"If_Match": '"0x1"'}, {"If_None_Match": '"0x1"'}])
def test_a_condition_that_is_not_looked_at_is_refused(app: App, api: Api, condition: dict[str, str]) -> None:
    app.drop("double/a.csv", ONE_ROW)
    assert api("PUT", "/files/double/a.csv", "id,x\nb,2\n", **condition).code == "bad-condition"
    assert app.read("inbox", "double/a.csv") == ONE_ROW.encode()


def test_the_same_file_put_again_after_a_lost_answer_is_no_other_file(app: App, api: Api) -> None:
    first = api("PUT", "/files/double/a.csv", ONE_ROW, If_None_Match="*")
    again = api("PUT", "/files/double/a.csv", ONE_ROW, If_None_Match="*")
    assert (first.status, again.status) == (202, 202)
    assert first.body["etag"] == again.body["etag"]


def test_what_waits_is_listed_first_dropped_first(app: App, api: Api) -> None:
    app.wait("double/a.csv")
    app.wait("named/b.csv")
    found = api.get("/waiting?limit=1")
    assert (len(found["waiting"]), found["total"]) == (1, 2)
    assert [one["file"] for one in api.get("/waiting?route=named")["waiting"]] == ["named/b.csv"]


PREDICTIONS = "id,twice\n" + "".join(f"row {number},{number}\n" for number in range(100))


@pytest.fixture
def shown(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """Row values may be shown."""
    monkeypatch.setenv("DROPSCORE_ROW_VALUES", "yes")
    clients.settings.cache_clear()
    app.container("predictions").upload_blob("double/a.csv", PREDICTIONS)


@pytest.mark.usefixtures("shown")
def test_predictions_are_given_where_row_values_may_be_shown(api: Api) -> None:
    answer = api("GET", "/predictions/double/a.csv")
    assert (answer.status, answer.content) == (200, PREDICTIONS.encode())
    assert (api("GET", "/predictions/double/no.csv").code, answer.kind) == (
        "no-predictions",
        "text/csv; charset=utf-8",
    )


@pytest.mark.usefixtures("shown")
def test_a_look_shows_the_first_rows_and_a_histogram_of_the_predicted_column(api: Api) -> None:
    found = api.get("/preview/double/a.csv")
    assert (found["columns"], len(found["rows"])) == (["id", "twice"], 50)
    histogram = found["histogram"]
    assert (histogram["column"], histogram["kind"], histogram["rows"]) == ("twice", "number", 100)
    assert sum(one["count"] for one in histogram["bins"]) == 100


@pytest.mark.parametrize("kind", ["predictions", "preview"])
def test_no_row_value_is_shown_where_nothing_allows_it(app: App, api: Api, kind: str) -> None:
    app.container("predictions").upload_blob("double/a.csv", PREDICTIONS)
    answer = api("GET", f"/{kind}/double/a.csv")
    assert (answer.status, answer.code) == (403, "row-values-not-allowed")
    assert b"row 1" not in answer.content


def test_names_are_not_listed_by_control_characters_of_which_storage_cannot_speak(api: Api) -> None:
    answer = api("GET", "/files?prefix=double/%1F")
    assert (answer.status, answer.code) == (400, "bad-query")
    body = {"route": "double", "prefix": "double/\x1f"}
    assert api("POST", "/runs", body).code == "bad-body"
    assert api("POST", "/backfill", body).code == "bad-body"

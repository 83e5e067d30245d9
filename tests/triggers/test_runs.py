"""Runs over HTTP: started, listed page by page, looked at, counted."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from shared import clients
from shared.records import Launch, Verdict
from tests.activities.conftest import ONE_ROW, App
from tests.triggers.api import Api


def closed(
    app: App, name: str, outcome: str = "succeeded", word: str = "published", route: str = "double"
) -> str:
    """A run of one file that has closed."""
    launch = Launch(run=name, launch=1, route=route)
    version = app.drop(f"{route}/{name}.csv", ONE_ROW)
    app.ledger.begin(launch, app.route(name=route))
    app.ledger.bring_plan(name, [version])
    app.ledger.claim(name, version)
    app.ledger.seal(name, [version])
    app.ledger.gathered(launch, 1, oldest=version.modified)
    app.ledger.packed(launch, attempt=1, rows=7, parts=1)
    app.ledger.resulted(
        launch,
        app.ledger.fenced(launch),
        [Verdict(version=version.key, blob=version.blob, word=word, rows=7)],
    )
    app.ledger.closed(launch, outcome)
    app.sleep(minutes=1)
    return name


def runs(answer: dict[str, list[dict[str, str]]]) -> list[str]:
    return [run["run"] for run in answer["runs"]]


def test_a_list_begins_with_the_open_runs_and_goes_on_with_the_closed_ones(app: App, api: Api) -> None:
    first, second = closed(app, "R1"), closed(app, "R2")
    launch = app.begun(app.route(), "double/open.csv")
    api_runs = api.get("/runs")
    assert runs(api_runs) == [launch.run, second, first]
    assert runs(api.get("/runs?state=open")) == [launch.run]
    assert runs(api.get("/runs?state=closed")) == [second, first]


def test_a_list_is_read_page_by_page_to_its_end(app: App, api: Api) -> None:
    names = [closed(app, f"R{number}") for number in range(5)]
    found, after = [], ""
    while True:
        page = api.get(f"/runs?limit=2{after}")
        found += runs(page)
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert found == names[::-1]


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("outcome=failed", ["R3", "R1"]),
        ("route=named", ["R2"]),
        ("route=named&outcome=failed", []),
        ("outcome=failed&limit=1", ["R3"]),
    ],
)
def test_a_list_shows_what_was_asked_for(app: App, api: Api, query: str, wanted: list[str]) -> None:
    for name, outcome, route in (
        ("R0", "succeeded", "double"),
        ("R1", "failed", "double"),
        ("R2", "succeeded", "named"),
        ("R3", "failed", "double"),
    ):
        closed(app, name, outcome, route=route)
    assert runs(api.get(f"/runs?{query}")) == wanted


def test_a_filtered_list_goes_on_where_it_stopped(app: App, api: Api) -> None:
    for number in range(4):
        closed(app, f"R{number}", "failed" if number % 2 else "succeeded")
    first = api.get("/runs?outcome=failed&limit=1")
    assert runs(first) == ["R3"]
    second = api.get(f"/runs?outcome=failed&limit=1&after={first['next']}")
    assert runs(second) == ["R1"]


def test_a_list_keeps_to_a_time(app: App, api: Api) -> None:
    closed(app, "R0")
    begin = (app.now() + timedelta(seconds=-1)).isoformat().replace("+00:00", "Z")
    closed(app, "R1")
    assert runs(api.get(f"/runs?since={begin}")) == ["R1"]
    assert runs(api.get(f"/runs?until={begin}")) == ["R0"]


@pytest.mark.parametrize(
    "query",
    [
        *("limit=0", "limit=201", "limit=x", "limit=²", "limit=", "until=", "state=shut", "outcome=fine"),
        *("since=yesterday", "since=2026-01-01T00:00:00", "after=x", "after=WzEsMl0=", "after=W10="),
    ],
)
def test_a_query_that_means_nothing_is_told_so(api: Api, query: str) -> None:
    answer = api("GET", f"/runs?{query}")
    assert (answer.status, answer.code) == (400, "bad-query")


def test_a_run_that_was_reopened_is_listed_once(app: App, api: Api) -> None:
    name = closed(app, "R1", "failed", "failed")
    assert app.ledger.reopen(name, app.route()) is not None
    assert runs(api.get("/runs")) == [name]


def test_one_run_shows_its_stages_with_their_times_and_its_files(app: App, api: Api) -> None:
    name = closed(app, "R1")
    run = api.get(f"/runs/{name}")
    assert [entry["stage"] for entry in run["timeline"]] == [
        "gathering",
        "gathered",
        "packed",
        "resulted",
        "closed",
    ]
    assert (run["words"], run["rows"], run["files"]) == ({"published": 1}, 7, 1)
    assert [file["word"] for file in run["results"]] == ["published"]
    assert run["url"] == f"https://app.example/api/runs/{name}"


def test_the_files_of_an_open_run_are_shown_before_they_have_a_word(app: App, api: Api) -> None:
    launch = app.opened(app.drop("double/a.csv", ONE_ROW))
    files = api.get(f"/runs/{launch.run}/files")
    assert [(file["blob"], file["word"]) for file in files["files"]] == [("double/a.csv", "")]


def test_the_files_of_a_run_come_in_pages_and_by_word(app: App, api: Api) -> None:
    launch = Launch(run="R1", launch=1, route="double")
    app.ledger.begin(launch, app.route())
    words = [
        Verdict(
            version=str(number), blob=f"double/{number}.csv", word="failed" if number % 3 else "published"
        )
        for number in range(150)
    ]
    app.ledger.resulted(launch, app.ledger.fenced(launch), words)
    assert api.get("/runs/R1")["results_next"] == 100
    last = api.get("/runs/R1/files?after=100")
    assert (len(last["files"]), last["next"], last["total"]) == (50, None, 150)
    failed = api.get("/runs/R1/files?word=failed&limit=60")
    assert (len(failed["files"]), failed["next"], failed["total"]) == (60, 60, 100)


def test_an_open_run_says_when_runs_of_its_route_usually_end(app: App, api: Api) -> None:
    launch = Launch(run="R1", launch=1, route="double")
    app.ledger.begin(launch, app.route())
    app.ledger.packed(app_gathered(app, launch), attempt=1, rows=1, parts=1)
    app.sleep(minutes=10)
    app.ledger.closed(launch, "succeeded")
    opened = app.begun(app.route(), "double/open.csv")
    run = api.get(f"/runs/{opened.run}")
    assert run["expected_at"] is not None
    assert run["expected_at"] > run["created_at"]


def app_gathered(app: App, launch: Launch) -> Launch:
    app.ledger.gathered(launch, 1)
    return launch


def test_no_run_is_told_so(api: Api) -> None:
    for address in ("/runs/nobody", "/runs/no body", "/runs/R1/files"):
        answer = api("GET", address)
        assert (answer.status, answer.code) == (404, "no-such-run")


def test_the_last_hours_are_counted_by_the_hour(app: App, api: Api) -> None:
    closed(app, "R1")
    app.sleep(hours=1)
    closed(app, "R2", "failed", "failed")
    stats = api.get("/stats?hours=3")
    counted = [(bucket["runs"], bucket["failed"]) for bucket in stats["buckets"] if bucket["runs"]]
    assert counted == [(1, 0), (1, 1)]
    assert len(stats["buckets"]) == 3
    assert stats["routes"]["double"]["runs"] == 2


def test_everything_below_a_prefix_makes_one_request(app: App, api: Api) -> None:
    for name in ("named/a/1.csv", "named/a/2.csv", "named/b.csv"):
        app.drop(name, ONE_ROW)
    app.set_routes(app.named(pattern="named/**"))
    answer = api("POST", "/runs", {"route": "named", "prefix": "named/a/"})
    assert answer.status == 202
    assert [run["blobs"] for run in answer.body["runs"]] == [["named/a/1.csv", "named/a/2.csv"]]
    assert answer.headers["Location"] == answer.body["runs"][0]["url"]


def test_a_run_may_be_given_another_deadline_and_no_other_model(app: App, api: Api) -> None:
    app.drop("double/a.csv", ONE_ROW)
    body = {"route": "double", "blobs": ["double/a.csv"]}
    answer = api("POST", "/runs", {**body, "overrides": {"deadline": "1h", "deployment": "green"}})
    assert answer.status == 202
    run = app.ledger.run(answer.body["runs"][0]["run"])
    assert run is not None
    assert (run.route["deadline"], run.route["deployment"]) == ("1h", "green")
    wrong: list[object] = [{"model": "https://x/jobs"}, {"deadline": "soon"}, {"deadline": 1}, []]
    for overrides in wrong:
        refused = api("POST", "/runs", {**body, "overrides": overrides})
        assert (refused.status, refused.code) == (400, "bad-body")


def test_of_requests_at_once_no_more_are_let_in_than_may_be_open(
    app: App, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DROPSCORE_MAX_ADHOC", "3")
    clients.settings.cache_clear()
    names = [f"double/{number}.csv" for number in range(8)]
    for name in names:
        app.drop(name, ONE_ROW)
    with ThreadPoolExecutor(len(names)) as threads:
        answers = list(
            threads.map(lambda name: api("POST", "/runs", {"route": "double", "blobs": [name]}), names)
        )
    assert sorted(answer.status for answer in answers) == [202] * 3 + [429] * 5
    assert {answer.code for answer in answers if answer.status == 429} == {"too-many-runs"}
    assert len(api.client.started) == len(list(app.ledger.announced())) == 3


@pytest.mark.parametrize(
    "body",
    [
        *({}, [], "text", {"route": "double"}, {"route": 1, "blobs": ["a"]}, {"route": "", "blobs": ["a"]}),
        *(
            {"route": "double", "blobs": []},
            {"route": "double", "blobs": "a"},
            {"route": "double", "blobs": [""]},
        ),
        *({"route": "double", "blobs": ["a"], "prefix": "b"}, {"route": "double", "blobs": ["a"], "more": 1}),
        {"route": "double", "input": "https://a/b", "force": True},
        *({"route": "double", "input": ""}, {"route": "double", "prefix": ""}),
    ],
)
def test_a_body_that_is_no_request_is_told_so(api: Api, body: object) -> None:
    answer = api("POST", "/runs", body)
    assert (answer.status, answer.code) == (400, "bad-body")


def test_an_input_of_the_apps_own_account_is_copied_into_the_inbox_and_scored(app: App, api: Api) -> None:
    app.container("archive").upload_blob("old/x.csv", ONE_ROW)
    address = app.container("archive").get_blob_client("old/x.csv").url
    answer = api("POST", "/runs", {"route": "double", "input": address})
    assert (answer.status, answer.body["file"]) == (202, "double/x.csv")
    assert app.read("inbox", "double/x.csv") == ONE_ROW.encode()
    assert len(api.client.started) == 1
    again = api("POST", "/runs", {"route": "double", "input": address})
    assert (again.status, again.code) == (409, "file-exists")


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("https://elsewhere.blob.core.windows.net/c/x.csv", "input-not-allowed"),
        ("https://known.blob.core.windows.net.evil.example/c/x.csv", "input-not-allowed"),
        ("https://known.blob.core.windows.net@evil.example/c/x.csv", "bad-input"),
        ("https://evil.example/known.blob.core.windows.net/x.csv", "input-not-allowed"),
        ("http://known.blob.core.windows.net/c/x.csv", "input-not-allowed"),
        ("https://known.blob.core.windows.net/c/x.csv?sig=abc", "bad-input"),
        ("https://known.blob.core.windows.net/c/../x.csv", "input-not-allowed"),
        ("https://known.blob.core.windows.net:444/c/x.csv", "input-not-allowed"),
        ("https://[::1/c/x.csv", "input-not-allowed"),
        ("file:///etc/passwd", "input-not-allowed"),
        ("x.csv", "input-not-allowed"),
        ("https://known.blob.core.windows.net/only", "input-not-allowed"),
        ("https://known.blob.core.windows.net/c/a%5Cb.csv", "input-not-allowed"),
    ],
)
def test_an_address_of_no_allowed_account_is_not_read(
    app: App, api: Api, monkeypatch: pytest.MonkeyPatch, address: str, code: str
) -> None:
    monkeypatch.setenv("DROPSCORE_INPUT_ACCOUNTS", "known.blob.core.windows.net")
    clients.settings.cache_clear()
    monkeypatch.setattr("triggers.http.inputs.BlobClient.from_blob_url", None)
    answer = api("POST", "/runs", {"route": "double", "input": address})
    assert answer.code == code


def test_the_same_key_and_prefix_name_the_same_run_whatever_has_come_since(app: App, api: Api) -> None:
    app.set_routes(app.named(pattern="named/**"))
    app.drop("named/a/1.csv", ONE_ROW)
    body = {"route": "named", "prefix": "named/a/"}
    first = api("POST", "/runs", body, Idempotency_Key="k")
    app.drop("named/a/2.csv", ONE_ROW)
    again = api("POST", "/runs", body, Idempotency_Key="k")
    assert again.body == first.body
    assert len(api.client.started) == 1


def test_a_prefix_takes_the_routes_own_files_and_none_that_are_empty(app: App, api: Api) -> None:
    app.set_routes(app.named(name="special", pattern="named/special/*"), app.named(pattern="named/**"))
    for name in ("named/1.csv", "named/special/2.csv"):
        app.drop(name, ONE_ROW)
    app.drop("named/3.csv", "")
    answer = api("POST", "/runs", {"route": "named", "prefix": "named/"})
    assert [run["blobs"] for run in answer.body["runs"]] == [["named/1.csv"]]


def test_more_runs_than_may_ever_be_open_are_not_told_to_try_again(app: App, api: Api) -> None:
    for number in range(11):
        app.drop(f"double/{number}.csv", ONE_ROW)
    answer = api("POST", "/runs", {"route": "double", "prefix": "double/"})
    assert (answer.status, answer.code) == (413, "too-many-blobs")
    assert "backfill" in answer.body["detail"]


@pytest.mark.parametrize("name", ["double/a\\b.csv", "double/../x.csv", "named/x.csv"])
def test_an_input_gets_a_name_that_the_route_takes(app: App, api: Api, name: str) -> None:
    app.container("archive").upload_blob("x.csv", ONE_ROW)
    address = app.container("archive").get_blob_client("x.csv").url
    answer = api("POST", "/runs", {"route": "double", "input": address, "as": name})
    assert (answer.status, answer.code) == (400, "bad-name")
    assert app.names("inbox") == []


def test_a_list_goes_on_behind_what_it_has_shown_whatever_closes_meanwhile(app: App, api: Api) -> None:
    for number in range(4):
        closed(app, f"R{number}", "failed")
    first = api.get("/runs?outcome=failed&limit=2")
    closed(app, "R4", "failed")
    second = api.get(f"/runs?outcome=failed&limit=2&after={first['next']}")
    assert (runs(first), runs(second)) == (["R3", "R2"], ["R1", "R0"])


def test_a_run_that_is_just_being_closed_is_listed_once(app: App, api: Api) -> None:
    launch = app.begun(app.route(), "double/a.csv")
    app.ledger.change(
        launch, lambda run: run.but(stage="closed", outcome="empty", closed_at=app.ledger.now())
    )
    assert runs(api.get("/runs")) == runs(api.get("/runs?state=closed")) == [launch.run]
    assert runs(api.get("/runs?state=open")) == []
    app.ledger.closed(launch, "empty")
    assert runs(api.get("/runs")) == [launch.run]


def test_the_apps_private_containers_are_no_inputs(app: App, api: Api) -> None:
    address = app.container("ledger").get_blob_client("owner.json").url
    answer = api("POST", "/runs", {"route": "double", "input": address})
    assert (answer.status, answer.code) == (403, "input-not-allowed")

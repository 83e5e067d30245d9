"""Notices: what a real receiver is sent, how often it is tried, and that nothing is ever sent twice."""

import hmac
import json
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import Any

import pytest

from activities.notices import WAITS, deliver_notice
from activities.runs import close_run
from activities.sweeps import start_waiting
from shared import clients, webhooks
from shared.ledger_keys import notice_key, untold_key
from shared.ledger_notices import STARTS, TOLD_WITHIN
from shared.records import Launch, Notice, Verdict
from tests.activities.conftest import ONE_ROW, App
from tests.activities.durable_client import Client, called
from tests.shared.scripted_http import Answer, Endpoint, Received, Reply, Reset

OLD, NEW = b"the old secret, 24 bytes", b"the new secret of 26 bytes"
SECRETS = " ".join(f"whsec_{b64encode(secret).decode()}" for secret in (NEW, OLD))


def receiving(*answers: Answer) -> Endpoint:
    """A receiver that gives these answers in turn, the last one ever after."""
    left = list(answers)
    return Endpoint(lambda _: left.pop(0) if len(left) > 1 else left[0])


@pytest.fixture
def signing(app: App, monkeypatch: pytest.MonkeyPatch) -> App:
    monkeypatch.setenv("DROPSCORE_WEBHOOK_SECRET", SECRETS)
    clients.settings.cache_clear()
    return app


def closed(app: App, url: str, *words: str) -> Launch:
    """A run that has closed with these words, one for each of its files; its notice is to be delivered."""
    route = app.route(notify=url)
    app.set_routes(route)
    versions = [app.drop(f"double/{number:03d}.csv", ONE_ROW) for number in range(len(words or "a"))]
    launch = app.opened(*versions, route=route)
    verdicts = [
        Verdict(version=one.key, blob=one.blob, word=word, why="row 7", where=f"predictions/{one.blob}")
        for one, word in zip(versions, words or ("published",), strict=True)
    ]
    app.ledger.resulted(launch, app.ledger.fenced(launch), verdicts)
    client = Client()
    called(close_run, launch.to_dict(), client)
    assert client.notices == {f"{launch.run}-1-notice-1": launch.to_dict()}
    return launch


def told(launch: Launch) -> list[dict[str, Any]]:
    """What each step of telling answers, to the last."""
    steps: list[dict[str, Any]] = []
    while not steps or steps[-1]["again"]:
        steps.append(deliver_notice(launch.to_dict()))
    return steps


def noted(app: App, launch: Launch) -> Notice:
    found = app.ledger.store.read(notice_key(launch))
    assert found is not None
    return Notice.from_dict(found[0])


def verified(secret: bytes, request: Received) -> bool:
    """As a receiver checks: over id, time and the raw body."""
    head = {key.lower(): value for key, value in request.headers.items()}
    content = f"{head['webhook-id']}.{head['webhook-timestamp']}.".encode() + request.body
    expected = b64encode(hmac.new(secret, content, sha256).digest()).decode()
    return f"v1,{expected}" in head["webhook-signature"].split()


def test_a_closed_run_is_told_once_signed_with_every_secret(signing: App) -> None:
    with receiving(Reply(204)) as receiver:
        launch = closed(signing, f"{receiver.url}/hook?code=s3cret", "published")
        assert told(launch) == [{"again": False, "came_of": "accepted"}]
        assert told(launch) == [{"again": False, "came_of": "accepted"}]
    [request] = receiver.received
    assert (request.method, request.path) == ("POST", "/hook?code=s3cret")
    assert verified(NEW, request)
    assert verified(OLD, request)
    assert not verified(b"another secret of a stranger", request)
    assert request.headers["webhook-id"] == launch.instance_id
    assert noted(signing, launch).but(at="", nonce="") == Notice(
        came_of="accepted", attempts=1, status=204, why=""
    )
    assert signing.ledger.untold() == []


def test_the_body_names_the_run_its_words_and_its_files_and_no_reason(signing: App) -> None:
    with receiving(Reply()) as receiver:
        launch = closed(signing, receiver.url, "published", "failed")
        told(launch)
    run = signing.run(launch)
    assert json.loads(receiver.received[0].body) == {
        "type": "run.closed",
        "timestamp": run.closed_at,
        "data": {
            "id": f"{launch.run}-1",
            "route": "double",
            "run": launch.run,
            "outcome": "partial",
            "created_at": run.created_at,
            "closed_at": run.closed_at,
            "files": 2,
            "rows": 0,
            "words": {"published": 1, "failed": 1},
            "failed_stage": "",
            "studio": "",
            "results": [
                {"blob": "double/001.csv", "word": "failed", "where": "predictions/double/001.csv"},
                {"blob": "double/000.csv", "word": "published", "where": "predictions/double/000.csv"},
            ],
            "more": 0,
        },
    }
    assert b"row 7" not in receiver.received[0].body


@pytest.mark.full
def test_of_many_files_a_hundred_are_named(signing: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("activities.notices.FILES_TOLD", 1)
    with receiving(Reply()) as receiver:
        told(closed(signing, receiver.url, "published", "rejected", "published"))
    data = json.loads(receiver.received[0].body)["data"]
    assert [one["word"] for one in data["results"]] == ["rejected"]
    assert data["more"] == 2


def test_an_answer_that_is_no_acceptance_is_tried_again_as_late_as_it_asks(signing: App) -> None:
    answers = (Reply(500), Reply(503, headers={"Retry-After": "60"}), Reply(404), Reply(200))
    with receiving(*answers) as receiver:
        launch = closed(signing, receiver.url)
        assert [step.get("wait") for step in told(launch)] == [WAITS[0], 60.0, WAITS[2], None]
    assert len({request.headers["webhook-id"] for request in receiver.received}) == 1
    assert noted(signing, launch).came_of == "accepted"


def test_a_receiver_that_never_accepts_is_given_up(signing: App) -> None:
    with receiving(Reply(500, headers={"Retry-After": "86400"})) as receiver:
        launch = closed(signing, receiver.url)
        waits = [step.get("wait") for step in told(launch)]
    assert waits == [webhooks.LONGEST_WAIT] * len(WAITS) + [None]
    assert len(receiver.received) == 1 + len(WAITS)
    assert noted(signing, launch).came_of == "given-up"
    assert signing.run(launch).outcome == "succeeded"


@pytest.mark.parametrize("status", [pytest.param(301, marks=pytest.mark.full), 307, 410])
def test_no_redirect_is_followed_and_who_wants_no_more_gets_no_more(signing: App, status: int) -> None:
    with (
        receiving(Reply()) as elsewhere,
        receiving(Reply(status, headers={"Location": elsewhere.url})) as old,
    ):
        launch = closed(signing, old.url)
        assert told(launch) == [{"again": False, "came_of": "refused"}]
    assert (len(old.received), len(elsewhere.received)) == (1, 0)
    assert noted(signing, launch).status == status


def test_what_was_sent_and_not_answered_is_not_sent_again(signing: App) -> None:
    with receiving(Reset()) as receiver:
        launch = closed(signing, receiver.url)
        assert told(launch) == [{"again": False, "came_of": "unknown"}]
    assert len(receiver.received) == 1
    assert noted(signing, launch).why == "ConnectionError"


@contextmanager
def slow() -> Iterator[Endpoint]:
    """A receiver that takes its time, until the block is left."""
    enough = threading.Event()

    def answer(_: Received) -> Answer:
        enough.wait(10)
        return Reset()

    with Endpoint(answer) as receiver:
        yield receiver
        enough.set()


def test_a_slow_receiver_is_left_and_not_sent_the_notice_again(
    signing: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhooks, "TIMEOUT", (1, 0.1))
    with slow() as receiver:
        launch = closed(signing, receiver.url)
        assert told(launch) == [{"again": False, "came_of": "unknown"}]
        assert noted(signing, launch).why == "ReadTimeout"


def test_a_receiver_that_is_down_is_tried_again(signing: App) -> None:
    with receiving(Reply()) as receiver:
        pass
    launch = closed(signing, receiver.url)
    assert deliver_notice(launch.to_dict()) == {"again": True, "wait": WAITS[0]}
    assert noted(signing, launch).why == "ConnectionError"


def test_an_execution_that_died_after_its_post_is_not_repeated(signing: App) -> None:
    with receiving(Reply()) as receiver:
        launch = closed(signing, receiver.url)
        signing.ledger.telling(launch, "the nonce of one that died")
        assert told(launch) == [{"again": False, "came_of": "unknown"}]
    assert receiver.received == []


@pytest.mark.full
def test_an_answer_that_comes_after_another_execution_gave_up_on_it_still_counts(signing: App) -> None:
    launch = closed(signing, "http://127.0.0.1:9")
    signing.ledger.telling(launch, "slow")
    told(launch)
    signing.ledger.told(launch, "slow", "accepted", status=200, why="")
    assert noted(signing, launch).came_of == "accepted"


@pytest.mark.full
def test_without_a_secret_nothing_is_sent(app: App) -> None:
    with receiving(Reply()) as receiver:
        launch = closed(app, receiver.url)
        assert told(launch) == [{"again": False, "came_of": "unsigned"}]
    assert receiver.received == []


def changed_route(app: App, launch: Launch) -> None:
    app.set_routes(app.route())


def reopened_run(app: App, launch: Launch) -> None:
    app.ledger.reopen(launch.run, app.route())


@pytest.mark.parametrize(("change", "came_of"), [(changed_route, "unwanted"), (reopened_run, "overtaken")])
def test_what_nobody_wants_to_know_any_more_is_not_told(
    signing: App, change: Callable[[App, Launch], None], came_of: str
) -> None:
    with receiving(Reply()) as receiver:
        launch = closed(signing, receiver.url)
        change(signing, launch)
        assert told(launch) == [{"again": False, "came_of": came_of}]
    assert receiver.received == []


def test_the_address_is_kept_out_of_the_runs_record_and_of_the_log(
    signing: App, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    with receiving(Reply()) as receiver:
        launch = closed(signing, f"{receiver.url}/hook?code=s3cret")
        told(launch)
    assert signing.run(launch).route["notify"] == ""
    assert "its notice to 127.0.0.1: accepted" in caplog.text
    assert "s3cret" not in caplog.text


def test_a_run_of_a_route_without_a_receiver_leaves_no_notice(app: App) -> None:
    app.set_routes(app.route())
    launch = app.opened(app.drop("double/a.csv", ONE_ROW))
    client = Client()
    called(close_run, launch.to_dict(), client)
    assert client.notices == {}
    assert app.ledger.store.read(untold_key(launch)) is None


@pytest.mark.full
def test_closing_again_tells_nobody_again(signing: App) -> None:
    launch = closed(signing, "http://127.0.0.1:9")
    client = Client()
    called(close_run, launch.to_dict(), client)
    signing.ledger.settle(launch, "given-up")
    called(close_run, launch.to_dict(), client)
    assert client.notices == {}


def swept(client: Client) -> dict[str, Any]:
    """The notices that a sweep has started."""
    called(start_waiting, "sweep-1", client)
    return client.notices


@pytest.mark.full
def test_a_notice_that_nobody_carries_is_found_by_the_sweep_and_given_up_at_last(signing: App) -> None:
    launch = closed(signing, "http://127.0.0.1:9")
    assert swept(Client()) == {}
    for number in range(2, STARTS + 1):
        signing.sleep(seconds=TOLD_WITHIN.total_seconds() + 1)
        assert list(swept(Client())) == [launch.notice_id(number)]
    signing.sleep(seconds=TOLD_WITHIN.total_seconds() + 1)
    assert swept(Client()) == {}
    assert noted(signing, launch).came_of == "given-up"


@pytest.mark.full
def test_a_run_that_the_sweep_closes_is_told_of_at_once(
    signing: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("activities.sweeps.LAUNCHES", 1)
    signing.set_routes(signing.route(notify="http://127.0.0.1:9"))
    launch = signing.opened(signing.drop("double/a.csv", ONE_ROW), route=signing.route())
    signing.sleep(minutes=2)
    assert list(swept(Client())) == [f"{launch.run}-2-notice-1"]
    assert signing.run(launch.but(launch=2)).outcome == "failed"


@pytest.mark.full
def test_before_a_run_is_closed_its_notice_is_left_alone(signing: App) -> None:
    signing.set_routes(signing.route())
    launch = signing.opened(signing.drop("double/a.csv", ONE_ROW))
    signing.ledger.to_be_told(launch)
    assert swept(Client()) == {}
    assert signing.ledger.untold() == [launch]

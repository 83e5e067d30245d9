"""Asking again: after the time a server wishes, within bounds, and soon where it says nothing."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
import requests
from azure.core.exceptions import HttpResponseError
from azure.core.pipeline.transport import RequestsTransport
from azure.storage.blob import BlobClient

from shared import azureml, clients, watching
from shared.records import JobView, Watch, timestamp
from shared.retries import LONGEST_STORAGE_WAIT, LONGEST_WAIT, STORAGE_RETRIES, retry_after
from shared.routes import Route
from tests.shared.scripted_http import Endpoint, Reply


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, 0),
        ("", 0),
        ("0", 0),
        ("17", 17),
        ("1.5", 1.5),
        ("-3", 0),
        ("99999", 600),
        ("inf", 600),
        ("soon", 0),
        ("Fri, 31 Dec 1999 23:59:59 GMT", 0),
        ("Fri, 31 Dec 2100 23:59:59 GMT", 600),
        ("Fri, 99 Dec 2100 23:59:59 GMT", 0),
    ],
)
def test_retry_after_is_read_in_either_form_within_bounds(header: str | None, seconds: float) -> None:
    assert retry_after(header) == seconds


def test_retry_after_as_a_date_is_the_time_until_then() -> None:
    then = datetime.now(UTC) + timedelta(seconds=400)
    assert 200 < retry_after(format_datetime(then, usegmt=True)) <= 400


def test_retry_after_is_never_nan() -> None:
    assert retry_after("nan") == 0


CODES = (429, 500, 502, 503, 504)
# The forms of the header, and what each asks for, in seconds.
FORMS: dict[str, tuple[Callable[[], str], float]] = {
    "none": (lambda: "", 0),
    "seconds": (lambda: "7", 7),
    "date": (lambda: format_datetime(datetime.now(UTC) + timedelta(seconds=25), usegmt=True), 25),
    "zero": (lambda: "0", 0),
    "past": (lambda: "Fri, 31 Dec 1999 23:59:59 GMT", 0),
    "huge": (lambda: "1000000000", 1_000_000_000),
    "garbage": (lambda: "soon, perhaps", 0),
}
EVERY_CELL = pytest.mark.parametrize(("code", "form"), [(code, form) for code in CODES for form in FORMS])


def answer(code: int, form: str) -> Reply:
    header = FORMS[form][0]()
    return Reply(code, {"error": {"message": "later"}}, {"Retry-After": header} if header else {})


def check(waited: float, form: str, least: float, longest: float) -> None:
    """Never sooner than asked, at most a tenth and a second later. Of a date, some seconds have passed already."""
    asked = min(FORMS[form][1], longest)
    passed = 10 if form == "date" else 0
    assert max(least, asked - passed) <= waited <= max(least, 1.1 * asked + 1)


@EVERY_CELL
def test_storage_is_asked_again_when_it_wishes(code: int, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr(RequestsTransport, "sleep", lambda _, seconds: waits.append(seconds))
    with Endpoint(lambda _: answer(code, form)) as endpoint:
        blob = BlobClient(f"{endpoint.url}/account", "inbox", "a.csv", **clients.blob_options())
        with blob, pytest.raises(HttpResponseError):
            blob.download_blob()
    assert len(endpoint.received) == 1 + STORAGE_RETRIES
    asked = FORMS[form][1] > 0
    check(waits[0] if asked else 0.0, form, 0, LONGEST_STORAGE_WAIT)
    assert sum(waits) <= STORAGE_RETRIES * LONGEST_STORAGE_WAIT
    assert asked or sum(waits) < 20


@EVERY_CELL
def test_a_job_is_looked_at_again_when_azure_ml_wishes(code: int, form: str) -> None:
    with Endpoint(lambda _: answer(code, form)) as endpoint, pytest.raises(requests.HTTPError) as problem:
        azureml.get(requests.Session(), f"{endpoint.url}/jobs/j", "token")
    assert len(endpoint.received) == 1
    now = datetime.now(UTC)
    watch = Watch(launch={}, since=timestamp(now), deadline=timestamp(now), poll_at_least=5, poll_at_most=60)
    view = JobView(state="running", status="unreadable", wait=azureml.retry_after_of(problem.value))
    check((watching.next_look(watch, view, now) - now).total_seconds(), form, 5, LONGEST_WAIT)


@EVERY_CELL
def test_a_job_is_submitted_again_when_azure_ml_wishes_and_only_where_none_was_made(
    code: int, form: str
) -> None:
    with Endpoint(lambda _: answer(code, form)) as endpoint:
        route = Route(name="r", pattern="**", model=f"{endpoint.url}/jobs")
        found = azureml.invoke(route, {}, "token", "request")
    assert len(endpoint.received) == 1
    if code == 429:
        assert found.kind == "throttled"
        check(found.retry_after, form, 0, LONGEST_WAIT)
    else:
        assert (found.kind, found.retry_after) == ("ambiguous", 0)

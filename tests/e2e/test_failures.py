"""What goes wrong is explained, harms nothing else, and loses nothing."""

import codecs

import pytest
import requests

from local.stack import ROOT
from tests.e2e.drops import Drops, doubled, numbers, until

NORTH = (ROOT / "models/diabetes/data/clinic-north.csv").read_text("utf-8")
HEADER, *ROWS = NORTH.splitlines()
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4


def csv(*rows: str, header: str = HEADER) -> str:
    return "\n".join([header, *rows]) + "\n"


def with_cell(row: str, column: str, value: str) -> str:
    cells = row.split(",")
    cells[HEADER.split(",").index(column)] = value
    return ",".join(cells)


BAD_FILES = {
    "zero bytes": (b"", "The file is empty."),
    "header only": (csv().encode(), "has a header but no rows"),
    "missing column": (NORTH.replace("bmi", "weight").encode(), 'Line 1: the header lacks "bmi"'),
    "extra field in row 7": (csv(*ROWS[:6], ROWS[6] + ",1", *ROWS[7:]).encode(), "Line 8 has 12 fields"),
    "unclosed quote": (csv(ROWS[0], '"' + ROWS[1], *ROWS[2:]).encode(), "Line 3: a quote is opened"),
    "NUL bytes": (csv(ROWS[0], ROWS[1].replace("P", "P\0")).encode(), "Line 3 holds a NUL byte"),
    "UTF-16": (codecs.BOM_UTF16_LE + NORTH.encode("utf-16-le"), "The file is UTF-16."),
    "wrong delimiter": (NORTH.replace(",", ";").encode(), "separated by semicolons"),
    "a PNG named csv": (PNG, "The file is a PNG image"),
    "non-numeric": (csv(ROWS[0], with_cell(ROWS[1], "bmi", "tall")).encode(), 'Line 3, column "bmi"'),
}


@pytest.mark.parametrize("kind", BAD_FILES)
def test_a_bad_csv_is_rejected_with_a_reason_and_never_reaches_the_model(drops: Drops, kind: str) -> None:
    content, reason = BAD_FILES[kind]
    name = f"diabetes/bad {kind}.csv"
    version = drops.drop(name, content)
    run, word = drops.closed(version)
    assert (run.outcome, run.job, word.word) == ("rejected", "", "rejected")
    note = drops.read("rejected", f"{name}.why.txt")
    assert note is not None
    assert reason in note
    assert drops.stack.container("rejected").download_blob(name).readall() == content
    assert not drops.stack.container("inbox").get_blob_client(name).exists()
    assert drops.predictions(name) is None
    assert requests.get(f"{drops.stack.host_url}/api/runs/{run.run}", timeout=10).status_code == 200


def test_a_script_that_raises_fails_the_run_with_its_error_and_keeps_the_input(drops: Drops) -> None:
    version = drops.drop("raising/r.csv", "x\nCANARY-CELL\n")
    run, word = drops.closed(version)
    assert (run.outcome, word.word) == ("failed", "failed")
    assert run.failed_stage == "await"
    assert word.why.startswith("await: job ")
    assert "ValueError" in word.why
    assert drops.read("inbox", version.blob) == "x\nCANARY-CELL\n"
    assert drops.predictions(version.blob) is None
    assert not leaks(drops, "CANARY-CELL")


def leaks(drops: Drops, secret: str) -> list[str]:
    """Where the app wrote a secret or a row's value that it should not have."""
    stack = drops.stack
    # What is deleted after it was listed is read as nothing.
    names = list(stack.container("ledger").list_blob_names())
    found = [name for name in names if secret in (drops.read("ledger", name) or "")]
    files = [stack.state / "logs" / "host.log", *(stack.state / "host").glob("*")]
    return found + [str(file) for file in files if file.is_file() and secret.encode() in file.read_bytes()]


def test_no_token_and_no_key_is_written_anywhere(drops: Drops) -> None:
    drops.closed(drops.drop("double/secrets.csv", numbers(1)))
    assert not leaks(drops, "eyJ0eXAi")
    assert not leaks(drops, "eyJhbGci")
    assert not leaks(drops, drops.stack.secret)


def test_a_job_canceled_by_someone_else_ends_the_run(drops: Drops) -> None:
    version = drops.drop("watched/canceled.csv", "x\n1\n")
    drops.control(f"jobs/{drops.submitted(version).job}", {"cancel": True})
    run, word = drops.closed(version)
    assert (run.outcome, word.word) == ("canceled", "canceled")
    assert "was canceled in Azure ML" in word.why
    assert drops.read("inbox", version.blob) is not None


def test_a_job_that_never_ends_is_canceled_at_its_deadline(drops: Drops) -> None:
    version = drops.drop("endless/e.csv", "x\n1\n")
    run, word = drops.closed(version)
    assert (run.outcome, word.word) == ("timed-out", "failed")
    assert "deadline" in word.why
    assert drops.jobs()[run.job] == "Canceled"
    assert drops.read("inbox", version.blob) is not None


def test_an_unknown_status_keeps_being_watched(drops: Drops) -> None:
    version = drops.drop("watched/mystery.csv", "x\n1\n")
    job = drops.submitted(version).job
    drops.control(f"jobs/{job}", {"report": "Mystery"})
    until(lambda: "Mystery" in seen_statuses(drops, version.blob), "the unknown status in the instance")
    run = drops.run_of(version)
    assert run is not None
    assert run.stage == "submitted"
    drops.control(f"jobs/{job}", {"report": None})
    drops.control(f"jobs/{job}", {"cancel": True})
    assert drops.closed(version)[0].outcome == "canceled"


def seen_statuses(drops: Drops, blob: str) -> str:
    run = drops.run_of(drops.version(blob))
    url = f"{drops.stack.host_url}/runtime/webhooks/durabletask/instances/{run.run if run else ''}-1-await-1"
    return requests.get(url, timeout=10).text


@pytest.mark.parametrize(
    "fault",
    [
        {"do": "reset", "after": True},
        {"do": "answer", "status": 500, "after": True},
    ],
    ids=["answer lost", "500 but created"],
)
def test_a_lost_answer_is_searched_for_and_the_job_adopted(drops: Drops, fault: dict[str, object]) -> None:
    before = set(drops.jobs())
    drops.faults(fault)
    version = drops.drop(f"double/lost {fault['do']}.csv", numbers(3))
    run, word = drops.closed(version)
    assert word.word == "published"
    assert drops.predictions(version.blob) == doubled(3)
    assert set(drops.jobs()) - before == {run.job}


def test_a_reset_that_made_no_job_leads_to_one_second_submission(drops: Drops) -> None:
    before = set(drops.jobs())
    drops.faults({"do": "reset"})
    version = drops.drop("double/reset.csv", numbers(3))
    run, word = drops.closed(version)
    assert (word.word, run.post) == ("published", 2)
    assert set(drops.jobs()) - before == {run.job}


def test_a_throttled_submission_is_repeated_after_the_time_asked_for(drops: Drops) -> None:
    drops.faults({"do": "answer", "status": 429, "headers": {"Retry-After": "1"}})
    run, word = drops.closed(drops.drop("double/throttled.csv", numbers(1)))
    assert (word.word, run.post) == ("published", 1)


def test_a_refused_submission_fails_the_run_and_says_why(drops: Drops) -> None:
    body = {"error": {"code": "UserError", "message": "no deployment"}}
    drops.faults({"do": "answer", "status": 400, "body": body})
    version = drops.drop("double/refused.csv", numbers(1))
    run, word = drops.closed(version)
    assert (run.outcome, run.failed_stage) == ("failed", "submit")
    assert word.why.startswith("submit: http://")
    assert word.why.endswith("/endpoints/double/jobs refused the job: 400 no deployment")
    assert drops.read("inbox", version.blob) is not None


def test_a_blob_that_is_not_ours_is_never_overwritten(drops: Drops) -> None:
    drops.stack.container("predictions").upload_blob("double/theirs.csv", b"precious")
    run, word = drops.closed(drops.drop("double/theirs.csv", numbers(1)))
    assert (run.outcome, word.word) == ("failed", "failed")
    assert "not ours" in word.why
    assert drops.predictions("double/theirs.csv") == "precious"


def test_a_file_overwritten_while_it_is_scored_ends_with_the_newest_predictions(drops: Drops) -> None:
    first = drops.drop("double/race.csv", numbers(2))
    drops.submitted(first)
    second = drops.drop("double/race.csv", numbers(4, start=5))
    assert drops.closed(second)[1].word == "published"
    assert drops.closed(first)[1].word in {"published", "superseded"}
    assert drops.predictions("double/race.csv") == doubled(4, start=5)

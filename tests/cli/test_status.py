"""`dropscore status` and `dropscore predictions`."""

import json

import pytest

from tests.cli.conftest import Shell
from tests.cli.world import route


@pytest.fixture
def dropped(shell: Shell) -> Shell:
    """A good file and a bad one, both done."""
    shell.run("drop", shell.file("good.csv"), shell.file("bad.csv", "bad\n1\n"), "--wait")
    return shell


def test_a_waiting_file_says_why(shell: Shell) -> None:
    shell.run("drop", shell.file("clinic.csv"))
    assert shell.run("status", "diabetes/clinic.csv").stdout == (
        "diabetes/clinic.csv  waiting\n"
        "The file is waiting.\n"
        "waits    since 0 s ago, 0 ahead\n"
        "because  1 of 1 jobs busy\n"
        "route    diabetes\n"
    )


def test_a_published_file_says_where_its_predictions_are(dropped: Shell) -> None:
    assert dropped.run("status", "diabetes/good.csv").stdout == (
        "diabetes/good.csv  published\n"
        "The file is published.\n"
        "route        diabetes\n"
        "run          01RUN000000000000000000001\n"
        "rows         1\n"
        "predictions  http://127.0.0.1:10000/devstoreaccount1/predictions/diabetes/good.csv\n"
    )


def test_a_rejected_file_says_why_under_its_short_name(dropped: Shell) -> None:
    shown = dropped.run("status", "bad.csv").stdout
    assert shown == (
        "diabetes/bad.csv  rejected\n"
        "The file is rejected.\n"
        "route        diabetes\n"
        "run          01RUN000000000000000000002\n"
        "rejected as  diabetes/bad.csv\n"
        "\n"
        "This file was not scored.\n"
        "\n"
        "Line 2, column age: not a number.\n"
    )


def test_of_a_mended_file_it_is_an_earlier_version_that_was_rejected(dropped: Shell) -> None:
    known = dropped.app.world.file("diabetes/good.csv")
    known["rejected"] = {"name": "diabetes/good.csv", "why": "Line 2"}
    dropped.app.troubles = [(200, {}, json.dumps(known).encode())]
    assert dropped.run("status", "diabetes/good.csv").stdout.splitlines()[-2:] == [
        "predictions  http://127.0.0.1:10000/devstoreaccount1/predictions/diabetes/good.csv",
        "earlier      a version was rejected as diabetes/good.csv",
    ]


def test_why_a_held_file_waits_is_said_once(shell: Shell) -> None:
    shell.run("drop", shell.file("clinic.csv"))
    known = shell.app.world.file("diabetes/clinic.csv")
    known["waiting"]["held"] = "the endpoint answers 404"
    known["says"] = "It waits: the endpoint answers 404. The app tries again by itself."
    shell.app.troubles = [(200, {}, json.dumps(known).encode())]
    assert shell.run("status", "diabetes/clinic.csv").stdout == (
        "diabetes/clinic.csv  waiting\n"
        "It waits: the endpoint answers 404. The app tries again by itself.\n"
        "waits  since 0 s ago, 0 ahead\n"
        "route  diabetes\n"
    )


def test_a_failed_file_says_how_to_go_on(shell: Shell) -> None:
    shell.run("drop", shell.file("fail.csv", "fail\n1\n"), "--wait")
    assert shell.run("status", "fail.csv").stderr == (
        "Go on with what failed or was canceled: `dropscore rerun 01RUN000000000000000000001`\n"
    )


def test_earlier_versions_are_listed(dropped: Shell) -> None:
    dropped.run("drop", dropped.file("bad.csv"), "--wait")
    assert dropped.run("status", "bad.csv").stdout.split("\n\n")[1] == (
        "version   size  state      rows  run\n"
        "───────────────────────────────────────────────────────────\n"
        "16 s ago  12 B  published     1  01RUN000000000000000000003\n"
        "32 s ago   6 B  rejected         01RUN000000000000000000002\n"
    )


def test_json_is_what_the_app_says(dropped: Shell) -> None:
    found = dropped.json("status", "good.csv")
    assert found == dropped.app.world.file("diabetes/good.csv")


def test_an_unknown_file_is_not_found(shell: Shell) -> None:
    result = shell.run("status", "nowhere.csv")
    assert result.stderr == (
        "Error: Nothing is known of nowhere.csv.\n"
        "Names are those of the inbox, with their folder, such as diabetes/clinic.csv.\n"
    )
    assert result.exit_code == 3


def test_a_short_name_of_several_files_is_asked_for(shell: Shell) -> None:
    shell.app.world.routes["other"] = route("other")
    clinic = shell.file("clinic.csv")
    for name in ("diabetes", "other"):
        shell.run("drop", clinic, "--route", name)
    result = shell.run("status", "clinic.csv")
    assert result.stderr == (
        "Error: Several files are called clinic.csv.\nSay which: diabetes/clinic.csv, other/clinic.csv\n"
    )
    assert result.exit_code == 2


def test_predictions_go_to_stdout_as_they_are(dropped: Shell) -> None:
    assert dropped.run("predictions", "good.csv").stdout_bytes == b"patient,progression\n0,1.5\n"
    assert dropped.json("predictions", "good.csv") == {
        "file": "diabetes/good.csv",
        "csv": "patient,progression\n0,1.5\n",
    }


def test_predictions_are_saved(dropped: Shell) -> None:
    assert dropped.run("predictions", "good.csv", "-o", "out.csv").stdout == "out.csv: 26 B\n"
    assert (dropped.folder / "out.csv").read_text() == "patient,progression\n0,1.5\n"
    assert dropped.run("predictions", "good.csv", "-o", "out.csv").exit_code == 2
    assert dropped.json("predictions", "good.csv", "-o", "out.csv", "--overwrite") == {
        "file": "diabetes/good.csv",
        "out": "out.csv",
        "bytes": 26,
    }


def test_a_rejected_file_has_no_predictions(dropped: Shell) -> None:
    result = dropped.run("predictions", "bad.csv", "--json")
    assert result.stdout == ""
    assert json.loads(result.stderr) == {
        "error": {
            "code": "no-predictions",
            "message": "diabetes/bad.csv has no predictions: it is rejected.",
            "hint": "`dropscore status diabetes/bad.csv`",
            "exit": 3,
        }
    }
    assert result.exit_code == 3


def test_predictions_that_may_not_be_shown_are_refused(dropped: Shell) -> None:
    dropped.app.world.row_values = False
    result = dropped.run("predictions", "good.csv", "-o", "out.csv")
    assert (result.exit_code, result.stderr) == (4, "Error: This app hands no row values out.\n")
    assert [path.name for path in dropped.folder.glob("out*")] == []

"""`dropscore drop`: under which names, what is said, and how it ends."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Shell
from tests.cli.server import Answer
from tests.cli.world import Version, route


def test_a_file_is_dropped_where_the_only_route_takes_it(shell: Shell) -> None:
    result = shell.run("drop", shell.file("clinic.csv"))
    assert result.stdout == (
        "file                 state    rows  where\n"
        "──────────────────────────────────────────────────\n"
        "diabetes/clinic.csv  dropped        route diabetes\n"
    )
    assert result.stderr == "1 file dropped. Where is it? `dropscore status diabetes/clinic.csv`\n"
    assert result.exit_code == 0


def test_with_several_routes_it_says_what_to_type(shell: Shell) -> None:
    shell.app.world.routes["breast-cancer"] = route("breast-cancer")
    result = shell.run("drop", shell.file("clinic.csv"))
    assert result.exit_code == 2
    assert result.stderr == (
        "Error: Several routes take files.\n"
        "Say which: --route diabetes (diabetes/*.csv), --route breast-cancer (breast-cancer/*.csv); or --to FOLDER/\n"
    )
    assert shell.run("drop", "clinic.csv", "--route", "breast-cancer").exit_code == 0
    assert shell.run("drop", "clinic.csv", "--to", "/diabetes").exit_code == 0
    assert [one.name for one in shell.app.world.versions] == [
        "breast-cancer/clinic.csv",
        "diabetes/clinic.csv",
    ]


def test_waiting_ends_with_where_the_predictions_are_and_why_a_file_has_none(shell: Shell) -> None:
    result = shell.run("drop", shell.file("good.csv"), shell.file("bad.csv", "bad\n1\n"), "--wait")
    assert result.stdout == (
        "file               state      rows  where\n"
        "─────────────────────────────────────────────────────────────────────────────────────────────────────────\n"
        "diabetes/good.csv  published     1  http://127.0.0.1:10000/devstoreaccount1/predictions/diabetes/good.csv\n"
        "diabetes/bad.csv   rejected         Line 2, column age: not a number.\n"
    )
    assert result.stderr.splitlines()[:4] == [
        "diabetes/good.csv: waiting (1 of 1 jobs busy)",
        "diabetes/bad.csv: waiting (1 of 1 jobs busy)",
        "diabetes/good.csv: gathering",
        "diabetes/bad.csv: gathering",
    ]
    assert result.stderr.splitlines()[-2:] == ["diabetes/good.csv: published", "diabetes/bad.csv: rejected"]
    assert result.exit_code == 1


def test_rows_that_were_set_aside_are_told_of(shell: Shell) -> None:
    odd = shell.file("odd.csv", "odd\n1\nx\n")
    result = shell.run("drop", odd, shell.file("good.csv"), "--wait")
    assert result.stdout.endswith(
        "/predictions/diabetes/good.csv\n"
        "\n"
        "diabetes/odd.csv: 1 of 2 rows were set aside, for reasons in diabetes/odd.csv.errors.csv\n"
    )
    assert result.exit_code == 0
    (found,) = shell.json("drop", odd, "--wait")["files"]
    assert found["why"] == "1 of 2 rows were set aside, for reasons in diabetes/odd.csv.errors.csv"


def test_the_run_that_began_with_a_file_is_no_reason_why_it_waits(shell: Shell) -> None:
    shell.app.world.starts = True
    result = shell.run("drop", shell.file("good.csv"), "--wait")
    assert result.stderr.splitlines()[:2] == ["diabetes/good.csv: waiting", "diabetes/good.csv: gathering"]


def test_a_rejection_is_told_once_it_is_the_last_word(shell: Shell) -> None:
    world = shell.app.world
    true_version = world.version

    def foreseen(one: Version) -> dict[str, object]:
        return {**true_version(one), "why": "Line 2, column age: not a number."}

    world.version = foreseen  # type: ignore[method-assign]
    result = shell.run("drop", shell.file("bad.csv", "bad\n1\n"), "--wait")
    assert "diabetes/bad.csv: packed\n" in result.stderr
    assert "not a number" not in result.stderr
    assert result.stdout.endswith("Line 2, column age: not a number.\n")


def test_json_has_one_entry_per_file(shell: Shell) -> None:
    assert shell.json("drop", shell.file("good.csv"), "--wait") == {
        "files": [
            {
                "file": "diabetes/good.csv",
                "local": str(shell.folder / "good.csv"),
                "etag": "0x001",
                "size": 12,
                "route": "diabetes",
                "runs": [],
                "word": "published",
                "why": "",
                "rows": 1,
                "run": "01RUN000000000000000000001",
                "predictions": "http://127.0.0.1:10000/devstoreaccount1/predictions/diabetes/good.csv",
                "saved": None,
            }
        ]
    }


def test_predictions_are_saved_and_replace_nothing(shell: Shell) -> None:
    clinic = shell.file("clinic.csv")
    assert shell.run("drop", clinic, "--out", "results").exit_code == 0
    assert (shell.folder / "results/clinic.csv").read_text() == "patient,progression\n0,1.5\n"
    assert [path.name for path in (shell.folder / "results").iterdir()] == ["clinic.csv"]
    again = shell.run("drop", clinic, "--out", ".")
    assert again.exit_code == 2
    assert again.stderr == (
        "Error: clinic.csv is there already, and nothing was changed.\nChoose another place, or type --overwrite.\n"
    )
    assert Path(clinic).read_text() == "age,bmi\n1,2\n"
    assert len(shell.app.world.versions) == 1


def test_nothing_is_dropped_where_the_predictions_may_not_be_fetched(shell: Shell) -> None:
    shell.app.world.row_values = False
    result = shell.run("drop", shell.file("clinic.csv"), "--out", "results")
    assert result.exit_code == 4
    assert result.stderr.startswith(
        "Error: This app hands no predictions out over HTTP: nothing was dropped.\n"
    )
    assert not shell.app.world.versions


def test_two_files_of_one_name_are_refused(shell: Shell) -> None:
    result = shell.run("drop", shell.file("east/clinic.csv"), shell.file("west/clinic.csv"))
    assert result.exit_code == 2
    assert "would both be diabetes/clinic.csv: nothing was dropped." in result.stderr
    assert not shell.app.world.versions


def test_a_file_that_cannot_be_dropped_does_not_keep_back_the_others(shell: Shell) -> None:
    empty, good = shell.file("empty.csv", ""), shell.file("good.csv")
    result = shell.run("drop", empty, good, "--wait", "--json")
    first, second = json.loads(result.stdout)["files"]
    assert first["error"] == {
        "code": "empty-file",
        "message": "diabetes/empty.csv is empty.",
        "status": 400,
        "exit": 2,
    }
    assert second["word"] == "published"
    assert result.exit_code == 2


def test_a_name_that_no_route_takes_is_not_found(shell: Shell) -> None:
    result = shell.run("drop", shell.file("clinic.csv"), "--to", "elsewhere")
    assert result.stdout.splitlines()[-1] == (
        "elsewhere/clinic.csv  not dropped        "
        "No route takes elsewhere/clinic.csv; routes take diabetes/*.csv."
    )
    assert result.exit_code == 3


def test_no_replace_leaves_what_is_there(shell: Shell) -> None:
    clinic = shell.file("clinic.csv")
    assert shell.run("drop", clinic, "--no-replace").exit_code == 0
    assert shell.run("drop", clinic, "--no-replace").exit_code == 7
    assert shell.run("drop", clinic).exit_code == 0


def test_a_large_file_is_refused_before_anything_is_sent(shell: Shell) -> None:
    with Path(shell.file("large.csv")).open("r+b") as file:
        file.truncate(50_000_001)
    result = shell.run("drop", "large.csv", shell.file("small.csv"))
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: large.csv has more than 50 MB")
    assert not shell.app.seen


def test_a_wait_that_is_over_says_how_things_stand(shell: Shell) -> None:
    result = shell.run("drop", shell.file("slow one.csv", "stay\n"), "--wait", "--timeout", "1m")
    assert result.stdout.splitlines()[-1].split() == ["diabetes/slow", "one.csv", "submitted"]
    assert result.stderr.endswith(
        "Error: Not done yet: diabetes/slow one.csv. It goes on.\n"
        "Ask again with `dropscore status 'diabetes/slow one.csv'`\n"
    )
    assert result.exit_code == 6


def test_a_version_that_is_replaced_unseen_ends_the_wait(shell: Shell) -> None:
    world = shell.app.world
    put, dropped = world.drop, []

    def drop_twice(name: str, data: bytes, *, replace: bool = True) -> dict[str, object]:
        dropped.append(put(name, data, replace=replace))
        world.versions.clear()
        put(name, data)
        world.versions[0].etag = "0xNEWER"
        return dropped[0]

    world.drop = drop_twice  # type: ignore[method-assign]
    (found,) = json.loads(shell.run("drop", shell.file("clinic.csv"), "--wait", "--json").stdout)["files"]
    assert (found["word"], found["why"]) == ("superseded", "It was replaced before the app took it up.")


def test_a_wait_outlasts_a_redeploy(shell: Shell) -> None:
    clinic = shell.file("clinic.csv")
    away: Answer = (503, {}, b"")
    sleep, world = shell.app.world.sleep, shell.app.world

    def sleep_and_fail(seconds: float) -> None:
        sleep(seconds)
        if len(shell.app.seen) == 5:
            shell.app.troubles = [away] * 8

    world.sleep = sleep_and_fail  # type: ignore[method-assign]
    assert shell.run("drop", clinic, "--wait").exit_code == 0
    assert not shell.app.troubles


@pytest.mark.parametrize("typed", [["--to", "a/../b"], ["--to", "a//b"]])
def test_a_folder_that_is_no_name_in_the_inbox_is_refused(shell: Shell, typed: list[str]) -> None:
    assert shell.run("drop", shell.file("clinic.csv"), *typed).exit_code == 2


def test_route_and_folder_together_are_refused(shell: Shell) -> None:
    result = shell.run("drop", shell.file("clinic.csv"), "--to", "a", "--route", "diabetes")
    assert result.stderr == (
        "Error: --route and --to both say where: give one of them.\n`dropscore drop --help` says what can be typed.\n"
    )
    assert result.exit_code == 2

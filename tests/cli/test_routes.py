"""`dropscore routes`: look, check, change, take back."""

import json

from tests.cli.conftest import Shell

NEW = '[routes.diabetes]\npattern = "diabetes/*.csv"\nmodel = "https://new/jobs"\n'
CHANGED = "diabetes.model\n  before  https://diabetes.example.com/jobs\n  after   https://new/jobs\n"
UNDO = "1 change in force. Undo: `dropscore routes rollback`\n"


def test_routes_are_listed(shell: Shell) -> None:
    shell.app.world.routes["diabetes"] |= {
        "waiting": 3,
        "busy": 1,
        "held": {"why": "the endpoint refuses the identity", "until": None},
    }
    head, _, line = shell.run("routes", "list").stdout.splitlines()
    assert head.split() == ["route", "pattern", "waiting", "busy", "takes", "model"]
    assert " ".join(line.split()) == (
        "diabetes diabetes/*.csv 3 1 of 1 4 min held: the endpoint refuses the identity "
        "https://diabetes.example.com/jobs"
    )
    assert shell.json("routes", "list")["routes"][0]["waiting"] == 3


def test_the_text_of_the_routes_can_be_put_back(shell: Shell) -> None:
    assert shell.run("routes", "show").stdout == "# the first\n"
    assert shell.json("routes", "show") == {"etag": '"0xR"', "text": "# the first\n"}


def test_valid_routes_show_what_they_would_change(shell: Shell) -> None:
    result = shell.run("routes", "check", shell.file("new.toml", NEW))
    assert result.stdout == f"{shell.folder}/new.toml is valid.\n{CHANGED}"
    assert shell.app.world.routes["diabetes"]["model"] == "https://diabetes.example.com/jobs"


def test_routes_that_are_not_valid_end_with_1(shell: Shell) -> None:
    wrong = shell.file("wrong.toml", "[")
    checked = shell.run("routes", "check", wrong)
    assert checked.stdout == f"{wrong} is not valid:\n  This is no TOML with routes.\n"
    assert checked.exit_code == 1
    put = shell.run("routes", "set", wrong)
    assert put.stderr == "Error: The routes are not valid.\n  This is no TOML with routes.\n"
    assert put.exit_code == 1
    assert json.loads(shell.run("routes", "set", wrong, "--json").stderr)["error"]["details"] == [
        "This is no TOML with routes."
    ]


def test_a_file_of_routes_is_put_in_force(shell: Shell) -> None:
    result = shell.run("routes", "set", shell.file("new.toml", NEW))
    assert (result.stdout, result.stderr) == (CHANGED, UNDO)
    assert shell.run("routes", "set", "new.toml").stdout == "Nothing changes.\n"


def test_a_model_is_swapped_and_taken_back(shell: Shell) -> None:
    result = shell.run("routes", "set", "diabetes", "model=https://new/jobs")
    assert (result.stdout, result.stderr) == (CHANGED, UNDO)
    back = shell.run("routes", "rollback")
    assert back.stdout.startswith("diabetes.model\n  before  https://new/jobs\n")
    assert back.exit_code == 0


def test_values_are_those_of_toml_and_else_text(shell: Shell) -> None:
    typed = [
        "max_jobs=4",
        "also_raw=true",
        'send=["a", "b"]',
        "deadline=2h",
        "predictions=[a",
        "since=2026-01-01",
    ]
    changes = shell.json("routes", "set", "diabetes", *typed)["changes"]
    assert {one["key"]: one["after"] for one in changes} == {
        "max_jobs": 4,
        "also_raw": True,
        "send": ["a", "b"],
        "deadline": "2h",
        "predictions": "[a",
        "since": "2026-01-01",
    }


def test_a_change_without_a_value_says_what_to_type(shell: Shell) -> None:
    result = shell.run("routes", "set", "diabetes", "model")
    assert result.stderr == 'Error: "model" is not KEY=VALUE.\n`dropscore routes set diabetes max_jobs=4`\n'
    assert result.exit_code == 2


def test_a_route_in_place_of_a_file_says_what_to_type(shell: Shell) -> None:
    result = shell.run("routes", "set", "diabetes")
    assert result.stderr == (
        "Error: diabetes cannot be read: No such file or directory.\n"
        "To change keys of a route: `dropscore routes set diabetes KEY=VALUE`\n"
    )
    assert result.exit_code == 2


def test_an_unknown_route_is_not_found(shell: Shell) -> None:
    assert shell.run("routes", "set", "nothing", "model=x").exit_code == 3


def test_history_and_rollback_to_a_version(shell: Shell) -> None:
    shell.run("routes", "set", "diabetes", "model=https://new/jobs")
    assert shell.run("routes", "history").stdout == (
        "id  set\n─────────────────────\nv2  0 s ago  in force\nv1  0 s ago\n"
    )
    assert shell.run("routes", "rollback", "v1").exit_code == 0
    assert shell.run("routes", "rollback", "v7").exit_code == 3


def test_there_may_be_nothing_to_roll_back(shell: Shell) -> None:
    result = shell.run("routes", "rollback")
    assert (result.exit_code, result.stderr) == (7, "Error: There were no routes before these.\n")

"""`dropscore routes`: look, check, change, take back."""

import json

import pytest

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
    assert head.split() == ["route", "pattern", "waiting", "busy", "takes", "next", "model"]
    assert " ".join(line.split()) == (
        "diabetes diabetes/*.csv 3 1 of 1 4 min held: the endpoint refuses the identity "
        "https://diabetes.example.com/jobs"
    )
    assert shell.json("routes", "list")["routes"][0]["waiting"] == 3


def test_a_long_reason_stands_below_the_table(shell: Shell) -> None:
    reason = "the endpoint answers 404: there is no deployment of that name, look into the workspace"
    shell.app.world.routes["diabetes"]["held"] = {"why": reason, "until": None}
    _, _, line, _, below = shell.run("routes", "list").stdout.splitlines()
    assert "held: the endpoint answers 404: there is no d…  https" in line
    assert below == f"diabetes is held: {reason}"


PROBLEM = (
    "routes.toml is not usable:\n  [routes.diabetes] max_jobs: a whole number\n  [routes.x] pattern: missing"
)
TOLD = (
    "The routes in force are the last good ones: routes.toml is not usable:\n"
    "  [routes.diabetes] max_jobs: a whole number\n"
    "  [routes.x] pattern: missing\n"
)
MENDING = (
    "Take it back with `dropscore routes rollback`, or mend it: `dropscore routes show > routes.toml`, edit, "
    "`dropscore routes set routes.toml`\n"
)
MENDED = "config/routes.toml can be used again. The routes in force stay as they are: they were the last good ones.\n"


@pytest.fixture
def broken(shell: Shell) -> Shell:
    """Somebody has put a bad text into config/routes.toml."""
    shell.app.world.problem = PROBLEM
    shell.app.world.texts.append("# bad\n")
    return shell


def test_a_text_that_is_not_in_force_is_told_line_by_line(broken: Shell) -> None:
    result = broken.run("routes", "list")
    assert result.stdout.startswith(f"{TOLD}\nroute ")
    assert result.stderr == MENDING
    shown = broken.run("routes", "show")
    assert (shown.stdout, shown.stderr) == ("# bad\n", f"This text is not in force.\n{TOLD}{MENDING}")


def test_without_last_good_routes_their_text_is_shown_all_the_same(shell: Shell) -> None:
    told = json.dumps({"type": "no-routes", "detail": PROBLEM}).encode()
    shell.app.troubles = [(200, {"ETag": '"x"'}, b"# bad\n"), (503, {}, told)]
    shown = shell.run("routes", "show")
    assert (shown.exit_code, shown.stdout) == (0, "# bad\n")
    assert shown.stderr.splitlines()[:3] == [
        "This text is not in force.",
        "routes.toml is not usable:",
        "  [routes.diabetes] max_jobs: a whole number",
    ]


def test_a_key_cannot_be_changed_in_a_bad_text_and_the_way_out_is_told(broken: Shell) -> None:
    result = broken.run("routes", "set", "diabetes", "max_jobs=3")
    assert result.stderr == (
        "Error: The routes cannot be changed: Unexpected character. "
        f"config/routes.toml has problems of its own.\n{MENDING}"
    )
    assert result.exit_code == 1


def test_taking_a_bad_text_back_does_something(broken: Shell) -> None:
    assert broken.run("routes", "rollback").stdout == MENDED
    assert broken.run("routes", "list").stderr == ""


def test_a_bad_text_without_one_before_it_is_mended(shell: Shell) -> None:
    shell.app.world.problem = PROBLEM
    result = shell.run("routes", "rollback")
    assert result.stderr == (
        "Error: There were no routes before these.\nNo earlier text was kept; "
        "mend it: `dropscore routes show > routes.toml`, edit, `dropscore routes set routes.toml`\n"
    )
    assert result.exit_code == 7


def test_a_bad_text_is_not_rolled_back_to(shell: Shell) -> None:
    told = json.dumps({"type": "bad-routes", "detail": "The text has problems.", "problems": ["[routes.x]"]})
    usable = json.dumps({"problem": None, "routes": []})
    shell.app.troubles = [(200, {}, usable.encode()), (422, {}, told.encode())]
    result = shell.run("routes", "rollback")
    assert result.stderr == (
        "Error: The text has problems.\n  [routes.x]\n"
        "That text cannot be put in force. Take another ID of `dropscore routes history`\n"
    )
    assert result.exit_code == 1


def test_a_good_text_in_the_place_of_a_bad_one_does_something(broken: Shell) -> None:
    same = '[routes.diabetes]\nmodel = "https://diabetes.example.com/jobs"\n'
    assert broken.run("routes", "set", broken.file("good.toml", same)).stdout == MENDED
    assert broken.run("routes", "set", "good.toml").stdout == "Nothing changes.\n"
    replaced = broken.run("routes", "set", broken.file("good.toml", f"# new\n{same}"))
    assert replaced.stdout == "The text is replaced. No key of a route has changed.\n"


def test_a_text_goes_in_the_place_of_the_one_that_was_compared(shell: Shell) -> None:
    path = shell.file("new.toml", NEW)
    shell.run("routes", "set", path)
    (sent,) = [headers for method, _, headers in shell.app.seen if method == "PUT"]
    assert sent["If-Match"] == '"0xR1"'
    shell.app.troubles = [(200, {"ETag": '"0xR1"'}, b"# the first\n")]
    late = shell.run("routes", "set", path)
    assert (late.exit_code, late.stderr) == (
        7,
        "Error: The routes have been changed since you read them.\n",
    )


def test_the_text_of_the_routes_can_be_put_back(shell: Shell) -> None:
    assert shell.run("routes", "show").stdout == "# the first\n"
    assert shell.json("routes", "show") == {"etag": '"0xR1"', "text": "# the first\n"}


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

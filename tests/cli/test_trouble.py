"""What goes wrong between the command line and the app, and what is said to whom."""

import json
import socket

import pytest

from tests.cli.conftest import Shell
from tests.cli.server import Answer

AWAY: Answer = (503, {}, b"")


def test_an_app_that_wants_a_key_says_how_to_give_one(shell: Shell) -> None:
    shell.app.key = "the-key"
    result = shell.run("runs")
    assert result.stderr == (
        f"Error: {shell.app.url} wants a key.\n"
        "export DROPSCORE_KEY=…, a function key of the app (az functionapp keys list), "
        "or DROPSCORE_AUDIENCE=… to sign in as yourself.\n"
    )
    assert result.exit_code == 4
    assert shell.run("runs", DROPSCORE_KEY="the-key").exit_code == 0
    assert shell.run("--key", "the-key", "runs").exit_code == 0


def test_a_wrong_key_is_never_shown(shell: Shell) -> None:
    shell.app.key = "the-key"
    for typed in (["runs"], ["runs", "--json"], ["routes", "list"]):
        result = shell.run(*typed, DROPSCORE_KEY="wrong-key")
        assert result.exit_code == 4
        assert "wrong-key" not in result.output
        assert "does not accept the key" in result.output


def test_errors_are_json_for_programs(shell: Shell) -> None:
    shell.app.key = "the-key"
    result = shell.run("--json", "runs")
    assert result.stdout == ""
    found = json.loads(result.stderr)["error"]
    assert (found["code"], found["status"], found["exit"]) == ("no-key", 401, 4)


def test_what_cannot_be_read_at_all_is_json_too(shell: Shell) -> None:
    result = shell.run("runs", "--limit", "many", "--json")
    found = json.loads(result.stderr)["error"]
    assert (found["code"], found["exit"], result.exit_code) == ("usage", 2, 2)
    assert found["hint"] == "`dropscore runs --help` says what can be typed."


def test_gets_are_tried_again_and_retry_after_is_heeded(shell: Shell) -> None:
    shell.app.troubles = [(429, {"Retry-After": "7"}, b""), AWAY, (503, {"Retry-After": "9999"}, b"")]
    before = shell.app.world.now
    assert shell.run("runs").exit_code == 0
    assert (shell.app.world.now - before).total_seconds() == 7 + 1 + 30


def test_gets_are_not_tried_for_ever(shell: Shell) -> None:
    shell.app.troubles = [AWAY] * 9
    result = shell.run("runs")
    assert result.exit_code == 5
    assert result.stderr.startswith(f"Error: {shell.app.url} answers 503.\n")
    assert len(shell.app.seen) == 4


@pytest.mark.parametrize("typed", [["cancel", "01X"], ["rerun", "01X"], ["routes", "set", "diabetes", "a=b"]])
def test_nothing_else_is_tried_again(shell: Shell, typed: list[str]) -> None:
    shell.app.troubles = [AWAY] * 2
    assert shell.run(*typed).exit_code == 5
    assert len([method for method, *_ in shell.app.seen if method != "GET"]) <= 1
    assert len(shell.app.seen) <= 2


def test_the_key_does_not_follow_a_redirect(shell: Shell) -> None:
    shell.app.troubles = [(302, {"Location": "https://login.example.com/x?state=secret"}, b"")]
    result = shell.run("runs", DROPSCORE_KEY="the-key")
    assert result.stderr == (
        f"Error: {shell.app.url} leads elsewhere, to https://login.example.com.\n"
        "Set DROPSCORE_URL to the app's own address; the key is not sent on.\n"
    )
    assert result.exit_code == 5


def test_an_app_that_is_not_there_cannot_be_reached(shell: Shell) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    result = shell.run("runs", DROPSCORE_URL=url)
    assert result.stderr == f"Error: {url} does not answer.\nLook whether DROPSCORE_URL is right.\n"
    assert result.exit_code == 5


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"{}", b'{"runs": 7'])
def test_an_answer_that_is_not_dropscores_is_said_to_be_none(shell: Shell, body: bytes) -> None:
    shell.app.troubles = [(200, {}, body)]
    result = shell.run("runs")
    assert result.exit_code == 5
    assert result.stderr.startswith("Error: The ")


@pytest.mark.parametrize("body", [b"", b"<html>Not Found</html>", b'{"detail": "Not Found"}', b"[404]"])
@pytest.mark.parametrize(
    "typed", [["health"], ["status", "a.csv"], ["drop", "a.csv", "--to", "/"]], ids=" ".join
)
def test_a_404_of_another_server_is_no_missing_file(shell: Shell, typed: list[str], body: bytes) -> None:
    shell.file("a.csv")
    shell.app.troubles = [(404, {}, body)]
    result = shell.run(*typed)
    assert result.stderr == (
        f"Error: {shell.app.url} answers 404 in no form of dropscore's: it is none, or of another version.\n"
        "Look whether DROPSCORE_URL is right.\n"
    )
    assert result.exit_code == 5


def test_an_address_that_was_typed_is_named_as_it_was(shell: Shell) -> None:
    shell.app.troubles = [(404, {}, b"")]
    result = shell.run("--url", shell.app.url, "health", DROPSCORE_URL="https://other.example.com")
    assert result.stderr.endswith("\nLook whether --url is right.\n")


def test_a_download_that_breaks_off_leaves_nothing(shell: Shell) -> None:
    shell.run("drop", shell.file("clinic.csv"), "--wait")
    answers: list[Answer] = [(200, {}, json.dumps(shell.app.world.file("diabetes/clinic.csv")).encode())]
    shell.app.troubles = [*answers, (200, {"Content-Length": "100", "Connection": "close"}, b"half")]
    result = shell.run("predictions", "diabetes/clinic.csv", "-o", "out.csv")
    assert result.exit_code == 5
    assert not list(shell.folder.glob("out*"))


def test_a_stale_app_ends_with_1(shell: Shell) -> None:
    shell.app.world.stale = True
    result = shell.run("health")
    assert result.stdout == (
        f"app         {shell.app.url}\n"
        "health      stale\n"
        "last sweep  0 s ago\n"
        "row values  over HTTP, too\n"
        "sent along  no key\n"
    )
    assert result.stderr.startswith("The sweep has not run for a while")
    assert result.exit_code == 1


def health_of(shell: Shell, key: str) -> tuple[int, str, str]:
    result = shell.run("health", DROPSCORE_KEY=key)
    return result.exit_code, result.stdout.splitlines()[-1], result.stderr


def test_health_says_that_the_app_asks_for_a_key(shell: Shell) -> None:
    shell.app.key = "the-key"
    hint = (
        "export DROPSCORE_KEY=…, a function key of the app (az functionapp keys list), "
        "or DROPSCORE_AUDIENCE=… to sign in as yourself.\n"
    )
    assert health_of(shell, "") == (0, "sent along  no key, and the app asks for one", hint)
    assert health_of(shell, "wrong-key") == (0, "sent along  a key, and the app does not accept it", hint)
    assert health_of(shell, "the-key") == (0, "sent along  a key", "")


def test_health_says_that_the_routes_have_problems(shell: Shell) -> None:
    shell.app.world.problem = "routes.toml is not usable:\n  [routes.diabetes] max_jobs: a whole number"
    result = shell.run("health")
    assert "\nroutes      not those of config/routes.toml\n" in result.stdout
    assert result.stderr == (
        "The routes in force are the last good ones: routes.toml is not usable:\n"
        "  [routes.diabetes] max_jobs: a whole number\n"
        "Take it back with `dropscore routes rollback`, or mend it: `dropscore routes show > routes.toml`, edit, "
        "`dropscore routes set routes.toml`\n"
    )
    assert result.exit_code == 0


def test_a_healthy_app_ends_with_0(shell: Shell) -> None:
    assert shell.run("health").exit_code == 0
    assert shell.json("health")["url"] == shell.app.url


def test_hostile_names_act_on_no_terminal(shell: Shell) -> None:
    world = shell.app.world
    names = [
        "diabetes/[red]x[/red].csv",
        "diabetes/\x1b[31mred\x07.csv",
        "diabetes/‮vsc.csv",
        "diabetes/:smile:\n.csv",
    ]
    for name in names:
        world.drop(name, b"a\n1\n")
    world.sleep(60)
    shown = "".join(shell.run("show", one.run).stdout for one in world.versions)
    assert "\x1b" not in shown
    assert "‮" not in shown
    for text in ("[red]x[/red].csv", r"\x1b[31mred\x07.csv", r"\u202evsc.csv", r":smile:\n.csv"):
        assert f"diabetes/{text}" in shown
    found = shell.run("status", names[1])
    assert found.stdout.startswith(r"diabetes/\x1b[31mred\x07.csv  published")
    assert json.loads(shell.run("status", names[1], "--json").stdout)["file"] == names[1]


def test_hostile_problems_act_on_no_terminal(shell: Shell) -> None:
    problem = {"type": "x", "detail": "line\nError: \x1b[2J ‮"}
    shell.app.troubles = [(409, {}, json.dumps(problem).encode())]
    assert shell.run("cancel", "01X").stderr == "Error: line\\nError: \\x1b[2J \\u202e\n"

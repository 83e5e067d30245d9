"""Which app is spoken to, and to which a key is never given."""

import json
import sys
from pathlib import Path

import pytest

import dev
from dropscore.errors import Problem, Refused, Unreachable, Unusable
from dropscore.identity import Authority
from dropscore.where import Place, place
from local.stack import Stack
from tests.cli.conftest import Shell


def test_options_come_before_the_environment() -> None:
    known = {"DROPSCORE_URL": "https://a.example.com", "DROPSCORE_KEY": "k", "DROPSCORE_AUDIENCE": "api://x"}
    assert place({}, known, []) == Place(url="https://a.example.com", key="k", audience="api://x")
    assert place({"url": "https://b.example.com/api/", "key": "m"}, known, []).url == "https://b.example.com"
    assert place({"key": "m"}, known, []).key == "m"


@pytest.mark.parametrize(
    "url",
    [
        "http://app.example.com",
        "app.example.com",
        "ftp://app.example.com",
        "https://",
        "https://app.example.com/api?code=SECRET",
        "https://user:SECRET@app.example.com",
        "https://app.example.com:SECRET",
        "http://127.0.0.1.example.com",
        "https://[SECRET",
    ],
)
def test_an_address_that_would_give_the_key_away_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(Unusable) as refused:
        place({"url": url}, {}, [])
    assert "SECRET" not in f"{refused.value.message}{refused.value.hint}"
    assert "https://NAME.azurewebsites.net" in refused.value.hint


@pytest.mark.parametrize("url", ["http://127.0.0.1:7071", "http://localhost:7071", "http://[::1]:7071"])
def test_on_this_machine_http_is_fine(url: str) -> None:
    assert place({"url": url}, {}, []).url == url


def test_the_key_is_in_no_text_of_a_place() -> None:
    assert "SECRET" not in repr(Place(url="https://a.example.com", key="SECRET"))


def announce(folder: Path, url: object) -> None:
    (folder / ".local/up").mkdir(parents=True)
    (folder / ".local/up/url.json").write_text(json.dumps({"url": url}))


def test_without_settings_it_is_the_local_stack_of_a_folder_above(shell: Shell) -> None:
    announce(shell.folder, shell.app.url)
    below = shell.folder / "a/b"
    below.mkdir(parents=True)
    assert place({}, {}, [below]).url == shell.app.url
    assert shell.run("runs", DROPSCORE_URL="").exit_code == 0
    assert [path for _, path, _ in shell.app.seen] == ["/api/health", "/api/runs?limit=20"]


@pytest.mark.parametrize("url", ["https://evil.example.com", "http://10.0.0.7", "", 7])
def test_a_stack_is_only_ever_on_this_machine(tmp_path: Path, url: object) -> None:
    announce(tmp_path, url)
    with pytest.raises(Unreachable):
        place({}, {"DROPSCORE_KEY": "k"}, [tmp_path])


def test_a_stack_whose_port_another_program_has_says_how_to_start_it(shell: Shell) -> None:
    announce(shell.folder, shell.app.url)
    shell.app.troubles = [(200, {}, b"<html>something else</html>")]
    result = shell.run("runs", DROPSCORE_URL="", DROPSCORE_KEY="k")
    assert result.stderr == (
        f"Error: The local stack of {shell.folder}/.local/up is not up: "
        f"nothing of dropscore answers at {shell.app.url}.\n"
        "Start it in the project's folder: python3 dev.py up\n"
    )
    assert result.exit_code == 5


def test_without_anything_it_says_what_to_set(shell: Shell) -> None:
    result = shell.run("runs", DROPSCORE_URL="")
    assert result.exit_code == 5
    assert "python3 dev.py up" in result.stderr


def test_commands_are_named_as_they_are_typed_here(shell: Shell) -> None:
    result = shell.run("drop", shell.file("a.csv"), DROPSCORE_PROGRAM="python3 dev.py cli")
    assert result.stderr == "1 file dropped. Where is it? `python3 dev.py cli status diabetes/a.csv`\n"


def test_dev_py_says_which_command_it_does_not_know(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["dev.py", "foo"])
    with pytest.raises(SystemExit) as ended:
        dev.main()
    assert (ended.value.code, capsys.readouterr().err) == (2, 'There is no command "foo".\n')


def test_a_stack_says_where_it_is_for_as_long_as_it_is_there(tmp_path: Path) -> None:
    stack = Stack(tmp_path)
    with stack.announced():
        told = json.loads((tmp_path / "url.json").read_text())
        assert told == {
            "url": stack.host_url,
            "azureml": stack.azureml_url,
            "identity_header": stack.secret,
        }
    assert not (tmp_path / "url.json").exists()


class SignedIn:
    """A credential."""

    def get_token(self, scope: str) -> "SignedIn":
        self.scope, self.token = scope, "the-token"
        return self


class SignedOut:
    def get_token(self, scope: str) -> None:
        raise RuntimeError("who are you, SECRET?")


def test_a_token_is_asked_for_the_audience(shell: Shell) -> None:
    authority = Authority(Place(url=shell.app.url, audience="api://x/"))
    authority.credential = credential = SignedIn()
    assert (authority.token(), credential.scope) == ("the-token", "api://x/.default")


def test_who_is_not_signed_in_is_told_how() -> None:
    authority = Authority(Place(url="https://a.example.com", audience="api://x"))
    authority.credential = SignedOut()
    with pytest.raises(Refused) as refused:
        authority.token()
    assert refused.value.message == "There is no token for api://x (RuntimeError)."


def test_without_azure_identity_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "azure.identity", None)
    with pytest.raises(Problem) as refused:
        Authority(Place(url="https://a.example.com", audience="api://x")).token()
    assert refused.value.hint == "pip install azure-identity, or set DROPSCORE_KEY instead."


def test_dev_py_runs_it_where_it_was_typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[tuple[str, list[str], str, str]] = []

    def execve(path: str, arguments: list[str], environment: dict[str, str]) -> None:
        ran.append((str(path), arguments, environment["DROPSCORE_PROGRAM"], str(Path.cwd())))

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("os.execve", execve)
    dev.COMMANDS["cli"](["drop", "mine.csv"])
    python = str(dev.PYTHON)
    command = [python, "-P", "-m", "dropscore", "drop", "mine.csv"]
    assert ran == [(python, command, "python3 dev.py cli", str(tmp_path))]

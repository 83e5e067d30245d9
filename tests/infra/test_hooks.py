"""The hooks against stand-ins for `az` and `azd` that write down what they are asked.

PowerShell is not here: of the .ps1 hooks it is checked that they parse, and issue the same commands as the .sh hooks.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import tree_sitter_powershell
import yaml
from tree_sitter import Language, Parser

from local.stack import ROOT
from shared.routes import parse_routes
from tests.infra.bicep import INFRA, declared

HOOKS = INFRA / "hooks"
# A command line program: remembers its arguments, answers from a table, fails as often as it is told.
STAND_IN = """#!{python}
import json, sys
from pathlib import Path
home, name, given = Path({home!r}), Path(sys.argv[0]).name, sys.argv[1:]
with (home / "calls.jsonl").open("a") as calls:
    print(json.dumps([name, *given]), file=calls)
answers = json.loads((home / "answers.json").read_text())
line = " ".join([name, *given])
answer = next((one for one in answers if one["to"] in line and one.get("left", 1) > 0), {{}})
if "left" in answer:
    answer["left"] -= 1
    (home / "answers.json").write_text(json.dumps(answers))
print(answer.get("say", ""))
sys.exit(answer.get("exit", 0))
"""
VALUES = {
    "AZURE_SUBSCRIPTION_ID": "sub-1",
    "AZURE_RESOURCE_GROUP": "rg-dev",
    "FUNCTION_APP_NAME": "func-x",
    "STORAGE_ACCOUNT_NAME": "stx",
    "EVENT_TOPIC_NAME": "evgt-x",
    "INBOX_CONTAINER": "inbox",
    "CONFIG_CONTAINER": "config",
    "DEAD_LETTER_CONTAINER": "deadletters",
    "SAMPLE_WORKSPACE_NAME": "mlw-x",
    "SAMPLE_ENDPOINT_NAME": "diabetes-x",
}
WAITS = {"TRIES": "3", "PAUSE": "0"}
VALUE_ANSWERS = [{"to": f"azd env get-value {name}", "say": value} for name, value in VALUES.items()]
SCORING_URL = "https://diabetes-x.westeurope.inference.ml.azure.com/jobs"


class Azure:
    """A folder to run hooks in, as the project's, with the stand-ins first on the PATH."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.home = folder / "project", folder
        (folder / "bin").mkdir()
        self.folder.mkdir()
        (self.folder / "infra").symlink_to(INFRA)
        model = self.folder / "models/diabetes/model"
        model.mkdir(parents=True)
        (model / "diabetes.joblib").touch()
        for name in ("az", "azd"):
            program = folder / "bin" / name
            program.write_text(STAND_IN.format(python=sys.executable, home=str(folder)))
            program.chmod(0o755)

    def run(self, hook: str, *answers: dict[str, object]) -> subprocess.CompletedProcess[str]:
        (self.home / "answers.json").write_text(json.dumps([*answers, *VALUE_ANSWERS]))
        (self.home / "calls.jsonl").write_text("")
        waits = {f"{hook}_{what}": value for hook in ("SUBSCRIBE", "SAMPLE") for what, value in WAITS.items()}
        known = {"PATH": f"{self.home / 'bin'}:{os.environ['PATH']}", **waits}
        return subprocess.run(
            ["sh", f"infra/hooks/{hook}"],
            cwd=self.folder,
            env=known,
            capture_output=True,
            text=True,
            check=False,
        )

    def calls(self) -> list[list[str]]:
        """What `az` was asked."""
        lines = (self.home / "calls.jsonl").read_text().splitlines()
        return [call[1:] for call in map(json.loads, lines) if call[0] == "az"]


@pytest.fixture
def azure(tmp_path: Path) -> Azure:
    return Azure(tmp_path)


def test_events_are_subscribed_with_the_parameters_that_the_template_wants(azure: Azure) -> None:
    done = azure.run("subscribe.sh")
    assert done.returncode == 0, done.stderr
    [call] = azure.calls()
    assert call[:3] == ["deployment", "group", "create"]
    assert option(call, "--resource-group") == "rg-dev"
    assert option(call, "--template-file") == "infra/events.bicep"
    given = dict(word.split("=", 1) for word in call[call.index("--parameters") + 1 :] if "=" in word)
    assert set(given) == set(declared(INFRA / "events.bicep", "parameter"))
    assert given == {
        "appName": "func-x",
        "storageName": "stx",
        "topicName": "evgt-x",
        "inbox": "inbox",
        "deadLetters": "deadletters",
    }
    assert "code=" not in " ".join(call)


def test_an_app_that_is_not_up_yet_is_waited_for(azure: Azure) -> None:
    done = azure.run("subscribe.sh", {"to": "az deployment", "exit": 1, "left": 2})
    assert done.returncode == 0, done.stderr
    assert len(azure.calls()) == 3


def test_a_subscription_that_cannot_be_made_fails_the_deployment_and_says_what_to_do(azure: Azure) -> None:
    done = azure.run("subscribe.sh", {"to": "az deployment", "exit": 1})
    assert done.returncode == 1
    assert len(azure.calls()) == 3
    assert "Try again: sh infra/hooks/subscribe.sh" in done.stderr


def test_every_command_names_the_subscription_that_azd_deployed_to(azure: Azure) -> None:
    """`az` knows of another one, or of none: it does not read azd's environment."""
    azure.run("subscribe.sh")
    calls = azure.calls()
    azure.run(
        "sample.sh", {"to": "batch-endpoint show", "say": SCORING_URL}, {"to": "blob exists", "say": "false"}
    )
    calls += [call for call in azure.calls() if call[0] != "extension"]
    assert {option(call, "--subscription") for call in calls} == {"sub-1"}


@pytest.mark.parametrize("path", sorted(HOOKS.iterdir()), ids=lambda path: path.name)
def test_no_hook_makes_a_folder_where_azd_keeps_its_environments(path: Path) -> None:
    """azd takes every folder in `.azure` for an environment."""
    assert re.findall(r"\.azure/(?!routes\.toml)\S+", path.read_text("utf-8")) == []


def test_a_missing_value_of_the_environment_stops_a_hook(azure: Azure) -> None:
    done = azure.run("subscribe.sh", {"to": "azd env get-value EVENT_TOPIC_NAME", "exit": 1})
    assert done.returncode != 0
    assert azure.calls() == []


def test_the_sample_model_is_deployed_and_its_route_written(azure: Azure) -> None:
    done = azure.run(
        "sample.sh", {"to": "batch-endpoint show", "say": SCORING_URL}, {"to": "blob exists", "say": "false"}
    )
    assert done.returncode == 0, done.stderr
    made, deployed, shown, asked, written = azure.calls()[1:]
    for call, words in (
        (made, ["ml", "batch-endpoint", "create"]),
        (deployed, ["ml", "batch-deployment", "create"]),
        (shown, ["ml", "batch-endpoint", "show"]),
        (asked, ["storage", "blob", "exists"]),
        (written, ["storage", "blob", "upload"]),
    ):
        assert call[: len(words)] == words
    assert option(made, "--name") == option(deployed, "--endpoint-name") == "diabetes-x"
    assert (ROOT / option(made, "--file")).exists()
    assert (ROOT / option(deployed, "--file")).exists()
    assert "--set-default" in deployed
    assert option(written, "--auth-mode") == "login"
    routes = parse_routes((azure.folder / option(written, "--file")).read_text("utf-8"))
    route = routes.of("diabetes/clinic.csv")
    assert route is not None
    assert (route.model, route.datastore) == (SCORING_URL, "dropscore_raw")


def test_routes_that_are_there_are_left_alone(azure: Azure) -> None:
    done = azure.run(
        "sample.sh", {"to": "batch-endpoint show", "say": SCORING_URL}, {"to": "blob exists", "say": "true"}
    )
    assert done.returncode == 0, done.stderr
    assert SCORING_URL in (azure.folder / ".azure/routes.toml").read_text("utf-8")
    assert "left alone" in done.stdout
    assert not [call for call in azure.calls() if "upload" in call]


def test_a_role_that_is_not_in_force_yet_is_waited_for(azure: Azure) -> None:
    done = azure.run(
        "sample.sh",
        {"to": "batch-deployment", "exit": 1, "left": 2},
        {"to": "batch-endpoint show", "say": SCORING_URL},
        {"to": "blob exists", "say": "false"},
    )
    assert done.returncode == 0, done.stderr
    assert [call[1:3] for call in azure.calls()].count(["batch-deployment", "create"]) == 3
    assert azure.run("sample.sh", {"to": "batch-deployment", "exit": 1}).returncode != 0


def test_storage_that_lets_nobody_in_from_here_does_not_fail_a_deployment(azure: Azure) -> None:
    done = azure.run(
        "sample.sh", {"to": "batch-endpoint show", "say": SCORING_URL}, {"to": "blob exists", "exit": 1}
    )
    assert done.returncode == 0, done.stderr
    assert "dropscore routes set .azure/routes.toml" in done.stdout
    assert len([call for call in azure.calls() if "exists" in call]) == 3


def test_a_workspace_that_was_there_gets_no_sample_model(azure: Azure) -> None:
    done = azure.run("sample.sh", {"to": "azd env get-value SAMPLE_WORKSPACE_NAME", "say": ""})
    assert done.returncode == 0, done.stderr
    assert azure.calls() == []


def test_the_datastore_and_the_cluster_of_the_sample_are_those_of_the_template() -> None:
    workspace = declared(INFRA / "workspace.bicep", "module")["workspace"].value["params"]
    deployment = (ROOT / "models/diabetes/deployment.yml").read_text("utf-8")
    assert f"azureml:{workspace['computes'][0]['name']}\n" in deployment
    assert f'"{workspace["datastores"][0]["name"]}"' in (HOOKS / "routes.toml").read_text("utf-8")


@pytest.mark.parametrize("name", ["subscribe", "sample"])
def test_the_powershell_hook_parses(name: str) -> None:
    parser = Parser(Language(tree_sitter_powershell.language()))
    assert not parser.parse((HOOKS / f"{name}.ps1").read_bytes()).root_node.has_error
    assert parser.parse(b"while ($tries { }").root_node.has_error


@pytest.mark.parametrize("name", ["subscribe", "sample"])
def test_the_powershell_hook_issues_the_same_commands(name: str) -> None:
    shell, power = (commands(HOOKS / f"{name}.{kind}") for kind in ("sh", "ps1"))
    assert shell
    assert power == shell


def test_the_hooks_of_azd_are_there_for_both_systems() -> None:
    document = yaml.safe_load((ROOT / "azure.yaml").read_text("utf-8"))
    for hook in document["hooks"].values():
        for system, shell, kind in (("posix", "sh", ".sh"), ("windows", "pwsh", ".ps1")):
            assert hook[system]["shell"] == shell
            assert hook[system]["run"].endswith(kind)
            assert (ROOT / hook[system]["run"]).exists()


def option(call: list[str], name: str) -> str:
    return call[call.index(name) + 1]


def commands(path: Path) -> list[list[str]]:
    """The `az` and `azd` commands of a hook in their order, word by word, variables by their names alone."""
    joined = re.sub(r"[\\`]\n\s*", " ", path.read_text("utf-8"))
    found = re.findall(
        r"(?:^|\s|\()((?:az|azd) [^)\n;|]+)", "\n".join(code(line) for line in joined.splitlines())
    )
    return [[plain(word) for word in command.split() if word not in ("{", "do")] for command in found]


def code(line: str) -> str:
    return "" if line.lstrip().startswith(("#", "echo", "Write-", "if ($LASTEXITCODE")) else line


def plain(word: str) -> str:
    """One word of either shell: `"$dead_letters"`, `$deadLetters` and `"$1"`, `$name` are the same."""
    bare = word.strip('"').replace("$1", "$name").rstrip(";")
    return re.sub(r"\$(\w+)", lambda found: f"${found[1].replace('_', '').lower()}", bare)

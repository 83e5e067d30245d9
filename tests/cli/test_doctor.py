"""`doctor`: what was found, what to type, and the exit code; with `--job` a trial."""

import os
import subprocess
import sys

import pytest

from local.stack import ROOT
from tests.cli.conftest import Shell
from tests.cli.world import finding

SUCCEEDED, FAILED, STAY = "succeeded\n1\n", "failed\n1\n", "stay\n1\n"


def test_a_deployment_without_a_fault_ends_with_0(shell: Shell) -> None:
    result = shell.run("doctor")
    assert result.exit_code == 0
    assert result.stdout == (
        "state  check    about    what was found\n"
        "───────────────────────────────────────\n"
        "ok     storage  account  storage is ok\n"
        "\n"
        "1 check in 0.5 s: 1 ok.\n"
    )


def test_what_has_failed_says_what_to_type_and_ends_with_1(shell: Shell) -> None:
    shell.app.world.findings += [
        finding("failed", "container", "work", "az storage container create -n work")
    ]
    result = shell.run("doctor")
    assert result.exit_code == 1
    assert "\ncontainer work: container is failed\n  az storage container create -n work\n" in result.stdout


def test_a_warning_says_what_to_type_and_ends_with_0(shell: Shell) -> None:
    shell.app.world.findings += [finding("warning", "workspace", "", "az functionapp config appsettings set")]
    result = shell.run("doctor")
    assert result.exit_code == 0
    assert "\nworkspace: workspace is warning\n  az functionapp config appsettings set\n" in result.stdout


def test_the_document_is_the_apps_own_also_where_a_check_has_failed(shell: Shell) -> None:
    shell.app.world.findings = [finding("failed", "heartbeat")]
    document = shell.json("doctor")
    assert document["status"] == "failing"
    assert document["checks"] == shell.app.world.findings
    assert document["url"] == shell.app.url


def test_the_checkup_asks_for_a_key(shell: Shell) -> None:
    shell.app.key = "the-key"
    assert shell.run("doctor").exit_code == 4
    assert shell.run("doctor", DROPSCORE_KEY="the-key").exit_code == 0


def test_an_app_that_knows_no_checkup_ends_with_5(shell: Shell) -> None:
    shell.app.troubles = [(404, {}, b"")]
    assert shell.run("doctor").exit_code == 5


def test_a_trial_that_succeeds_ends_with_0(shell: Shell) -> None:
    result = shell.run("doctor", "--job", "--sample", shell.file("sample.csv", SUCCEEDED))
    assert result.exit_code == 0
    assert (
        "\nTrial of diabetes succeeded: 2 rows scored by batchjob-1, read back, deleted.\n" in result.stdout
    )
    assert [path for method, path, _ in shell.app.seen if method == "POST"] == ["/api/routes/diabetes/trial"]


def test_a_trial_that_fails_says_why_and_what_to_type(shell: Shell) -> None:
    result = shell.run("doctor", "--job", "--sample", shell.file("sample.csv", FAILED))
    assert result.exit_code == 1
    assert result.stdout.endswith(
        "\nTrial of diabetes failed: its job failed: ValueError.\n"
        "  az role assignment create\n"
        "  https://ml.azure.com/runs/batchjob-1\n"
    )


def test_the_document_of_a_trial_stands_beside_the_checks(shell: Shell) -> None:
    typed = ("doctor", "--job", "--route", "diabetes", "--sample", shell.file("sample.csv", SUCCEEDED))
    assert shell.json(*typed)["trial"]["status"] == "succeeded"


def test_a_trial_that_nobody_waits_for_is_stopped(shell: Shell) -> None:
    typed = ("doctor", "--job", "--sample", shell.file("sample.csv", STAY), "--timeout", "10s")
    result = shell.run(*typed)
    assert result.exit_code == 6
    assert shell.app.world.trials == {"stay": -1}


@pytest.mark.parametrize(
    "typed",
    [("--job",), ("--sample", "sample.csv"), ("--route", "diabetes"), ("--job", "--sample", "none.csv")],
)
def test_options_that_do_not_go_together_end_with_2(typed: tuple[str, ...], shell: Shell) -> None:
    shell.file("sample.csv", SUCCEEDED)
    assert shell.run("doctor", *typed).exit_code == 2
    assert not shell.app.seen


def test_with_several_routes_one_has_to_be_named(shell: Shell) -> None:
    shell.app.world.routes["other"] = {**shell.app.world.routes["diabetes"], "name": "other"}
    result = shell.run("doctor", "--job", "--sample", shell.file("sample.csv", SUCCEEDED))
    assert (result.exit_code, result.stdout) == (2, "")
    assert "--route is one of diabetes, other" in result.stderr


def test_a_sample_that_is_no_file_of_the_route_ends_with_1(shell: Shell) -> None:
    result = shell.run("doctor", "--job", "--sample", shell.file("sample.csv", "bad\n"))
    assert result.exit_code == 1
    assert "Line 2 has no age" in result.stderr


def test_why_a_sample_was_refused_is_the_last_line_of_a_log_of_both_streams(shell: Shell) -> None:
    typed = ["doctor", "--job", "--sample", shell.file("sample.csv", "bad\n"), "--url", shell.app.url]
    known = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": ""}
    told = subprocess.run(
        [sys.executable, "-m", "dropscore", *typed],
        env=known,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert told.stdout.splitlines()[-1] == ("Error: The route would not take the sample: Line 2 has no age.")

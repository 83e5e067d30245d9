"""`dropscore runs`, `show`, `cancel`, `rerun`, `watch`, `backfill`."""

import json

import pytest

from tests.cli.conftest import Shell
from tests.cli.world import route

FIRST, SECOND = "01RUN000000000000000000001", "01RUN000000000000000000002"


@pytest.fixture
def dropped(shell: Shell) -> Shell:
    """A run that succeeded and one that failed."""
    shell.run("drop", shell.file("good.csv"), shell.file("fail.csv", "fail\n1\n"), "--wait")
    return shell


def test_runs_are_listed_newest_first(dropped: Shell) -> None:
    assert dropped.run("runs").stdout == (
        "run                         route     state      files  rows  begun\n"
        "──────────────────────────────────────────────────────────────────────\n"
        f"{SECOND}  diabetes  failed         1     1  14 s ago\n"
        f"{FIRST}  diabetes  succeeded      1     1  14 s ago\n"
    )


def test_no_runs_are_no_error(shell: Shell) -> None:
    assert shell.run("runs").stdout == "No runs.\n"
    assert shell.run("runs", "--outcome", "failed").stdout == "No such runs.\n"
    assert shell.run("runs", "--route", "diabetes").stdout == "No such runs.\n"
    assert shell.json("runs") == {"runs": [], "next": None, "more": False}


def test_runs_of_a_route_that_nobody_knows_are_an_error(shell: Shell) -> None:
    result = shell.run("runs", "--route", "nope")
    assert (result.stdout, result.exit_code) == ("", 3)
    assert result.stderr == 'Error: There is no route "nope".\nThere are: diabetes.\n'


def test_runs_of_a_route_that_is_no_more_are_listed(dropped: Shell) -> None:
    dropped.app.world.routes["other"] = route("other")
    for one in dropped.app.world.versions:
        one.route = "gone"
    assert len(dropped.json("runs", "--route", "gone")["runs"]) == 2


def test_filters_go_to_the_app(dropped: Shell) -> None:
    typed = [
        "--route",
        "diabetes",
        "--state",
        "closed",
        "--outcome",
        "failed",
        "--since",
        "2h",
        "--limit",
        "7",
    ]
    assert [run["run"] for run in dropped.json("runs", *typed)["runs"]] == [SECOND]
    assert dropped.app.seen[-1][1] == (
        "/api/runs?limit=7&route=diabetes&state=closed&outcome=failed&since=2026-11-21T18%3A00%3A16Z"
    )


def test_a_long_list_is_read_page_by_page(shell: Shell) -> None:
    for number in range(450):
        shell.app.world.drop(f"diabetes/{number}.csv", b"a\n1\n")
    shell.app.world.sleep(60)
    found = shell.json("runs", "--limit", "401")
    assert len({run["run"] for run in found["runs"]}) == 401
    assert found["next"] == "401"
    assert shell.run("runs", "--limit", "2").stderr == "There are more: --limit 20\n"


def test_a_limit_holds_where_more_runs_are_open(shell: Shell) -> None:
    for number in range(3):
        shell.app.world.drop(f"diabetes/{number}.csv", b"stay\n1\n")
    shell.app.world.sleep(60)
    result = shell.run("runs", "--limit", "2")
    assert len(result.stdout.splitlines()) == 4
    assert result.stderr == "There are more: --limit 20\n"
    found = shell.json("runs", "--limit", "2")
    assert (len(found["runs"]), found["next"], found["more"]) == (2, None, True)
    assert shell.json("runs", "--limit", "3")["more"] is False


def test_a_run_is_shown_with_its_stages_and_files(dropped: Shell) -> None:
    result = dropped.run("show", SECOND)
    assert result.stderr == f"Go on with what failed or was canceled: `dropscore rerun {SECOND}`\n"
    assert result.stdout == (
        f"{SECOND}  diabetes  failed\n"
        "files   1 (1 failed)\n"
        "rows    1\n"
        "why     The job failed: ScoringError.\n"
        "took    12 s\n"
        "model   https://diabetes.example.com/jobs\n"
        "job     batchjob-1\n"
        "studio  https://ml.azure.com/runs/batchjob-1\n"
        "\n"
        "gathering  2026-11-21 20:00:02 UTC  14 s ago\n"
        "packed     2026-11-21 20:00:03 UTC  13 s ago\n"
        "submitted  2026-11-21 20:00:04 UTC  12 s ago\n"
        "ended      2026-11-21 20:00:12 UTC  4 s ago\n"
        "closed     2026-11-21 20:00:14 UTC  2 s ago\n"
        "\n"
        "file               state   rows  why\n"
        "──────────────────────────────────────────────────────────────\n"
        "diabetes/fail.csv  failed     0  The job failed: ScoringError.\n"
    )
    assert dropped.json("show", SECOND)["job"] == "batchjob-1"


def test_a_run_that_is_not_there_is_not_found(shell: Shell) -> None:
    result = shell.run("show", "01NONE")
    assert (result.exit_code, result.stderr) == (3, "Error: There is no run 01NONE.\n")


def test_a_run_is_canceled_once(shell: Shell) -> None:
    shell.run("drop", shell.file("slow.csv", "stay\n1\n"), "--wait", "--timeout", "5s")
    result = shell.run("cancel", FIRST)
    assert result.stdout == f"{FIRST} is being canceled; its files stay in the inbox.\n"
    assert result.stderr == (
        f"How far is it? `dropscore show {FIRST}`\n"
        f"Once it is closed: `dropscore rerun {FIRST}` goes on with its files.\n"
    )
    late = shell.run("cancel", FIRST)
    assert (late.exit_code, late.stderr) == (7, f"Error: The job of {FIRST} has ended.\n")


def test_a_rerun_is_waited_for(dropped: Shell) -> None:
    result = dropped.run("rerun", SECOND, "--wait")
    assert result.stdout.splitlines()[-1].split()[:3] == [SECOND, "diabetes", "succeeded"]
    assert result.exit_code == 0
    again = dropped.run("rerun", SECOND)
    assert again.stderr == (
        f"Error: No file of {SECOND} failed.\n`dropscore show {SECOND}` says how each file ended.\n"
    )
    assert again.exit_code == 7


def test_a_rerun_says_which_runs_go_on(dropped: Shell) -> None:
    result = dropped.run("rerun", SECOND)
    assert result.stdout == f"{SECOND} goes on with 1 file.\n"
    assert result.stderr == f"How far is it? `dropscore show {SECOND}`\n"
    assert [method for method, path, _ in dropped.app.seen if path.endswith("/rerun")] == ["POST"]


def test_watch_looks_once_where_nobody_watches(dropped: Shell) -> None:
    dropped.run("drop", dropped.file("slow.csv", "stay\n1\n"), "--wait", "--timeout", "5s")
    shown = dropped.run("watch").stdout
    assert shown.startswith(
        "route     waiting  oldest  busy    held\n"
        "───────────────────────────────────────\n"
        "diabetes                   0 of 1\n"
    )
    under_way, closed = shown.split("\nUnder way\n")[1].split("\nClosed last\n")
    assert under_way.splitlines()[-1].split() == (
        ["01RUN000000000000000000003", "diabetes", "submitted", "1", "1", "3", "s", "in", "8", "s"]
    )
    assert [line.split()[2] for line in closed.splitlines()[2:]] == ["failed", "succeeded"]


def test_watch_as_json_is_one_look(dropped: Shell) -> None:
    found = dropped.json("watch")
    assert ([*found], len(found["closed"]), found["open"]) == (["routes", "open", "closed"], 2, [])


@pytest.fixture
def lying(shell: Shell) -> Shell:
    """A file that was scored, and two that were not yet."""
    shell.run("drop", shell.file("good.csv"), "--wait")
    shell.run("drop", shell.file("new.csv"), shell.file("fail.csv", "fail\n1\n"))
    shell.app.world.sleep(3)
    return shell


def test_a_backfill_says_first_what_it_would_do(lying: Shell) -> None:
    assert lying.run("backfill", "diabetes", "diabetes/", "--dry-run").stdout == (
        "2 files, 19 B, begun within 1 minute.\n"
        "1 were scored before and are left out; --force takes them, too.\n"
        "  diabetes/new.csv\n"
        "  diabetes/fail.csv\n"
    )
    assert lying.json("backfill", "diabetes", "diabetes/", "--dry-run", "--force")["files"] == 3
    assert not lying.app.world.backfills


def test_a_backfill_of_nothing_is_none(lying: Shell) -> None:
    result = lying.run("backfill", "diabetes", "elsewhere/", "--yes")
    said = 'There is nothing to score: no file begins with "elsewhere/".\n'
    assert (result.stdout, result.exit_code) == (said, 0)
    assert not lying.app.world.backfills


def test_a_backfill_of_a_prefix_without_the_folder_says_which_would_fit(lying: Shell) -> None:
    assert lying.run("backfill", "diabetes", "ne", "--dry-run").stderr == (
        'The files of diabetes have names that begin with "diabetes/": `dropscore backfill diabetes diabetes/ne`\n'
    )
    assert lying.run("backfill", "diabetes", "diabetes/none", "--dry-run").stderr == ""


def test_a_backfill_of_what_another_route_takes_says_so(lying: Shell) -> None:
    lying.app.world.routes["other"] = route("other")
    lying.run("drop", lying.file("a.csv"), lying.file("b.csv"), "--route", "other")
    assert lying.run("backfill", "diabetes", "other/", "--dry-run").stdout == (
        'There is nothing to score: 2 files begin with "other/", and the pattern of diabetes takes none of them.\n'
        "`dropscore routes list` shows the patterns.\n"
    )


def test_an_app_that_does_not_count_others_is_understood(lying: Shell) -> None:
    answer = {"files": 0, "bytes": 0, "minutes": 0, "scored_before": 0, "names": []}
    lying.app.troubles = [(200, {}, json.dumps(answer).encode())]
    assert lying.run("backfill", "diabetes", "other/", "--dry-run").stdout == (
        'There is nothing to score: no file that diabetes takes begins with "other/".\n'
    )


def test_a_backfill_that_nobody_confirms_is_not_started(lying: Shell) -> None:
    result = lying.run("backfill", "diabetes", "diabetes/")
    assert result.exit_code == 2
    assert result.stderr == ("Error: Nobody is there to be asked.\nType --dry-run to look, --yes to start.\n")
    assert not lying.app.world.backfills


def test_a_backfill_is_begun_and_stopped(lying: Shell) -> None:
    begun = lying.run("backfill", "diabetes", "diabetes/", "--yes")
    assert begun.stdout == "Backfill b1 has begun.\n"
    assert begun.stderr == "Stop it with `dropscore backfill-cancel b1`\n"
    assert lying.run("backfill-status", "b1").stdout == "Backfill b1 is running: 1 file started, in 1 run.\n"
    assert lying.run("backfill-cancel", "b1").exit_code == 0
    assert lying.run("backfill-status", "b2").exit_code == 3


def test_waiting_for_a_backfill_is_waiting_for_its_runs(lying: Shell) -> None:
    result = lying.run("backfill", "diabetes", "diabetes/", "--yes", "--wait")
    assert [line.split()[2] for line in result.stdout.splitlines()[2:]] == ["succeeded", "failed"]
    assert result.exit_code == 1
    assert result.stderr.splitlines()[:3] == [
        "Backfill b1 has begun. Stop it with `dropscore backfill-cancel b1`",
        "b1: running (1 of 2 files started)",
        "b1: completed",
    ]


def test_a_backfill_that_ends_early_says_why(lying: Shell) -> None:
    lying.app.world.backfill_why = "Three runs in a row published nothing."
    result = lying.run("backfill", "diabetes", "diabetes/", "--yes", "--wait")
    said = "Backfill b1 has failed (Three runs in a row published nothing)"
    assert (result.exit_code, result.stdout) == (1, f"{said}: 1 of 2 files started.\n")
    assert lying.run("backfill-status", "b1").stdout == f"{said}: 2 files started, in 2 runs.\n"

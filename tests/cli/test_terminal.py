"""On a terminal: bars, colours, narrow windows, and a table that lives."""

import re
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from rich.live import Live

from dropscore.bars import shown
from dropscore.following import FollowedFile
from dropscore.parameters import Duration
from dropscore.plain import ago, lasting, sized
from dropscore.saving import name_of
from dropscore.screen import Screen, table
from dropscore.session import Session
from dropscore.status import write
from dropscore.watch import keep_looking
from tests.cli.conftest import Shell
from tests.cli.world import BEGUN, at


@pytest.fixture(autouse=True)
def capable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever the tests run, the terminal is one that can do all this."""
    monkeypatch.setenv("TERM", "xterm-256color")


CODES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


def terminal(width: int = 80) -> Console:
    return Console(
        file=StringIO(), force_terminal=True, width=width, highlight=False, markup=False, color_system="256"
    )


def written(console: Console) -> str:
    """What went to the terminal, without its codes."""
    assert isinstance(console.file, StringIO)
    return CODES.sub("", console.file.getvalue())


def screen(width: int = 80) -> Screen:
    made = Screen()
    made.out, made.err = terminal(width), terminal(width)
    return made


def test_each_file_has_a_bar() -> None:
    followed = [FollowedFile("diabetes/[red]x.csv", "0x1"), FollowedFile("diabetes/\x1b[31my.csv", "0x2")]
    seen = screen()
    with shown(seen, followed) as show:
        followed[0].stage, followed[0].done = "submitted", 0.5
        followed[1].word, followed[1].done = "published", 1.0
        show()
    assert "diabetes/[red]x.csv ━━━━━━━━━━━━" in written(seen.err)
    assert "submitted" in written(seen.err)
    assert "diabetes/\\x1b[31my.csv ━━━━━━━━━━━━━━━━━━━━━━━━ published" in written(seen.err)


def test_a_short_line_cuts_what_is_said_and_not_the_name() -> None:
    one = FollowedFile("diabetes/a-clinic-with-a-long-name.csv", "0x1", note="the route is held: " + "x" * 80)
    seen = screen(80)
    with shown(seen, [one]) as show:
        show()
    lines = [line for line in written(seen.err).splitlines() if "waiting (the" in line]
    assert lines
    assert all(line.strip().startswith(one.name) and "…" in line for line in lines)


def test_many_files_share_a_bar() -> None:
    followed = [FollowedFile(f"{number}.csv", "0x1") for number in range(40)]
    seen = screen()
    with shown(seen, followed) as show:
        for one in followed[:3]:
            one.word, one.done = "published", 1.0
        show()
    assert "40 files" in written(seen.err)
    assert "3 done" in written(seen.err)
    assert "0.csv" not in written(seen.err)


def test_a_narrow_window_has_blocks_in_place_of_a_table() -> None:
    seen = screen(30)
    rows = [
        ("diabetes/clinic.csv", "published", "a long reason that takes more room"),
        ("b.csv", "failed", "x"),
    ]
    shown_table = table(("file", "state", "why"), rows, 30)
    seen.out.print(shown_table, soft_wrap=True)
    assert written(seen.out) == (
        "file   diabetes/clinic.csv\nstate  published\nwhy    a long reason that takes more room\n"
        "\n"
        "file   b.csv\nstate  failed\nwhy    x\n"
    )


def test_colours_are_for_terminals_without_no_color(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [("a.csv", "published")]
    coloured = screen()
    coloured.out.print(table(("file", "state"), rows, 80))
    assert "\x1b[32mpublished" in str(coloured.out.file.getvalue())  # type: ignore[attr-defined]
    monkeypatch.setenv("NO_COLOR", "1")
    plain = screen()
    plain.out.print(table(("file", "state"), rows, 80))
    assert "\x1b[32m" not in str(plain.out.file.getvalue())  # type: ignore[attr-defined]


def test_watching_goes_on_while_the_app_is_away(shell: Shell) -> None:
    """Three looks: the second finds nobody there; Ctrl-C ends it well."""
    pauses = []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if pauses.count(3) == 1:
            shell.app.troubles = [(503, {}, b"")] * 4
        if pauses.count(3) == 3:
            raise KeyboardInterrupt

    known = {"DROPSCORE_URL": shell.app.url}
    session = Session(environment=known, now=shell.app.world.clock, sleep=sleep)
    session.screen = screen()
    with Live(console=session.screen.out, auto_refresh=False) as live:
        keep_looking(session, live, 3)
    seen = written(session.screen.out)
    assert seen.count("diabetes") >= 3
    assert f"{shell.app.url} answers 503. Trying again." in seen
    assert seen.rstrip().endswith("Every 3 s; Ctrl-C ends.")


def test_predictions_act_on_no_terminal(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    shell.run("drop", shell.file("clinic.csv"), "--wait")
    session = Session(environment={"DROPSCORE_URL": shell.app.url})
    session.screen = screen()
    shell.app.troubles = [(200, {}, b"a\tb\r\n\x1b[2J,\xe2\x80\xae\n")]
    write(session, "diabetes/clinic.csv")
    assert capsys.readouterr().out == "a\tb\n\\x1b[2J,\\u202e\n"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (119, "119 s"), (120, "2 min"), (7199, "119 min"), (7200, "2 h"), (200_000, "2 d")],
)
def test_times_are_short(seconds: int, text: str) -> None:
    span = Duration().convert(f"{seconds}s", None, None)
    assert lasting(span) == text
    assert ago(at(BEGUN - span), BEGUN) == f"{text} ago"
    assert ago("", BEGUN) == ""


def test_sizes_are_short() -> None:
    assert [sized(count) for count in (999, 1500, 48_000_000, 2_000_000_000)] == [
        "999 B",
        "1.5 kB",
        "48.0 MB",
        "2.0 GB",
    ]


@pytest.mark.parametrize(
    ("blob", "name"),
    [
        ("a/clinic.csv", "clinic.csv"),
        ("a/..", "predictions.csv"),
        ("a/", "predictions.csv"),
        ("a/x\\..\\y.csv", "x_.._y.csv"),
        ("a/\x1b[31m.csv", "_[31m.csv"),
    ],
)
def test_a_blobs_name_leads_out_of_no_folder(blob: str, name: str) -> None:
    assert name_of(blob) == name
    assert (Path("out") / name_of(blob)).parent == Path("out")

"""The map of the ledger leads to what it names: its own docstring to modules, the protocol to functions."""

import re

import pytest

import shared.ledger
from local.stack import ROOT

DOC = ROOT / "docs" / "protocol.md"
ROW = re.compile(r"^\| [^|]*\| (?P<names>[^|]*`[^|]*) \| \[[^]]*\]\((?P<path>[^)]*)\) \|$", re.MULTILINE)
PROMISED = [
    (name, row["path"])
    for row in ROW.finditer(DOC.read_text("utf-8"))
    for name in re.findall(r"`(\w+)`", row["names"])
]


def test_the_map_names_every_module_of_the_ledger() -> None:
    named = re.findall(r"\bledger_\w+\.py", shared.ledger.__doc__ or "")
    there = [module.name for module in (ROOT / "shared").glob("ledger_*.py")]
    assert sorted(named) == sorted(there)


def test_every_promise_is_kept_somewhere() -> None:
    assert len(PROMISED) > 15


@pytest.mark.parametrize(("name", "path"), PROMISED)
def test_what_keeps_a_promise_is_where_the_protocol_says(name: str, path: str) -> None:
    defined_or_called_in_turn = rf"def {name}\(|, {name}\)"
    assert re.search(defined_or_called_in_turn, (DOC.parent / path).read_text("utf-8"))

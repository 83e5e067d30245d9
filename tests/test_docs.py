"""The docs say what is there: every setting, every route key, every error code, and no link leads nowhere."""

import re
from dataclasses import fields
from pathlib import Path
from typing import get_args

import pytest

from local.stack import ROOT
from shared.records import Outcome
from shared.routes import Route, parse_routes
from shared.settings import DEFAULTS, STORAGE

DOCS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]


def text(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


@pytest.mark.parametrize("key", [STORAGE, f"{STORAGE}__blobServiceUri", "DROPSCORE_INBOX", *DEFAULTS])
def test_every_setting_is_documented(key: str) -> None:
    assert f"`{key}`" in text("docs/settings.md")


@pytest.mark.parametrize("key", sorted({entry.name for entry in fields(Route)} - {"name"}))
def test_every_key_of_a_route_is_documented(key: str) -> None:
    assert f"| `{key}` |" in text("docs/routes.md")


def test_every_outcome_is_documented() -> None:
    assert all(f"`{word}`" in text("docs/http.md") for word in get_args(Outcome))


def test_the_readmes_route_is_a_route() -> None:
    sample = re.search(r"```toml\n(.*?)```", text("README.md"), re.S)
    assert sample is not None
    assert parse_routes(sample[1]).of("diabetes/clinic.csv") is not None


def test_every_check_of_the_doctor_is_documented_and_no_other() -> None:
    sources = "".join(path.read_text("utf-8") for path in (ROOT / "shared" / "checkup").glob("*.py"))
    made = {*re.findall(r"Check\(\"([a-z-]+)\"", sources), "endpoint", "deployment", "scoring"}
    assert made == set(re.findall(r"^\| `([a-z-]+)` \|", text("docs/doctor.md"), re.MULTILINE))


@pytest.mark.parametrize("doc", DOCS, ids=lambda doc: doc.name)
def test_no_link_leads_nowhere(doc: Path) -> None:
    links = re.findall(r"\]\((?!http)([^)#]+)", doc.read_text("utf-8"))
    assert [link for link in links if not (doc.parent / link).exists()] == []


def test_the_readme_is_short() -> None:
    assert len(text("README.md").splitlines()) < 150

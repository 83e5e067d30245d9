"""What `openapi.json` says is what there is."""

import json
import re
from typing import Any

import pytest

from local.stack import ROOT
from tests.triggers.api import operations

DESCRIPTION: dict[str, Any] = json.loads((ROOT / "web" / "openapi.json").read_text("utf-8"))
DOCS = (ROOT / "docs" / "http.md").read_text("utf-8")
SOURCES = {path.name: path.read_text("utf-8") for path in (ROOT / "triggers" / "http").glob("*.py")}
CODES = sorted(
    {code for text in SOURCES.values() for code in re.findall(r"BadRequest\(\s*\d+,\s*\"([a-z-]+)\"", text)}
)
DESCRIBED = {
    (method.upper(), path): operation
    for path, methods in DESCRIPTION["paths"].items()
    for method, operation in methods.items()
}
THE_PAGE = "dashboard"


def test_every_function_is_described_and_nothing_else() -> None:
    served = {
        (one.method, "/" + re.sub(r"\{\*", "{", one.template))
        for one in operations()
        if not one.template.startswith(THE_PAGE)
    }
    assert served == set(DESCRIBED)


def test_what_asks_for_no_key_says_so() -> None:
    for one in operations():
        if not one.template.startswith(THE_PAGE):
            described = DESCRIBED[one.method, "/" + one.template.replace("{*", "{")]
            assert one.anonymous == (described.get("security") == [])


@pytest.mark.parametrize("code", CODES)
def test_every_code_is_described_and_explained(code: str) -> None:
    assert f"`{code}`" in json.dumps(DESCRIPTION)
    assert f"`{code}`" in DOCS


@pytest.mark.parametrize(("method", "path"), sorted(DESCRIBED))
def test_every_operation_is_in_the_docs(method: str, path: str) -> None:
    assert f"`{method} /api{path}`" in DOCS

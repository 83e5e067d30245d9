"""The page's files as the app serves them: to everyone, without data, and nothing else."""

import asyncio
import re

import azure.functions as func
import pytest

from local.stack import ROOT
from triggers.http import page

WEB = ROOT / "web"
Handler = page.dashboard.build().get_user_function()
PartHandler = page.dashboard_part.build().get_user_function()


def asked(name: str = "", known: str = "", url: str = "/api/dashboard") -> func.HttpResponse:
    """What a browser is answered that asks for a part of the page, or for its shell."""
    request = func.HttpRequest(
        "GET", url, headers={"If-None-Match": known}, route_params={"file": name}, body=b""
    )
    answer: func.HttpResponse = asyncio.run((PartHandler if name else Handler)(request))
    return answer


def test_the_shell_is_served_with_a_policy_that_lets_nothing_in_from_elsewhere() -> None:
    answer = asked()
    assert (answer.status_code, answer.mimetype) == (200, "text/html")
    policy = answer.headers["Content-Security-Policy"].split("; ")
    assert policy[0] == "default-src 'none'"
    assert {"script-src 'self'", "style-src 'self'", "frame-ancestors 'none'"} <= set(policy)
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("name", "media_type"),
    [("app.js", "text/javascript"), ("page.css", "text/css"), ("icon.svg", "image/svg+xml")],
)
def test_each_part_has_its_media_type(name: str, media_type: str) -> None:
    answer = asked(name)
    assert (answer.status_code, answer.mimetype, answer.charset) == (200, media_type, "utf-8")
    assert answer.get_body() == (WEB / name).read_bytes()


@pytest.mark.parametrize(
    "name",
    [
        "index.html",
        "openapi.json",
        "../host.json",
        "..%2fhost.json",
        "%2e%2e/host.json",
        "/etc/passwd",
        "..\\host.json",
        "app.js\0",
        "App.js",
        "none.js",
    ],
)
def test_what_is_no_part_of_the_page_is_not_served(name: str) -> None:
    answer = asked(name)
    assert answer.status_code == 404
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("name", ["", "app.js"])
def test_what_the_browser_has_is_not_sent_again(name: str) -> None:
    etag = asked(name).headers["ETag"]
    again = asked(name, f'W/"other", {etag}')
    assert (again.status_code, again.get_body()) == (304, b"")
    assert again.headers["ETag"] == etag
    assert asked(name, '"other"').status_code == 200


def test_an_address_with_a_slash_at_its_end_leads_to_the_one_without() -> None:
    answer = asked(url="https://app.example/prefix/dashboard/?x=1")
    assert (answer.status_code, answer.headers["Location"]) == (308, "../dashboard")


def test_both_functions_ask_for_no_key() -> None:
    for builder in (page.dashboard, page.dashboard_part):
        trigger = builder.build().get_trigger()
        assert trigger is not None
        assert trigger.auth_level == func.AuthLevel.ANONYMOUS


def test_the_shell_names_every_module_and_nothing_that_is_not_there() -> None:
    named = set(re.findall(r'(?:href|src)="dashboard/([^"]+)"', (WEB / "index.html").read_text("utf-8")))
    assert named == set(page.parts()) - {page.SHELL}


def test_no_part_of_the_page_names_another_host_or_sets_markup_from_text() -> None:
    for name in page.parts():
        text = (WEB / name).read_text("utf-8").replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"(?:https?:)?//[a-z0-9-]+\.[a-z]", text), name
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", text), name
        assert not re.search(r"<script>|<style| on[a-z]+=\"| style=\"", text), name


def test_the_page_imports_only_what_is_there_and_uses_it() -> None:
    for path in WEB.glob("*.js"):
        source = path.read_text("utf-8")
        for imported, module in re.findall(r'import (.+?) from "\./([\w.]+)";', source):
            exported = re.findall(
                r"export (?:async )?(?:const|function|class) (\w+)", (WEB / module).read_text("utf-8")
            )
            names = re.findall(r"\w+", imported) if imported.startswith("{") else []
            assert set(names) <= set(exported), (path.name, module)
            assert [name for name in names if len(re.findall(rf"\b{name}\b", source)) < 2] == [], path.name

"""Which apps the host indexes, and what it says of those it refuses."""

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from local.host.blob_paths import BlobPath
from local.host.indexing import IndexedFunction, IndexingError, index
from local.host.route_templates import paths
from local.host.settings import HostConfig, MissingSettingError

HEADER = """
from dataclasses import dataclass
from typing import Any, Dict, List, Literal, Mapping, Optional, TypedDict, Union
import azure.durable_functions as df
import azure.functions as func
from azurefunctions.extensions.bindings.blob import BlobClient, ContainerClient, StorageStreamDownloader

app = df.DFApp()

@dataclass
class Data:
    x: int

class Typed(TypedDict):
    x: int

"""
Index = Callable[[str], list[IndexedFunction]]


@pytest.fixture
def index_app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Index:
    """Index an app of one module, given as its functions."""
    monkeypatch.setattr("sys.path", [*__import__("sys").path])
    monkeypatch.setenv("STORE", "UseDevelopmentStorage=true")

    def index_source(source: str) -> list[IndexedFunction]:
        (tmp_path / "function_app.py").write_text(HEADER + textwrap.dedent(source))
        return index(tmp_path)

    return index_source


def activity(annotation: str) -> str:
    return f"""
    @app.activity_trigger(input_name="value")
    def step(value{annotation}): ...
    """


ACCEPTED = [
    *("", ": str", ": int", ": dict", ": list", ": tuple", ": object", ": Any", ": Data", ": Typed"),
    *(": Dict[str, int]", ": List[int]", ": Mapping[str, int]"),
]
REFUSED = [
    *(": Optional[dict]", ": Union[int, str]", ": Literal['a']"),
    *(": dict | None", ": dict[str, int]", ": list[int]", ": tuple[int, str]"),
]


@pytest.mark.parametrize("annotation", ACCEPTED)
def test_activity_parameters_may_be_annotated_with_plain_classes(index_app: Index, annotation: str) -> None:
    assert [function.name for function in index_app(activity(annotation))] == ["step"]


@pytest.mark.parametrize("annotation", REFUSED)
def test_other_annotations_unindex_the_whole_app(index_app: Index, annotation: str) -> None:
    with pytest.raises(IndexingError, match="function step: parameter value has the non-type annotation"):
        index_app(activity(annotation))


@pytest.mark.parametrize("annotation", ["dict | None", "list[int]", "Optional[int]"])
def test_what_an_activity_returns_may_be_annotated_at_will(index_app: Index, annotation: str) -> None:
    source = f"""
    @app.activity_trigger(input_name="value")
    def step(value: int) -> {annotation}: ...
    """
    assert index_app(source)


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        (
            """
            @app.orchestration_trigger(context_name="ctx")
            def plan(ctx): ...
            """,
            "function plan: the parameter of an orchestrator must be called context, not ctx",
        ),
        (
            """
            @app.route()
            def page(req: func.HttpRequest) -> func.HttpResponse | None: ...
            """,
            "function page: an HTTP function must be annotated to return HttpResponse or str",
        ),
        (
            """
            @app.route()
            def page(req: func.HttpRequest) -> dict: ...
            """,
            "function page: an HTTP function must be annotated to return HttpResponse or str",
        ),
        (
            """
            @app.route()
            def page(req: dict): ...
            """,
            "function page: parameter req of a httpTrigger cannot be annotated",
        ),
        (
            """
            @app.route()
            def page(req: func.HttpRequest, more: str): ...
            """,
            "function page: parameters without a binding: more",
        ),
        (
            """
            @app.activity_trigger(input_name="value")
            def step(other): ...
            """,
            "function step: parameters without a binding: other",
        ),
        (
            """
            @app.activity_trigger(input_name="value")
            def step(): ...
            """,
            "function step: bindings without a parameter: value",
        ),
        (
            """
            @app.activity_trigger(input_name="value")
            def step(value, context: dict): ...
            """,
            'function step: the parameter "context" must be annotated azure.functions.Context',
        ),
        (
            """
            @app.activity_trigger(input_name="value")
            def step(value: "Nowhere"): ...
            """,
            "function step: its annotations cannot be resolved: name 'Nowhere' is not defined",
        ),
        (
            """
            @app.entity_trigger(context_name="context")
            def counter(context): ...
            """,
            "the local host does not support the trigger entityTrigger; function counter uses it",
        ),
        (
            """
            @app.queue_trigger(arg_name="message", queue_name="q", connection="STORE")
            def work(message: func.QueueMessage): ...
            """,
            "the local host does not support the trigger queueTrigger; function work uses it",
        ),
        (
            """
            @app.route()
            @app.queue_output(arg_name="out", queue_name="q", connection="STORE")
            def page(req: func.HttpRequest, out: func.Out[str]) -> str: ...
            """,
            "the local host does not support the output binding queue; function page uses it",
        ),
        (
            """
            @app.blob_trigger(arg_name="blob", path="c/{name}", connection="STORE")
            def look(blob: bytes): ...
            """,
            "function look: annotate parameter blob with azure.functions.InputStream, which it gets in any case",
        ),
        (
            """
            @app.blob_trigger(arg_name="blob", path="{name}", connection="STORE")
            def look(blob: BlobClient): ...
            """,
            "function look: the blob path '{name}' must begin with the name of a container",
        ),
        (
            """
            @app.blob_trigger(arg_name="blob", path="%CONTAINER%/{name}", connection="STORE")
            def look(blob: BlobClient): ...
            """,
            "function look: '%CONTAINER%/{name}' needs the app setting CONTAINER",
        ),
        (
            """
            @app.blob_trigger(arg_name="blob", path="c/{name}", connection="ELSEWHERE")
            def look(blob: BlobClient): ...
            """,
            "function look: Storage account connection name ELSEWHERE does not exist",
        ),
        (
            """
            @app.timer_trigger(arg_name="timer", schedule="* * * * *")
            def tick(timer: func.TimerRequest): ...
            """,
            "function tick: '* * * * *' is neither NCRONTAB",
        ),
        (
            """
            @app.timer_trigger(arg_name="timer", schedule="0 0 25 * * *")
            def tick(timer: func.TimerRequest): ...
            """,
            "function tick: '0 0 25 * * *' is neither NCRONTAB",
        ),
        (
            """
            @app.route(route="things/{id:regex(^a$)}")
            def page(req: func.HttpRequest) -> str: ...
            """,
            "function page: the local host does not know the route constraint 'regex(^a$)', only int",
        ),
        ("app2 = df.DFApp()", "it must define exactly one app object at its top level, it has 2"),
        ("import nowhere_at_all", "function_app.py: ModuleNotFoundError: No module named 'nowhere_at_all'"),
        (
            """
            @app.activity_trigger(input_name="value")
            def step(value): ...
            @app.activity_trigger(input_name="value")
            def step(value): ...
            """,
            "does not have a unique function name",
        ),
    ],
)
def test_a_refusal_names_the_function_and_the_reason(index_app: Index, source: str, problem: str) -> None:
    with pytest.raises(IndexingError) as refusal:
        index_app(source)
    assert len(refusal.value.problems) == 1
    assert problem in str(refusal.value)
    only_here = "the local host does not" in problem
    heading = (
        "The local host cannot run this app; Azure may" if only_here else "on Azure not one of its functions"
    )
    assert heading in str(refusal.value)


def test_every_problem_of_an_app_is_listed(index_app: Index) -> None:
    with pytest.raises(IndexingError) as refusal:
        index_app(activity(": list[int]") + activity(": dict | None").replace("step", "leap"))
    assert [problem.split(":")[0] for problem in refusal.value.problems] == ["function step", "function leap"]


def test_a_missing_app_is_named(tmp_path: Path) -> None:
    with pytest.raises(IndexingError, match=r"function_app\.py does not exist; give the directory"):
        index(tmp_path)


@pytest.mark.parametrize(
    "annotation", [": BlobClient", ": ContainerClient", ": StorageStreamDownloader", ": func.InputStream", ""]
)
def test_blob_parameters_may_be_clients_or_streams(index_app: Index, annotation: str) -> None:
    source = f"""
    @app.blob_trigger(arg_name="blob", path="c/{{name}}", connection="STORE")
    def look(blob{annotation}) -> None: ...
    """
    assert index_app(source)[0].spec["path"] == "c/{name}"


def test_names_given_to_decorators_are_the_durable_names(index_app: Index) -> None:
    source = """
    @app.activity_trigger(input_name="value", activity="Other")
    def step(value): ...
    @app.orchestration_trigger(context_name="context", orchestration="Plan")
    def plan(context): ...
    """
    assert [function.durable_name for function in index_app(source)] == ["Other", "Plan"]


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("simple", ["/api/simple"]),
        ("/a/{id}/", ["/api/a/{id}"]),
        ("a/{id:int}", [r"/api/a/{id:-?\d+}"]),
        ("a/{id?}", ["/api/a/{id}", "/api/a"]),
        ("{*rest}", ["/api/{rest:(?s:.*)}"]),
    ],
)
def test_route_templates_become_paths(template: str, expected: list[str]) -> None:
    assert paths("api", template) == expected


def test_an_empty_route_prefix_serves_at_the_root() -> None:
    assert paths("", "a/{id}") == ["/a/{id}"]


@pytest.mark.parametrize(
    ("path", "blob", "matches"),
    [
        ("inbox/{name}", "a/b c/d.csv", True),
        ("inbox/{name}", "line\nbreak", True),
        ("inbox/{name}.csv", "a/b.csv", True),
        ("inbox/{name}.csv", "a/b.txt", False),
        ("inbox/in-{name}.{kind}", "in-a.b", True),
        ("inbox/a+b", "a+b", True),
        ("inbox/a+b", "aab", False),
        ("inbox", "anything/at/all", True),
    ],
)
def test_blob_paths_match_names(path: str, blob: str, matches: bool) -> None:
    assert BlobPath(path).matches("inbox", blob) is matches
    assert not BlobPath(path).matches("outbox", blob)


def test_host_json_is_read_with_settings_resolved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "host.json").write_text('{"extensions": {"durableTask": {"hubName": "%HUB%"}}}')
    with pytest.raises(MissingSettingError, match="needs the app setting HUB"):
        HostConfig.load(tmp_path)
    monkeypatch.setenv("HUB", "hub")
    assert HostConfig.load(tmp_path) == HostConfig(hub_name="hub")

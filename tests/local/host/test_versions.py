"""Versions of orchestrations: whom a host takes, and how an instance goes on after its app was replaced."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from local.host.settings import HostConfig
from local.host.versions import MatchStrategy, Versioning, is_newer
from tests.local.host.harness import APPS, DurableApi, LoopThread, RunningHost, wait_until

ONE, TWO = "version_one", "version_two"
MISMATCH = "VersionMismatch: Orchestration version did not comply with Worker Versioning"
Deploy = Callable[..., RunningHost]


@pytest.fixture
def deploy(loop: LoopThread, tmp_path: Path) -> Deploy:
    """Make a host of a sample app, all on one state directory; keywords are settings of host.json."""

    def deploy_one(name: str, **durable: str | int) -> RunningHost:
        app = tmp_path / "app"
        shutil.rmtree(app, ignore_errors=True)
        shutil.copytree(APPS / name, app)
        content = json.loads((app / "host.json").read_text())
        content["extensions"]["durableTask"] |= durable
        (app / "host.json").write_text(json.dumps(content))
        return RunningHost(loop, app, tmp_path / "state")

    return deploy_one


def api(host: RunningHost) -> DurableApi:
    return DurableApi(host.url, host.session)


def go_on(durable: DurableApi, instance_id: str) -> None:
    assert durable.post(instance_id, "raiseEvent/Go", json=1).status_code == 202


def wait_at_timer(durable: DurableApi, instance_id: str) -> None:
    durable.wait_for(instance_id, "Running")
    wait_until(lambda: durable.events(instance_id, "TimerCreated"), "the timer")


@pytest.mark.parametrize(
    ("newer", "older"),
    [
        ("2.0", "1.0"),
        ("1.10", "1.9"),
        ("1.0.0", "1.0"),
        ("1.0", ""),
        ("1.0", " "),
        ("9", "10"),  # a lone number is no System.Version
        ("V2-release", "v1-release"),
        ("v2", "10.0"),
        ("2026-02-01", "2026-01-31"),
        ("9.0", "20261122093000.1"),  # larger than a part of System.Version may be
    ],
)
def test_versions_compare_by_number_where_both_are_numbers(newer: str, older: str) -> None:
    assert is_newer(newer, older)
    assert not is_newer(older, newer)


@pytest.mark.parametrize(
    ("one", "other"), [("", ""), ("", " "), ("1.0", "1.0"), ("1.00", "1.0"), ("V1", "v1")]
)
def test_equal_versions_are_not_newer(one: str, other: str) -> None:
    assert not is_newer(one, other)
    assert not is_newer(other, one)


@pytest.mark.parametrize(
    ("match", "taken"),
    [
        (MatchStrategy.NONE, ["", "1.0", "1.5", "2.0"]),
        (MatchStrategy.STRICT, ["1.5"]),
        (MatchStrategy.CURRENT_OR_OLDER, ["", "1.0", "1.5"]),
    ],
)
def test_a_strategy_takes_its_versions(match: MatchStrategy, taken: list[str]) -> None:
    rules = Versioning(default="1.5", match=match)
    assert [version for version in ("", "1.0", "1.5", "2.0") if rules.takes(version)] == taken


def test_host_json_names_the_strategies(tmp_path: Path) -> None:
    durable = {"defaultVersion": None, "versionMatchStrategy": "Newer"}
    (tmp_path / "host.json").write_text(json.dumps({"extensions": {"durableTask": durable}}))
    with pytest.raises(
        ValueError, match="versionMatchStrategy must be one of None, Strict, CurrentOrOlder, not 'Newer'"
    ):
        HostConfig.load(tmp_path)
    (tmp_path / "host.json").write_text('{"extensions": {"durableTask": {"defaultVersion": null}}}')
    assert HostConfig.load(tmp_path).versioning == Versioning()


def test_an_instance_finishes_on_the_path_it_began_on(deploy: Deploy) -> None:
    with deploy(ONE) as host:
        old = api(host).begin("deliver", {"price": 5})
        wait_at_timer(api(host), old)
    with deploy(TWO) as host:
        durable = api(host)
        new = durable.begin("deliver", {"price": 5})
        wait_at_timer(durable, new)
        for instance_id in (old, new):
            go_on(durable, instance_id)
        assert durable.wait_for(new)["output"] == ["2.0", "paid 4", "shipped", "2.0"]
        # What it starts from here on has the version of the host that runs it.
        assert durable.wait_for(old)["output"] == ["1.0", "paid 5", "shipped", "2.0"]


def test_the_code_of_two_without_a_branch_would_fail_an_instance_of_one(deploy: Deploy) -> None:
    with deploy(TWO) as host:
        new = api(host).begin("deliver", {"price": 5})
        wait_at_timer(api(host), new)
    with deploy(ONE, versionMatchStrategy="None") as host:
        go_on(api(host), new)
        assert "Non-Deterministic workflow detected" in api(host).wait_for(new)["output"]


def test_every_generation_has_the_version_of_the_first(deploy: Deploy) -> None:
    with deploy(ONE) as host:
        instance_id = api(host).begin("generations")
        go_on(api(host), instance_id)
        wait_until(lambda: api(host).status(instance_id)["input"] != "null", "the second generation")
    with deploy(TWO) as host:
        go_on(api(host), instance_id)
        assert api(host).wait_for(instance_id)["output"] == ["1.0"] * 3


def test_a_newer_instance_waits_for_a_host_that_takes_it(
    deploy: Deploy, caplog: pytest.LogCaptureFixture
) -> None:
    with deploy(TWO) as host:
        new = api(host).begin("deliver", {"price": 5})
        wait_at_timer(api(host), new)
        before = api(host).status(new, showHistory="true")
    with deploy(ONE) as host:
        go_on(api(host), new)
        go_on(api(host), new)
        assert api(host).run("stamped")["output"] == "1.0"
        assert api(host).status(new, showHistory="true") == before
    assert caplog.text.count(f"deliver {new} of version '2.0' is left for another host") == 1
    with deploy(TWO) as host:
        assert api(host).wait_for(new)["output"] == ["2.0", "paid 4", "shipped", "2.0"]


def test_rejected_instances_leave_room_for_others(deploy: Deploy) -> None:
    with deploy(TWO) as host:
        waiting = [api(host).begin("deliver", {"price": 5}) for _ in range(5)]
        for instance_id in waiting:
            wait_at_timer(api(host), instance_id)
    with deploy(ONE, maxConcurrentOrchestratorFunctions=1) as host:
        for instance_id in waiting:
            go_on(api(host), instance_id)
        assert api(host).run("stamped")["output"] == "1.0"


def test_a_newer_instance_fails_where_the_host_is_told_so(deploy: Deploy) -> None:
    with deploy(TWO) as host:
        new = api(host).begin("deliver", {"price": 5})
        wait_at_timer(api(host), new)
    with deploy(ONE, versionFailureStrategy="Fail") as host:
        go_on(api(host), new)
        status = api(host).wait_for(new)
        assert (status["runtimeStatus"], status["output"]) == ("Failed", MISMATCH)


def test_a_strict_host_takes_no_older_instance(deploy: Deploy) -> None:
    with deploy(ONE) as host:
        old = api(host).begin("deliver", {"price": 5})
        wait_at_timer(api(host), old)
    with deploy(TWO, versionMatchStrategy="Strict", versionFailureStrategy="Fail") as host:
        go_on(api(host), old)
        assert api(host).wait_for(old)["output"] == MISMATCH
        assert api(host).run("stamped")["output"] == "2.0"


def test_a_newer_child_fails_its_parent_where_the_host_is_told_so(deploy: Deploy) -> None:
    with deploy(ONE, versionFailureStrategy="Fail") as host:
        assert MISMATCH in api(host).run("with_newer_child")["output"]


def test_a_parent_waits_for_a_newer_child_until_a_host_takes_it(
    deploy: Deploy, caplog: pytest.LogCaptureFixture
) -> None:
    with deploy(ONE) as host:
        parent = api(host).begin("with_newer_child")
        wait_until(lambda: "stamped newer-child of version '2.0' is left" in caplog.text, "the refusal")
        assert api(host).status("newer-child")["runtimeStatus"] == "Pending"
        assert api(host).status(parent)["runtimeStatus"] == "Running"
    with deploy(TWO) as host:
        assert api(host).wait_for(parent)["output"] == "2.0"

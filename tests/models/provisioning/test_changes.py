"""What is asked for against what is there: what is done, and what is told."""

from pathlib import Path

import pytest

from models.provisioning.changes import ProvisioningError, content_of, differences, ensure, spelt


def test_what_is_not_there_is_made(capsys: pytest.CaptureFixture[str]) -> None:
    done: list[str] = []
    assert ensure("model m", {"type": "custom"}, None, lambda: done.append("put")) == "created"
    assert done == ["put"]
    assert capsys.readouterr().out == "· model m: creating\n· model m: created\n"


def test_what_is_so_already_is_left_alone(capsys: pytest.CaptureFixture[str]) -> None:
    wanted = {"size": "S", "tier": None}
    assert ensure("compute c", wanted, {"size": "S", "tier": "t"}, lambda: pytest.fail("put")) == "unchanged"
    assert capsys.readouterr().out == "· compute c: unchanged\n"


def test_every_difference_is_told_without_what_may_be_secret(capsys: pytest.CaptureFixture[str]) -> None:
    wanted = {"instance_count": 2, "environment_variables": {"KEY": "secret"}}
    assert ensure("deployment d", wanted, {"instance_count": 1}, lambda: None) == "updated"
    out = capsys.readouterr().out
    assert "· deployment d: instance_count changes from 1 to 2\n" in out
    assert "· deployment d: environment_variables changes\n" in out
    assert "secret" not in out


def test_what_was_not_set_is_set(capsys: pytest.CaptureFixture[str]) -> None:
    ensure("batch endpoint e", {"default deployment": "first"}, {"default deployment": None}, lambda: None)
    assert "· batch endpoint e: default deployment is set to first\n" in capsys.readouterr().out


def test_only_what_is_asked_for_counts() -> None:
    assert differences({"a": 1, "b": None, "c": 3}, {"a": 1, "b": 2}) == {"c": (None, 3)}


def test_what_means_the_same_in_any_case_is_spelt_as_it_is_there() -> None:
    there = {"size": "STANDARD_DS3_V2"}
    assert spelt("Standard_DS3_v2", there, "size") == "STANDARD_DS3_V2"
    assert spelt("Standard_DS4_v2", there, "size") == "Standard_DS4_v2"
    assert spelt("Standard_DS3_v2", None, "size") == "Standard_DS3_v2"
    assert spelt(None, there, "size") is None


def test_the_digest_of_a_folder_changes_with_names_and_bytes_and_not_with_caches(tmp_path: Path) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "score.py").write_text("one")
    first = content_of(tmp_path)
    (tmp_path / "code" / "__pycache__").mkdir()
    (tmp_path / "code" / "__pycache__" / "score.pyc").write_text("cache")
    assert content_of(tmp_path) == first
    (tmp_path / "code" / "score.py").write_text("two")
    second = content_of(tmp_path)
    (tmp_path / "code" / "score.py").rename(tmp_path / "code" / "other.py")
    assert len({first, second, content_of(tmp_path)}) == 3


def test_nothing_has_no_digest(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "no"):
        with pytest.raises(ProvisioningError, match="there is no such file"):
            content_of(path)

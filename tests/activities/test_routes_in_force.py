"""The routes in force."""

import logging
from pathlib import Path

import pytest

from shared import current_routes
from shared.errors import RouteError
from tests.activities.conftest import App, reset

GOOD = '[routes.good]\npattern = "good/*"\nmodel = "https://e/jobs"\n'


def names() -> list[str]:
    return [route.name for route in current_routes.current_routes().routes]


def sent() -> tuple[str, ...]:
    """What the first route sends, a moment later."""
    current_routes.loaded.at = -current_routes.FRESH_FOR
    return current_routes.current_routes().routes[0].send


def mlmodel(column: str) -> str:
    return f'signature:\n  inputs: \'[{{"type": "double", "name": "{column}"}}]\'\n'


def test_a_mistake_in_the_routes_changes_nothing_over_restarts_too(app: App) -> None:
    config = app.container("config")
    config.upload_blob("routes.toml", GOOD)
    assert names() == ["good"]
    for broken in ("[routes.broken", b"\xff\xfe", "", '[routes.bad]\npattern = "x"\n'):
        config.upload_blob("routes.toml", broken, overwrite=True)
        reset()
        assert names() == ["good"]
    corrected = '\ufeff[routes.new]\npattern = "n/*"\nmodel = "https://e/jobs"\n'
    config.upload_blob("routes.toml", corrected, overwrite=True)
    reset()
    assert names() == ["new"]


def test_a_new_signature_takes_effect_and_a_broken_one_does_not(
    app: App, caplog: pytest.LogCaptureFixture
) -> None:
    config = app.container("config")
    config.upload_blob("m/MLmodel", mlmodel("age"))
    config.upload_blob("routes.toml", f'{GOOD}signature = "m/MLmodel"\n')
    assert sent() == ("age",)
    config.upload_blob("m/MLmodel", mlmodel("bmi"), overwrite=True)
    assert sent() == ("bmi",)
    for broken in ("", "x" * 2_000_000, None):
        config.delete_blob("m/MLmodel")
        if broken is not None:
            config.upload_blob("m/MLmodel", broken)
        with caplog.at_level(logging.WARNING):
            assert sent() == ("bmi",)
        assert "[routes.good] signature: " in caplog.text
        caplog.clear()
        reset()
        assert sent() == ("bmi",)
    config.upload_blob("m/MLmodel", mlmodel("s1"))
    assert sent() == ("s1",)


def test_a_packaged_signature_lies_beside_the_packaged_routes(
    app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "routes.toml").write_text(f'{GOOD}signature = "m/MLmodel"\n')
    monkeypatch.setattr(current_routes, "PACKAGED", tmp_path / "routes.toml")
    with pytest.raises(RouteError, match='there is no "m/MLmodel" beside the packaged'):
        current_routes.current_routes()
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "MLmodel").write_text(mlmodel("age"))
    assert sent() == ("age",)

"""The routes in force."""

from shared import current_routes
from tests.activities.conftest import App, reset


def names() -> list[str]:
    return [route.name for route in current_routes.current_routes().routes]


def test_a_mistake_in_the_routes_changes_nothing_over_restarts_too(app: App) -> None:
    config = app.container("config")
    config.upload_blob("routes.toml", '[routes.good]\npattern = "good/*"\nmodel = "https://e/jobs"\n')
    assert names() == ["good"]
    for broken in ("[routes.broken", b"\xff\xfe", "", '[routes.bad]\npattern = "x"\n'):
        config.upload_blob("routes.toml", broken, overwrite=True)
        reset()
        assert names() == ["good"]
    corrected = '\ufeff[routes.new]\npattern = "n/*"\nmodel = "https://e/jobs"\n'
    config.upload_blob("routes.toml", corrected, overwrite=True)
    reset()
    assert names() == ["new"]

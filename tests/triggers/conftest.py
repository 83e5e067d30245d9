"""The API of an app whose containers are the test's own."""

import pytest

from tests.activities.conftest import App, app, emulator  # noqa: F401  fixtures
from tests.triggers.api import Api
from triggers.http.stats import FRESH_FOR, past
from triggers.http.waiting import kept


@pytest.fixture
def api(app: App) -> Api:  # noqa: F811
    """The routes `double` and `named` are in force; what was drawn from the runs of other tests is forgotten."""
    app.set_routes(app.route(), app.named())
    past.at = -FRESH_FOR
    kept.clear()
    return Api()

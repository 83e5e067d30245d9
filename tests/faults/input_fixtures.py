"""The fixtures of the tests of bad input: the app on Azurite, and one whole stack for the session."""

from collections.abc import Iterator

import pytest

from local.stack import Stack
from tests.activities.conftest import app as app
from tests.activities.conftest import emulator as emulator
from tests.e2e.drops import MODELS, SETTINGS, Drops, routes

# Fifty runs that nobody names a key for are open at a time.
MANY = {"DROPSCORE_MAX_ADHOC": "200", "DROPSCORE_POLL_AT_LEAST": "0.2s"}


@pytest.fixture(scope="session")
def strained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drops]:
    """A stack for input that nobody should send."""
    with Stack(tmp_path_factory.mktemp("strained"), [MODELS], routes(), {**SETTINGS, **MANY}) as stack:
        yield Drops(stack)

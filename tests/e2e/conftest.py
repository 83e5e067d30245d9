"""One stack for the session; tests use names of their own, so that they do not meet."""

from collections.abc import Iterator

import pytest

from local.stack import ROOT, Stack
from tests.e2e.drops import MODELS, SETTINGS, Drops, routes


@pytest.fixture(scope="session")
def drops(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drops]:
    state = tmp_path_factory.mktemp("stack")
    with Stack(state, [ROOT / "models", MODELS], routes(), SETTINGS) as stack:
        yield Drops(stack)

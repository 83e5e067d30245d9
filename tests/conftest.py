"""What tests of several folders share: a real Azurite for the session."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from local import azurite
from local.children import Child
from local.stack import free_ports, in_use


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="run the long tests, too")


# Each is a whole local stack, whose idle processes cost a tenth of a processor: one process of the tests has it.
STACKS = ("drops", "faulty", "strained", "patient")
# What they show by many requests, the tests of activities show one by one.
LONG_STACKS = ("faulty", "strained")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        stack = next((name for name in STACKS if name in getattr(item, "fixturenames", ())), None)
        if stack:
            item.add_marker(pytest.mark.xdist_group(stack))
        if stack in LONG_STACKS:
            item.add_marker(pytest.mark.full)
    if config.getoption("--full"):
        return
    for item in items:
        if item.get_closest_marker("full"):
            item.add_marker(pytest.mark.skip(reason="a long test: run `python3 dev.py test --full`"))


@pytest.fixture(scope="session")
def azurite_connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The connection string of an Azurite of the session's own; make containers with names of your own in it."""
    folder: Path = tmp_path_factory.mktemp("azurite")
    named = free_ports()
    ports = (named["blob"], named["queue"], named["table"])
    child = Child(
        "azurite", azurite.command(folder / "data", *ports), folder / "azurite.log", azurite.environment()
    )
    child.wait_until(lambda: all(in_use(port) for port in ports))
    yield azurite.connection_string(*ports)
    child.stop()


@pytest.fixture(autouse=True, scope="session")
def no_personal_credentials() -> None:
    """Whoever runs the tests, the emulated identity is the only one."""
    for key in [key for key in os.environ if key.startswith("AZURE_")]:
        del os.environ[key]

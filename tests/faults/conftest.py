"""One stack for the session, whose app reaches storage through the fault proxy; nothing goes wrong at first."""

from collections.abc import Iterator

import pytest
import requests

from local.stack import Stack
from tests.e2e.drops import MODELS, SETTINGS, Drops, routes
from tests.faults import patient as of_patients
from tests.faults.audit import Books
from tests.faults.patient import Patient

ROUTES = """
[routes.hanging]
pattern      = "hanging/*.csv"
model        = "$AZUREML/endpoints/endless/jobs"
predictions  = ["twice"]
part_timeout = "1s"
"""


class Faulty:
    """The stack, what was given to it, and what goes wrong with it; `first` is the name of the first file."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.drops = Drops(stack)
        self.books = Books(self.drops)
        self.first = ""

    def azureml(self, *faults: dict[str, object]) -> None:
        self.play(self.stack.azureml_url, faults)

    def storage(self, *faults: dict[str, object]) -> None:
        self.play(self.stack.storage_faults_url, faults)

    def play(self, url: str, faults: tuple[dict[str, object], ...]) -> None:
        plan = {"seed": 1, "faults": list(faults)}
        requests.put(f"{url}/control/faults", json=plan, timeout=10).raise_for_status()

    def struck(self, url: str) -> list[int]:
        """How often each fault of the plan has struck."""
        return [fault["struck"] for fault in requests.get(f"{url}/control/faults", timeout=10).json()]

    def calm(self) -> None:
        self.azureml()
        self.storage()


@pytest.fixture(scope="session")
def faulty_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Faulty]:
    state = tmp_path_factory.mktemp("faulty")
    with Stack(state, [MODELS], routes() + ROUTES, SETTINGS, storage_faults=True) as stack:
        yield Faulty(stack)


@pytest.fixture
def faulty(faulty_stack: Faulty) -> Iterator[Faulty]:
    """The stack at rest, with books of its own for the test."""
    faulty_stack.calm()
    faulty_stack.books.given.clear()
    yield faulty_stack
    faulty_stack.calm()


@pytest.fixture(scope="session")
def patients(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Patient]:
    state, settings = tmp_path_factory.mktemp("patient"), dict(of_patients.SETTINGS)
    with Stack(state, [MODELS], of_patients.ROUTES, settings, storage_faults=True) as stack:
        yield Patient(stack)


@pytest.fixture
def patient(patients: Patient) -> Iterator[Patient]:
    """The stack at rest, for the doctor."""
    patients.calm()
    yield patients
    patients.calm()

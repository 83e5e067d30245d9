"""What the end-to-end tests do: drop files, wait, and look at what came of them."""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import requests
from azure.core.exceptions import ResourceNotFoundError

from local.azureml.workspace import ARM_AUDIENCE, WORKSPACE_ID
from local.stack import ROOT, Stack
from shared.ledger import Ledger
from shared.names import bare_etag
from shared.records import Run, Verdict, Version
from shared.store import BlobStore

MODELS = Path(__file__).parent / "models"
ROUTES = """
[routes.double]
pattern     = "double/**"
model       = "$AZUREML/endpoints/double/jobs"
send        = ["x"]
carry       = ["id"]
columns     = { x = "number" }
predictions = ["twice"]
match       = "order"
max_jobs    = 4

[routes.named]
pattern     = "named/**"
model       = "$AZUREML/endpoints/named/jobs"
send        = ["x"]
carry       = ["id"]
predictions = ["twice"]
match       = "file"

[routes.archived]
pattern     = "archived/*.csv"
model       = "$AZUREML/endpoints/double/jobs"
carry       = ["id"]
predictions = ["twice"]
after       = "archive"

[routes.nightly]
pattern     = "nightly/*.csv"
model       = "$AZUREML/endpoints/double/jobs"
schedule    = "*/4 * * * * *"

[routes.raising]
pattern     = "raising/*.csv"
model       = "$AZUREML/endpoints/raising/jobs"

[routes.endless]
pattern     = "endless/*.csv"
model       = "$AZUREML/endpoints/endless/jobs"
deadline    = "3s"
max_jobs    = 4

[routes.watched]
pattern     = "watched/*.csv"
model       = "$AZUREML/endpoints/endless/jobs"
max_jobs    = 4

[routes.cut]
pattern     = "cut/*"
model       = "$AZUREML/endpoints/named/jobs"
send        = ["x"]
carry       = ["id"]
predictions = ["twice"]
match       = "file"
part_size   = "1MB"

[routes.keyed]
pattern     = "keyed/*.csv"
model       = "$AZUREML/endpoints/keyed/jobs"
send        = ["id", "x"]
key         = "id"
predictions = ["twice"]
match       = "key"

[routes.ownfiles]
pattern     = "ownfiles/*.csv"
model       = "$AZUREML/endpoints/ownfiles/jobs"
send        = ["id", "x"]
predictions = ["id", "x", "twice"]
match       = "files"
also_raw    = true

[routes.rows]
pattern     = "rows/*.csv"
model       = "$AZUREML/endpoints/doubled-rows/jobs"
send        = ["x"]
carry       = ["id"]
predictions = ["twice"]
match       = "row"

[routes.spreadsheet]
pattern     = "spreadsheet/*.csv"
model       = "$AZUREML/endpoints/named/jobs"
send        = ["x"]
carry       = ["id"]
columns     = { x = { type = "number", max = 1000 } }
predictions = ["twice"]
match       = "file"
delimiter   = ";"
encoding    = "windows-1252"
decimal     = ","
bad_rows    = "set-aside"
bad_rows_at_most = 0.5

[routes.huge]
pattern     = "huge/*.csv"
model       = "$AZUREML/endpoints/diabetes/jobs"
send        = ["age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6"]
carry       = ["patient"]
columns     = { age = "number", bmi = "number", s6 = { type = "number", min = 0 } }
predictions = ["progression"]
match       = "file"
max_size    = "8GB"
max_run_size = "8GB"

[routes.unsure]
pattern     = "unsure/*.csv"
model       = "$AZUREML/endpoints/named/jobs"
send        = ["x"]
carry       = ["id"]
predictions = ["twice"]
match       = "auto"

"""
SETTINGS = {
    "DROPSCORE_SETTLE_AFTER": "1s",
    "DROPSCORE_EMPTY_AFTER": "1s",
    "DROPSCORE_SWEEP_SCHEDULE": "*/2 * * * * *",
    "DROPSCORE_SEARCH_WINDOW": "3s",
}
INVOKE = "POST /endpoints/[^/]+/jobs"
Found = TypeVar("Found")


def routes() -> str:
    """The test routes and the local stack's own."""
    return ROUTES + (ROOT / "local/routes.toml").read_text("utf-8")


def until(found: Callable[[], Found | None], what: str, seconds: float = 60.0, every: float = 0.05) -> Found:
    """Waits for something to be there. Fails, saying what was awaited, when it never is."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = found()
        if value:
            return value
        time.sleep(every)
    raise AssertionError(f"{what}: not seen in {seconds:.0f} s")


class Drops:
    """A stack seen as its users see it, with a look into the ledger."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.ledger = Ledger(BlobStore(stack.container("ledger")))

    def drop(self, name: str, data: bytes | str) -> Version:
        """Uploads a file into the inbox, over what was there."""
        content = data.encode() if isinstance(data, str) else data
        self.stack.container("inbox").upload_blob(name, content, overwrite=True)
        return self.version(name)

    def version(self, name: str) -> Version:
        """The version that stands in the inbox now."""
        blob = self.stack.container("inbox").get_blob_client(name).get_blob_properties()
        return Version(
            container="inbox", blob=name, etag=bare_etag(blob.etag), modified="", size=blob.size, route=""
        )

    def run_of(self, version: Version) -> Run | None:
        """The run that claimed a version, as far as there is one."""
        record = self.ledger.version(version)
        return self.ledger.run(record.run) if record and record.run else None

    def closed_run(self, version: Version) -> Run | None:
        """The run that claimed a version, once it is closed."""
        run = self.run_of(version)
        return run if run and run.stage == "closed" else None

    def submitted(self, version: Version) -> Run:
        """Waits until the version's job is under way."""

        def found() -> Run | None:
            run = self.run_of(version)
            return run if run and run.job else None

        return until(found, f"a job for {version.blob}")

    def closed(self, version: Version, seconds: float = 60.0) -> tuple[Run, Verdict]:
        """Waits for the version's final word."""
        run = until(partial(self.closed_run, version), f"a final word for {version.blob}", seconds)
        words = {word.version: word for word in self.ledger.results(run)}
        return run, words[version.key]

    def read(self, container: str, name: str) -> str | None:
        try:
            return self.stack.container(container).download_blob(name, encoding="utf-8").readall()
        except ResourceNotFoundError:
            return None

    def predictions(self, name: str) -> str | None:
        return self.read("predictions", name)

    def jobs(self) -> dict[str, str]:
        """Every job of the workspace and its status, as ARM tells."""
        bearer = {"Authorization": f"Bearer {self.token()}"}
        url: str | None = f"{self.stack.azureml_url}{WORKSPACE_ID}/jobs?api-version=2023-10-01"
        jobs: dict[str, str] = {}
        while url:
            page = requests.get(url, headers=bearer, timeout=10).json()
            jobs.update({job["name"]: job["properties"]["status"] for job in page["value"]})
            url = page.get("nextLink")
        return jobs

    def token(self) -> str:
        """Opens Azure Resource Manager."""
        asked = {"resource": ARM_AUDIENCE, "api-version": "2019-08-01"}
        identity = {"X-IDENTITY-HEADER": self.stack.secret}
        url = f"{self.stack.azureml_url}/msi/token"
        found = requests.get(url, params=asked, headers=identity, timeout=10).json()
        return str(found["access_token"])

    def faults(self, *faults: dict[str, Any]) -> None:
        """Makes the emulator misbehave: by default when it is invoked."""
        self.control("faults", [{"on": INVOKE, **fault} for fault in faults])

    def control(self, path: str, body: object) -> None:
        """Tells the emulator's control plane something."""
        requests.post(f"{self.stack.azureml_url}/control/{path}", json=body, timeout=10).raise_for_status()


def post(drops: Drops, path: str, body: object = None) -> requests.Response:
    """Asks the app over HTTP."""
    return requests.post(f"{drops.stack.host_url}/api/{path}", json=body, timeout=30)


def numbers(count: int, start: int = 0) -> str:
    """A CSV of `count` rows for the doubling model."""
    return "id,x\n" + "".join(f"r{row},{row}\n" for row in range(start, start + count))


def doubled(count: int, start: int = 0) -> str:
    """The predictions of `numbers`."""
    return "id,twice\n" + "".join(f"r{row},{2.0 * row}\n" for row in range(start, start + count))

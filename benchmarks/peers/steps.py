"""The steps of scoring one file, as a straight script writes them: no record of anything, no second thought."""

import csv
import io
import os
import time
from dataclasses import dataclass, field
from functools import cached_property

import requests
from azure.core import MatchConditions
from azure.identity import ManagedIdentityCredential
from azure.storage.blob import BlobServiceClient, ContainerClient

AUDIENCE = "https://ml.azure.com/.default"
SENT = ("a", "b", "c", "d")
ENDED = ("Completed", "Failed", "Canceled")


class JobFailed(Exception):
    """The job ended otherwise than it should."""


@dataclass
class Steps:
    """The services, as the environment names them; `poll` is the pause between two looks at a job, in seconds.

    When the look began that saw a job's end is in `seen`, when predictions were visible in `published`.
    """

    poll: float = 1.0
    seen: dict[str, float] = field(default_factory=dict)
    published: dict[str, float] = field(default_factory=dict)

    @cached_property
    def storage(self) -> BlobServiceClient:
        return BlobServiceClient.from_connection_string(os.environ["BENCHMARK_STORAGE"])

    @property
    def inbox(self) -> ContainerClient:
        return self.storage.get_container_client(os.environ["BENCHMARK_INBOX"])

    @cached_property
    def session(self) -> requests.Session:
        session = requests.Session()
        session.trust_env = False
        return session

    @cached_property
    def credential(self) -> ManagedIdentityCredential:
        return ManagedIdentityCredential()

    @property
    def endpoint(self) -> str:
        return f"{os.environ['BENCHMARK_AZUREML']}/endpoints/{os.environ['BENCHMARK_ENDPOINT']}/jobs"

    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.credential.get_token(AUDIENCE).token}"}

    def read(self, name: str) -> bytes:
        """The file, of one version."""
        blob = self.inbox.get_blob_client(name)
        etag = blob.get_blob_properties().etag
        return blob.download_blob(etag=etag, match_condition=MatchConditions.IfNotModified).readall()

    def ids(self, data: bytes) -> list[str]:
        """The id of each row. Raises ValueError where a row is not as it should be."""
        rows = csv.DictReader(io.StringIO(data.decode()), strict=True)
        found = []
        for row in rows:
            for column in SENT:
                float(row[column])
            found.append(row["id"])
        return found

    def stage(self, name: str, data: bytes) -> str:
        """Puts the columns that the model wants where it can read them. Returns the address."""
        rows = csv.DictReader(io.StringIO(data.decode()))
        text = io.StringIO()
        writer = csv.DictWriter(text, SENT, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        blob = self.inbox.get_blob_client(f"staged/{name}")
        blob.upload_blob(text.getvalue().encode(), overwrite=True)
        return str(blob.url)

    def invoke(self, address: str, output: str) -> str:
        """The job's name."""
        body = {
            "properties": {
                "InputData": {"part": {"JobInputType": "UriFile", "Uri": address}},
                "OutputData": {"score": {"JobOutputType": "UriFile", "Uri": output_uri(output)}},
            }
        }
        answer = self.session.post(self.endpoint, json=body, headers=self.bearer(), timeout=60)
        answer.raise_for_status()
        return str(answer.json()["name"])

    def status(self, job: str) -> str:
        answer = self.session.get(f"{self.endpoint}/{job}", headers=self.bearer(), timeout=60)
        answer.raise_for_status()
        return str(answer.json()["properties"]["status"])

    def ended(self, job: str) -> str:
        """Waits for the job's end. Raises JobFailed."""
        while True:
            looked = time.time()
            status = self.status(job)
            if status in ENDED:
                self.seen[job] = looked
                break
            time.sleep(self.poll)
        if status != "Completed":
            raise JobFailed(f"{job}: {status}")
        return status

    def collect(self, output: str) -> list[str]:
        """The predictions, in the order of the rows."""
        raw = self.storage.get_blob_client("azureml", output).download_blob().readall().decode()
        return [line.split(" ")[0] for line in raw.splitlines()]

    def publish(self, name: str, ids: list[str], predictions: list[str]) -> None:
        """Raises ValueError where rows are missing."""
        lines = (f"{one},{score}\n" for one, score in zip(ids, predictions, strict=True))
        target = self.storage.get_blob_client(os.environ["BENCHMARK_PREDICTIONS"], name)
        target.upload_blob(("id,score\n" + "".join(lines)).encode(), overwrite=True)
        self.published[name] = time.time()


def output_uri(path: str) -> str:
    return f"azureml://datastores/workspaceblobstore/paths/{path}"


def output_path(name: str) -> str:
    """A path of its own for each try, as batch endpoints want it."""
    return f"peers/{name}/{time.time_ns()}.csv"

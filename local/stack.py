"""The local stack: Azurite, the Azure ML emulator, the Functions host and Event Grid, started as one."""

import contextlib
import fcntl
import json
import os
import secrets
import shutil
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from string import Template
from typing import IO
from urllib.error import URLError
from urllib.request import urlopen

from azure.core.exceptions import ResourceExistsError
from azure.storage.blob import BlobServiceClient, ContainerClient

from local import azurite
from local.azureml.workspace import WORKSPACE_ID
from local.children import Child, ChildFailed
from local.eventgrid import EventGrid

ROOT = Path(__file__).parent.parent
CONTAINERS = ("inbox", "predictions", "rejected", "archive", "work", "ledger", "config", "status", "azureml")
PORTS = ("blob", "queue", "table", "azureml", "host", "faults")


@dataclass
class Stack:
    """Everything that stands in for Azure on this machine. A context manager: on leaving, nothing runs.

    `state` keeps its data; `models` are folders of az ml YAML; `routes` is the text of the first routes.toml,
    with $AZUREML for the emulator's address; `settings` are app settings that differ from the defaults; `fresh` forgets
    what an earlier start left; with `storage_faults` the app reaches its storage through the fault proxy.
    """

    state: Path
    models: list[Path] = field(default_factory=lambda: [ROOT / "models"])
    routes: str = ""
    settings: dict[str, str] = field(default_factory=dict)
    app: Path = ROOT
    fresh: bool = False
    storage_faults: bool = False
    children: dict[str, Child] = field(default_factory=dict)
    running: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    def __enter__(self) -> "Stack":
        self.state.mkdir(parents=True, exist_ok=True)
        with contextlib.ExitStack() as started:
            started.enter_context(locked(self.state))
            if self.fresh:
                forget(self.state)
            started.enter_context(self.storage)
            started.callback(self.stop_children)
            self.start_azurite()
            self.start_azureml()
            self.start_storage_faults()
            self.start_host()
            self.event_grid.start()
            started.callback(self.event_grid.stop)
            started.enter_context(self.announced())
            self.running = started.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self.running.close()

    @contextlib.contextmanager
    def announced(self) -> Iterator[None]:
        """`url.json` says where the app and the workspace are for as long as they are there, for command lines."""
        announcement = self.state / "url.json"
        where = {"url": self.host_url, "azureml": self.azureml_url, "identity_header": self.secret}
        announcement.write_text(json.dumps(where))
        yield
        announcement.unlink(missing_ok=True)

    def stop_children(self) -> None:
        """Those that use storage first, Azurite last."""
        for name in ("host", "azureml", "faults", "azurite"):
            if name in self.children:
                self.children.pop(name).stop()

    @cached_property
    def ports(self) -> dict[str, int]:
        """Free at the first start, the same ever after: runs under way keep their addresses."""
        saved = self.state / "ports.json"
        if not saved.exists():
            saved.write_text(json.dumps(free_ports()))
        ports: dict[str, int] = json.loads(saved.read_text())
        return ports

    @cached_property
    def secret(self) -> str:
        """What the identity endpoint wants to hear."""
        return secrets.token_hex(16)

    @property
    def connection_string(self) -> str:
        return azurite.connection_string(*(self.ports[name] for name in ("blob", "queue", "table")))

    @property
    def app_storage(self) -> str:
        """The connection string that the app is given."""
        straight, through = (f":{self.ports[name]}/" for name in ("blob", "faults"))
        return self.connection_string.replace(straight, through if self.storage_faults else straight)

    @property
    def storage_faults_url(self) -> str:
        return f"http://127.0.0.1:{self.ports['faults']}"

    @property
    def azureml_url(self) -> str:
        return f"http://127.0.0.1:{self.ports['azureml']}"

    @property
    def host_url(self) -> str:
        return f"http://127.0.0.1:{self.ports['host']}"

    @cached_property
    def storage(self) -> BlobServiceClient:
        return BlobServiceClient.from_connection_string(self.connection_string, use_env_settings=False)

    def container(self, name: str) -> ContainerClient:
        return self.storage.get_container_client(name)

    @cached_property
    def event_grid(self) -> EventGrid:
        webhook = f"{self.host_url}/runtime/webhooks/blobs?functionName=Host.Functions.blob_dropped"
        return EventGrid(self.container("inbox"), webhook)

    def start_child(self, name: str, command: list[str], environment: dict[str, str]) -> Child:
        busy = [port for port in self.ports_of(name) if in_use(port)]
        if busy:
            raise ChildFailed(
                f"Port {busy[0]}, which {name} of this stack uses, is taken by another process. "
                f"End that process, or delete {self.state} to start anew on other ports."
            )
        logs = self.state / "logs"
        logs.mkdir(exist_ok=True)
        child = Child(name, command, logs / f"{name}.log", environment)
        self.children[name] = child
        return child

    def ports_of(self, name: str) -> list[int]:
        names = ("blob", "queue", "table") if name == "azurite" else (name,)
        return [self.ports[one] for one in names]

    def start_azurite(self) -> None:
        ports = [self.ports[name] for name in ("blob", "queue", "table")]
        child = self.start_child(
            "azurite", azurite.command(self.state / "azurite", *ports), azurite.environment()
        )
        child.wait_until(lambda: all(in_use(port) for port in ports))
        for name in CONTAINERS:
            with contextlib.suppress(ResourceExistsError):
                self.container(name).create_container()
        with contextlib.suppress(ResourceExistsError):
            text = self.routes or (ROOT / "local/routes.toml").read_text("utf-8")
            routes = Template(text).safe_substitute(AZUREML=self.azureml_url)
            self.container("config").upload_blob("routes.toml", routes.encode())

    def start_azureml(self) -> None:
        command = [
            *(sys.executable, "-m", "local.azureml", *map(str, self.models)),
            *("--port", str(self.ports["azureml"]), "--state", str(self.state / "azureml")),
            *("--storage", self.connection_string, "--identity-header", self.secret),
            *("--storage-alias", f"{self.storage_faults_url}/{azurite.ACCOUNT}"),
        ]
        child = self.start_child("azureml", command, self.base_environment())
        child.wait_until(lambda: answers(f"{self.azureml_url}/discovery"))

    def start_storage_faults(self) -> None:
        if not self.storage_faults:
            return
        upstream = f"http://127.0.0.1:{self.ports['blob']}"
        command = [sys.executable, "-m", "local.faults.proxy"]
        ends = ["--to", upstream, "--port", str(self.ports["faults"])]
        child = self.start_child("faults", [*command, *ends], self.base_environment())
        child.wait_until(lambda: in_use(self.ports["faults"]))

    def start_host(self) -> None:
        command = [
            *(sys.executable, "-m", "local.host", str(self.app)),
            *("--port", str(self.ports["host"]), "--state", str(self.state / "host")),
        ]
        child = self.start_child("host", command, {**self.base_environment(), **self.app_settings()})
        child.wait_until(lambda: in_use(self.ports["host"]))

    def base_environment(self) -> dict[str, str]:
        """Without any credential of the person who starts it: the emulated identity is the only one."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith("AZURE_")}
        return {**kept, "PYTHONPATH": str(ROOT), "NO_PROXY": "127.0.0.1,localhost"}

    def app_settings(self) -> dict[str, str]:
        """What `local.settings.json` or the function app's configuration hold elsewhere."""
        return {
            "FUNCTIONS_WORKER_RUNTIME": "python",
            "AzureWebJobsStorage": self.connection_string,
            "TASKHUB_NAME": "dropscore",
            "DROPSCORE_STORAGE": self.app_storage,
            "DROPSCORE_INBOX": "inbox",
            "DROPSCORE_BLOB_SOURCE": "eventgrid",
            "DROPSCORE_STATUS": "status",
            "DROPSCORE_SWEEP_SCHEDULE": "0 * * * * *",
            "DROPSCORE_ARM_URL": self.azureml_url,
            "DROPSCORE_WORKSPACE": WORKSPACE_ID,
            "DROPSCORE_ROW_VALUES": "yes",
            "AZURE_TOKEN_CREDENTIALS": "ManagedIdentityCredential",
            "IDENTITY_ENDPOINT": f"{self.azureml_url}/msi/token",
            "IDENTITY_HEADER": self.secret,
            **self.settings,
        }


def locked(state: Path) -> IO[str]:
    """One stack per state folder; the lock goes with the process, however it ends."""
    lock = (state / "lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise ChildFailed(f"A stack is running on {state} already; end it with Ctrl-C first.") from None
    return lock


def forget(state: Path) -> None:
    for entry in state.iterdir():
        if entry.is_dir():
            shutil.rmtree(entry)
        elif entry.name != "lock":
            entry.unlink()


def free_ports() -> dict[str, int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in PORTS]
    ports = {name: one.getsockname()[1] for name, one in zip(PORTS, sockets, strict=True)}
    for one in sockets:
        one.close()
    return ports


def in_use(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=2):
            return True
    except URLError:
        return False

"""What the commands of models/provision.py do, by their names and with the options of arguments.py."""

from collections.abc import Callable
from dataclasses import fields
from typing import Any

from azure.ai.ml import MLClient

from . import assets, batch, deletion, infrastructure, online
from .deployments import Parts

Options = dict[str, Any]


def run(client: MLClient, command: str, options: Options) -> None:
    """Do what a command says. Raises ProvisioningError, and what the SDK raises."""
    _COMMANDS[command](client, options)


def _model(client: MLClient, options: Options) -> None:
    assets.register_model(client, kind=options.pop("type"), **options)


def _data(client: MLClient, options: Options) -> None:
    assets.register_data(client, kind=options.pop("type"), **options)


def _batch_deployment(client: MLClient, options: Options) -> None:
    batch.provision_batch_deployment(client, _parts(options), **options)


def _online_deployment(client: MLClient, options: Options) -> None:
    online.provision_online_deployment(client, _parts(options), **options)


def _traffic(client: MLClient, options: Options) -> None:
    traffic, mirror = (options[name] and dict(options[name]) for name in ("allocation", "mirror"))
    online.set_traffic(client, options["endpoint_name"], traffic, mirror)


def _parts(options: Options) -> Parts:
    """The parts of a deployment, taken out of the options."""
    given = {field.name: options.pop(field.name) for field in fields(Parts)}
    variables = given["environment_variables"]
    return Parts(**given | {"environment_variables": dict(variables) if variables else None})


def _plain(function: Callable[..., object]) -> Callable[[MLClient, Options], None]:
    """A command whose options are what a function takes."""

    def command(client: MLClient, options: Options) -> None:
        function(client, **options)

    return command


_COMMANDS: dict[str, Callable[[MLClient, Options], None]] = {
    "model": _model,
    "compute": _plain(infrastructure.provision_compute),
    "environment": _plain(assets.register_environment),
    "datastore": _plain(infrastructure.provision_datastore),
    "data": _data,
    "batch-endpoint": _plain(batch.provision_batch_endpoint),
    "batch-deployment": _batch_deployment,
    "default-deployment": _plain(batch.set_default_deployment),
    "online-endpoint": _plain(online.provision_online_endpoint),
    "online-deployment": _online_deployment,
    "traffic": _traffic,
    "delete": _plain(deletion.delete),
}

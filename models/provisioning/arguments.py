"""The commands of models/provision.py and their options, which are named as the keys of `az ml` YAML are."""

import argparse
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

_URL = re.compile(r"https?://")
KINDS = ("batch-endpoint", "batch-deployment", "online-endpoint", "online-deployment", "compute", "datastore")


class _Parser(argparse.ArgumentParser):
    """Where --emulator is followed by what is no URL, that word is an argument of its own."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As of argparse."""
        words = list(sys.argv[1:] if args is None else args)
        for place, word in enumerate(words):
            if word == "--emulator" and not _URL.match("".join(words[place + 1 : place + 2])):
                words[place] = "--emulator="
        return super().parse_known_args(words, namespace)


def parser(about: str | None) -> argparse.ArgumentParser:
    """All commands; `about` is what --help begins with."""
    everywhere = _everywhere()
    root = _Parser(prog="provision", description=about)
    commands = root.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (help_text, add_options) in COMMANDS.items():
        command = commands.add_parser(name, help=help_text, description=help_text, parents=[everywhere])
        add_options(command)
    return root


def _everywhere() -> _Parser:
    options = _Parser(add_help=False)
    group = options.add_argument_group("the workspace, by default that of config.json")
    group.add_argument("--subscription", metavar="ID")
    group.add_argument("--resource_group", metavar="NAME")
    group.add_argument("--workspace", metavar="NAME")
    group.add_argument(
        "--emulator", nargs="?", const="", metavar="URL", help="the local stack's instead, or the one at URL"
    )
    options.add_argument(
        "--verbose", action="store_true", help="say what is sent, and where an error comes from"
    )
    return options


def _model_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--name", required=True)
    command.add_argument("--path", required=True, type=Path, help="a file or a folder")
    command.add_argument(
        "--type", choices=("mlflow_model", "custom_model"), help="by default as the files look"
    )
    command.add_argument("--version", help="by default the next one, where the content is new")
    command.add_argument("--description")


def _compute_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--name", required=True)
    command.add_argument("--size", metavar="VM_SIZE", help="such as STANDARD_DS3_V2, which is the default")
    command.add_argument("--min_instances", type=int, help="default: 0, which costs nothing while idle")
    command.add_argument("--max_instances", type=int, help="default: 4")
    command.add_argument("--idle_time_before_scale_down", type=int, metavar="SECONDS", help="default: 120")
    command.add_argument("--tier", choices=("dedicated", "low_priority"))
    command.add_argument("--description")


def _environment_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--name", required=True)
    command.add_argument("--image", required=True, help="the Docker image it starts from")
    command.add_argument("--conda_file", type=Path, help="what is installed into it")
    command.add_argument("--version", help="by default the next one, where the content is new")


def _datastore_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--name", required=True)
    command.add_argument("--account_name", help="the storage account; a new datastore needs it")
    command.add_argument("--container_name", help="the blob container; a new datastore needs it")
    command.add_argument("--endpoint", help="the storage account's domain; default: core.windows.net")
    command.add_argument("--protocol", choices=("https", "http"))
    command.add_argument(
        "--account_key_variable", metavar="VARIABLE", help="holds the account's key; default: go by identity"
    )
    command.add_argument("--description")


def _data_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--name", required=True)
    command.add_argument(
        "--path", required=True, help="a file, a folder, or azureml://datastores/… or https://…"
    )
    command.add_argument("--type", choices=("uri_file", "uri_folder"), default="uri_folder")
    command.add_argument("--version", help="by default the next one, where the content is new")
    command.add_argument("--description")


def _batch_endpoint_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--endpoint_name", required=True)
    command.add_argument("--description")


def _part_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--endpoint_name", required=True)
    command.add_argument("--deployment_name", required=True)
    command.add_argument("--model", help="a registered one: azureml:NAME:VERSION or NAME@latest")
    command.add_argument("--model_path", type=Path, help="a file or a folder to register instead")
    command.add_argument("--model_name", help="what to register it as; default: the endpoint's name")
    command.add_argument(
        "--model_type", choices=("mlflow_model", "custom_model"), help="by default as it looks"
    )
    command.add_argument(
        "--environment", help="azureml:NAME:VERSION, NAME@latest, or a conda file to register with --image"
    )
    command.add_argument("--environment_name", help="what to register it as; default: the endpoint's name")
    command.add_argument("--image", help="the Docker image a conda file goes into")
    command.add_argument("--score_path", type=Path, help="the folder of the scoring code")
    command.add_argument("--score_script", help="the scoring script in it; an MLflow model needs none")
    command.add_argument("--environment_variables", nargs="+", type=_pair, metavar="NAME=VALUE")
    command.add_argument("--description")
    command.add_argument("--instance_count", type=int)


def _batch_deployment_options(command: argparse.ArgumentParser) -> None:
    _part_options(command)
    command.add_argument("--compute", help="the compute cluster it runs on")
    command.add_argument("--max_concurrency_per_instance", type=int, help="processes of an instance")
    command.add_argument("--mini_batch_size", type=int, help="files that one call of run() gets")
    command.add_argument("--error_threshold", type=int, help="failed files put up with; -1: any number")
    command.add_argument("--output_action", choices=("append_row", "summary_only"))
    command.add_argument("--output_file_name")
    command.add_argument("--max_retries", type=int, help="retry_settings.max_retries, of a mini-batch")
    command.add_argument(
        "--timeout", type=int, metavar="SECONDS", help="retry_settings.timeout, of a mini-batch"
    )
    command.add_argument("--logging_level", choices=("info", "warning", "debug"))
    command.add_argument(
        "--set_default", action="store_true", help="make it the endpoint's default deployment"
    )


def _default_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--endpoint_name", required=True)
    command.add_argument("--deployment_name", required=True)


def _online_endpoint_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--endpoint_name", required=True)
    command.add_argument("--description")
    command.add_argument("--auth_mode", choices=("key", "aml_token", "aad_token"), help="default: key")
    command.add_argument("--public_network", choices=("enabled", "disabled"), help="default: enabled")


def _online_deployment_options(command: argparse.ArgumentParser) -> None:
    _part_options(command)
    command.add_argument("--instance_type", metavar="VM_SIZE", help="such as Standard_DS3_v2")
    command.add_argument("--request_timeout_ms", type=int, help="default: 5000, at most 180000")
    command.add_argument("--max_concurrent_requests_per_instance", type=int, help="default: 1")
    command.add_argument(
        "--traffic_allocation",
        type=_percent,
        metavar="PERCENT",
        help="its share; the others' keep their proportions",
    )


def _traffic_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--endpoint_name", required=True)
    command.add_argument(
        "--allocation", nargs="+", type=_share, metavar="DEPLOYMENT=PERCENT", help="0 or 100 in sum"
    )
    command.add_argument(
        "--mirror", nargs="+", type=_share, metavar="DEPLOYMENT=PERCENT", help="one, 50 at most"
    )


def _delete_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("kind", choices=KINDS)
    command.add_argument("name")
    command.add_argument("--endpoint_name", help="of a deployment")


def _pair(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not name or not sign:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value


def _percent(text: str) -> int:
    if not text.isdigit() or int(text) > 100:
        raise argparse.ArgumentTypeError(f"{text!r} is no percentage from 0 to 100")
    return int(text)


def _share(text: str) -> tuple[str, int]:
    name, percent = _pair(text)
    return name, _percent(percent)


COMMANDS: dict[str, tuple[str, Callable[[argparse.ArgumentParser], None]]] = {
    "model": ("Register a model.", _model_options),
    "compute": ("Make a compute cluster.", _compute_options),
    "environment": ("Register an environment.", _environment_options),
    "datastore": ("Register a blob container as a datastore.", _datastore_options),
    "data": ("Register a data asset.", _data_options),
    "batch-endpoint": ("Make a batch endpoint.", _batch_endpoint_options),
    "batch-deployment": ("Make a batch deployment, and all it is made of.", _batch_deployment_options),
    "default-deployment": ("Choose the default deployment of a batch endpoint.", _default_options),
    "online-endpoint": ("Make an online endpoint.", _online_endpoint_options),
    "online-deployment": ("Make an online deployment, and all it is made of.", _online_deployment_options),
    "traffic": ("Share out the traffic of an online endpoint.", _traffic_options),
    "delete": ("Delete an endpoint, a deployment, a compute cluster or a datastore.", _delete_options),
}

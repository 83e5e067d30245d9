"""`python -m local.azureml FOLDER... --port N --state DIR --storage CONNECTION_STRING`: the emulator."""

import argparse
import asyncio
import logging
import signal
import sys
from pathlib import Path

from local.faults.plan import NoFault, Plan

from .batch_kinds import scoring_uri
from .folders import read_folders
from .server import Options, serve
from .yaml_reading import DeploymentError


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    arguments = _parser().parse_args()
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(name)s %(message)s")
    logging.getLogger("azure").setLevel(logging.WARNING)
    try:
        options = _options(arguments)
        asyncio.run(_serve(options))
    except DeploymentError as error:
        sys.exit(f"azureml: {error}")
    except NoFault as error:
        sys.exit(f"azureml: {arguments.faults}: {error}")


def _options(arguments: argparse.Namespace) -> Options:
    """Raises DeploymentError and NoFault for files that cannot be used."""
    return Options(
        resources=read_folders(arguments.folders, arguments.nodes),
        storage=arguments.storage,
        storage_alias=arguments.storage_alias,
        state=arguments.state,
        port=arguments.port,
        identity_header=arguments.identity_header,
        faults=Plan.read(arguments.faults.read_text()) if arguments.faults else Plan(),
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local.azureml", description=__doc__)
    parser.add_argument(
        "folders", nargs="+", type=Path, metavar="FOLDER", help="holds az ml CLI v2 YAML, at any depth"
    )
    parser.add_argument("--port", type=int, default=0, help="on 127.0.0.1; a free one by default")
    parser.add_argument(
        "--state", type=Path, required=True, metavar="DIR", help="jobs, logs and scratch files"
    )
    parser.add_argument(
        "--storage", required=True, metavar="CONNECTION_STRING", help="of the storage account"
    )
    parser.add_argument(
        "--storage-alias", default="", metavar="URL", help="another address of the storage account's blobs"
    )
    parser.add_argument(
        "--identity-header", default="local", metavar="SECRET", help="what IDENTITY_HEADER must be"
    )
    parser.add_argument("--nodes", type=int, default=4, help="of a cluster no YAML describes (default: 4)")
    parser.add_argument("--faults", type=Path, metavar="FILE", help="a plan of what goes wrong, as JSON")
    return parser


async def _serve(options: Options) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)

    def announce(base: str) -> None:
        print(f"azureml ready at {base}")
        for resource in options.resources:
            if resource.kind == "batchEndpoints":
                print(f"  {scoring_uri(base, resource.name)}")
        sys.stdout.flush()

    await serve(options, announce, stop)


if __name__ == "__main__":
    main()

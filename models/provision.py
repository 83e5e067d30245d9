"""Make a model and its endpoints in an Azure ML workspace; what is there as asked for already stays untouched.

Needs models/requirements.txt in an environment of its own: `python3 dev.py provision` has it. See docs/models.md.
"""

import logging
import sys
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    # Python looks in the folder of the file it is given; the package is found from the one above.
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from models.provisioning.arguments import parser


def main(arguments: list[str] | None = None) -> None:
    """Do what one command says; exit with 1, and the reason, where it cannot be done."""
    options = vars(parser(__doc__).parse_args(arguments))
    command = options.pop("command")
    level = logging.DEBUG if options.pop("verbose") else logging.ERROR
    logging.basicConfig(level=level, format="  %(name)s: %(message)s")
    # Importing the SDK takes seconds: --help and mistyped commands do without.
    from azure.ai.ml.exceptions import MlException
    from azure.core.exceptions import AzureError

    from models.provisioning.changes import ProvisioningError
    from models.provisioning.commands import run

    # Importing the SDK has made it talk.
    logging.getLogger("azure.ai.ml").setLevel(level)
    try:
        run(_connect(options), command, options)
    except (ProvisioningError, AzureError, MlException) as error:
        logging.getLogger(__name__).debug("%s failed", command, exc_info=True)
        sys.exit(f"{command}: {reason_of(error)}")
    except KeyboardInterrupt:
        sys.exit(f"{command}: no longer waiting; what was begun goes on, and the same command waits for it")


def reason_of(error: Exception) -> str:
    """What the service or the SDK says, without what they wrap it in."""
    inner = getattr(error, "error", None)
    lines = str(getattr(inner, "message", None) or error).splitlines()
    return "\n".join(line for line in lines if line.strip()).strip()


def _connect(options: dict[str, Any]) -> Any:
    """A client of the workspace that the options name, which are taken out of them."""
    names = [options.pop(name) for name in ("subscription", "resource_group", "workspace")]
    emulator = options.pop("emulator")
    if emulator is None:
        from models.provisioning.workspace import connect

        return connect(*names)
    from local.azureml.sdk import NoEmulator, client_of
    from models.provisioning.changes import ProvisioningError

    try:
        return client_of(emulator)
    except NoEmulator as error:
        raise ProvisioningError(str(error)) from None


if __name__ == "__main__":
    main()

"""The map of the command line: every command, registered."""

import click

from dropscore import __version__
from dropscore.app import completion, health
from dropscore.application import Application
from dropscore.backfill import backfill, backfill_cancel, backfill_status
from dropscore.doctor import doctor
from dropscore.drop import drop
from dropscore.reruns import cancel, rerun
from dropscore.routes import routes
from dropscore.runs import runs, show
from dropscore.status import predictions, status
from dropscore.watch import watch


@click.group(
    cls=Application, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, message="%(version)s")
def cli() -> None:
    """Where is my file? Drop CSVs, watch their runs, change routes.

    Without settings it speaks to the local stack of this project; for an app on Azure set DROPSCORE_URL and
    DROPSCORE_KEY. --json, --url, --key and --audience may stand before or after a command.
    """


for command in (
    *(drop, status, predictions, runs, show, cancel, rerun, watch),
    *(backfill, backfill_status, backfill_cancel, routes, health, doctor, completion),
):
    cli.add_command(command)

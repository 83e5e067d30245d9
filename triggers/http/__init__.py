"""What can be asked and told over HTTP.

answers.py     how everything here is answered: JSON, problems, bounds of bodies and queries
runs.py        start, cancel, rerun
run_views.py   runs as they stand: lists, one, its files
stats.py       the last hours in figures, and how long runs usually take
files.py       one file: where it is, drop it
waiting.py     what waits, and for what
inputs.py      how files come into the inbox, from a body or an address
predictions.py predictions, and a look at them, where row values may be shown
routes.py      the routes in force, checked, changed, rolled back
backfill.py    score everything below a prefix again
trials.py      a few rows scored to prove that a route can
about.py       health, the checkup, and the description of all this (`openapi.json`)
page.py        the dashboard
"""

from triggers.http import (
    about,
    backfill,
    files,
    page,
    predictions,
    routes,
    run_views,
    runs,
    stats,
    trials,
    waiting,
)

modules = (runs, run_views, stats, files, waiting, predictions, routes, backfill, trials, about, page)

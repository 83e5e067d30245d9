"""The durable record of every version, slot and run, and its only writer: one function per transition.

ledger_base.py         the store, the clock, whose ledger it is
ledger_slots.py        slots and holds: who may start a run of a route
ledger_stages.py       a run under way: its steps from stage to stage, the fence, canceling
ledger_runs.py         runs: opened, planned, sealed, worded, closed, found again, reopened
ledger_admission.py    runs that take no slot: how many may be open
ledger_versions.py     versions: markers, claims, releases
ledger_notices.py      notices: who is still to be told that a run has closed, and what came of it
ledger_retention.py    the sweep's turns, and what is forgotten
ledger_arrivals.py     how files are announced, for checkups

Each builds on those above it. `docs/protocol.md` gives the reason for each order of writes; `shared/ledger_keys.py`
says where things lie.
"""

from shared.ledger_arrivals import ArrivalSigns


class Ledger(ArrivalSigns):
    """All transitions. Each either happened once or can be repeated safely."""

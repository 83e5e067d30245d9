"""A checkup: is this deployment able to do what it is for? Everything is tried, nothing is believed.

findings.py      what a check comes to; checks at the same time, each within its time
commands.py      what to type where a check is not good
surroundings.py  what a checkup goes by: settings, identity, storage that is asked once
app.py           the app itself: versions, routes, whose ledger, heartbeat
storage.py       the account and its containers: reads, writes, conditional writes, clock
events.py        whether events of the inbox arrive, and which the host has given up
workspaces.py    Azure ML: workspace, jobs, datastores, clock
endpoints.py     Azure ML, route by route: endpoint, deployment, and whether it lets the app in
examined.py      all of it, in its order

docs/doctor.md explains each check. What scores files rests on nothing here.
"""

"""Job lists, a page at a time: the newest jobs first, and a link to the older ones."""

from collections.abc import Callable
from typing import Any

from aiohttp import web

from .jobs import Job
from .service import Service


def job_page(
    request: web.Request,
    service: Service,
    token: str,
    wanted: Callable[[Job], bool],
    body: Callable[[Job], dict[str, Any]],
) -> web.Response:
    """One page of the jobs that are `wanted`. `token` is the query key the next link continues with."""
    given = request.query.get(token)
    before = int(given) if given and given.isdigit() else None

    def shown(job: Job) -> bool:
        return wanted(job) and service.troubles.listed(job)

    found = [(number, job) for number, job in service.store.newest_first(before) if shown(job)]
    page = found[: service.page_size]
    more = len(found) > len(page)
    link = str(request.url.update_query({token: str(page[-1][0])})) if more else None
    return web.json_response({"value": [body(service.shown(job)) for _, job in page], "nextLink": link})

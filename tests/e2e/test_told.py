"""The whole stack tells a real receiver and shows where files stand, also where the host is killed between tries."""

import json
from itertools import count
from pathlib import Path

import pytest

from local.stack import Stack
from shared.ledger_keys import notice_key
from shared.records import Launch, Notice
from tests.e2e.drops import MODELS, SETTINGS, Drops, numbers, routes, until
from tests.orchestrators.record import SECRET, TOLD
from tests.shared.scripted_http import Endpoint, Received, Reply

pytestmark = pytest.mark.full


def state(drops: Drops, file: str) -> str:
    text = drops.read("status", f"{file}.json")
    return str(json.loads(text)["state"]) if text else "none"


def refused(drops: Drops, key: str) -> bool:
    """Whether it is written down that the first try was not accepted."""
    found = drops.ledger.store.read(key)
    return found is not None and Notice.from_dict(found[0]).status == 503


def test_a_host_that_is_killed_between_two_tries_tells_once(tmp_path: Path) -> None:
    turns = count()

    def unready_at_first(_: Received) -> Reply:
        return Reply(200) if next(turns) else Reply(503)

    with Endpoint(unready_at_first) as receiver:
        told = routes() + TOLD.format(url=receiver.url)
        with Stack(tmp_path, [MODELS], told, {**SETTINGS, **SECRET}) as stack:
            drops = Drops(stack)
            run, word = drops.closed(drops.drop("told/one.csv", numbers(2)))
            assert word.word == "published"
            key = notice_key(Launch(run=run.run, launch=1, route="told"))
            until(lambda: refused(drops, key), "the first try written down")
            stack.children["host"].kill()
            stack.start_host()
            until(lambda: len(receiver.received) == 2, "the second try")
            until(lambda: not drops.ledger.untold(), "the notice settled")
    assert {json.loads(one.body)["data"]["run"] for one in receiver.received} == {run.run}
    assert len({one.headers["webhook-id"] for one in receiver.received}) == 1


def test_where_a_file_stands_can_be_seen_in_the_container(tmp_path: Path) -> None:
    with Stack(tmp_path, [MODELS], routes(), SETTINGS) as stack:
        drops = Drops(stack)
        version = drops.drop("endless/slow.csv", "x\n1\n")
        until(lambda: state(drops, version.blob) == "running", "the file shown as running")
        drops.closed(version)
        until(lambda: state(drops, version.blob) == "failed", "the file shown as failed")
        drops.closed(drops.drop("double/good.csv", numbers(1)))
        until(lambda: state(drops, "double/good.csv") == "none", "no status beside predictions")

"""What a file, and a million rows, cost: measured counts times the units of a price list."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.pages.one import FLOOR, OURS
from benchmarks.tables import markdown, number, words

PRICES = Path(__file__).parent.parent / "prices.toml"
# The kinds of the price list, from what a call does. Looking at a blob is an "other" operation, priced as reads are.
KINDS = {
    "write": "write",
    "stage block": "write",
    "commit blocks": "write",
    "set metadata": "write",
    "list": "list",
    "read": "read",
    "look": "read",
}
Kept = Mapping[str, Any]


def page(one: Kept | None, flood: Kept | None, growth: Kept | None) -> str:
    """Of what there is: one file alone, one of a flood, and a million rows of a large one."""
    prices = tomllib.loads(PRICES.read_text("utf-8"))
    gigabytes = prices["memory_gb"]
    uses: dict[str, dict[str, float]] = {}
    if one:
        calls = {row["operation"]: 0 for row in one["counted"][OURS]["calls"]}
        for row in one["counted"][OURS]["calls"]:
            calls[row["operation"]] += row["calls"]
        uses["1,000 files, each alone"] = used({**one["counted"][OURS], "operations": calls}, 1000, gigabytes)
    if flood:
        counted = flood["counted"]
        uses[f"1,000 files of a flood of {counted['files']:,}"] = used(
            counted, 1000 / counted["files"], gigabytes
        )
    if growth:
        counted = growth["counted"]
        uses["a million rows of a large file"] = used(counted, 1e6 / counted["rows"], gigabytes)
    kinds = [kind for kind, price in prices.items() if isinstance(price, dict) and kind != "node_hour"]
    rows = [[what, *costs(use, prices, kinds)] for what, use in uses.items()]
    heads = [
        "",
        *(f"{prices[kind]['unit'].split(',')[0]}" for kind in kinds),
        f"together, {prices['currency']}",
    ]
    return "\n".join(
        [
            "`python3 dev.py bench money`: counts measured in *one*, *flood* and *growth*, prices from "
            "`benchmarks/prices.toml`, where you put in yours. The storage and queues of Durable Functions itself "
            "are not counted, nor is what is stored; nor what runs without files, the sweep each minute and the "
            "instance that is always ready ([cost](cost.md)). GB-seconds are the seconds of all executions added "
            "up, measured through a proxy and without Azure's latency: those that overlap on an instance are paid "
            "once. A large file's counts hold one sweep. Nodes are told apart below.",
            "",
            markdown(heads, rows),
            *([nodes(flood)] if flood else []),
            "The prices that were put in, none of them an offer:",
            "",
            words(
                ["unit", "price", "source", "date"],
                [list(told(prices[kind], prices["currency"])) for kind in (*kinds, "node_hour")],
            ),
        ]
    )


def used(counted: Kept, times: float, gigabytes: float) -> dict[str, float]:
    """Units of each kind, so many times, on instances of so much memory."""
    found = dict.fromkeys(KINDS.values(), 0.0)
    for operation, calls in counted["operations"].items():
        if operation in KINDS:
            found[KINDS[operation]] += calls * times
    found["execution"] = counted["executions"] * times
    found["gb_second"] = counted["busy"] * times * gigabytes
    return found


def costs(use: Mapping[str, float], prices: Kept, kinds: list[str]) -> list[str]:
    total = sum(use[kind] * prices[kind]["price"] / prices[kind]["per"] for kind in kinds)
    return [*(number(use[kind]) for kind in kinds), number(total)]


def nodes(flood: Kept) -> str:
    """Node-hours of a flood, beside a job for every file."""
    late = {
        subject: next((run for run in flood["subjects"][subject] if run["start"]), None)
        for subject in (OURS, FLOOR)
    }
    rows = [
        [subject, f"{run['files']:,}", f"{run['start']:g}", number(1000 * run["node"] / run["files"] / 3600)]
        for subject, run in late.items()
        if run
    ]
    said = "Node-hours for 1,000 files, from jobs that were really run (ours that come alone: the script's):"
    return f"{said}\n\n" + markdown(["", "files run", "start of a node, s", "node-hours for 1,000"], rows)


def told(price: Kept, currency: str) -> tuple[str, ...]:
    amount = f"{price['price']:f}".rstrip("0").rstrip(".")
    return price["unit"], f"{amount} {currency} for {price['per']:,}", price["source"], price["date"]

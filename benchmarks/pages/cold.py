"""A cold start."""

from collections.abc import Mapping
from typing import Any

from benchmarks import plots
from benchmarks.tables import circumstances, least, least_and_slowest, markdown, name, number

Kept = Mapping[str, Any]
OURS, CLIENT = "dropscore, deployed", "azure-ai-ml"


def page(kept: Kept) -> str:
    client = kept["imports"][CLIENT]
    rows = [
        [
            name(subject, OURS),
            *(least_and_slowest(rounds, key) for key in ("wall", "cpu")),
            f"{least(rounds, 'wall') / least(client, 'wall'):.2f}",
            number(max(one["peak"] for one in rounds)),
            number(kept["installed"][subject]["mb"]),
            str(kept["installed"][subject]["distributions"]),
        ]
        for subject, rounds in kept["imports"].items()
    ]
    heads = [
        "",
        "start and import, ms",
        "CPU ms",
        "× azure-ai-ml",
        "peak MiB",
        "installed MB",
        "distributions",
    ]
    largest = [[row["package"], number(row["ms"])] for row in kept["largest"]]
    return "\n".join(
        [
            circumstances({**kept, "rounds": len(client)}, "fresh processes in turn"),
            "",
            "*Installed* is the environment that a subject is in, without pip (bare Python was started in the next "
            "one's); ours holds pandas, which is loaded only where it "
            "is needed.",
            "",
            markdown(heads, rows),
            "![Import time](plots/cold.svg)",
            "",
            f"What our {kept['loaded']:,} modules cost, by package (`-X importtime`, each module by "
            f"itself, one process, so "
            "that the sum is above the time without it):",
            "",
            markdown(["", "ms"], largest),
        ]
    )


def drawn(kept: Kept) -> dict[str, str]:
    rows = {subject: {"ms": 1000 * least(rounds, "wall")} for subject, rounds in kept["imports"].items()}
    return {"cold.svg": plots.bars("Import time, milliseconds", rows, "ms")}


def figures(kept: Kept) -> dict[str, float]:
    ours, client = kept["imports"][OURS], kept["imports"][CLIENT]
    return {
        "cold: import, × azure-ai-ml": least(ours, "wall") / least(client, "wall"),
        "cold: import, ms": 1000 * least(ours, "wall"),
        "cold: memory, × azure-ai-ml": max(one["peak"] for one in ours) / max(one["peak"] for one in client),
        "cold: memory, MiB": max(one["peak"] for one in ours),
    }

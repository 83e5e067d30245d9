"""What `benchmarks.local` found, as JSON and as sections of `docs/benchmarks.md`."""

import json
from collections.abc import Mapping
from statistics import median
from typing import Any, TypeAlias

from benchmarks.environment import ROOT
from benchmarks.report import between
from benchmarks.results import FULL
from benchmarks.tables import markdown

RESULTS = ROOT / "benchmarks" / "results" / "local.json"
BEGIN, END = "<!-- local: begin -->\n", "<!-- local: end -->\n"
HOST, ENGINE = "**the local host**", "engine"
Rounds: TypeAlias = list[dict[str, Any]]
Step: TypeAlias = Mapping[str, Any]


def keep(found: Mapping[str, Step]) -> dict[str, Step]:
    """Writes the steps over what was kept of them. Returns all that are kept, in their order."""
    kept = {**(json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}), **found}
    ordered = {name: kept[name] for name in SECTIONS if name in kept}
    RESULTS.write_text(json.dumps(ordered, indent=2) + "\n", "utf-8")
    return ordered


def write_docs(steps: Mapping[str, Step]) -> None:
    """Puts the sections between their marks on the page."""
    between(BEGIN, END, "\n".join(section(name, step) for name, step in steps.items()), FULL.page)


def section(name: str, step: Step) -> str:
    """One step's title, circumstances and table, as Markdown."""
    return SECTIONS[name](step)


def host_section(step: Step) -> str:
    figures: dict[str, Rounds] = step["figures"]
    heads = ["", "a second", "one alone, ms", "start to first output, s", "peak MiB"]
    rows = [[name, *host_cells(rounds)] for name, rounds in figures.items() if name != ENGINE]
    own, engine = figures[HOST], figures[ENGINE]
    return (
        f"### The host: orchestrations of five activities\n\n{circumstances(step)} {step['chains']} at once.\n\n"
        f"{markdown(heads, rows)}\n"
        f"The host's first answer over HTTP comes {middle(own, 'answered', '.2f')} s after its start. Its engine alone "
        f"takes {middle(engine, 'engine', '.1f')} ms of CPU an orchestration, the SDK's replays "
        f"{middle(engine, 'sdk', '.1f')} ms."
    )


def host_cells(rounds: Rounds) -> list[str]:
    peak = max(each["peak"] for each in rounds) / 1024
    cells = [middle(rounds, "rate", ",.0f"), middle(rounds, "alone", ".1f"), middle(rounds, "start", ".2f")]
    return [*cells, f"{peak:,.0f}"]


def emulator_section(step: Step) -> str:
    figures: dict[str, Rounds] = step["figures"]
    rows = [
        [
            name,
            f"{median(each['rows'] / each['seconds'] for each in rounds):,.0f}",
            middle(rounds, "seconds", ".2f"),
        ]
        for name, rounds in figures.items()
    ]
    return (
        f"### The emulator: the sample model `diabetes`\n\n{circumstances(step)} "
        f"{next(iter(figures.values()))[0]['rows']:,} rows in 8 files, the start of the processes included.\n\n"
        f"{markdown(['', 'rows a second', 's'], rows)}"
    )


def middle(rounds: Rounds, key: str, form: str) -> str:
    return format(median(each[key] for each in rounds), form)


def circumstances(step: Step) -> str:
    on, peers = (
        step["machine"],
        "".join(f"; {name} {version}" for name, version in step.get("peers", {}).items()),
    )
    return (
        f"`{step['command']}`: medians of {step['rounds']}; {on['cores']} cores, {on['memory_gib']} GiB, "
        f"{on['system']}, Python {on['python']}; load {step['load']:.2f} at the start{peers}."
    )


SECTIONS = {"host": host_section, "emulator": emulator_section}

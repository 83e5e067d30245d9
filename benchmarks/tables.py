"""Tables in Markdown, and how figures are written in them."""

from collections.abc import Mapping, Sequence
from typing import Any


def markdown(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table whose columns line up, all but the first to the right."""
    widths = [max(len(row[at]) for row in [heads, *rows]) for at in range(len(heads))]

    def line(cells: Sequence[str]) -> str:
        first, *others = (f"{cell:{'>' if at else '<'}{widths[at]}}" for at, cell in enumerate(cells))
        return "| " + " | ".join([first, *others]) + " |\n"

    rule = [("-" * (width - 1) + ":") if at else "-" * width for at, width in enumerate(widths)]
    return line(heads) + line(rule) + "".join(map(line, rows))


def words(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of texts, which would not line up anyway."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def least(rounds: Sequence[Mapping[str, Any]], key: str) -> float:
    """The least of the rounds."""
    return float(min(one[key] for one in rounds))


def least_and_slowest(rounds: Sequence[Mapping[str, Any]], key: str, factor: float = 1000.0) -> str:
    """Such as "31 (35)"; only the one where there is one."""
    values = [factor * one[key] for one in rounds]
    return number(min(values)) + (f" ({number(max(values))})" if len(values) > 1 else "")


def number(value: float) -> str:
    """With as many digits as say something: 0.00031, 0.031, 2.4, 1,057."""
    size = abs(value)
    digits = next((digits for digits, least in enumerate((100, 10, 1, 0.01, 0.001)) if size >= least), 5)
    return f"{value:,.{digits}f}" if size else "0"


def name(subject: str, ours: str) -> str:
    """Ours stands out."""
    return f"**{subject}**" if subject == ours else subject


def circumstances(kept: Mapping[str, Any], *more: str) -> str:
    """The command that made a section's figures, and on what."""
    on = kept["machine"]
    peers = ", ".join(f"{peer} {version}" for peer, version in kept.get("peers", {}).items())
    busy = " (busy: measured anyway)" if kept.get("anyway") and kept["load"] > 1 else ""
    said = [
        *more,
        f"least of {kept['rounds']}" if kept["rounds"] > 1 else "one round",
        f"{on['cores']} cores, {on['memory_gib']} GiB, {on['system']}, Python {on['python']}",
        f"load {kept['load']:.2f} at the start{busy}",
        *([f"revision {kept['revision']}"] if kept.get("revision") else []),
        *([peers] if peers else []),
    ]
    return f"`{kept['command']}`: {'; '.join(said)}."

"""Plots as SVG, small enough to be read as text: bars, and lines over logarithmic scales."""

from collections.abc import Mapping, Sequence
from html import escape
from math import ceil, floor, log10

WIDTH, LEFT, RIGHT, ROW, TOP = 760, 190, 70, 26, 40
COLOURS = ("#1f6feb", "#bf5700", "#2da44e", "#8250df", "#cf222e")
INK, PALE = "#24292f", "#d0d7de"


def drawn(height: float, title: str, *shapes: str) -> str:
    """A whole picture, on white, so that it can be read on any page."""
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" role="img" '
        f'font-family="sans-serif" font-size="13" fill="{INK}"><title>{escape(title)}</title>'
    )
    return "\n".join(
        [head, f'<rect width="{WIDTH}" height="{height:.0f}" fill="#fff"/>', *shapes, "</svg>\n"]
    )


def text(x: float, y: float, words: str, anchor: str = "start", weight: str = "normal") -> str:
    return (
        f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}" font-weight="{weight}">{escape(words)}</text>'
    )


def bars(title: str, rows: Mapping[str, Mapping[str, float]], unit: str) -> str:
    """A bar for each row, made of its parts side by side; the sum stands at its end."""
    most = max((sum(parts.values()) for parts in rows.values()), default=0) or 1
    names = list(dict.fromkeys(part for parts in rows.values() for part in parts))
    shapes = [text(10, 22, title, weight="bold")]
    for at, (row, parts) in enumerate(rows.items()):
        y, x = TOP + at * ROW, float(LEFT)
        shapes.append(text(LEFT - 8, y + 15, row, "end"))
        for part, value in parts.items():
            wide = value / most * (WIDTH - LEFT - RIGHT)
            colour = COLOURS[names.index(part) % len(COLOURS)]
            shapes.append(
                f'<rect x="{x:.1f}" y="{y}" width="{wide:.1f}" height="{ROW - 6}" fill="{colour}"/>'
            )
            x += wide
        shapes.append(text(x + 6, y + 15, f"{sum(parts.values()):,.4g}"))
    bottom = TOP + len(rows) * ROW
    return drawn(bottom + 34, title, *shapes, *legend(names, bottom + 20, unit))


def legend(names: Sequence[str], y: float, unit: str, *, least: int = 2) -> list[str]:
    """The unit, and the colours of the names, unless there are fewer than `least`."""
    shapes, x = [text(10, y, unit)], float(LEFT)
    for at, name in enumerate(names if len(names) >= least else []):
        shapes.append(
            f'<rect x="{x:.0f}" y="{y - 10:.0f}" width="10" height="10" fill="{COLOURS[at % len(COLOURS)]}"/>'
        )
        shapes.append(text(x + 15, y, name))
        x += 30 + 8 * len(name)
    return shapes


def lines(title: str, series: Mapping[str, Sequence[tuple[float, float]]], across: str, up: str) -> str:
    """Points joined by lines; both scales are logarithmic, with a line for each power of ten."""
    points = [point for some in series.values() for point in some if min(point) > 0]
    if not points:
        return drawn(TOP, title, text(10, 22, title, weight="bold"))
    x_ends, y_ends = (powers([point[axis] for point in points]) for axis in (0, 1))
    high, bottom = 240, TOP + 240

    def place(x: float, y: float) -> tuple[float, float]:
        right = (log10(x) - x_ends[0]) / (x_ends[1] - x_ends[0]) * (WIDTH - 100 - RIGHT)
        return 100 + right, bottom - (log10(y) - y_ends[0]) / (y_ends[1] - y_ends[0]) * high

    shapes = [text(10, 22, title, weight="bold"), text(WIDTH - RIGHT, bottom + 36, across, "end")]
    for power in range(y_ends[0], y_ends[1] + 1):
        _, y = place(10 ** x_ends[0], 10**power)
        shapes.append(f'<path d="M100 {y:.1f}H{WIDTH - RIGHT}" stroke="{PALE}"/>')
        shapes.append(text(92, y + 4, tick(power), "end"))
    for power in range(x_ends[0], x_ends[1] + 1):
        shapes.append(text(place(10**power, 10 ** y_ends[0])[0], bottom + 18, tick(power), "middle"))
    for at, some in enumerate(series.values()):
        path = " ".join("{:.1f},{:.1f}".format(*place(*point)) for point in some if min(point) > 0)
        colour = COLOURS[at % len(COLOURS)]
        shapes.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
    return drawn(bottom + 64, title, *shapes, *legend([*series], bottom + 54, up, least=1))


def tick(power: int) -> str:
    """A power of ten, short: 0.01, 1,000, 10 M."""
    return f"{10 ** (power - 6):,} M" if power >= 6 else f"{10**power:,g}"


def powers(values: Sequence[float]) -> tuple[int, int]:
    """The powers of ten that enclose all values."""
    low, high = floor(log10(min(values))), ceil(log10(max(values)))
    return low, max(high, low + 1)

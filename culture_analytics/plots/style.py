"""How charts look: colours, sizes, number formats. Nothing here draws."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

__all__ = [
    "BLUE", "DPI", "GREY", "LIGHT", "ORANGE", "PALETTE", "PLUM", "RC", "SIZES", "TEAL", "VIOLET",
    "WIDTH", "YEAR_MARKS", "base_text", "contrast", "drawing", "ink", "points_text", "tint",
    "value_text",
]  # fmt: skip

# The government Analysis Function's categorical palette: each at least 3:1 on white but violet,
# which is for areas with an outline.
BLUE, TEAL, PLUM, ORANGE, GREY, VIOLET = PALETTE = (
    "#12436D", "#28A197", "#801650", "#F46A25", "#3D3D3D", "#A285D1",
)  # fmt: skip
LIGHT = "#DDDDDD"

# Latest year first. Shape and colour change together, so that neither is needed alone.
YEAR_MARKS = (("o", BLUE), ("s", TEAL), ("^", PLUM), ("D", ORANGE), ("v", GREY))

WIDTH = 9.0  # inches: shown 900 px wide, 10 points are 14 px
DPI = 144

SIZES = {"title": 13.0, "subtitle": 10.5, "panel": 10.5, "label": 10.0, "value": 9.5, "note": 8.5}

# Set while a chart is drawn, whatever the user's own settings are. The font comes with
# matplotlib, so charts are the same on every machine.
RC: dict[str, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": SIZES["label"],
    "text.usetex": False,
    "text.parse_math": False,  # a team called "$ales" is not mathematics
    "text.color": "#1A1A1A",
    "axes.labelcolor": "#1A1A1A",
    "axes.edgecolor": "#767676",
    "axes.facecolor": "white",
    "axes.unicode_minus": True,
    "figure.facecolor": "white",
    "figure.constrained_layout.use": False,
    "figure.autolayout": False,
    "hatch.linewidth": 0.6,
    "path.simplify": False,
    "xtick.color": "#1A1A1A",
    "ytick.color": "#1A1A1A",
}


@contextmanager
def drawing() -> Iterator[None]:
    """The settings of `RC` while a chart is drawn.

    Not matplotlib's own `rc_context`: the first figure of a notebook turns matplotlib's
    interactive mode on, and restoring every setting would turn it off for the figures after it.
    """
    import matplotlib

    settings: Any = matplotlib.rcParams
    before = {key: settings[key] for key in RC}
    settings.update(RC)
    try:
        yield
    finally:
        settings.update(before)


def _rgb(colour: str) -> tuple[float, float, float]:
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return red, green, blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two ``#rrggbb`` colours, 1 to 21 (WCAG 2)."""

    def luminance(colour: str) -> float:
        parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in _rgb(colour)]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def tint(colour: str, strength: float) -> str:
    """A colour mixed with white: strength 1 is the colour itself, 0 is white."""
    parts = [round(255 * (1 - strength * (1 - c))) for c in _rgb(colour)]
    return "#" + "".join(f"{p:02X}" for p in parts)


def ink(background: str) -> str:
    """Black or white, whichever reads better on a background."""
    return max(("#000000", "#FFFFFF"), key=lambda text: contrast(text, background))


def value_text(value: float, unit: str) -> str:
    """A figure as printed: one decimal for percentages, two for scores."""
    return f"{value:.2f}" if unit == "score" else f"{value:.1f}%"


def points_text(value: float, unit: str) -> str:
    """A figure without its sign, for table-like charts."""
    return f"{value:.2f}" if unit == "score" else f"{value:.1f}"


def base_text(base: float) -> str:
    """A base as printed, or nothing where it is not shown."""
    return "" if math.isnan(base) else f"n = {base:,.0f}"

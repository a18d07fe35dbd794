"""Descriptions of charts in plain English, and how they reach notebooks and files."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from culture_analytics.errors import MeasureError
from culture_analytics.files import replacing
from culture_analytics.plots.layout import root_figure
from culture_analytics.plots.style import DPI

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["alt_text", "attach", "save", "sentences"]

_KEY = "_culture_alt"
_IMAGES = ("image/png", "image/svg+xml", "image/jpeg")


def alt_text(chart: Axes | Figure) -> str:
    """The description of a chart, for readers who cannot see it.

    Parameters
    ----------
    chart
        Axes that a chart returned, or their figure; a figure with several charts has the
        descriptions of all.

    Returns
    -------
    str
        Plain English, made from the protected table; empty for figures of others.

    Examples
    --------
    >>> import culture_analytics as ca
    >>> from culture_analytics import plots
    >>> survey = ca.load_sample(2024)
    >>> ax = plots.groups(ca.calculate(survey, "work_related_stress", by="ethnicity"))
    >>> "All staff" in plots.alt_text(ax)
    True
    """
    from matplotlib.axes import Axes

    own = vars(chart).get(_KEY)
    if own is not None:
        return str(own)
    axes: Sequence[Axes] = (chart,) if isinstance(chart, Axes) else chart.axes
    found = [str(vars(ax)[_KEY]) for ax in axes if _KEY in vars(ax)]
    if not found and isinstance(chart, Axes) and chart.figure is not None:
        found = [str(vars(chart.figure).get(_KEY, ""))]
    return " ".join(f for f in found if f)


def attach(ax: Axes, text: str) -> None:
    """Store a description with axes; in a notebook, see that outputs carry it."""
    vars(ax)[_KEY] = text
    _wrap_formatters()


def sentences(*parts: str) -> str:
    """Join sentences, each ended once."""
    return " ".join(p if p.endswith(".") else f"{p}." for p in map(str.strip, parts) if p)


def save(chart: Axes | Figure, path: str | Path) -> Path:
    """Write a chart to a picture file that holds its description and no date.

    Parameters
    ----------
    chart
        Axes or figure.
    path
        Ends in ``.png``, ``.svg`` or ``.pdf``.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    MeasureError
        Another kind of file.
    ReportError
        The file cannot be written; one that was there stays as it was.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    path = Path(path)
    text = alt_text(chart)
    metadata: dict[str, dict[str, str | None]] = {
        ".png": {"Description": text, "Software": None},
        ".svg": {"Description": text, "Date": None, "Creator": None},
        ".pdf": {"Subject": text, "CreationDate": None, "Creator": None, "Producer": None},
    }
    kind = path.suffix.lower()
    if kind not in metadata:
        raise MeasureError(f"{path.name}: charts are written as .png, .svg or .pdf.")
    figure = chart if isinstance(chart, Figure) else root_figure(chart)
    with (
        rc_context({"svg.hashsalt": "culture_analytics", "svg.fonttype": "path"}),
        replacing(path) as part,
    ):
        figure.savefig(part, dpi=DPI, metadata=metadata[kind])
    return path


class _WithAlt:
    """A notebook formatter of figures that adds the description to the output's metadata."""

    def __init__(self, inner: Callable[[Figure], Any]) -> None:
        self.inner = inner

    def __call__(self, figure: Figure) -> Any:
        result = self.inner(figure)
        text = alt_text(figure)
        if not text or result is None:
            return result
        data, metadata = result if isinstance(result, tuple) else (result, {})
        return data, {**(metadata or {}), "alt": text}


def _wrap_formatters() -> None:
    """Put `_WithAlt` around the notebook's own formatters of figures, once each."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is None:
        return
    from matplotlib.figure import Figure

    for kind in _IMAGES:
        formatter = shell.display_formatter.formatters.get(kind)
        inner = formatter.type_printers.get(Figure) if formatter is not None else None
        if inner is not None and not isinstance(inner, _WithAlt):
            formatter.for_type(Figure, _WithAlt(inner))

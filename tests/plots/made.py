"""Estimates made by hand, so that what a chart must show is known exactly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.text import Text

import culture_analytics as ca

# Numbers of a hidden group: they may stand nowhere in a chart.
SECRET = {"value": 77.77, "lower": 61.31, "upper": 88.93, "base": 5.0}


def row(**keys: Any) -> dict[str, Any]:
    """A row of an extract's results: stress of everyone in 2024 unless said otherwise."""
    instrument = ca.load_instrument()
    made = {
        "year": 2024, "org": "ZZ1", "measure": "work_related_stress", "answer": "",
        "breakdown": "overall", "group": "All staff", "within": "", "within_group": "",
        "statistic": "percent", "unit": "percent", "value": 40.0, "base": 400.0, "level": 0.95,
        "weighting": "unweighted", "method": "wilson", "status": "ok", "source": "extract",
        **keys,
    }  # fmt: skip
    known = instrument.measures.get(made["measure"])
    item = instrument.items.get(made["measure"])
    label = item.label if made["answer"] and item else known.label if known else "Own measure"
    half = 30.0 / made["base"] ** 0.5
    if made["unit"] == "score":
        half /= 10
    return {
        "label": label,
        "lower": max(made["value"] - half, 0.0),
        "upper": min(made["value"] + half, 100.0),
        **made,
    }


def estimates(
    rows: Sequence[dict[str, Any]],
    *,
    name: str = "Nowhere NHS Trust",
    notes: Sequence[str] = (),
    rule: ca.Rule | None = None,
) -> ca.Estimates:
    frame = pd.DataFrame([{**row(**r)} for r in rows])
    organisations = pd.DataFrame({"org": ["ZZ1"], "name": [name]})
    return ca.Estimates(
        frame, rule=rule or ca.load_rule("default"), organisations=organisations, notes=notes
    )


def by_groups(
    names: Sequence[str],
    *,
    measures: Sequence[str] = ("work_related_stress",),
    years: Sequence[int] = (2024,),
    breakdown: str = "team",
    hidden: Sequence[str] = (),
    overall: bool = True,
    **options: Any,
) -> ca.Estimates:
    """Groups with different, known figures; hidden ones carry `SECRET`."""
    rows: list[dict[str, Any]] = []
    known = ca.load_instrument().measures
    for number, measure in enumerate(measures):
        score = measure in known and known[measure].unit == "score"
        unit = {"statistic": "score", "unit": "score"} if score else {}
        scale = 0.1 if score else 1.0
        for when, year in enumerate(years):
            common = {"measure": measure, "year": year, **unit}
            if overall:
                rows.append({**common, "value": scale * (41.0 + when + number), "base": 4_000.0})
            for place, name in enumerate(names):
                figures: dict[str, Any] = (
                    SECRET
                    if name in hidden
                    else {
                        "value": scale * (20.0 + (37 * place + 11 * number + 5 * when) % 53),
                        "base": 12.0 + 91 * place,
                    }
                )
                rows.append({**common, "breakdown": breakdown, "group": name, **figures})
    return estimates(rows, **options)


def answers(
    items: Sequence[str],
    *,
    groups: Sequence[str] = (),
    breakdown: str = "team",
    years: Sequence[int] = (2024,),
    hidden: Sequence[str] = (),
    **options: Any,
) -> ca.Estimates:
    """Answer distributions that add up to 100."""
    rows: list[dict[str, Any]] = []
    instrument = ca.load_instrument()
    for item in items:
        labels = instrument.items[item].labels
        for year in years:
            for place, group in enumerate(groups or ["All staff"]):
                weights = [1 + (7 * i + 3 * place + year) % 5 for i in range(len(labels))]
                for answer, weight in zip(labels, weights, strict=True):
                    figures: dict[str, Any] = {
                        "value": 100.0 * weight / sum(weights),
                        "base": 50.0 + place,
                    }
                    rows.append(
                        {
                            "measure": item, "answer": answer, "year": year, "group": group,
                            "breakdown": breakdown if groups else "overall",
                            **(SECRET if group in hidden else figures),
                        }
                    )  # fmt: skip
    return estimates(rows, **options)


def texts(figure: Figure) -> list[Text]:
    """Every text that is drawn."""
    return [
        t
        for t in figure.findobj(Text)
        if isinstance(t, Text) and t.get_visible() and t.get_text().strip() and _shown(t)
    ]


def _shown(text: Text) -> bool:
    axes = text.axes
    if axes is None:
        return True
    # Ticks outside the limits exist but are not drawn.
    for axis, limits in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
        for tick in axis.get_major_ticks():
            if text is tick.label1:
                low, high = sorted(limits)
                return bool(low - 1e-9 <= tick.get_loc() <= high + 1e-9)
            if text is tick.label2:
                return False
    return True


def words(figure: Figure) -> str:
    """Everything written in a figure."""
    return " ".join(t.get_text().replace("\n", " ") for t in texts(figure))


def boxes(figure: Figure) -> list[tuple[str, Any]]:
    figure.canvas.draw()
    renderer = figure.canvas.get_renderer()  # type: ignore[attr-defined]
    return [(t.get_text(), Text.get_window_extent(t, renderer)) for t in texts(figure)]

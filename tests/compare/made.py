"""Results put together by hand, of organisations that do not exist."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from culture_analytics.disclosure.rules import Rule, load_rule
from culture_analytics.estimates import Estimates
from culture_analytics.stats import wilson

RULE = load_rule("default")


def figure(year: int, measure: str, value: float, base: float, **other: Any) -> dict[str, Any]:
    """A percentage as `calculate` gives it, unweighted; `statistic="score"` with an `se`."""
    row: dict[str, Any] = {
        "year": year, "org": "ZZ1", "measure": measure, "label": measure, "answer": "",
        "breakdown": "overall", "group": "All staff", "within": "", "within_group": "",
        "statistic": "percent", "unit": "percent", "value": value, "level": 0.95, "base": base,
        "weighting": "unweighted", "status": "ok", "source": "extract", "release": "",
        "rule": "default", "method": "wilson",
    }  # fmt: skip
    row |= other
    if row["statistic"] == "score":
        row["unit"] = "score"
        row["df"] = base - 1
        row["lower"], row["upper"] = (
            value - 1.96 * row.get("se", 0),
            value + 1.96 * row.get("se", 0),
        )
    elif row["status"] == "ok" and base > 0:
        p = value / 100
        low, high = wilson(p, base)
        row["lower"], row["upper"] = 100 * float(low), 100 * float(high)
        if row["source"] == "extract":
            row["se"], row["df"] = 100 * (p * (1 - p) / max(base - 1, 1)) ** 0.5, base - 1
        else:
            row["method"] = "base_only"
    return row


def published(year: int, measure: str, value: float, base: float, **other: Any) -> dict[str, Any]:
    """A published figure, weighted as those of trusts are."""
    given = {
        "source": "published", "weighting": "occupation group",
        "release": f"{year} detailed spreadsheets",
    }  # fmt: skip
    return figure(year, measure, value, base, **{**given, **other})


def results(
    rows: Iterable[Mapping[str, Any]],
    *,
    rule: Rule = RULE,
    organisations: pd.DataFrame | None = None,
) -> Estimates:
    return Estimates(pd.DataFrame(list(rows)), rule=rule, organisations=organisations)

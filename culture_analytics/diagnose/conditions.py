"""The framework's five conditions: what the survey sees of each, and says here; what else to ask.

A condition that the survey sees weakly or not at all gets no score; none gets a made-up one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd

from culture_analytics.diagnose.held import Held
from culture_analytics.diagnose.model import STRENGTHS, Condition
from culture_analytics.diagnose.wording import and_list, figure

__all__ = ["CONDITIONS", "EVIDENCE", "conditions", "evidence", "here"]

CONDITIONS = ("number", "condition", "label", "coverage", "scored", "items", "says", "here",
              "cannot_show", "other_evidence")  # fmt: skip
EVIDENCE = ("number", "condition", "strength", "measure", "label", "unit", "value", "lower",
            "upper", "base", "change", "change_lower", "change_upper", "reason")  # fmt: skip

_SHOWN = 3


def conditions(held: Held) -> pd.DataFrame:
    """A row a condition: its coverage, what the items say here, and what they cannot show.

    Returns
    -------
    DataFrame
        Columns `CONDITIONS`. `here` is one sentence of figures; `other_evidence` what to collect,
        separated by semicolons.
    """
    rows = [
        {
            "number": c.number,
            "condition": c.id,
            "label": c.label,
            "coverage": c.coverage,
            "scored": c.scored,
            "items": sum(len(e.items) for e in c.evidence),
            "says": c.says,
            "here": _sentence(held, c),
            "cannot_show": c.cannot_show,
            "other_evidence": "; ".join(c.other_evidence),
        }
        for c in sorted(held.model.conditions.values(), key=lambda c: c.number)
    ]
    return pd.DataFrame(rows, columns=list(CONDITIONS))


def evidence(held: Held) -> pd.DataFrame:
    """A row for each item or measure that speaks to a condition, with its figure here.

    Returns
    -------
    DataFrame
        Columns `EVIDENCE`; figures are of the latest year and everyone, changes of since the year
        before. Items that are hidden, or were not asked, have no figure.
    """
    rows: list[dict[str, Any]] = []
    for condition in sorted(held.model.conditions.values(), key=lambda c: c.number):
        for e in condition.evidence:
            for measure in (*e.measures, *e.items):
                row = held.figure(measure)
                change = held.change(measure)
                one = {"number": condition.number, "condition": condition.id,
                       "strength": e.strength, "measure": measure, "label": held.name(measure),
                       "reason": e.reason}  # fmt: skip
                if row is not None:
                    one |= {k: row[k] for k in ("unit", "value", "lower", "upper", "base")}
                if change is not None:
                    one |= {"change": change["value"], "change_lower": change["lower"],
                            "change_upper": change["upper"]}  # fmt: skip
                rows.append(one)
    return pd.DataFrame(rows, columns=list(EVIDENCE))


def here(held: Held, condition: Condition) -> list[tuple[str, str]]:
    """The strongest evidence in figures: measures first, as they stand for many items.

    Returns
    -------
    list of (str, str)
        Measure, and its name with its figure; at most three.
    """
    ranked = sorted(condition.evidence, key=lambda e: STRENGTHS.index(e.strength))
    measures = _said(held, (m for e in ranked for m in e.measures))
    single = _said(held, (i for e in ranked if not e.measures for i in e.items))
    return [*measures[:_SHOWN], *single[: max(0, _SHOWN - len(measures))]]


def _sentence(held: Held, condition: Condition) -> str:
    said = here(held, condition)
    if not said:
        return "Nothing here." if condition.evidence else "Nothing: the survey does not ask."
    return f"{and_list([words for _, words in said])}."


def _said(held: Held, names: Iterable[str]) -> list[tuple[str, str]]:
    found = []
    for name in dict.fromkeys(names):
        row = held.figure(name)
        if row is not None:
            found.append((name, f"{held.name(name)} {figure(row)}"))
    return found

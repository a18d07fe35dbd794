"""Do the items of a scale hold together here: alpha, omega, item-rest correlations, by group.

An element of culture is a proposal until its items go together in the answers. What does not hold
together is reported so, and its score should then be read item by item.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from culture_analytics.diagnose.model import CultureModel, load_culture_model
from culture_analytics.disclosure.rules import Rule, load_rule
from culture_analytics.errors import AdjustmentError, MeasureError
from culture_analytics.estimate.tabulate import weights_of
from culture_analytics.estimates import Estimates
from culture_analytics.instrument.culture import PREFIX
from culture_analytics.stats.reliability import alpha_limits, item_covariance, reliability
from culture_analytics.survey import Survey

__all__ = [
    "ALPHA",
    "ITEM_REST",
    "LARGE",
    "OMEGA",
    "READINGS",
    "SYNTHETIC",
    "UNIT",
    "coefficients",
    "rounded_down",
    "scale_quality",
]

ALPHA, OMEGA, ITEM_REST, UNIT = "alpha", "omega", "item_rest", "coefficient"

SYNTHETIC = "SYNTHETIC data: simulated respondents of an organisation that does not exist."

WHAT = "How well scales hold together"
UNWEIGHTED = "unweighted"

LARGE = 100
"""Respondents from which a scale is judged: under it alpha scatters by a tenth and more."""

READINGS: tuple[tuple[float, str], ...] = (
    (0.8, "holds together well"),
    (0.7, "holds together"),
    (0.6, "holds together loosely: read its items too"),
    (-np.inf, "does not hold together: read its items, not its score"),
)
"""Least of alpha and omega from which each is said; conventions, no more."""

_STEP = 50  # numbers of respondents are given in steps of so many
_REST = 0.2  # item-rest correlation under which an item is named
_COLUMNS = ("year", "org", "breakdown", "group", "scale", "label", "items", "base", "alpha",
            "lower", "upper", "omega", "weakest", "item_rest", "loose_items",
            "reading", "weighting")  # fmt: skip


def scale_quality(
    survey: Survey,
    *,
    model: CultureModel | None = None,
    by: str | Iterable[str] | None = None,
    missing: str = "pairwise",
    least: int = LARGE,
    level: float = 0.95,
    weight: str | None = None,
) -> pd.DataFrame:
    """Internal consistency of every element and outcome, by year, organisation and large group.

    Parameters
    ----------
    survey
        Respondents.
    model
        What is judged; default the package's own. Scales of one item are left out.
    by
        Columns of the survey to split by as well: units, or background items. Default none.
    missing
        ``"pairwise"``: each pair of items over those who answered both, or ``"complete"``: those
        who answered every item, fewer where an item is asked of some only.
    least
        Respondents a figure must rest on; never fewer than `LARGE`. Default `LARGE`.
    level
        Confidence level of alpha's limits.
    weight
        Name of one of the design's weights. Default None: everyone counts once.

    Returns
    -------
    DataFrame
        Columns ``year, org, breakdown, group, scale, label, items, base, alpha, lower, upper,
        omega, weakest, item_rest, loose_items, reading, weighting``. `items` are those asked that
        year; `base` the fewest respondents behind any pair; `weakest` the item with the lowest
        item-rest correlation, which is `item_rest`; `loose_items` how many have one under 0.2.
        Groups too small are kept, with no figure and the reading ``"too few to say"``.

    Raises
    ------
    MeasureError
        A column of `by` does not exist.
    DesignError
        There is no such weight.

    Notes
    -----
    With a weight covariances are weighted (R ``cov.wt``, pairwise that of each pair), and limits
    and what is too small rest on the effective base (Kish). Two-item scales have no omega.

    References
    ----------
    See `culture_analytics.stats.reliability`.

    Examples
    --------
    >>> import culture_analytics as ca
    >>> found = scale_quality(ca.load_sample(2024)).set_index("scale")
    >>> found.loc["burnout", "base"].item(), found.loc["burnout", "reading"]
    (3853, 'holds together well')
    """
    model = model or load_culture_model()
    columns = [by] if isinstance(by, str) else list(by or ())
    unknown = [c for c in columns if c not in survey.responses.columns]
    if unknown:
        raise MeasureError(
            f"No column {', '.join(map(repr, unknown))} to split by. "
            f"Units here: {', '.join(survey.units) or 'none'}."
        )
    fewest = max(least, LARGE, load_rule("default").base_under)
    scales = {e.id: (e.label, e.items) for e in model.elements.values()}
    for o in model.outcomes.values():
        counted = tuple(i for s in o.sets if s.counts for i in s.items)
        scales[o.id] = (o.label, counted)
    answers = survey.responses
    weights = weights_of(survey, weight)
    points = _points(survey, {i for _, items in scales.values() for i in items})
    rows: list[dict[str, Any]] = []
    keys: dict[Any, Any] = answers.groupby(["year", "org"], sort=True, observed=True).indices
    for key, at in keys.items():
        year, org = int(key[0]), str(key[1])
        groups = [("overall", "All staff", np.asarray(at))]
        for column in columns:
            inside = answers[column].iloc[at]
            for group, places in inside.groupby(inside, sort=True, observed=True).indices.items():
                groups.append((column, str(group), np.asarray(at)[places]))
        for scale, (label, items) in scales.items():
            asked = tuple(
                i for i in items if i in points and survey.instrument.asked(i, year)
            )  # fmt: skip
            if len(asked) < 2:
                continue
            for breakdown, group, place in groups:
                one = {"year": year, "org": org, "breakdown": breakdown, "group": group,
                       "scale": scale, "label": label, "items": len(asked)}  # fmt: skip
                table = np.column_stack([points[i][place] for i in asked])
                w = None if weights is None else weights[place]
                rows.append({**one, **_judged(table, w, asked, missing, fewest, level)})
    return pd.DataFrame(rows, columns=list(_COLUMNS)).assign(weighting=weight or UNWEIGHTED)


def coefficients(
    survey: Survey,
    *,
    model: CultureModel | None = None,
    by: str | Iterable[str] | None = None,
    level: float = 0.95,
    weight: str | None = None,
    rule: str | Rule = "default",
) -> Estimates:
    """What `scale_quality` finds, as rows of the result schema.

    Parameters
    ----------
    survey, model, by, level, weight
        As `scale_quality`.
    rule
        Disclosure rule of the protected view.

    Returns
    -------
    Estimates
        Under the measure of each element and outcome rows ``alpha`` (with limits; `method` is the
        reading), ``omega``, and ``item_rest`` of the item that goes with the others least
        (`answer`). Rounded to two decimals and bases down to fifties, so that no further count
        follows from them. Groups too small are left out, as is a scale that cannot be judged.

    Examples
    --------
    >>> import culture_analytics as ca
    >>> found = coefficients(ca.load_sample(2024)).table
    >>> found.loc[found["measure"].eq("burnout"), "statistic"].tolist()
    ['alpha', 'omega', 'item_rest']
    """
    model = model or load_culture_model()
    measure = {e: f"{PREFIX}{e}" for e in model.elements}
    measure |= {o.id: o.measure for o in model.outcomes.values()}
    found = scale_quality(survey, model=model, by=by, level=level, weight=weight)
    found = found[found["alpha"].notna()].reset_index(drop=True)
    numbers = ["alpha", "lower", "upper", "omega", "item_rest"]
    found[numbers] = found[numbers].astype(float)  # of objects where one was never known
    weakest = [survey.instrument.items[i].label for i in found["weakest"]]
    common = {
        **{c: found[c] for c in ("year", "org", "breakdown", "group", "label")},
        "measure": found["scale"].map(measure),
        "unit": UNIT,
        "level": level,
        "base": found["base"].map(rounded_down).astype(float),
        "weighting": found["weighting"],
        "status": "ok",
        "source": "extract",
    }
    parts = [
        pd.DataFrame({**common, "statistic": ALPHA, "value": found["alpha"].round(2),
                      "lower": found["lower"].round(2), "upper": found["upper"].round(2),
                      "method": found["reading"], "answer": ""}),
        pd.DataFrame({**common, "statistic": OMEGA, "value": found["omega"].round(2),
                      "method": "", "answer": ""}),
        pd.DataFrame({**common, "statistic": ITEM_REST, "value": found["item_rest"].round(2),
                      "method": "", "answer": weakest}),
    ]  # fmt: skip
    rows = pd.concat(parts).sort_index(kind="stable")
    rows = rows[rows["value"].notna()].reset_index(drop=True)
    said = weight_note(survey, weight, WHAT)
    notes = [SYNTHETIC] * survey.synthetic + [said] * bool(said)
    return Estimates(rows, rule=load_rule(rule), notes=notes)


def weight_note(survey: Survey, weight: str | None, what: str) -> str:
    """A sentence on the weights; empty where the survey has none."""
    if weight is not None:
        return f"{what}: calculated with the weight {weight!r}."
    if not survey.design.weights:
        return ""
    return f"{what}: the survey's weights are not used; everyone who answered counts once."


def rounded_down(base: float) -> float:
    """A number of respondents in steps of fifty, so that it is no further base to subtract."""
    return base // _STEP * _STEP


def _points(survey: Survey, items: Iterable[str]) -> Mapping[str, NDArray[np.float64]]:
    """Points of every item the extract has; NaN without a scored answer."""
    found = {}
    for item in sorted(items):
        if item in survey.responses.columns:
            scores = np.array([*survey.instrument.items[item].scale.scores, np.nan])
            found[item] = scores[survey.responses[item].cat.codes.to_numpy()]  # -1 is the last
    return found


def _judged(
    table: NDArray[np.float64],
    weights: NDArray[np.float64] | None,
    items: tuple[str, ...],
    missing: str,
    fewest: int,
    level: float,
) -> dict[str, Any]:
    nothing = {
        "base": np.nan, "alpha": np.nan, "lower": np.nan, "upper": np.nan, "omega": np.nan,
        "weakest": "", "item_rest": np.nan, "loose_items": np.nan, "reading": "too few to say",
    }  # fmt: skip
    if len(table) < fewest:
        return nothing
    try:
        covariance = item_covariance(table, missing=missing, weights=weights)
        if covariance.effective_base < fewest:
            return nothing
        found = reliability(covariance.covariance)
    except AdjustmentError:  # an item that all answered alike: which one is not for telling
        return {**nothing, "reading": "cannot be judged here"}
    lower, upper = alpha_limits(found.alpha, covariance.effective_base, len(items), level=level)
    judged = found.alpha if np.isnan(found.omega) or found.improper else found.omega
    lowest = min(found.alpha, judged)
    weakest = int(np.argmin(found.item_rest))
    return {
        "base": covariance.base,
        "alpha": found.alpha,
        "lower": float(lower),
        "upper": float(upper),
        "omega": np.nan if found.improper else found.omega,
        "weakest": items[weakest],
        "item_rest": float(found.item_rest[weakest]),
        "loose_items": int(np.count_nonzero(found.item_rest < _REST)),
        "reading": next(words for least, words in READINGS if lowest >= least),
    }

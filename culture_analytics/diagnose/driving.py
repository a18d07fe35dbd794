"""What goes with an outcome: how much of its differences between people goes with each element.

Elements of culture go together, so that what they explain of an outcome is shared out fairly (see
`culture_analytics.stats.drivers`). Answers of one person on one day go together for many reasons:
none of this says that changing an element changes the outcome.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from culture_analytics.adjusted import yes_and_base
from culture_analytics.diagnose.model import CultureModel, Outcome, load_culture_model
from culture_analytics.diagnose.reliability import (
    LARGE,
    SYNTHETIC,
    UNWEIGHTED,
    rounded_down,
    weight_note,
)
from culture_analytics.disclosure.rules import Rule, load_rule
from culture_analytics.errors import AdjustmentError, MeasureError
from culture_analytics.estimate.numerators import Answers
from culture_analytics.estimate.plan import measure_targets
from culture_analytics.estimate.tabulate import weights_of
from culture_analytics.estimates import Estimates
from culture_analytics.instrument import Score
from culture_analytics.instrument.culture import OUTCOMES
from culture_analytics.stats.drivers import (
    FEWEST_UNITS,
    MOST_PREDICTORS,
    CrossProducts,
    cluster_bootstrap,
    cross_products,
    lmg,
    r_squared,
    relative_weights,
)
from culture_analytics.survey import Survey

__all__ = ["ELEMENT", "EXPLAINED", "METHODS", "SHARE", "drivers"]

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

ELEMENT = "element"
"""The `breakdown` of the rows; `group` is the label of an element."""

SHARE, EXPLAINED = "variance_share", "variance_explained"
"""Percent of what all elements explain together; and percent of all variation they explain."""

METHODS: Mapping[str, Callable[[Floats], Floats]] = {"lmg": lmg, "johnson": relative_weights}

ALL_ELEMENTS = "All elements together"
TOGETHER = "Together"
NO_CAUSE = (
    "Shares of what the elements explain together, among people who answered both. They say what "
    "goes with an outcome, not what brings it about: the same people answered both on one day."
)
WHAT = "What goes with the outcomes"
_GROUPS = 200  # of staff, where there are no units to draw again


def drivers(
    survey: Survey,
    *,
    model: CultureModel | None = None,
    method: str = "lmg",
    unit: str | None = None,
    weight: str | None = None,
    draws: int = 1000,
    level: float = 0.95,
    rule: str | Rule = "default",
) -> Estimates:
    """How much of what the elements explain of each outcome goes with each element.

    Parameters
    ----------
    survey
        Respondents of one year; several organisations are taken together.
    model
        Elements, and the outcomes they are set against; default the package's own.
    method
        ``"lmg"`` (Shapley values) or ``"johnson"`` (relative weights; for many elements).
    unit
        Units drawn again for the limits; default the smallest unit column of which at least ten
        have answers. Without one staff are drawn in 200 groups, as if they were independent.
    weight
        Name of one of the design's weights. Default None: everyone counts once. Units drawn again
        bring their respondents' weights.
    draws
        Samples of units. Default 1000.
    level
        Confidence level.
    rule
        Disclosure rule of the protected view.

    Returns
    -------
    Estimates
        ``breakdown="element"``, a row an element: ``variance_share`` in percent of what all
        explain, under the outcome's measure, and under ``culture_outcomes`` their mean over the
        outcomes; and ``variance_explained`` (``group="All elements together"``), percent of the
        outcome's variation between people. Rounded to one decimal, bases down to fifties.

    Raises
    ------
    MeasureError
        The survey has several years, or there is no such method or unit column.
    DesignError
        There is no such weight.
    AdjustmentError
        Nothing can be said: too few respondents (with a weight: too small an effective base),
        nothing varies, or no element has two items left.

    Notes
    -----
    An element's score leaves out the items of the outcome itself. Respondents count who have every
    element and outcome, and a weight above 0. Correlations are weighted (R ``cov.wt``); `weighting`
    and a note say by what. What was left out stands in `.notes`.

    References
    ----------
    See `culture_analytics.stats.drivers`.

    Examples
    --------
    >>> import culture_analytics as ca
    >>> found = drivers(ca.load_sample(2024), draws=100).table
    >>> shares = found[found["measure"].eq("burnout") & found["statistic"].eq("variance_share")]
    >>> len(shares), round(shares["value"].sum())
    (6, 100)
    """
    model = model or load_culture_model()
    rule = load_rule(rule)
    if method not in METHODS:
        raise MeasureError(f"method={method!r}: there are {', '.join(map(repr, METHODS))}.")
    if len(survey.years) != 1:
        raise MeasureError(f"drivers() takes one year; this survey has {len(survey.years)}.")
    notes: list[str] = [NO_CAUSE]
    design = _design(survey, model, notes)
    if method == "lmg" and max(len(c) for c in design.columns) > MOST_PREDICTORS:
        method = "johnson"
        notes.append(f"More than {MOST_PREDICTORS} elements: Johnson's relative weights.")
    cluster, how = _clusters(survey, unit, design.points, notes)
    sums = cross_products(design.points, cluster, weights=weights_of(survey, weight))
    base = float(sums.n.sum())
    fewest = max(LARGE, rule.base_under)
    total, squares = sums.weight.sum(), sums.squares.sum()
    if base < fewest or total**2 / squares < fewest * (1 - 1e-9):  # Kish's effective base
        raise AdjustmentError(
            f"{WHAT}: fewer than {fewest} respondents have every element and outcome"
            + (", or their weights leave them worth fewer" if weight is not None else "")
            + ", too few to say."
        )
    share = partial(
        _shares, blocks=design.blocks, shared_out=METHODS[method], mean=design.same_elements
    )
    value, lower, upper = _limits(sums, share, draws, level)
    if not np.isfinite(value).all():
        raise AdjustmentError(
            f"{WHAT} cannot be worked out: an element does not vary here, or "
            "two elements are the same."
        )
    frame = _rows(design, value, lower, upper, method=f"{method}, {how}" if how else method)
    frame = frame.assign(
        year=survey.years[0],
        org=survey.orgs[0] if len(survey.orgs) == 1 else "all",
        breakdown=ELEMENT,
        level=level,
        base=rounded_down(base),
        weighting=weight or UNWEIGHTED,
        status="ok",
        source="extract",
    )
    if survey.synthetic:
        notes.insert(0, SYNTHETIC)
    if said := weight_note(survey, weight, WHAT):
        notes.append(said)
    names = pd.DataFrame(
        {"org": list(survey.orgs), "name": [survey.names.get(o, "") for o in survey.orgs]}
    )
    return Estimates(frame, rule=rule, notes=notes, organisations=names)


@dataclass(frozen=True, eq=False, repr=False)
class _Design:
    """The outcomes and, for each, the elements without its items, side by side."""

    outcomes: tuple[Outcome, ...]
    labels: tuple[str, ...]  # of the measures
    columns: tuple[tuple[str, ...], ...]  # ids of each outcome's elements
    names: Mapping[str, str]  # of elements
    points: Floats  # (respondents, outcomes and their elements)

    @property
    def same_elements(self) -> bool:
        """Whether every outcome is set against the same elements, so that shares have a mean."""
        return len(set(self.columns)) == 1

    @property
    def blocks(self) -> list[Ints]:
        """Columns of each outcome and its elements."""
        found, at = [], 0
        for columns in self.columns:
            found.append(np.arange(at, at + 1 + len(columns)))
            at += 1 + len(columns)
        return found


def _design(survey: Survey, model: CultureModel, notes: list[str]) -> _Design:
    year = survey.years[0]
    wanted: dict[str, Score] = {}
    parts: list[tuple[Outcome, tuple[str, ...]]] = []
    ins = survey.instrument
    for outcome in model.set_against:
        ids = []
        for element in model.elements:
            items = model.element_items(element, year=year, against=outcome.id, instrument=ins)
            items = tuple(i for i in items if i in survey.responses.columns)
            if len(items) < 2:
                notes.append(
                    f"{model.elements[element].label} is not set against {outcome.label.lower()}: "
                    "fewer than two of its items are there and no part of the outcome."
                )
                continue
            key = f"{element}|{outcome.id}"
            wanted[key] = Score(
                id=key, code="", label=element, kind=ELEMENT, first_year=0, items=items,
                share=model.least_answered,
            )  # fmt: skip
            ids.append(element)
        if ids:
            parts.append((outcome, tuple(ids)))
    with_scores = replace(survey, instrument=replace(ins, culture={**ins.culture, **wanted}))
    answers = Answers(with_scores)
    kept: list[tuple[Outcome, tuple[str, ...], Floats]] = []
    for outcome, elements in parts:
        try:
            points = _outcome_points(survey, answers, outcome)
        except MeasureError:
            notes.append(f"{outcome.label}: some of its questions are not in this extract.")
            continue
        there = points[np.isfinite(points)]
        if not there.size or np.ptp(there) == 0:
            notes.append(f"{outcome.label} does not vary here, so nothing can go with it.")
            continue
        columns = [points, *(answers.score(f"{e}|{outcome.id}") for e in elements)]
        kept.append((outcome, elements, np.column_stack(columns)))
    if not kept:
        raise AdjustmentError(
            "Nothing to set the elements against: "
            + " ".join(notes[1:] or ["the model has no outcome."])
        )
    return _Design(
        outcomes=tuple(o for o, _, _ in kept),
        labels=tuple(ins.measures[o.measure].label for o, _, _ in kept),
        columns=tuple(ids for _, ids, _ in kept),
        names={e.id: e.label for e in model.elements.values()},
        points=np.column_stack([block for _, _, block in kept]),
    )


def _outcome_points(survey: Survey, answers: Answers, outcome: Outcome) -> Floats:
    definition = survey.instrument.measures[outcome.measure]
    if definition.score:
        (target,) = measure_targets(survey.instrument, [definition])
        if not all(answers.present(i) for i in target.items):
            raise MeasureError(f"{definition.id!r} is not in the extract.")
        return answers.score(definition.score)
    yes, in_base = yes_and_base(survey, definition)
    return np.where(in_base, yes.astype(np.float64), np.nan)


def _clusters(
    survey: Survey, unit: str | None, points: Floats, notes: list[str]
) -> tuple[Ints, str]:
    """Unit of each respondent, those without one in a last unit; and a word on the limits."""
    if unit is not None and unit not in survey.responses.columns:
        raise MeasureError(f"No column {unit!r}. Units here: {', '.join(survey.units) or 'none'}.")
    whole = np.isfinite(points).all(axis=1)
    for name in (unit,) if unit else survey.units[::-1]:
        codes = pd.factorize(survey.responses[name])[0].astype(np.intp)
        if len(np.unique(codes[whole & (codes >= 0)])) >= FEWEST_UNITS:
            return np.where(codes < 0, codes.max() + 1, codes), f"units drawn again: {name}"
    notes.append(
        f"Fewer than {FEWEST_UNITS} units: intervals take staff as independent of one another, so "
        "they are probably too narrow."
    )
    return np.arange(survey.n, dtype=np.intp) % _GROUPS, "staff drawn again"


def _limits(
    sums: CrossProducts, share: Callable[[Floats], Floats], draws: int, level: float
) -> tuple[Floats, Floats, Floats]:
    try:
        found = cluster_bootstrap(sums, share, draws=draws, level=level)
    except AdjustmentError:  # fewer units with answers than drawing again needs
        value = share(sums.correlation())
        return value, np.full(value.shape, np.nan), np.full(value.shape, np.nan)
    return found.value, found.lower, found.upper


def _shares(
    correlation: Floats,
    *,
    blocks: Sequence[Ints],
    shared_out: Callable[[Floats], Floats],
    mean: bool,
) -> Floats:
    """Of each outcome what is explained and its parts, then the mean parts; all in percent.

    Shape (..., values): for each block 1 + elements, then, if wanted, the mean over the blocks.
    """
    found = []
    parts = []
    for block in blocks:
        r = correlation[..., block[:, None], block]
        explained = r_squared(r)
        part = 100 * shared_out(r) / explained[..., None]
        found += [100 * explained[..., None], part]
        parts.append(part)
    if mean:
        found.append(np.mean(parts, axis=0))
    return np.concatenate(found, axis=-1)


def _rows(
    design: _Design, value: Floats, lower: Floats, upper: Floats, *, method: str
) -> pd.DataFrame:
    rows: list[dict[str, Any]] = []
    at = 0

    def add(measure: str, label: str, statistic: str, group: str) -> None:
        nonlocal at
        rows.append({
            "measure": measure, "label": label, "statistic": statistic, "group": group,
            "unit": "percent", "value": np.round(value[at], 1), "lower": np.round(lower[at], 1),
            "upper": np.round(upper[at], 1), "method": method,
        })  # fmt: skip
        at += 1

    for outcome, label, elements in zip(
        design.outcomes, design.labels, design.columns, strict=True
    ):
        add(outcome.measure, label, EXPLAINED, ALL_ELEMENTS)
        for element in elements:
            add(outcome.measure, label, SHARE, design.names[element])
    if design.same_elements:
        names = [o.label for o in design.outcomes]
        for element in design.columns[0]:
            add(OUTCOMES, f"{TOGETHER}: {', '.join(names)}", SHARE, design.names[element])
    return pd.DataFrame(rows)

"""From respondents to results: `calculate` and `calculate_answers`.

Five small steps: resolve what is asked for, find each respondent's numerator, tabulate sums over
cells, estimate from the sums, protect the result.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from culture_analytics.disclosure.rules import Rule, load_rule
from culture_analytics.errors import MeasureError
from culture_analytics.estimate.dimensions import (
    Dimension,
    overall,
    resolve_dimension,
    resolve_dimensions,
)
from culture_analytics.estimate.figures import PairSums, estimate_table
from culture_analytics.estimate.numerators import Answers
from culture_analytics.estimate.plan import Target, answer_targets, measure_targets, status_of
from culture_analytics.estimate.tabulate import Frame, Sums, Table
from culture_analytics.estimates import Estimates
from culture_analytics.survey import Survey

__all__ = ["calculate", "calculate_answers"]


def calculate(
    survey: Survey,
    measures: str | Iterable[str],
    *,
    by: str | Sequence[str] | None = None,
    within: str | None = None,
    weight: str | None = None,
    level: float = 0.95,
    rule: str | Rule = "default",
) -> Estimates:
    """Percentages and scores with intervals, for everyone and by group.

    Parameters
    ----------
    survey
        Respondents; each organisation and year gets rows of its own, several organisations of a
        year also rows of ``org="all"``.
    measures
        Ids, domains (``"stress"``, ``"bullying"``, ``"discrimination"`` ...) or collections
        (``"people_promise"`` ...), one or a list. See `list_measures`.
    by
        A breakdown (``"ethnicity"``), a unit or other local column (``"directorate"``), a
        crossing of two or three (``"ethnicity:gender"``), a named set (``"equality"``,
        ``"units"``), or a list of these. Default: everyone together only.
    within
        A breakdown or column inside each group of which the whole table is repeated.
    weight
        Name of one of the design's weights; default unweighted, even when weights exist.
    level
        Confidence level, 0.95.
    rule
        Disclosure rule of the protected view; see `load_rule`.

    Returns
    -------
    Estimates
        Percentages 0-100, scores 0-10, limits, design-based standard errors and bases, unrounded.
        Rows of ``breakdown="overall"`` are always there.

    Raises
    ------
    MeasureError
        A measure, breakdown or column does not exist.
    DesignError
        The weight does not exist, or a stratum has one respondent under ``lonely="fail"``.

    Notes
    -----
    Limits are Wilson's on Kish's effective base; under strata or a finite population logit
    limits with beta at 0 and 100 %; t limits for scores. Standard errors, degrees of freedom and
    design limits equal R ``survey``. They treat non-response as random.

    References
    ----------
    Wilson (1927) JASA 22:209; Kish (1965) Survey Sampling; Lumley (2010) Complex Surveys.

    Examples
    --------
    >>> import culture_analytics as ca
    >>> stress = ca.calculate(ca.load_sample(2024), "work_related_stress", by="ethnicity")
    >>> stress.table[["group", "base", "status"]].shape
    (3, 3)
    """
    chosen = survey.instrument.resolve_measures(measures)
    targets = measure_targets(survey.instrument, chosen)
    return _calculate(survey, targets, by, within, weight, level, rule)


def calculate_answers(
    survey: Survey,
    items: str | Sequence[str],
    *,
    by: str | Sequence[str] | None = None,
    within: str | None = None,
    weight: str | None = None,
    level: float = 0.95,
    rule: str | Rule = "default",
) -> Estimates:
    """Whole answer distributions: a row for each answer of each item.

    Every answer given by those asked is in the base, "don't know" and "not applicable" too, as in
    the official detailed spreadsheets; the percentages of an item add up to 100.

    Parameters
    ----------
    survey, by, within, weight, level, rule
        As for `calculate`.
    items
        Item ids, or domains and collections of them.

    Returns
    -------
    Estimates
        `measure` holds the item id and `answer` the answer.

    Examples
    --------
    >>> import culture_analytics as ca
    >>> answers = ca.calculate_answers(ca.load_sample(2024), "hba_managers")
    >>> answers.unique("answer")
    ['Never', '1-2', '3-5', '6-10', 'More than 10']
    """
    targets = answer_targets(survey.instrument, items)
    return _calculate(survey, targets, by, within, weight, level, rule)


def _calculate(
    survey: Survey,
    targets: list[Target],
    by: str | Sequence[str] | None,
    within: str | None,
    weight: str | None,
    level: float,
    rule: str | Rule,
) -> Estimates:
    if not 0 < level < 1:
        raise MeasureError(f"level={level!r}: give a confidence level between 0 and 1, as 0.95.")
    rule = load_rule(rule)
    whole = overall(survey)
    dimensions = [whole, *resolve_dimensions(survey, by)]
    inside = resolve_dimension(survey, within) if within else None
    answers = Answers(survey)
    frame = Frame.of(survey, weight)
    tables: list[tuple[Dimension, Dimension | None]] = [(whole, None)] if inside else []
    tables += [(d, inside) for d in dimensions if inside is None or d.id != inside.id]
    blocks = [
        _block(answers, Table.of(frame, dimension, part), targets, level)
        for dimension, part in tables
    ]
    rows = {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}
    results = pd.DataFrame(rows)
    results["level"] = level
    results["weighting"] = weight or "unweighted"
    results["rule"] = rule.name
    results["source"] = "extract"
    return Estimates(results, rule=rule, organisations=_organisations(survey), notes=_notes(survey))


def _block(
    answers: Answers, table: Table, targets: list[Target], level: float
) -> dict[str, NDArray[np.generic]]:
    """The rows of one table as columns: target by result key, within group, group."""
    available = [_available(answers, t) for t in targets]
    pairs = _count(answers, table, targets, available)
    is_score = np.array([t.unit == "score" for t in targets])
    figures = estimate_table(table, pairs, is_score, level=level)
    status = _statuses(answers, table, targets)
    no_answer = (status == "ok") & (figures.base == 0)
    status[no_answer] = "not_computable"
    shown = status == "ok"

    def number(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.where(shown, values, np.nan).ravel()

    n_targets = len(targets)
    n_by = len(table.by.groups)
    within_groups = table.within.groups if table.within else ("",)
    n_within, n_keys = len(within_groups), len(table.frame.result_keys)
    per_target = table.n_cells

    def of_target(name: str) -> NDArray[np.object_]:
        values = np.array([getattr(t, name) for t in targets], dtype=object)
        return np.repeat(values, per_target)

    def of_key(values: list[object]) -> NDArray[np.object_]:
        column = np.repeat(np.array(values, dtype=object), n_within * n_by)
        return np.tile(column, n_targets)

    groups = np.tile(np.array(table.by.groups, dtype=object), n_keys * n_within * n_targets)
    within = np.tile(np.repeat(np.array(within_groups, dtype=object), n_by), n_keys * n_targets)
    rows = n_targets * per_target
    years = np.repeat([y for y, _ in table.frame.result_keys], n_within * n_by)
    return {
        "year": np.tile(years, n_targets),
        "org": of_key([o for _, o in table.frame.result_keys]),
        "measure": of_target("measure"),
        "label": of_target("label"),
        "answer": of_target("answer"),
        "breakdown": np.full(rows, table.by.id, dtype=object),
        "group": groups,
        "within": np.full(rows, table.within.id if table.within else "", dtype=object),
        "within_group": within,
        "statistic": of_target("statistic"),
        "unit": of_target("unit"),
        "value": number(figures.value),
        "lower": number(figures.lower),
        "upper": number(figures.upper),
        "se": number(figures.se),
        "df": number(figures.df),
        "base": np.where(shown | no_answer, figures.base, np.nan).ravel(),
        "weighted_base": number(figures.weighted_base),
        "effective_base": number(figures.effective_base),
        "method": np.where(shown, figures.method, "").ravel(),
        "status": status.ravel(),
    }


def _available(answers: Answers, target: Target) -> bool:
    return all(answers.present(i) for i in target.items)


def _count(
    answers: Answers, table: Table, targets: list[Target], available: list[bool]
) -> list[PairSums]:
    """Sums of each target; targets that share a source share its counting."""
    nothing = np.zeros(len(table.pair_cell))
    counted: dict[str, Sums] = {}
    found = []
    for target, there in zip(targets, available, strict=True):
        if not there:
            found.append(PairSums(*[nothing] * 6))
            continue
        if target.source not in counted:
            counted = {target.source: _sums(answers, table, target)}  # only the last is kept
        sums = counted[target.source]
        if target.counted is None or target.in_base is None:
            found.append(PairSums.of_points(sums))
        else:
            found.append(PairSums.of_answers(sums, target.counted, target.in_base))
    return found


def _sums(answers: Answers, table: Table, target: Target) -> Sums:
    if target.kind == "points":
        return table.total(answers.score(target.source))
    if target.definition is not None and target.definition.kind == "any":
        return table.count(answers.union(target.definition), 2)
    n_answers = len(answers.instrument.items[target.source].labels)
    return table.count(answers.item(target.source), n_answers)


def _statuses(answers: Answers, table: Table, targets: list[Target]) -> NDArray[np.object_]:
    """Status of each (target, cell) as the questionnaire and the extract decide it."""
    n_within = len(table.within.groups) if table.within else 1
    years = list(dict.fromkeys(y for y, _ in table.frame.result_keys))
    by_year = {y: [status_of(t, answers, table.by, y) for t in targets] for y in years}
    if table.within is not None:
        inside = {y: [status_of(t, answers, table.within, y) for t in targets] for y in years}
    status = np.empty(
        (len(targets), len(table.frame.result_keys), n_within, len(table.by.groups)), dtype=object
    )
    for k, (year, _) in enumerate(table.frame.result_keys):
        for t in range(len(targets)):
            status[t, k] = by_year[year][t][None, :]
            if table.within is not None:
                outer = inside[year][t][:, None]
                status[t, k] = np.where(outer != "ok", outer, status[t, k])
    return status.reshape(len(targets), -1)


def _organisations(survey: Survey) -> pd.DataFrame:
    orgs = list(survey.orgs)
    return pd.DataFrame({"org": orgs, "name": [survey.names.get(o, "") for o in orgs]})


def _notes(survey: Survey) -> tuple[str, ...]:
    if survey.synthetic:
        return ("SYNTHETIC data: simulated respondents of an organisation that does not exist.",)
    return ()

"""From respondents to results: `calculate` and `calculate_answers`.

Five small steps: resolve what is asked for, find each respondent's numerator, tabulate sums over
cells, estimate from the sums, protect the result.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from culture_analytics.disclosure.populations import unit_tree
from culture_analytics.disclosure.rules import Rule, load_rule
from culture_analytics.errors import MeasureError
from culture_analytics.estimate.bundles import Margin, bundles
from culture_analytics.estimate.count import count_targets
from culture_analytics.estimate.dimensions import (
    Dimension,
    overall,
    resolve_dimension,
    resolve_dimensions,
)
from culture_analytics.estimate.numerators import Answers
from culture_analytics.estimate.plan import Target, answer_targets, measure_targets
from culture_analytics.estimate.rows import rows_of
from culture_analytics.estimate.tabulate import Frame, Tally
from culture_analytics.estimates import Estimates, Origin, words
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
    Limits are Wilson's, on an effective base under unequal weights; under strata or a finite
    population logit limits with beta at 0 and 100 %; t limits for scores; and others where these
    fail for few answers: see `culture_analytics.stats.limits`. Standard errors, degrees of
    freedom, logit, beta and t limits equal R ``survey``. They treat non-response as random.

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
    dimensions = resolve_dimensions(survey, by)
    if within is not None and not isinstance(within, str):
        raise MeasureError("within= takes the name of one breakdown or column, as 'directorate'.")
    inside = resolve_dimension(survey, within) if within else None
    answers = Answers(survey)
    frame = Frame.of(survey, weight)
    blocks = _blocks(answers, frame, whole, None, [] if inside else dimensions, targets, level)
    if inside is not None:
        rest = [d for d in dimensions if d.id != inside.id]
        blocks += _blocks(answers, frame, whole, inside, rest, targets, level)
    results = pd.concat(blocks, ignore_index=True)
    results["level"] = level
    for column, word in (
        ("weighting", weight or "unweighted"),
        ("rule", rule.name),
        ("source", "extract"),
    ):
        results[column] = words([word], np.zeros(len(results), dtype=np.intp))
    return Estimates(
        results,
        rule=rule,
        organisations=_organisations(survey),
        notes=_notes(survey),
        origin=_origin(survey, frame),
    )


def _blocks(
    answers: Answers,
    frame: Frame,
    whole: Dimension,
    within: Dimension | None,
    dimensions: Sequence[Dimension],
    targets: list[Target],
    level: float,
) -> list[pd.DataFrame]:
    """Rows of everyone together, then of each dimension.

    Everyone, and each dimension counted together with others, is added up from finer cells.
    """
    n_within = len(within.groups) if within else 1
    counted = bundles(
        dimensions or [whole],
        cells_each=len(frame.result_keys) * n_within,
        respondents=len(frame.key),
    )
    blocks: dict[int, pd.DataFrame] = {}
    for number, bundle in enumerate(counted):
        tally = Tally.of(frame, bundle.joint, within)
        sums = count_targets(answers, tally, targets)
        margins = list(bundle.margins)
        if number == 0 and dimensions:
            margins.append(Margin(-1, whole, np.zeros(tally.layout.shape[-1], dtype=np.int64)))
        for margin in margins:
            layout, target = tally.layout.margin(margin.dimension, margin.slot)
            pairs = sums.added_up(target, len(layout.cell))
            table, source, target = layout.rolled_up()
            pairs = pairs.added_up(target, len(table.cell), source)
            blocks[margin.position] = rows_of(answers, table, targets, pairs, level)
    return [blocks[position] for position in sorted(blocks)]


def _origin(survey: Survey, frame: Frame) -> Origin:
    people = np.bincount(frame.key, minlength=len(frame.keys))
    return Origin(
        respondents={
            key: frozenset({(survey.source, int(people[list(finest)].sum()))})
            for key, finest in zip(frame.result_keys, frame.rollup, strict=True)
        },
        units=unit_tree(survey.units, survey.responses),
    )


def _organisations(survey: Survey) -> pd.DataFrame:
    orgs = list(survey.orgs)
    return pd.DataFrame({"org": orgs, "name": [survey.names.get(o, "") for o in orgs]})


def _notes(survey: Survey) -> tuple[str, ...]:
    if survey.synthetic:
        return ("SYNTHETIC data: simulated respondents of an organisation that does not exist.",)
    return ()

"""`adjusted_gap`: "is it the job mix?" - a gap with other characteristics allowed for.

Standardised percentages from a design-based logistic regression, beside the plain ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from culture_analytics.compare.derive import derived, dies
from culture_analytics.compare.groups import compare_groups
from culture_analytics.compare.sides import FEW
from culture_analytics.disclosure.derived import GROUPS
from culture_analytics.disclosure.rules import Rule
from culture_analytics.errors import AdjustmentError, MeasureError
from culture_analytics.estimate import calculate
from culture_analytics.estimate.dimensions import OVERALL, Dimension, resolve_dimension
from culture_analytics.estimate.numerators import Answers
from culture_analytics.estimate.plan import measure_targets
from culture_analytics.estimate.tabulate import Frame
from culture_analytics.estimates import Estimates
from culture_analytics.instrument import Measure
from culture_analytics.stats.regression import (
    LogisticFit,
    LogisticSums,
    StandardisedPercentages,
    logistic_regression,
    standardised_gap,
    standardised_percentages,
    treatment_coding,
)
from culture_analytics.survey import Survey

__all__ = ["SMALL_LEVEL", "AdjustedGap", "adjusted_gap", "yes_and_base"]

SMALL_LEVEL = 50
"""Answers below which a group that is allowed for is put together with those not stated."""

EVERYONE = "All staff"
TOGETHER = "Small groups and not stated"
METHOD = "standardised"
NO_CAUSE = (
    "Adjusted percentages say what the figures would be if every group had the same mix of what is "
    "allowed for. They do not say why groups differ, nor that a difference which goes with the job "
    "mix is fair: who gets which job may itself be unequal."
)

Codes = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class AdjustedGap:
    """Plain and adjusted percentages of groups, and their gaps.

    Attributes
    ----------
    estimates
        For a release: rows ``percent`` (plain) and ``difference`` as `calculate` and
        `compare_groups` give them, ``adjusted_percent`` and ``adjusted_difference``.
    measure
        What was asked.
    by, adjust_for
        Label of the breakdown compared, and of what is allowed for.
    reference
        The group that others are compared with.
    """

    estimates: Estimates
    measure: Measure
    by: str
    adjust_for: tuple[str, ...]
    reference: str

    def __repr__(self) -> str:
        return f"<AdjustedGap: {self.measure.short}, {self.by}, allowing for {self._allowed}>"

    def _repr_html_(self) -> str:
        table = self.table.round(1).to_html(index=False, border=0, classes="ca-table", na_rep="")
        return table + "".join(f"<p>{s}</p>" for s in self.sentences)

    @property
    def _allowed(self) -> str:
        names = [name.lower() for name in self.adjust_for]
        return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences to print with the table."""
        return self.estimates.notes

    @property
    def table(self) -> pd.DataFrame:
        """A row a group: percentages 0-100 and gaps in points, plain and adjusted, with limits.

        Gaps are the group's less that of `reference`; the reference has none.
        """
        t = self.estimates.table
        t = t[t["breakdown"].ne(OVERALL)]
        figure = ["value", "lower", "upper"]

        def part(statistic: str, name: str, more: Sequence[str] = ()) -> pd.DataFrame:
            rows = t[t["statistic"].eq(statistic)].set_index("group")
            return rows[[*figure, *more]].rename(
                columns={c: name if c == "value" else f"{name}_{c}" for c in [*figure, *more]}
            )

        found = part("percent", "plain", ["base", "status"])
        found = found.join(part("adjusted_percent", "adjusted"))
        found = found.join(part("difference", "plain_gap", ["p_value"]))
        found = found.join(part("adjusted_difference", "adjusted_gap", ["p_value"]))
        found = found.rename(columns={"plain_base": "base", "plain_status": "status"})
        found.insert(0, "reference", np.where(found.index == self.reference, "", self.reference))
        return found.reset_index()

    @property
    def sentences(self) -> list[str]:
        """What can be said, a sentence or two for each group compared."""
        return [
            self._sentence(row)
            for row in self.table.to_dict("records")
            if row["group"] != self.reference
        ]

    def _sentence(self, row: dict[Any, Any]) -> str:
        if row["status"] != "ok" or np.isnan(row["adjusted_gap"]):
            return f"{row['group']}: not shown, to protect the people in it."
        plain_of = self.table.set_index("group")["plain"][self.reference]
        alpha = 1 - self._level
        few = row["group"] in self._few
        clear = row["adjusted_gap_p_value"] < alpha
        was_clear = row["plain_gap_p_value"] < alpha
        gap, adjusted = row["plain_gap"], row["adjusted_gap"]
        text = (
            f"{self.measure.short}: {row['plain']:.1f}% of '{row['group']}' and {plain_of:.1f}% "
            f"of '{self.reference}', a gap of {_points(gap)}. With the same mix of "
            f"{self._allowed} in both groups the gap would be {_points(adjusted)} "
            f"({100 * self._level:g}% interval {row['adjusted_gap_lower']:.1f} to "
            f"{row['adjusted_gap_upper']:.1f}): "
        )
        if few:
            end = "too few people gave, or did not give, the answer to judge."
        elif was_clear and clear:
            share = 1 - adjusted / gap
            if adjusted * gap < 0:
                end = "a clear difference, the other way round."
            elif share < -0.1:
                end = f"differences in {self._allowed} hide part of the gap."
            elif share < 0.1:
                end = f"hardly any of the gap goes with differences in {self._allowed}."
            elif share <= 0.9:
                end = f"part of the gap goes with differences in {self._allowed}, part does not."
            else:
                end = f"most of the gap goes with differences in {self._allowed}."
        elif was_clear:
            end = (
                "these answers no longer show a clear difference, which does not prove that there "
                "is none."
            )
        elif clear:
            end = f"a clear difference, which differences in {self._allowed} hide."
        else:
            end = "no clear difference, before or after."
        return text + end

    @property
    def _few(self) -> set[str]:
        """Groups of whose plain gap nothing is said: under ten people on either side."""
        t = self.estimates.table
        few = t["method"].astype(str).str.contains(FEW, regex=False)
        return set(t.loc[few & t["statistic"].eq("difference"), "group"].astype(str))

    @property
    def _level(self) -> float:
        return float(self.estimates.table["level"].iloc[0])


def adjusted_gap(
    survey: Survey,
    measure: str,
    *,
    by: str,
    adjust_for: str | Sequence[str],
    groups: Sequence[str] | None = None,
    reference: str | None = None,
    weight: str | None = None,
    level: float = 0.95,
    rule: str | Rule = "default",
) -> AdjustedGap:
    """Gaps between groups with the same mix of other characteristics in each.

    Parameters
    ----------
    survey
        Respondents of one year; several organisations are taken together.
    measure
        Id of a percentage.
    by
        Breakdown or column whose groups are compared.
    adjust_for
        Breakdowns or columns to allow for, such as ``["occupation", "age"]``.
    groups
        Groups to compare; default all but "prefer not to say". Others are left out altogether.
    reference
        Group the others are compared with; default the standard one, or the largest.
    weight, level, rule
        As for `calculate`.

    Returns
    -------
    AdjustedGap
        ``.table``, ``.sentences``, ``.estimates``.

    Raises
    ------
    AdjustmentError
        A group has fewer than 50 answers, there are fewer than ten answers of the rarer kind for
        each parameter, what is allowed for tells groups apart completely (collinear), or splits
        the answers completely (separation).
    MeasureError
        The measure is a score, several years, or groups, breakdowns or columns do not exist.
    DesignError
        As for `calculate`.

    Notes
    -----
    Main effects on the log-odds scale; each group's percentage is predicted for everyone in the
    groups compared, with their other characteristics unchanged, and averaged (predictive margins).
    Limits allow for the characteristics being a sample too. A group that is allowed for with fewer
    than 50 answers is put together with those who did not say, so that everyone who has a plain
    figure has an adjusted one.

    References
    ----------
    Graubard and Korn (1999) Biometrics 55:652; Peduzzi and others (1996) Journal of Clinical
    Epidemiology 49:1373. Coefficients equal R ``svyglm``.

    Examples
    --------
    >>> import culture_analytics as ca
    >>> from culture_analytics.adjusted import adjusted_gap
    >>> found = adjusted_gap(ca.load_sample(2024), "discrimination_staff", by="ethnicity",
    ...                      adjust_for="occupation")
    >>> found.table["group"].tolist()
    ['White', 'All other ethnic groups combined']
    """
    if len(survey.years) > 1:
        raise MeasureError(
            f"adjusted_gap() needs one year; these respondents are of "
            f"{', '.join(map(str, survey.years))}. Try: survey.filter(year={survey.years[-1]})."
        )
    (definition,) = _one(survey, measure)
    names = [adjust_for] if isinstance(adjust_for, str) else list(adjust_for)
    if not names or by in names:
        raise MeasureError(
            f"adjust_for={names}: name one or more breakdowns, other than {by!r} itself."
        )
    compared = resolve_dimension(survey, by)
    others = [resolve_dimension(survey, name) for name in names]
    _of_other_questions(survey, by, names)
    yes, base = yes_and_base(survey, definition)
    frame = Frame.of(survey, weight)
    kept, labels = _kept(compared, groups)
    chosen = base & (kept >= 0)
    if frame.weight is not None:
        chosen &= frame.weight > 0
    labels, kept, first = _reference_first(labels, kept, chosen, compared, reference)
    factors = [_factor(o, chosen) for o in others]
    parts = _fit(yes, chosen, kept, labels, compared.label, others, factors, frame)
    plain = calculate(survey, measure, by=by, weight=weight, level=level, rule=rule)
    org = _org(survey)
    plain = plain.select(org=org, breakdown=[OVERALL, by], group=[EVERYONE, *labels])
    crude = compare_groups(plain, reference=first, adjust="none")
    adjusted = _rows(plain, parts, labels, by, level)
    whole = pd.concat([plain._frame, crude._frame, adjusted._frame], ignore_index=True)
    merged = sum(len(f.merged) for f in factors)
    notes = [NO_CAUSE]
    if merged:
        notes.append(
            f"{merged} groups allowed for have fewer than {SMALL_LEVEL} answers: put together "
            f"with those who did not say ('{TOGETHER}')."
        )
    estimates = Estimates(
        whole,
        rule=plain.rule,
        organisations=plain.organisations,
        notes=(*plain.notes, *notes),
        origin=plain._origin,
    )
    return AdjustedGap(estimates, definition, compared.label, tuple(o.label for o in others), first)


def yes_and_base(
    survey: Survey, definition: Measure
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Who gave the answer counted, and who is in the base.

    Raises
    ------
    MeasureError
        The measure is a score, or the extract lacks its questions.
    """
    if definition.unit == "score":
        raise MeasureError(f"{definition.id!r} is a score; only percentages can be modelled.")
    answers = Answers(survey)
    (target,) = measure_targets(survey.instrument, [definition])
    absent = [i for i in target.items if not answers.present(i)]
    if absent or target.counted is None or target.in_base is None:
        raise MeasureError(f"{definition.id!r} needs {', '.join(absent)}, which is not there.")
    union = definition.kind == "any"
    codes = answers.union(definition) if union else answers.item(target.source)
    in_base = np.append(target.in_base, False)[codes]
    return np.append(target.counted, False)[codes] & in_base, in_base


def _one(survey: Survey, measure: str) -> tuple[Measure, ...]:
    found = survey.instrument.resolve_measures(measure)
    if len(found) != 1:
        raise MeasureError(f"{measure!r} stands for {len(found)} measures; name one of them.")
    return found


def _of_other_questions(survey: Survey, by: str, names: Sequence[str]) -> None:
    """Refuse to allow for the groups compared under another division."""
    known = survey.instrument.breakdowns
    same = [n for n in names if by in known and n in known and known[n].item == known[by].item]
    if same:
        raise AdjustmentError(
            f"{', '.join(map(repr, same))} divides staff by the same question as {by!r}, so it "
            "cannot be told apart from the groups compared. Leave it out of adjust_for."
        )


def _org(survey: Survey) -> str:
    return survey.orgs[0] if len(survey.orgs) == 1 else "all"


def _kept(dimension: Dimension, groups: Sequence[str] | None) -> tuple[Codes, list[str]]:
    """Position of each respondent's group among those compared; -1 for the others."""
    out = {g.label for b in dimension.breakdowns for g in b.groups if not g.contrast}
    if groups is None:
        there = np.bincount(dimension.codes + 1, minlength=len(dimension.groups) + 1)[1:] > 0
        labels = [
            g for g, some in zip(dimension.groups, there, strict=True) if some and g not in out
        ]
    else:
        unknown = [g for g in groups if g not in dimension.groups]
        if unknown:
            raise MeasureError(
                f"{', '.join(map(repr, unknown))}: no group of {dimension.id}; there are "
                f"{', '.join(map(repr, dimension.groups[:20]))}."
            )
        labels = list(dict.fromkeys(groups))
    if len(labels) < 2:
        raise MeasureError(f"{dimension.id}: two groups or more are needed, not {len(labels)}.")
    place = np.full(len(dimension.groups) + 1, -1, dtype=np.int64)
    place[[dimension.groups.index(g) for g in labels]] = np.arange(len(labels))
    return place[dimension.codes], labels


def _reference_first(
    labels: list[str],
    kept: Codes,
    chosen: NDArray[np.bool_],
    dimension: Dimension,
    reference: str | None,
) -> tuple[list[str], Codes, str]:
    """The reference group in the first place, where the model's intercept is."""
    standard = dimension.breakdowns[0].reference if len(dimension.breakdowns) == 1 else None
    largest = labels[int(np.argmax(np.bincount(kept[chosen], minlength=len(labels))))]
    first = reference or (standard if standard in labels else largest)
    if first not in labels:
        raise MeasureError(f"reference={first!r}: not among the groups compared.")
    order = [labels.index(first), *(k for k, g in enumerate(labels) if g != first)]
    place = np.full(len(labels) + 1, -1, dtype=np.int64)
    place[order] = np.arange(len(labels))
    return [labels[k] for k in order], place[kept], str(first)


class _Factor(NamedTuple):
    """What is allowed for: level of each respondent, labels, and groups put together."""

    codes: Codes
    labels: list[str]
    merged: list[str]


def _factor(dimension: Dimension, chosen: NDArray[np.bool_]) -> _Factor:
    """Levels of one characteristic, largest first, with small ones and "not stated" together."""
    size = len(dimension.groups)
    codes = np.where(dimension.codes >= 0, dimension.codes, size).astype(np.int64)
    count = np.bincount(codes[chosen], minlength=size + 1)
    large = np.flatnonzero(count[:size] >= SMALL_LEVEL)
    small = [g for k, g in enumerate(dimension.groups) if 0 < count[k] < SMALL_LEVEL]
    if not len(large):
        raise AdjustmentError(
            f"{dimension.label}: no group has {SMALL_LEVEL} answers. Try: a broader breakdown."
        )
    order = large[np.argsort(-count[large], kind="stable")]
    left = int(count.sum() - count[large].sum())
    labels = [dimension.groups[k] for k in order]
    place = np.zeros(size + 1, dtype=np.int64)
    if left >= SMALL_LEVEL:
        place[:] = len(labels)
        labels.append(TOGETHER)
    # Too few to stand by themselves even together: with the largest group.
    place[order] = np.arange(len(order))
    return _Factor(place[codes], labels, small)


class _Standardised(NamedTuple):
    fit: LogisticFit
    settings: Floats


def _fit(
    yes: NDArray[np.bool_],
    chosen: NDArray[np.bool_],
    kept: Codes,
    labels: list[str],
    title: str,
    others: Sequence[Dimension],
    factors: Sequence[_Factor],
    frame: Frame,
) -> _Standardised:
    """Regression on sums over (stratum, pattern), and the patterns with each group put in."""
    columns = np.stack([kept, *(f.codes for f in factors)], axis=1)[chosen]
    patterns, pattern = _distinct(columns)
    stratum = np.zeros(len(kept), dtype=np.int64) if frame.stratum is None else frame.stratum
    n_h = frame.n_h[-1:] if frame.stratum is None else frame.n_h
    population = frame.population_h
    if population is not None and frame.stratum is None:
        population = population[-1:]
    joint, pair = np.unique(
        stratum[chosen] * np.int64(len(patterns)) + pattern, return_inverse=True
    )
    weight = np.ones(len(pair)) if frame.weight is None else frame.weight[chosen]
    said = yes[chosen].astype(np.float64)

    def sums(values: Floats) -> Floats:
        return np.bincount(pair, values, len(joint)).astype(np.float64)

    plain = np.ones(len(pair))
    pairs = LogisticSums(
        sums(plain), sums(said), sums(weight), sums(weight * said), sums(weight**2),
        sums(weight**2 * said),
    )  # fmt: skip
    levels = [labels, *(f.labels for f in factors)]
    names = [title, *(o.label for o in others)]
    x, terms = treatment_coding(patterns, levels, names)
    fit = logistic_regression(
        x, joint % len(patterns), joint // len(patterns), pairs, n_h,
        names=terms, group=patterns[:, 0], group_names=labels, population_h=population,
        lonely=frame.lonely,
    )  # fmt: skip
    settings = []
    for group in range(len(labels)):
        put = patterns.copy()
        put[:, 0] = group
        settings.append(treatment_coding(put, levels, names)[0])
    return _Standardised(fit, np.stack(settings))


def _distinct(columns: Codes) -> tuple[Codes, Codes]:
    """Different rows, and which of them each row is."""
    number = np.zeros(len(columns), dtype=np.int64)
    for column in columns.T:
        number = number * (int(column.max(initial=0)) + 1) + column
    _, first, which = np.unique(number, return_index=True, return_inverse=True)
    return columns[first], which.astype(np.int64)


def _rows(
    plain: Estimates, parts: _Standardised, labels: list[str], by: str, level: float
) -> Estimates:
    """Rows of adjusted percentages and gaps, under the keys of the plain ones."""
    fit = parts.fit
    found: StandardisedPercentages = standardised_percentages(
        fit, parts.settings, effective_base=fit.effective_base, level=level
    )
    frame = plain._frame
    own = frame["breakdown"].eq(by).to_numpy(dtype=bool)
    group = frame["group"].astype(object).to_numpy()
    at = np.array([int(np.flatnonzero(own & (group == label))[0]) for label in labels])
    hidden = plain._hidden[at]
    keys = ["year", "org", "measure", "label", "answer", "breakdown", "group", "within",
            "within_group", "weighting", "source", "release", "level", "base"]  # fmt: skip
    rows = frame.iloc[at][keys].reset_index(drop=True)
    percents = rows.assign(
        statistic="adjusted_percent", unit="percent", value=100 * found.value,
        lower=100 * found.lower, upper=100 * found.upper, se=100 * found.se, df=found.df,
        method=METHOD, status="ok", reference="",
        **{GROUPS: pd.Series([tuple(labels)] * len(labels))},
    )  # fmt: skip
    gaps = [standardised_gap(found, k, 0, level=level) for k in range(1, len(labels))]
    table = np.array(gaps, dtype=np.float64)
    differences = rows.iloc[1:].assign(
        statistic="adjusted_difference", unit="points", value=100 * table[:, 0],
        se=100 * table[:, 1], lower=100 * table[:, 2], upper=100 * table[:, 3],
        p_value=table[:, 4], df=np.minimum(found.df[1:], found.df[0]),
        base=np.minimum(rows["base"].iloc[1:], rows["base"].iloc[0]),
        method=f"{METHOD}, mover", status="ok", reference=labels[0],
    )  # fmt: skip
    both = pd.concat([percents, differences], ignore_index=True)
    dead = np.concatenate([hidden, hidden[1:] | hidden[0]])
    return derived(plain, dies(both, dead, together=plain._suppressed_together))


def _points(gap: float) -> str:
    return f"{gap:+.1f} points"

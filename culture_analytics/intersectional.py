"""`intersections`: two or three characteristics at once, with small strata drawn in (MAIHDA)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from culture_analytics.adjusted import yes_and_base
from culture_analytics.compare.derive import adjusted, derived, dies
from culture_analytics.compare.groups import TOO_FEW
from culture_analytics.compare.sides import FEW, FEWEST
from culture_analytics.disclosure.rules import Rule
from culture_analytics.errors import AdjustmentError, MeasureError
from culture_analytics.estimate import calculate
from culture_analytics.estimate.dimensions import CROSSED, OVERALL, Dimension, resolve_dimension
from culture_analytics.estimates import Estimates
from culture_analytics.instrument import Breakdown, Measure, load_instrument
from culture_analytics.stats._quantiles import normal_quantile
from culture_analytics.stats.multilevel import FEWEST_GROUPS, Maihda, maihda
from culture_analytics.stats.multiplicity import ADJUSTMENTS
from culture_analytics.stats.ratio import FEW_YES
from culture_analytics.stats.regression import treatment_coding
from culture_analytics.stats.variance import kish
from culture_analytics.survey import Survey

__all__ = [
    "CROSSING_SHARES",
    "Intersections",
    "crossing_sentence",
    "intersections",
    "intersections_shown",
    "variance_shares",
]

Codes = NDArray[np.int64]
Floats = NDArray[np.float64]

MORE, LESS, NOT_CLEAR = "more than the sum of its parts", "less than the sum of its parts", (
    "no clear difference from the sum of its parts"
)  # fmt: skip
NOT_SHOWN = "not shown"
CROSSING_SHARES = ("combination", "beyond its parts", "added up by its parts")
"""Shares of variation: with the combination, beyond its parts, and the part that adds up."""

SMALLEST = 11
"""Answers that a group must have in all to take part in the model."""
RAREST = 3
"""Answers of either kind that it must have: from fewer no effect of the group can be told."""

LEFT_OUT = (
    "{groups} group(s) left out of the model: fewer than {least} answers in all, or fewer than "
    "{rarest} of either kind."
)
SHRUNKEN_NOTE = (
    "Shrunken rates draw each stratum towards what its characteristics by themselves would give, "
    "small strata most. They are steadier than plain percentages, and slow to show a small stratum "
    "that truly stands out."
)
ADDITIVE = (
    "'Beyond its parts' is on the log-odds scale: more, or less, than the effects of each "
    "characteristic by itself add up to. It says nothing about why."
)


@dataclass(frozen=True, eq=False, repr=False)
class Intersections:
    """What a crossing of characteristics shows beyond each of them.

    Attributes
    ----------
    estimates
        For a release: rows ``percent`` as `calculate` gives them, ``shrunken_percent``, and
        ``beyond_parts`` (points from what the parts add up to).
    measure, by
        What was asked, and the labels of the characteristics crossed.
    model
        Both fitted models: see `culture_analytics.stats.maihda`. Holds figures of every stratum,
        without protection: not for publication.
    """

    estimates: Estimates
    measure: Measure
    by: tuple[str, ...]
    level: float
    model: Maihda

    def __repr__(self) -> str:
        return f"<Intersections: {self.measure.short}, {' by '.join(self.by)}>"

    def _repr_html_(self) -> str:
        tables = (self.variance, self.strata)
        html = [t.round(2).to_html(index=False, border=0, na_rep="") for t in tables]
        return "".join(html) + f"<p>{self.sentence}</p>"

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences to print with the tables."""
        return self.estimates.notes

    @property
    def variance(self) -> pd.DataFrame:
        """How much strata differ: variance between them and its share of all variation (VPC, %).

        One row without, one with the characteristics by themselves ("main effects"); the
        proportional change (PCV, %) is how much of the first row's variance those account for.
        """
        m = self.model
        return pd.DataFrame(
            {
                "model": ["strata alone", "beyond each characteristic by itself"],
                "variance": [m.null.variance, m.main.variance],
                "vpc": [100 * m.vpc, 100 * m.vpc_main],
                "vpc_lower": [100 * m.vpc_lower, 100 * m.vpc_main_lower],
                "vpc_upper": [100 * m.vpc_upper, 100 * m.vpc_main_upper],
                "p_value": [m.null.p_value, m.main.p_value],
                "pcv": [np.nan, 100 * m.pcv],
            }
        )

    @property
    def strata(self) -> pd.DataFrame:
        """A row a stratum: plain and shrunken percentages with limits, and points beyond its parts.

        `verdict` says whether it differs from the sum of its parts, by the adjusted p; "too few to
        judge" where fewer than ten people in it gave, or did not give, the answer.
        """
        t = self.estimates.table
        t = t[t["breakdown"].ne(OVERALL)]
        on = ["group"]
        figure = ["value", "lower", "upper"]

        def part(statistic: str, name: str, more: Sequence[str] = ()) -> pd.DataFrame:
            rows = t.loc[t["statistic"].eq(statistic), [*on, *figure, *more]]
            return rows.rename(columns={c: f"{name}_{c}" for c in figure}).rename(
                columns={f"{name}_value": name}
            )

        found = part("percent", "plain", ["base", "status"])
        found = found.merge(part("shrunken_percent", "shrunken"), on=on)
        found = found.merge(part("beyond_parts", "beyond", ["p_adjusted", "method"]), on=on)
        p, beyond = (found[c].to_numpy(dtype=float) for c in ("p_adjusted", "beyond"))
        clear = p < 1 - self.level
        few = found["method"].astype(str).str.contains(FEW, regex=False).to_numpy(dtype=bool)
        verdict = np.select(
            [~found["status"].eq("ok").to_numpy(), few, clear & (beyond > 0), clear],
            [NOT_SHOWN, TOO_FEW, MORE, LESS],
            NOT_CLEAR,
        )
        return found.drop(columns="method").assign(verdict=verdict)

    @property
    def sentence(self) -> str:
        """What the crossing shows, in two or three plain sentences."""
        m, verdicts = self.model, self.strata["verdict"].tolist()
        pcv = 100 * m.pcv if m.null.variance > 0 else np.nan
        return crossing_sentence(self.measure, self.by, 100 * m.vpc, pcv, verdicts)


def crossing_sentence(
    measure: Measure, by: Sequence[str], vpc: float, pcv: float, verdicts: Sequence[str]
) -> str:
    """What a crossing shows, in two or three plain sentences.

    Parameters
    ----------
    measure, by
        What was asked, and labels of the characteristics crossed.
    vpc
        Share of the variation between combinations, percent.
    pcv
        How much of it the characteristics add up to, percent; NaN where there is none.
    verdicts
        Of each combination.
    """
    *most, last = (name.lower() for name in by)
    names = f"{', '.join(most)} and {last}"
    text = (
        f"{measure.short}: {vpc:.1f}% of the variation in answers goes with the "
        f"combination of {names}; the rest is between people of the same combination."
    )
    if not np.isnan(pcv):
        added = min(max(pcv, 0.0), 100.0)
        text += (
            f" About {added:.0f}% of the differences between combinations adds up from "
            "each characteristic by itself."
        )
    out = sum(v in (MORE, LESS) for v in verdicts)
    shown = sum(v != NOT_SHOWN for v in verdicts)
    few = sum(v == TOO_FEW for v in verdicts)
    if out:
        text += f" {out} of {shown} combinations shown differ beyond their parts."
    else:
        text += f" None of {shown} combinations shown clearly differs beyond its parts."
    if few:
        text += f" In {few} of them too few people gave, or did not give, the answer to judge."
    return text


def intersections(
    survey: Survey,
    measure: str,
    *,
    by: str | Sequence[str],
    weight: str | None = None,
    level: float = 0.95,
    rule: str | Rule = "default",
    adjust: str = "bh",
) -> Intersections:
    """Multilevel analysis of a crossing of two or three characteristics (MAIHDA).

    Parameters
    ----------
    survey
        Respondents of one year; several organisations are taken together.
    measure
        Id of a percentage.
    by
        Two or three breakdowns or columns: ``["ethnicity_broad", "gender"]`` or
        ``"ethnicity_broad:gender"``. "Prefer not to say" is left out of the model.
    weight
        Name of one of the design's weights: strata then count for their effective bases.
    level, rule
        As for `calculate`.
    adjust
        Of the tests of strata against the sum of their parts: ``"bh"`` (default, a screen),
        ``"holm"`` or ``"none"``.

    Returns
    -------
    Intersections
        ``.variance``, ``.strata``, ``.sentence``, ``.estimates``.

    Raises
    ------
    AdjustmentError
        Fewer than five strata, or no more strata than parameters, have answers; fewer than five
        people gave, or did not give, the answer; or a characteristic splits the answers.
    MeasureError
        The measure is a score, several years, or not two or three characteristics.

    Notes
    -----
    Random intercept by stratum, fitted on counts: 775,000 respondents cost as much as 775. Limits
    of shrunken rates allow for the variance between strata being uncertain. Strata too small to be
    shown take part in the model; only their rows are hidden. Groups of a characteristic with fewer
    than 11 answers in all, or 3 of either kind, are left out and counted in the notes.

    References
    ----------
    Evans and others (2018) Social Science and Medicine 203:64; Merlo (2018) Social Science and
    Medicine 203:74.

    Examples
    --------
    >>> import culture_analytics as ca
    >>> from culture_analytics.intersectional import intersections
    >>> found = intersections(ca.load_sample(2024), "discrimination_staff",
    ...                       by=["ethnicity_broad", "age"])
    >>> found.variance["model"].tolist()
    ['strata alone', 'beyond each characteristic by itself']
    """
    if adjust not in ADJUSTMENTS:
        raise MeasureError(f"adjust={adjust!r}: there are {', '.join(map(repr, ADJUSTMENTS))}.")
    name = by if isinstance(by, str) else ":".join(by)
    if not 2 <= len(name.split(":")) <= 3:
        raise MeasureError(f"by={by!r}: two or three characteristics are needed.")
    if len(survey.years) > 1:
        raise MeasureError(
            f"intersections() needs one year; these respondents are of "
            f"{', '.join(map(str, survey.years))}. Try: survey.filter(year={survey.years[-1]})."
        )
    chosen = survey.instrument.resolve_measures(measure)
    if len(chosen) != 1:
        raise MeasureError(f"{measure!r} stands for {len(chosen)} measures; name one of them.")
    definition = chosen[0]
    yes, base = yes_and_base(survey, definition)
    parts = [resolve_dimension(survey, part) for part in name.split(":")]
    plain = calculate(survey, measure, by=name, weight=weight, level=level, rule=rule)
    org = survey.orgs[0] if len(survey.orgs) == 1 else "all"
    plain = plain.select(org=org)
    strata = _strata(survey, parts, yes, base, weight)
    return _fitted(plain, definition, parts, strata, name, level, adjust)


def intersections_shown(
    figures: Estimates, measure: str, *, by: str, level: float = 0.95, adjust: str = "bh"
) -> Intersections:
    """The same analysis of figures that may be shown: combinations that are hidden take no part.

    Everything it gives follows from figures shown, so it says nothing of those hidden.

    Parameters
    ----------
    figures
        Unweighted percentages of a crossing and of everyone, of one organisation and year.
    measure
        Id of a percentage.
    by
        The crossing, such as ``"ethnicity_broad:gender_broad"``.
    level, adjust
        As for :func:`intersections`.

    Raises
    ------
    AdjustmentError
        As :func:`intersections`.
    MeasureError
        The figures do not hold the measure by the crossing.

    Examples
    --------
    >>> import culture_analytics as ca
    >>> by = "ethnicity_broad:age"
    >>> shown = ca.suppress(ca.calculate(ca.load_sample(2024), "discrimination_staff", by=by))
    >>> intersections_shown(shown, "discrimination_staff", by=by).measure.id
    'discrimination_staff'
    """
    instrument = load_instrument()
    plain = figures.select(measure=measure, breakdown=[OVERALL, by])
    parts = [instrument.breakdowns[name] for name in by.split(":")]
    strata = _strata_shown(plain, parts, by)
    return _fitted(plain, instrument.measures[measure], parts, strata, by, level, adjust)


_Strata = tuple[Codes, list[list[str]], Floats, Floats, int]


def _fitted(
    plain: Estimates,
    definition: Measure,
    parts: Sequence[Dimension] | Sequence[Breakdown],
    strata: _Strata,
    name: str,
    level: float,
    adjust: str,
) -> Intersections:
    """Both models on counts of the strata, and the rows they give beside the plain ones."""
    codes, levels, n, count, left = strata
    if min(count.sum(), (n - count).sum()) < FEW_YES or len(n) < FEWEST_GROUPS:
        raise AdjustmentError(
            f"{len(n)} combinations of {name} with answers, and fewer than {FEW_YES} people who "
            "gave, or did not give, the answer, are too few. Try: broader groups."
            if len(n) >= FEWEST_GROUPS
            else f"{len(n)} combinations of {name} have answers; {FEWEST_GROUPS} are needed."
        )
    x, terms = treatment_coding(codes, levels, [p.label for p in parts])
    model = maihda(n, count, np.arange(len(n)), x, names=terms, level=level)
    groups = [CROSSED.join(labels[c] for labels, c in zip(levels, row, strict=True))
              for row in codes]  # fmt: skip
    found = _rows(plain, model, groups, name, level, adjust)
    kept = plain._frame
    kept = kept[kept["breakdown"].eq(OVERALL) | kept["group"].isin(groups)]
    too_small = [LEFT_OUT.format(groups=left, least=SMALLEST, rarest=RAREST)] if left else []
    estimates = Estimates(
        pd.concat([kept, found._frame], ignore_index=True),
        rule=plain.rule,
        organisations=plain.organisations,
        notes=(*plain.notes, SHRUNKEN_NOTE, ADDITIVE, *too_small),
        origin=plain._origin,
    )
    return Intersections(estimates, definition, tuple(p.label for p in parts), level, model)


def _strata(
    survey: Survey,
    parts: Sequence[Dimension],
    yes: NDArray[np.bool_],
    base: NDArray[np.bool_],
    weight: str | None,
) -> _Strata:
    """Strata with answers: levels, their labels, (effective) counts, and groups left out."""
    chosen = base.copy()
    columns, labels, left = [], [], 0
    for part in parts:
        out = {g.label for b in part.breakdowns for g in b.groups if not g.contrast}
        ins = np.array([g not in out for g in part.groups])
        size = len(part.groups)
        of = part.codes[base & (part.codes >= 0)]
        n = np.bincount(of, minlength=size)
        said_yes = np.bincount(part.codes[yes & (part.codes >= 0)], minlength=size)
        small = (n < SMALLEST) | (np.minimum(said_yes, n - said_yes) < RAREST)
        left += int((ins & small & (n > 0)).sum())
        chosen &= np.append(ins & ~small, False)[part.codes]
        columns.append(part.codes.astype(np.int64))
        labels.append(list(part.groups))
    if not chosen.any():
        raise AdjustmentError("Nobody with an answer says all of these characteristics.")
    sizes = [len(x) for x in labels]
    joint = np.ravel_multi_index(tuple(c[chosen] for c in columns), sizes)
    strata, at = np.unique(joint, return_inverse=True)
    codes = np.stack(np.unravel_index(strata, sizes), axis=1).astype(np.int64)
    said = yes[chosen].astype(np.float64)
    codes, levels = _largest_first(codes, labels, np.bincount(at, minlength=len(strata)))
    if weight is None:
        counted = np.bincount(at, minlength=len(strata)).astype(np.float64)
        return codes, levels, counted, np.bincount(at, said, len(strata)).astype(np.float64), left
    w = survey.responses[survey.design.weights[weight]].to_numpy(dtype=np.float64)[chosen]
    total = np.bincount(at, w, len(strata))
    effective = kish(total, np.bincount(at, w**2, len(strata)))
    effective = np.where(total > 0, effective, 0.0)
    share = np.bincount(at, w * said, len(strata)) / np.where(total > 0, total, 1.0)
    return codes, levels, effective, np.clip(share, 0, 1) * effective, left


def _strata_shown(plain: Estimates, parts: Sequence[Breakdown], by: str) -> _Strata:
    """As `_strata`, from the figures that may be shown."""
    table = plain.table
    table = table[table["breakdown"].eq(by) & table["status"].eq("ok")]
    table = table[table["statistic"].eq("percent") & table["reference"].eq("")]
    cells = [str(group).split(CROSSED) for group in table["group"]]
    n = table["base"].to_numpy(dtype=np.float64)
    yes = np.round(n * table["value"].to_numpy(dtype=np.float64) / 100)
    kept = n > 0
    columns, labels, left = [], [], 0
    for k, part in enumerate(parts):
        names = [g.label for g in part.groups]
        column = np.array([names.index(cell[k]) for cell in cells], dtype=np.int64)
        of, said = (np.bincount(column, x, len(names)) for x in (n, yes))
        ins = np.array([g.contrast for g in part.groups])
        small = (of < SMALLEST) | (np.minimum(said, of - said) < RAREST)
        left += int((ins & small & (of > 0)).sum())
        kept &= (ins & ~small)[column]
        columns.append(column)
        labels.append(names)
    if not kept.any():
        raise AdjustmentError("No combination of these characteristics may be shown.")
    codes = np.stack(columns, axis=1)[kept]
    codes, levels = _largest_first(codes, labels, n[kept])
    return codes, levels, n[kept], yes[kept], left


def _largest_first(
    codes: Codes, labels: Sequence[Sequence[str]], size: ArrayLike
) -> tuple[Codes, list[list[str]]]:
    """Levels that nobody has are no terms of the model; the largest comes first, as reference."""
    codes, levels = codes.copy(), []
    for k, names in enumerate(labels):
        count = np.bincount(codes[:, k], np.asarray(size, dtype=np.float64), len(names))
        order = np.argsort(-count, kind="stable")[: int((count > 0).sum())]
        place = np.zeros(len(names), dtype=np.int64)
        place[order] = np.arange(len(order))
        codes[:, k] = place[codes[:, k]]
        levels.append([names[i] for i in order])
    return codes, levels


def variance_shares(found: Intersections, *, by: str) -> Estimates:
    """Shares of variation as rows for a release: under everyone, since they are of no stratum.

    Parameters
    ----------
    found
        An analysis.
    by
        Its crossing.

    Returns
    -------
    Estimates
        ``variance_share`` rows whose reference is the crossing and one of `CROSSING_SHARES`.
    """
    m = found.model
    nothing = m.null.variance <= 0
    values = [
        (100 * m.vpc, 100 * m.vpc_lower, 100 * m.vpc_upper),
        (100 * m.vpc_main, 100 * m.vpc_main_lower, 100 * m.vpc_main_upper),
        (np.nan if nothing else 100 * m.pcv, np.nan, np.nan),
    ]
    whole = found.estimates
    keep = whole._frame["breakdown"].eq(OVERALL) & whole._frame["statistic"].eq("percent")
    row = whole._rows(keep.to_numpy(dtype=bool))
    hidden = np.repeat(row._hidden, len(values))
    keys = ["year", "org", "measure", "label", "answer", "breakdown", "group", "within",
            "within_group", "weighting", "source", "release", "level", "base"]  # fmt: skip
    rows = pd.concat([row._frame[keys]] * len(values), ignore_index=True)
    value, lower, upper = (np.array(x, dtype=np.float64) for x in zip(*values, strict=True))
    rows = rows.assign(
        statistic="variance_share", unit="percent", value=value, lower=lower, upper=upper,
        reference=[f"{by}: {share}" for share in CROSSING_SHARES], method="maihda",
        status=np.where(np.isnan(value), "not_applicable", "ok"),
    )  # fmt: skip
    return derived(row, dies(rows, hidden, together=row._suppressed_together))


def _rows(
    plain: Estimates, model: Maihda, groups: list[str], by: str, level: float, adjust: str
) -> Estimates:
    """Rows of shrunken rates and of what strata have beyond their parts."""
    from scipy.special import expit, logit

    frame, rates = plain._frame, model.rates
    place = {g: i for i, g in enumerate(frame["group"]) if frame["breakdown"].iloc[i] == by}
    at = np.array([place[g] for g in groups])
    hidden = plain._hidden[at]
    keys = ["year", "org", "measure", "label", "answer", "breakdown", "group", "within",
            "within_group", "weighting", "source", "release", "level", "base"]  # fmt: skip
    rows = frame.iloc[at][keys].reset_index(drop=True)
    rows = rows.assign(
        method="maihda", status=np.where(np.isnan(rates.rate), "not_computable", "ok"), reference=""
    )
    shrunken = rows.assign(
        statistic="shrunken_percent", unit="percent", value=100 * rates.rate,
        lower=100 * rates.lower, upper=100 * rates.upper, p_value=np.nan,
    )  # fmt: skip
    # From what the parts add up to, a residual and its limits move the rate by so many points.
    parts = logit(np.clip(rates.expected, 1e-12, 1 - 1e-12))
    reach = normal_quantile(level) * rates.residual_se
    points = [
        100 * (expit(parts + moved) - rates.expected)
        for moved in (rates.residual, rates.residual - reach, rates.residual + reach)
    ]
    beyond = rows.assign(
        statistic="beyond_parts", unit="points", value=points[0], lower=points[1],
        upper=points[2], p_value=rates.p_value,
    )  # fmt: skip
    yes = np.round(rows["base"] * frame["value"].iloc[at].to_numpy(dtype=float) / 100)
    rare = np.minimum(yes, rows["base"] - yes).lt(FEWEST)  # of them no verdict is given
    beyond["method"] = np.where(rare, f"maihda, {FEW}", "maihda")
    few = rows["base"].to_numpy(dtype=float) < plain.rule.base_under
    tested = np.isfinite(rates.p_value) & ~hidden & ~few
    family = [
        f"{org} {year}, {by} beyond its parts"
        for org, year in zip(rows["org"], rows["year"], strict=True)
    ]
    beyond = adjusted(beyond, family, tested, adjust=adjust, what="combinations")
    both = pd.concat([shrunken, beyond], ignore_index=True)
    dead = np.tile(hidden, 2)
    return derived(plain, dies(both, dead, together=plain._suppressed_together))

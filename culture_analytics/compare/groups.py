"""`compare_groups`: how far each group lies from another, from everyone else or from everyone.

Figures of whole breakdowns (association, gradient) are made in `compare.whole`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from culture_analytics.compare.derive import adjusted, derived, dies
from culture_analytics.compare.sides import (
    CROSSED,
    FEW,
    FEWEST,
    OVERALL,
    Side,
    not_compared,
    side_of,
)
from culture_analytics.compare.whole import ASSOCIATION, SPARSE, WHOLE, whole_breakdowns
from culture_analytics.errors import MeasureError
from culture_analytics.estimates import Estimates
from culture_analytics.instrument import Instrument, load_instrument
from culture_analytics.stats.multiplicity import ADJUSTMENTS
from culture_analytics.stats.proportion import wilson
from culture_analytics.stats.ratio import log_ratio_se, ratio_limits
from culture_analytics.stats.trend import mover, t_test, two_proportions, welch

__all__ = ["ALL", "FEWEST", "REST", "STANDARD", "compare_groups", "verdict"]

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
Mask = NDArray[np.bool_]

STANDARD = "standard"
REST = "rest"
ALL = "all"

CLEAR, UNCLEAR, TOO_FEW = "a clear gap", "no clear difference", "too few to judge"
NOT_TESTED, NOT_SHOWN, NO_FIGURE = "not tested", "not shown", ""

DIFFER, ALIKE = "the groups clearly differ", "no clear difference between the groups"
RISES, FLAT = "a clear gradient", "no clear gradient"

PAIRS = ("difference", "ratio")
STATISTICS = (*PAIRS, *WHOLE)
OUTSIDE = (
    "Groups are treated as independent samples. 'rest' is everyone who is not in the group, those "
    "whose group is not known among them; 'all' is everyone, the group itself among them."
)
KEPT_OUT = (
    "{groups} kept out of comparisons: not a group to compare with others. How many they are "
    "stands in the table of percentages."
)
NO_REFERENCE = "{breakdowns}: no standard reference group; compared with everyone else ('rest')."

# What a group and its reference have in common.
_SAME = ("year", "org", "measure", "answer", "within", "within_group", "statistic", "weighting",
         "source", "release")  # fmt: skip
_KEYS = ("year", "org", "measure", "label", "answer", "breakdown", "group", "within",
         "within_group", "weighting", "source", "release", "level")  # fmt: skip

# The doubled tail of the hypergeometric distribution is added up where its terms are few enough.
_TERMS = 400
_WIDE = 100.0
_TAIL = 0.2


def compare_groups(
    estimates: Estimates,
    *,
    reference: str = STANDARD,
    statistic: str | Sequence[str] = "difference",
    adjust: str = "holm",
    order: Mapping[str, Sequence[str]] | None = None,
) -> Estimates:
    """Each group less (or divided by) its reference, or a whole breakdown, with limits and a test.

    Parameters
    ----------
    estimates
        Results with a breakdown or more, calculated or published.
    reference
        ``"standard"``: the reference group the instrument names for each breakdown; where it names
        none (units, detailed occupations) the rest. Or the label of a group; ``"rest"``: everyone
        not in the group; ``"all"``: everyone.
    statistic
        Of each group beside its reference: ``"difference"`` (points) or ``"ratio"`` (group divided
        by reference; percentages only). Of a whole breakdown, whatever the reference:
        ``"association"`` (do the groups differ at all? percentages only), ``"slope_index"`` (points
        from the first to the last of groups that have an order) or ``"relative_index"`` (the ratio
        of the two ends; percentages only). One, or several in a list.
    adjust
        ``"holm"``, ``"bh"`` (Benjamini and Hochberg) or ``"none"``.
    order
        Groups from first to last of breakdowns whose order the instrument does not know, such as
        ``{"band": ["Band 2", "Band 3"]}``; groups left out take no part in the gradient.

    Returns
    -------
    Estimates
        A row for each group but its reference, and each statistic, with the reference's label in
        `reference`. `p_adjusted` is adjusted within `family`: all publishable comparisons of one
        organisation, year, table and reference. A row is hidden with either figure it is made of.
        "Prefer not to say" is kept out of comparisons. :func:`verdict` puts rows into words.

        Of a whole breakdown one row (group ``"Groups shown"``) a measure, made of the groups that
        are shown and of no others, so it gives away nothing hidden; fewer than two such groups
        (three, for a gradient) hide it. In an association those large enough for the test take
        part; `method` says how many. Its families are all publishable associations, or
        gradients, of one organisation and year, over every breakdown asked for.

    Raises
    ------
    MeasureError
        No such reference, statistic or adjustment, nothing to compare, or an `order` of groups
        that are not there.

    Notes
    -----
    Difference of percentages: limits by squaring and adding those of both (MOVER; Newcombe's with
    Wilson limits); of scores Welch's, or those of one common spread where they reach farther, as
    the answers of a small group can be alike by chance. Ratio: design-based standard error of its
    logarithm, score limits that allow for skewness where fewer than ten on a side gave, or did not
    give, the answer (five, under unequal weights). The test of two percentages is the
    two-proportion z test on effective bases, or the doubled mid-p tail of the hypergeometric
    distribution where that is less sure, as it is for small groups; under unequal weights effective
    bases are no more than Kish's. A ratio is tested as its difference. Under weights the spread of
    the rest is taken from Kish's effective base. Published percentages count as random samples of
    their bases.

    Association: Pearson's chi-square with Rao and Scott's second-order correction for weights and
    strata, as R ``svychisq``, of the groups of whom five or more would be expected to say yes, and
    no, if all were alike; the test is too sure of smaller ones beside large ones. `value` is its F,
    `df` that of the numerator; that of the denominator is `df` times (base less strata).

    Gradient: the line through the groups' figures against the middle rank of their people, weighted
    by their numbers; limits by squaring and adding those of the groups; the test is Armitage's of
    no gradient, on middle ranks. Groups count as independent samples in it.

    References
    ----------
    Newcombe (1998) Statistics in Medicine 17:873; Zou and Donner (2008) Statistics in Medicine
    27:1693; Katz and others (1978) Biometrics 34:469; Miettinen and Nurminen (1985) Statistics in
    Medicine 4:213; Laud (2017) Pharmaceutical Statistics 16:334; Holm (1979) Scandinavian Journal
    of Statistics 6:65; Lancaster (1961) Journal of the American Statistical Association 56:223
    (mid-p); Rao and Scott (1984) Annals of Statistics 12:46; Low and Low (2004) Journal of Public
    Health 26:388 (slope and relative index); Armitage (1955) Biometrics 11:375; Cochran (1954)
    Biometrics 10:417 (groups too small for a test of many).

    Examples
    --------
    >>> import culture_analytics as ca
    >>> from culture_analytics.compare import compare_groups
    >>> bullied = ca.calculate(ca.load_sample(2024), "hba_managers", by="ethnicity")
    >>> gap = compare_groups(bullied).table
    >>> gap[["group", "reference", "unit"]].values.tolist()
    [['All other ethnic groups combined', 'White', 'points']]

    Does it differ by length of service at all, and does it rise or fall along it?

    >>> service = ca.calculate(ca.load_sample(2024), "hba_managers", by="length_of_service")
    >>> along = compare_groups(service, statistic=["association", "slope_index"]).table
    >>> along[["statistic", "reference"]].values.tolist()
    [['association', 'each other'], ['slope_index', 'Less than 1 year to More than 15 years']]
    """
    wanted = _statistics(statistic)
    if adjust not in ADJUSTMENTS:
        raise MeasureError(f"adjust={adjust!r}: there are {', '.join(map(repr, ADJUSTMENTS))}.")
    pairs = [name for name in wanted if name in PAIRS]
    whole = [name for name in wanted if name in WHOLE]
    blocks, notes = [], list[str]()
    if pairs:
        made, said = _pairwise(estimates, reference, pairs, adjust)
        blocks.append(made)
        notes += said
    if whole:
        made, said = whole_breakdowns(estimates, whole, order=order, adjust=adjust)
        blocks.append(made)
        notes += said
    return derived(estimates, pd.concat(blocks, ignore_index=True), notes=notes)


def _pairwise(
    estimates: Estimates, reference: str, wanted: Sequence[str], adjust: str
) -> tuple[pd.DataFrame, list[str]]:
    """Rows of groups beside their reference, and what is to be said of them."""
    frame = estimates._frame.reset_index(drop=True)
    own = frame["statistic"].isin(("percent", "score")) & frame["reference"].eq("")
    rows = np.flatnonzero(own & ~frame["breakdown"].isin((OVERALL, "")))
    if not len(rows):
        raise MeasureError(
            "compare_groups() needs figures by group; these results have none. Try: "
            "calculate(..., by='ethnicity')."
        )
    pairs, notes = _pairs(frame, rows, reference)
    pairs["hidden"] = _either(estimates._hidden, pairs)
    group, other, inside = _sides(frame, pairs)
    rests = pairs["reference"].isin((REST, ALL)).to_numpy(dtype=bool)
    everyone = pairs["reference"].eq(ALL).to_numpy(dtype=bool)
    share = np.where(everyone, inside, 0.0)
    differences = _differences(frame, pairs, group, other, share)
    dead = pairs["hidden"].to_numpy(dtype=bool)
    tested = (
        differences["p_value"].notna().to_numpy()
        & ~dead
        & ~(differences["base"].to_numpy(dtype=float) < estimates.rule.base_under)
        & differences["status"].eq("ok").to_numpy()
    )
    differences = adjusted(
        differences, _families(differences), tested, adjust=adjust, what="comparisons"
    )
    blocks = {"difference": differences}
    if "ratio" in wanted:
        blocks["ratio"] = _ratios(differences, group, other, share)
    kept = {
        "difference": np.ones(len(pairs), dtype=bool),
        "ratio": ~frame["statistic"].eq("score").to_numpy(dtype=bool)[pairs["at"]],
    }
    chosen = [blocks[name][kept[name]].assign(_order=np.flatnonzero(kept[name])) for name in wanted]
    both = pd.concat(chosen, ignore_index=True)
    order = both["_order"].to_numpy(dtype=np.intp)
    both = dies(both, dead[order], together=estimates._suppressed_together)
    both = both.iloc[np.argsort(order, kind="stable")].drop(columns="_order")
    if both.empty:
        raise MeasureError("Ratios are of percentages; these results hold scores alone.")
    if rests.any():
        notes.append(OUTSIDE)
    return both, notes


def verdict(estimates: Estimates) -> list[str]:
    """Each row of comparisons in plain words.

    Parameters
    ----------
    estimates
        What :func:`compare_groups` returned, or a release made of it.

    Returns
    -------
    list of str
        One for each row of `.table`: ``"a clear gap"`` (adjusted p under one less the level of the
        limits), ``"no clear difference"``, ``"too few to judge"`` (fewer than ten people on either
        side gave, or did not give, the answer), ``"not tested"`` (a published score, whose spread
        is not known), ``"not shown"`` (suppressed) or ``""`` where there is no figure. Of whole
        breakdowns ``"the groups clearly differ"`` or ``"no clear difference between the groups"``,
        and ``"a clear gradient"`` or ``"no clear gradient"``; of an association ``"too few to
        judge"`` where fewer than five yes or no would be expected of all groups but one at most.

    Raises
    ------
    MeasureError
        A row is not a comparison.

    Examples
    --------
    >>> import culture_analytics as ca
    >>> from culture_analytics.compare import compare_groups, verdict
    >>> valued = ca.calculate(ca.load_sample(2024), "org_values_work", by="long_term_condition")
    >>> verdict(compare_groups(valued))[0] in ("a clear gap", "no clear difference")
    True
    """
    table = estimates.table
    wrong = int((~table["statistic"].isin(STATISTICS)).sum())
    if wrong:
        raise MeasureError(
            f"{wrong} of {len(table)} rows are no comparison. Try: compare_groups() first."
        )
    p = table["p_adjusted"].to_numpy(dtype=float)
    level = table["level"].to_numpy(dtype=float)
    alpha = 1 - np.where(np.isnan(level), 0.95, level)
    method = table["method"].astype(str)
    few = (
        method.str.contains(FEW, regex=False) | method.str.contains(SPARSE, regex=False)
    ).to_numpy(dtype=bool)
    kind = [table["statistic"].eq(ASSOCIATION), table["statistic"].isin(WHOLE)]
    clear = np.select(kind, [DIFFER, RISES], CLEAR)
    unclear = np.select(kind, [ALIKE, FLAT], UNCLEAR)
    shown = table["status"].eq("ok").to_numpy(dtype=bool)
    said = np.select(
        [table["status"].eq("suppressed").to_numpy(dtype=bool), ~shown, few, np.isnan(p),
         p < alpha - 1e-12],
        [NOT_SHOWN, NO_FIGURE, TOO_FEW, NOT_TESTED, clear],
        unclear,
    )  # fmt: skip
    return [str(words) for words in said]


# -- who is compared with whom ------------------------------------------------------------------


def _statistics(statistic: str | Sequence[str]) -> list[str]:
    wanted = [statistic] if isinstance(statistic, str) else list(dict.fromkeys(statistic))
    unknown = [s for s in wanted if s not in STATISTICS]
    if unknown or not wanted:
        raise MeasureError(
            f"statistic={statistic!r}: there are {', '.join(map(repr, STATISTICS))}, or a list "
            "of some."
        )
    return wanted


def _pairs(frame: pd.DataFrame, rows: Ints, reference: str) -> tuple[pd.DataFrame, list[str]]:
    """Positions of the rows compared and of what they are compared with; -1 where it is missing."""
    instrument, notes = load_instrument(), list[str]()
    groups_of = {
        str(b): [str(g) for g in pd.unique(block["group"])]
        for b, block in frame.iloc[rows].groupby("breakdown", sort=False, observed=True)
    }
    named = {b: _reference(instrument, b, groups, reference) for b, groups in groups_of.items()}
    if reference not in (STANDARD, REST, ALL) and not any(named.values()):
        known = "; ".join(f"{b}: {', '.join(g[:8])}" for b, g in list(groups_of.items())[:4])
        raise MeasureError(
            f"reference={reference!r} is a group of no breakdown here ({known}). There are also "
            f"{STANDARD!r}, {REST!r} and {ALL!r}."
        )
    without = [b for b, label in named.items() if not label]
    if reference == STANDARD and without:
        notes.append(NO_REFERENCE.format(breakdowns=", ".join(without)))
        named |= dict.fromkeys(without, REST)
    elif without:
        notes.append(f"{', '.join(without)}: no group {reference!r}; left out.")
    out = {b: not_compared(instrument, b, groups) for b, groups in groups_of.items()}
    if any(out.values()):
        labels = list(dict.fromkeys(g for groups in out.values() for g in groups))
        notes.append(KEPT_OUT.format(groups=", ".join(map(repr, labels))))
    breakdown, group = (frame[c].to_numpy()[rows] for c in ("breakdown", "group"))
    to = np.array([named[b] for b in breakdown], dtype=object)
    kept = np.array(
        [
            bool(t) and g != t and g not in out[b]
            for b, g, t in zip(breakdown, group, to, strict=True)
        ],
        dtype=bool,
    )
    if not kept.any():
        raise MeasureError("No group is left to compare: each is the reference or kept out.")
    at, to = rows[kept], to[kept]
    found = _positions(frame, at, to)
    missing = int(np.count_nonzero((found < 0) & frame["status"].eq("ok").to_numpy()[at]))
    if missing:
        notes.append(
            f"{missing:,} figures have nothing to be compared with: no figure of the reference on "
            "the same weights and release."
        )
    return pd.DataFrame({"at": at, "to": found, "reference": to}), notes


def _reference(instrument: Instrument, breakdown: str, groups: list[str], reference: str) -> str:
    """What the groups of a breakdown are compared with; blank if it has no such group."""
    if reference in (REST, ALL):
        return reference
    label = reference
    if reference == STANDARD:
        parts = [instrument.breakdowns.get(b) for b in breakdown.split(":")]
        labels = [p.reference if p else None for p in parts]
        label = CROSSED.join(x for x in labels if x) if all(labels) else ""
    return label if label in groups else ""


def _positions(frame: pd.DataFrame, at: Ints, to: NDArray[np.object_]) -> Ints:
    """Row of each reference; for the rest and for everyone the row of all staff."""
    whole = np.isin(to, (REST, ALL))
    # In plain objects: categories of one column need not know the labels of the other.
    same = [frame[c].to_numpy(dtype=object) for c in _SAME]
    keys = list(zip(*same, frame["breakdown"].astype(object), frame["group"], strict=True))
    place: dict[tuple[object, ...], int] = {}
    own = frame["statistic"].isin(("percent", "score")) & frame["reference"].eq("")
    for i in np.flatnonzero(own):
        key = keys[i]
        place.setdefault((*key[:-2], OVERALL, "") if key[-2] == OVERALL else key, int(i))
    return np.array(
        [
            place.get((*keys[i][:-2], OVERALL, "") if w else (*keys[i][:-1], label), -1)
            for i, label, w in zip(at, to, whole, strict=True)
        ],
        dtype=np.intp,
    )


def _either(hidden: Mask, pairs: pd.DataFrame) -> Mask:
    at, to = pairs["at"].to_numpy(), pairs["to"].to_numpy()
    return np.asarray(hidden[at] | (hidden[to] & (to >= 0)), dtype=bool)


# -- both sides as arrays -----------------------------------------------------------------------


def _sides(frame: pd.DataFrame, pairs: pd.DataFrame) -> tuple[Side, Side, Floats]:
    """Both sides, and the share of everyone's weight that the group has."""
    at, to = pairs["at"].to_numpy(), pairs["to"].to_numpy()
    group, whole = side_of(frame, at), side_of(frame, to)
    rests = pairs["reference"].isin((REST, ALL)).to_numpy(dtype=bool)
    with np.errstate(divide="ignore", invalid="ignore"):
        inside = np.where(rests, group.weight / whole.weight, np.nan)
    if not rests.any():
        return group, whole, inside
    score = frame["statistic"].eq("score").to_numpy(dtype=bool)[at]
    level = frame["level"].to_numpy(dtype=float)[at]
    rest = _rest(group, whole, score, np.where(np.isnan(level), 0.95, level))
    chosen = {
        f.name: np.where(rests, getattr(rest, f.name), getattr(whole, f.name)) for f in fields(Side)
    }
    return group, Side(**chosen), inside


def _rest(group: Side, whole: Side, score: Mask, level: Floats) -> Side:
    """Everyone who is not in the group, from what everyone's and the group's figures rest on."""
    with np.errstate(divide="ignore", invalid="ignore"):
        base = whole.base - group.base
        weight = whole.weight - group.weight
        squares = whole.weight**2 / whole.effective - group.weight**2 / group.effective
        someone = (base > 0.5) & (weight > 0) & (squares > 0)
        base, weight = np.where(someone, base, np.nan), np.where(someone, weight, np.nan)
        effective = np.minimum(weight**2 / squares, base)
        value = (whole.value * whole.weight - group.value * group.weight) / weight
        value = np.where(score, value, np.clip(value, 0, 100))
        # Sums of weighted squares are additive: mean square = spread and squared mean.
        second = [s.weight * (s.se**2 * s.effective + s.value**2) for s in (whole, group)]
        spread = np.maximum((second[0] - second[1]) / weight - value**2, 0.0)
        p = np.clip(value / 100, 0, 1)
        plain = 1e4 * p * (1 - p) * base / np.maximum(base - 1, 1)
        se = np.sqrt(np.where(score, spread, plain) / effective)
    yes = np.clip(np.round(whole.yes - group.yes, 6), 0, base)
    lower, upper = np.full(value.shape, np.nan), np.full(value.shape, np.nan)
    for one in np.unique(level):
        of = ~score & (level == one) & np.isfinite(p) & np.isfinite(effective)
        low, high = wilson(p[of], effective[of], level=float(one))
        lower[of], upper[of] = 100 * low, 100 * high
    return replace(
        group, value=value, lower=lower, upper=upper, se=se, df=base - 1, base=base,
        effective=effective, weight=weight, yes=yes,
    )  # fmt: skip


# -- figures ------------------------------------------------------------------------------------


def _differences(
    frame: pd.DataFrame, pairs: pd.DataFrame, group: Side, other: Side, share: Floats
) -> pd.DataFrame:
    """The rows of ``statistic="difference"``, before adjustment.

    `share` is the group's part of the reference: 0 unless that is everyone, from whom a group
    differs by what it differs from the rest, less its own part.

    Scores go by the less sure of Welch's t and the t of one common spread. A small group whose
    answers happen to be alike seems to have hardly any spread, and Welch would believe it.
    """
    at, to = pairs["at"].to_numpy(), pairs["to"].to_numpy()
    rows = frame.iloc[at].reset_index(drop=True)
    score = rows["statistic"].eq("score").to_numpy(dtype=bool)
    part = 1 - share
    low, high = mover(*(x for s in (group, other) for x in (s.value, s.lower, s.upper)))
    percent = ~score & np.isfinite(low + high)
    p_value = _test(group, other, percent)
    apart = welch(*(x for s in (group, other) for x in (s.value, s.se, s.df)))
    shared = t_test(
        *(x for s in (group, other) for x in (s.value, s.se * np.sqrt(s.effective), s.effective))
    )
    less_sure = shared.p_value > apart.p_value
    levels = rows["level"].to_numpy(dtype=float)
    lower, upper = np.where(percent, low, np.nan), np.where(percent, high, np.nan)
    for level in np.unique(levels[score & ~np.isnan(levels)]):
        of = score & (levels == level)
        ends = [change.limits(float(level)) for change in (apart, shared)]
        lower[of] = np.fmin(ends[0][0], ends[1][0])[of]
        upper[of] = np.fmax(ends[0][1], ends[1][1])[of]
    known = score & np.isfinite(lower)
    with np.errstate(invalid="ignore"):
        value = part * (group.value - other.value)
        se = part * np.where(percent, np.hypot(group.se, other.se), np.nan)
    there = rows["status"].to_numpy()
    other_status = np.where(to >= 0, frame["status"].to_numpy()[np.maximum(to, 0)], "unavailable")
    status = np.where(there != "ok", there, other_status)
    status = np.where((status == "ok") & np.isnan(value), "not_computable", status)
    base_only = rows["method"].astype(str).str.startswith("base_only").to_numpy(dtype=bool)
    few = ~score & (_rarer(group, other) < FEWEST)
    return rows[list(_KEYS)].assign(
        statistic="difference",
        unit="points",
        value=value,
        lower=part * lower,
        upper=part * upper,
        se=np.where(known, part * np.where(less_sure, shared.se, apart.se), se),
        df=np.select([known & less_sure, known, percent], [shared.df, apart.df, np.inf], np.nan),
        p_value=np.where(known, np.fmax(shared.p_value, apart.p_value), p_value),
        base=np.fmin(group.base, other.base),
        reference=pairs["reference"].to_numpy(),
        status=status,
        method=_methods(
            ["mover", "pooled_t", "welch_t"], [percent, known & less_sure, known], base_only, few
        ),
    )


def _ratios(differences: pd.DataFrame, group: Side, other: Side, share: Floats) -> pd.DataFrame:
    """The rows of ``statistic="ratio"``: their tests are those of the differences."""
    df = np.fmin(group.effective, other.effective) - 1
    weighted = (group.effective < group.base - 1e-6) | (other.effective < other.base - 1e-6)
    df = np.where(weighted, np.maximum(df, 1), group.base + other.base - 2)
    value, lower, upper = (np.full(len(df), np.nan) for _ in range(3))
    method = np.full(len(df), "", dtype=object)
    ok = np.isfinite(group.p + other.p + group.yes + other.yes) & (group.base * other.base > 0)
    levels = differences["level"].to_numpy(dtype=float)
    levels = np.where(np.isnan(levels), 0.95, levels)
    with np.errstate(divide="ignore", invalid="ignore"):
        value[ok] = group.p[ok] / other.p[ok]
        for level in np.unique(levels[ok]):
            of = ok & (levels == level)
            a, b = ({f.name: getattr(s, f.name)[of] for f in fields(Side)} for s in (group, other))
            p1, p2 = np.clip(a["value"] / 100, 0, 1), np.clip(b["value"] / 100, 0, 1)
            lower[of], upper[of], method[of] = ratio_limits(
                p1, p2,
                log_ratio_se(p1, p2, a["se"] / 100, b["se"] / 100),
                df[of],
                yes=(a["yes"], b["yes"]),
                base=(a["base"], b["base"]),
                effective_base=(group.effective_answers[of], other.effective_answers[of]),
                level=float(level),
            )  # fmt: skip
        # Of everyone: r / (share r + 1 - share), with r the ratio to the rest.
        value, lower, upper = (_of_everyone(x, share) for x in (value, lower, upper))
    found = np.isfinite(value)
    status = differences["status"].to_numpy()
    status = np.where((status == "ok") & ~found, "not_applicable", status)  # to nobody at all
    base_only = differences["method"].str.contains("base_only").to_numpy(dtype=bool)
    few = differences["method"].str.contains(FEW, regex=False).to_numpy(dtype=bool)
    return differences.assign(
        statistic="ratio",
        unit="ratio",
        value=value,
        lower=lower,
        upper=np.where(np.isinf(upper), np.nan, upper),
        se=np.nan,
        df=np.nan,
        status=status,
        method=_methods(
            ["log_ratio", "ratio_score"],
            [found & (method == "log"), found & (method == "score")],
            base_only,
            few,
        ),
    )


def _of_everyone(ratio: Floats, share: Floats) -> Floats:
    limit = np.where(share > 0, 1 / np.where(share > 0, share, 1), np.inf)
    found = ratio / (share * ratio + 1 - share)
    return np.asarray(np.where(np.isinf(ratio), limit, found), dtype=np.float64)


def _methods(
    names: list[str], where: list[Mask], base_only: Mask, few: Mask
) -> NDArray[np.object_]:
    """What was done, and what keeps it from being judged."""
    method = np.select(where, names, "").astype(object)
    some = method != ""
    method[some & base_only] += ", base_only"
    method[some & few] += ", " + FEW
    return np.asarray(method, dtype=object)


def _rarer(group: Side, other: Side) -> Floats:
    """Fewest people on either side who gave the answer, or who did not."""
    with np.errstate(invalid="ignore"):
        sides = [np.fmin(s.yes, s.base - s.yes) for s in (group, other)]
        return np.asarray(np.minimum(*sides) + 1e-6, dtype=np.float64)


def _test(group: Side, other: Side, percent: Mask) -> Floats:
    """Test two percentages: z, or the exact tail where that is less sure.

    The z test of a small group against a large one calls too many differences real: of its tail
    only the normal part is counted, and percentages near 0 or 100 have a longer one.
    """
    n, n0 = (np.where(percent, s.effective_answers, np.nan) for s in (group, other))
    p, p0 = (np.where(percent, s.p, np.nan) for s in (group, other))
    found = two_proportions(p, n, p0, n0).p_value
    with np.errstate(invalid="ignore", divide="ignore"):
        share = n / (n + n0)
        together = n * p + n0 * p0
        spread = np.sqrt(together * (1 - together / (n + n0)) * share * (1 - share))
        small = (found < _TAIL) & (spread < _WIDE) & (spread > 0)
    for chosen in np.array_split(np.flatnonzero(small), max(int(small.sum()) // 5_000, 1)):
        if len(chosen):
            exact = _mid_p(n[chosen], p[chosen], n0[chosen], p0[chosen])
            found[chosen] = np.maximum(found[chosen], exact)
    return np.asarray(found, dtype=np.float64)


def _mid_p(n: Floats, p: Floats, n0: Floats, p0: Floats) -> Floats:
    """Twice the hypergeometric tail beyond what was seen and half of what was seen; at most 1."""
    from scipy.special import gammaln

    # Every direction is looked at as "more than expected": by counting no instead of yes.
    p, p0 = np.where(p < p0, 1 - p, p), np.where(p < p0, 1 - p0, p0)
    yes, total = n * p, n * p + n0 * p0
    steps = np.arange(_TERMS)[:, None]
    x = yes + steps
    possible = (x <= np.minimum(n, total) + 1e-9) & (total - x <= n0 + 1e-9)

    def log_choose(of: Floats, many: Floats) -> Floats:
        rest = np.maximum(of - many, 0.0)
        return np.asarray(gammaln(of + 1) - gammaln(many + 1) - gammaln(rest + 1))

    with np.errstate(over="ignore"):  # of terms that are not possible, which are dropped
        terms = np.exp(
            log_choose(n, x)
            + log_choose(n0, np.maximum(total - x, 0.0))
            - log_choose(n + n0, total)
        )
    terms = np.where(possible, terms, 0.0)
    return np.asarray(np.minimum(2 * (terms.sum(axis=0) - terms[0] / 2), 1.0))


def _families(rows: pd.DataFrame) -> list[str]:
    """Name of each row's family: organisation, year, table and reference."""

    def names() -> Iterator[str]:
        columns = ("org", "year", "breakdown", "within", "answer", "weighting", "release")
        for org, year, breakdown, within, answer, weighting, release, to in zip(
            *(rows[c] for c in columns), rows["reference"], strict=True
        ):
            table = breakdown + (f" within {within}" if within else "")
            extra = "".join(
                f", {word}" for word in (weighting, release) if word and word != "unweighted"
            )
            yield f"{org} {year}, {table}{' (answers)' if answer else ''} with {to}{extra}"

    return list(names())

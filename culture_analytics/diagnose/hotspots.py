r"""Where figures stand out: partially pooled estimates of units, hot spots and bright spots.

Two questions, two answers.

**How large is it?** Raw figures of small units scatter by chance alone, and the highest of a
hundred is high mostly by luck. Each unit's figure is drawn towards that of all units, the more the
fewer its answers and the less units differ (:mod:`~culture_analytics.stats.pooling`). A unit unlike
all others would be drawn too far, so that no figure moves by more than one of its own standard
errors (Efron and Morris's limited translation).

**Is it chance?** The raw figure is tested against the rest of the organisation (Fisher's exact test
for counts, t for scores), units that are clear being set aside once so that they do not hide
others, with Benjamini and Hochberg's control of false discoveries over all units and measures of a
year. A spot must pass that, its pooled limits must leave out the organisation's figure, and it must
lie far enough from it to matter.

All of it is computed from figures that may be shown: a unit that is hidden takes no part.

References
----------
Efron B, Morris C (1972). Limiting the risk of Bayes and empirical Bayes estimators, part II.
*Journal of the American Statistical Association* 67:130-139.

Morris CN (1983). Parametric empirical Bayes inference: theory and applications. *Journal of the
American Statistical Association* 78:47-55.

Benjamini Y, Hochberg Y (1995). Controlling the false discovery rate. *Journal of the Royal
Statistical Society B* 57:289-300.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from culture_analytics.compare.derive import adjusted, derived
from culture_analytics.compare.organisations import better
from culture_analytics.errors import AdjustmentError, MeasureError
from culture_analytics.estimates import HIDE, Estimates
from culture_analytics.instrument import load_instrument
from culture_analytics.stats._quantiles import normal_quantile
from culture_analytics.stats.fisher import fisher_exact
from culture_analytics.stats.multilevel import FEWEST_GROUPS
from culture_analytics.stats.multiplicity import adjust_p
from culture_analytics.stats.pooling import pool_rates, pool_scores

__all__ = [
    "BRIGHT",
    "DIFFERENCE",
    "HOT",
    "LEAST",
    "POOLED",
    "falling_units",
    "pooled_units",
    "spots",
]

Floats = NDArray[np.float64]

POOLED, DIFFERENCE = "pooled", "pooled_difference"
HOT, BRIGHT, SMALL = "hot spot", "bright spot", "different, but by little"
LEAST: Mapping[str, float] = {"percent": 3.0, "score": 0.2}
"""Points from the organisation's figure below which a difference is not pointed out."""

_ALPHA = 0.05
_ALONE = "not pooled"
_ASIDE = 0.25  # of units, and of staff: more than that is not a few that stand out
_NOTE = (
    "Pooled figures: each unit is drawn towards all units, the more the fewer its answers, by at "
    "most one standard error. A spot is unlikely to be chance; why it is there the survey cannot "
    "tell."
)
_SAME = ["year", "org", "measure", "weighting", "source", "release"]


class _Units(NamedTuple):
    """Figures of the units of one measure, and of everyone; percentages as proportions."""

    n: Floats  # effective answers
    value: Floats
    se: Floats
    lower: Floats
    upper: Floats
    weight: Floats  # weighted answers
    squares: Floats  # sum of the squared weights: effective answers of parts do not add up, they do
    value_all: Floats  # of everyone a unit is tested within, itself included
    weight_all: Floats
    squares_all: Floats


class _Pooled(NamedTuple):
    value: Floats
    lower: Floats
    upper: Floats
    method: str


def pooled_units(
    estimates: Estimates,
    *,
    by: str,
    least: Mapping[str, float] = LEAST,
    alpha: float = _ALPHA,
    level: float = 0.95,
) -> Estimates:
    """Partially pooled figures of units, and which of them stand out.

    Parameters
    ----------
    estimates
        Result of `calculate` with ``by=`` the units.
    by
        The unit column: ``"directorate"``, ``"team"``.
    least
        Points from the organisation, by `unit` of the figure, below which a clear difference is not
        called a spot. Default `LEAST`.
    alpha
        False-discovery rate of the spots. Default 0.05.
    level
        Confidence level. Default 0.95.

    Returns
    -------
    Estimates
        For every unit and measure a row ``statistic="pooled"`` in the unit of the figure, and a row
        ``pooled_difference``: its distance from the organisation (``reference="all"``), with
        the p-value of the raw figure against the rest, adjusted over the family; `method` is
        ``"hot spot"`` (worse), ``"bright spot"`` (better), ``"different, but by little"``, or says
        nothing, as it does where the limits hold the organisation's figure. Hidden units stay
        hidden, and take no part.

    Raises
    ------
    MeasureError
        There are no figures by that unit, or none of the organisation as a whole.

    Notes
    -----
    Limits of a difference take the organisation's figure as known. With fewer than five units, or
    answers all the same, figures are not pooled and `method` says so; their limits are the units'
    own. Scores without a known spread (published ones) are neither pooled nor tested.

    Each column of units is a family of its own: a team may stand out because its directorate does.
    Measures of a family are of the same staff and may overlap; Benjamini and Hochberg's control
    holds when what they have in common makes them go together.

    References
    ----------
    Efron and Morris (1972); Morris (1983); Benjamini and Hochberg (1995).

    Examples
    --------
    >>> import culture_analytics as ca
    >>> stress = ca.calculate(ca.load_sample(2024), "work_related_stress", by="directorate")
    >>> found = pooled_units(stress, by="directorate").table
    >>> hot = found[found["method"].eq("hot spot")]
    >>> hot["group"].tolist(), hot["value"].round(1).tolist()
    (['Urgent Response and Transport'], [16.0])
    """
    frame = estimates._frame.assign(_hidden=estimates._hidden)
    plain = (
        frame["statistic"].isin(("percent", "score")) & frame["within"].eq("")
        & frame["answer"].eq("") & frame["reference"].eq("")
    )  # fmt: skip
    units = frame[plain & frame["breakdown"].eq(by)]
    everyone = frame[plain & frame["breakdown"].eq("overall")]
    if units.empty or everyone.empty:
        there = ", ".join(b for b in pd.unique(frame["breakdown"]) if b != "overall") or "none"
        raise MeasureError(
            f"No figures of {by!r} beside those of everyone; breakdowns here: {there}. "
            f"Try: calculate(survey, measures, by={by!r})."
        )
    parts = []
    whole = everyone.drop_duplicates(_SAME).set_index(_SAME)
    for key, rows in units.groupby(_SAME, sort=False, observed=True):
        if key in whole.index:
            one: Any = whole.loc[cast("Any", key)]
            parts.append(_of_measure(rows, one, level, alpha))
    if not parts:
        raise MeasureError(f"No figure of {by!r} has one of everyone beside it on its weights.")
    found = pd.concat(parts, ignore_index=True)
    told = found["statistic"].eq(DIFFERENCE).to_numpy()
    way = better(found["measure"])
    family = [
        f"{by} against the rest, {org} {year}"
        for org, year in zip(found["org"], found["year"], strict=True)
    ]
    tested = told & (way != 0) & found["p_value"].notna().to_numpy()
    found = adjusted(found, family, tested, adjust="bh", what="comparisons")
    clear = tested & (found["p_adjusted"] <= alpha).to_numpy()
    value = found["value"].to_numpy(dtype=float)
    far = np.abs(value) >= found["unit"].map(dict(least)).fillna(0.0).to_numpy(dtype=float)
    # The raw figure must lie on the same side: next to the middle, pooling can change sides.
    side = np.sign(value) == np.sign(found["_raw"].to_numpy(dtype=float))
    good = np.sign(value) == way
    # Its own figure may be beyond chance while the pooled limits still reach the organisation's.
    apart = (found["lower"].gt(0) | found["upper"].lt(0)).to_numpy(dtype=bool)
    sure = clear & side & apart
    found["method"] = np.select(
        [sure & far & ~good, sure & far & good, sure & ~far],
        [HOT, BRIGHT, SMALL],
        np.where(told, "", found["method"].to_numpy(dtype=object)),
    )
    if estimates._suppressed_together:
        found[HIDE] = found["_hidden"].to_numpy(dtype=bool)
    return derived(estimates, found.drop(columns=["_hidden", "_raw"]), notes=[_NOTE])


def spots(pooled: Estimates) -> pd.DataFrame:
    """Hot spots and bright spots in words, from the protected view.

    Parameters
    ----------
    pooled
        Result of `pooled_units`.

    Returns
    -------
    DataFrame
        A row a spot: ``year, org, breakdown, group, measure, kind, difference, lower, upper,
        p_adjusted, base, reason``. Hot spots first; among each kind the surest to be large, by the
        limit nearer to the organisation's figure, in standard units of the measure.

    Examples
    --------
    >>> import culture_analytics as ca
    >>> stress = ca.calculate(ca.load_sample(2024), "work_related_stress", by="directorate")
    >>> print(spots(pooled_units(stress, by="directorate"))["reason"].iloc[0])
    Work-related stress: 16.0 points above the organisation (57.8 % against 41.8 %), 145 staff, \
95 % interval 7.9 to 24.2 points
    """
    table = pooled.table
    chosen = table[table["statistic"].eq(DIFFERENCE) & table["method"].isin([HOT, BRIGHT])]
    keys = ["year", "org", "measure", "breakdown", "group", "weighting", "source", "release"]
    value = table[table["statistic"].eq(POOLED)].set_index(keys)["value"]
    rows: list[dict[str, Any]] = []
    records: list[dict[str, Any]] = cast("Any", chosen.to_dict("records"))
    for row in records:
        away = np.sign(row["value"])
        near, far = sorted((away * row["lower"], away * row["upper"]))
        rows.append(
            {
                **{k: row[k] for k in ("year", "org", "breakdown", "group", "measure")},
                "kind": row["method"],
                "difference": row["value"],
                "lower": row["lower"],
                "upper": row["upper"],
                "p_adjusted": row["p_adjusted"],
                "base": row["base"],
                "reason": _reason(row, float(value[tuple(row[k] for k in keys)]), near, far),
                "_sure": near / LEAST[row["unit"]],
            }
        )
    columns = ["year", "org", "breakdown", "group", "measure", "kind", "difference", "lower",
               "upper", "p_adjusted", "base", "reason", "_sure"]  # fmt: skip
    found = pd.DataFrame(rows, columns=columns)
    found["_kind"] = found["kind"].ne(HOT)
    order = found.sort_values(["_kind", "_sure"], ascending=[True, False], kind="stable")
    return order.drop(columns=["_sure", "_kind"]).reset_index(drop=True)


def falling_units(
    pooled: Estimates,
    changes: Estimates,
    *,
    least: Mapping[str, float] = LEAST,
    alpha: float = _ALPHA,
) -> pd.DataFrame:
    """Units that are worse than the organisation and have clearly become worse.

    Parameters
    ----------
    pooled
        Result of `pooled_units`.
    changes
        Result of `compare_years` of the same figures.
    least
        Points from the organisation, by `unit` of the figure, below which a unit is not worse.
        Default `LEAST`.
    alpha
        Level of the adjusted p-value of the change. Default 0.05.

    Returns
    -------
    DataFrame
        ``year, org, breakdown, group, measure, difference, change, since, kind, base``: distance
        from the organisation and change since the earlier year, in points; ``kind`` is the spot's,
        or empty where the unit is worse without standing out. From the protected views.

    Raises
    ------
    MeasureError
        `changes` holds no difference between years.

    Examples
    --------
    >>> import culture_analytics as ca
    >>> stress = ca.calculate(ca.load_sample(), "work_related_stress", by="directorate")
    >>> found = falling_units(pooled_units(stress, by="directorate"), ca.compare_years(stress))
    >>> found.columns.tolist()[:4]
    ['year', 'org', 'breakdown', 'group']
    """
    moved = changes.table
    moved = moved[
        moved["statistic"].eq("difference")
        & moved["reference"].str.fullmatch(r"\d{4}")
        & moved["status"].eq("ok")
        & moved["within"].eq("")
        & moved["answer"].eq("")
    ]
    if moved.empty:
        raise MeasureError("No change between years: give the result of compare_years().")
    now = pooled.table
    now = now[now["statistic"].eq(DIFFERENCE) & now["status"].eq("ok")]
    keys = ["year", "org", "breakdown", "group", "measure", "weighting", "source"]
    both = now[[*keys, "value", "unit", "method", "base"]].merge(
        moved[[*keys, "value", "p_adjusted", "reference"]], on=keys, suffixes=("", "_change")
    )
    way = better(both["measure"])
    far = both["value"].abs() >= both["unit"].map(dict(least)).fillna(0.0)
    worse = (np.sign(both["value"]) == -way) & (way != 0) & far
    fell = (np.sign(both["value_change"]) == -way) & (both["p_adjusted"] <= alpha)
    found: pd.DataFrame = both.loc[(worse & fell).to_numpy(dtype=bool)].rename(
        columns={
            "value": "difference",
            "value_change": "change",
            "reference": "since",
            "method": "kind",
        }
    )
    columns = ["year", "org", "breakdown", "group", "measure", "difference", "change", "since",
               "kind", "base"]  # fmt: skip
    return found.loc[:, columns].reset_index(drop=True)


def _reason(row: Mapping[str, Any], value: float, near: float, far: float) -> str:
    """One sentence: what, by how much, of how many, how surely."""
    measures = load_instrument().measures
    name = measures[row["measure"]].short if row["measure"] in measures else row["label"]
    percent = row["unit"] == "percent"
    digits, sign, best = (1, " %", "") if percent else (2, "", "; 10 is best")
    place = "above" if row["value"] > 0 else "below"
    return (
        f"{name}: {abs(row['value']):.{digits}f} points {place} the organisation "
        f"({value:.{digits}f}{sign} against {value - row['value']:.{digits}f}{sign}{best}), "
        f"{row['base']:,.0f} staff, {100 * row['level']:g} % interval "
        f"{near:.{digits}f} to {far:.{digits}f} points"
    )


def _of_measure(
    rows: pd.DataFrame, whole: pd.Series[Any], level: float, alpha: float
) -> pd.DataFrame:
    """The pooled rows and the rows of differences of one measure in one organisation and year."""
    shown = rows["status"].eq("ok").to_numpy(dtype=bool) & ~rows["_hidden"].to_numpy(dtype=bool)
    percent = rows["unit"].iloc[0] == "percent"
    hundred = 100.0 if percent else 1.0
    k = len(rows)
    value, lower, upper, p = (np.full(k, np.nan) for _ in range(4))
    centre, raw, levels = float("nan"), np.full(k, np.nan), rows["level"].to_numpy(dtype=float)
    method = ""
    known = shown & np.isfinite(rows["value"].to_numpy(dtype=float)) & (_answers(rows) > 0)
    if known.any() and whole["status"] == "ok" and not whole["_hidden"]:
        units = _units(rows[known], whole, hundred)
        pooled = _pool_rates(units, level) if percent else _pool_scores(units, level)
        centre, method = float(whole["value"]), pooled.method
        value[known], lower[known], upper[known] = (hundred * x for x in pooled[:3])
        p[known] = _tested(units, percent=percent, alpha=alpha)
        raw[known] = hundred * units.value - centre
        if not method.startswith(_ALONE):  # their own limits keep their own level
            levels = np.full(k, level)
    keep = ["year", "org", "measure", "label", "answer", "breakdown", "group", "within",
            "within_group", "unit", "base", "weighting", "status", "source", "release",
            "_hidden"]  # fmt: skip
    common = rows[keep].assign(level=levels, _raw=raw)
    computed = np.isfinite(value)
    common["status"] = np.where(
        rows["status"].eq("ok") & ~computed & shown, "not_computable", rows["status"]
    )
    return pd.concat(
        [
            common.assign(
                statistic=POOLED, value=value, lower=lower, upper=upper, method=method,
                p_value=np.nan, reference="",
            ),
            common.assign(
                statistic=DIFFERENCE, value=value - centre, lower=lower - centre,
                upper=upper - centre, method="", p_value=p, reference="all",
            ),
        ]
    )  # fmt: skip


def _answers(rows: pd.DataFrame) -> Floats:
    """Answers of each row that count alike: effective ones where weighted and known."""
    if rows["weighting"].iloc[0] != "unweighted":
        return _known(rows, "effective_base")
    return rows["base"].to_numpy(dtype=float)


def _known(rows: pd.DataFrame, column: str) -> Floats:
    """A base of the rows; the number of answers where it is not known."""
    base, own = (rows[c].to_numpy(dtype=float) for c in ("base", column))
    return np.asarray(np.where(np.isnan(own), base, own), dtype=np.float64)


def _units(rows: pd.DataFrame, whole: pd.Series[Any], hundred: float) -> _Units:
    def column(name: str) -> Floats:
        return rows[name].to_numpy(dtype=float)

    everyone = whole.to_frame().T.assign(weighting=rows["weighting"].iloc[0])
    n, n_all = _answers(rows), _answers(everyone)
    weight, weight_all = n, n_all
    if rows["weighting"].iloc[0] != "unweighted":
        weight, weight_all = (_known(r, "weighted_base") for r in (rows, everyone))
    ones = np.ones(len(rows))
    return _Units(
        n=n,
        value=column("value") / hundred,
        se=column("se") / hundred,
        lower=column("lower") / hundred,
        upper=column("upper") / hundred,
        weight=weight,
        squares=weight**2 / n,
        value_all=float(whole["value"]) / hundred * ones,
        weight_all=weight_all * ones,
        squares_all=weight_all**2 / n_all * ones,
    )


def _tested(units: _Units, *, percent: bool, alpha: float) -> Floats:
    """p-values of the units' own figures against the rest.

    A few units that are far out move what the rest is held to be: others then look better than
    they are, and the few less far out. So units found clear are set aside once, and all are tested
    again against those that are left.
    """
    test = _test_rates if percent else _test_scores
    p = test(units)
    aside = adjust_p(p, method="bh") <= alpha
    most = _ASIDE * units.weight_all[0]
    if not aside.any() or aside.mean() > _ASIDE or units.weight[aside].sum() > most:
        return p
    return test(_setting_aside(units, aside))


def _setting_aside(units: _Units, aside: NDArray[np.bool_]) -> _Units:
    """Everyone less these units; each of them is tested within the others and itself."""

    def left(everyone: Floats, own: Floats) -> Floats:
        return np.asarray(everyone - own[aside].sum() + np.where(aside, own, 0.0))

    weight_all = left(units.weight_all, units.weight)
    total = left(units.weight_all * units.value_all, units.weight * units.value)
    return units._replace(
        squares_all=left(units.squares_all, units.squares),
        weight_all=weight_all,
        value_all=total / weight_all,
    )


def _rest(units: _Units) -> tuple[Floats, Floats]:
    """Figure of everyone else, and their effective answers (Kish); NaN where there is no one."""
    weight, squares = units.weight_all - units.weight, units.squares_all - units.squares
    alone = (weight <= 1e-9 * units.weight_all) | (squares <= 1e-9 * units.squares_all)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = (units.weight_all * units.value_all - units.weight * units.value) / weight
        n = weight**2 / squares
    return np.where(alone, np.nan, value), np.where(alone, np.nan, n)


def _test_rates(units: _Units) -> Floats:
    """Fisher's test of the counts; of weighted figures, of as many effective answers."""
    rest, n_rest = _rest(units)
    n, n_rest = np.maximum(np.round(units.n), 1), np.maximum(np.round(n_rest), 1)
    yes, yes_rest = (
        np.round(np.clip(share, 0, 1) * size) for share, size in ((units.value, n), (rest, n_rest))
    )
    return fisher_exact(yes, n, yes + yes_rest, n + n_rest)


def _test_scores(units: _Units) -> Floats:
    from scipy.special import stdtr

    own, common, df = _spread(units)
    if not common > 0:  # published without a spread, or everyone in a unit answers alike
        return np.full(units.n.size, np.nan)
    rest, n_rest = _rest(units)
    # Whichever is larger: a unit whose answers scatter widely is judged by its own spread.
    t = (units.value - rest) / np.sqrt(np.fmax(own, common) / units.n + common / n_rest)
    return np.asarray(2 * stdtr(df, -np.abs(t)))


def _spread(units: _Units) -> tuple[Floats, float, float]:
    """Variance of a score within each unit, within all of them, and its degrees of freedom."""
    squares = units.se**2 * units.n**2  # `se` divides by the answers, not by one less
    freedom = np.where(np.isfinite(squares), np.maximum(units.n - 1, 0.0), 0.0)
    df = float(freedom.sum())
    with np.errstate(divide="ignore", invalid="ignore"):
        own = np.where(freedom > 0, squares / freedom, np.nan)
    total = float(squares[freedom > 0].sum())
    return own, total / df if df > 0 else float("nan"), df


def _pool_rates(units: _Units, level: float) -> _Pooled:
    n, value = units.n, units.value
    try:
        found = pool_rates(n, np.clip(value, 0, 1) * n, level=level)
    except AdjustmentError:
        return _Pooled(value, units.lower, units.upper, _alone(n.size))
    # In arcsin of the root every proportion of so many answers is as certain, none of them or all
    # included (Anscombe's constants).
    own = _angle((value * n + 0.375) / (n + 0.75))
    limited = _limited(
        _angle(found.value), _angle(found.lower), _angle(found.upper),
        own, 1 / (2 * np.sqrt(n + 0.5)), _angle(units.lower), _angle(units.upper),
    )  # fmt: skip
    value, lower, upper = (np.sin(np.clip(x, 0, np.pi / 2)) ** 2 for x in limited)
    return _Pooled(value, lower, upper, "pooled, rates")


def _pool_scores(units: _Units, level: float) -> _Pooled:
    n, value = units.n, units.value
    _, common, _ = _spread(units)
    if n.size < FEWEST_GROUPS or not common > 0:
        return _Pooled(value, units.lower, units.upper, _alone(n.size))
    se = np.sqrt(common / n)  # a handful of answers says little about its own spread
    found = pool_scores(value, se, level=level)
    z = normal_quantile(level)
    limited = _limited(
        found.value, found.lower, found.upper, value, se, value - z * se, value + z * se
    )
    return _Pooled(*limited, "pooled, scores")


def _alone(units: int) -> str:
    if units < FEWEST_GROUPS:
        return f"{_ALONE}: fewer than {FEWEST_GROUPS} units"
    return f"{_ALONE}: nothing varies"


def _limited(
    pooled: Floats,
    lower: Floats,
    upper: Floats,
    own: Floats,
    se: Floats,
    own_lower: Floats,
    own_upper: Floats,
) -> tuple[Floats, Floats, Floats]:
    """No further from the unit's own figure than its standard error.

    Limits stretch with a figure that is held back. Where they and the unit's own lie a standard
    error apart, the model does not describe this unit: its own limits stand. (Of ordinary units
    with little between them one in a thousand is that far out.)
    """
    value = np.clip(pooled, own - se, own + se)
    shift = value - pooled
    apart = (shift != 0) & ((own_lower - se > upper) | (own_upper + se < lower))
    return (
        value,
        np.where(apart, own_lower, np.minimum(lower, lower + shift)),
        np.where(apart, own_upper, np.maximum(upper, upper + shift)),
    )


def _angle(share: Floats) -> Floats:
    return np.asarray(np.arcsin(np.sqrt(np.clip(share, 0, 1))))

"""`funnel`: which organisations lie further from the common figure than such organisations do."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from culture_analytics.compare.derive import adjusted, derived
from culture_analytics.compare.organisations import ENGLAND, POOL, chosen, organisation_rows
from culture_analytics.errors import MeasureError
from culture_analytics.estimates import HIDE, Estimates
from culture_analytics.stats.funnel import calibrated_funnel, proportion_funnel
from culture_analytics.stats.multiplicity import ADJUSTMENTS

__all__ = ["funnel"]

LEAST = 10  # organisations from which the spread between them can be told
NOTE = (
    "A funnel judges organisations by how far such organisations usually lie apart, not by chance "
    "alone. One outside it is unusual, for reasons a funnel cannot tell."
)
_KEYS = ("year", "org", "measure", "label", "answer", "breakdown", "group", "within",
         "within_group", "weighting", "source", "release")  # fmt: skip


def funnel(
    published: Estimates,
    measures: str | Iterable[str] | None = None,
    *,
    group: str | None = None,
    adjust: str = "bh",
    calibrate: bool = True,
) -> Estimates:
    """Over-dispersed funnel of published percentages, organisation by organisation.

    Parameters
    ----------
    published
        Published results of organisations.
    measures
        Ids, domains or collections; default all percentages.
    group
        A benchmark group; default each group by itself.
    adjust
        Of the p-values, over all organisations and measures of a group and year: ``"bh"``
        (Benjamini and Hochberg), ``"holm"`` or ``"none"``.
    calibrate
        Whether p-values hold their error rate (`culture_analytics.stats.funnel.calibrated_funnel`).
        False gives the usual winsorised funnel of NHS tools, beyond whose 95 % limits about one
        ordinary organisation in nine lies, not one in twenty.

    Returns
    -------
    Estimates
        For every organisation and measure a row ``statistic="funnel_z"``: distance from the
        group's common percentage in standard errors that allow for over-dispersion, above 0 where
        the percentage is higher, with `p_value` and `p_adjusted`. For every group and measure,
        under ``org="ENG"`` and ``breakdown="benchmark_group"``, rows ``funnel_target`` (percent),
        ``funnel_phi`` (1 = chance alone) and ``funnel_tau2``, from which
        `culture_analytics.stats.funnel.arcsine_limits` draws the limits at any base.

    Raises
    ------
    MeasureError
        There is no percentage of ten organisations of a group on the same weights.

    Notes
    -----
    Arcsine scale, additive over-dispersion from winsorised distances. Scores, whose spread is
    not published, have no funnel. Published bases are taken for the number of random answers.

    References
    ----------
    Spiegelhalter (2005) Statistics in Medicine 24:1185; Spiegelhalter et al. (2012) JRSS A 175:1;
    Benjamini and Hochberg (1995) JRSS B 57:289.

    Examples
    --------
    >>> from culture_analytics.compare import funnel
    >>> flags = funnel(published, "stress", group="Community Trusts")  # doctest: +SKIP
    """
    if adjust not in ADJUSTMENTS:
        raise MeasureError(f"adjust={adjust!r}: there are {', '.join(map(repr, ADJUSTMENTS))}.")
    rows = chosen(organisation_rows(published, "funnel()"), measures)
    rows = rows[rows["statistic"].eq("percent") & (rows["base"] > 0)].reset_index(drop=True)
    if group is not None:
        if not rows["benchmark_group"].eq(group).any():
            known = ", ".join(repr(g) for g in pd.unique(rows["benchmark_group"].dropna()))
            raise MeasureError(f"No benchmark group {group!r}; there are: {known}.")
        rows = rows[rows["benchmark_group"].eq(group)].reset_index(drop=True)
    z = np.full(len(rows), np.nan)
    p = np.full(len(rows), np.nan)
    share, base = rows["value"].to_numpy(dtype=float) / 100, rows["base"].to_numpy(dtype=float)
    groups = rows.groupby([*POOL, "benchmark_group"], sort=False, observed=True).indices
    wholes, small = [], 0
    draw = calibrated_funnel if calibrate else proportion_funnel
    for found in groups.values():
        at = np.asarray(found, dtype=np.intp)
        if len(at) < LEAST:
            small += len(at)
            continue
        drawn = draw(np.clip(share[at], 0, 1), base[at])
        z[at], p[at] = drawn.z_od, drawn.p_value
        wholes.append((at[0], 100 * drawn.target, drawn.phi, drawn.tau2, base[at].sum(), len(at)))
    if not wholes:
        raise MeasureError(
            f"No funnel: no measure has figures of {LEAST} organisations of one benchmark group "
            "on the same weights."
        )
    how = "calibrated" if calibrate else "winsorised"
    judged = rows[list(_KEYS)].assign(
        statistic="funnel_z", unit="z", value=z, p_value=p, base=base,
        reference=rows["benchmark_group"].fillna("no benchmark group"),
        method=f"arcsine, {how}", status=np.where(np.isnan(z), "not_applicable", "ok"),
    )  # fmt: skip
    family = [
        f"funnel of {r} {y}" for r, y in zip(judged["reference"], judged["year"], strict=True)
    ]
    judged = adjusted(judged, family, ~np.isnan(p), adjust=adjust, what="figures")
    frame = pd.concat([judged, *_wholes(rows, wholes)], ignore_index=True)
    notes = [NOTE]
    if small:
        notes.append(f"{small:,} figures have no funnel: fewer than {LEAST} organisations alike.")
    if published._suppressed_together:
        frame[HIDE] = False
    return derived(published, frame, notes=notes)


def _wholes(
    rows: pd.DataFrame, wholes: list[tuple[int, float, float, float, float, int]]
) -> list[pd.DataFrame]:
    """What each funnel is drawn from: common percentage, over-dispersion, variance between."""
    at, target, phi, tau2, base, size = (np.array(column) for column in zip(*wholes, strict=True))
    some = rows.iloc[at.astype(np.intp)]
    common = some[list(_KEYS)].assign(
        org=ENGLAND, breakdown="benchmark_group", group=some["benchmark_group"], base=base,
        reference=some["benchmark_group"], status="ok",
        method=[f"of {int(n)} organisations" for n in size],
    )  # fmt: skip
    return [
        common.assign(statistic="funnel_target", unit="percent", value=target),
        common.assign(statistic="funnel_phi", unit="ratio", value=phi),
        common.assign(statistic="funnel_tau2", unit="ratio", value=tau2),
    ]

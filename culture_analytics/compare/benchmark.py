"""`compare_benchmark`: where an organisation stands in its benchmark group, and beside England."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from culture_analytics.compare.comparable import beside
from culture_analytics.compare.contractor import (
    COMPARATOR,
    OWN,
    as_organisation,
    beside_comparator,
    only_contractor,
)
from culture_analytics.compare.derive import adjusted, derived
from culture_analytics.compare.organisations import (
    NOT_ONE,
    POOL,
    better,
    england,
    organisation_rows,
)
from culture_analytics.compare.successions import Merger, Successions, said
from culture_analytics.disclosure.rules import strictest
from culture_analytics.errors import MeasureError
from culture_analytics.estimates import HIDE, Estimates
from culture_analytics.stats.multiplicity import ADJUSTMENTS
from culture_analytics.stats.trend import mover, two_proportions

__all__ = ["LOCAL", "compare_benchmark"]

Ints = NDArray[np.intp]

EARLIEST, LATEST = 2000, 2100  # before and after every survey
LEAST = 3  # organisations among which a place is worth telling
LOCAL = "will differ from your benchmark report"
LOCAL_SOURCES = ("extract", "contractor")
LOCAL_NOTE = (
    "Figures calculated here from respondents, or taken from a contractor's table, " + LOCAL + ": "
    "that report weights an organisation to the mix of occupations of its benchmark group, and "
    "cleans the answers once more. Places and distances are of the published, weighted figure; "
    "rows 'local_difference' say how far the other one lies from it."
)
MEDIAN_NOTE = (
    "The middle of a benchmark group is the median of its organisations' figures, as in benchmark "
    "reports; limits of the distance from it are those of the organisation's own figure alone."
)
_KEYS = ("year", "org", "measure", "label", "answer", "breakdown", "group", "within",
         "within_group", "weighting", "source", "release")  # fmt: skip


def compare_benchmark(
    estimates: Estimates,
    published: Estimates,
    *,
    group: str | None = None,
    adjust: str = "bh",
    org: str | None = None,
    successors: pd.DataFrame | None = None,
) -> Estimates:
    """Rank, percentile and distances of an organisation in its benchmark group.

    Parameters
    ----------
    estimates
        The organisation's results: calculated from respondents, its rows of `published`, or a
        contractor's table. They say which organisations, years and measures are asked about.
    published
        Results of the organisations, as `read_published` gives them; with those of England
        (`concat`) for the distance from England.
    group
        Name of a benchmark group; default each organisation's own.
    adjust
        Of the tests against England, over an organisation's measures: ``"bh"``, ``"holm"`` or
        ``"none"``.
    org
        Code of the organisation that a contractor's table is of, which the table does not say.
    successors
        Organisations that became others, as `load_successors` reads them; default the package's
        list. A figure asked for under another code is named, never taken for the organisation's.

    Returns
    -------
    Estimates
        Under the organisation's keys, with `reference` naming the group or England:

        ``benchmark_best``, ``benchmark_median``, ``benchmark_worst``
            of the group's organisations; `base` is the number of responses of all of them.
        ``rank``
            1 = best; organisations with the same figure share the better rank.
        ``percentile``
            Percentage of the group's other organisations that do worse, those with the same
            figure counted half: 100 = best.
        ``difference``
            Points from the group's median, and from England.
        ``local_difference``
            Figure calculated from respondents, or of a contractor's table, less the published one.

        A contractor's table compared with itself (``compare_benchmark(table, table)``) has rows
        ``difference`` alone, from its comparator: one unweighted row for an unknown set of
        organisations has no best, median, worst or rank, and its spread is not known for a test.

        Measures without a better way round have no best, worst, rank or percentile.

    Raises
    ------
    MeasureError
        No organisation of `estimates` is in `published`, or the group does not exist; a
        contractor's comparator was given as the group of other results.

    Notes
    -----
    Everything rests on the published row of the organisation and on organisations with the same
    weighting, year and release. Published percentages are tested against England as random
    samples of their bases; scores, whose spread is not published, are not tested.

    References
    ----------
    NHS Staff Survey benchmark reports, "Using the report".
    """
    if adjust not in ADJUSTMENTS:
        raise MeasureError(f"adjust={adjust!r}: there are {', '.join(map(repr, ADJUSTMENTS))}.")
    if only_contractor(published):
        return beside_comparator(estimates, published)
    rows = organisation_rows(published, "compare_benchmark()")
    estimates = as_organisation(estimates, org)
    notes: list[str] = []
    own = _own(estimates, rows, notes, Successions.of(successors))
    own["_group"] = group or own["benchmark_group"]
    if group is not None and not rows["benchmark_group"].eq(group).any():
        known = ", ".join(repr(g) for g in pd.unique(rows["benchmark_group"].dropna()))
        raise MeasureError(f"No benchmark group {group!r}; there are: {known}.")
    blocks = [*_places(own, rows, notes), *_england(own, england(published), notes, adjust)]
    local = _local(estimates, own)
    if local is not None:
        blocks.append(local)
        notes.append(LOCAL_NOTE)
    frame = pd.concat(blocks, ignore_index=True)
    if estimates._suppressed_together:
        hide = frame[HIDE] if HIDE in frame else pd.Series(False, index=frame.index)
        frame[HIDE] = hide.eq(True).to_numpy(dtype=bool)
    whose = estimates._frame["source"].isin(LOCAL_SOURCES).any()
    parent = Estimates(
        frame,
        rule=strictest((estimates.rule, published.rule)),
        organisations=published.organisations,
        notes=[*estimates.notes, *published.notes] if whose else published.notes,
        origin=estimates._origin,
    )
    return derived(parent, frame, notes=[*notes, MEDIAN_NOTE])


def _own(
    estimates: Estimates, rows: pd.DataFrame, notes: list[str], successions: Successions
) -> pd.DataFrame:
    """Published rows of the organisations, years and measures that `estimates` are of."""
    frame = estimates._frame
    wholes = frame[
        frame["breakdown"].eq("overall") & frame["answer"].eq("") & frame["within"].eq("")
    ]
    wholes = wholes[~wholes["org"].isin((*NOT_ONE, OWN, COMPARATOR))]
    asked = wholes[["year", "org", "measure"]].drop_duplicates()
    found = asked.merge(rows, on=["year", "org", "measure"])
    renamed = _renamed(asked, rows, successions)
    if found.empty:
        orgs = ", ".join(map(str, pd.unique(asked["org"])[:6])) or "none"
        years = ", ".join(str(y) for y in sorted(pd.unique(rows["year"])))
        raise MeasureError(
            f"The published results ({years}) hold no figure of the organisation(s) asked about "
            f"({orgs}) for these measures and years. Check the code and the year."
            + (f" {renamed}" if renamed else "")
        )
    missing = len(asked) - len(found[["year", "org", "measure"]].drop_duplicates())
    if missing:
        notes.append(f"{missing:,} of {len(asked):,} figures asked about are not published.")
    notes += [renamed] if renamed else []
    return found


def _renamed(asked: pd.DataFrame, rows: pd.DataFrame, successions: Successions) -> str:
    """Organisations asked about that are under other codes in the published results of a year."""
    there = rows[["org", "year"]].drop_duplicates()
    held = set(there.itertuples(index=False, name=None))
    years = pd.unique(rows["year"])
    mergers = []
    for org, year in asked[["org", "year"]].drop_duplicates().itertuples(index=False, name=None):
        if (org, year) in held or year not in years:
            continue
        # What it was made of later on, and what it had become by then.
        later = successions.made(str(org), int(year), LATEST)
        earlier = successions.became(str(org), EARLIEST, int(year))
        mergers += [m for m in (*later, *earlier) if _told(m, int(year), held)]
    if not mergers:
        return ""
    return (
        f"Not placed: {said(mergers)}. A merged organisation is not one of those it was made of, "
        "and theirs are not added up: ask about each under the code that it has in that year."
    )


def _told(merger: Merger, year: int, held: set[tuple[str, int]]) -> bool:
    """Whether the published results of a year hold either side of a merger."""
    return any((org, year) in held for org in (*merger.old, merger.new))


def _places(own: pd.DataFrame, rows: pd.DataFrame, notes: list[str]) -> list[pd.DataFrame]:
    """Best, median, worst, rank, percentile and distance from the median."""
    pools = dict(_grouped(rows, [*POOL, "benchmark_group"]))
    value, base = rows["value"].to_numpy(dtype=float), rows["base"].to_numpy(dtype=float)
    orgs, own_orgs = rows["org"].to_numpy(), own["org"].to_numpy()
    figure, way = own["value"].to_numpy(dtype=float), better(own["measure"])
    best, middle, worst, rank, centile, size, total = (np.full(len(own), np.nan) for _ in range(7))
    for key, asked in _grouped(own, [*POOL, "_group"]):
        at = pools.get(key)
        if at is None:
            continue
        # Members count themselves once; an organisation of another group is one more.
        size[asked] = len(at) + ~np.isin(own_orgs[asked], orgs[at])
        total[asked] = base[at].sum()
        mine = asked[size[asked] >= LEAST]
        if not len(mine):
            continue
        middle[mine] = np.median(value[at])
        up = way[mine[0]]  # one measure, one way round
        if up:
            others, good, ordered = size[mine] - 1, up * figure[mine], np.sort(up * value[at])
            best[mine], worst[mine] = up * ordered[-1], up * ordered[0]
            ahead = len(ordered) - np.searchsorted(ordered, good, side="right")
            behind = np.searchsorted(ordered, good, side="left")
            rank[mine] = 1 + ahead
            centile[mine] = 100 * (behind + (others - ahead - behind) / 2) / others
    few = int(np.count_nonzero(~(size >= LEAST)))
    if few:
        notes.append(
            f"{few:,} figures have no place: fewer than {LEAST} organisations of the group have "
            "one on the same weights."
        )
    among = np.where(size >= LEAST, np.nan_to_num(size), 0).astype(int)
    placed = own[list(_KEYS)].assign(
        reference=own["_group"].fillna("no benchmark group"),
        unit=own["unit"],
        base=total,
        method=[f"of {k} organisations" for k in among],
        status=np.where(among > 0, "ok", "not_applicable"),
    )
    has_way = np.where(way != 0, placed["status"], "not_applicable")
    ranked = placed.assign(base=own["base"], status=has_way)
    distance = placed.assign(
        statistic="difference", unit="points", base=own["base"], method="limits of own figure",
        value=own["value"] - middle, lower=own["lower"] - middle, upper=own["upper"] - middle,
        level=own["level"], reference=placed["reference"] + " (median)",
    )  # fmt: skip
    return [
        placed.assign(statistic="benchmark_best", value=best, status=has_way),
        placed.assign(statistic="benchmark_median", value=middle),
        placed.assign(statistic="benchmark_worst", value=worst, status=has_way),
        ranked.assign(statistic="rank", unit="count", value=rank),
        ranked.assign(statistic="percentile", unit="percent", value=centile),
        distance,
    ]


def _grouped(rows: pd.DataFrame, by: Sequence[str]) -> list[tuple[Hashable, Ints]]:
    """Keys and positions of each group of rows."""
    grouped = rows.groupby(list(by), sort=False, observed=True).indices
    return [(key, np.asarray(at, dtype=np.intp)) for key, at in grouped.items()]


def _england(
    own: pd.DataFrame, country: pd.DataFrame, notes: list[str], adjust: str
) -> list[pd.DataFrame]:
    """Distance from England as published, where the weightings may stand beside each other."""
    if country.empty:
        notes.append(
            "No distance from England: these published results have no row of England. Add the "
            "national workbook with concat()."
        )
        return []
    on = ["year", "measure", "statistic"]
    columns = ["value", "lower", "upper", "base", "weighting", "release", "method"]
    pairs = own.reset_index(names="_own").merge(
        country[[*on, *columns]], on=on, suffixes=("", "_e")
    )
    fit = [beside(a, b) for a, b in zip(pairs["weighting"], pairs["weighting_e"], strict=True)]
    pairs = pairs[np.array(fit, dtype=bool)]
    # One row of England each: of the same release if there is one.
    same = pairs["release"].eq(pairs["release_e"])
    pairs = pairs.assign(_same=~same).sort_values(["_own", "_same"], kind="stable")
    pairs = pairs.drop_duplicates("_own").reset_index(drop=True)
    lost = len(own) - len(pairs)
    if lost:
        notes.append(
            f"{lost:,} figures have no distance from England: none is published for the same year "
            "on weights that may stand beside the organisation's."
        )
    if pairs.empty:
        return []
    means = pairs["method_e"].str.startswith("mean_of_org").to_numpy(dtype=bool)
    sides = [
        pairs[f"{c}{e}"].to_numpy(float) for e in ("", "_e") for c in ("value", "lower", "upper")
    ]
    lower, upper = mover(*sides)
    # Scores of which neither spread is published, and means of organisations, are not tested.
    percent = pairs["statistic"].eq("percent").to_numpy(dtype=bool) & ~means
    p, p0 = (np.where(percent, np.clip(x / 100, 0, 1), np.nan) for x in (sides[0], sides[3]))
    test = two_proportions(p, pairs["base"], p0, pairs["base_e"])
    rows = pairs[list(_KEYS)].assign(
        statistic="difference",
        unit="points",
        value=sides[0] - sides[3],
        lower=np.where(percent, lower, np.nan),
        upper=np.where(percent, upper, np.nan),
        level=np.where(percent, pairs["level"], np.nan),
        se=100 * test.se,
        df=test.df,
        p_value=test.p_value,
        base=pairs["base"],
        reference=np.where(means, "England (mean of organisations)", "England (as published)"),
        method=np.where(percent, "mover, base_only", ""),
        status="ok",
    )
    family = [f"{o} {y} with England" for o, y in zip(rows["org"], rows["year"], strict=True)]
    notes.append(
        "England is the published row of England, which holds the organisation itself; it is "
        "weighted by size as well, which changes nothing for one organisation."
        if not means.all()
        else "England is published here as a mean of organisations, not of people."
    )
    tested = rows["p_value"].notna().to_numpy()
    return [adjusted(rows, family, tested, adjust=adjust, what="comparisons")]


def _local(estimates: Estimates, own: pd.DataFrame) -> pd.DataFrame | None:
    """Figures calculated from respondents, or of a contractor's table, less the published ones."""
    frame = estimates._frame.assign(_dead=estimates._hidden)
    frame = frame[
        frame["source"].isin(LOCAL_SOURCES)
        & frame["breakdown"].eq("overall")
        & frame["answer"].eq("")
        & frame["within"].eq("")
        & frame["status"].eq("ok")
    ]
    if frame.empty:
        return None
    on = ["year", "org", "measure", "statistic"]
    told = own[[*on, "value", "weighting", "release"]].drop_duplicates(on)
    pairs = frame.merge(told, on=on, suffixes=("", "_p"))
    dead = pairs["_dead"].to_numpy(dtype=bool)
    rows = pairs[list(_KEYS)].assign(
        statistic="local_difference",
        unit="points",
        value=pairs["value"] - pairs["value_p"],
        base=pairs["base"].where(~pd.Series(dead, index=pairs.index)),
        reference="published, " + pairs["weighting_p"],
        method=LOCAL,
        status="ok",
    )
    return rows.assign(**{HIDE: dead}) if estimates._suppressed_together else rows

"""The national job done by other tools: the same percentages and standard errors, or the time.

Each peer takes a `Job` and returns a `Result`. Those too slow for the whole job do a share of
it and scale the time up; what they did compute must agree with ours as well.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import culture_analytics as ca

ORGANISATIONS = 212
GROUPS = 7
RTOL = 1e-9
Floats = NDArray[np.float64]


class Result(NamedTuple):
    """Proportions and standard errors, items x cells.

    Cells: organisation x group, group (all organisations), organisation, everyone.
    """

    p: Floats
    se: Floats

    def check(self, other: Result) -> None:
        """Raise AssertionError unless the other agrees to 1e-9."""
        np.testing.assert_allclose(other.p, self.p, rtol=RTOL)
        np.testing.assert_allclose(other.se, self.se, rtol=RTOL)


class Timing(NamedTuple):
    """How long a tool took for the whole job, and what that rests on."""

    tool: str
    seconds: float
    note: str


class Job:
    """What every peer gets: plain arrays, items of 0, 1 and NaN."""

    def __init__(self, survey: ca.Survey, items: list[str]) -> None:
        self.survey = survey
        r = survey.responses
        self.org = r["org"].cat.codes.to_numpy().astype(np.int64)
        self.group = r["ethnic"].cat.codes.to_numpy().astype(np.int64)
        self.w = r["w"].to_numpy()
        self.items = items
        self.y = {item: self._outcome(item) for item in items}
        self.n_h = np.bincount(self.org, minlength=ORGANISATIONS).astype(float)

    def _outcome(self, item: str) -> Floats:
        definition = self.survey.instrument.items[item]
        codes = self.survey.responses[item].cat.codes.to_numpy()
        yes = np.array([a in definition.reported for a in definition.labels] + [False])
        base = np.array([a not in definition.excluded for a in definition.labels] + [False])
        return np.where(base[codes], yes[codes].astype(float), np.nan)

    def frame(self, items: list[str]) -> dict[str, NDArray[Any]]:
        """Columns of a data frame."""
        return {
            "org": self.org,
            "group": self.group,
            "w": self.w,
            **{item: self.y[item] for item in items},
        }

    def share(self, of: int) -> list[str]:
        """One in so many of the items, at least one."""
        return self.items[: max(1, len(self.items) // of)]

    def finish(self, sums: Floats) -> Result:
        """Estimates and SEs of all cells from sums (items, org, group, 4): w, wy, w2, w2y.

        Written plainly, stratum by stratum; shared by the peers that can only add up.
        """
        factor = (self.n_h / (self.n_h - 1))[None, :, None]
        estimates, errors = [], []
        for level in (sums, sums.sum(axis=2, keepdims=True)):
            for together in (False, True):
                total = level.sum(axis=1, keepdims=True) if together else level
                p = total[..., 1] / total[..., 0]
                w, wy, w2, w2y = np.moveaxis(level, -1, 0)
                spread = w2y - 2 * p * w2y + p**2 * w2 - (wy - p * w) ** 2 / self.n_h[:, None]
                v = factor * spread / total[..., 0] ** 2
                v = v.sum(axis=1, keepdims=True) if together else v
                estimates.append(p.reshape(len(p), -1))
                errors.append(np.sqrt(np.maximum(v, 0)).reshape(len(p), -1))
        return Result(np.concatenate(estimates, axis=1), np.concatenate(errors, axis=1))


# -- the whole job ----------------------------------------------------------------------------


def numpy_floor(job: Job) -> None:
    """The three bincounts an item and nothing else: no tool that counts can be faster."""
    cell = (job.org * GROUPS + job.group) * 8
    w2 = job.w**2
    for item in job.items:
        index = cell + job.survey.responses[item].cat.codes.to_numpy() + 1
        for weights in (None, job.w, w2):
            np.bincount(index, weights, minlength=ORGANISATIONS * GROUPS * 8)


def pandas_vectorised(job: Job) -> Result:
    """Four weighted columns an item, added up by groupby."""
    sums = np.empty((len(job.items), ORGANISATIONS, GROUPS, 4))
    w2 = job.w**2
    for k, item in enumerate(job.items):
        y = job.y[item]
        columns = {"w": job.w, "wy": job.w * y, "w2": w2, "w2y": w2 * y}
        frame = pd.DataFrame({"org": job.org, "group": job.group, **columns})[~np.isnan(y)]
        added = frame.groupby(["org", "group"]).sum().to_numpy()
        sums[k] = added.reshape(ORGANISATIONS, GROUPS, 4)
    return job.finish(sums)


def polars_lazy(job: Job) -> Result:
    """One lazy query of four expressions an item."""
    import polars as pl

    frame = pl.DataFrame(job.frame(job.items)).with_columns(pl.col(job.items).fill_nan(None))
    w, w2 = pl.col("w"), pl.col("w") ** 2
    columns = []
    for item in job.items:
        y, known = pl.col(item), pl.col(item).is_not_null()
        columns += [
            w.filter(known).sum().alias(f"{item}.w"),
            (w * y).sum().alias(f"{item}.wy"),
            w2.filter(known).sum().alias(f"{item}.w2"),
            (w2 * y).sum().alias(f"{item}.w2y"),
        ]
    found = frame.lazy().group_by("org", "group").agg(columns).sort("org", "group").collect()
    return job.finish(_by_item(found.drop("org", "group").to_numpy(), job))


def duckdb_sql(job: Job) -> Result:
    """One SQL query of four sums an item."""
    import duckdb

    frame = pd.DataFrame(job.frame(job.items)).rename(columns={"group": "grp"})  # noqa: F841
    terms = []
    for item in job.items:
        y = f"nullif({item}, 'nan'::double)"
        terms += [
            f"sum(case when {y} is not null then w end)",
            f"sum(w * {y})",
            f"sum(case when {y} is not null then w * w end)",
            f"sum(w * w * {y})",
        ]
    query = f"select {', '.join(terms)} from frame group by org, grp order by org, grp"
    found = duckdb.connect().execute(query).fetchnumpy()
    return job.finish(_by_item(np.stack([np.asarray(v) for v in found.values()], axis=1), job))


def _by_item(wide: NDArray[Any], job: Job) -> Floats:
    """Sums of shape (org x group, item x 4) as (items, org, group, 4)."""
    sums = np.asarray(wide, dtype=float).reshape(ORGANISATIONS, GROUPS, len(job.items), 4)
    return sums.transpose(2, 0, 1, 3)


WHOLE: dict[str, tuple[str, Callable[[Job], Result]]] = {  # tool: (module, function)
    "pandas, vectorised": ("pandas", pandas_vectorised),
    "polars": ("polars", polars_lazy),
    "duckdb": ("duckdb", duckdb_sql),
}


# -- a share of the job, scaled up ------------------------------------------------------------


def pandas_naive(job: Job, ours: Result) -> Timing:
    """A function for each group, as often written: estimates, and SEs as if without strata."""
    items = job.share(20)
    start = time.perf_counter()
    frame = pd.DataFrame(job.frame(items))

    def summary(part: pd.DataFrame) -> pd.Series[float]:
        found = {}
        for item in items:
            known = part[item].notna()
            w, y = part.loc[known, "w"], part.loc[known, item]
            p = np.average(y, weights=w)
            found[item] = p
            found[f"{item}_se"] = np.sqrt(np.sum((w * (y - p)) ** 2)) / w.sum()
        return pd.Series(found)

    grouped = [
        frame.groupby(["org", "group"])[["w", *items]].apply(summary),
        frame.groupby("group")[["w", *items]].apply(summary),
        frame.groupby("org")[["w", *items]].apply(summary),
    ]
    everyone = summary(frame)
    seconds = (time.perf_counter() - start) * len(job.items) / len(items)
    for k, item in enumerate(items):
        found = np.concatenate([*(g[item].to_numpy() for g in grouped), [everyone[item]]])
        np.testing.assert_allclose(found, ours.p[k], rtol=RTOL)
    note = f"scaled up from {len(items)} items; estimates agree, SEs ignore the strata"
    return Timing("pandas, a function a group", seconds, note)


def svy_package(job: Job, ours: Result) -> Timing:
    """The survey package svy: domain means of a stratified design, an item at a time.

    Its by= is a domain of the whole design and its drop_nulls= treats those without an answer as
    outside the domain, as R's subset does, so standard errors should be ours exactly.
    """
    import polars as pl
    import svy

    items = job.share(60)
    frame = pl.DataFrame(job.frame(items)).with_columns(pl.col(items).fill_nan(None))
    start = time.perf_counter()
    sample: Any = svy.Sample(data=frame, design=svy.Design(stratum="org", wgt="w"))
    tables = [
        [
            sample.estimation.mean(item, **({"by": by} if by else {}), drop_nulls=True)
            for by in (("org", "group"), "group", "org", None)
        ]
        for item in items
    ]
    seconds = (time.perf_counter() - start) * len(job.items) / len(items)
    for k, by_item in enumerate(tables):
        found = [_sorted(table.to_polars()) for table in by_item]
        p, se = (np.concatenate([f[c].to_numpy() for f in found]) for c in ("est", "se"))
        Result(ours.p[k], ours.se[k]).check(Result(p, se))
    note = f"scaled up from {len(items)} item; agrees to 1e-9"
    return Timing("svy", seconds, note)


def _sorted(table: Any) -> Any:
    """Rows by organisation and group, whichever of them the table has."""
    by = [c for c in ("org", "group") if c in table.columns]
    return table.sort(by) if by else table


R_SCRIPT = """
suppressPackageStartupMessages(library(survey))
d <- read.csv("{path}")
items <- setdiff(names(d), c("org", "group", "w"))
start <- proc.time()[["elapsed"]]
design <- svydesign(~1, strata = ~org, weights = ~w, data = d)
out <- NULL
for (item in items) {{
  part <- subset(design, org < {few})
  r <- svyby(as.formula(paste0("~", item)), ~group + org, part, svymean, na.rm = TRUE)
  out <- rbind(out, data.frame(item = item, org = r$org, group = r$group, p = r[[3]], se = r[[4]]))
}}
seconds <- proc.time()[["elapsed"]] - start
write.csv(format(out, digits = 17), "{path}.out", row.names = FALSE, quote = FALSE)
cat(seconds)
"""


def r_survey(job: Job, ours: Result, few: int = 10) -> Timing:
    """R's survey: svyby over a few organisations of one item."""
    items = job.share(60)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "d.csv"
        pd.DataFrame(job.frame(items)).to_csv(path, index=False)
        script = R_SCRIPT.format(path=path.as_posix(), few=few)
        run = subprocess.run(["Rscript", "-e", script], capture_output=True, text=True, check=True)
        found = pd.read_csv(f"{path}.out")
    seconds = float(run.stdout.strip().split()[-1])
    for k, item in enumerate(items):
        rows = found[found["item"] == item].sort_values(["org", "group"])
        cells = (rows["org"] * GROUPS + rows["group"]).to_numpy()
        theirs = Result(rows["p"].to_numpy(), rows["se"].to_numpy())
        Result(ours.p[k, cells], ours.se[k, cells]).check(theirs)
    whole = seconds * len(job.items) / len(items) * ORGANISATIONS / few
    note = f"scaled up from {len(items)} item in {few} organisations; agrees to 1e-9"
    return Timing("R survey, svyby", whole, note)


def scaled_up(job: Job, ours: Result) -> list[Timing]:
    """The peers that do a share of the job, where installed."""
    found = [pandas_naive(job, ours)]
    if find_spec("svy") and find_spec("polars"):
        found.append(svy_package(job, ours))
    if shutil.which("Rscript"):
        found.append(r_survey(job, ours))
    return found

"""The engine at national size, beside other tools doing the same job.

775,000 respondents x 60 items x (212 organisations x 7 ethnic groups, 212 organisations, 7 groups,
everyone), weighted, stratified by organisation: percentages, standard errors and logit limits.

    python benchmarks/national.py                 # this library and whatever peers are installed
    python benchmarks/national.py --respondents 100000

Peers: a bare numpy floor (the bincounts only), pandas vectorised, pandas with a function for each
group (on a share of the items, scaled up), polars, duckdb, svy, and R's survey if Rscript has it
(on a share, scaled up). Every peer's percentages and standard errors must agree with ours to 1e-9.
Peers are timed for estimates and standard errors only; ours include limits, statuses and the table.
"""

from __future__ import annotations

import argparse
import csv
import gc
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd

import culture_analytics as ca

ORGANISATIONS = 212
GROUPS = 7
ITEMS = 60
LIBRARY = "culture_analytics"
Result = tuple[np.ndarray, np.ndarray]  # estimates and standard errors, items x cells


def respondents(n: int, seed: int = 1) -> ca.Survey:
    """Random answers: what is timed does not depend on what people said."""
    rng = np.random.default_rng(seed)
    instrument = ca.load_instrument()
    items = [
        i
        for i in instrument.items.values()
        if i.kind == "answer" and i.reported and not i.gates and instrument.asked(i.id, 2024)
    ][:ITEMS]
    orgs = [f"Z{k:03d}" for k in range(ORGANISATIONS)]
    size = rng.dirichlet(np.full(ORGANISATIONS, 20.0))
    org = rng.choice(ORGANISATIONS, n, p=size)
    data: dict[str, object] = {
        "org": pd.Categorical.from_codes(org, orgs),
        "year": np.full(n, 2024, dtype="int16"),
    }
    for item in items:
        codes = rng.integers(-1, len(item.labels), n).astype(np.int8)
        data[item.id] = pd.Categorical.from_codes(codes, dtype=item.dtype)
    data["stratum"] = data["org"]
    groups = [f"g{k}" for k in range(GROUPS)]
    data["ethnic"] = pd.Categorical.from_codes(rng.integers(0, GROUPS, n), groups)
    data["w"] = rng.uniform(0.3, 4.0, n)
    return ca.Survey(
        pd.DataFrame(data),
        instrument=instrument,
        design=ca.Design(weights={"w": "w"}, strata="stratum"),
    )


class Job:
    """What every peer gets: plain arrays, and the order of the cells to give back."""

    def __init__(self, survey: ca.Survey) -> None:
        self.survey = survey
        r = survey.responses
        self.org = r["org"].cat.codes.to_numpy().astype(np.int64)
        self.group = r["ethnic"].cat.codes.to_numpy().astype(np.int64)
        self.w = r["w"].to_numpy()
        self.items = [i for i in survey.items if i != "ethnic"]
        self.y = {}
        for item in self.items:
            definition = survey.instrument.items[item]
            codes = r[item].cat.codes.to_numpy()
            yes = np.array([a in definition.reported for a in definition.labels] + [False])
            base = np.array([a not in definition.excluded for a in definition.labels] + [False])
            self.y[item] = np.where(base[codes], yes[codes].astype(float), np.nan)
        self.n_h = np.bincount(self.org, minlength=ORGANISATIONS).astype(float)

    def finish(self, sums: np.ndarray) -> Result:
        """Estimates and SEs of all cells from sums (items, org, group, 5): w, wy, w2, w2y, n.

        Written plainly, stratum by stratum; shared by the peers that can only add up.
        """
        levels = [sums, sums.sum(axis=2, keepdims=True)]
        estimates, errors = [], []
        factor = (self.n_h / (self.n_h - 1))[None, :, None]
        for level in levels:
            for across in (False, True):  # organisations, then all of them together
                total = level.sum(axis=1, keepdims=True) if across else level
                p = total[..., 1] / total[..., 0]
                w, wy, w2, w2y = (level[..., k] for k in range(4))
                squares = w2y - 2 * p * w2y + p**2 * w2
                spread = squares - (wy - p * w) ** 2 / self.n_h[None, :, None]
                v = factor * spread / total[..., 0] ** 2
                v = v.sum(axis=1, keepdims=True) if across else v
                estimates.append(p.reshape(len(p), -1))
                errors.append(np.sqrt(np.maximum(v, 0)).reshape(len(p), -1))
        return np.concatenate(estimates, axis=1), np.concatenate(errors, axis=1)


def ours(job: Job) -> Result:
    """This library, to the finished table's numbers."""
    table = ca.calculate(
        job.survey,
        job.items,
        by="ethnic",
        weight="w",
        rule=ca.Rule.none(reason="comparing figures in a benchmark"),
    ).table
    found = []
    for column in ("value", "se"):
        wide = []
        for breakdown in ("ethnic", "overall"):
            for together in (False, True):
                rows = table[
                    (table["breakdown"] == breakdown) & ((table["org"] == "all") == together)
                ]
                wide.append(rows[column].to_numpy().reshape(len(job.items), -1) / 100)
        found.append(np.concatenate(wide, axis=1))
    return found[0], found[1]


def numpy_floor(job: Job) -> Result | None:
    """The three bincounts an item and nothing else: no bound can be lower."""
    cell = (job.org * GROUPS + job.group) * 8
    w2 = job.w**2
    for item in job.items:
        index = cell + job.survey.responses[item].cat.codes.to_numpy() + 1
        for weights in (None, job.w, w2):
            np.bincount(index, weights, minlength=ORGANISATIONS * GROUPS * 8)
    return None


def pandas_vectorised(job: Job) -> Result:
    """Five weighted columns an item, added up by groupby."""
    sums = np.empty((len(job.items), ORGANISATIONS, GROUPS, 5))
    for k, item in enumerate(job.items):
        y = job.y[item]
        known = ~np.isnan(y)
        frame = pd.DataFrame(
            {
                "org": job.org[known],
                "group": job.group[known],
                "w": job.w[known],
                "wy": job.w[known] * y[known],
                "w2": job.w[known] ** 2,
                "w2y": job.w[known] ** 2 * y[known],
                "n": 1.0,
            }
        )
        sums[k] = frame.groupby(["org", "group"]).sum().to_numpy().reshape(
            ORGANISATIONS, GROUPS, 5
        )  # fmt: skip
    return job.finish(sums)


def pandas_naive(job: Job, share: int = 20) -> tuple[None, float]:
    """A function for each group, as often written; a share of the items, scaled up."""
    items = job.items[: max(1, len(job.items) // share)]
    start = time.perf_counter()
    frame = pd.DataFrame({"org": job.org, "group": job.group, "w": job.w, **{i: job.y[i] for i in items}})

    def summary(part: pd.DataFrame) -> pd.Series:
        found = {}
        for item in items:
            known = part[item].notna()
            w, y = part.loc[known, "w"], part.loc[known, item]
            p = np.average(y, weights=w)
            found[item] = p
            found[item + "_se"] = np.sqrt(np.sum((w * (y - p)) ** 2)) / w.sum()
        return pd.Series(found)

    frame.groupby(["org", "group"]).apply(summary)
    frame.groupby("org").apply(summary)
    summary(frame)
    return None, (time.perf_counter() - start) * len(job.items) / len(items)


def polars_lazy(job: Job) -> Result:
    """One lazy query of five expressions an item."""
    import polars as pl

    frame = pl.DataFrame({"org": job.org, "group": job.group, "w": job.w, **job.y})
    frame = frame.with_columns(pl.col(job.items).fill_nan(None))
    w, w2 = pl.col("w"), pl.col("w") ** 2
    columns = []
    for item in job.items:
        y, known = pl.col(item), pl.col(item).is_not_null()
        columns += [
            w.filter(known).sum().alias(f"{item}.w"),
            (w * y).sum().alias(f"{item}.wy"),
            w2.filter(known).sum().alias(f"{item}.w2"),
            (w2 * y).sum().alias(f"{item}.w2y"),
            y.count().alias(f"{item}.n"),
        ]
    found = frame.lazy().group_by("org", "group").agg(columns).sort("org", "group").collect()
    sums = found.drop("org", "group").to_numpy().astype(float)
    sums = sums.reshape(ORGANISATIONS, GROUPS, len(job.items), 5).transpose(2, 0, 1, 3)
    return job.finish(sums)


def duckdb_sql(job: Job) -> Result:
    """One SQL query of five sums an item."""
    import duckdb

    frame = pd.DataFrame({"org": job.org, "grp": job.group, "w": job.w, **job.y})  # noqa: F841
    terms = []
    for item in job.items:
        y = f"nullif({item}, 'nan'::double)"
        terms += [
            f"sum(case when {y} is not null then w end)",
            f"sum(w * {y})",
            f"sum(case when {y} is not null then w * w end)",
            f"sum(w * w * {y})",
            f"count({y})",
        ]
    query = f"select {', '.join(terms)} from frame group by org, grp order by org, grp"
    found = duckdb.connect().execute(query).fetchnumpy()
    sums = np.stack([np.asarray(v, dtype=float) for v in found.values()], axis=1)
    sums = sums.reshape(ORGANISATIONS, GROUPS, len(job.items), 5).transpose(2, 0, 1, 3)
    return job.finish(sums)


def svy_package(job: Job, share: int = 20) -> tuple[Result, float]:
    """The survey package svy: means by organisation x group; a share of the items, scaled up."""
    import polars as pl
    import svy

    items = job.items[: max(1, len(job.items) // share)]
    frame = pl.DataFrame({"org": job.org, "group": job.group, "w": job.w, **{i: job.y[i] for i in items}})
    frame = frame.with_columns(pl.col(items).fill_nan(None))
    start = time.perf_counter()
    sample = svy.Sample(data=frame, design=svy.Design(stratum="org", wgt="w"))
    for item in items:
        for by in (("org", "group"), ("org",), None):
            sample.estimation.mean(item, **({"by": by} if by else {}), drop_nulls=True)
    return None, (time.perf_counter() - start) * len(job.items) / len(items)  # type: ignore[return-value]


R_SCRIPT = """
suppressPackageStartupMessages(library(survey))
d <- read.csv("{path}")
items <- setdiff(names(d), c("org", "group", "w"))
start <- proc.time()[["elapsed"]]
design <- svydesign(~1, strata = ~org, weights = ~w, data = d)
out <- NULL
for (item in items) {{
  f <- as.formula(paste0("~", item))
  part <- subset(design, org < {few})
  r <- svyby(f, ~group + org, part, svymean, na.rm = TRUE)
  out <- rbind(out, data.frame(item = item, org = r$org, group = r$group, p = r[[3]], se = r[[4]]))
}}
seconds <- proc.time()[["elapsed"]] - start
write.csv(format(out, digits = 17), "{path}.out", row.names = FALSE, quote = FALSE)
cat(seconds)
"""


def r_survey(job: Job, reference: Result, share: int = 60, few: int = 10) -> tuple[None, float]:
    """R's survey: svyby over a few organisations of one item, scaled up; answers checked."""
    items = job.items[: max(1, len(job.items) // share)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "d.csv"
        frame = pd.DataFrame({"org": job.org, "group": job.group, "w": job.w, **{i: job.y[i] for i in items}})
        frame.to_csv(path, index=False)
        script = R_SCRIPT.format(path=path, few=few)
        run = subprocess.run(["Rscript", "-e", script], capture_output=True, text=True, check=True)
        found = pd.read_csv(f"{path}.out")
        seconds = float(run.stdout.strip().split()[-1])
    for k, item in enumerate(items):
        rows = found[found["item"] == item].sort_values(["org", "group"])
        cells = rows["org"].to_numpy() * GROUPS + rows["group"].to_numpy()
        np.testing.assert_allclose(rows["p"], reference[0][k, cells], rtol=1e-9)
        np.testing.assert_allclose(rows["se"], reference[1][k, cells], rtol=1e-9)
    return None, seconds * len(job.items) / len(items) * ORGANISATIONS / few


def timed(function: Callable[[Job], Result | None], job: Job, runs: int) -> tuple[Result | None, float]:
    """Best of some runs: noise only ever adds."""
    best, result = np.inf, None
    for _ in range(runs):
        gc.collect()
        start = time.perf_counter()
        result = function(job)
        best = min(best, time.perf_counter() - start)
    return result, best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--respondents", type=int, default=775_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--csv", type=Path, help="also write the table here")
    args = parser.parse_args()

    survey = respondents(args.respondents)
    job = Job(survey)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    reference, base = timed(ours, job, args.runs)
    assert reference is not None
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    rows: list[tuple[str, float, str]] = [(LIBRARY, base, "all figures, limits and statuses")]
    _, floor = timed(numpy_floor, job, args.runs)
    rows.append(("numpy, bincounts only", floor, "no result: the floor"))
    for name, module, function in (
        ("pandas, vectorised", "pandas", pandas_vectorised),
        ("polars", "polars", polars_lazy),
        ("duckdb", "duckdb", duckdb_sql),
    ):
        if find_spec(module) is None:
            continue
        result, seconds = timed(function, job, 1 if module == "pandas" else args.runs)
        assert result is not None
        np.testing.assert_allclose(result[0], reference[0], rtol=1e-9)
        np.testing.assert_allclose(result[1], reference[1], rtol=1e-9)
        rows.append((name, seconds, "estimates and SEs agree to 1e-9"))
    rows.append(("pandas, a function a group", pandas_naive(job)[1], "scaled up from 3 items"))
    if find_spec("svy"):
        rows.append(("svy", svy_package(job)[1], "scaled up from 3 items"))
    if shutil.which("Rscript"):
        rows.append(
            ("R survey, svyby", r_survey(job, reference)[1],
             "scaled up from 1 item in 10 organisations; agrees to 1e-9")
        )  # fmt: skip
    cells = reference[0].size
    print(f"{platform.processor() or platform.machine()}, Python {platform.python_version()}, "
          f"numpy {np.__version__}, pandas {pd.__version__}")  # fmt: skip
    print(f"{args.respondents:,} respondents, {cells:,} estimates; "
          f"memory added by ours {(after - before) / 1024:.0f} MB\n")  # fmt: skip
    print(f"{'':30}{'seconds':>10}{'times ours':>12}")
    for name, seconds, note in rows:
        print(f"{name:30}{seconds:10.2f}{seconds / base:12.1f}   {note}")
    if args.csv:
        with args.csv.open("w", newline="", encoding="utf-8") as f:
            writer = csv.writer(f)
            writer.writerow(["tool", "seconds", "times_ours", "note"])
            writer.writerows((n, f"{s:.3f}", f"{s / base:.2f}", note) for n, s, note in rows)


if __name__ == "__main__":
    sys.exit(main())

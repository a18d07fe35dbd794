"""How often flags are false: year-on-year changes and funnels of trusts of known truth.

Counts are drawn directly, no respondents: trusts whose true percentage does not move between years
(or that differ from each other by an ordinary, normal spread), judged by `compare_years` and by
`funnel`. Every flag is then false. A rate holds if it is at most 5 % plus two Monte Carlo standard
errors; of forty rates that are exactly 5 % one fails that by chance. From the repository root:

    python benchmarks/false_flags.py             # all settings
    python benchmarks/false_flags.py --runs 50   # fewer runs
    python benchmarks/false_flags.py --seed 10   # other draws
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from culture_analytics.compare import compare_years, funnel
from culture_analytics.disclosure.rules import load_rule
from culture_analytics.estimates import Estimates
from culture_analytics.stats import wilson

LEVEL = 0.05
MEASURES = (
    "work_related_stress", "presenteeism", "hba_patients", "hba_managers", "hba_colleagues",
    "violence_patients", "discrimination_patients", "discrimination_staff",
    "fair_career_progression", "recommend_place_to_work",
)  # fmt: skip
TRUTH = np.array([0.42, 0.55, 0.25, 0.10, 0.18, 0.13, 0.09, 0.08, 0.56, 0.61])
SCORES = ("staff_engagement", "morale", "compassionate_and_inclusive", "team")

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Rate:
    """A share of false flags, or of families with any, and its Monte Carlo standard error."""

    name: str
    rate: float
    error: float

    @property
    def holds(self) -> bool:
        """At most 5 % plus two Monte Carlo standard errors."""
        return self.rate <= LEVEL + 2 * self.error

    def __str__(self) -> str:
        word = "holds" if self.holds else "TOO HIGH"
        return f"{self.name:62s} {100 * self.rate:6.2f} % +- {100 * self.error:.2f}  {word}"


def rate(name: str, flags_by_run: Floats) -> Rate:
    """Mean over runs that are independent of each other."""
    return Rate(
        name, float(flags_by_run.mean()), float(flags_by_run.std(ddof=1) / len(flags_by_run) ** 0.5)
    )


def percentages(
    count: NDArray[np.int64], base: NDArray[np.int64], keys: pd.DataFrame, source: str
) -> pd.DataFrame:
    """Rows as `calculate` (or `read_published`) would give them for these counts."""
    p = count / base
    lower, upper = wilson(p, base)
    local = source == "extract"
    return keys.assign(
        label=keys["measure"], answer="", breakdown=keys.get("breakdown", "overall"),
        group=keys.get("group", "All staff"), within="", within_group="", statistic="percent",
        unit="percent", value=100 * p, lower=100 * lower, upper=100 * upper, level=0.95, base=base,
        se=100 * np.sqrt(p * (1 - p) / np.maximum(base - 1, 1)) if local else np.nan,
        df=base - 1.0 if local else np.nan, status="ok", source=source,
        release="" if local else "one release", method="wilson" if local else "base_only",
        weighting="unweighted",
    )  # fmt: skip


def years(runs: int, respondents: int, *, groups: int = 1, seed: int = 1) -> list[Rate]:
    """Two years of trusts in which nothing changed: `runs` trusts at once."""
    rng = np.random.default_rng(seed)
    orgs = [f"ZZ{k:04d}" for k in range(runs)]
    keys = pd.MultiIndex.from_product(
        [(2022, 2024), orgs, MEASURES, range(groups)], names=["year", "org", "measure", "group"]
    ).to_frame(index=False)
    if groups > 1:
        keys["breakdown"] = "occupation"
    keys["group"] = [f"Group {g}" if groups > 1 else "All staff" for g in keys["group"]]
    truth = np.array([TRUTH[MEASURES.index(m)] for m in keys["measure"]])
    # Answers differ in number from question to question.
    base = rng.binomial(respondents, 0.95, len(keys))
    frame = percentages(rng.binomial(base, truth), base, keys, "extract")
    found = compare_years(Estimates(frame, rule=load_rule("default"))).table
    size = f"{groups} group(s) of {respondents:,}"
    rates = []
    for statistic, column, name in [
        ("difference", "p_value", f"years, percentages, {size}: one by one"),
        ("official_test", "p_value", f"years, percentages, {size}: official test, one by one"),
        ("difference", "p_adjusted", f"years, percentages, {size}: any in family (Holm)"),
    ]:
        rows = found[found["statistic"] == statistic]
        flags = (rows[column] < LEVEL).groupby(rows["org"])
        rates.append(rate(name, (flags.any() if "any" in name else flags.mean()).to_numpy(float)))
    rows = found[found["statistic"] == "difference"]
    changed = (rows["lower"] > 0) | (rows["upper"] < 0)
    by_run = changed.groupby(rows["org"]).mean().to_numpy(float)
    return [*rates, rate(f"years, percentages, {size}: limits leave 0 out", by_run)]


def scores(runs: int, respondents: int, *, seed: int = 2) -> list[Rate]:
    """Scores of two years from skewed answers of one distribution."""
    rng = np.random.default_rng(seed)
    orgs = [f"ZZ{k:04d}" for k in range(runs)]
    keys = pd.MultiIndex.from_product(
        [(2022, 2024), orgs, SCORES], names=["year", "org", "measure"]
    ).to_frame(index=False)
    answers = 10 * rng.beta(4, 2, (len(keys), respondents))
    mean, sd = answers.mean(axis=1), answers.std(axis=1, ddof=1)
    se = sd / respondents**0.5
    frame = keys.assign(
        label=keys["measure"], answer="", breakdown="overall", group="All staff", within="",
        within_group="", statistic="score", unit="score", value=mean, lower=mean - 2 * se,
        upper=mean + 2 * se, level=0.95, base=respondents, se=se, df=respondents - 1.0,
        status="ok", source="extract", release="", method="t", weighting="unweighted",
    )  # fmt: skip
    found = compare_years(Estimates(frame, rule=load_rule("default"))).table
    rows = found[found["statistic"] == "difference"]
    one = (rows["p_value"] < LEVEL).groupby(rows["org"]).mean().to_numpy(float)
    family = (rows["p_adjusted"] < LEVEL).groupby(rows["org"]).any().to_numpy(float)
    size = f"{respondents:,} respondents"
    return [
        rate(f"years, scores, {size}: one by one", one),
        rate(f"years, scores, {size}: any in family (Holm)", family),
    ]


def funnels(runs: int, trusts: int, spread: float, *, seed: int = 3) -> list[Rate]:
    """Trusts that differ by a normal spread, `spread` times their sampling variance."""
    rng = np.random.default_rng(seed)
    orgs = [f"ZZ{k:03d}" for k in range(trusts)]
    places = pd.DataFrame({"org": orgs, "name": orgs, "benchmark_group": "Made-up trusts",
                           "region": None, "ics": None})  # fmt: skip
    keys = pd.MultiIndex.from_product([MEASURES, orgs], names=["measure", "org"]).to_frame(
        index=False
    )
    keys["year"] = 2024
    middle = np.arcsin(np.sqrt(np.repeat(TRUTH, trusts)))
    one, family = [], []
    for _ in range(runs):
        base = np.tile(rng.integers(400, 6000, trusts), len(MEASURES))
        tau2 = spread * np.mean(1 / (4 * base))
        true = np.sin(np.clip(rng.normal(middle, tau2**0.5), 0, np.pi / 2)) ** 2
        frame = percentages(rng.binomial(base, true), base, keys, "published")
        results = Estimates(frame, rule=load_rule("nss-2024"), organisations=places)
        found = funnel(results).table
        rows = found[found["statistic"] == "funnel_z"]
        one.append((rows["p_value"] < LEVEL).mean())
        family.append((rows["p_adjusted"] < LEVEL).any())
    size = f"{trusts} trusts, spread {spread:g}"
    return [
        rate(f"funnel, {size}: one by one", np.array(one, dtype=float)),
        rate(f"funnel, {size}: any of {len(MEASURES)} x {trusts} (BH)", np.array(family, float)),
    ]


def main() -> None:
    """Print every rate."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    runs, seed = given.runs, given.seed
    rates = [
        *years(runs * 8, 3000, seed=seed + 1), *years(runs * 8, 200, seed=seed + 1),
        *years(runs * 8, 60, seed=seed + 1), *years(runs, 400, groups=8, seed=seed + 1),
        *scores(runs * 4, 300, seed=seed + 2), *scores(runs * 4, 30, seed=seed + 2),
    ]  # fmt: skip
    for trusts in (10, 14, 50, 122):
        for spread in (0, 2, 8, 30):
            rates += funnels(max(runs // 4, 2), trusts, spread, seed=seed + 3)
    for found in rates:
        print(found)
    print(f"{sum(r.holds for r in rates)} of {len(rates)} hold 5 % plus two standard errors")


if __name__ == "__main__":
    main()

"""Do hot spots find what is planted, and nothing else? Simulated trusts of known truth. SYNTHETIC.

Figures of units are drawn directly, no respondents, and judged by `pooled_units`. A tenth of the
units is planted as worse by the stated number of points; the others are alike, or differ by an
ordinary spread. From the repository root:

    python benchmarks/hotspots.py             # the whole curve: a few minutes
    python benchmarks/hotspots.py --runs 20   # quicker

Printed: recall of planted units by size of unit and of the excess; how often a trust without any
planted unit has a hot or bright spot; squared error of pooled figures beside raw ones, and how
often their limits hold the truth.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from culture_analytics.diagnose.hotspots import DIFFERENCE, HOT, POOLED, pooled_units
from culture_analytics.disclosure.rules import load_rule
from culture_analytics.estimates import Estimates
from culture_analytics.stats import mean_t, wilson

Floats = NDArray[np.float64]
PERCENT, SCORE = "work_related_stress", "burnout"  # lower is better; higher is better
PLANTED = 0.1
SD = 2.0  # of a score from 0 to 10 within units: 20 on 0 to 100


@dataclass(frozen=True)
class Setting:
    """A kind of trust: its units, their size, and what is planted in some of them.

    Percentages are in points from 0 to 100; points of a score are on 0 to 100 too.
    """

    units: int
    size: int | None  # None: sizes from 11 to 400, most of them small
    rate: float | None  # None: a score
    excess: float = 0.0
    spread: float = 0.0  # standard deviation of the units' true figures, in points
    planted: float = PLANTED


@dataclass(frozen=True)
class Outcome:
    """What came of many trusts."""

    recall: float  # of planted units, share called hot spots
    any_spot: float  # of trusts, share with any spot
    any_spot_error: float  # its Monte Carlo standard error
    false_share: float  # of spots, share that are not planted
    error_ratio: float  # squared error of pooled figures over that of raw ones
    covered: float  # of limits, share that hold the truth
    reliability: float  # median over units: true variance over all
    wrong_side: float  # of spots, share whose truth lies on the other side of the common figure


def trusts(setting: Setting, runs: int, seed: int) -> tuple[Estimates, Floats, NDArray[np.bool_]]:
    """Figures of `runs` trusts, the truth of every unit, and which units are planted."""
    rng = np.random.default_rng([seed, setting.units, setting.size or 0, round(setting.excess)])
    k = setting.units
    size = (
        np.full((runs, k), setting.size)
        if setting.size
        else np.clip(np.exp(rng.normal(3.6, 0.9, (runs, k))), 11, 400).astype(int)
    )
    hot = np.zeros((runs, k), dtype=bool)
    if setting.excess:
        hot[:, : max(round(setting.planted * k), 1)] = True
    if setting.rate is None:
        # Worse is lower.
        truth = 5 + (rng.normal(0, setting.spread, (runs, k)) - setting.excess * hot) / 10
        mean = rng.normal(truth, SD / np.sqrt(size))
        squares = SD**2 * rng.chisquare(size - 1)
        return _estimates(size, mean, squares), truth.ravel(), hot.ravel()
    truth = setting.rate + rng.normal(0, setting.spread, (runs, k)) + setting.excess * hot
    truth = np.clip(truth, 0.5, 99.5)
    return _estimates(size, rng.binomial(size, truth / 100)), truth.ravel(), hot.ravel()


def _estimates(size: NDArray[np.int64], first: Floats, squares: Floats | None = None) -> Estimates:
    """Rows as `calculate` would give them: counts that say yes, or means and sums of squares."""
    runs, k = size.shape
    n = np.concatenate([size.sum(axis=1)[:, None], size], axis=1).astype(float)
    if squares is None:
        value = np.concatenate([first.sum(axis=1)[:, None], first], axis=1) / n
        lower, upper = wilson(value, n)
        se = np.sqrt(value * (1 - value) / n)
        hundred, measure, unit = 100.0, PERCENT, "percent"
    else:
        mean = (size * first).sum(axis=1) / n[:, 0]
        between = (size * (first - mean[:, None]) ** 2).sum(axis=1)
        value = np.concatenate([mean[:, None], first], axis=1)
        total = np.concatenate([(squares.sum(axis=1) + between)[:, None], squares], axis=1)
        se = np.sqrt(total) / n
        lower, upper = mean_t(value, se, n - 1)
        hundred, measure, unit = 1.0, SCORE, "score"
    names = ["All staff", *(f"Unit {i:03d}" for i in range(k))]
    frame = pd.DataFrame(
        {
            "org": np.repeat([f"ZZ{r:04d}" for r in range(runs)], k + 1),
            "group": names * runs,
            "breakdown": ["overall", *["team"] * k] * runs,
            "value": hundred * value.ravel(), "lower": hundred * lower.ravel(),
            "upper": hundred * upper.ravel(), "se": hundred * se.ravel(),
            "base": n.ravel(), "effective_base": n.ravel(), "weighted_base": n.ravel(),
        }
    )  # fmt: skip
    frame = frame.assign(
        year=2024, measure=measure, label=measure, answer="", within="", within_group="",
        statistic=unit, unit=unit, level=0.95, df=frame["base"] - 1, weighting="unweighted",
        method="", status="ok", source="extract", release="", reference="",
    )  # fmt: skip
    return Estimates(frame, rule=load_rule("default"))


def judge(setting: Setting, *, runs: int, seed: int = 1) -> Outcome:
    """Judge many trusts of one kind."""
    estimates, truth, hot = trusts(setting, runs, seed)
    found = pooled_units(estimates, by="team")._frame
    pooled = found[found["statistic"].eq(POOLED)]
    told = found[found["statistic"].eq(DIFFERENCE)]
    own = estimates._frame
    own = own[own["breakdown"].eq("team")]
    called = told["method"].eq(HOT).to_numpy()
    spot = told["method"].ne("").to_numpy()
    false = (spot & ~(called & hot)).reshape(runs, -1)
    number = spot.reshape(runs, -1).sum(axis=1)
    any_spot = number > 0
    raw = own["value"].to_numpy(dtype=float)
    value, lower, upper = (pooled[c].to_numpy(dtype=float) for c in ("value", "lower", "upper"))
    between = (setting.spread / (1 if setting.rate is not None else 10)) ** 2
    chance = own["se"].to_numpy(dtype=float) ** 2
    common = 5.0 if setting.rate is None else setting.rate
    told_up = told["value"].to_numpy(dtype=float) > 0
    wrong = (told_up != (truth > common))[spot]
    return Outcome(
        recall=float(called[hot].mean()) if hot.any() else float("nan"),
        any_spot=float(any_spot.mean()),
        any_spot_error=float(np.sqrt(any_spot.mean() * (1 - any_spot.mean()) / runs)),
        false_share=float((false.sum(axis=1) / np.maximum(number, 1)).mean()),
        error_ratio=float(np.mean((value - truth) ** 2) / np.mean((raw - truth) ** 2)),
        covered=float(np.mean((lower <= truth) & (truth <= upper))),
        reliability=float(np.median(between / np.maximum(between + chance, 1e-12))),
        wrong_side=float(wrong.mean()) if spot.any() else 0.0,
    )


def recall_curve(runs: int, units: Iterable[int] = (30, 400)) -> pd.DataFrame:
    """Recall by number of units, what is measured, excess and size of unit."""
    rows = []
    for k in units:
        for name, rate, sizes in (
            ("10 %", 10.0, (25, 50, 100, 200, 400)),
            ("40 %", 40.0, (25, 50, 100, 200, 400)),
            ("score", None, (15, 25, 40, 80, 160)),
        ):
            for excess in (5, 10, 15, 20):
                for n in sizes:
                    found = judge(Setting(k, n, rate, excess), runs=max(runs * 30 // k, 8))
                    rows.append(
                        {
                            "units": k, "of": name, "excess": excess, "n": n,
                            "recall": found.recall, "false_share": found.false_share,
                        }
                    )  # fmt: skip
    return pd.DataFrame(rows)


def main() -> None:
    """Print everything."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=100)
    runs = parser.parse_args().runs
    curve = recall_curve(runs)
    print("Recall of planted hot spots, % (a tenth of the units planted)")
    table = curve.pivot_table(index=["units", "of", "excess"], columns="n", values="recall")
    print((100 * table).round(0).to_string(na_rep=""))
    share = curve["false_share"]
    error = share.std(ddof=1) / len(share) ** 0.5
    print(f"Share of spots that are not planted: {100 * share.mean():.1f} % +- {100 * error:.1f}")
    print("\nNone planted, all units alike: trusts with any spot")
    for k in (30, 400):
        for rate in (10.0, 40.0, None):
            for size in (15, 40, 100, None):
                found = judge(Setting(k, size, rate), runs=runs * 10 if k == 30 else runs)
                word = "holds" if found.any_spot <= 0.05 + 2 * found.any_spot_error else "TOO HIGH"
                print(
                    f"  {k} units, {rate or 'score'}, n {size or 'mixed'}: "
                    f"{100 * found.any_spot:.1f} % +- {100 * found.any_spot_error:.1f}  {word}"
                )
    print("\nOrdinary spread, none planted: squared error of pooled over raw, coverage")
    for k in (9, 30, 400):
        for rate, spreads in ((10.0, (0, 1, 2, 4)), (40.0, (0, 2, 4, 8)), (None, (0, 1, 3, 6))):
            for spread in spreads:
                found = judge(Setting(k, None, rate, spread=spread), runs=max(runs * 30 // k, 10))
                print(
                    f"  {k} units, {rate or 'score'}, spread {spread} points, median reliability "
                    f"{found.reliability:.2f}: error ratio {found.error_ratio:.2f}, "
                    f"covered {100 * found.covered:.1f} %, spots on the wrong side "
                    f"{100 * found.wrong_side:.1f} %"
                )


if __name__ == "__main__":
    main()

"""How often each interval holds the true value, by simulation; the table of docs/reference.

    python benchmarks/coverage.py                                    # print, a few minutes
    python benchmarks/coverage.py --write --machine "2 cores, ..." --date 2026-01-31

Every interval offered, for rates of 1 to 50 %, bases of 11 to 5,000 and weights with Kish effects
of 1 to 3, in groups of a larger sample. Without weights the coverage is exact: every outcome is
worked out and weighed by its probability. With weights it is simulated, with a fixed seed.
``--write`` fills docs/reference/intervals.md.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import ndtri
from scipy.stats import beta as beta_distribution
from scipy.stats import binom, gamma

from culture_analytics.stats import (
    beta,
    kish,
    logit,
    logit_beta,
    logit_t,
    mean_t,
    percentage_limits,
    score_limits,
    wilson,
    wilson_weighted,
)

RATES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5)
BASES = (11, 20, 50, 100, 200, 500, 1000, 5000)
KISH = (1.0, 1.5, 2.0, 3.0)
CLASSES = 20  # different weights in a sample
STRATA = 5
OUTSIDE = 20  # respondents of the sample for each one in the group
MEAN_TARGET, LOWEST_TARGET = 94.5, 92.0

Floats = NDArray[np.float64]


class Outcomes(NamedTuple):
    """What was seen in each possible, or simulated, sample."""

    p: Floats  # proportion, or mean score
    se: Floats
    df: Floats
    n: Floats
    effective: Floats


Method = Callable[[Outcomes], tuple[Floats, Floats]]

PERCENTAGES: dict[str, Method] = {
    "wilson (on Kish's effective base)": lambda o: wilson(o.p, o.effective),
    "wilson_weighted": lambda o: wilson_weighted(o.p, o.se, o.n, o.effective),
    "logit (where it has limits)": lambda o: logit(o.p, o.se, o.df),
    "beta": lambda o: beta(o.p, o.se, o.df, o.n, effective_n=o.effective),
    "logit_beta": lambda o: logit_beta(o.p, o.se, o.df, o.n, effective_n=o.effective),
    "**given without strata**": lambda o: percentage_limits(*o)[:2],
    "**given with strata**": lambda o: percentage_limits(*o, by_design=True)[:2],
}
GIVEN = list(PERCENTAGES)[-2:]
SCORES: dict[str, Method] = {
    "t": lambda o: mean_t(o.p, o.se, o.df, bounds=(0, 10)),
    "logit_t": lambda o: logit_t(o.p, o.se, o.df, o.n, o.effective),
    "**given**": lambda o: score_limits(*o)[:2],
}
SHAPES = {  # of scores from 0 to 10 by half points: mean, standard deviation
    "spread over the scale (as appraisals)": (5.0, 3.2),
    "usual (as most elements)": (6.5, 1.9),
    "crowded at the top (as diversity and equality)": (8.1, 1.9),
}


def coverage(limits: tuple[Floats, Floats], truth: float, chance: Floats | None = None) -> float:
    """Per cent of samples whose limits hold the truth, among those that have limits."""
    lower, upper = limits
    known = ~np.isnan(lower)
    holds = (lower <= truth) & (truth <= upper)
    weight = known.astype(np.float64) if chance is None else known * chance
    total = float(weight.sum())
    return 100 * float(weight[holds].sum()) / total if total > 0 else np.nan


# -- samples ------------------------------------------------------------------------------


class Weights(NamedTuple):
    """Classes of respondents with one weight each."""

    weight: Floats
    size: NDArray[np.int64]  # respondents of each class; they add up to the base

    @property
    def effect(self) -> float:
        """Kish effect: base / effective base."""
        total, squares = self.weight @ self.size, self.weight**2 @ self.size
        return float(self.size.sum() * squares / total**2)


def weights(n: int, effect: float, shape: str = "log-normal") -> Weights:
    """`n` weights of mean 1 with the Kish effect wanted."""
    size = np.full(min(n, CLASSES), n // min(n, CLASSES))
    size[: n % size.size] += 1
    middle = (np.arange(size.size) + 0.5) / size.size
    if shape == "one in ten heavy":
        size = np.array([n - max(1, round(n / 10)), max(1, round(n / 10))])
    spread: dict[str, Callable[[float], Floats]] = {
        "log-normal": lambda s: np.exp(s * ndtri(middle)),
        "gamma": lambda s: gamma.ppf(middle, 1 / s) + 1e-9,
        "one in ten heavy": lambda s: np.array([1.0, 1.0 + s]),
    }
    if effect == 1:
        return Weights(np.ones(size.size), size)

    def found(s: float) -> Weights:
        w = spread[shape](s)
        return Weights(w * n / (w @ size), size)

    most = 30.0 if shape == "one in ten heavy" else 8.0
    return found(brentq(lambda s: found(s).effect - effect, 1e-3, most))


def exact(n: int, rates: Floats) -> tuple[Outcomes, Floats]:
    """Every outcome of an unweighted group; its chance at each rate, shape (rates, outcomes)."""
    yes = np.arange(n + 1.0)
    p = yes / n
    people = OUTSIDE * n
    se = np.sqrt(p * (1 - p) / n * people / (people - 1))
    base = np.full(p.shape, float(n))
    outcomes = Outcomes(p, se, base - 1, base, base)
    return outcomes, binom.pmf(yes[None, :], n, np.atleast_1d(rates)[:, None])


def simulated(
    classes: Weights,
    rate: Floats | float,
    draws: int,
    rng: np.random.Generator,
    *,
    strata: int = 1,
    at_random: bool = False,
) -> Outcomes:
    """Weighted percentages, and their standard errors, of simulated groups.

    Neighbouring classes form the strata. With `at_random` people fall into classes, and so into
    strata, by chance; otherwise each class has its number.
    """
    w, n = classes.weight, int(classes.size.sum())
    size = (
        rng.multinomial(n, classes.size / n, size=draws)
        if at_random
        else np.broadcast_to(classes.size, (draws, w.size))
    ).astype(np.float64)
    yes = rng.binomial(size.astype(np.int64), rate).astype(np.float64)
    total, squares = size @ w, size @ w**2
    p = yes @ w / total
    p = np.where(np.abs(p - np.round(p)) < 1e-12, np.round(p), p)
    variance, occupied = np.zeros(draws), np.zeros(draws)
    for stratum in np.array_split(np.arange(w.size), strata):
        people = OUTSIDE * float(classes.size[stratum].sum())
        ws, ys, ns = w[stratum], yes[:, stratum], size[:, stratum]
        spread = ys @ ws**2 * (1 - 2 * p) + p**2 * (ns @ ws**2)
        sum_z = ys @ ws - p * (ns @ ws)
        variance += people / (people - 1) * np.maximum(spread - sum_z**2 / people, 0)
        occupied += ns.sum(axis=1) > 0
    return Outcomes(
        p,
        np.sqrt(variance) / total,
        n - occupied,
        np.full(draws, float(n)),
        kish(total, squares),
    )


def scores(mean: float, sd: float) -> tuple[Floats, Floats]:
    """Points 0, 0.5 ... 10 and how likely each is: a beta distribution, cut into steps."""
    points = np.arange(0, 10.25, 0.5)
    m, v = mean / 10, (sd / 10) ** 2
    k = m * (1 - m) / v - 1
    edges = np.clip((np.concatenate([points - 0.25, [10.25]])) / 10, 0, 1)
    return points, np.diff(beta_distribution.cdf(edges, m * k, (1 - m) * k))


def simulated_scores(
    classes: Weights, points: Floats, chance: Floats, draws: int, rng: np.random.Generator
) -> Outcomes:
    """Weighted means, and their standard errors, of simulated groups."""
    n = int(classes.size.sum())
    sums = np.zeros((3, draws))  # of w y, w^2 y, w^2 y^2
    for w, size in zip(classes.weight, classes.size, strict=True):
        if size < 2 * points.size:
            y = points[rng.choice(points.size, (draws, size), p=chance)]
            first, second = y.sum(axis=1), (y**2).sum(axis=1)
        else:
            count = rng.multinomial(size, chance, size=draws)
            first, second = count @ points, count @ points**2
        sums += np.stack([w * first, w**2 * first, w**2 * second])
    total, squares = classes.weight @ classes.size, classes.weight**2 @ classes.size
    mean = sums[0] / total
    variance = np.maximum(sums[2] - 2 * mean * sums[1] + mean**2 * squares, 0)
    people = OUTSIDE * n
    base = np.full(draws, float(n))
    se = np.sqrt(variance * people / (people - 1)) / total
    return Outcomes(mean, se, base - 1, base, np.full(draws, float(kish(total, squares))))


# -- coverage over the grid -----------------------------------------------------------------


class Point(NamedTuple):
    """Coverage of one method at one point of the grid, in per cent."""

    effect: float
    base: int
    rate: float
    covered: float
    averaged: float = np.nan
    """The same, averaged over rates half an answer to either side (unweighted only)."""


Grid = dict[str, list[Point]]


def unweighted(methods: dict[str, Method], rates: Iterable[float], bases: Iterable[int]) -> Grid:
    """Exact coverage of each method, at the rate and averaged around it."""
    grid: Grid = {name: [] for name in methods}
    for n in bases:
        for rate in rates:
            around = rate + np.linspace(-0.5, 0.5, 101) / n
            around = np.append(around[(around > 0) & (around < 1)], rate)
            outcomes, chances = exact(n, around)
            for name, method in methods.items():
                limits = method(outcomes)
                covered = [
                    coverage(limits, r, chance) for r, chance in zip(around, chances, strict=True)
                ]
                averaged = float(np.mean(covered[:-1]))
                grid[name].append(Point(1.0, n, rate, covered[-1], averaged))
    return grid


def weighted(
    methods: dict[str, Method],
    rates: Iterable[float],
    bases: Iterable[int],
    effects: Iterable[float],
    draws: int,
    seed: int,
    *,
    shape: str = "log-normal",
    slope: float = 0.0,
    strata: int = 1,
) -> Grid:
    """Simulated coverage of each method; with a `slope` the rate goes as weight ** slope."""
    grid: Grid = {name: [] for name in methods}
    cells = [(effect, n, rate) for effect in effects for n in bases for rate in rates]
    for number, (effect, n, rate) in enumerate(cells):
        rng = np.random.default_rng([seed, number])
        classes = weights(n, effect, shape)
        mass = classes.weight * classes.size
        relative = classes.weight**slope
        of_class = np.minimum(rate * relative / (mass @ relative / mass.sum()), 0.97)
        truth = float(mass @ of_class / mass.sum())
        outcomes = simulated(
            classes, of_class, draws, rng, strata=strata, at_random=slope != 0 or strata > 1
        )
        for name, method in methods.items():
            grid[name].append(Point(effect, n, rate, coverage(method(outcomes), truth)))
    return grid


def of_scores(
    methods: dict[str, Method],
    shape: tuple[float, float],
    bases: Iterable[int],
    effects: Iterable[float],
    draws: int,
    seed: int,
) -> Grid:
    """Simulated coverage of the limits of a mean score."""
    grid: Grid = {name: [] for name in methods}
    points, chance = scores(*shape)
    truth = float(points @ chance)
    cells = [(effect, n) for effect in effects for n in bases]
    for number, (effect, n) in enumerate(cells):
        rng = np.random.default_rng([seed, number])
        outcomes = simulated_scores(weights(n, effect), points, chance, draws, rng)
        for name, method in methods.items():
            grid[name].append(Point(effect, n, np.nan, coverage(method(outcomes), truth)))
    return grid


# -- tables ---------------------------------------------------------------------------------


def summary(points: list[Point]) -> str:
    """Mean, lowest and where, and whether the target is met, as cells of a table."""
    covered = np.array([p.covered for p in points])
    low = points[int(covered.argmin())]
    rate = "" if np.isnan(low.rate) else f"{low.rate:.0%}, "
    met = covered.mean() >= MEAN_TARGET and low.covered >= LOWEST_TARGET
    where = f"{low.covered:.1f} ({rate}base {low.base:,})"
    return f"{covered.mean():.1f} | {where} | {'yes' if met else 'no'}"


def by_effect(grid: Grid) -> list[str]:
    """A line for each interval and Kish effect."""
    lines = ["| interval | Kish effect | mean | lowest | target met |", "|---|---|---|---|---|"]
    for name, points in grid.items():
        for effect in dict.fromkeys(p.effect for p in points):
            kind = (
                "1 (exact)" if effect == 1 and not np.isnan(points[0].averaged) else f"{effect:g}"
            )
            some = [p for p in points if p.effect == effect]
            lines.append(f"| {name} | {kind} | {summary(some)} |")
        lines.append(f"| {name} | all | {summary(points)} |")
    return lines


def averaged(grid: Grid) -> list[str]:
    """The unweighted points again, averaged over a neighbourhood of each rate."""
    lines = ["| interval | mean | lowest | target met |", "|---|---|---|---|"]
    for name, points in grid.items():
        some = [p._replace(covered=p.averaged) for p in points if p.effect == 1]
        lines.append(f"| {name} | {summary(some)} |")
    return lines


def floor_of_wilson(bases: Iterable[int]) -> list[str]:
    """Lowest exact coverage of Wilson's limits over all rates from 1 to 50 %."""
    lines = ["| base | lowest | at a rate of | share of rates under 92 % |", "|---|---|---|---|"]
    rates = np.linspace(0.01, 0.5, 2451)
    for n in bases:
        outcomes, chances = exact(n, rates)
        lower, upper = wilson(outcomes.p, outcomes.n)
        holds = (lower[None, :] <= rates[:, None]) & (rates[:, None] <= upper[None, :])
        covered = 100 * (holds * chances).sum(axis=1)
        low = int(covered.argmin())
        lines.append(
            f"| {n:,} | {covered[low]:.1f} | {rates[low]:.1%} "
            f"| {np.mean(covered < LOWEST_TARGET):.1%} |"
        )
    return lines


def rates_by_bases(points: list[Point], effect: float) -> list[str]:
    """Coverage at every point of the grid for one Kish effect."""
    some = {(p.rate, p.base): p.covered for p in points if p.effect == effect}
    lines = [
        "| rate | " + " | ".join(f"{n:,}" for n in BASES) + " |",
        "|---|" + "---|" * len(BASES),
    ]
    for rate in RATES:
        cells = " | ".join(f"{some[rate, n]:.1f}" for n in BASES)
        lines.append(f"| {rate:.0%} | {cells} |")
    return lines


def tables(draws: int, seed: int) -> list[str]:
    """Everything that stands between the markers."""
    effects = [k for k in KISH if k > 1]
    grid = unweighted(PERCENTAGES, RATES, BASES)
    for name, points in weighted(PERCENTAGES, RATES, BASES, effects, draws, seed).items():
        grid[name] += points
    given = {name: PERCENTAGES[name] for name in GIVEN}
    lines = ["### Percentages", "", *by_effect(grid)]
    lines += ["", "### Percentages without weights, averaged over half an answer either side", ""]
    lines += averaged(grid)
    lines += ["", "### Floor of Wilson's limits without weights, any rate from 1 to 50 %", ""]
    lines += floor_of_wilson(BASES)
    for effect in (1.0, 3.0):
        lines += ["", f"### Limits given without strata, Kish effect {effect:g}, by base", ""]
        lines += rates_by_bases(grid[GIVEN[0]], effect)
    lines += ["", "### Percentages, harder cases", ""]
    lines += ["| case | interval | mean | lowest | target met |", "|---|---|---|---|---|"]
    cases: dict[str, dict[str, object]] = {
        "weights of a gamma distribution": {"shape": "gamma"},
        "one person in ten weighs far more": {"shape": "one in ten heavy"},
        f"{STRATA} strata": {"strata": STRATA},
        f"{STRATA} strata, rate rises with weight": {"strata": STRATA, "slope": 0.3},
        f"{STRATA} strata, rate falls with weight": {"strata": STRATA, "slope": -0.3},
        "rate rises with weight": {"slope": 0.3},
    }
    for number, (case, options) in enumerate(cases.items(), start=1):
        chosen = {GIVEN[1]: given[GIVEN[1]]} if "strata" in options else given
        found = weighted(chosen, RATES, BASES, effects, draws, seed + number, **options)  # type: ignore[arg-type]
        lines += [f"| {case} | {name} | {summary(points)} |" for name, points in found.items()]
    lines += ["", "### Scores", ""]
    for number, (case, shape) in enumerate(SHAPES.items(), start=101):
        found = of_scores(SCORES, shape, BASES, KISH, draws // 2, seed + number)
        lines += [f"Scores {case}: mean {shape[0]}, standard deviation {shape[1]}.", ""]
        lines += [*by_effect(found), ""]
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=10_000, help="simulated samples a point")
    parser.add_argument("--seed", type=int, default=2024)
    parser.add_argument("--write", action="store_true", help="into docs/reference/intervals.md")
    parser.add_argument("--machine", default="", help="named in the page")
    parser.add_argument("--date", default="", help="named in the page")
    args = parser.parse_args()
    if args.write and not (args.machine and args.date):
        parser.error("--write needs --machine and --date")
    start = time.perf_counter()
    lines = tables(args.draws, args.seed)
    seconds = time.perf_counter() - start
    made = (
        f"Made by `benchmarks/coverage.py` on {args.date} ({args.machine}): {args.draws:,} "
        f"simulated samples a point, seed {args.seed}, {seconds:.0f} s. A simulated coverage is "
        f"right to about {1.96 * np.sqrt(95 * 5 / args.draws):.1f} percentage points."
    )
    print("\n".join(lines))
    print(f"\n{seconds:.0f} s")
    if args.write:
        from pages import replace_section

        replace_section("intervals.md", "coverage", [made, "", *lines])


if __name__ == "__main__":
    main()

"""What the weight on "no difference at all" does to the limits of pooled figures. No simulation.

Scores of units of equal size: all that `pool_scores` sees is how far they differ, so that how often
its limits hold is a sum over that. For each share of the weight that no difference has where units
differ just as much as chance makes them (`_ALIKE`): how often limits hold where units are all
alike, up to which reliability (true variance over all variance) they hold in more than 97 %, and
where they hold least. From the repository root:

    python benchmarks/pooling_prior.py          # under a minute
    python benchmarks/pooling_prior.py --write  # into docs/reference/culture_model.md
"""

from __future__ import annotations

import argparse

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammainc, gammaincinv, ndtr, ndtri

from culture_analytics.stats import pool_scores, pooling

Floats = NDArray[np.float64]
SHARES = (0.0, 0.1, 0.3, 0.5, 0.7)
UNITS = (9, 30, 400)
MOST = 0.97
_STEPS = 60  # of how far units differ


def coverage(units: int, reliability: Floats) -> tuple[Floats, Floats]:
    """Share of units whose limits hold the truth, and squared error over that of raw figures.

    Standard errors are 1; with a spread tau the sum of squares about the mean is (1 + tau^2) times
    chi-squared, and what is left open of a unit is normal.
    """
    tau2 = reliability / (1 - reliability)
    half = (units - 1) / 2
    ends = gammaincinv(half, np.array([1e-5, 1 - 1e-5])) * 2 * np.array([1, 1 + tau2.max()])
    edges = np.geomspace(*ends, _STEPS + 1)
    below = gammainc(half, edges / 2 / (1 + tau2[:, None]))
    mass = np.diff(below) / np.diff(below).sum(axis=1, keepdims=True)
    place = ndtri((np.arange(units) + 0.5) / units)
    place /= np.sqrt(np.sum(place**2))
    held, error = np.zeros(tau2.size), np.zeros(tau2.size)
    sd = np.sqrt(reliability + (1 - reliability) / units)
    for step, squares in enumerate(np.sqrt(edges[1:] * edges[:-1])):
        y = np.sqrt(squares) * place
        found = pool_scores(y, np.ones(units))
        middle = reliability[:, None] * y
        inside = ndtr((found.upper - middle) / sd[:, None]) - ndtr(
            (found.lower - middle) / sd[:, None]
        )
        held += mass[:, step] * inside.mean(axis=1)
        error += mass[:, step] * (np.mean((found.value - middle) ** 2, axis=1) + sd**2)
    return held, error


def lines() -> list[str]:
    """The table."""
    reliability = np.r_[0.0, np.arange(0.005, 0.05, 0.005), np.arange(0.05, 0.95, 0.01)]
    rows = [
        "| units | weight on no difference | limits hold, all alike | more than 97 % up to a "
        "reliability of | least | at a reliability of | squared error over raw at reliability 0 | "
        "0.1 | 0.3 |",
        "|---" * 9 + "|",
    ]
    usual = pooling._ALIKE
    for units in UNITS:
        for share in SHARES:
            pooling._ALIKE = share
            held, error = coverage(units, reliability)
            over = reliability[held > MOST]
            least = int(np.argmin(held))
            ratio = [float(np.interp(r, reliability, error)) for r in (0, 0.1, 0.3)]
            name = f"{share:.1f}" + (" (used)" if share == usual else "")
            rows.append(
                f"| {units} | {name} | {100 * held[0]:.1f} % | "
                f"{over.max() if over.size else 0:.2f} | {100 * held[least]:.1f} % | "
                f"{reliability[least]:.2f} | " + " | ".join(f"{x:.2f}" for x in ratio) + " |"
            )
    pooling._ALIKE = usual
    return rows


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="into docs")
    args = parser.parse_args()
    found = lines()
    print("\n".join(found))
    if args.write:
        from pages import replace_section

        replace_section("culture_model.md", "pooling prior", found)


if __name__ == "__main__":
    main()

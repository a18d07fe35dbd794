"""Time three parts that a page waits for, the first beside SciPy's. SYNTHETIC.

    python benchmarks/speed_parts.py

Fisher's exact test of 12,000 tables at once (SciPy takes one at a time); limits of relative
importance by a bootstrap of 400 units; the drawing of 10,000 respondents (target 2 seconds).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import stats

from culture_analytics import simulate_survey
from culture_analytics.stats import cluster_bootstrap, cross_products, fisher_exact, lmg

TABLES, BY_SCIPY = 12_000, 300


def seconds(work: Callable[[], Any]) -> float:
    """Shortest of three runs."""
    taken = []
    for _ in range(3):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return min(taken)


def fisher() -> None:
    rng = np.random.default_rng(1)
    n, rest = rng.integers(11, 400, TABLES), rng.integers(500, 4000, TABLES)
    y, other = rng.binomial(n, 0.1), rng.binomial(rest, 0.1)
    ours = seconds(lambda: fisher_exact(y, n, y + other, n + rest)) / TABLES

    def one_at_a_time() -> None:
        for a, b, c, d in zip(y[:BY_SCIPY], n, other, rest, strict=False):
            stats.fisher_exact([[a, b - a], [c, d - c]])

    peer = seconds(one_at_a_time) / BY_SCIPY
    print(
        f"Fisher's exact test: {1e6 * ours:.0f} microseconds a table, SciPy {1e6 * peer:.0f}: "
        f"{peer / ours:.0f} times"
    )


def importance() -> None:
    rng = np.random.default_rng(6)
    unit = rng.integers(0, 400, 10_000)
    x = rng.normal(size=(10_000, 7)) + rng.normal(size=(10_000, 1))
    taken = seconds(lambda: cluster_bootstrap(cross_products(x, unit), lmg, draws=1000))
    print(f"Relative importance of six elements, 400 units, 1,000 draws: {taken:.2f} s")


def drawing() -> None:
    simulate_survey(10, year=2024, seed=1)  # parameters are read once
    taken = seconds(lambda: simulate_survey(10_000, year=2024, seed=1))
    print(f"10,000 simulated respondents: {taken:.2f} s   target 2 s")


if __name__ == "__main__":
    fisher()
    importance()
    drawing()

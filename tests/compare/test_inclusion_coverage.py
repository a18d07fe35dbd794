"""Limits of inclusion hold, and findings are seldom false: a part of the benchmark.

The whole grid: benchmarks/inclusion_coverage.py; its figures: docs/reference/inclusion.md.
"""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import culture_analytics as ca
from tests.conftest import make_survey

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    path = ROOT / "benchmarks" / "inclusion_coverage.py"
    spec = importlib.util.spec_from_file_location("inclusion_coverage", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["inclusion_coverage"] = module
    spec.loader.exec_module(module)
    return module


def holds(points: Iterable[Any], kinds: set[str]) -> None:
    """The targets, three Monte Carlo standard errors allowed to a point and two to the mean."""
    points = list(points)
    assert {p.what for p in points} == kinds
    for kind in kinds:
        some = [p for p in points if p.what == kind]
        covered, error = (np.array([getattr(p, c) for p in some]) for c in ("covered", "error"))
        assert covered.mean() >= 94.5 - 2 * (error**2).sum() ** 0.5 / len(error), kind
        worst = some[int((covered + 3 * error).argmin())]
        assert worst.covered >= 92 - 3 * worst.error, worst
        assert all(p.left_out < 0.5 for p in some)


@pytest.mark.parametrize("rest", [False, True])
def test_gaps_and_ratios(bench: ModuleType, rest: bool) -> None:
    rng, end = np.random.default_rng(1), " to the rest" if rest else ""
    points = bench.gaps(300, rng, (11, 60), (500,), (0.05, 0.2), rest=rest)
    holds(points, {f"gaps{end}", f"ratios{end}"})


def test_gaps_of_scores(bench: ModuleType) -> None:
    points = list(bench.score_gaps(100, np.random.default_rng(6)))
    holds(points, {"gaps of scores"})
    assert len(points) == 24


def test_adjusted_gaps(bench: ModuleType) -> None:
    rng = np.random.default_rng(2)
    some = {"mixes": bench.MIXES[2:4], "sizes": ((600, 0.1),), "rates": (0.2, 0.4)}
    holds(bench.adjusted(80, rng, **some), {"adjusted gaps"})
    some["mixes"] = bench.MIXES[1:2]
    holds(bench.adjusted(80, rng, spread=0.6, **some), {"adjusted gaps, weighted"})


def test_plain_gaps_would_miss_the_adjusted_truth(bench: ModuleType) -> None:
    """What is simulated is confounded: the crude gap is far from the standardised one."""
    for mix, apart in zip(bench.MIXES, (0.0, 0.02, 0.08, 0.02), strict=True):
        of = bench.population(mix, 0.2, 0.3, 0.6)
        group = of.codes[:, 0] == 1
        crude = np.average(of.p[group], weights=of.share[group])
        crude -= np.average(of.p[~group], weights=of.share[~group])
        assert abs(crude - of.truth) >= apart - 1e-9
        assert of.share @ of.p == pytest.approx(0.3, abs=1e-6)
        assert apart or crude == pytest.approx(of.truth, abs=1e-9)


def test_it_is_the_interval_that_adjusted_gap_gives(bench: ModuleType) -> None:
    """The simulation goes by sums; from respondents the limits are the same."""
    mix, n = bench.MIXES[1], 900
    of = bench.population(mix, 0.3, 0.3, 0.5)
    rng = np.random.default_rng(8)
    cell = rng.choice(len(of.share), n, p=of.share)
    said = rng.random(n) < of.p[cell]
    survey = make_survey(n, seed=8)
    item = survey.instrument.items[bench.MEASURE]
    labels = np.array([bench.OTHER, bench.GROUP])
    responses = survey.responses.assign(
        side=np.char.add("", labels[of.codes[cell, 0]]),
        job=[f"job {k}" for k in of.codes[cell, 1]],
        **{bench.MEASURE: np.where(said, "Yes", "No")},
    )
    responses = responses.astype({"side": "category", "job": "category", item.id: item.dtype})
    found = ca.adjusted_gap(
        ca.Survey(responses, instrument=survey.instrument), item.id, by="side", adjust_for="job",
        reference=bench.OTHER,
    ).table.set_index("group")  # fmt: skip
    sums = bench.LogisticSums(
        *[np.bincount(cell, x, len(of.share)) for x in [np.ones(n), said.astype(float)] * 3]
    )
    fit = bench.logistic_regression(
        of.x, np.arange(len(of.p)), np.zeros(len(of.p), dtype=int), sums, [n],
        group=of.codes[:, 0], group_names=[bench.OTHER, bench.GROUP],
    )  # fmt: skip
    percentages = bench.standardised_percentages(
        fit, of.settings, effective_base=fit.effective_base
    )
    gap = bench.standardised_gap(percentages, 1, 0)
    row = found.loc[bench.GROUP]
    ours = [row["adjusted_gap"], row["adjusted_gap_lower"], row["adjusted_gap_upper"]]
    assert ours == pytest.approx([100 * x for x in (gap.value, gap.lower, gap.upper)], rel=1e-6)


@pytest.mark.parametrize(
    "rates",
    [
        lambda b, rng: b.false_gaps(40, rng, ["40 measures, 5 groups of 15 to 400"]),
        lambda b, rng: b.false_scores(25, rng),
        lambda b, rng: b.false_associations(8, rng),
    ],
)
def test_null_families_are_seldom_found(
    bench: ModuleType, rates: Callable[[ModuleType, np.random.Generator], Iterable[Any]]
) -> None:
    for found in rates(bench, np.random.default_rng(3)):
        assert found.holds, found


def test_a_real_gap_is_found(bench: ModuleType) -> None:
    frame = bench.null_rows(1, 1, (900, 300), [bench.OTHER, bench.GROUP], np.random.default_rng(1))
    frame = bench.rows(
        frame[["org", "measure", "breakdown", "group"]], np.array([90, 60]), np.array([900, 300])
    )
    assert ca.verdict(ca.compare_groups(bench.estimates(frame), reference=bench.OTHER)) == [
        "a clear gap"
    ]


def test_the_page_has_the_figures_of_the_script() -> None:
    page = (ROOT / "docs" / "reference" / "inclusion.md").read_text(encoding="utf-8")
    section = page.split("<!-- inclusion coverage: begin -->")[1].split("<!-- inclusion")[0]
    assert "| adjusted gaps |" in section and "benchmarks/inclusion_coverage.py" in section
    assert "| NO |" not in section
    rows = re.findall(r"\| [\d,]+ \| ([\d.]+) \| ([\d.]+) \| [^|]+\| yes \|", section)
    assert len(rows) >= 8
    assert all(float(mean) >= 94.5 and float(low) >= 92 for mean, low in rows)

"""Trends, control charts, funnels and positions: what is joined, marked, hidden and said."""

from __future__ import annotations

import re
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes

import culture_analytics as ca
from culture_analytics import plots
from culture_analytics.errors import MeasureError
from culture_analytics.estimates import Estimates
from culture_analytics.plots.control import MARKS
from culture_analytics.plots.style import contrast
from culture_analytics.stats.funnel import arcsine_limits
from tests.compare.made import RULE, figure, published, results
from tests.plots.made import SECRET, boxes, estimates
from tests.test_control import VALUES, quarter

RACE = "discrimination_grounds_race"
STRESS = "work_related_stress"
HBA = "hba_managers"
GROUP = "Made-up Trusts"
ORGS = [f"ZZ{k}" for k in range(1, 26)]


def drawn(ax: Axes, gid: str) -> list[Any]:
    return [a for a in ax.get_children() if a.get_gid() == gid]


def joined(ax: Axes, gid: str = "line") -> list[list[int]]:
    return [[int(x) for x in line.get_xdata()] for line in drawn(ax, gid)]


def texts(ax: Axes) -> str:
    return " | ".join(t.get_text() for t in ax.figure.findobj(plt.Text))


def series(measure: str, years: list[int], **other: Any) -> Estimates:
    return estimates(
        [{"measure": measure, "year": y, "value": 40.0 + k, **other} for k, y in enumerate(years)]
    )


def organisations(value: list[float] | None = None) -> Estimates:
    """Twenty-five organisations of one group, the first far above the others."""
    rng = np.random.default_rng(7)
    base = rng.integers(300, 9000, len(ORGS))
    values = 40 + rng.normal(0, 1.5, len(ORGS)) if value is None else np.array(value)
    if value is None:
        values[0] = 60.0
    rows = [
        published(2024, STRESS, float(v), int(n), org=o)
        for o, v, n in zip(ORGS, values, base, strict=True)
    ]
    places = pd.DataFrame(
        {"org": ORGS, "name": [f"Trust number {k}" for k in range(25)], "benchmark_group": GROUP,
         "region": "North", "ics": "I"}
    )  # fmt: skip
    return results(rows, organisations=places)


# -- trend ------------------------------------------------------------------------------------


def test_years_of_one_series_are_joined() -> None:
    ax = plots.trend(series(STRESS, [2023, 2024, 2025]))
    assert joined(ax) == [[2023, 2024], [2024, 2025]]
    assert not drawn(ax, "break")
    assert "2023 40.0% (n = 400), 2024 41.0%" in plots.alt_text(ax)


def test_a_break_is_a_gap_with_a_mark_and_its_reason() -> None:
    ax = plots.trend(series(RACE, [2023, 2024, 2025]))
    assert joined(ax) == [[2023, 2024]]
    (line,) = drawn(ax, "break")
    assert line.get_xdata()[0] == 2024.5
    assert "break a" in texts(ax)
    reason = 'became "race"'
    assert "2024 to 2025 not joined" in plots.alt_text(ax)
    assert reason in plots.alt_text(ax)
    assert "Break a, 2024 to 2025" in texts(ax)


def test_years_to_compare_with_care_are_dashed_and_said() -> None:
    ax = plots.trend(series(HBA, [2022, 2023, 2024]))
    assert joined(ax) == []
    assert joined(ax, "care") == [[2022, 2023], [2023, 2024]]
    assert "compare with care" in plots.alt_text(ax)


def test_a_hidden_year_is_neither_drawn_nor_said_nor_joined_over() -> None:
    rows = [{"year": y, "value": 40.0} for y in (2023, 2025)]
    ax = plots.trend(estimates([rows[0], {"year": 2024, **SECRET}, rows[1]]))
    assert joined(ax) == []
    (dots,) = drawn(ax, "value")
    assert dots.get_offsets()[:, 0].tolist() == [2023, 2025]
    said = plots.alt_text(ax) + texts(ax)
    assert "[c] hidden to protect people" in said
    for number in SECRET.values():
        assert f"{number:g}" not in re.findall(r"\d+\.?\d*", said.replace("95%", ""))


def test_one_year_several_organisations_and_too_many_panels_are_refused() -> None:
    with pytest.raises(MeasureError, match="two years"):
        plots.trend(series(STRESS, [2024]))
    with pytest.raises(MeasureError, match="one org"):
        plots.trend(estimates([{"year": 2023}, {"year": 2024, "org": "ZZ2"}]))
    many = [{"year": y, "breakdown": "team", "group": f"T{k}"} for k in range(25) for y in (1, 2)]
    with pytest.raises(MeasureError, match="25 panels"):
        plots.trend(estimates([{**m, "year": 2022 + m["year"]} for m in many]))
    with pytest.raises(MeasureError, match="ControlChart"):
        plots.spc(series(STRESS, [2023, 2024]))  # type: ignore[arg-type]


def test_two_figures_of_a_year_are_refused() -> None:
    with pytest.raises(MeasureError, match="two figures"):
        plots.trend(results([quarter(k, v) for k, v in enumerate(VALUES)]))


def test_contractors_tables_are_for_internal_use() -> None:
    held = results([figure(2024, STRESS, 40.0, 900, source="contractor")])
    assert "internal use" in repr(held)
    said = texts(plots.measures(held))
    assert "tables of the survey contractor" in said and "internal use" in said


def test_panels_of_percentages_span_the_same_points() -> None:
    both = estimates(
        [{"measure": m, "year": y, "value": v} for m, v in ((STRESS, 40.0), ("presenteeism", 55.0))
         for y in (2023, 2024)]
    )  # fmt: skip
    axes = plots.trend(both).figure.axes
    spans = [np.diff(a.get_ylim())[0] for a in axes]
    assert len(axes) == 2
    assert spans[0] == pytest.approx(spans[1])


# -- funnel -----------------------------------------------------------------------------------


def test_funnel_draws_every_organisation_and_marks_the_own_and_the_unusual() -> None:
    held = organisations()
    flags = ca.funnel(held, STRESS, group=GROUP)
    ax = plots.funnel(flags, org="ZZ2", published=held)
    (plain,), (unusual,), (own,) = (drawn(ax, g) for g in ("organisations", "unusual", "own"))
    assert len(plain.get_offsets()) == 23
    assert unusual.get_offsets()[:, 1].tolist() == [60.0]
    table = held.table.set_index("org")
    assert own.get_offsets()[0].tolist() == table.loc["ZZ2", ["base", "value"]].tolist()
    assert "Trust number 1" in texts(ax)
    alt = plots.alt_text(ax)
    assert "25 organisations" in alt and "1 of them unusual" in alt
    assert "The marked organisation is not unusual" in alt
    assert "is among the unusual ones" in plots.alt_text(
        plots.funnel(flags, org="ZZ1", published=held)
    )


def test_the_funnel_s_limits_are_those_of_its_spread() -> None:
    held = organisations()
    flags = ca.funnel(held, STRESS, group=GROUP)
    ax = plots.funnel(flags, published=held)
    whole = flags.table.set_index("statistic")["value"]
    below, above = drawn(ax, "limit 0.95")
    n = np.asarray(below.get_xdata(), dtype=float)
    low, high = arcsine_limits(whole["funnel_target"] / 100, n, tau2=whole["funnel_tau2"])
    np.testing.assert_allclose(below.get_ydata(), 100 * low, rtol=1e-12)
    np.testing.assert_allclose(above.get_ydata(), 100 * high, rtol=1e-12)
    assert not drawn(ax, "own")


def test_a_funnel_reads_its_figures_from_one_table_too() -> None:
    held = organisations()
    both = ca.concat([held, ca.funnel(held, STRESS, group=GROUP)])
    assert len(drawn(plots.funnel(both), "organisations")[0].get_offsets()) == 24
    with pytest.raises(MeasureError, match="compare.funnel"):
        plots.funnel(held)


def test_a_hidden_organisation_is_not_in_the_funnel() -> None:
    held = organisations()
    small = held.table.copy()
    small.loc[small["org"].eq("ZZ3"), "base"] = 5
    hidden = Estimates(small, rule=RULE, organisations=held.organisations)
    ax = plots.funnel(ca.funnel(hidden, STRESS, group=GROUP), org="ZZ3", published=hidden)
    assert not drawn(ax, "own")
    assert "not published or not shown" in plots.alt_text(ax)


# -- position ---------------------------------------------------------------------------------


def test_a_strip_runs_from_worst_to_best() -> None:
    held = organisations([float(v) for v in range(30, 55)])
    places = ca.compare_benchmark(held.select(org="ZZ6"), held)
    ax = plots.position(places, published=held)
    (own,) = drawn(ax, "own")
    # Lower is better: 30 is the best, 54 the worst, and 35 lies near the best.
    assert own.get_offsets()[0][0] == pytest.approx((54 - 35) / 24)
    (ticks,) = drawn(ax, "organisations")
    assert len(ticks.get_segments()) == 25
    (median,) = drawn(ax, "median")
    assert median.get_segments()[0][0][0] == pytest.approx(0.5)
    alt = plots.alt_text(ax)
    assert "35.0%, rank 6 of 25, group median 42.0%" in alt
    assert "from 54.0% (worst) to 30.0% (best)" in alt
    assert "6 of 25" in texts(ax)
    assert not drawn(plots.position(places), "organisations")[0].get_segments()


def test_position_wants_places() -> None:
    held = organisations()
    with pytest.raises(MeasureError, match="compare_benchmark"):
        plots.position(held)
    places = ca.compare_benchmark(held.select(org=["ZZ1", "ZZ2"]), held)
    with pytest.raises(MeasureError, match="one org"):
        plots.position(places)


# -- control chart ----------------------------------------------------------------------------


def test_signals_have_shapes_of_their_own() -> None:
    chart = ca.control_chart(results([quarter(k, v) for k, v in enumerate(VALUES)]),
                             "staff_engagement")  # fmt: skip
    ax = plots.spc(chart)
    assert len(drawn(ax, "common")[0].get_offsets()) == 12
    (concern,) = drawn(ax, "concern")
    assert concern.get_offsets().tolist() == [[12.0, 5.5]]
    assert not drawn(ax, "improvement")
    assert "concern, beyond the limits: 2023-24 Q1" in plots.alt_text(ax)
    assert "provisional limit" in texts(ax)
    lower, centre = drawn(ax, "lower limit")[0], drawn(ax, "centre")[0]
    assert lower.get_ydata()[0] == chart.table["lower"].iloc[0]
    assert centre.get_ydata()[0] == chart.table["centre"].iloc[0]
    assert "National Quarterly Pulse Survey" in texts(ax)


def test_marks_differ_in_shape_and_are_seen_on_white() -> None:
    shapes = [shape for shape, _, _ in MARKS.values()]
    assert len(set(shapes)) == len(shapes)
    for _, colour, _ in MARKS.values():
        assert contrast(colour, "#FFFFFF") >= 3


def test_limits_afresh_are_marked_and_hidden_quarters_have_no_point() -> None:
    rows = [quarter(k, v) for k, v in enumerate(VALUES)]
    rows[3]["base"] = 5
    chart = ca.control_chart(results(rows), "staff_engagement", rebase="2021-22 Q4")
    ax = plots.spc(chart)
    (line,) = drawn(ax, "re-base")
    assert line.get_xdata()[0] == 6.5
    assert "limits afresh from 2021-22 Q4" in texts(ax)
    shown = sum(len(d.get_offsets()) for g in MARKS for d in drawn(ax, g))
    assert shown == 12
    assert "[c]" in texts(ax)
    assert len(drawn(ax, "centre")) == 2
    assert not drawn(ax, "upper limit")  # run charts have none


def test_results_of_respondents_say_they_are_for_internal_use() -> None:
    rows = [figure(2018 + k, STRESS, 40.0 + k % 3, 900) for k in range(7)]
    ax = plots.spc(ca.control_chart(results(rows), STRESS))
    assert "internal use" in texts(ax)


# -- nothing is cut off, nothing lies on top of anything else -----------------------------------

LAYOUTS = {
    "trend": lambda: plots.trend(series(RACE, [2022, 2023, 2024, 2025])),
    "trends": lambda: plots.trend(
        estimates(
            [{"measure": m, "year": y} for m in (STRESS, RACE, HBA, "presenteeism", "enough_staff")
             for y in range(2021, 2026)]
        )
    ),
    "funnel": lambda: plots.funnel(
        ca.funnel(organisations(), STRESS, group=GROUP), org="ZZ4", published=organisations()
    ),
    "position": lambda: plots.position(
        ca.compare_benchmark(organisations().select(org="ZZ6"), organisations()),
        published=organisations(),
    ),
    "spc": lambda: plots.spc(
        ca.control_chart(
            results([quarter(k, 6.5 + 0.05 * (k % 3)) for k in range(28)]), "staff_engagement",
            rebase="2022-23 Q1",
        )
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", LAYOUTS)
def test_texts_are_inside_and_apart(case: str) -> None:
    chart = LAYOUTS[case]().figure
    found = [(text, box) for text, box in boxes(chart) if text.strip()]
    page = chart.bbox
    for text, box in found:
        assert box.x0 >= page.x0 - 1 and box.x1 <= page.x1 + 1, text
        assert box.y0 >= page.y0 - 1 and box.y1 <= page.y1 + 1, text
    for k, (text, box) in enumerate(found):
        for other, second in found[k + 1 :]:
            wide = min(box.x1, second.x1) - max(box.x0, second.x0)
            high = min(box.y1, second.y1) - max(box.y0, second.y0)
            assert wide <= 2 or high <= 2, (text, other)

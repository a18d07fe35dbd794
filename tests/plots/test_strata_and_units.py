"""Intersections, adjusted gaps, pooled units, shares and priorities: drawn as the table says."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import Collection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

import culture_analytics as ca
from culture_analytics import plots
from culture_analytics.adjusted import adjusted_gap
from culture_analytics.diagnose import pooled_units
from culture_analytics.errors import MeasureError
from culture_analytics.intersectional import MORE, intersections
from tests.plots.made import SECRET, by_groups, estimates, words
from tests.plots.test_gaps import OTHER, saved, written

ELEMENTS = (
    "Vision and values", "Goals and performance", "Support and compassion",
    "Learning and innovation", "Teamwork", "Collective leadership",
)  # fmt: skip


def marks(ax: Axes, gid: str) -> np.ndarray:
    """Where the marks of a kind stand across, in the order drawn."""
    found = ax.findobj(lambda a: a.get_gid() == gid)
    return np.array([float(np.asarray(c.get_offsets())[0, 0]) for c in found
                     if isinstance(c, Collection)])  # fmt: skip


def rows_of(ax: Axes) -> list[str]:
    return [t.get_text().replace("\n", " ") for t in ax.get_yticklabels()]


def no_secret(ax: Axes) -> None:
    everything = written(ax) + plots.alt_text(ax)
    for name in ("value", "lower", "upper"):
        secret = SECRET[name]
        assert f"{secret:.1f}" not in everything and f"{secret:.2f}" not in everything
    assert "n = 5," not in everything and "n = 5)" not in everything


# -- intersections ------------------------------------------------------------------------------


def strata(
    cells: Sequence[tuple[str, str]],
    *,
    hidden: Sequence[int] = (),
    out: Sequence[int] = (),
    by: str = "ethnicity_broad:age",
) -> ca.Estimates:
    """A crossing made by hand; those in `out` differ beyond their parts."""
    rows: list[dict[str, Any]] = [{"measure": "discrimination_staff", "value": 11.0}]
    for k, cell in enumerate(cells):
        common = {"measure": "discrimination_staff", "breakdown": by,
                  "group": " | ".join(cell), "base": 20.0 + k}  # fmt: skip
        value = 5.0 + (17 * k) % 31
        three = [
            {"statistic": "percent", "value": value},
            {"statistic": "shrunken_percent", "value": 0.6 * value + 6,
             "lower": 0.4 * value + 2, "upper": 0.8 * value + 12, "method": "maihda"},
            {"statistic": "beyond_parts", "unit": "points", "value": 4.0, "lower": 1.0,
             "upper": 7.0, "p_value": 0.001, "p_adjusted": 0.01 if k in out else 0.6},
        ]  # fmt: skip
        rows += [{**common, **one, **(SECRET if k in hidden else {})} for one in three]
    return estimates(rows)


CELLS = list(itertools.product(["White", "Asian or Asian British"], ["21-30", "31-40", "41-50"]))


def test_plain_and_steadied_figures_of_each_combination() -> None:
    result = strata(CELLS, out=[4])
    for one in (result, saved(result)):
        ax = plots.intersections(one)
        table = one.table.query("breakdown != 'overall'")
        for statistic, gid in (("percent", "plain"), ("shrunken_percent", "steadied")):
            chosen = table[table["statistic"] == statistic]
            np.testing.assert_array_equal(marks(ax, f"value {gid}"), chosen["value"])
        text = written(ax)
        for row in table[table["statistic"] == "shrunken_percent"].itertuples():
            assert f"{row.value:.1f}% ({row.lower:.1f} to {row.upper:.1f})" in text
        assert text.count(MORE) == 1 and text.count("no clear difference") == 5
        assert f"Asian or Asian British, 31-40 {_steadied(table, 4)}" in plots.alt_text(ax)
        assert "all staff 11.0%" in text


def _steadied(table: pd.DataFrame, k: int) -> str:
    row = table[table["statistic"] == "shrunken_percent"].iloc[k]
    return f"{row['value']:.1f}% ({row['lower']:.1f} to {row['upper']:.1f})"


def test_an_arrow_leads_to_where_a_figure_is_drawn() -> None:
    ax = plots.intersections(strata(CELLS))
    arrows = [t for t in ax.texts if t.get_text() == "" and getattr(t, "arrow_patch", None)]
    plain, steadied = marks(ax, "value plain"), marks(ax, "value steadied")
    for arrow in arrows:
        place = list(plain).index(pytest.approx(arrow.xyann[0]))  # type: ignore[attr-defined]
        assert arrow.xy[0] == steadied[place]  # type: ignore[attr-defined]
    assert 3 <= len(arrows) <= len(plain)


def test_hidden_combinations_are_listed_as_hidden() -> None:
    result = strata(CELLS, hidden=[1, 5])
    for one in (result, saved(result)):
        ax = plots.intersections(one)
        assert rows_of(ax) == [age for _, age in CELLS]
        assert written(ax).count("hidden to protect people") == 2
        assert "6 combinations, of which 2 hidden to protect people" in plots.alt_text(ax)
        no_secret(ax)


def test_hidden_combinations_that_took_no_part_are_listed_too() -> None:
    """A release works the analysis out from what is shown: hidden strata have a plain row only."""
    cells = [("White", g) for g in ("Female", "Male", "Non-binary", "Prefer not to say")]
    result = strata(cells, hidden=[2, 3], by="ethnicity_broad:gender")
    table = result.table
    gone = table["status"].eq("suppressed") & table["statistic"].ne("percent")
    ax = plots.intersections(
        ca.Estimates(table[~gone].reset_index(drop=True), rule=result.rule, view=True)
    )
    assert rows_of(ax) == ["Female", "Male", "Non-binary"]
    assert written(ax).count("hidden to protect people") == 1
    assert "3 combinations, of which 1 hidden" in plots.alt_text(ax)


def test_many_combinations_are_cut_to_the_largest_and_those_that_stand_out() -> None:
    many = list(itertools.product(["White", "Other ethnic group"], [f"{i}" for i in range(40)]))
    ax = plots.intersections(strata(many, out=[0], hidden=[7]))
    assert len(marks(ax, "value steadied")) == 50
    text = written(ax)
    assert "50 of 80 combinations are drawn" in text and "1 are hidden" in text
    assert text.count(MORE) == 1  # the smallest, but it stands out


def test_the_analysis_of_the_sample_is_drawn() -> None:
    found = intersections(ca.load_sample(2024), "discrimination_staff",
                          by=["ethnicity_broad", "gender"])  # fmt: skip
    ax = plots.intersections(saved(found.estimates))
    shown = found.strata.query("status == 'ok'")
    assert sorted(marks(ax, "value steadied")) == pytest.approx(sorted(shown["shrunken"]))
    assert "SYNTHETIC" in written(ax) and "SYNTHETIC" in plots.alt_text(ax)
    with pytest.raises(MeasureError, match="shrunken_percent"):
        plots.intersections(found.estimates.select(statistic="percent"))


# -- adjusted gaps ------------------------------------------------------------------------------


def gaps(hidden: bool = False, p: tuple[float, float] = (0.001, 0.001)) -> ca.Estimates:
    common = {"measure": "discrimination_staff", "breakdown": "ethnicity", "group": OTHER,
              "reference": "White", "unit": "points", "base": 300.0}  # fmt: skip
    rows = [
        {**common, "statistic": "difference", "value": 7.2, "lower": 5.0, "upper": 9.7,
         "p_value": p[0]},
        {**common, "statistic": "adjusted_difference", "value": 4.1, "lower": -0.4, "upper": 8.9,
         "p_value": p[1]},
    ]  # fmt: skip
    return estimates([{**r, **(SECRET if hidden else {})} for r in rows])


@pytest.mark.parametrize(
    ("p", "said"),
    [((0.01, 0.01), "a clear gap before and after"), ((0.01, 0.2), "no longer a clear gap"),
     ((0.2, 0.01), "a clear gap only after"),
     ((0.2, 0.2), "no clear difference before or after")],
)  # fmt: skip
def test_plain_and_adjusted_gaps_and_what_becomes_of_them(
    p: tuple[float, float], said: str
) -> None:
    ax = plots.adjusted(gaps(p=p), allowing_for=["occupation", "age"])
    assert marks(ax, "value plain") == [7.2] and marks(ax, "value adjusted") == [4.1]
    text = written(ax)
    assert said in text and "+7.2 (+5.0 to +9.7)" in text and "+4.1 (−0.4 to +8.9)" in text
    assert "the same mix of occupation and age" in text
    assert "who gets which job may itself be unequal" in text
    assert said in plots.alt_text(ax)


def test_a_hidden_gap_gives_nothing_away() -> None:
    for one in (gaps(hidden=True), saved(gaps(hidden=True))):
        ax = plots.adjusted(one)
        assert len(marks(ax, "value adjusted")) == 0
        assert "hidden to protect people" in written(ax)
        no_secret(ax)


def test_adjusted_gaps_of_several_measures() -> None:
    found = [
        adjusted_gap(ca.load_sample(2024), m, by="ethnicity", adjust_for="occupation")
        for m in ("discrimination_staff", "fair_career_progression")
    ]
    ax = plots.adjusted(ca.concat([f.estimates for f in found]), allowing_for="occupation")
    expected = [f.table.set_index("group").loc[OTHER] for f in found]
    assert marks(ax, "value adjusted") == pytest.approx([e["adjusted_gap"] for e in expected])
    assert marks(ax, "value plain") == pytest.approx([e["plain_gap"] for e in expected])
    assert "higher is better" in rows_of(ax)[1]
    with pytest.raises(MeasureError, match="adjusted_difference"):
        plots.adjusted(found[0].estimates.select(statistic="percent"))


# -- pooled units -------------------------------------------------------------------------------


def pooled(number: int = 12, *, hidden: Sequence[str] = (), high: int = 1) -> ca.Estimates:
    """Units all alike but for the first ones, which are far above."""
    names = [f"Unit {i}" for i in range(1, number + 1)]
    whole: dict[str, Any] = {"value": 31.0, "base": 300.0 * number}
    rows = [whole] + [
        {"breakdown": "directorate", "group": name,
         **(SECRET if name in hidden else
            {"value": 62.0 if k < high else 28.0 + k % 5, "base": 300.0})}
        for k, name in enumerate(names)
    ]  # fmt: skip
    return pooled_units(estimates(rows), by="directorate")


def test_units_stand_by_size_and_spots_are_named() -> None:
    result = pooled()
    for one in (result, saved(result)):
        ax = plots.pooled(one)
        table = one.table.query("statistic == 'pooled'")
        np.testing.assert_array_equal(
            marks(ax, "value pooled"), sorted(table["value"], reverse=True)
        )
        assert rows_of(ax)[0] == "Unit 1"
        text = written(ax)
        spots = one.table.query("method == 'hot spot'")
        assert spots["group"].tolist() == ["Unit 1"]
        assert text.count("▲ hot spot: worse") == 2  # the key and the row
        assert "not a ranking" in text and "all staff 31.0%" in text
        assert "Unit 1, hot spot" in plots.alt_text(ax)


def test_of_many_units_only_spots_are_drawn() -> None:
    hidden = [f"Unit {i}" for i in range(391, 401)]
    ax = plots.pooled(pooled(400, hidden=hidden, high=3))
    assert sorted(rows_of(ax)) == ["Unit 1", "Unit 2", "Unit 3"]
    assert "Not drawn: 387 that do not, 10 hidden to protect people" in written(ax)
    figure = ax.get_figure(root=True)
    assert figure is not None and figure.get_size_inches()[1] < 5
    none = plots.pooled(pooled(60, high=0))
    assert "No unit stands out" in written(none) and "None stands out" in plots.alt_text(none)


def test_hidden_units_keep_a_row() -> None:
    for one in (pooled(hidden=["Unit 5"]), saved(pooled(hidden=["Unit 5"]))):
        ax = plots.pooled(one)
        assert rows_of(ax)[-1] == "Unit 5" and len(rows_of(ax)) == 12
        assert written(ax).count("hidden to protect people") == 1
        no_secret(ax)


def test_units_too_few_to_pool_are_said_to_be() -> None:
    ax = plots.pooled(pooled(4))
    assert "not pooled: fewer than" in written(ax)
    with pytest.raises(MeasureError, match="pooled_units"):
        plots.pooled(by_groups(["A", "B"]))


# -- shares and priorities ----------------------------------------------------------------------


def shares(
    outcomes: Sequence[str] = ("burnout", "staff_engagement"),
    elements: Sequence[str] = ELEMENTS,
    *,
    hidden: Sequence[str] = (),
) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for n, outcome in enumerate(outcomes):
        common = {"measure": outcome, "breakdown": "element", "unit": "percent", "base": 3600.0,
                  "method": "lmg"}  # fmt: skip
        sizes = [1 + (3 * k + n) % 7 for k in range(len(elements))]
        rows.append({**common, "statistic": "variance_explained",
                     "group": "All elements together", "value": 41.0 + n})  # fmt: skip
        for element, size in zip(elements, sizes, strict=True):
            value = 100 * size / sum(sizes)
            rows.append(
                {**common, "statistic": "variance_share", "group": element, "value": value,
                 "lower": 0.8 * value, "upper": 1.25 * value,
                 **(SECRET if element in hidden else {})}
            )  # fmt: skip
    return rows


def scores(
    elements: Sequence[str] = ELEMENTS, values: Sequence[float] | None = None
) -> list[dict[str, Any]]:
    return [
        {"measure": f"own_{k}", "label": f"{name} (element of culture, 0-10)", "unit": "score",
         "statistic": "score", "value": v, "lower": v - 0.06, "upper": v + 0.06, "base": 3800.0}
        for k, (name, v) in enumerate(
            zip(elements, values or [6.0 + 0.37 * ((k * 5) % 6) for k in range(len(elements))],
                strict=True)
        )
    ]  # fmt: skip


def test_shares_are_bars_with_intervals_by_outcome() -> None:
    result = saved(estimates(shares()))
    ax = plots.drivers(result)
    figure = ax.get_figure(root=True)
    assert figure is not None and len(figure.axes) == 2
    for made, outcome in zip(figure.axes, ("burnout", "staff_engagement"), strict=True):
        rows = result.table.query("statistic == 'variance_share'")
        rows = rows[rows["measure"] == outcome]
        bars = [b for b in made.patches if isinstance(b, Rectangle) and b.get_gid() == "share"]
        assert sorted(b.get_width() for b in bars) == pytest.approx(sorted(rows["value"]))
        assert sum(b.get_width() for b in bars) == pytest.approx(100)
    text = written(ax)
    assert "all elements: 41% of all differences" in text and "3,600 answers" in text
    assert "'Goes with' is not 'leads to'" in text
    said = plots.alt_text(figure) + text
    assert "cause" not in said.lower() and "drive" not in said.lower()
    assert rows_of(ax) == sorted(
        rows_of(ax), key=lambda e: -result.table.query("group == @e")["value"].mean()
    )


def test_a_share_that_is_hidden_is_said_to_be() -> None:
    ax = plots.drivers(estimates(shares(["burnout"], hidden=["Teamwork"])))
    assert rows_of(ax)[-1] == "Teamwork" and "hidden to protect people" in written(ax)
    no_secret(ax)
    with pytest.raises(MeasureError, match="variance_share"):
        plots.drivers(by_groups(["A"]))
    from matplotlib import pyplot as plt

    with pytest.raises(MeasureError, match="one outcome"):
        plots.drivers(estimates(shares()), ax=plt.subplots()[1])


def points(ax: Axes) -> dict[tuple[float, float], None]:
    found = ax.findobj(lambda a: a.get_gid() == "element")
    places = [np.asarray(c.get_offsets())[0] for c in found if isinstance(c, Collection)]
    return dict.fromkeys((round(float(x), 6), round(float(y), 6)) for x, y in places)


def test_priorities_set_shares_against_scores() -> None:
    result = saved(estimates([*shares(["burnout"]), *scores()]))
    ax = plots.priorities(result)
    table = result.table
    share = table.query("statistic == 'variance_share'").set_index("group")["value"]
    score = table.query("statistic == 'score'")["value"].set_axis(list(ELEMENTS))
    assert set(points(ax)) == {
        (round(float(share[e]), 6), round(float(score[e]), 6)) for e in ELEMENTS
    }
    said = plots.alt_text(ax)
    look = [e for e in ELEMENTS if share[e] >= 100 / 6 and score[e] < score.median()]
    protect = [e for e in ELEMENTS if share[e] >= 100 / 6 and score[e] >= score.median()]
    assert look and protect
    part = said.split("Look here first: ")[1].split(".  ")[0]
    for element in look:
        assert part.index(element) < part.index("Strengths to protect")
    for element in protect:
        assert part.index(element) > part.index("Strengths to protect")
    text = written(ax)
    for element in ELEMENTS:
        assert element in text
    assert "look here first" in text and "strengths to protect" in text
    assert "need not move the outcome" in text


def test_priorities_that_may_lie_on_either_side_are_named() -> None:
    values = [5.0, 5.1, 6.0, 6.02, 7.0, 7.2]
    said = written(plots.priorities(estimates([*shares(["burnout"]), *scores(values=values)])))
    part = said.split("Could stand on either side of a line: ")[1].split(". ")[0]
    assert ELEMENTS[2] in part and ELEMENTS[3] in part and ELEMENTS[0] not in part


def test_an_element_without_both_figures_is_named() -> None:
    rows = [*shares(["burnout"], hidden=["Teamwork"]), *scores(ELEMENTS[:5])]
    ax = plots.priorities(estimates(rows))
    assert len(points(ax)) == 4
    assert "without both figures: Teamwork, Collective leadership" in written(ax)
    no_secret(ax)
    with pytest.raises(MeasureError, match="no score"):
        plots.priorities(estimates(shares(["burnout"])))
    with pytest.raises(MeasureError, match="one measure at a time"):
        plots.priorities(estimates([*shares(), *scores()]))
    with pytest.raises(MeasureError, match="'stress'"):
        plots.priorities(estimates([*shares(), *scores()]), outcome="stress")


@pytest.mark.parametrize("name", ["intersections", "adjusted", "pooled", "drivers", "priorities"])
def test_axes_given_are_drawn_in_and_an_embargo_is_said(name: str) -> None:
    from matplotlib import pyplot as plt

    from culture_analytics.embargo import embargo_text

    result = {
        "intersections": strata(CELLS),
        "adjusted": gaps(),
        "pooled": pooled(),
        "drivers": estimates(shares(["burnout"])),
        "priorities": estimates([*shares(["burnout"]), *scores()]),
    }[name]
    held = ca.Estimates(
        result.table, rule=result.rule, notes=[embargo_text("2026-03-12")], view=True
    )
    figure, own = plt.subplots(figsize=(12, 6))
    assert getattr(plots, name)(held, ax=own) is own
    assert figure.axes == [own]
    label = own.get_xlabel().replace("\n", " ")
    assert "EMBARGOED until 12 March 2026." in label and "respondents of ZZ1" in label
    assert plots.alt_text(own)


def test_names_of_crowded_elements_lie_apart() -> None:
    names = [f"Element of culture number {k}" for k in range(12)]
    values = [6.0 + 0.01 * k for k in range(12)]
    rows = [*shares(["burnout"], names), *scores(names, values)]
    ax = plots.priorities(estimates(rows), outcome="burnout", first=names[:2])
    figure = ax.get_figure(root=True)
    assert isinstance(figure, Figure)
    assert all(name in words(figure) for name in names)
    assert math.isclose(len(points(ax)), 12)

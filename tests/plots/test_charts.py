"""What is drawn is what the protected table says, and says it in words as well as in colour."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import Collection, LineCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

import culture_analytics as ca
from culture_analytics import plots
from culture_analytics.errors import MeasureError
from culture_analytics.plots.style import PALETTE, YEAR_MARKS, contrast, ink, tint
from tests.plots.made import SECRET, answers, by_groups, estimates, texts, words


def artists(ax: Axes, gid: str) -> list[Any]:
    return list(ax.findobj(lambda a: a.get_gid() == gid))


def dots(ax: Axes, year: int = 2024) -> np.ndarray:
    (found,) = artists(ax, f"value {year}")
    assert isinstance(found, Collection)
    return np.asarray(found.get_offsets())[:, 0]


def intervals(ax: Axes, year: int = 2024) -> np.ndarray:
    (found,) = artists(ax, f"interval {year}")
    assert isinstance(found, LineCollection)
    return np.array([[s[0][0], s[1][0]] for s in found.get_segments()])


def labels(ax: Axes) -> list[str]:
    # A line may end after a stroke.
    return [t.get_text().replace("/\n", "/").replace("\n", " ") for t in ax.get_yticklabels()]


def figure_of(ax: Axes) -> Figure:
    figure = ax.get_figure(root=True)
    assert figure is not None
    return figure


# -- groups -------------------------------------------------------------------------------------


def test_groups_draw_the_protected_table() -> None:
    data = by_groups(["A", "B", "C", "D"], hidden=["C"])
    ax = plots.groups(data)
    shown = data.table.query("breakdown == 'team' and status == 'ok'")
    np.testing.assert_array_equal(dots(ax), shown["value"])
    np.testing.assert_array_equal(intervals(ax), shown[["lower", "upper"]])
    written = words(figure_of(ax))
    for value, base in zip(shown["value"], shown["base"], strict=True):
        assert f"{value:.1f}%" in written
        assert f"n = {base:,.0f}" in written


def test_a_label_stands_beside_its_own_dot() -> None:
    data = by_groups(["A", "B", "C", "D"])
    ax = plots.groups(data)
    shown = data.table.query("breakdown == 'team'")
    (marks,) = artists(ax, "value 2024")
    heights = np.asarray(marks.get_offsets())[:, 1]
    np.testing.assert_allclose(heights, ax.get_yticks())
    at = {round(float(t.xy[1]), 6): t.get_text() for t in ax.texts if t.get_text()[0].isdigit()}
    for height, value in zip(heights, shown["value"], strict=True):
        assert at[round(float(height), 6)] == f"{value:.1f}%"


def test_hidden_groups_keep_their_place() -> None:
    ax = plots.groups(by_groups(["A", "B", "C"], hidden=["B"]))
    assert labels(ax) == ["A", "B", "C"]
    said = [t for t in ax.texts if t.get_text() == "[c] hidden to protect people"]
    assert len(said) == 1
    assert said[0].xy[1] == pytest.approx(ax.get_yticks()[1])


def test_groups_stand_in_questionnaire_order() -> None:
    known = [g.label for g in ca.load_instrument().breakdowns["ethnicity_detailed"].groups]
    ax = plots.groups(by_groups(sorted(known), breakdown="ethnicity_detailed"))
    assert labels(ax) == known


def test_groups_not_asked_are_named_below() -> None:
    rows = [
        {"breakdown": "team", "group": "A"},
        {"breakdown": "team", "group": "B", "status": "not_asked", "value": np.nan},
    ]
    ax = plots.groups(estimates(rows))
    assert labels(ax) == ["A"]
    assert "Not asked in 2024: B." in words(figure_of(ax))


def test_many_groups_are_sorted_and_hidden_ones_counted() -> None:
    names = [f"Team {i}" for i in range(64)]
    data = by_groups(names, hidden=names[:23])
    ax = plots.groups(data)
    shown = data.table.query("breakdown == 'team' and status == 'ok'")
    np.testing.assert_array_equal(dots(ax), shown["value"].sort_values(ascending=False))
    assert labels(ax)[-1] == "23 groups"
    assert len(labels(ax)) == 64 - 23 + 1
    kept = plots.groups(data, order="questionnaire")
    assert labels(kept) == names


def test_very_many_groups_show_both_ends_and_say_so() -> None:
    names = [f"Team {i}" for i in range(200)]
    data = by_groups(names)
    ax = plots.groups(data)
    values = data.table.query("breakdown == 'team'")["value"].sort_values(ascending=False)
    drawn = dots(ax)
    np.testing.assert_array_equal(drawn[:40], values[:40])
    np.testing.assert_array_equal(drawn[-40:], values[-40:])
    assert "... 120 groups between these are not drawn" in labels(ax)


def test_all_staff_is_a_line_with_its_figure() -> None:
    ax = plots.groups(by_groups(["A", "B"]))
    (line,) = artists(ax, "reference All staff")
    assert set(line.get_xdata()) == {41.0}
    assert "All staff 41.0%" in words(figure_of(ax))


def test_overall_rows_may_be_given_apart() -> None:
    data = by_groups(["A", "B"])
    ax = plots.groups(data.select(breakdown="team"), reference=data.select(breakdown="overall"))
    (line,) = artists(ax, "reference All staff")
    assert set(line.get_xdata()) == {41.0}
    assert not artists(plots.groups(data.select(breakdown="team")), "reference All staff")


def test_differently_weighted_england_is_said_to_be() -> None:
    england = estimates(
        [{"org": "ENG", "value": 33.3, "source": "published", "weighting": "weighted by size"}]
    )
    ax = plots.groups(by_groups(["A", "B"]), reference=england)
    (line,) = artists(ax, "reference England")
    assert set(line.get_xdata()) == {33.3}
    said = words(figure_of(ax))
    assert "England is weighted by size, the groups are unweighted" in said


def test_england_of_an_earlier_year_bears_its_year_and_later_ones_are_not_used() -> None:
    england = estimates(
        [
            {"org": "ENG", "year": y, "value": v}
            for y, v in ((2022, 31.0), (2023, 32.0), (2025, 9.0))
        ]
    )
    ax = plots.groups(by_groups(["A", "B"]), reference=england)
    assert "England 2023 32.0%" in words(figure_of(ax))
    assert not artists(ax, "reference England 2025")


def test_years_have_shapes_of_their_own_and_are_named() -> None:
    data = by_groups(["A", "B"], years=(2022, 2023, 2024))
    ax = plots.groups(data)
    shapes = set()
    for year in (2022, 2023, 2024):
        of_year = data.table.query(f"year == {year}")
        np.testing.assert_array_equal(np.sort(dots(ax, year)), np.sort(of_year["value"]))
        (marks,) = artists(ax, f"value {year}")
        shapes.add(marks.get_paths()[0].vertices.tobytes())
        assert sum(t.get_text() == str(year) for t in ax.texts) == 3
    assert len(shapes) == 3
    assert labels(ax) == ["All staff", "A", "B"]
    assert "All staff 2024 43.0%" in words(figure_of(ax))


def test_changed_questions_and_groups_are_said() -> None:
    data = by_groups(["A"], measures=["msk_problems"], years=(2024, 2025))
    assert "Compare 2025 with care: examples added to the wording." in words(
        figure_of(plots.groups(data))
    )
    groups = [g.label for g in ca.load_instrument().breakdowns["ethnicity_detailed"].groups]
    data = by_groups(groups, breakdown="ethnicity_detailed", years=(2024, 2025))
    assert "(Asian: Any other Asian): Filipino has a code" in words(figure_of(plots.groups(data)))


def test_several_measures_are_panels() -> None:
    ids = ["hba_managers", "work_related_stress", "morale"]
    data = by_groups(["A", "B"], measures=ids)
    ax = plots.groups(data)
    panels = figure_of(ax).axes
    assert len(panels) == 3
    for panel, measure in zip(panels, ids, strict=True):
        table = data.table.query(f"measure == '{measure}' and breakdown == 'team'")
        np.testing.assert_array_equal(dots(panel), table["value"])
    assert labels(panels[0]) == ["A", "B"] and labels(panels[1]) == ["", ""]
    written = words(figure_of(ax))
    assert "Lower is better unless marked" in written and "Higher is better" in written


def test_panels_share_a_scale_unless_the_smallest_would_be_squeezed() -> None:
    def rows(second: float) -> list[dict[str, Any]]:
        return [
            {"measure": m, "breakdown": "team", "group": g, "value": v}
            for m, v in (("presenteeism", 60.0), ("violence_staff", second))
            for g in "AB"
        ]

    alike = figure_of(plots.groups(estimates(rows(30.0))))
    assert len({ax.get_xlim() for ax in alike.axes}) == 1
    assert "different scales" not in words(alike)
    apart = figure_of(plots.groups(estimates(rows(2.0))))
    assert apart.axes[0].get_xlim()[1] > 5 * apart.axes[1].get_xlim()[1]
    assert "The panels have different scales." in words(apart)


def test_direction_comes_from_the_questionnaire() -> None:
    assert "Lower is better" in words(figure_of(plots.groups(by_groups(["A"]))))
    higher = by_groups(["A"], measures=["enough_staff"])
    assert "Higher is better" in words(figure_of(plots.groups(higher)))
    own = by_groups(["A"], measures=["a_measure_of_my_own"])
    assert "is better" not in words(figure_of(plots.groups(own)))


def test_axes_begin_at_nought_and_scores_run_to_ten() -> None:
    percent = plots.groups(by_groups(["A", "B"]))
    assert percent.get_xlim()[0] == 0 and percent.get_xlim()[1] >= intervals(percent).max()
    score = plots.groups(by_groups(["A", "B"], measures=["morale"]))
    assert score.get_xlim() == (0, 10)
    assert "Score, 0 to 10" in words(figure_of(score))


def test_percentages_have_no_tick_over_100() -> None:
    rows = [
        {"breakdown": "team", "group": g, "value": 99.0, "lower": 97.0, "upper": 99.9} for g in "AB"
    ]
    ax = plots.groups(estimates(rows))
    assert ax.get_xlim()[1] > 100  # room for the labels
    assert max(ax.get_xticks()) == 100


def test_a_figure_without_limits_has_a_dot_and_no_line() -> None:
    rows = [
        {"breakdown": "team", "group": "A", "lower": np.nan, "upper": np.nan},
        {"breakdown": "team", "group": "B"},
    ]
    ax = plots.groups(estimates(rows))
    assert len(dots(ax)) == 2 and len(intervals(ax)) == 1


# -- measures -----------------------------------------------------------------------------------


def test_measures_draw_everyone_and_england() -> None:
    ids = ["work_related_stress", "presenteeism", "enough_staff"]
    data = by_groups(["A"], measures=ids)
    england = estimates(
        [{"org": "ENG", "measure": m, "value": 30.0 + i} for i, m in enumerate(ids[:2])]
    )
    ax = plots.measures(data, reference=england)
    np.testing.assert_array_equal(dots(ax), [41.0, 42.0, 43.0])
    marks = artists(ax, "reference England")
    assert [float(m.get_offsets()[0][0]) for m in marks] == [30.0, 31.0]
    assert [m.get_offsets()[0][1] for m in marks] == list(ax.get_yticks()[:2])
    assert labels(ax)[2] == "Enough staff (higher is better)"
    assert "30.0%" in words(figure_of(ax)) and "31.0%" in words(figure_of(ax))


@pytest.mark.parametrize("gap", np.arange(-14.0, 14.5, 1.75).tolist())
@pytest.mark.parametrize("base", [60.0, 900.0])
def test_no_figure_lies_on_the_mark_it_is_compared_with(gap: float, base: float) -> None:
    """However near England is, at either end of the scale; the label stays inside the plot."""
    values = {"work_related_stress": 84.0, "hba_managers": 14.0, "violence_patients": 1.0}
    data = estimates([{"measure": m, "value": v, "base": base} for m, v in values.items()])
    beside = {m: min(max(v + gap, 0.0), 100.0) for m, v in values.items()}
    england = estimates([{"org": "ENG", "measure": m, "value": v} for m, v in beside.items()])
    ax = plots.measures(data, reference=england)
    figure = figure_of(ax)
    figure.canvas.draw()
    written = [t for t in ax.texts if t.get_text() in {f"{v:.1f}%" for v in values.values()}
               and t.get_gid() is None and t.xycoords == "data"]  # fmt: skip
    assert len(written) == 3
    marks = [ax.transData.transform(m.get_offsets()[0]) for m in artists(ax, "reference England")]
    half = 0.5 * 48**0.5 / 72 * figure.dpi  # of a mark
    for text in written:
        box = text.get_window_extent()
        for x, y in marks:
            beyond = x + half <= box.x0 or x - half >= box.x1
            assert beyond or not box.y0 < y < box.y1, (text.get_text(), gap)
        assert box.x1 <= ax.get_window_extent().x1 + 1


def test_percentages_and_scores_have_panels() -> None:
    ax = plots.measures(by_groups([], measures=["work_related_stress", "morale"]))
    percent, score = figure_of(ax).axes
    assert dots(percent).tolist() == [41.0] and dots(score).tolist() == [pytest.approx(4.2)]


def test_measures_not_asked_are_named_below() -> None:
    rows = [
        {"measure": "presenteeism"},
        {"measure": "work_related_stress", "status": "not_asked", "value": np.nan},
    ]
    ax = plots.measures(estimates(rows))
    assert labels(ax) == ["Came to work unwell"]
    assert "Not asked in 2024: Work-related stress." in words(figure_of(ax))


# -- Likert -------------------------------------------------------------------------------------


def bars(ax: Axes) -> dict[str, Rectangle]:
    """The first bar's segments, from left to right."""
    found = [p for p in ax.patches if str(p.get_gid()).startswith("answer ")]
    assert all(isinstance(p, Rectangle) for p in found)
    return {str(p.get_gid()).removeprefix("answer "): p for p in found if isinstance(p, Rectangle)}


def spans(ax: Axes) -> dict[str, tuple[float, float]]:
    return {a: (p.get_x(), p.get_x() + p.get_width()) for a, p in bars(ax).items()}


@pytest.mark.parametrize(
    "item",
    ["enough_staff", "unrealistic_time_pressures", "hba_managers", "work_related_stress",
     "fair_career_progression", "hba_reported", "role_makes_difference", "pay_satisfaction"],
)  # fmt: skip
def test_likert_widths_are_the_figures_and_sides_the_questionnaire_s(item: str) -> None:
    data = answers([item])
    ax = plots.likert(data)
    drawn = spans(ax)
    table = data.table.set_index("answer")["value"]
    assert set(drawn) == set(table.index)
    for answer, (start, end) in drawn.items():
        assert end - start == pytest.approx(table[answer])
    known = ca.load_instrument().items[item]
    middle = {a for a, (s, e) in drawn.items() if s < -1e-9 and e > 1e-9}
    assert len(middle) <= 1
    for answer in known.positive:
        assert drawn[answer][0] >= -1e-9
    for answer in middle:
        assert sum(drawn[answer]) == pytest.approx(0.0)
        assert answer not in known.positive


def test_disagreeing_with_a_bad_statement_is_favourable() -> None:
    drawn = spans(plots.likert(answers(["strained_relationships"])))
    assert drawn["Always"][1] <= drawn["Often"][0] + 1e-9 <= drawn["Sometimes"][0] + 2e-9
    assert drawn["Never"][0] >= drawn["Rarely"][1] - 1e-9
    assert drawn["Rarely"][0] > 0 > drawn["Often"][1] - 1


def test_incidents_stand_left_of_never() -> None:
    drawn = spans(plots.likert(answers(["hba_managers"])))
    order = sorted(drawn, key=lambda a: drawn[a][0])
    assert order == ["More than 10", "6-10", "3-5", "1-2", "Never"]
    assert drawn["Never"][0] == pytest.approx(0.0)


@pytest.mark.parametrize(
    ("item", "apart"),
    [("fair_career_progression", {"Don't know"}), ("role_makes_difference", {"Not applicable"}),
     ("hba_reported", {"Don't know", "Not applicable"})],
)  # fmt: skip
def test_answers_that_take_no_side_stand_apart_and_hatched(item: str, apart: set[str]) -> None:
    ax = plots.likert(answers([item]))
    drawn = spans(ax)
    others = max(end for a, (_, end) in drawn.items() if a not in apart)
    for answer, patch in bars(ax).items():
        assert bool(patch.get_hatch()) == (answer in apart)
        if answer in apart:
            assert drawn[answer][0] > others


def test_likert_prints_six_per_cent_and_more() -> None:
    rows = [
        {"measure": "enough_staff", "answer": a, "value": v}
        for a, v in zip(
            ca.load_instrument().items["enough_staff"].labels, (5.9, 6.0, 30.1, 3.0, 55.0),
            strict=True,
        )
    ]  # fmt: skip
    ax = plots.likert(estimates(rows))
    printed = sorted(int(t.get_text()) for t in ax.texts if t.get_text().isdigit())
    assert printed == [6, 30, 55]


def test_likert_of_groups_says_hidden_ones() -> None:
    data = answers(["enough_staff"], groups=["A", "B", "C"], hidden=["B"])
    ax = plots.likert(data)
    assert labels(ax) == ["A", "B", "C"]
    assert sum(t.get_text() == "[c] hidden to protect people" for t in ax.texts) == 1


def test_likert_key_names_every_answer() -> None:
    items = ["enough_staff", "hba_managers"]
    written = words(figure_of(plots.likert(answers(items))))
    for item in items:
        assert all(a in written for a in ca.load_instrument().items[item].labels)


# -- heat map -----------------------------------------------------------------------------------


def cell(ax: Axes, group: str, measure: str) -> Rectangle:
    (found,) = artists(ax, f"cell {group} {measure}")
    assert isinstance(found, Rectangle)
    return found


def written_in(ax: Axes, patch: Rectangle) -> str:
    x, y = patch.get_x() + patch.get_width() / 2, patch.get_y() + patch.get_height() / 2
    (found,) = [t for t in ax.texts if np.allclose(t.get_position(), (x, y))]
    return found.get_text()


def heat(values: dict[str, float], **limits: float) -> ca.Estimates:
    """One measure lower-is-better and one higher-is-better, 40 for everyone."""
    rows: list[dict[str, Any]] = []
    for measure in ("work_related_stress", "enough_staff"):
        rows.append({"measure": measure, "value": 40.0})
        for group, value in values.items():
            lower, upper = value - limits.get("half", 1.0), value + limits.get("half", 1.0)
            rows.append(
                {"measure": measure, "breakdown": "team", "group": group, "value": value,
                 "lower": lower, "upper": upper}
            )  # fmt: skip
    return estimates(rows)


def blueness(patch: Rectangle) -> float:
    red, _, blue, _ = patch.get_facecolor()
    return float(blue) - float(red)


def test_heat_map_prints_every_figure() -> None:
    data = by_groups(["A", "B", "C"], measures=["hba_managers", "morale"], hidden=["B"])
    ax = plots.heatmap(data)
    for r in data.table.query("breakdown == 'team'").itertuples():
        text = written_in(ax, cell(ax, str(r.group), str(r.measure)))
        if r.status == "ok":
            digits = 2 if r.unit == "score" else 1
            assert text.rstrip("▲▼") == f"{r.value:.{digits}f}"
        else:
            assert text == "[c]"
            assert cell(ax, str(r.group), str(r.measure)).get_hatch()


def test_heat_map_colours_by_the_direction_of_better() -> None:
    ax = plots.heatmap(heat({"High": 60.0, "Low": 20.0, "Same": 40.0}))
    assert blueness(cell(ax, "High", "work_related_stress")) < 0  # orange: worse
    assert blueness(cell(ax, "Low", "work_related_stress")) > 0
    assert blueness(cell(ax, "High", "enough_staff")) > 0  # blue: better
    assert blueness(cell(ax, "Low", "enough_staff")) < 0
    assert blueness(cell(ax, "Same", "enough_staff")) == 0
    assert written_in(ax, cell(ax, "High", "enough_staff")).endswith("▲")
    assert written_in(ax, cell(ax, "Low", "enough_staff")).endswith("▼")
    written = words(figure_of(ax))
    assert "Orange is worse, blue is better" in written


def test_heat_map_stays_pale_where_it_may_be_chance() -> None:
    sure = plots.heatmap(heat({"A": 60.0}))
    unsure = plots.heatmap(heat({"A": 60.0}, half=25.0))
    strong = abs(blueness(cell(sure, "A", "enough_staff")))
    pale = abs(blueness(cell(unsure, "A", "enough_staff")))
    assert 0 < pale < strong / 2
    assert not written_in(unsure, cell(unsure, "A", "enough_staff")).endswith("▲")


def test_heat_map_without_overall_figures_has_no_colour_and_says_so() -> None:
    data = heat({"A": 60.0})
    ax = plots.heatmap(data.select(breakdown="team"))
    assert blueness(cell(ax, "A", "enough_staff")) == 0
    assert "No colours" in words(figure_of(ax))
    given = plots.heatmap(data.select(breakdown="team"), reference=data.select(breakdown="overall"))
    assert blueness(cell(given, "A", "enough_staff")) > 0


def test_heat_map_marks_the_better_direction_of_each_column() -> None:
    ax = plots.heatmap(heat({"A": 60.0}))
    assert [t.get_text() for t in ax.texts if t.get_text() in ("lower", "higher")] == [
        "lower",
        "higher",
    ]


def test_heat_map_bases_are_the_smallest_of_the_row() -> None:
    rows: list[dict[str, Any]] = [
        {"measure": m, "breakdown": "team", "group": "A", "base": b}
        for m, b in (("presenteeism", 1234.0), ("hba_managers", 987.0))
    ]
    assert "987" in [t.get_text() for t in plots.heatmap(estimates(rows)).texts]


# -- protection ---------------------------------------------------------------------------------

DRAWN: dict[str, Callable[[], Axes]] = {
    "groups": lambda: plots.groups(by_groups(["A", "B", "C"], hidden=["B"])),
    "sorted": lambda: plots.groups(by_groups([f"T{i}" for i in range(50)], hidden=["T1", "T2"])),
    "years": lambda: plots.groups(by_groups(["A", "B"], years=(2023, 2024), hidden=["B"])),
    "panels": lambda: plots.groups(
        by_groups(["A", "B"], measures=["hba_managers", "morale"], hidden=["B"])
    ),
    "measures": lambda: plots.measures(
        estimates([{"measure": "presenteeism"}, {"measure": "hba_managers", **SECRET}])
    ),
    "likert": lambda: plots.likert(answers(["enough_staff"], groups=["A", "B"], hidden=["B"])),
    "heatmap": lambda: plots.heatmap(
        by_groups(["A", "B"], measures=["hba_managers", "morale"], hidden=["B"])
    ),
}


@pytest.mark.parametrize("case", DRAWN)
def test_hidden_numbers_are_nowhere(case: str) -> None:
    ax = DRAWN[case]()
    figure = figure_of(ax)
    said = words(figure) + plots.alt_text(figure)
    for number in (77.77, 61.31, 88.93):
        assert f"{number:.1f}" not in said and f"{number:.2f}" not in said
    assert f"{number:.0f}" not in re.findall(r"\d+", said)
    assert "n = 5 " not in said + " " and "n = 5)" not in said
    assert "[c]" in words(figure)
    secret = np.array([77.77, 61.31, 88.93])
    for artist in figure.findobj():
        held: list[np.ndarray] = []
        if isinstance(artist, Collection):
            held = [np.asarray(artist.get_offsets()).ravel()]
            held += [np.asarray(p.vertices).ravel() for p in artist.get_paths()]
        elif isinstance(artist, Rectangle):
            held = [np.array([artist.get_x(), artist.get_width()])]
        elif hasattr(artist, "get_xdata"):
            held = [np.asarray(artist.get_xdata(), dtype=float).ravel()]
        for values in held:
            assert not np.isclose(values[:, None], secret, atol=1e-6).any()


def test_a_hidden_overall_figure_is_no_reference() -> None:
    rows = [{"breakdown": "team", "group": g} for g in "AB"]
    data = estimates([*rows, SECRET])
    england = estimates([{"org": "ENG", **SECRET}])
    for ax in (plots.groups(data, reference=england), plots.heatmap(data, reference=england)):
        said = words(figure_of(ax)) + plots.alt_text(ax)
        assert "77.8" not in said and "England" not in said
        assert not artists(ax, "reference All staff") and not artists(ax, "reference England")


@pytest.mark.parametrize("case", DRAWN)
def test_every_chart_says_where_it_comes_from(case: str) -> None:
    written = words(figure_of(DRAWN[case]()))
    assert "Source: NHS Staff Survey" in written and "respondents of Nowhere NHS Trust" in written
    assert "Primary suppression only: internal use, not for publication." in written
    assert "SYNTHETIC" not in written


def test_synthetic_data_and_switched_off_rules_are_said() -> None:
    rule = ca.Rule.none(reason="a test of charts")
    data = by_groups(["A"], notes=["SYNTHETIC data: nobody."], rule=rule)
    ax = plots.groups(data)
    written = words(figure_of(ax))
    assert "SYNTHETIC data: nobody." in written and "SYNTHETIC data: nobody." in plots.alt_text(ax)
    assert "no protection: a test of charts" in written


def test_heat_map_says_when_weightings_differ() -> None:
    rows: list[dict[str, Any]] = [
        {"source": "published", "weighting": "organisation size and occupation group"},
        {
            "source": "published",
            "weighting": "organisation size",
            "breakdown": "team",
            "group": "A",
        },
    ]
    assert (
        "All staff: weighted by organisation size and occupation group; the groups: weighted by "
        "organisation size." in words(figure_of(plots.heatmap(estimates(rows))))
    )
    assert "strictly comparable" not in words(figure_of(plots.heatmap(heat({"A": 60.0}))))


def test_published_results_are_not_called_internal() -> None:
    rows = [
        {"breakdown": "team", "group": g, "source": "published", "method": "base_only",
         "release": "2024 detailed spreadsheets", "weighting": "weighted by size"}
        for g in "AB"
    ]  # fmt: skip
    written = words(figure_of(plots.groups(estimates(rows))))
    assert "2024 detailed spreadsheets" in written and "(weighted by size)" in written
    assert "Primary suppression only" not in written
    assert "probably too narrow" in written


# -- nothing to show ----------------------------------------------------------------------------


def test_all_hidden_is_a_sentence_not_an_error() -> None:
    data = by_groups(["A", "B"], hidden=["A", "B"])
    for draw in (plots.groups, plots.heatmap):
        ax = draw(data)
        sentence = "All 2 groups are hidden to protect people [c]."
        assert sentence in words(figure_of(ax)) and sentence in plots.alt_text(ax)
    ax = plots.likert(answers(["enough_staff"], groups=["A"], hidden=["A"]))
    assert "There is nothing to show: [c] hidden to protect people." in words(figure_of(ax))
    ax = plots.measures(estimates([SECRET]))
    assert "There is nothing to show: [c] hidden to protect people." in words(figure_of(ax))


def test_one_hidden_panel_among_others() -> None:
    rows = [
        {"measure": m, "breakdown": "team", "group": g, **(SECRET if m == "morale" else {})}
        for m in ("presenteeism", "morale")
        for g in "AB"
    ]
    ax = plots.groups(estimates(rows))
    assert "All 2 groups are hidden" in words(figure_of(ax))
    assert labels(figure_of(ax).axes[0]) == ["A", "B"]


def test_nothing_asked_is_a_sentence() -> None:
    rows = [{"breakdown": "team", "group": g, "status": "not_asked", "value": np.nan} for g in "AB"]
    for draw in (plots.groups, plots.heatmap):
        assert "not asked in 2024" in words(figure_of(draw(estimates(rows))))
    rows = [{"measure": "enough_staff", "answer": "Agree", "status": "not_asked", "value": np.nan}]
    assert "nothing to show" in words(figure_of(plots.likert(estimates(rows))))


# -- refusals -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["groups", "measures", "likert", "heatmap"])
def test_only_estimates_are_drawn(name: str) -> None:
    draw = getattr(plots, name)
    with pytest.raises(MeasureError, match=rf"plots\.{name}\(\) draws Estimates.*DataFrame"):
        draw(by_groups(["A"]).table)
    with pytest.raises(MeasureError, match="without rows"):
        draw(ca.Estimates(by_groups(["A"]).table.head(0), rule=ca.load_rule("default")))


def test_refusals_say_what_to_select() -> None:
    two = estimates([{"breakdown": b, "group": "A"} for b in ("team", "directorate")])
    with pytest.raises(MeasureError, match=r"estimates\.select\(breakdown='team'\)"):
        plots.groups(two)
    orgs = estimates([{"breakdown": "team", "group": "A", "org": o} for o in ("ZZ1", "ZZ2")])
    with pytest.raises(MeasureError, match=r"estimates\.select\(org='ZZ1'\)"):
        plots.heatmap(orgs)
    within = estimates(
        [
            {"breakdown": "team", "group": "A", "within": "gender", "within_group": g}
            for g in ("Female", "Male")
        ]
    )
    with pytest.raises(MeasureError, match=r"select\(within_group='Female'\)"):
        plots.groups(within)
    with pytest.raises(MeasureError, match=r"plots\.measures\(\)"):
        plots.groups(by_groups([]))
    with pytest.raises(MeasureError, match=r"plots\.likert\(\)"):
        plots.groups(answers(["enough_staff"], groups=["A"]))
    with pytest.raises(MeasureError, match=r"calculate_answers\(\)"):
        plots.likert(by_groups(["A"]))
    with pytest.raises(MeasureError, match="2 items by groups"):
        plots.likert(answers(["enough_staff", "hba_managers"], groups=["A", "B"]))
    with pytest.raises(MeasureError, match="percentages and scores"):
        plots.groups(estimates([{"breakdown": "team", "group": "A", "statistic": "difference"}]))
    with pytest.raises(MeasureError, match="order='up'"):
        plots.groups(by_groups(["A"]), order="up")
    ax = plots.groups(by_groups(["A"]))
    with pytest.raises(MeasureError, match="draws one measure"):
        plots.groups(by_groups(["A"], measures=["morale", "presenteeism"]), ax=ax)


def test_one_group_of_many_can_be_drawn_within() -> None:
    rows = [
        {"breakdown": b, "group": g, "within": "gender", "within_group": "Female", "value": v}
        for b, g, v in (("team", "A", 22.0), ("overall", "All staff", 33.0))
    ]
    ax = plots.groups(estimates([*rows, {"value": 55.0}]))
    (line,) = artists(ax, "reference All staff")
    assert set(line.get_xdata()) == {33.0}
    assert "Within: Female" in words(figure_of(ax))


# -- colours ------------------------------------------------------------------------------------


def test_marks_have_contrast_on_white() -> None:
    assert all(contrast(colour, "#FFFFFF") >= 3 for colour in PALETTE[:5])
    assert len({shape for shape, _ in YEAR_MARKS}) == len(YEAR_MARKS)


def test_text_on_any_shade_can_be_read() -> None:
    for colour in PALETTE:
        for strength in np.linspace(0, 1, 11):
            shade = tint(colour, float(strength))
            assert contrast(ink(shade), shade) >= 4.5


def test_text_colours_can_be_read() -> None:
    from matplotlib.colors import to_hex

    for case in DRAWN.values():
        for text in texts(figure_of(case())):
            if text.get_bbox_patch() is None and text.axes is not None and text.axes.patches:
                continue  # on a coloured cell: tested above
            assert contrast(to_hex(text.get_color()).upper(), "#FFFFFF") >= 4.5, text.get_text()

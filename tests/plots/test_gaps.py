"""Gaps and ratios: what is drawn and written is what the protected comparisons say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import Collection
from matplotlib.figure import Figure

import culture_analytics as ca
from culture_analytics import plots
from culture_analytics.compare import compare_groups, verdict
from culture_analytics.errors import MeasureError
from tests.plots.made import SECRET, estimates, words

OTHER = "All other ethnic groups combined"
MEASURES = ("hba_patients", "fair_career_progression", "discrimination_staff")


def compared(
    names: Sequence[str] = ("White", OTHER),
    *,
    measures: Sequence[str] = MEASURES,
    breakdown: str = "ethnicity",
    hidden: Sequence[str] = (),
    base: float = 900.0,
    reference: str = "standard",
    **options: Any,
) -> ca.Estimates:
    """Figures of groups with the differences and ratios made of them."""
    rows: list[dict[str, Any]] = []
    known = ca.load_instrument().measures
    for number, measure in enumerate(measures):
        score = known[measure].unit == "score"
        unit = {"statistic": "score", "unit": "score", "se": 0.05, "df": 99.0} if score else {}
        scale = 0.1 if score else 1.0
        rows.append({"measure": measure, **unit, "value": scale * 33.0, "base": 9_000.0})
        for place, name in enumerate(names):
            figures: dict[str, Any] = (
                SECRET
                if name in hidden
                else {"value": scale * (20.0 + (13 * place + 9 * number) % 41),
                      "base": base + 10 * place}
            )  # fmt: skip
            rows.append(
                {"measure": measure, "breakdown": breakdown, "group": name, **unit, **figures}
            )
    figures_of = estimates(rows, **options)
    return ca.concat(
        [
            figures_of,
            compare_groups(figures_of, reference=reference, statistic=["difference", "ratio"]),
        ]
    )


def drawn(ax: Axes, shape: str) -> np.ndarray:
    found = ax.findobj(lambda a: a.get_gid() == f"value {shape}")
    places = [c.get_offsets() for c in found if isinstance(c, Collection)]
    return np.array([float(np.asarray(p)[0, 0]) for p in places])


def written(ax: Axes) -> str:
    figure = ax.get_figure(root=True)
    assert isinstance(figure, Figure)
    return words(figure)


def saved(result: ca.Estimates) -> ca.Estimates:
    """As a saved release gives it: the protected view alone."""
    return ca.Estimates(
        result.table, rule=result.rule, organisations=result.organisations, notes=result.notes,
        view=True,
    )  # fmt: skip


# -- gaps ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("view", [False, True])
def test_both_figures_and_the_gap_are_those_of_the_table(view: bool) -> None:
    result = saved(compared()) if view else compared()
    ax = plots.gaps(result)
    table = result.table
    figures = table[table["statistic"].eq("percent") & table["breakdown"].eq("ethnicity")]
    for shape, group in (("s", "White"), ("o", OTHER)):
        np.testing.assert_array_equal(
            drawn(ax, shape), figures.loc[figures["group"] == group, "value"]
        )
    text = written(ax).replace("−", "-")
    for row in table.query("statistic == 'difference'").itertuples():
        assert f"{row.value:+.1f} ({row.lower:+.1f} to {row.upper:+.1f})" in text
    for base in ("900", "910"):
        assert text.count(base) == len(MEASURES)


def test_the_verdict_is_that_of_the_comparison_and_whom_it_is_worse_for() -> None:
    result = compared()
    said = plots.alt_text(plots.gaps(result))
    gaps = result.select(statistic="difference")
    assert set(verdict(gaps)) == {"a clear gap"}
    # More of the other groups were harassed (worse); more said progression is fair (better).
    assert f"Bullied by patients or public: White 20.0% (n = 900), {OTHER} 33.0% (n = 910)" in said
    assert said.count(f"worse for '{OTHER}'") == 2 and said.count("worse for 'White'") == 1
    assert "Lower is better unless marked" in said


def test_few_people_are_not_judged() -> None:
    said = written(plots.gaps(compared(base=30.0)))
    assert "too few to judge" in said and "worse for" not in said
    assert "fewer than ten people on a side" in said


def test_hidden_groups_keep_their_row_and_give_nothing_away() -> None:
    names = ["White", "Asian or Asian British", "Other ethnic group"]
    result = compared(names, breakdown="ethnicity_broad", hidden=names[2:], measures=MEASURES[:1])
    for one in (result, saved(result)):
        ax = plots.gaps(one)
        assert [t.get_text() for t in ax.get_yticklabels()] == names[1:]
        assert written(ax).count("[c] hidden to protect people") == 1
        everything = written(ax) + plots.alt_text(ax)
        for secret in SECRET.values():
            assert f"{secret:.1f}" not in everything and f"{secret:.2f}" not in everything
        assert len(drawn(ax, "o")) == 1


def test_a_hidden_reference_hides_every_gap() -> None:
    ax = plots.gaps(compared(hidden=["White"]))
    assert len(drawn(ax, "s")) == 0 and len(drawn(ax, "o")) == len(MEASURES)
    assert written(ax).count("hidden to protect people") == len(MEASURES)


def test_everyone_else_is_worked_out_from_what_is_shown() -> None:
    result = compared(["A", "B"], breakdown="team", measures=MEASURES[:1], reference="rest")
    ax = plots.gaps(result)
    gaps = result.table.query("statistic == 'difference'")
    own = result.table.query("statistic == 'percent' and breakdown == 'team'")
    np.testing.assert_allclose(drawn(ax, "s"), own["value"].to_numpy() - gaps["value"].to_numpy())
    assert "everyone else" in written(ax)


def test_scores_have_a_scale_of_their_own() -> None:
    result = compared(measures=(*MEASURES, "morale"))
    ax = plots.gaps(result)
    figure = ax.get_figure(root=True)
    assert figure is not None and len(figure.axes) == 2
    assert figure.axes[1].get_xlabel() == "Score, 0 to 10"
    assert "does not begin at zero" in written(ax)
    from matplotlib import pyplot as plt

    with pytest.raises(MeasureError, match="percentages or scores, not both"):
        plots.gaps(result, ax=plt.subplots()[1])


def test_england_and_given_names_stand_beside() -> None:
    england = estimates(
        [
            {"org": "ENG", "measure": m, "breakdown": "ethnicity", "group": g, "value": v,
             "base": 9e5, "source": "published", "weighting": "weighted by size",
             "release": "2024 detailed spreadsheets"}
            for m in MEASURES for g, v in (("White", 20.0), (OTHER, 26.6))
        ]
    )  # fmt: skip
    text = written(plots.gaps(compared(), reference=england, names={MEASURES[0]: "5 Harassed"}))
    assert text.count("England +6.6") == len(MEASURES)
    assert "5 Harassed" in text and "not strictly comparable" in text


def test_the_estimates_of_a_standard_are_drawn() -> None:
    from culture_analytics.standards import wdes_metrics

    found = wdes_metrics(ca.load_sample(2024))
    said = plots.alt_text(plots.gaps(saved(found.estimates)).figure)
    row = found.table.set_index("indicator").loc["4a ii"]
    assert f"gap {row['gap']:+.1f} ({row['gap_lower']:+.1f} to {row['gap_upper']:+.1f})" in said
    assert said.count("a clear gap") == int(found.table["verdict"].eq("a clear gap").sum())


def test_many_groups_are_cut_to_the_surest() -> None:
    names = [f"Team {i}" for i in range(1, 61)]
    result = compared(names, breakdown="team", measures=MEASURES[:1], hidden=names[:3])
    ax = plots.gaps(result)
    assert len(ax.get_yticks()) == 40
    assert "40 of 60 are drawn" in written(ax) and "3 are hidden" in written(ax)


def test_what_cannot_be_drawn_is_refused() -> None:
    result = compared()
    with pytest.raises(MeasureError, match="a difference for each group"):
        plots.gaps(result.select(statistic="percent"))
    with pytest.raises(MeasureError, match="differences alone"):
        plots.gaps(result.select(statistic="difference"))
    both = ca.concat([result, compared(["A", "B"], breakdown="team", reference="rest")])
    with pytest.raises(MeasureError, match="one breakdown at a time"):
        plots.gaps(both)


# -- ratios -------------------------------------------------------------------------------------


def places(ax: Axes) -> list[float]:
    found = ax.findobj(lambda a: a.get_gid() == "value")
    return [float(np.asarray(c.get_offsets())[0, 0]) for c in found if isinstance(c, Collection)]


@pytest.mark.parametrize("standard", ["wres_indicators", "wdes_metrics"])
def test_ratios_stand_as_the_standards_publish_them(standard: str) -> None:
    """Above 1 is worse for the group compared, as the definitions of the standards have it."""
    from culture_analytics import standards

    found = getattr(standards, standard)(ca.load_sample(2024))
    breakdown = {"wres_indicators": "ethnicity"}.get(standard, "long_term_condition")
    ax = plots.ratios(saved(found.estimates).select(breakdown=["overall", breakdown]))
    table = found.table.dropna(subset=["ratio"])
    np.testing.assert_allclose(places(ax), table["ratio"])
    text = written(ax)
    for row in table.itertuples():
        assert f"{row.ratio:.2f} ({row.ratio_lower:.2f} to {row.ratio_upper:.2f})" in text


def test_the_range_is_drawn_as_guidance_from_the_definitions() -> None:
    from culture_analytics.standards import guidance_range

    low, high, label = guidance_range()
    ax = plots.ratios(compared())
    (band,) = ax.findobj(lambda a: a.get_gid() == "guidance")
    box = band.get_extents().transformed(ax.transData.inverted())  # type: ignore[attr-defined]
    assert (box.x0, box.x1) == pytest.approx((low, high)) == (0.8, 1.25)
    assert ax.get_xscale() == "log"
    assert label in written(ax) and "shaded: 0.80 to 1.25, guidance only" in written(ax)
    assert "made for how likely events are" in label


def test_ratios_of_few_people_are_not_judged() -> None:
    ax = plots.ratios(compared(base=30.0))
    said = written(ax) + plots.alt_text(ax)
    assert "too few to judge" in said
    assert "a clear gap, " not in said and "worse for '" not in said.replace("above 1: worse", "")


def test_a_ratio_to_nobody_goes_on() -> None:
    """Nobody of one group: the interval ends at an arrow, whichever way the ratio stands."""
    for measure in ("hba_patients", "fair_career_progression"):
        rows: list[dict[str, Any]] = [
            {"measure": measure, "breakdown": "ethnicity", "group": g, "value": v, "base": 80.0}
            for g, v in (("White", 2.5), (OTHER, 20.0))
        ]
        figures = estimates([{"measure": measure}, *rows])
        result = compare_groups(figures, statistic=["difference", "ratio"])
        table = result.table.assign(upper=np.nan)
        endless = ca.Estimates(table, rule=result.rule, view=True)
        ax = plots.ratios(endless)
        assert ("or more)" in written(ax)) is (measure == "hba_patients")
        assert ("(0.00 to" in written(ax)) is (measure != "hba_patients")
        low, high = ax.get_xlim()
        for line in ax.findobj(lambda a: a.get_gid() == "interval"):
            for segment in line.get_segments():  # type: ignore[attr-defined]
                assert low <= segment[0][0] <= segment[1][0] <= high


@pytest.mark.parametrize("name", ["gaps", "ratios"])
def test_axes_given_are_drawn_in(name: str) -> None:
    from matplotlib import pyplot as plt

    figure, own = plt.subplots(figsize=(12, 6))
    assert getattr(plots, name)(compared(), ax=own) is own and figure.axes == [own]
    assert "Primary suppression only" in own.get_xlabel().replace("\n", " ")


def test_hidden_ratios_are_said_to_be_hidden() -> None:
    names = ["White", "Asian or Asian British", "Other ethnic group"]
    result = compared(names, breakdown="ethnicity_broad", hidden=names[2:], measures=MEASURES[:1])
    ax = plots.ratios(saved(result))
    assert len(places(ax)) == 1 and len(ax.get_yticks()) == 2
    assert "hidden to protect people" in written(ax)
    with pytest.raises(MeasureError, match="a ratio for each group"):
        plots.ratios(result.select(statistic="difference"))

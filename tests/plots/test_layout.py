"""Nothing is cut off and nothing lies on top of anything else, whatever is drawn."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import culture_analytics as ca
from culture_analytics import plots
from culture_analytics.plots.layout import axes_width, even, text_width, wrap
from tests.plots.made import answers, boxes, by_groups, estimates
from tests.plots.test_gaps import compared
from tests.plots.test_strata_and_units import CELLS, gaps, pooled, scores, shares, strata

LONG = [
    "White: English/Welsh/Scottish/Northern Irish/British",
    "Other qualified Scientific and Technical or Healthcare Scientists",
    "Averylongunitnamewithoutanyspacesatallwhichsomebodyoncetypedintoasystem",
    "$HOME & $PATH_{team} 100% <b>",
    "Cr\u00e8che\tand\nplay \u2013 \u4e00",
]


def teams(number: int) -> list[str]:
    return [f"Team {i}" for i in range(1, number + 1)]


ENGLAND = estimates(
    [
        {"measure": m, "org": "ENG", "value": 41.6, "base": 700_000.0, "source": "published",
         "release": "2024 detailed spreadsheets", "weighting": "weighted by size"}
        for m in ("work_related_stress", "hba_managers", "presenteeism")
    ]
)  # fmt: skip

CASES: dict[str, Callable[[], Axes]] = {
    "one group": lambda: plots.groups(by_groups(["A"])),
    "two groups": lambda: plots.groups(by_groups(["A", "B"])),
    "nineteen": lambda: plots.groups(by_groups(teams(19), hidden=["Team 3", "Team 4"])),
    "forty-two": lambda: plots.groups(by_groups(teams(42))),
    "eighty": lambda: plots.groups(by_groups(teams(80), hidden=teams(23))),
    "two hundred": lambda: plots.groups(by_groups(teams(200), hidden=teams(23))),
    "long names": lambda: plots.groups(by_groups(LONG)),
    "long title": lambda: plots.groups(by_groups(["A", "B"], measures=["hba_staff"])),
    "three years": lambda: plots.groups(by_groups(teams(5), years=(2022, 2023, 2024))),
    "england": lambda: plots.groups(by_groups(["A", "B", "C"]), reference=ENGLAND),
    "panels": lambda: plots.groups(
        by_groups(LONG, measures=["hba_managers", "work_related_stress", "morale"]),
        reference=ENGLAND,
    ),
    "panels of years": lambda: plots.groups(
        by_groups(teams(4), measures=["hba_managers", "presenteeism"], years=(2022, 2023, 2024))
    ),
    "many panels": lambda: plots.groups(
        by_groups(teams(50), measures=["hba_managers", "presenteeism"], years=(2023, 2024))
    ),
    "all hidden": lambda: plots.groups(by_groups(teams(30), hidden=teams(30), overall=False)),
    "measures": lambda: plots.measures(
        by_groups([], measures=["work_related_stress", "hba_managers", "morale", "presenteeism"]),
        reference=ENGLAND,
    ),
    "measures by year": lambda: plots.measures(
        by_groups([], measures=["work_related_stress", "enough_staff"], years=(2022, 2023, 2024)),
        reference=ENGLAND,
    ),
    "likert": lambda: plots.likert(
        answers(["enough_staff", "hba_managers", "hba_reported", "fair_career_progression"])
    ),
    "likert years": lambda: plots.likert(answers(["enough_staff"], years=(2023, 2024))),
    "likert groups": lambda: plots.likert(
        answers(["role_makes_difference"], groups=[*LONG, "Hidden"], hidden=["Hidden"])
    ),
    "heat map": lambda: plots.heatmap(
        by_groups(LONG, measures=["hba_managers", "work_related_stress", "morale"])
    ),
    "wide heat map": lambda: plots.heatmap(
        by_groups(teams(7), measures=ca.load_instrument().domains["stress"], hidden=["Team 2"])
    ),
    "tall heat map": lambda: plots.heatmap(
        by_groups(teams(90), measures=["hba_managers", "morale"], hidden=teams(5))
    ),
    "gaps": lambda: plots.gaps(compared()),
    "gaps of scores too": lambda: plots.gaps(
        compared(measures=["hba_managers", "org_values_work", "morale", "staff_engagement"])
    ),
    "gaps of long names": lambda: plots.gaps(
        compared(LONG, breakdown="team", reference=LONG[0], hidden=LONG[3:4])
    ),
    "ratios": lambda: plots.ratios(compared()),
    "ratios of few": lambda: plots.ratios(compared(base=14.0)),
    "ratios of long names": lambda: plots.ratios(
        compared(LONG, breakdown="team", reference=LONG[0], hidden=LONG[3:4])
    ),
    "intersections": lambda: plots.intersections(strata(CELLS, hidden=[1], out=[4])),
    "many intersections": lambda: plots.intersections(
        strata([(a, b) for a in LONG for b in teams(12)], out=[3])
    ),
    "adjusted": lambda: plots.adjusted(gaps(), allowing_for=["occupation", "pay band", "age"]),
    "pooled": lambda: plots.pooled(pooled(30, hidden=["Unit 3", "Unit 9"])),
    "pooled of many": lambda: plots.pooled(pooled(400, high=60)),
    "pooled, none out": lambda: plots.pooled(pooled(60, high=0)),
    "drivers": lambda: plots.drivers(
        estimates(shares(["burnout", "staff_engagement", "thinking_about_leaving"]))
    ),
    "drivers of long names": lambda: plots.drivers(estimates(shares(["burnout"], LONG))),
    "priorities": lambda: plots.priorities(estimates([*shares(["burnout"]), *scores()])),
    "priorities of long names": lambda: plots.priorities(
        estimates([*shares(["burnout"], LONG), *scores(LONG)]), first=LONG[:2]
    ),
    "crowded priorities": lambda: plots.priorities(
        estimates(
            [*shares(["burnout"], teams(12)), *scores(teams(12), [6 + k / 90 for k in range(12)])]
        )
    ),
    "gaps of many": lambda: plots.gaps(
        compared(teams(90), breakdown="team", reference="rest", measures=["hba_managers"])
    ),
}


@cache
def measured(case: str) -> tuple[Any, list[tuple[str, Any]]]:
    """The page and every text on it, each case drawn once."""
    figure = CASES[case]().figure
    assert isinstance(figure, Figure)
    return figure.bbox.frozen(), boxes(figure)


@pytest.mark.parametrize("case", CASES)
def test_every_text_is_inside_the_figure(case: str) -> None:
    page, found = measured(case)
    assert found
    for text, box in found:
        assert box.x0 >= page.x0 and box.x1 <= page.x1, text
        assert box.y0 >= page.y0 and box.y1 <= page.y1, text


@pytest.mark.parametrize("case", CASES)
def test_no_text_lies_on_another(case: str) -> None:
    found = sorted(measured(case)[1], key=lambda each: each[1].y0)
    for (one, a), (other, b) in itertools.combinations(found, 2):
        if b.y0 >= a.y1:
            continue
        across = min(a.x1, b.x1) - max(a.x0, b.x0)
        down = min(a.y1, b.y1) - max(a.y0, b.y0)
        # A box is as high as the tallest letter of the font: two pixels may be shared.
        assert across <= 1 or down <= 3, f"{one!r} and {other!r}"


@pytest.mark.parametrize("number", [2, 5, 40, 41, 80])
def test_height_grows_with_groups(number: int) -> None:
    figure = plots.groups(by_groups(teams(number))).figure
    smaller = plots.groups(by_groups(teams(number - 1))).figure
    assert figure.get_size_inches()[1] > smaller.get_size_inches()[1]
    assert figure.get_size_inches()[0] == smaller.get_size_inches()[0]


def test_wrapping_keeps_every_letter_and_the_width() -> None:
    for text in (" ".join(name.split()) for name in LONG):
        for lines in (wrap(text, 1.5, 10), even(text, 1.5, 10)):
            assert "".join(lines).replace(" ", "") == text.replace(" ", "")
            assert all(text_width(line, 10) <= 1.5 for line in lines)


def test_even_lines_are_as_few_as_wrapped_ones() -> None:
    text = "Harassment, bullying or abuse at work from managers, last 12 months: at least once"
    assert len(even(text, 5, 13, "bold")) == len(wrap(text, 5, 13, "bold"))


def test_own_axes_are_kept() -> None:
    from matplotlib import pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(16, 5))
    assert plots.groups(by_groups(teams(4)), ax=left) is left
    assert plots.measures(by_groups([]), ax=right) is right
    assert figure.axes == [left, right]
    assert "Team 4" in [t.get_text() for t in left.get_yticklabels()]
    for draw in (plots.likert, plots.heatmap):
        _, own = plt.subplots(figsize=(9, 6))
        data = answers(["enough_staff"]) if draw is plots.likert else by_groups(teams(4))
        assert draw(data, ax=own) is own
        assert "respondents of Nowhere NHS Trust" in own.get_xlabel().replace("\n", " ")
    _, own = plt.subplots(figsize=(9, 6))
    plots.groups(by_groups(teams(4), hidden=teams(4)), ax=own)
    assert "Primary suppression only" in own.get_xlabel() and own.xaxis.get_visible()


def test_axes_of_a_subfigure_can_be_drawn_in_and_saved(tmp_path: Path) -> None:
    from matplotlib import pyplot as plt

    figure = plt.figure(figsize=(18, 6))
    left, _ = figure.subfigures(1, 2)
    ax = plots.groups(by_groups(teams(4)), ax=left.subplots())
    assert axes_width(ax) == pytest.approx(18 / 2 * 0.775)
    assert plots.alt_text(figure) == plots.alt_text(ax)
    assert plots.save(ax, tmp_path / "half.png").stat().st_size > 1000


def test_user_settings_are_left_alone() -> None:
    import matplotlib

    before = dict(matplotlib.rcParams)
    plots.groups(by_groups(["A", "B"]))
    assert dict(matplotlib.rcParams) == before

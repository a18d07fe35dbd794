"""What the notebooks' helpers show of a Release, and what they say when there is nothing."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import numpy as np
import pandas as pd
import pytest

import culture_analytics as ca
from culture_analytics import show
from culture_analytics.disclosure.release import BANNER, Release
from culture_analytics.errors import MeasureError
from culture_analytics.output.blocks import Picture, Sentence, Several, Table
from tests.conftest import make_survey
from tests.output.html import parse


def mostly_never(n: int) -> dict[str, pd.Categorical]:
    """Incidents as rare as they are; where nearly everyone had one, groups are given away."""
    items = ca.load_instrument().items
    rng = np.random.default_rng(5)
    return {
        name: pd.Categorical.from_codes(
            rng.choice(5, n, p=[0.86, 0.08, 0.03, 0.02, 0.01]), dtype=items[name].dtype
        )
        for name in items
        if name.startswith(("hba_", "violence_")) and len(items[name].labels) == 5
    }


@pytest.fixture(scope="module")
def release() -> Release:
    columns: dict[str, Any] = mostly_never(1200)
    return ca.build_release(make_survey(1200, years=(2023, 2024), seed=5, columns=columns))


@pytest.fixture(scope="module")
def before_2023() -> Release:
    columns: dict[str, Any] = mostly_never(300)
    survey = make_survey(300, years=(2022,), seed=6, columns=columns)
    return ca.build_release(dataclasses.replace(survey, units=()))


def only(block: object) -> Sentence:
    blocks = list(block) if isinstance(block, Several) else [block]
    (sentence,) = blocks
    assert isinstance(sentence, Sentence)
    return sentence


def cells(block: object) -> list[list[str]]:
    assert isinstance(block, Table)
    tree = parse(block._repr_html_())
    return [[c.text for c in r.all("th") + r.all("td")] for r in tree.all("tbody")[0].all("tr")]


def test_sentence_gives_the_latest_figure_with_interval_and_base(release: Release) -> None:
    row = (
        release["stress", "overall"].select(measure="work_related_stress", year=2024).table.iloc[0]
    )
    said = show.sentence(release, "stress", "work_related_stress").text
    assert said.startswith(
        f"Work-related stress, 2024: {row['value']:.1f}% (95% interval {row['lower']:.1f} to "
        f"{row['upper']:.1f}; {row['base']:,.0f} answers)"
    )


def test_figures_have_a_column_a_year(release: Release) -> None:
    table = show.figures(release, "stress")
    assert isinstance(table, Table)
    assert list(table.heads) == ["Measure", "2024", "95% interval", "Answers", "2023"]
    row = next(r for r in cells(table) if r[0] == "Work-related stress")
    held = release["stress", "overall"].select(measure="work_related_stress").table
    by_year = held.set_index("year")["value"]
    assert row[1] == f"{by_year[2024]:.1f}%"
    assert row[4] == f"{by_year[2023]:.1f}%"


def test_charts_carry_their_description(release: Release) -> None:
    for block in (
        show.headline(release),
        show.years(release, "headline"),
        show.answers(release, "bullying", ["hba_managers", "hba_colleagues"]),
        *show.groups(release, "stress", "work_related_stress", "gender", "age"),
        *show.heatmap(release, "stress", "directorate"),
    ):
        assert isinstance(block, Picture), block
        data, metadata = block._repr_mimebundle_()
        assert metadata["image/png"]["alt"] == block.alt == data["text/plain"]
        assert len(block.alt) > 60
        assert 600 < metadata["image/png"]["width"] <= 1000


def test_charts_by_group_are_of_the_latest_year(release: Release) -> None:
    (chart,) = show.groups(release, "stress", "work_related_stress", "gender")
    assert isinstance(chart, Picture)
    assert "2024" in chart.alt
    assert "2023" not in chart.alt


def test_a_picture_shows_once_in_a_notebook(release: Release) -> None:
    from matplotlib import pyplot as plt

    before = plt.get_fignums()
    show.headline(release)
    assert plt.get_fignums() == before


def test_group_table_holds_every_characteristic(release: Release) -> None:
    table = show.group_table(release, "stress", "work_related_stress")
    assert isinstance(table, Table)
    titles = [title for title, _ in table.sections if title]
    known = ca.load_instrument().breakdowns
    assert titles == [b.label for b in known.values() if "equality" in b.sets]


def test_units_are_found_whatever_they_are_called() -> None:
    columns: dict[str, Any] = mostly_never(1600)
    survey = make_survey(1600, seed=7, columns=columns)
    responses = survey.responses.rename(columns={"directorate": "care_group", "team": "ward"})
    release = ca.build_release(
        dataclasses.replace(survey, responses=responses, units=("care_group", "ward"))
    )
    (chart,) = show.heatmap(release, "stress", "directorate")
    assert isinstance(chart, Picture)
    assert "care group" in chart.alt.lower()
    table = show.unit_table(release, "stress", ["work_related_stress"], "team")
    assert isinstance(table, Table)
    assert table.heads[0] == "Ward"


def test_unit_table_hides_what_the_release_hides(release: Release) -> None:
    table = show.unit_table(release, "stress", ["work_related_stress"], "team")
    held = release["stress", "team"].select(measure="work_related_stress", year=2024).table
    hidden = set(held.loc[held["status"] == "suppressed", "group"])
    shown = {row[0]: row[1] for row in cells(table)}
    assert {g for g, text in shown.items() if text == "[c]"} == hidden
    assert set(shown) == {"All staff", *held["group"]}


def planted_gap() -> Release:
    """Women 80 of 100, men 20 of 100, others exactly the whole; 20 did not say who they are."""
    instrument = ca.load_instrument()
    groups = [*np.repeat(["Female", "Male"], 100), *[None] * 20]
    answers = np.repeat(["Yes", "No", "Yes", "No", "Yes", "No"], [80, 20, 20, 80, 10, 10])
    age = [*np.tile(["21-30", "31-40"], 100), *[None] * 20]
    frame = pd.DataFrame(
        {
            "org": pd.Categorical(["ZZ1"] * 220),
            "year": np.full(220, 2024, dtype="int16"),
            "gender": pd.Categorical(groups, dtype=instrument.items["gender"].dtype),
            "age": pd.Categorical(age, dtype=instrument.items["age"].dtype),
            "work_related_stress": pd.Categorical(
                answers, dtype=instrument.items["work_related_stress"].dtype
            ),
        }
    )
    return ca.build_release(ca.Survey(frame, instrument=instrument))


def test_groups_that_stand_apart_are_those_planted() -> None:
    table = show.standing_apart(planted_gap(), "stress", "work_related_stress")
    found = [row[:4] for row in cells(table)]
    assert found == [
        ["Female", "Gender", "higher", "80.0%"], ["Male", "Gender", "lower", "20.0%"],
    ]  # fmt: skip
    assert isinstance(table, Table)
    assert "2 of the 4 groups" in table.notes[0]
    assert "(50.0%)" in table.caption


def test_england_is_beside_where_it_is_known() -> None:
    from culture_analytics.resources import sample_folder

    national = sample_folder() / "NSS24 SYNTHETIC detailed spreadsheets national results.xlsx"
    compared = ca.open_release("sample", year=2024, published=national)
    table = show.figures(compared)
    assert isinstance(table, Table)
    assert table.heads[-1] == "England"
    england = compared["published"].select(org="ENG", measure="work_related_stress").table
    row = next(r for r in cells(table) if r[0] == "Work-related stress")
    assert row[-1] == f"{england['value'].iloc[0]:.1f}%"
    chart = show.headline(compared)
    assert isinstance(chart, Picture)
    assert "England" in chart.alt


# -- when there is nothing to show ------------------------------------------------------------


def test_no_units(before_2023: Release) -> None:
    assert (
        "not divided by directorate"
        in only(show.heatmap(before_2023, "stress", "directorate")).text
    )
    table = show.unit_table(before_2023, "stress", ["work_related_stress"])
    assert only(table).absent


def test_a_question_not_asked_that_year(before_2023: Release) -> None:
    said = only(show.headline(before_2023, "bullying", ["sexual_safety"]))
    assert "not asked that year" in said.text.lower()
    assert said.absent
    said = only(show.groups(before_2023, "bullying", "sexual_behaviour_staff", "gender"))
    assert "not asked that year" in said.text.lower()


def test_one_year(before_2023: Release) -> None:
    assert "Only one year" in only(show.years(before_2023, "headline")).text


def test_a_topic_that_is_not_held(before_2023: Release) -> None:
    assert only(show.headline(before_2023, "pay")).absent
    assert only(show.answers(before_2023, "pay")).absent


def test_breakdowns_not_held_are_named_together() -> None:
    release = planted_gap()
    blocks = list(
        show.groups(release, "stress", "work_related_stress", "gender", "religion", "carer")
    )
    assert isinstance(blocks[0], Picture)
    assert repr(blocks[1]) == "These results are not divided by religion or caring for others."


def test_everything_hidden_is_said() -> None:
    release = ca.build_release(make_survey(8, seed=8))
    said = only(show.headline(release))
    assert "too few answers" in said.text.lower()
    assert not re.search(r"\d", said.text)
    counts = show.respondents(release)
    assert isinstance(counts, Table)
    assert cells(counts) == [["2024", "fewer than 11"]]


def test_first_held_measure(release: Release, before_2023: Release) -> None:
    wanted = ["sexual_behaviour_staff", "hba_managers"]
    assert show.first_held(release, "bullying", wanted) == "sexual_behaviour_staff"
    assert show.first_held(before_2023, "bullying", wanted) == "hba_managers"
    assert show.first_held(before_2023, "bullying", wanted[:1]) == wanted[0]


def test_a_misspelt_measure_is_an_error(release: Release) -> None:
    with pytest.raises(MeasureError, match="hba_managers"):
        show.headline(release, "bullying", ["hba_manager"])


def test_quality_is_one_part_a_file() -> None:
    tables = {"tables": [{"topic": "stress", "measures": ["work_related_stress"], "by": []}]}
    table = show.quality(ca.build_release(ca.load_sample(), tables=tables))
    assert isinstance(table, Table)
    assert [title for title, _ in table.sections] == [
        f"synthetic_trust_{y}.csv" for y in (2023, 2024, 2025)
    ]
    assert all(rows[0][0] == "Rows read" for _, rows in table.sections)


def test_hidden_counts_add_up(release: Release) -> None:
    table = show.hidden(release)
    total = sum(int(row[-1].replace(",", "")) for row in cells(table))
    assert total == len(release.table)


def test_synthetic_and_banner_come_first(sample_release: Release) -> None:
    blocks = list(show.about(sample_release))
    assert repr(blocks[0]).startswith("SYNTHETIC DATA")
    assert BANNER in repr(blocks[1])

"""The two official 2024 workbooks, against published figures and an independent reader."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from culture_analytics.estimates import KEY
from culture_analytics.instrument import Instrument
from culture_analytics.read.detect import recognise
from culture_analytics.read.published.cells import read_source
from culture_analytics.read.published.detailed import parse_detailed
from culture_analytics.stats import wilson
from tests.read_published.conftest import (
    Published,
    RawSheets,
    read_with_warnings,
    real_workbook,
)

KINDS = ("national", "organisational")
CellsOf = Callable[[str], RawSheets]
IDENTIFIERS = {"national": 4, "organisational": 6}


@pytest.fixture(params=KINDS)
def real(request: pytest.FixtureRequest) -> tuple[str, Published]:
    return request.param, request.getfixturevalue(f"real_{request.param}")


def england(table: pd.DataFrame, measure: str, answer: str = "") -> pd.Series:
    rows = table.query("measure == @measure and answer == @answer and breakdown == 'overall'")
    assert len(rows) == 1
    return rows.iloc[0]


class TestPublishedFigures:
    """What NHS England reported for 2024."""

    @pytest.mark.parametrize(
        ("measure", "value", "base"),
        [
            ("work_related_stress", 41.63, 740_911),
            ("hba_managers", 9.46, 735_810),
            ("discrimination_staff", 9.22, 733_934),
            ("enough_staff", 34.0, None),
            ("hba_patients", 25.1, None),
            ("discrimination_patients", 9.25, 740_189),
            ("recommend_care", 64.28, None),
            ("recommend_place_to_work", 60.80, None),
            ("fair_career_progression", 55.93, 736_960),
        ],
    )
    def test_england(
        self, real_national: Published, measure: str, value: float, base: int | None
    ) -> None:
        row = england(real_national.estimates.table, measure)
        assert row["value"] == pytest.approx(value, abs=0.05 if round(value, 1) == value else 0.005)
        assert row["org"] == "ENG" and row["status"] == "ok" and row["method"] == "base_only"
        if base is not None:
            assert row["base"] == base

    @pytest.mark.parametrize(
        ("measure", "value"),
        [("hba_reported", 54.0), ("reasonable_adjustments", 74.97)],
    )
    def test_excluded_answers_leave_the_base(
        self, real_national: Published, measure: str, value: float
    ) -> None:
        row = england(real_national.estimates.table, measure)
        assert row["value"] == pytest.approx(value, abs=0.05 if value == 54.0 else 0.005)
        assert row["method"] == "base_only, base estimated"

    def test_estimated_base_is_the_published_one_without_the_excluded(
        self, real_national: Published
    ) -> None:
        table = real_national.estimates.table
        dropped = england(table, "reasonable_adjustments", "No adjustment required")
        row = england(table, "reasonable_adjustments")
        assert row["base"] == round(dropped["base"] * (1 - dropped["value"] / 100))

    def test_ethnicity(self, real_national: Published) -> None:
        rows = real_national.estimates.select(
            measure="discrimination_staff", breakdown="ethnicity", answer=""
        ).table.set_index("group")["value"]
        assert rows["White"] == pytest.approx(6.77, abs=0.005)
        assert rows["All other ethnic groups combined"] == pytest.approx(15.20, abs=0.005)

    @pytest.mark.parametrize(
        ("score", "value"),
        [("recognised_and_rewarded", 5.99), ("safe_and_healthy", 6.14), ("always_learning", 5.67),
         ("work_flexibly", 6.31), ("team", 6.80), ("morale", 5.96)],
    )  # fmt: skip
    def test_scores(self, real_national: Published, score: str, value: float) -> None:
        row = england(real_national.estimates.table, score)
        assert row["value"] == pytest.approx(value, abs=0.0051)
        assert row[["lower", "upper", "level"]].isna().all() and row["unit"] == "score"

    def test_weighting_differs_between_england_and_its_breakdowns(
        self, real_national: Published
    ) -> None:
        stress = real_national.estimates.select(measure="work_related_stress", answer="").table
        labels = stress.groupby(stress["breakdown"].eq("overall"))["weighting"].unique()
        assert list(labels[True]) == ["organisation size and occupation group"]
        assert list(labels[False]) == ["organisation size"]


class TestEveryCell:
    """An independent minimal reader, and nothing lost between the two."""

    def test_every_figure_of_the_file_is_in_the_result(
        self, real: tuple[str, Published], real_cells: CellsOf
    ) -> None:
        kind, published = real
        defective = kind == "organisational"  # its grounds of discrimination: see below
        table = published.estimates._frame
        answers = table.loc[(table["answer"] != "") | (table["unit"] == "score")]
        grounds = table.loc[table["measure"].str.startswith("discrimination_grounds")]
        kept = pd.concat([answers, grounds])
        mine = np.sort(kept["value"].dropna().to_numpy())
        theirs, ground_cells = [], 0
        for question, rows in minimal_read(real_cells(kind), IDENTIFIERS[kind]):
            cells = [value for row in rows for value in row[:-1] if isinstance(value, int | float)]
            if question.startswith("Q16c") and defective:
                ground_cells += len(cells)
            else:
                theirs += cells
        assert ground_cells == (1466 if defective else 0)
        assert len(mine) == len(theirs) > 60_000
        np.testing.assert_allclose(mine, np.sort(np.array(theirs, dtype=float)), atol=1e-9, rtol=0)

    def test_every_cell_stands_where_it_belongs(
        self, real: tuple[str, Published], real_cells: CellsOf, instrument: Instrument
    ) -> None:
        kind, published = real
        frame = published.estimates._frame
        whole = (frame["answer"] != "") | (frame["unit"] == "score")
        whole |= frame["measure"].str.startswith("discrimination_grounds")
        by_item = dict(list(frame.loc[whole].groupby("measure", sort=False)))
        numbers = instrument.numbers(2024)
        codes = {score.code: score.id for score in instrument.scores.values()}
        codes |= {"Staff Engagement": codes["E"], "Morale": codes["M"]}
        cells = 0
        for question, rows in minimal_read(real_cells(kind), IDENTIFIERS[kind]):
            code = question.split(" - ")[0]
            name = numbers[code.lower()][0].item if code.startswith("Q") else codes[code]
            mine = by_item.pop(name)
            width = len(rows[0]) - 1
            values = mine["value"].to_numpy().reshape(width, len(rows)).T
            bases = mine["base"].to_numpy().reshape(width, len(rows))
            theirs = np.array(
                [[v if isinstance(v, int | float) else np.nan for v in r] for r in rows],
                dtype=float,
            )
            if not (code.startswith("Q16c") and kind == "organisational"):
                np.testing.assert_allclose(values, theirs[:, :-1], atol=1e-9, rtol=0)
            for base in bases:
                np.testing.assert_array_equal(base, theirs[:, -1])
            cells += theirs.size
        assert not by_item
        assert cells > 130_000

    def test_every_cell_is_accounted_for(
        self, real: tuple[str, Published], real_cells: CellsOf
    ) -> None:
        kind, published = real
        report = parse_detailed(read_source(recognise(published.path))).report
        filled = sum(
            1
            for rows in real_cells(kind).values()
            for row in rows
            for cell in row
            if cell is not None and str(cell).strip()
        )
        assert report.total == filled == sum(report.cells.values())
        assert report.unread == 0
        assert report.marks_mapped == {"national": 2446, "organisational": 704}[kind]
        assert report.rows == {"national": 171, "organisational": 263}[kind]
        assert str(report) in published.estimates.notes[-2]

    def test_keys_are_unique(self, real: tuple[str, Published]) -> None:
        table = real[1].estimates.table
        assert not table.duplicated(list(KEY)).any()

    def test_answers_add_up(self, real: tuple[str, Published]) -> None:
        table = real[1].estimates.table
        answers = table[table["answer"].ne("")]
        sums = answers.groupby(["org", "measure", "breakdown", "group"])["value"].sum(min_count=1)
        assert len(sums.dropna()) > 15_000
        assert sums.dropna().between(99.99, 100.01).all()


class TestMarks:
    def test_hyphens_of_the_national_file_are_all_explained(self, real_national: Published) -> None:
        # 2,446 cells: gender by gender and the like, and adjustments of those with no condition.
        table = real_national.estimates.table
        assert set(table["status"]) == {"ok", "not_applicable"}
        hidden = table[table["status"].eq("not_applicable")]
        assert hidden["value"].isna().all() and hidden["base"].isna().all()
        adjustments = hidden[hidden["measure"].eq("reasonable_adjustments")]
        assert set(adjustments["group"]) == {"Without a long-term condition or illness"}
        crossed = hidden.loc[~hidden["measure"].eq("reasonable_adjustments")]
        pairs = set(zip(crossed["measure"], crossed["breakdown"], strict=True))
        assert ("gender", "gender") in pairs and ("contracted_hours", "working_pattern") in pairs
        assert ("ethnic_group", "ethnicity_detailed") in pairs
        assert ("ethnic_group", "ethnicity") not in pairs

    def test_hyphens_of_organisations_say_only_that_there_is_nothing(
        self, real_organisational: Published
    ) -> None:
        table = real_organisational.estimates.table
        assert not table["status"].eq("not_applicable").any()
        assert table["status"].eq("unavailable").sum() > 500

    def test_nothing_shown_on_a_base_under_the_publishers_limit(
        self, real: tuple[str, Published]
    ) -> None:
        table = real[1].estimates.table
        assert table.loc[table["value"].notna() & table["unit"].eq("percent"), "base"].min() >= 10
        assert set(table["rule"]) == {"nss-2024"}

    def test_a_zero_is_a_zero(self, real: tuple[str, Published]) -> None:
        table = real[1].estimates.table
        zeros = table[table["value"].eq(0)]
        assert len(zeros) > 100 and zeros["status"].eq("ok").all()


class TestDefect:
    def test_constant_grounds_are_reported_and_not_passed_on(
        self, real_organisational: Published
    ) -> None:
        table = real_organisational.estimates.table
        grounds = table[table["measure"].str.startswith("discrimination_grounds")]
        assert len(grounds) == 7 * 263
        assert grounds["value"].isna().all() and grounds["lower"].isna().all()
        assert set(grounds["status"]) == {"unavailable"}
        assert grounds["base"].notna().sum() > 1_466  # bases are kept where they are shown
        (warning,) = real_organisational.warnings
        assert "Q16c_1" in warning and "1,466" in warning and "100" in warning
        assert any("1,466" in note for note in real_organisational.estimates.notes)

    def test_real_grounds_are_kept(self, real_national: Published) -> None:
        row = england(real_national.estimates.table, "discrimination_grounds_race")
        assert row["value"] == pytest.approx(54.09, abs=0.005) and row["base"] == 110_473
        assert not real_national.warnings


class TestWeighting:
    def test_never_weighted_questions_are_whole_numbers_of_people(
        self, real_national: Published
    ) -> None:
        """The proof of the label: a percentage of the base is a count, only where unweighted."""
        table = real_national.estimates.table
        rows = table[table["answer"].ne("") & table["status"].eq("ok")]
        people = rows["value"] * rows["base"] / 100
        whole = (people - people.round()).abs() < 0.001
        unweighted = rows["weighting"].eq("unweighted")
        assert rows.loc[unweighted, "measure"].nunique() == 16
        assert whole[unweighted].all()
        assert whole[~unweighted].mean() < 0.05

    def test_labels_of_organisations(self, real_organisational: Published) -> None:
        stress = real_organisational.estimates.select(measure="work_related_stress", answer="")
        counts = stress.table["weighting"].value_counts()
        assert counts.to_dict() == {"occupation group": 217, "unweighted": 46}


class TestLimits:
    def test_wilson_on_the_published_base(self, real_national: Published) -> None:
        table = real_national.estimates.table
        rows = table[table["unit"].eq("percent") & table["status"].eq("ok")]
        lower, upper = wilson(rows["value"].clip(0, 100) / 100, rows["base"])
        np.testing.assert_allclose(rows["lower"], 100 * lower, atol=1e-9)
        np.testing.assert_allclose(rows["upper"], 100 * upper, atol=1e-9)
        assert (rows["lower"] < rows["upper"]).all()


class TestOrganisations:
    def test_table(self, real_organisational: Published) -> None:
        organisations = real_organisational.estimates.organisations
        assert organisations is not None
        assert list(organisations) == ["org", "name", "benchmark_group", "region", "ics"]
        assert len(organisations) == organisations["org"].nunique() == 263
        counts = organisations["benchmark_group"].value_counts()
        assert counts["Acute and Acute & Community Trusts"] == 122
        assert organisations["region"].isna().sum() == 53
        assert organisations["ics"].isna().sum() == 64
        assert "0AR" in set(organisations["org"])

    def test_breakdowns_of_england(self, real_national: Published, instrument: Instrument) -> None:
        table = real_national.estimates.table
        groups = table.groupby("breakdown", sort=False)["group"].nunique()
        assert len(groups) == 20 and groups["region"] == 7 and groups["ics"] == 42
        for breakdown in set(groups.index) & set(instrument.breakdowns):
            defined = [g.label for g in instrument.breakdowns[breakdown].groups]
            found = list(table.loc[table["breakdown"].eq(breakdown), "group"].unique())
            assert set(found) <= set(defined)
            assert set(defined) - set(found) <= {"Asian: Filipino"}


def test_measures_are_those_calculate_gives(
    real_national: Published, instrument: Instrument
) -> None:
    """Every measure of one question, and every score; no composite of several questions."""
    table = real_national.estimates.table
    found = set(table.loc[table["answer"].eq(""), "measure"])
    expected = {
        m.id
        for m in instrument.measures.values()
        if m.kind == "score" or (m.kind == "item" and instrument.asked(m.parts[0][0], 2024))
    }
    assert found == expected
    assert {"hba_managers_positive", "strained_relationships_adverse"} <= found
    assert "hba_staff" not in found
    labels = table[table["answer"].eq("")].drop_duplicates("measure").set_index("measure")["label"]
    assert all(labels[m] == instrument.measures[m].label for m in found)


def test_both_workbooks_in_under_five_seconds(real_data: Path) -> None:
    paths = [real_workbook(real_data, kind) for kind in KINDS]
    start = time.process_time()
    for path in paths:
        read_with_warnings(path)
    assert time.process_time() - start < 5


def minimal_read(sheets: RawSheets, identifiers: int) -> list[tuple[str, list[tuple[object, ...]]]]:
    """Every question of a workbook as rows of raw cells, from fixed positions."""
    found = []
    for rows in list(sheets.values())[1:]:
        starts = [c for c in range(identifiers, len(rows[0])) if rows[0][c]]
        body = [row for row in rows[5:] if row[0]]
        for start, end in zip(starts, [*starts[1:], len(rows[4])], strict=True):
            assert re.match(r"Base", str(rows[4][end - 1]))
            found.append((str(rows[0][start]), [tuple(row[start:end]) for row in body]))
    return found

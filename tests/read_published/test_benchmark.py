"""The benchmark workbook: wide, proportions, a sheet a group."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from culture_analytics.errors import PublishedError, PublishedWarning
from culture_analytics.estimates import KEY, Estimates
from culture_analytics.read.detect import FileKind
from culture_analytics.read.published import read_published
from culture_analytics.read.published.benchmark import parse_benchmark
from culture_analytics.read.published.cells import Source
from tests.read_published.layouts import (
    GROUP_SHEETS,
    MENTAL_HEALTH,
    Sheets,
    Truth,
    benchmark,
    read_cells,
    write_xlsx,
)

Made = tuple[Sheets, Truth]
ACUTE_SHEET, MH_SHEET = "Acute&Acute Community Trusts", "MH&LD, MH, LD&Community Trusts"
LIST = "Organisation Benchmark groups"


@pytest.fixture(scope="module")
def made() -> Made:
    return benchmark()


def check(estimates: Estimates, truth: Truth, *, cells: int | None = None) -> None:
    frame = estimates._frame
    keys = ["org", "measure", "year", "breakdown", "group"]
    mine = frame.set_index(keys)
    assert len(mine) == len(truth) and mine.index.is_unique
    order = pd.MultiIndex.from_tuples(list(truth), names=keys)
    values = np.array(list(truth.values()))
    np.testing.assert_allclose(mine.loc[order, "value"], values[:, 0], atol=1e-9)
    np.testing.assert_array_equal(mine.loc[order, "base"], values[:, 1])


def altered(made: Made, change: Callable[[Sheets], None]) -> Sheets:
    sheets = copy.deepcopy(made[0])
    change(sheets)
    return sheets


def refused(sheets: Sheets) -> str:
    with pytest.raises(PublishedError) as caught:
        read_cells(sheets)
    return str(caught.value)


def place(sheets: Sheets, heading: str, sheet: str = ACUTE_SHEET) -> int:
    return sheets[sheet][0].index(heading)


class TestRead:
    def test_every_figure(self, made: Made) -> None:
        estimates = read_cells(made[0])
        check(estimates, made[1])
        table = estimates.table
        assert not table.duplicated(list(KEY)).any()
        assert set(table["release"]) == {"2024 benchmark workbook (synthetic)"}
        assert set(table["statistic"]) == {"percent", "score", "response_rate"}
        percents = table[table["unit"].eq("percent")]
        assert percents["value"].between(0, 100).all() and percents["value"].max() > 50
        assert percents["lower"].lt(percents["value"]).all()

    def test_through_a_file(self, made: Made, tmp_path: Path) -> None:
        check(read_published(write_xlsx(made[0], tmp_path / "SYNTHETIC.xlsx")), made[1])

    @pytest.mark.parametrize("year", [2022, 2023, 2025])
    def test_other_years(self, year: int) -> None:
        sheets, truth = benchmark(year, each=2)
        check(read_cells(sheets), truth)

    def test_every_cell_is_accounted_for(self, made: Made) -> None:
        report = parse_benchmark(Source(FileKind(Path("x.xlsx"), "xlsx", 1), made[0])).report
        filled = sum(c not in ("", None) for rows in made[0].values() for row in rows for c in row)
        assert report.total == filled == sum(report.cells.values())
        assert report.unread == 7 * 12  # the column of significance
        assert report.figures_mapped == 2 * len(made[1])

    def test_organisations_and_weighting(self, made: Made) -> None:
        estimates = read_cells(made[0])
        organisations = estimates.organisations
        assert organisations is not None and organisations["org"].is_unique
        assert dict(organisations["benchmark_group"].value_counts()) == dict.fromkeys(
            GROUP_SHEETS.values(), 12
        )
        table = estimates.table.merge(organisations, on="org")
        weightings = table[table["measure"].eq("staff_engagement")].groupby("benchmark_group")[
            "weighting"
        ].unique()  # fmt: skip
        assert list(weightings["ICBs"]) == ["unweighted"]
        assert list(weightings["Ambulance Trusts"]) == ["occupation group"]

    def test_the_union_is_read_not_rebuilt(self, made: Made) -> None:
        table = read_cells(made[0]).table
        union = table[table["measure"].eq("hba_staff")]
        assert set(union["breakdown"]) == {"ethnicity"} and len(union) == 2 * 3 * 84

    def test_whole_numbers_stay_text_in_codes(self, made: Made) -> None:
        def change(sheets: Sheets) -> None:
            for rows in (sheets[ACUTE_SHEET], sheets[LIST]):
                rows[1][0] = "000"

        assert "000" in read_cells(altered(made, change)).unique("org")


class TestUnderstood:
    @pytest.mark.parametrize(
        "name",
        ["MH&LD, MH, LD & Community Trusts", "MH&LD, MH, LD & Community Trust",
         "MH&LD, MH, LD&Community Tru", "Mental Health & Learning Disab", "Sheet7"],
    )  # fmt: skip
    def test_sheet_of_mental_health_renamed(self, made: Made, name: str) -> None:
        sheets = {name if s == MH_SHEET else s: rows for s, rows in made[0].items()}
        estimates = read_cells(sheets)
        check(estimates, made[1])
        organisations = estimates.organisations
        assert organisations is not None and MENTAL_HEALTH in set(organisations["benchmark_group"])

    def test_columns_and_sheets_in_another_order(self, made: Made) -> None:
        def change(sheets: Sheets) -> None:
            for name in GROUP_SHEETS:
                sheets[name] = [row[::-1] for row in sheets[name]]

        sheets = altered(made, change)
        check(read_cells(dict(reversed(sheets.items()))), made[1])

    def test_rows_shifted(self, made: Made) -> None:
        def change(sheets: Sheets) -> None:
            width = len(sheets[ACUTE_SHEET][0])
            sheets[ACUTE_SHEET].insert(0, [""] * width)
            sheets[ACUTE_SHEET].insert(4, [""] * width)

        check(read_cells(altered(made, change)), made[1])

    @pytest.mark.parametrize(
        ("mark", "status"),
        [("", "unavailable"), ("-", "unavailable"), ("*", "suppressed"), ("<10", "suppressed"),
         ("<11", "suppressed"), ("NA", "unavailable"), ("[z]", "not_applicable")],
    )  # fmt: skip
    def test_marks_are_statuses(self, made: Made, mark: str, status: str) -> None:
        def change(sheets: Sheets) -> None:
            row = sheets[ACUTE_SHEET][1]
            row[place(sheets, "q11c_2024")] = row[place(sheets, "q11c_n_2024")] = mark

        table = read_cells(altered(made, change)).table
        row = table[table["measure"].eq("work_related_stress") & table["org"].eq("ZZ0")
                    & table["year"].eq(2024)]  # fmt: skip
        assert list(row["status"]) == [status] and row["value"].isna().all()

    def test_unknown_measure_is_left_out_by_name(self, made: Made) -> None:
        def change(sheets: Sheets) -> None:
            for name in GROUP_SHEETS:
                rows = sheets[name]
                rows[0] += ["mystery_2024", "mystery_n_2024"]
                for row in rows[1:]:
                    row += [0.5, 100]

        with pytest.warns(PublishedWarning, match="mystery"):
            check(read_cells(altered(made, change)), made[1])

    @pytest.mark.parametrize(
        "name",
        ["q16b_ltc_1", "har_from_staff_disability_2", "theme_engagementq31a_1",
         "q16b_eth_summary_3", "q16b_q31a_7", "q16b_gender_1"],
    )  # fmt: skip
    def test_unknown_equality_column_is_left_out_by_name(self, made: Made, name: str) -> None:
        """How the columns about disability are headed is not known: none is taken for another."""
        stem, code = name.rsplit("_", 1)

        def change(sheets: Sheets) -> None:
            for sheet in GROUP_SHEETS:
                rows = sheets[sheet]
                for year in (2023, 2024):
                    rows[0] += [f"{name}_{year}", f"{stem}_n_{code}_{year}"]
                for row in rows[1:]:
                    row += [0.31, 77, 0.32, 78]

        sheets = altered(made, change)
        with pytest.warns(PublishedWarning, match=f"'{name}'") as given:
            estimates = read_cells(sheets)
        check(estimates, made[1])
        assert any(f"'{stem}_n_{code}'" in str(w.message) for w in given)
        assert any(f"'{name}'" in note for note in estimates.notes)
        report = parse_benchmark(Source(FileKind(Path("x.xlsx"), "xlsx", 1), sheets)).report
        assert report.unread == 7 * 12 + 4 * 7 * 12  # the figures and bases of two years

    def test_every_unknown_measure_is_named_somewhere(self, made: Made) -> None:
        names = [f"mystery{k}" for k in range(30)]

        def change(sheets: Sheets) -> None:
            for sheet in GROUP_SHEETS:
                sheets[sheet][0] += [f"{name}_2024" for name in names]
                for row in sheets[sheet][1:]:
                    row.extend([0.5] * len(names))

        with pytest.warns(PublishedWarning, match="30 measure.s. not known"):
            notes = " ".join(read_cells(altered(made, change)).notes)
        assert all(f"'{name}'" in notes for name in names)

    def test_a_year_missing_between_others_is_said(self, made: Made) -> None:
        def change(sheets: Sheets) -> None:
            for sheet in GROUP_SHEETS:
                first = place(sheets, "q13a_2023", sheet)
                for row in sheets[sheet]:
                    del row[first : first + 2]

        with pytest.warns(PublishedWarning, match=r"without a year between.*'q13a \(2023\)'"):
            table = read_cells(altered(made, change)).table
        assert len(table) == len(made[1]) - 7 * 12

    def test_title_and_footnote(self, made: Made) -> None:
        def change(sheets: Sheets) -> None:
            blank = [""] * (len(sheets[ACUTE_SHEET][0]) - 1)
            sheets[ACUTE_SHEET].insert(0, ["SYNTHETIC benchmark results", *blank])
            sheets[ACUTE_SHEET].append(["Source: synthetic", *blank])

        check(read_cells(altered(made, change)), made[1])

    def test_units_without_a_sheet_of_their_own(self, made: Made) -> None:
        estimates = read_cells(altered(made, lambda s: s[LIST].append(["ZZX", "Unit", "CSUs"])))
        check(estimates, made[1])
        assert any("no benchmark group that has a sheet" in note for note in estimates.notes)

    def test_fewer_columns_outside_trusts(self, made: Made) -> None:
        def change(sheets: Sheets) -> None:
            first = place(sheets, "q11c_2022", "ICBs")
            for row in sheets["ICBs"]:
                del row[first : first + 2]

        table = read_cells(altered(made, change)).table
        assert len(table) == len(made[1]) - 12

    def test_constant_column_is_not_passed_on(self, made: Made) -> None:
        def change(sheets: Sheets) -> None:
            column = place(sheets, "q14b_2024")
            for row in sheets[ACUTE_SHEET][1:]:
                row[column] = 0.25

        with pytest.warns(PublishedWarning, match=r"q14b_2024 on sheet.*defect"):
            table = read_cells(altered(made, change)).table
        rows = table[table["measure"].eq("hba_managers") & table["year"].eq(2024)]
        assert rows["status"].value_counts().to_dict() == {"ok": 72, "unavailable": 12}


class TestRefused:
    @pytest.mark.parametrize("sheet", [ACUTE_SHEET, MH_SHEET, "Ambulance Trusts"])
    def test_sheet_of_trusts_removed(self, made: Made, sheet: str) -> None:
        sheets = {s: rows for s, rows in made[0].items() if s != sheet}
        message = refused(sheets)
        assert "no sheet of 1 benchmark group(s)" in message and GROUP_SHEETS[sheet][:70] in message

    def test_sheet_of_trusts_removed_with_the_list(self, made: Made) -> None:
        sheets = {s: rows for s, rows in made[0].items() if s not in (MH_SHEET, LIST)}
        assert MENTAL_HEALTH[:70] in refused(sheets)

    def test_sheet_of_icbs_removed(self, made: Made) -> None:
        sheets = {s: rows for s, rows in made[0].items() if s != "ICBs"}
        assert "'ICBs'" in refused(sheets)

    def test_sheet_renamed_beyond_recognition(self, made: Made) -> None:
        sheets = {"X" if s == MH_SHEET else s: r for s, r in made[0].items() if s != LIST}
        assert "'X'" in refused(sheets)

    def test_organisation_lost(self, made: Made) -> None:
        message = refused(altered(made, lambda s: s[ACUTE_SHEET].pop(3) and None))
        assert "1 organisation(s) of the list are on no sheet: 'ZZ2'" in message

    def test_organisation_twice(self, made: Made) -> None:
        def change(sheets: Sheets) -> None:
            sheets[ACUTE_SHEET].append(sheets[ACUTE_SHEET][1])

        assert "stand twice: 'ZZ0'" in refused(altered(made, change))

    @pytest.mark.parametrize(
        ("heading", "words"),
        [("q11c_2023", "base(s) without their figures: 'q11c_n_2023'"),
         ("q11c_n_2023", "column(s) without their base: 'q11c_2023'"),
         ("equal_eth_summary_n_1_2024", "without their base"),
         ("PP4_2_2024", "without their figures")],
    )  # fmt: skip
    def test_column_deleted(self, made: Made, heading: str, words: str) -> None:
        def change(sheets: Sheets) -> None:
            column = place(sheets, heading)
            for row in sheets[ACUTE_SHEET]:
                del row[column]

        assert words in refused(altered(made, change))

    def test_measure_deleted_from_one_sheet(self, made: Made) -> None:
        def change(sheets: Sheets) -> None:
            first = place(sheets, "q13a_2023")
            for row in sheets[ACUTE_SHEET]:
                del row[first : first + 2]

        message = refused(altered(made, change))
        assert "that other trusts have are missing: 'q13a_2023'" in message

    def test_score_deleted_everywhere(self, made: Made) -> None:
        def change(sheets: Sheets) -> None:
            for name in GROUP_SHEETS:
                first = place(sheets, "PP4_2_2024", name)
                for row in sheets[name]:
                    del row[first : first + 2]

        assert "PP4_2 (burnout)" in refused(altered(made, change))

    def test_percentages(self, made: Made) -> None:
        def change(sheets: Sheets) -> None:
            column = place(sheets, "q11c_2024")
            for row in sheets[ACUTE_SHEET][1:]:
                row[column] = 100 * float(row[column])  # type: ignore[arg-type]

        message = refused(altered(made, change))
        assert "percentages (0 to 100) where proportions" in message and "q11c_2024" in message

    def test_scores_as_proportions(self, made: Made) -> None:
        def change(sheets: Sheets) -> None:
            column = place(sheets, "PP1_2024")
            for row in sheets[ACUTE_SHEET][1:]:
                row[column] = float(row[column]) / 10  # type: ignore[arg-type]

        assert "scores between 0 and 1" in refused(altered(made, change))

    @pytest.mark.parametrize(("value", "words"), [(-0.1, "outside 0 to 1"), ("half", "known mark")])
    def test_impossible_figure(self, made: Made, value: object, words: str) -> None:
        def change(sheets: Sheets) -> None:
            sheets[ACUTE_SHEET][2][place(sheets, "q11c_2024")] = value

        assert words in refused(altered(made, change))

    def test_figures_without_a_base(self, made: Made) -> None:
        def change(sheets: Sheets) -> None:
            sheets[ACUTE_SHEET][2][place(sheets, "q11c_n_2024")] = ""

        assert "figures without a base" in refused(altered(made, change))

    def test_heading_twice(self, made: Made) -> None:
        def change(sheets: Sheets) -> None:
            sheets[ACUTE_SHEET][0][place(sheets, "q11c_2023")] = "q11c_2024"

        assert "heading(s) twice: 'q11c_2024'" in refused(altered(made, change))

    def test_year_contradicts(self, made: Made) -> None:
        with pytest.raises(PublishedError, match="2022 to 2024, but year=2021"):
            read_cells(made[0], year=2021)

    def test_list_and_sheet_contradict(self, made: Made) -> None:
        def change(sheets: Sheets) -> None:
            sheets[LIST][1][2] = "Ambulance Trusts"

        assert "the list of organisations puts" in refused(altered(made, change))

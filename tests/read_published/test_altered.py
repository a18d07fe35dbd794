"""Altered workbooks are understood or refused by name: never a wrong number."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
from openpyxl import Workbook

from culture_analytics.errors import PublishedError, PublishedWarning
from culture_analytics.read.published import read_published
from culture_analytics.simulate.workbook import write_synthetic_workbook
from culture_analytics.survey import Survey
from tests.read_published.conftest import read_with_warnings, sheet_with

Alter = Callable[..., Path]


def refused(path: Path) -> str:
    with pytest.raises(PublishedError) as caught:
        read_published(path)
    return str(caught.value)


@functools.cache
def figures(original: Path) -> pd.DataFrame:
    return read_published(original)._frame


def same_numbers(path: Path, original: Path) -> None:
    mine, theirs = read_published(path)._frame, figures(original)
    keys = ["org", "measure", "answer", "breakdown", "group"]
    columns = [*keys, "value", "base", "status"]
    pd.testing.assert_frame_equal(
        mine[columns].sort_values(keys, ignore_index=True),
        theirs[columns].sort_values(keys, ignore_index=True),
    )


def each_data_cell(book: Workbook, title: str) -> list[openpyxl.cell.Cell]:
    """Cells of figures under a question, bases left out."""
    sheet, first = sheet_with(book, title)
    cells = []
    for column in range(first, sheet.max_column + 1):
        if str(sheet.cell(5, column).value).startswith("Base"):
            break
        cells += [sheet.cell(row, column) for row in range(6, sheet.max_row + 1)]
    return cells


class TestUnderstood:
    def test_sheets_renamed_and_reordered(self, altered: Alter, synthetic: dict[str, Path]) -> None:
        def change(book: Workbook) -> None:
            for number, sheet in enumerate(book.worksheets):
                sheet.title = f"Tabelle {number}"
            book._sheets.reverse()

        same_numbers(altered(change, through_file=True), synthetic["organisational"])

    @pytest.mark.parametrize("before", [1, 3, 5])
    def test_rows_shifted(self, altered: Alter, synthetic: dict[str, Path], before: int) -> None:
        def change(book: Workbook) -> None:
            for sheet in book.worksheets[1:]:
                sheet.insert_rows(before, amount=2)

        same_numbers(altered(change), synthetic["organisational"])

    def test_rows_in_another_order_on_one_sheet(
        self, altered: Alter, synthetic: dict[str, Path]
    ) -> None:
        def change(book: Workbook) -> None:
            sheet = book.worksheets[4]
            rows = [[c.value for c in row] for row in sheet.iter_rows(min_row=6)]
            for place, row in enumerate(reversed(rows), start=6):
                for column, value in enumerate(row, start=1):
                    sheet.cell(place, column).value = value

        same_numbers(altered(change), synthetic["organisational"])

    def test_blank_rows_at_the_end_and_between(
        self, altered: Alter, synthetic: dict[str, Path]
    ) -> None:
        def change(book: Workbook) -> None:
            for sheet in book.worksheets[1:]:
                sheet.insert_rows(9)
                sheet.cell(sheet.max_row + 3, 1).value = "  "

        same_numbers(altered(change), synthetic["organisational"])

    def test_answers_in_another_order(self, altered: Alter, synthetic: dict[str, Path]) -> None:
        def change(book: Workbook) -> None:
            sheet, first = sheet_with(book, "Q11c -")
            for row in range(5, sheet.max_row + 1):
                a, b = sheet.cell(row, first), sheet.cell(row, first + 1)
                a.value, b.value = b.value, a.value

        same_numbers(altered(change), synthetic["organisational"])

    def test_typographic_spellings(self, altered: Alter, synthetic: dict[str, Path]) -> None:
        def change(book: Workbook) -> None:
            for sheet in book.worksheets[1:]:
                for column in range(1, sheet.max_column + 1):
                    cell = sheet.cell(5, column)
                    if isinstance(cell.value, str):
                        text = cell.value.replace("'", "\u2019").replace("-", "\u2013")
                        cell.value = "  " + text.replace("% ", "%  ").upper()

        same_numbers(altered(change), synthetic["organisational"])

    def test_figures_stored_as_text(self, altered: Alter, synthetic: dict[str, Path]) -> None:
        def change(book: Workbook) -> None:
            for cell in each_data_cell(book, "Q11c -"):
                cell.value = repr(cell.value)

        same_numbers(altered(change), synthetic["organisational"])

    def test_footnote_under_the_table(self, altered: Alter, synthetic: dict[str, Path]) -> None:
        def change(book: Workbook) -> None:
            sheet = book.worksheets[3]
            sheet.cell(sheet.max_row + 2, 1).value = "Source: synthetic"

        path = altered(change)
        same_numbers(path, synthetic["organisational"])
        assert any("text under the table" in note for note in read_published(path).notes)

    def test_sheet_of_text_added(self, altered: Alter, synthetic: dict[str, Path]) -> None:
        def change(book: Workbook) -> None:
            book.create_sheet("My remarks").append(["Look at the second sheet"])

        same_numbers(altered(change), synthetic["organisational"])

    def test_notes_lost(self, altered: Alter, synthetic: dict[str, Path]) -> None:
        """They alone say which questions of a weighted workbook are never weighted."""

        def change(book: Workbook) -> None:
            book.remove(book.worksheets[0])
            for sheet in book.worksheets:
                for row in range(6, sheet.max_row + 1):
                    if sheet.cell(row, 6).value:
                        sheet.cell(row, 6).value = "Occupation Group"

        path = altered(change)
        same_numbers(path, synthetic["organisational"])
        assert any("never weighted" in text for text in read_with_warnings(path).warnings)

    def test_groups_in_another_spelling(self, altered: Alter, synthetic: dict[str, Path]) -> None:
        def change(book: Workbook) -> None:
            for sheet in book.worksheets[1:]:
                for row in range(6, sheet.max_row + 1):
                    for column in (2, 3):
                        cell = sheet.cell(row, column)
                        if isinstance(cell.value, str):
                            cell.value = cell.value.replace(" / ", "/").upper() + " "

        # Systems have no list of names: theirs are kept as written.
        path = altered(change, "small national")
        mine = read_published(path)._frame
        theirs = read_published(synthetic["small national"])._frame
        assert (mine["breakdown"] == theirs["breakdown"]).all()
        listed = ~mine["breakdown"].eq("ics")
        assert (mine["group"] == theirs["group"])[listed].all()
        np.testing.assert_array_equal(mine["value"], theirs["value"])

    def test_unknown_breakdown_is_left_out_by_name(
        self, altered: Alter, synthetic: dict[str, Path]
    ) -> None:
        def change(book: Workbook) -> None:
            for sheet in book.worksheets[1:]:
                last = [c.value for c in sheet[sheet.max_row]]
                last[1:3] = ["Pay band", "Band 5"]
                sheet.append(last)

        published = read_with_warnings(altered(change, "small national"))
        assert any("'Pay band' (1 rows)" in text for text in published.warnings)
        assert len(published.estimates) == len(read_published(synthetic["small national"]))

    def test_unknown_question_is_left_out_by_name(
        self, altered: Alter, synthetic: dict[str, Path]
    ) -> None:
        def change(book: Workbook) -> None:
            sheet = book.worksheets[2]
            column = sheet.max_column + 1
            sheet.cell(1, column).value = "Q99z - A question nobody knows"
            sheet.cell(5, column).value = "% Yes"
            sheet.cell(5, column + 1).value = "Base (number of responses)"
            for row in range(6, sheet.max_row + 1):
                sheet.cell(row, column).value = 12.5
                sheet.cell(row, column + 1).value = 400

        path = altered(change)
        with pytest.warns(PublishedWarning, match="Q99z"):
            same_numbers(path, synthetic["organisational"])

    def test_what_a_release_is_known_to_have_left_out(self, altered: Alter) -> None:
        # The first release of 2023 withheld violence and the scores it goes into.
        def change(book: Workbook) -> None:
            for title, width in (("Q13a", 6), ("Q13b", 6), ("Q13c", 6), ("Q13d", 7), ("PP4 ", 2),
                                 ("PP4_1", 2), ("PP4_3", 2)):  # fmt: skip
                sheet, first = sheet_with(book, title)
                sheet.delete_cols(first, width)

        estimates = read_published(altered(change, "small national"))
        note = next(n for n in estimates.notes if n.startswith("not in this file"))
        assert "violence_reported" in note and "PP4_3" in note
        assert any("first release" in n for n in estimates.notes)
        assert "violence_patients" not in estimates.unique("measure")

    def test_unknown_benchmark_group_is_kept_and_named(self, altered: Alter) -> None:
        def change(book: Workbook) -> None:
            for sheet in book.worksheets[1:]:
                for row in range(6, sheet.max_row + 1):
                    if sheet.cell(row, 3).value == "CSUs":
                        sheet.cell(row, 3).value = "Shared services"

        published = read_with_warnings(altered(change))
        assert any("'Shared services'" in text for text in published.warnings)
        organisations = published.estimates.organisations
        assert organisations is not None
        assert "Shared services" in set(organisations["benchmark_group"])


class TestRefused:
    def test_answer_column_deleted(self, altered: Alter) -> None:
        def change(book: Workbook) -> None:
            sheet, first = sheet_with(book, "Q3c -")
            sheet.delete_cols(first + 2)

        message = refused(altered(change))
        assert "Q3c" in message and "'Neither agree nor disagree'" in message
        assert "add up to 100" in message

    def test_first_column_of_a_question_deleted(self, altered: Alter) -> None:
        def change(book: Workbook) -> None:
            sheet, first = sheet_with(book, "Q3c -")
            sheet.delete_cols(first)

        message = refused(altered(change))
        assert "Q3b: 2 base columns" in message and "q3c (show_initiative)" in message

    def test_base_column_deleted(self, altered: Alter) -> None:
        def change(book: Workbook) -> None:
            sheet, first = sheet_with(book, "Q11c -")
            sheet.delete_cols(first + 2)

        assert "Q11c: its base column is missing" in refused(altered(change))

    def test_question_deleted(self, altered: Alter) -> None:
        def change(book: Workbook) -> None:
            sheet, first = sheet_with(book, "Q16b -")
            sheet.delete_cols(first, 3)

        message = refused(altered(change))
        assert "q16b (discrimination_staff)" in message and "missing" in message

    def test_sheet_deleted(self, altered: Alter) -> None:
        def change(book: Workbook) -> None:
            sheet, _ = sheet_with(book, "Q12a -")
            book.remove(sheet)

        message = refused(altered(change))
        assert "7 question(s)" in message and "q12g (burnout_no_energy_family)" in message

    def test_score_deleted(self, altered: Alter) -> None:
        def change(book: Workbook) -> None:
            sheet, first = sheet_with(book, "PP4_2 -")
            sheet.delete_cols(first, 2)

        assert "PP4_2 (burnout)" in refused(altered(change))

    def test_answer_respelled(self, altered: Alter) -> None:
        def change(book: Workbook) -> None:
            sheet, first = sheet_with(book, "Q12b -")
            sheet.cell(5, first + 2).value = "% Now and then"

        message = refused(altered(change))
        assert "Q12b" in message and "'% Now and then'" in message

    def test_answer_twice(self, altered: Alter) -> None:
        def change(book: Workbook) -> None:
            sheet, first = sheet_with(book, "Q11c -")
            sheet.cell(5, first + 1).value = "% Yes"

        assert "in two columns: 'Yes'" in refused(altered(change))

    def test_question_renumbered(self, altered: Alter) -> None:
        def change(book: Workbook) -> None:
            sheet, first = sheet_with(book, "Q11c -")
            sheet.cell(1, first).value = "Q11x - Felt unwell"

        message = refused(altered(change))
        assert "q11c (work_related_stress)" in message and "Q11x" in message

    def test_question_twice(self, altered: Alter) -> None:
        def change(book: Workbook) -> None:
            sheet, first = sheet_with(book, "Q11d -")
            sheet.cell(1, first).value = "Q11c - Felt unwell, again"

        assert "work_related_stress stands twice" in refused(altered(change))

    def test_grounds_in_another_order(self, altered: Alter) -> None:
        def change(book: Workbook) -> None:
            sheet, first = sheet_with(book, "Q16c_1 -")
            for offset in (0, 2):
                ground = "Age" if offset == 0 else "Disability"  # as the list of 2025 begins
                sheet.cell(1, first + offset).value = f"Q16c_{offset // 2 + 1} - {ground}"
                sheet.cell(5, first + offset).value = f"% {ground}"

        message = refused(altered(change))
        assert "Q16c_1" in message and "'Age'" in message and "check the year" in message

    @pytest.mark.parametrize("title", ["Q11c -", "Q16c_", "PP1 -"])
    def test_proportions(self, altered: Alter, title: str) -> None:
        def change(book: Workbook) -> None:
            sheet, _ = sheet_with(book, title)
            for column in range(1, sheet.max_column + 1):
                heading = str(sheet.cell(5, column).value)
                if not heading.startswith("%") and not heading.endswith("score"):
                    continue
                for row in range(6, sheet.max_row + 1):
                    cell = sheet.cell(row, column)
                    if isinstance(cell.value, int | float):
                        cell.value = cell.value / 100

        message = refused(altered(change))
        assert "proportions (0 to 1)" in message or "between 0 and 1" in message

    def test_one_ground_in_proportions_is_not_passed_on(self, altered: Alter) -> None:
        def change(book: Workbook) -> None:
            for cell in each_data_cell(book, "Q16c_6 -"):
                cell.value = cell.value / 100

        published = read_with_warnings(altered(change))
        assert any("Q16c_6" in text and "proportions" in text for text in published.warnings)
        rows = published.estimates.select(measure="discrimination_grounds_age").table
        assert set(rows["status"]) == {"unavailable"} and rows["value"].isna().all()

    def test_one_row_of_grounds_in_proportions_is_not_passed_on(
        self, altered: Alter, synthetic: dict[str, Path]
    ) -> None:
        """Grounds have no sum of 100 to be held to, but a least one."""

        def change(book: Workbook) -> None:
            for ground in range(1, 8):
                cell = each_data_cell(book, f"Q16c_{ground} -")[0]
                cell.value = cell.value / 100 if isinstance(cell.value, float) else cell.value

        published = read_with_warnings(altered(change))
        assert any("Q16c_1" in t and "in 1 of 12 row(s)" in t for t in published.warnings)
        grounds = published.estimates._frame
        grounds = grounds[grounds["measure"].str.startswith("discrimination_grounds")]
        before = figures(synthetic["organisational"]).loc[grounds.index]
        gone = grounds["value"].isna() & before["value"].notna()
        assert grounds[gone]["org"].nunique() == 1 and set(grounds[gone]["status"]) == {
            "unavailable"
        }
        pd.testing.assert_series_equal(grounds[~gone]["value"], before[~gone]["value"])

    def test_one_figure_changed(self, altered: Alter) -> None:
        def change(book: Workbook) -> None:
            cell = each_data_cell(book, "Q14b -")[3]
            cell.value += 1

        message = refused(altered(change))
        assert "Q14b" in message and "1 of 12 row(s)" in message

    @pytest.mark.parametrize(("title", "value"), [("PP2 -", 61.5), ("Q16c_2 -", 104.0)])
    def test_out_of_range(self, altered: Alter, title: str, value: float) -> None:
        def change(book: Workbook) -> None:
            each_data_cell(book, title)[0].value = value

        message = refused(altered(change))
        assert "outside 0 to" in message
        assert str(value) not in message

    @pytest.mark.parametrize("value", [-3, 412.7])
    def test_impossible_base(self, altered: Alter, value: float) -> None:
        def change(book: Workbook) -> None:
            sheet, first = sheet_with(book, "Q11c -")
            sheet.cell(7, first + 2).value = value

        assert "no whole number of responses" in refused(altered(change))

    def test_figure_without_a_base(self, altered: Alter) -> None:
        def change(book: Workbook) -> None:
            sheet, first = sheet_with(book, "Q11c -")
            sheet.cell(7, first + 2).value = "-"

        assert "figures without a base" in refused(altered(change))

    def test_small_base_is_hidden_and_told(self, altered: Alter) -> None:
        def change(book: Workbook) -> None:
            sheet, first = sheet_with(book, "Q11c -")
            sheet.cell(7, first + 2).value = 6

        published = read_with_warnings(altered(change))
        assert any("Q11c" in t and "fewer than 10" in t for t in published.warnings)
        table = published.estimates.select(measure="work_related_stress", answer="").table
        assert table["status"].tolist().count("suppressed") == 1
        assert table.loc[table["status"].eq("suppressed"), ["value", "base"]].isna().all(axis=None)

    def test_strange_text_is_named_by_place_only(self, altered: Alter) -> None:
        def change(book: Workbook) -> None:
            each_data_cell(book, "Q11c -")[0].value = "about a third"

        message = refused(altered(change))
        assert "1 cell(s) are neither a figure nor a known mark" in message
        assert "about a third" not in message

    def test_organisation_lost_from_one_sheet(self, altered: Alter) -> None:
        def change(book: Workbook) -> None:
            book.worksheets[5].delete_rows(8)

        message = refused(altered(change))
        assert "1 of the 12 rows" in message and book_title_in(message)

    def test_organisation_twice(self, altered: Alter) -> None:
        def change(book: Workbook) -> None:
            for sheet in book.worksheets[1:]:
                sheet.cell(8, 1).value = sheet.cell(7, 1).value

        assert "1 row(s) stand twice" in refused(altered(change))

    def test_benchmark_group_missing(self, altered: Alter) -> None:
        def change(book: Workbook) -> None:
            for sheet in book.worksheets[1:]:
                for row in range(sheet.max_row, 5, -1):
                    if str(sheet.cell(row, 3).value).startswith("Mental Health"):
                        sheet.delete_rows(row)

        message = refused(altered(change))
        assert "1 benchmark group(s) missing: 'Mental Health" in message

    def test_benchmark_group_respelled(self, altered: Alter) -> None:
        def change(book: Workbook) -> None:
            for sheet in book.worksheets[1:]:
                for row in range(6, sheet.max_row + 1):
                    if str(sheet.cell(row, 3).value).startswith("Mental Health"):
                        sheet.cell(row, 3).value = "MH&LD Trusts"

        message = refused(altered(change))
        assert "benchmark group(s) missing" in message and "'MH&LD Trusts'" in message

    @pytest.mark.parametrize("group", ["White staff", "South West", "66+"])
    def test_group_missing(self, altered: Alter, group: str) -> None:
        def change(book: Workbook) -> None:
            for sheet in book.worksheets[1:]:
                for row in range(sheet.max_row, 5, -1):
                    if sheet.cell(row, 3).value == group:
                        sheet.delete_rows(row)

        message = refused(altered(change, "small national"))
        assert "missing" in message
        assert {"White staff": "'White'"}.get(group, repr(group)) in message

    def test_group_respelled(self, altered: Alter) -> None:
        def change(book: Workbook) -> None:
            for sheet in book.worksheets[1:]:
                for row in range(6, sheet.max_row + 1):
                    if sheet.cell(row, 3).value == "White staff":
                        sheet.cell(row, 3).value = "White personnel"

        message = refused(altered(change, "small national"))
        assert "'White personnel'" in message and "not understood" in message

    def test_breakdown_missing(self, respondents: Survey, tmp_path: Path) -> None:
        # The breakdowns of 2024 are known.
        (path,) = write_synthetic_workbook(
            tmp_path, survey=respondents, kinds=["national"], breakdowns=["region", "gender"]
        )
        message = refused(path)
        assert "17 breakdown(s) missing: ics, patient_contact" in message

    def test_england_missing(self, altered: Alter) -> None:
        def change(book: Workbook) -> None:
            for sheet in book.worksheets[1:]:
                sheet.delete_rows(6)

        assert "England as a whole is missing" in refused(altered(change, "small national"))

    def test_identifier_column_deleted(self, altered: Alter) -> None:
        def change(book: Workbook) -> None:
            for sheet in book.worksheets[1:]:
                sheet.delete_cols(6)

        assert "'Weighting'" in refused(altered(change))

    def test_headings_lost(self, altered: Alter) -> None:
        def change(book: Workbook) -> None:
            sheet, _ = sheet_with(book, "Q13a -")
            sheet.delete_rows(5)

        message = refused(altered(change))
        assert "no row of headings with bases" in message

    def test_all_rows_lost(self, altered: Alter) -> None:
        def change(book: Workbook) -> None:
            for sheet in book.worksheets[1:]:
                sheet.delete_rows(6, sheet.max_row)

        assert "no row of figures" in refused(altered(change))

    def test_heading_over_figures_lost(self, altered: Alter) -> None:
        def change(book: Workbook) -> None:
            sheet, first = sheet_with(book, "Q13a -")
            sheet.cell(5, first + 1).value = None

        assert "heading(s) not understood" in refused(altered(change))

    def test_all_problems_are_told_at_once(self, altered: Alter) -> None:
        def change(book: Workbook) -> None:
            for title in ("Q3c -", "Q11c -", "Q14b -"):
                sheet, first = sheet_with(book, title)
                sheet.cell(5, first).value = "% Perhaps"

        message = refused(altered(change))
        assert all(number in message for number in ("Q3c", "Q11c", "Q14b"))
        assert "problem(s)" in message


def book_title_in(message: str) -> bool:
    return "YOUR MANAGERS" in message


class TestConstantColumns:
    def test_any_constant_percentage(self, altered: Alter) -> None:
        def change(book: Workbook) -> None:
            sheet, first = sheet_with(book, "Q11c -")
            for row in range(6, sheet.max_row + 1):
                sheet.cell(row, first).value = 41.5
                sheet.cell(row, first + 1).value = 58.5

        published = read_with_warnings(altered(change))
        assert any("Q11c" in text and "defect" in text for text in published.warnings)
        rows = published.estimates.select(measure="work_related_stress").table
        assert set(rows["status"]) == {"unavailable"}
        assert rows["value"].isna().all() and rows["base"].notna().all()

    def test_constant_score(self, altered: Alter) -> None:
        def change(book: Workbook) -> None:
            for cell in each_data_cell(book, "PP7_1 -"):
                cell.value = 6.7

        published = read_with_warnings(altered(change))
        assert any("PP7_1" in text for text in published.warnings)
        assert published.estimates.select(measure="team_working").table["value"].isna().all()

    def test_all_zero_is_no_defect(self, altered: Alter) -> None:
        def change(book: Workbook) -> None:
            sheet, first = sheet_with(book, "Q13b -")
            for row in range(6, sheet.max_row + 1):
                for offset, value in enumerate((100 - 1 / row, 1 / row, 0, 0, 0)):
                    sheet.cell(row, first + offset).value = value

        published = read_with_warnings(altered(change))
        assert not published.warnings
        rows = published.estimates.select(measure="violence_managers", answer="More than 10").table
        assert rows["value"].eq(0).all() and rows["status"].eq("ok").all()


class TestYear:
    def _strip(self, book: Workbook) -> None:
        for sheet in book.worksheets:
            for row in sheet.iter_rows(max_row=4):
                for cell in row:
                    if isinstance(cell.value, str) and "Staff Survey" in cell.value:
                        cell.value = "SYNTHETIC results"

    def test_asked_for_when_the_file_does_not_say(self, altered: Alter) -> None:
        path = altered(self._strip)
        assert "does not say its year" in refused(path)
        assert set(read_published(path, year=2024).table["year"]) == {2024}

    def test_wrong_year_given(self, synthetic: dict[str, Path]) -> None:
        with pytest.raises(PublishedError, match="holds 2024, but year=2023 was given"):
            read_published(synthetic["organisational"], year=2023)

    @pytest.mark.parametrize("year", [2021, 2022, 2025])
    def test_wrong_year_for_a_file_that_does_not_say(self, altered: Alter, year: int) -> None:
        with pytest.raises(PublishedError, match=f"of {year} are missing|check the year"):
            read_published(altered(self._strip), year=year)

    def test_two_years(self, altered: Alter) -> None:
        def change(book: Workbook) -> None:
            book.worksheets[3].cell(1, 1).value = "NHS Staff Survey 2023 - SYNTHETIC"

        assert "holds 2 years (2023, 2024)" in refused(altered(change))

    @pytest.mark.parametrize(
        ("year", "words"), [(2019, "five rows of headings"), (2031, "2018 to 2025")]
    )
    def test_years_of_other_layouts(self, altered: Alter, year: int, words: str) -> None:
        def change(book: Workbook) -> None:
            self._strip(book)
            book.worksheets[0].cell(1, 1).value = f"NHS Staff Survey {year}"

        assert words in refused(altered(change))


class TestLimit:
    def test_the_publishers_limit_chooses_the_rule(self, altered: Alter) -> None:
        def change(book: Workbook) -> None:
            for sheet in book.worksheets[1:]:
                sheet.cell(3, 1).value = "Note: figures on fewer than 11 responses are not shown"

        assert read_published(altered(change)).rule.base_under == 11


class TestMarks:
    @pytest.mark.parametrize(
        ("mark", "status"),
        [
            ("-", "unavailable"),
            ("\u2013", "unavailable"),
            ("[c]", "suppressed"),
            ("*", "suppressed"),
            (None, "unavailable"),
        ],
    )
    def test_status(self, altered: Alter, mark: str | None, status: str) -> None:
        def change(book: Workbook) -> None:
            sheet, first = sheet_with(book, "Q11c -")
            for column in range(first, first + 3):
                sheet.cell(7, column).value = mark

        estimates = read_published(altered(change))
        frame = estimates._frame
        rows = frame[frame["measure"].eq("work_related_stress")]
        hidden = rows[rows["value"].isna()]
        assert len(hidden) == 3 and set(hidden["status"]) == {status}  # yes, no, the measure
        assert hidden["base"].isna().all()
        blanks = any("blank cell(s)" in note for note in estimates.notes)
        assert blanks == (mark is None)

    def test_base_is_kept_when_shown(self, altered: Alter) -> None:
        def change(book: Workbook) -> None:
            each_data_cell(book, "Q16c_3 -")[0].value = "-"

        rows = read_published(altered(change)).select(measure="discrimination_grounds_religion")
        hidden = rows.table[rows.table["value"].isna()]
        assert hidden["status"].tolist() == ["unavailable"] and hidden["base"].notna().all()

    def test_everyone_excluded_gives_no_figure(self, altered: Alter) -> None:
        def change(book: Workbook) -> None:
            sheet, first = sheet_with(book, "Q31b -")
            for offset, value in enumerate((0, 0, 100)):
                sheet.cell(7, first + offset).value = value

        frame = read_published(altered(change))._frame
        rows = frame[frame["measure"].eq("reasonable_adjustments") & frame["answer"].eq("")]
        odd = rows[rows["status"].eq("not_computable")]
        assert len(odd) == 1 and odd["value"].isna().all() and odd["base"].eq(0).all()

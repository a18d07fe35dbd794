"""The National Quarterly Pulse Survey's workbook."""

from __future__ import annotations

import copy
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from culture_analytics.errors import PublishedError, PublishedWarning
from culture_analytics.estimates import KEY, Estimates, concat
from culture_analytics.read.detect import FileKind
from culture_analytics.read.published import read_published
from culture_analytics.read.published.cells import Source
from culture_analytics.read.published.pulse import Quarter, parse_pulse
from tests.read_published.layouts import Sheets, Truth, pulse, read_cells, write_xlsx

Made = tuple[Sheets, Truth]
SHEET = "Engagement Score Breakdown"


@pytest.fixture(scope="module")
def made() -> Made:
    return pulse()


def check(estimates: Estimates, truth: Truth) -> None:
    mine = estimates._frame.set_index(["org", "measure"])[["value", "base"]]
    assert len(mine) == len(truth)
    for key, (value, base) in truth.items():
        assert mine.loc[key, "value"] == pytest.approx(value, abs=1e-9)
        assert mine.loc[key, "base"] == base


def altered(made: Made, change: Callable[[Sheets], None]) -> Sheets:
    sheets = copy.deepcopy(made[0])
    change(sheets)
    return sheets


def refused(sheets: Sheets, name: str = "synthetic.xlsm") -> str:
    with pytest.raises(PublishedError) as caught:
        read_cells(sheets, name=name)
    return str(caught.value)


class TestRead:
    def test_every_figure(self, made: Made) -> None:
        estimates = read_cells(made[0])
        check(estimates, made[1])
        table = estimates.table
        assert not table.duplicated(list(KEY)).any()
        assert set(table["source"]) == {"pulse"} and set(table["year"]) == {2024}
        assert set(table["release"]) == {
            "2024-25 Q2 National Quarterly Pulse Survey (synthetic)"
        }  # fmt: skip
        organisations = estimates.organisations
        assert organisations is not None
        assert organisations["name"].iloc[0] == "FICTIONAL TRUST ZZ0"
        assert set(organisations["region"]) == {"SOUTH WEST"}

    def test_through_a_file_with_macros_and_a_hidden_sheet(
        self, made: Made, tmp_path: Path
    ) -> None:
        """The macro part is only bytes in the archive: nothing looks at it."""
        import openpyxl

        path = write_xlsx(made[0], tmp_path / "SYNTHETIC.xlsm")
        book = openpyxl.load_workbook(path)
        book["BS"].sheet_state = "hidden"
        book.save(path)
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr("xl/vbaProject.bin", b"not a real project")
        check(read_published(path), made[1])

    def test_every_cell_is_accounted_for(self, made: Made) -> None:
        report = parse_pulse(Source(FileKind(Path("x.xlsm"), "xlsx", 1), padded(made[0]))).report
        filled = sum(c not in ("", None) for rows in made[0].values() for row in rows for c in row)
        assert report.total == filled == sum(report.cells.values())
        assert report.figures_mapped == 12 * 6 and report.unread == 2

    def test_what_is_not_read_is_named(self, made: Made) -> None:
        notes = " ".join(read_cells(made[0]).notes)
        assert "1 figure(s) of sheet 'Summary'" in notes and "sheet 'BS'" in notes

    def test_pulse_and_annual_figures_have_different_keys(self, made: Made) -> None:
        first, second = read_cells(made[0]), read_cells(pulse("Quarter 4 2024/25")[0])
        table = concat([first, second]).table
        assert not table.duplicated(list(KEY)).any()
        assert sorted(table["release"].unique())[0].startswith("2024-25 Q2")
        assert list(table["year"].unique()) == [2024, 2025]


def padded(sheets: Sheets) -> Sheets:
    width = max(len(row) for rows in sheets.values() for row in rows)
    return {s: [[*row, *[""] * (width - len(row))] for row in rows] for s, rows in sheets.items()}


class TestQuarter:
    @pytest.mark.parametrize(
        ("text", "quarter"),
        [("Quarter 1 2022/23", Quarter(2022, 1)), ("Q4 2023-24", Quarter(2023, 4)),
         ("July 2022", Quarter(2022, 2)), ("Fieldwork: January 2023", Quarter(2022, 4)),
         ("Q1 April 2022", Quarter(2022, 1)), ("Q2 22/23", Quarter(2022, 2))],
    )  # fmt: skip
    def test_of_the_notes(self, text: str, quarter: Quarter) -> None:
        sheets, _ = pulse(text)
        assert (
            parse_pulse(Source(FileKind(Path("x"), "xlsx", 1), padded(sheets))).quarter == quarter
        )

    def test_of_the_file_name(self) -> None:
        sheets, _ = pulse("no quarter here")
        estimates = read_cells(sheets, name="NQPS_Q2_2023-24.xlsm")
        assert "2023-24 Q2" in estimates.unique("release")[0]
        assert any("the name of the file" in note for note in estimates.notes)

    def test_of_notes_that_explain_all_quarters(self) -> None:
        sheets, _ = pulse("Held in Q1, Q2 and Q4 of 2023/24")
        estimates = read_cells(sheets, name="NQPS Q4 2023-24.xlsm")
        assert "2023-24 Q4" in estimates.unique("release")[0]

    def test_missing(self) -> None:
        assert "does not say its quarter" in refused(pulse("nothing")[0])

    def test_contradiction(self, made: Made) -> None:
        message = refused(made[0], name="NQPS Q4 2024-25.xlsm")
        assert "2024-25 Q2" in message and "2024-25 Q4" in message

    def test_year_contradicts(self, made: Made) -> None:
        with pytest.raises(PublishedError, match="but year=2022"):
            read_cells(made[0], year=2022)

    def test_quarters_sort_as_text(self) -> None:
        quarters = [Quarter(y, q) for y in (2022, 2023) for q in (1, 2, 4)]
        assert sorted(map(str, quarters)) == [str(q) for q in sorted(quarters)]
        assert Quarter(2022, 4).year == 2023 and Quarter(2022, 1).year == 2022


class TestAltered:
    def test_sheet_renamed_and_rows_shifted(self, made: Made) -> None:
        rows = [[], [], *made[0][SHEET]]
        sheets = {**{s: r for s, r in made[0].items() if s != SHEET}, "Tabelle": rows}
        check(read_cells(sheets), made[1])

    def test_columns_in_another_order(self, made: Made) -> None:
        def change(sheets: Sheets) -> None:
            sheets[SHEET] = [row[::-1] for row in sheets[SHEET]]

        check(read_cells(altered(made, change)), made[1])

    @pytest.mark.parametrize(
        "heading", ["Advocacy", "Total Responses", "HSCIC Workforce Headcount", "Care Setting"]
    )
    def test_column_deleted(self, made: Made, heading: str) -> None:
        def change(sheets: Sheets) -> None:
            place = sheets[SHEET][6].index(heading)
            sheets[SHEET] = [[c for k, c in enumerate(row) if k != place] for row in sheets[SHEET]]

        assert f"column(s) missing: '{heading}'" in refused(altered(made, change))

    def test_headings_exchanged(self, made: Made) -> None:
        def change(sheets: Sheets) -> None:
            row = sheets[SHEET][6]
            row[9], row[10] = row[10], row[9]

        assert "columns may be exchanged" in refused(altered(made, change))

    @pytest.mark.parametrize(
        ("factor", "words"), [(0.1, "between 0 and 1"), (10, "outside 0 to 10")]
    )
    def test_other_units(self, made: Made, factor: float, words: str) -> None:
        def change(sheets: Sheets) -> None:
            for row in sheets[SHEET][8:]:
                row[9:] = [factor * float(c) for c in row[9:]]  # type: ignore[arg-type]

        assert words in refused(altered(made, change))

    def test_group_lost(self, made: Made) -> None:
        def change(sheets: Sheets) -> None:
            sheets[SHEET] = [r for r in sheets[SHEET] if "Ambulance Trusts" not in r]

        assert "benchmark group(s) missing: 'Ambulance Trusts'" in refused(altered(made, change))

    def test_group_respelled(self, made: Made) -> None:
        def change(sheets: Sheets) -> None:
            for row in sheets[SHEET]:
                row[:] = ["Commissioners" if c == "ICBs" else c for c in row]

        with pytest.warns(PublishedWarning, match="'Commissioners'"):
            check(read_cells(altered(made, change)), made[1])

    def test_organisation_twice(self, made: Made) -> None:
        def change(sheets: Sheets) -> None:
            sheets[SHEET].append(sheets[SHEET][8])

        assert "stand twice" in refused(altered(made, change))

    def test_small_response_is_hidden(self, made: Made) -> None:
        def change(sheets: Sheets) -> None:
            sheets[SHEET][8][7] = 6

        table = read_cells(altered(made, change)).table
        rows = table[table["org"].eq("ZZ0") & table["statistic"].eq("score")]
        assert set(rows["status"]) == {"suppressed"} and rows["value"].isna().all()

    def test_more_responses_than_staff(self, made: Made) -> None:
        def change(sheets: Sheets) -> None:
            sheets[SHEET][8][8] = 1

        table = read_cells(altered(made, change)).table
        rate = table[table["org"].eq("ZZ0") & table["measure"].eq("response_rate")]
        assert rate["value"].isna().all() and list(rate["status"]) == ["unavailable"]

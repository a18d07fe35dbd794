"""Damage that fuzzing found, each as one small file: refused by name, or read and counted."""

from __future__ import annotations

import time
import zipfile
from pathlib import Path

import pandas as pd
import pytest

import culture_analytics as ca
from culture_analytics.errors import ExtractError
from culture_analytics.read import archive, columnar
from culture_analytics.read.archive import _furthest
from culture_analytics.read.headers import fold
from tests.read.mutations import Raw, sheet_xml, to_csv, to_ods, to_xlsx, zipped

HEADER = ["org_id", "year", "q11c", "q12a", "q12b", "Team"]
ROWS = [["ZZ1", "2024", str(1 + n % 2), str(1 + n % 5), str(1 + n % 4), "North"] for n in range(30)]


def refused(content: bytes, folder: Path, name: str) -> str:
    path = folder / name
    path.write_bytes(content)
    with pytest.raises(ExtractError) as caught:
        ca.read_extract(path, cache=False)
    return str(caught.value)


def read(content: bytes, folder: Path, name: str) -> ca.Survey:
    path = folder / name
    path.write_bytes(content)
    return ca.read_extract(path, cache=False)


def with_cell(reference: str) -> bytes:
    line = "".join(c for c in reference if c.isdigit())
    row = f'<row r="{line}"><c s="1" r="{reference}"><v>1</v></c></row></sheetData>'
    return to_xlsx({"Data": sheet_xml([HEADER, *ROWS]).replace("</sheetData>", row)})


class TestWorkbooks:
    @pytest.mark.parametrize("reference", ["XFD1048576", "AAB1048576", "ZZZZZZ9"])
    def test_a_cell_far_outside_the_table(self, tmp_path: Path, reference: str) -> None:
        said = refused(with_cell(reference), tmp_path, "made.xlsx")
        assert "sheet 'Data' of made.xlsx lie too far apart" in said

    def test_a_row_declared_far_down_that_holds_nothing(self, tmp_path: Path) -> None:
        xml = sheet_xml([HEADER, *ROWS]).replace(
            "</sheetData>", '<row r="1048576" ht="12.8"/></sheetData>'
        )
        assert read(to_xlsx({"Data": xml}), tmp_path, "made.xlsx").n == 30

    def test_a_cell_some_way_below_is_a_row(self, tmp_path: Path) -> None:
        survey = read(with_cell("C900"), tmp_path, "made.xlsx")
        assert survey.quality.rows_read == 899

    def test_repeated_cells_of_an_ods(self, tmp_path: Path) -> None:
        row = (
            '<table:table-row table:number-rows-repeated="1000000"><table:table-cell '
            'table:number-columns-repeated="16384" office:value-type="string"><text:p>x</text:p>'
            "</table:table-cell></table:table-row>"
        )
        assert "too far apart" in refused(to_ods({"Data": row}), tmp_path, "made.ods")

    @pytest.mark.parametrize("inside", ["<f>1+1</f>", '<f t="shared" si="0"/>'])
    def test_formulas_that_were_never_worked_out(self, tmp_path: Path, inside: str) -> None:
        rows = [list(row) for row in ROWS]
        rows[3][2] = rows[7][2] = Raw(inside)
        said = refused(to_xlsx({"Data": [HEADER, *rows]}), tmp_path, "made.xlsx")
        assert "2 cell(s) of made.xlsx (sheet 'Data') hold a formula without its result" in said
        notes = {"Notes": [["a", Raw(inside)]], "Data": [HEADER, *ROWS]}
        assert read(to_xlsx(notes), tmp_path, "made.xlsx").n == 30

    def test_formulas_with_results_are_read(self, tmp_path: Path) -> None:
        rows = [list(row) for row in ROWS]
        rows[0][2] = Raw("<f>3-1</f><v>2</v>")
        survey = read(to_xlsx({"Data": [HEADER, *rows]}), tmp_path, "made.xlsx")
        assert survey.responses["work_related_stress"].iloc[0] == "No"

    def test_a_workbook_that_unpacks_to_too_much(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(archive, "MAX_UNPACKED", 1_000_000)
        parts = {"xl/workbook.xml": "<workbook/>", "xl/styles.xml": " " * 2_000_000}
        assert "unpacks to" in refused(zipped(parts), tmp_path, "made.xlsx")

    def test_a_part_that_is_larger_than_declared(self, tmp_path: Path) -> None:
        path = tmp_path / "made.xlsx"
        path.write_bytes(to_xlsx({"Data": [HEADER, *ROWS]}))
        with zipfile.ZipFile(path) as book:
            size = book.getinfo("xl/worksheets/sheet1.xml").file_size
        content = path.read_bytes().replace(size.to_bytes(4, "little"), b"\x40\0\0\0")
        assert "damaged or cut-off" in refused(content, tmp_path, "made.xlsx")

    @pytest.mark.parametrize(
        ("text", "furthest"),
        [
            (b'<c r="A1"/><c r="AB12"/><row r="99999"/>', (12, 28, 2)),
            (b'<c r="B9999" s="1"/>', (9999, 2, 1)),
            (b'<c r="B10000" s="1"/>', (10000, 2, 1)),
            (b"<c\tr='ABC3'/><c r=\"ZZ7\"/>", (7, 731, 2)),
            (b'<c r="XFD1048576"', (1048576, 16384, 1)),
            (b'r="', (0, 0, 0)),
            (b"", (0, 0, 0)),
        ],
    )
    def test_the_furthest_reference(self, text: bytes, furthest: tuple[int, int, int]) -> None:
        assert _furthest(text) == furthest


class TestText:
    @pytest.mark.parametrize(
        ("first", "second"),
        [("utf-16-le", "utf-8"), ("utf-8", "utf-16-le"), ("utf-16-be", "utf-16-le")],
    )
    def test_two_encodings_in_one_file(self, tmp_path: Path, first: str, second: str) -> None:
        # What the first few thousand bytes are decides how a file is read at all.
        content = to_csv([HEADER, *ROWS * 10], encoding=first) + to_csv(ROWS, encoding=second)
        assert "holds something else" in refused(content, tmp_path, "made.csv")

    def test_a_hole_of_zero_bytes(self, tmp_path: Path) -> None:
        content = bytearray(to_csv([HEADER, *ROWS * 10]))
        content[6000:6100] = bytes(100)
        assert "holds something else" in refused(bytes(content), tmp_path, "made.csv")

    def test_sound_utf16_with_other_scripts_is_read(self, tmp_path: Path) -> None:
        rows = [[*row[:5], "\u4e00\u4e0a\u0416\u20ac \u2013 x"] for row in ROWS]
        for encoding in ("utf-16", "utf-16-le", "utf-16-be"):
            survey = read(to_csv([HEADER, *rows], encoding=encoding), tmp_path, "made.csv")
            assert list(survey.responses["team"].cat.categories) == [rows[0][5]]

    def test_rows_joined_by_a_quotation_mark_are_all_counted(self, tmp_path: Path) -> None:
        lines = to_csv([HEADER, *ROWS, *ROWS]).split(b"\r\n")
        lines[9] = lines[9].replace(b"North", b'"North')
        lines[10] = b'"' + lines[10]
        survey = read(b"\r\n".join(lines), tmp_path, "made.csv")
        assert survey.quality.set_aside == {"more or fewer fields than the header": 2}
        assert (survey.quality.rows_read, survey.n) == (60, 58)

    def test_a_header_that_begins_with_a_quoted_mark(self, tmp_path: Path) -> None:
        header = [*HEADER[:5], '"Team" as\nthe trust calls it']
        assert read(to_csv([header, *ROWS]), tmp_path, "made.csv").n == 30

    @pytest.mark.parametrize("filler", [" ", '"', "x,", "-"])
    def test_long_cells_take_no_time(self, tmp_path: Path, filler: str) -> None:
        rows = [[*ROWS[0][:5], "a" + filler * 200_000], *ROWS]
        start = time.process_time()
        assert read(to_csv([HEADER, *rows]), tmp_path, "made.csv").n == 31
        assert fold("a" + " " * 200_000 + "b") == "a b"
        assert time.process_time() - start < 8


@pytest.mark.parametrize("form", ["csv", "xlsx"])
class TestRowsAboveTheHeader:
    @staticmethod
    def written(grid: list[list[str]], form: str) -> bytes:
        return to_csv(grid) if form == "csv" else to_xlsx({"Data": grid})

    def test_respondents_are_not_taken_for_a_title(self, tmp_path: Path, form: str) -> None:
        content = self.written([*ROWS[:4], HEADER, *ROWS[4:]], form)
        said = refused(content, tmp_path, f"made.{form}")
        assert "4 row(s)" in said and "look like respondents" in said

    def test_titles_and_wordings_are(self, tmp_path: Path, form: str) -> None:
        above = [["NHS Staff Survey 2024"], ["", "", "Your job", "Your job", "Your job", ""],
                 ["Trust", "Year", "Stress?", "Exhausted?", "Worn out?", "Team"]]  # fmt: skip
        assert read(self.written([*above, HEADER, *ROWS], form), tmp_path, f"made.{form}").n == 30


def test_a_parquet_file_that_declares_too_much(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pandas as pd

    monkeypatch.setattr(columnar, "MAX_CELLS", 100)
    path = tmp_path / "made.parquet"
    pd.DataFrame(ROWS, columns=HEADER).to_parquet(path)
    assert "declares 30 rows of 6 columns" in refused(path.read_bytes(), tmp_path, "made.parquet")


def test_a_tick_that_cannot_be_read_is_missing_and_not_unticked(tmp_path: Path) -> None:
    lines = ["org,year,q15b,q15c_1,q15c_2,q15c_3"]
    lines += ["ZZ1,2020,Yes,Selected,Not selected,Selected"] * 30
    lines += ["ZZ1,2020,Yes,Selected,Selected,Selected"] * 10
    lines += ['ZZ1,2020,Yes,Selected,Sel"ected,Not selected', "ZZ1,2020,Yes,Selected,,Selected"]
    file = tmp_path / "made.csv"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    survey = ca.read_extract(file)
    number = {q.number: i for i in survey.items if (q := survey.instrument.question(i, 2020))}
    second = survey.responses[number["q15c_2"]].astype(object)
    assert second[:40].tolist() == ["Not selected"] * 30 + ["Selected"] * 10
    assert pd.isna(second[40]) and second[41] == "Not selected"

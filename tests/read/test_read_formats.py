"""Every format and encoding gives the same table; what is no table is named."""

from __future__ import annotations

import datetime as dt
import io
import struct
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyreadstat
import pytest
import xlsxwriter

from culture_analytics.errors import ExtractError, PublishedError
from culture_analytics.read.content import looks_like_extract, looks_like_published
from culture_analytics.read.formats import peek_file, read_table
from culture_analytics.read.raw import ColumnBuilder, cell_text
from tests.read.build import SMALL

FRAME = pd.DataFrame(
    {
        "org_id": ["ZZ1", "ZZ1", "ZZ1", "ZZ1"],
        "q11c": ["1", "2", "", "99"],
        "q13a": ["Never", "More than 10", "6-10", ""],
        "Team": ["Café", "Line\nbreak", 'say "hello"', "a,b;c"],
    }
)
EXPECTED = {name: [value if value else None for value in FRAME[name].tolist()] for name in FRAME}


def held(path: Path, **options: object) -> dict[str, list[str | None]]:
    table = read_table(path, **options)
    assert table.rows == len(table.columns[0].codes)
    data = table.data
    return {name: [v if isinstance(v, str) else None for v in data[name]] for name in data}


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-be"])
def test_text(tmp_path: Path, separator: str, encoding: str) -> None:
    text = FRAME.to_csv(index=False, sep=separator)
    mark = b"\xfe\xff" if encoding == "utf-16-be" else b""
    path = tmp_path / "extract.dat"
    path.write_bytes(mark + text.encode(encoding))
    assert held(path) == EXPECTED


@pytest.mark.parametrize("order", ["utf-16-le", "utf-16-be"])
def test_utf16_without_a_mark(tmp_path: Path, order: str) -> None:
    path = tmp_path / "extract.txt"
    path.write_bytes(FRAME.to_csv(index=False, sep="\t").encode(order))
    assert held(path) == EXPECTED
    assert read_table(path).encoding == order


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_line_ends(tmp_path: Path, ending: str) -> None:
    path = tmp_path / "extract.csv"
    path.write_bytes(SMALL.to_csv(index=False, lineterminator=ending).encode())
    assert read_table(path).rows == len(SMALL)


def test_bytes_that_are_in_no_code_page_are_still_read(tmp_path: Path) -> None:
    path = tmp_path / "extract.csv"
    path.write_bytes(b"org_id,q11c,Team\nZZ1,1,\x81\x8d\nZZ1,2,b\n")
    assert read_table(path).encoding == "latin-1"


def test_cp1252_met_late_in_a_large_file(tmp_path: Path) -> None:
    path = tmp_path / "extract.csv"
    path.write_bytes(
        b"org_id,q11c,Team\n" + b"ZZ1,1,a\n" * 200_000 + "ZZ1,2,Café\n".encode("cp1252")
    )
    table = read_table(path)
    assert table.encoding == "cp1252"
    assert table["Team"].values == ("a", "Café")


def test_title_lines_above_the_header(tmp_path: Path) -> None:
    path = tmp_path / "extract.csv"
    body = FRAME.to_csv(index=False)
    path.write_text('sep=,\nNHS Staff Survey 2024\n"Made by, a contractor"\n\n' + body, "utf-8")
    assert held(path) == EXPECTED
    table = read_table(path)
    assert "NHS Staff Survey 2024" in table.title
    assert table.header_row == 5


def test_a_header_over_several_lines(tmp_path: Path) -> None:
    path = tmp_path / "extract.csv"
    path.write_text('org_id,"Q11c - In the\nlast 12 months"\nZZ1,1\nZZ1,2\n', "utf-8")
    assert read_table(path).names == ["org_id", "Q11c - In the last 12 months"]
    assert read_table(path).rows == 2


def test_rows_ending_in_a_delimiter(tmp_path: Path) -> None:
    path = tmp_path / "extract.csv"
    path.write_text("org_id,q11c,q11d\nZZ1,1,2,\nZZ1,2,1,\n", "utf-8")
    table = read_table(path)
    assert (table.rows, table.ragged, table.names) == (2, 0, ["org_id", "q11c", "q11d"])


def test_ragged_rows_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "extract.csv"
    path.write_text("org_id,q11c\n" + "ZZ1,1\n" * 97 + "ZZ1\nZZ1,1,2\n", "utf-8")
    table = read_table(path)
    assert (table.rows, table.ragged) == (97, 2)


def test_many_ragged_rows_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "extract.csv"
    path.write_text("org_id,q11c\n" + "ZZ1,1\n" * 5 + "ZZ1,secretsecret,2\n" * 5, "utf-8")
    with pytest.raises(ExtractError, match=r"5 of 10 rows .* do not have the 2 fields") as caught:
        read_table(path)
    assert "secretsecret" not in str(caught.value)


@pytest.mark.parametrize(
    "body",
    [
        'ZZ1,1,"never closed\n' + "ZZ1,2,secretsecret\n" * 50,
        "ZZ1,1,a\n" * 30 + 'ZZ1,1,"open\n' + "ZZ1,2,secretsecret\n" * 9 + 'ZZ1,"2",b\n',
        "ZZ1,1,a\n" * 400 + 'ZZ1,1,"open',
    ],
)
def test_a_quotation_mark_never_closed_loses_no_rows_silently(tmp_path: Path, body: str) -> None:
    path = tmp_path / "extract.csv"
    path.write_text("org_id,q11c,Team\n" + body, "utf-8")
    with pytest.raises(ExtractError) as caught:
        read_table(path)
    assert "quotation mark" in str(caught.value) or "do not have" in str(caught.value)
    assert "secretsecret" not in str(caught.value)


def test_stray_quotation_marks_inside_fields_are_text(tmp_path: Path) -> None:
    path = tmp_path / "extract.csv"
    path.write_text('org_id,q11c,Team\nZZ1,1,5" pipe\nZZ1,2,b\n', "utf-8")
    assert read_table(path)["Team"].values == ('5" pipe', "b")


def _typed() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "org_id": ["ZZ1"] * 4,
            "q11c": [1.0, 2.0, np.nan, 99.0],
            "q13a": ["Never", "More than 10", "6-10", None],
            "Team": EXPECTED["Team"],
        }
    )


@pytest.mark.parametrize("suffix", ["xlsx", "xlsm", "ods", "parquet"])
def test_typed_formats(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"extract.{suffix}"
    if suffix == "parquet":
        _typed().to_parquet(path)
    else:
        _typed().to_excel(path, index=False, engine="odf" if suffix == "ods" else "openpyxl")
    assert held(path) == EXPECTED


def test_xls(tmp_path: Path) -> None:
    import xlwt

    book = xlwt.Workbook()
    page = book.add_sheet("Data")
    for place, name in enumerate(_typed()):
        page.write(2, place, name)
        for row, value in enumerate(_typed()[name]):
            if pd.notna(value):
                page.write(row + 3, place, value)
    page.write(0, 0, "Title above")
    book.save(str(tmp_path / "extract.xls"))
    assert held(tmp_path / "extract.xls") == EXPECTED
    assert read_table(tmp_path / "extract.xls").header_row == 3


@pytest.mark.parametrize("suffix", ["sav", "zsav"])
def test_spss(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"extract.{suffix}"
    pyreadstat.write_sav(
        _typed(),
        str(path),
        variable_value_labels={"q11c": {1: "Yes", 2: "No", 99: "Missing"}},
        missing_ranges={"q11c": [99]},
        compress=suffix == "zsav",
    )
    assert held(path) == EXPECTED
    column = read_table(path)["q11c"]
    assert column.labels == {"1": "Yes", "2": "No", "99": "Missing"}
    assert column.missing == {"99"}


def test_spss_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from culture_analytics.read import columnar

    monkeypatch.setattr(columnar, "ROWS_AT_ONCE", 7)
    path = tmp_path / "extract.sav"
    frame = pd.DataFrame({"q11c": np.arange(40) % 3, "org_id": [f"ZZ{n % 5}" for n in range(40)]})
    pyreadstat.write_sav(frame, str(path))
    table = read_table(path)
    assert table["q11c"].to_series().tolist() == [str(n % 3) for n in range(40)]
    assert table["org_id"].to_series().tolist() == frame["org_id"].tolist()


def test_parquet_row_groups_with_categories_in_different_orders(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = tmp_path / "extract.parquet"
    first = pa.table({"q11c": pa.array(["Yes", "No"]).dictionary_encode()})
    second = pa.table({"q11c": pa.array(["No", "Yes", None]).dictionary_encode()})
    with pq.ParquetWriter(path, first.schema) as writer:
        writer.write_table(first)
        writer.write_table(second)
    assert held(path) == {"q11c": ["Yes", "No", "No", "Yes", None]}


def test_parquet_types(tmp_path: Path) -> None:
    path = tmp_path / "extract.parquet"
    pd.DataFrame(
        {
            "q11c": pd.array([True, False, None], dtype="boolean"),
            "q11d": pd.array([1, 2, None], dtype="Int8"),
            "q13a": pd.Categorical(["Never", None, "1-2"]),
            "when": pd.to_datetime(["2024-01-02", None, "2024-01-03"]),
        }
    ).to_parquet(path)
    assert held(path) == {
        "q11c": ["TRUE", "FALSE", None],
        "q11d": ["1", "2", None],
        "q13a": ["Never", None, "1-2"],
        "when": ["2024-01-02", None, "2024-01-03"],
    }


def test_excel_cells_of_every_type(tmp_path: Path) -> None:
    path = tmp_path / "extract.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        page = book.add_worksheet()
        date = book.add_format({"num_format": "d-mmm"})
        page.write_row(0, 0, ["q13a", "q11c", "q11d", "q12a"])
        page.write_datetime(1, 0, dt.datetime(2024, 2, 1), date)
        page.write_boolean(1, 1, True)
        page.write_number(1, 2, 2.0)
        page.write_string(1, 3, " Always ")
        page.write_number(2, 2, 1.5)
        page.write_number(2, 1, 1)
        page.write_boolean(3, 1, False)
    assert held(path) == {
        "q13a": ["2024-02-01", None, None],
        "q11c": ["TRUE", "1", "FALSE"],
        "q11d": ["2", "1.5", None],
        "q12a": ["Always", None, None],
    }


@pytest.mark.parametrize("suffix", ["xlsx", "xls", "ods"])
def test_a_table_that_does_not_begin_in_the_first_cell(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"extract.{suffix}"
    engine = {"xlsx": "openpyxl", "ods": "odf"}.get(suffix)
    if engine:
        with pd.ExcelWriter(path, engine=engine) as writer:
            SMALL.to_excel(writer, index=False, startrow=3, startcol=2)
    else:
        import xlwt

        book = xlwt.Workbook()
        page = book.add_sheet("Data")
        for place, name in enumerate(SMALL):
            for row, value in enumerate([name, *SMALL[name]]):
                if value:
                    page.write(row + 3, place + 2, value)
        book.save(str(path))
    table = read_table(path)
    assert table.header_row == 4
    for name in SMALL:
        assert table[name].to_series().fillna("").tolist() == SMALL[name].tolist()


def test_a_workbook_in_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from culture_analytics.read import workbook

    path = tmp_path / "extract.xlsx"
    frame = pd.DataFrame({"q11c": [str(n % 3) for n in range(47)], "org": "ZZ1"})
    frame.to_excel(path, index=False, startrow=2)
    monkeypatch.setattr(workbook, "ROWS_AT_ONCE", 5)
    table = read_table(path)
    assert table.rows == 47
    assert table["q11c"].to_series().tolist() == frame["q11c"].tolist()


def test_the_data_sheet_is_found_among_others(tmp_path: Path) -> None:
    path = tmp_path / "extract.xlsx"
    with pd.ExcelWriter(path) as writer:
        pd.DataFrame({"About": ["a"] * 30}).to_excel(writer, sheet_name="Notes", index=False)
        pd.DataFrame({"q11c": ["Yes"], "Meaning": ["stress"]}).to_excel(
            writer, sheet_name="Codebook", index=False
        )
        SMALL.to_excel(writer, sheet_name="Data 2024", index=False, startrow=3)
    table = read_table(path)
    assert table.sheet == "Data 2024"
    assert table.rows == len(SMALL)


def test_two_data_sheets_must_be_chosen_from(tmp_path: Path) -> None:
    path = tmp_path / "extract.xlsx"
    with pd.ExcelWriter(path) as writer:
        SMALL.to_excel(writer, sheet_name="2023", index=False)
        SMALL.iloc[:4].to_excel(writer, sheet_name="2024", index=False)
    with pytest.raises(ExtractError, match=r"2 sheets .*'2023' \(6 rows\), '2024' \(4 rows\)"):
        read_table(path)
    assert read_table(path, sheet="2024").rows == 4
    assert read_table(path, sheet=1).rows == 6
    assert read_table(path, sheet=" 2023 ").rows == 6
    for wrong in ("2022", 3, 0):
        with pytest.raises(ExtractError, match=r"has no sheet .*'2023', '2024'"):
            read_table(path, sheet=wrong)


def test_a_hidden_copy_of_the_data_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "extract.xlsx"
    with pd.ExcelWriter(path, engine="openpyxl") as writer:
        SMALL.to_excel(writer, sheet_name="Data", index=False)
        SMALL.to_excel(writer, sheet_name="Old", index=False)
        writer.sheets["Old"].sheet_state = "hidden"
    assert read_table(path).sheet == "Data"


def test_a_sheet_of_a_csv_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "extract.csv"
    SMALL.to_csv(path, index=False)
    with pytest.raises(ExtractError, match="leave sheet= out"):
        read_table(path, sheet="Data")


@pytest.mark.parametrize("suffix", ["csv", "xlsx", "sav", "parquet"])
def test_the_extension_does_not_matter(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"extract.{suffix}"
    writers = {
        "csv": lambda: SMALL.to_csv(path, index=False),
        "xlsx": lambda: SMALL.to_excel(path, index=False),
        "sav": lambda: pyreadstat.write_sav(SMALL, str(path)),
        "parquet": lambda: SMALL.to_parquet(path),
    }
    writers[suffix]()
    renamed = path.rename(tmp_path / "extract.bin")
    assert read_table(renamed).rows == len(SMALL)


# -- what cannot be read --------------------------------------------------------------------------


def refused(path: Path | str, *words: str) -> str:
    with pytest.raises(ExtractError) as caught:
        read_table(path, caller="read_extract")
    message = str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    for word in words:
        assert word in message, message
    return message


def test_missing_file_names_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "NSS24_ZZ1_data.csv").write_text("q11c\n1\n", "utf-8")
    refused(tmp_path / "NSS24_ZZ1_dta.csv", "no file named NSS24_ZZ1_dta.csv", "NSS24_ZZ1_data.csv")
    refused(tmp_path / "NSS24_ZZ1_data.xlsx", "NSS24_ZZ1_data.csv")
    refused(tmp_path / "nowhere" / "a.csv", "does not exist")


def test_quotes_of_copy_as_path_are_taken_off(tmp_path: Path) -> None:
    path = tmp_path / "extract.csv"
    SMALL.to_csv(path, index=False)
    assert read_table(f'"{path}"').rows == len(SMALL)
    assert read_table(f" '{path}' ").rows == len(SMALL)


def test_a_folder(tmp_path: Path) -> None:
    (tmp_path / "extract.csv").write_text("q11c\n1\n", "utf-8")
    refused(tmp_path, "is a folder", "extract.csv")


@pytest.mark.parametrize("content", [b"", b"\n\n  \n", b"\xef\xbb\xbf", b"\xff\xfe"])
def test_empty_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "extract.csv"
    path.write_bytes(content)
    refused(path, "extract.csv is empty")


def test_header_only(tmp_path: Path) -> None:
    text = tmp_path / "extract.csv"
    text.write_text("org_id,q11c,q11d\n", "utf-8")
    refused(text, "a header and no row", "3 columns")
    bare = tmp_path / "bare.csv"
    bare.write_text("org_id,q11c,q11d", "utf-8")
    refused(bare, "a header and no row", "3 columns")
    book = tmp_path / "extract.xlsx"
    SMALL.iloc[:0].to_excel(book, index=False)
    refused(book, "a header and no row")
    sav = tmp_path / "extract.sav"
    pyreadstat.write_sav(pd.DataFrame({"q11c": np.array([], dtype=float)}), str(sav))
    refused(sav, "a header and no row")
    parquet = tmp_path / "extract.parquet"
    SMALL.iloc[:0].to_parquet(parquet)
    refused(parquet, "a header and no row")


def test_empty_workbook(tmp_path: Path) -> None:
    path = tmp_path / "extract.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        book.add_worksheet()
    refused(path, "empty workbook")


FOREIGN = {
    "png": (b"\x89PNG\r\n\x1a\n" + b"\x00" * 40, "a PNG picture"),
    "jpeg": (b"\xff\xd8\xff\xe0\x00\x10JFIF" + b"\x00" * 40, "a JPEG picture"),
    "gif": (b"GIF89a" + b"\x00" * 40, "a GIF picture"),
    "bmp": (b"BM" + struct.pack("<IHHI", 100, 0, 0, 54) + b"\x00" * 40, "a BMP picture"),
    "webp": (b"RIFF\x00\x00\x00\x00WEBPVP8 " + b"\x00" * 40, "a WebP picture"),
    "pdf": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "a PDF document"),
    "html": (b"<!DOCTYPE html><html><body><table><tr><td>q11c</td></tr>", "a web page (HTML)"),
    "table": (b"\n <TABLE><tr><td>q11c</td>", "a web page (HTML)"),
    "xml": (
        b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet">',
        "an Excel 2003 XML file",
    ),
    "json": (b'[{"q11c": 1}]', "a JSON file"),
    "gz": (b"\x1f\x8b\x08" + b"\x00" * 20, "a gzip-compressed file"),
    "rtf": (b"{\\rtf1\\ansi", "a Word (RTF) document"),
    "noise": (bytes(range(256)) * 8, "not a file this library can read"),
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_something_else_renamed_xlsx(tmp_path: Path, kind: str) -> None:
    content, named = FOREIGN[kind]
    path = tmp_path / "extract.xlsx"
    path.write_bytes(content)
    refused(path, "extract.xlsx", named)


def test_a_csv_that_begins_with_bm_is_no_picture(tmp_path: Path) -> None:
    path = tmp_path / "extract.csv"
    path.write_text("BM,q11c,org\nx,1,ZZ1\ny,2,ZZ1\n", "utf-8")
    assert read_table(path).rows == 2


def test_zip_archive_names_what_it_holds(tmp_path: Path) -> None:
    path = tmp_path / "extract.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("folder/inside.csv", "q11c\n1\n")
    refused(path, "a zip archive", "inside.csv", "Unpack")


def test_word_document(tmp_path: Path) -> None:
    path = tmp_path / "extract.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("word/document.xml", "<w/>")
    refused(path, "a word-processor document")


@pytest.mark.parametrize("keep", [0.3, 0.6, 0.95])
def test_truncated_workbook(tmp_path: Path, keep: float) -> None:
    path = tmp_path / "extract.xlsx"
    SMALL.to_excel(path, index=False)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * keep)])
    refused(path, "damaged or cut-off workbook")


def test_workbook_whose_sheet_is_damaged(tmp_path: Path) -> None:
    whole = tmp_path / "whole.xlsx"
    SMALL.to_excel(whole, index=False)
    path = tmp_path / "extract.xlsx"
    with zipfile.ZipFile(whole) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            new.writestr(name, content[: len(content) // 2] if "sheet1" in name else content)
    refused(path, "damaged or cut-off workbook")


@pytest.mark.parametrize("suffix", ["sav", "parquet"])
def test_truncated_columnar_file(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"extract.{suffix}"
    frame = pd.DataFrame({f"q{n}": np.random.default_rng(n).random(500) for n in range(1, 9)})
    if suffix == "sav":
        pyreadstat.write_sav(frame, str(path))
    else:
        frame.to_parquet(path)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    refused(path, "damaged or cut-off", path.name) if suffix == "parquet" else refused(path, "cut")


def ole(*streams: str) -> bytes:
    """A compound file's beginning, with its directory of stream names."""
    names = b"".join(name.encode("utf-16-le").ljust(64, b"\x00") for name in streams)
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 504 + names + b"\x00" * 512


def test_encrypted_workbooks(tmp_path: Path) -> None:
    path = tmp_path / "extract.xlsx"
    path.write_bytes(ole("Root Entry", "EncryptionInfo", "EncryptedPackage"))
    refused(path, "password-protected workbook", "save a copy without one")
    ods = tmp_path / "extract.ods"
    with zipfile.ZipFile(ods, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", "<manifest:encryption-data/>")
    refused(ods, "password-protected workbook")
    sav = tmp_path / "extract.sav"
    sav.write_bytes(b"\x1c\x00\x00\x00\x00\x00\x00\x00ENCRYPTEDSAV" + b"\x00" * 40)
    refused(sav, "password-protected SPSS file")


def test_encrypted_xls(tmp_path: Path) -> None:
    import xlwt

    path = tmp_path / "extract.xls"
    book = xlwt.Workbook()
    book.add_sheet("Data").write(0, 0, "q11c")
    book.save(str(path))
    content = path.read_bytes()
    # A FILEPASS record in place of the first record after the workbook's beginning.
    start = content.index(b"\x09\x08\x10\x00\x00\x06\x05\x00")
    place = start + 4 + 16
    filepass = struct.pack("<HH", 0x002F, 54) + b"\x01\x00\x01\x00\x01\x00" + b"\x00" * 48
    path.write_bytes(content[:place] + filepass + content[place + len(filepass) :])
    refused(path, "password-protected workbook")


def test_other_compound_files(tmp_path: Path) -> None:
    path = tmp_path / "extract.xls"
    path.write_bytes(ole("Root Entry", "WordDocument"))
    refused(path, "a Word document")
    path.write_bytes(ole("Root Entry"))
    refused(path, "damaged or cut-off workbook")
    path.write_bytes(ole("Root Entry", "Workbook"))
    refused(path, "damaged or cut-off workbook")


def test_a_file_excel_holds_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "extract.xlsx"
    SMALL.to_excel(path, index=False)
    opened = Path.open

    def locked(self: Path, *args: object, **options: object) -> io.IOBase:
        if self.name == "extract.xlsx":
            raise PermissionError(13, "Permission denied", str(self))
        return opened(self, *args, **options)

    monkeypatch.setattr(Path, "open", locked)
    refused(path, "cannot be opened", "Close it")
    (tmp_path / "~$extract.xlsx").write_bytes(b"user")
    refused(path, "Excel has it open")


def test_the_lock_file_itself(tmp_path: Path) -> None:
    path = tmp_path / "~$extract.xlsx"
    path.write_bytes(b"\x04user" + b" " * 160)
    refused(path, "Give extract.xlsx instead")


def test_duplicate_columns_are_named(tmp_path: Path) -> None:
    path = tmp_path / "extract.csv"
    path.write_text("org_id,q11c,q11c,Team,Team\nZZ1,1,2,a,b\n", "utf-8")
    message = refused(path, "2 column header(s)", "'q11c' (columns 2, 3)", "columns 4, 5")
    assert "Team" not in message
    book = tmp_path / "extract.xlsx"
    with xlsxwriter.Workbook(str(book)) as written:
        page = written.add_worksheet()
        page.write_row(0, 0, ["q11c", "q11c"])
        page.write_row(1, 0, [1, 2])
    refused(book, "1 column header(s)", "sheet 'Sheet1'")


@pytest.mark.parametrize(
    ("text", "words", "value"),
    [
        ("Jane Doe,Jane Doe,x\nA,B,y\n", ["columns 1, 2"], "Jane Doe"),
        ("7071,3,7071,3\n7072,4,7072,5\n", ["columns 1, 3", "columns 2, 4"], "7071"),
        ("Q5 is unclear to me,a,Q5 is unclear to me\nx,b,y\n", ["columns 1, 3"], "unclear"),
    ],
)
@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
def test_a_first_row_of_answers_is_not_quoted(
    tmp_path: Path, text: str, words: list[str], value: str, suffix: str
) -> None:
    path = tmp_path / f"extract.{suffix}"
    if suffix == "csv":
        path.write_text(text, "utf-8")
    else:
        with xlsxwriter.Workbook(str(path)) as written:
            page = written.add_worksheet()
            for place, line in enumerate(text.splitlines()):
                page.write_row(place, 0, line.split(","))
    message = refused(path, "or the file has no header row", *words)
    assert value not in message


def test_columns_without_a_header(tmp_path: Path) -> None:
    path = tmp_path / "extract.csv"
    path.write_text(",q11c,,org\n7,1,,ZZ1\n8,2,,ZZ1\n", "utf-8")
    assert read_table(path).names == ["column 1 (no header)", "q11c", "org"]


def test_too_many_columns(tmp_path: Path) -> None:
    path = tmp_path / "extract.csv"
    path.write_text(",".join(f"c{n}" for n in range(6000)) + "\n" + ",".join("1" * 6000) + "\n")
    refused(path, "6,000 columns")


def test_another_reader_may_ask_for_its_own_error(tmp_path: Path) -> None:
    path = tmp_path / "extract.xlsx"
    path.write_bytes(b"\x89PNG" + b"\x00" * 50)
    with pytest.raises(PublishedError, match="PNG"):
        read_table(path, error=PublishedError)


# -- pieces ---------------------------------------------------------------------------------------


def test_cell_text() -> None:
    assert cell_text(True) == "TRUE"
    assert cell_text(1) == cell_text(1.0) == cell_text(np.float64(1)) == "1"
    assert cell_text(float("nan")) == cell_text(None) == cell_text(pd.NaT) == ""
    assert cell_text(dt.datetime(2024, 1, 2)) == cell_text(dt.date(2024, 1, 2)) == "2024-01-02"
    assert cell_text(b" x ") == "x"


def test_columns_of_many_values_widen(tmp_path: Path) -> None:
    builder = ColumnBuilder("id")
    for start in range(0, 40_000, 1_000):
        builder.add_cells([f"r{n}" for n in range(start, start + 1_000)])
    column = builder.build()
    assert column.codes.dtype == np.int32
    assert column.to_series().tolist() == [f"r{n}" for n in range(40_000)]
    assert column.counts().sum() == column.filled == 40_000


def test_reprs_hold_no_value(tmp_path: Path) -> None:
    path = tmp_path / "extract.csv"
    path.write_text("org_id,q11c,Team\nZZ1,1,secretsecret\nZZ1,2,secretsecret\n", "utf-8")
    table = read_table(path)
    peek = peek_file(path)
    assert "secretsecret" not in repr(table) + repr(table["Team"]) + repr(peek)


@pytest.mark.parametrize(
    "rows",
    [
        [["NHS Staff Survey 2024 - WEIGHTED Results", "", "Q10a - How many hours"]],
        [["ODS code", "Organisation name", "Benchmarking group", "Region", "ICS", "Weighting"]],
        [["Base", "Breakdown", "Breakdown subgroup", "Weighting"]],
        [["", "% Yes", "Base (number of responses)"]],
        [["org_id", "org_name", "q11c_2023", "q11c_2024", "PP1_1_2024"]],
        [["Year", "QuestionNumber", "QuestionText", "DimName", "DimValue", "BaseSize", "Score"]],
        [["Org Code", "Org Name", "Engagement Score", "Advocacy"]],
    ],
)
def test_published_layouts_are_recognised(rows: list[list[str]]) -> None:
    assert looks_like_published({"x": rows})
    assert not looks_like_extract({"x": rows})


def test_an_extract_is_recognised(tmp_path: Path) -> None:
    tops = {"x": [list(SMALL), *SMALL.astype(str).to_numpy().tolist()]}
    assert looks_like_extract(tops)
    assert looks_like_published(tops) == ""
    assert looks_like_extract(
        {"": [["work_related_stress", "age", "gender"]]}, {"work_related_stress", "age", "gender"}
    )

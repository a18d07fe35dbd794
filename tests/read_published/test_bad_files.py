"""Files that are no published workbook: one clear error each."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from culture_analytics.errors import PublishedError
from culture_analytics.read.published import LAYOUTS, read_published
from culture_analytics.survey import Survey


def refused(path: Path) -> str:
    with pytest.raises(PublishedError) as caught:
        read_published(path)
    return str(caught.value)


def test_no_such_file(tmp_path: Path) -> None:
    assert "no file named nowhere.xlsx" in refused(tmp_path / "nowhere.xlsx")


def test_folder(tmp_path: Path) -> None:
    assert "read_published() reads one file" in refused(tmp_path)


def test_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "empty.xlsx"
    path.write_bytes(b"")
    assert "is empty" in refused(path)


def test_empty_workbook(tmp_path: Path) -> None:
    path = tmp_path / "blank.xlsx"
    pd.DataFrame().to_excel(path)
    assert "is empty" in refused(path)


@pytest.mark.parametrize("part", [0.3, 0.9])
def test_truncated(tmp_path: Path, synthetic: dict[str, Path], part: float) -> None:
    path = tmp_path / "cut.xlsx"
    content = synthetic["organisational"].read_bytes()
    path.write_bytes(content[: int(len(content) * part)])
    assert "cut-off workbook" in refused(path)


def test_encrypted(tmp_path: Path) -> None:
    path = tmp_path / "locked.xlsx"
    stream = "EncryptedPackage".encode("utf-16-le")
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + stream + bytes(512))
    assert "password-protected workbook" in refused(path)


def test_picture_renamed(tmp_path: Path) -> None:
    path = tmp_path / "chart.xlsx"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(64))
    assert "a PNG picture although its name ends in .xlsx" in refused(path)


@pytest.mark.parametrize("suffix", [".csv", ".xlsx", ".sav", ".parquet"])
def test_extract(tmp_path: Path, respondents: Survey, suffix: str) -> None:
    path = tmp_path / f"answers{suffix}"
    items = [
        "look_forward_to_work",
        "work_related_stress",
        "hba_managers",
        "gender",
        "age",
        "carer",
    ]
    numbers = [respondents.instrument.number(item, 2024) for item in items]
    frame = respondents.responses[items].head(30).astype(str)
    frame.columns = pd.Index(numbers)
    if suffix == ".csv":
        frame.to_csv(path, index=False)
    elif suffix == ".xlsx":
        frame.to_excel(path, index=False)
    elif suffix == ".parquet":
        frame.to_parquet(path)
    else:
        import pyreadstat

        pyreadstat.write_sav(frame, str(path))
    message = refused(path)
    assert f"Use read_extract('answers{suffix}')" in message
    assert not set(frame["q2a"]) & set(message.replace("'", " ").split())


def test_another_workbook(tmp_path: Path) -> None:
    path = tmp_path / "budget.xlsx"
    pd.DataFrame({"cost centre": ["A", "B"], "spend": [100.0, 250.0]}).to_excel(
        path, sheet_name="Spend", index=False
    )
    message = refused(path)
    assert "no published workbook" in message and "'Spend'" in message
    assert LAYOUTS[0].name in message and "250" not in message


def test_one_sheet_saved_as_text(tmp_path: Path, synthetic: dict[str, Path]) -> None:
    path = tmp_path / "sheet.csv"
    sheet = pd.read_excel(synthetic["organisational"], sheet_name=3, header=None, engine="openpyxl")
    sheet.to_csv(path, index=False, header=False)
    assert "one sheet saved as text" in refused(path)

"""Small tables that people keep beside an extract: trackers, staff lists, cut-offs."""

from __future__ import annotations

import io
from pathlib import Path

import pandas as pd

from culture_analytics.errors import CultureAnalyticsError
from culture_analytics.read.detect import recognise

__all__ = ["read_kept_table"]


def read_kept_table(path: str | Path, error: type[CultureAnalyticsError]) -> pd.DataFrame:
    """Read a csv (comma or semicolon, UTF-8 or as Excel saves it), or a workbook's first sheet.

    Parameters
    ----------
    path
        The file; its content decides what it is, not its extension.
    error
        Error to raise.

    Returns
    -------
    DataFrame
        Every cell as text, trimmed, blank where empty; column names in lower case, trimmed, the
        first of each name. The index counts rows as a spreadsheet does: the first below the line
        of column names is 2.

    Raises
    ------
    CultureAnalyticsError
        (the class given) if the file is not there, cannot be opened, or holds no table.
    """
    kind = recognise(path, error=error)
    try:
        if kind.format == "text":
            found = _text(kind.path)
        elif kind.format in ("xlsx", "xls", "ods"):
            found = pd.read_excel(kind.path, dtype="str", keep_default_na=False, engine="calamine")
        else:
            raise ValueError(kind.format)
    except Exception:  # whatever a damaged file makes a reader say, its rows among it
        raise error(
            f"{kind.path.name} cannot be read as a table. Save it as csv (comma delimited) and try "
            "again."
        ) from None
    found.columns = [str(c).strip().lower() for c in found.columns]
    found = found.loc[:, ~found.columns.duplicated()].fillna("").astype("str")
    found.index = pd.RangeIndex(2, len(found) + 2)
    return pd.DataFrame({c: found[c].str.strip() for c in found.columns}, index=found.index)


def _text(file: Path) -> pd.DataFrame:
    raw = file.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("cp1252", errors="replace")  # as Excel saves "csv" in the UK
    first = text.split("\n", 1)[0]
    mark = ";" if first.count(";") > first.count(",") else ","
    return pd.read_csv(io.StringIO(text), sep=mark, dtype="str", keep_default_na=False,
                       skip_blank_lines=False)  # fmt: skip

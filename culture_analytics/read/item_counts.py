"""Counts of each question's answers: unknown codes, repaired dates, missing, contradictions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from culture_analytics.instrument import Instrument
from culture_analytics.read.findings import Findings
from culture_analytics.read.outcome import Reading
from culture_analytics.read.validate import ITEM_COLUMNS, routing_counts
from culture_analytics.survey import Survey

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["count_items", "count_readings"]


def count_readings(
    readings: Sequence[Reading], keep: NDArray[np.bool_], findings: Findings
) -> list[dict[str, Any]]:
    """Count unknown codes and repaired dates among the respondents kept.

    Parameters
    ----------
    readings : sequence of Reading
        How each question was read.
    keep : ndarray of bool, shape (rows,)
        Rows kept.
    findings : Findings
        Where the counts are noted.

    Returns
    -------
    list of dict
        One record a reading, with some of the columns of the report's item table.
    """
    records = []
    for reading in readings:
        record = _record(reading, keep)
        records.append(record)
        _note_record(reading, record, findings)
    return records


def _record(reading: Reading, keep: NDArray[np.bool_]) -> dict[str, Any]:
    column, decoded = reading.column, reading.decoded
    rows = np.zeros(len(column.values), dtype=np.int64)
    if decoded.unknown.any() or decoded.repaired.any():
        codes = column.codes[keep[reading.rows]]
        rows = np.bincount(codes[codes >= 0], minlength=len(column.values))
    return {
        "year": reading.year,
        "item": reading.question.item,
        "number": reading.question.number,
        "header": column.name,
        "unknown": int(rows[decoded.unknown].sum()),
        "unknown_codes": int(np.count_nonzero(decoded.unknown & (rows > 0))),
        "repaired": int(rows[decoded.repaired].sum()),
    }


def _note_record(reading: Reading, record: dict[str, Any], findings: Findings) -> None:
    header = reading.column.name
    findings.add(
        "warning",
        "unknown codes",
        header,
        record["unknown"],
        f"codes or labels that the {reading.year} scale of {reading.question.item} does not have; "
        "read as missing",
    )
    findings.add(
        "note",
        "Excel dates repaired",
        header,
        record["repaired"],
        "answers such as 1-2 that Excel had turned into dates were read back",
    )
    for note in reading.decoded.notes:
        findings.add("warning", "value labels", header, 1, note)


def count_items(
    survey: Survey, records: Sequence[dict[str, Any]], findings: Findings
) -> pd.DataFrame:
    """Count who was asked, who answered, and who answered without being asked.

    Parameters
    ----------
    survey : Survey
        Respondents kept.
    records : sequence of dict
        From `count_readings`.
    findings : Findings
        Where contradictions are noted.

    Returns
    -------
    DataFrame
        One row for each year and item, in the order of the questionnaire.
    """
    frame = survey.responses
    year_of = frame["year"].to_numpy()
    several = len(survey.years) > 1
    rows = []
    for year in survey.years:
        mine = np.flatnonzero(year_of == year) if several else slice(None)
        codes = {item: frame[item].cat.codes.to_numpy()[mine] for item in survey.items}
        count = len(mine) if isinstance(mine, np.ndarray) else survey.n
        rows += [
            _item_row(record, codes, count, survey.instrument, findings)
            for record in records
            if record["year"] == year
        ]
    order = {item: place for place, item in enumerate(survey.instrument.items)}
    rows.sort(key=lambda row: (row["year"], order[row["item"]]))
    return pd.DataFrame(rows, columns=list(ITEM_COLUMNS))


def _item_row(
    record: dict[str, Any],
    codes: dict[str, NDArray[Any]],
    count: int,
    instrument: Instrument,
    findings: Findings,
) -> dict[str, Any]:
    item = instrument.items[record["item"]]
    asked, contradictions = routing_counts(item, codes, instrument, count)
    answered = int(np.count_nonzero((codes[item.id] >= 0) & asked))
    total = int(np.count_nonzero(asked))
    findings.add(
        "warning",
        "routing contradictions",
        record["header"],
        contradictions,
        f"answered although the earlier answers mean that {item.id} was not asked; "
        "left out of its base",
    )
    return {
        **record,
        "label": item.label,
        "asked": total,
        "answered": answered,
        "missing": total - answered,
        "contradictions": contradictions,
    }

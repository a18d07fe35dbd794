"""What every step of reading an extract needs to know."""

from __future__ import annotations

from dataclasses import dataclass

from culture_analytics.instrument import Instrument
from culture_analytics.read.column_map import ColumnMap
from culture_analytics.read.raw import RawTable
from culture_analytics.read.rules import ReadingRules

__all__ = ["Context"]


@dataclass(frozen=True, eq=False)
class Context:
    """One file, and what it is read with.

    Attributes
    ----------
    table : RawTable
        The file's table as it stands.
    instrument : Instrument
        The questionnaire.
    rules : ReadingRules
        Names of columns that are not questions, and spellings of answers.
    given : ColumnMap
        What the user says about the columns.
    """

    table: RawTable
    instrument: Instrument
    rules: ReadingRules
    given: ColumnMap

"""What came of reading the answers of one column, or of a family of columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from culture_analytics.instrument import Question
from culture_analytics.read.raw import RawColumn
from culture_analytics.read.unreadable import StrangeColumn
from culture_analytics.read.values import Decoded

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Rows: TypeAlias = NDArray[np.intp] | slice

__all__ = ["Outcome", "Reading"]


@dataclass(frozen=True, eq=False)
class Reading:
    """One question read from one column, in the rows of one year.

    Attributes
    ----------
    year : int
        Survey year.
    question : Question
        The question.
    column : RawColumn
        The column, in the rows of the year.
    decoded : Decoded
        What its texts mean.
    rows : ndarray of intp or slice
        The rows of the year.
    """

    year: int
    question: Question
    column: RawColumn
    decoded: Decoded
    rows: Rows


@dataclass(frozen=True, eq=False)
class Outcome:
    """Answers, or why there are none.

    Attributes
    ----------
    answers : mapping of str to ndarray of int8, shape (rows of the year,)
        Item id to positions in the item's categories; -1 missing.
    readings : tuple of Reading
        How the answers were read, for the report.
    zero_one : tuple of tuple of str and Question
        Yes/no columns coded 0 and 1 without labels.
    strange : tuple of StrangeColumn
        Columns with too many unknown answers.
    misnamed : tuple of str
        Items whose column only shares their name.
    """

    answers: Mapping[str, NDArray[np.int8]] = field(default_factory=dict)
    readings: tuple[Reading, ...] = ()
    zero_one: tuple[tuple[str, Question], ...] = ()
    strange: tuple[StrangeColumn, ...] = ()
    misnamed: tuple[str, ...] = ()

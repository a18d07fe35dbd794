"""Answer columns that must not be read: the one message that names them all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from culture_analytics.errors import ExtractError
from culture_analytics.instrument import Question

__all__ = ["StrangeColumn", "refuse_unreadable", "too_strange"]

UNKNOWN_SHARE = 0.20
UNKNOWN_ROWS = 10


@dataclass(frozen=True)
class StrangeColumn:
    """A column whose answers are mostly not those of its question.

    Attributes
    ----------
    header : str
        As in the file.
    question : Question
        What the column was taken for.
    unknown, held : int
        Rows with an unknown answer, and rows with any.
    """

    header: str
    question: Question
    unknown: int
    held: int


def too_strange(unknown: int, held: int) -> bool:
    """Tell whether so many answers are unknown that the column is something else."""
    if not unknown or unknown <= UNKNOWN_SHARE * held:
        return False
    return unknown >= UNKNOWN_ROWS or unknown >= 0.5 * held


def refuse_unreadable(
    zero_one: Sequence[tuple[str, Question]], strange: Sequence[StrangeColumn], where: str
) -> None:
    """Refuse a file with columns that cannot be read, naming all of them at once.

    Parameters
    ----------
    zero_one : sequence of tuple of str and Question
        Headers and questions of yes/no columns coded 0 and 1 without labels.
    strange : sequence of StrangeColumn
        Columns with too many unknown answers.
    where : str
        File and sheet, for the message.

    Raises
    ------
    ExtractError
        If there is any.
    """
    problems = []
    if zero_one:
        problems.append(_zero_one_problem(zero_one, where))
    if strange:
        problems.append(_strange_problem(strange, where))
    if problems:
        raise ExtractError("\n".join(problems))


def _zero_one_problem(zero_one: Sequence[tuple[str, Question]], where: str) -> str:
    shown = ", ".join(repr(header[:60]) for header, _ in zero_one[:8])
    more = f" and {len(zero_one) - 8:,} more" if len(zero_one) > 8 else ""
    sections = "".join(
        f'\n    [labels.{question.number}]\n    "0" = "No"\n    "1" = "Yes"'
        for _, question in zero_one[:3]
    )
    return (
        f"{len(zero_one):,} yes/no column(s) of {where} are coded 0 and 1 "
        f"without labels: {shown}{more}. The questionnaire codes 1 = Yes, 2 = No, so which "
        "of 0 and 1 means yes must be said. Put this in a file, after checking it with "
        f'whoever made the extract, and give columns="that file.toml":{sections}'
        + ("\n    (and so on)" if len(zero_one) > 3 else "")
    )


def _strange_problem(strange: Sequence[StrangeColumn], where: str) -> str:
    lines = "".join(
        f"\n  {s.header[:60]!r} ({s.question.number}, {s.question.item}): {s.unknown:,} of "
        f"{s.held:,} answers are none of: {', '.join(s.question.scale.labels[:8])}"
        for s in strange[:8]
    )
    more = f"\n  and {len(strange) - 8:,} more" if len(strange) > 8 else ""
    first = strange[0].question
    return (
        f"{len(strange):,} column(s) of {where} hold unknown labels or codes in "
        f"more than {UNKNOWN_SHARE:.0%} of their answers:{lines}{more}\n  Check that the "
        "year is right; if the answers are worded differently, say how in a TOML file: "
        f'[labels.{first.number}] with "text in the file" = "{first.scale.labels[0]}" '
        "under it, and give columns=that file."
    )

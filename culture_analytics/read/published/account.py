"""Nothing dropped in silence: every cell counted, every problem told, what was left out named."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from culture_analytics.disclosure.rules import Rule, load_rule
from culture_analytics.errors import PublishedError, PublishedWarning
from culture_analytics.estimates import Estimates
from culture_analytics.read.published.slips import without_slips

__all__ = ["ParseReport", "Understood", "publisher_rule", "refuse", "warn"]

MOST = 30


@dataclass(frozen=True)
class ParseReport:
    """Every cell of the file that is not blank, by what it was taken for.

    Attributes
    ----------
    cells : mapping of str to int
        ``figures``, ``marks``, ``identifiers``, ``headings`` and texts.
    total : int
        Cells of the file that are not blank, counted on their own.
    figures_mapped, marks_mapped : int
        Of those, the ones that stand in the result.
    unread : int
        Figures and marks of questions or rows that are not read, named in the notes.
    sheets, questions, rows : int
        Tables, questions and rows read.
    """

    cells: Mapping[str, int]
    total: int
    figures_mapped: int
    marks_mapped: int
    unread: int
    sheets: int
    questions: int
    rows: int

    def __str__(self) -> str:
        """Give the count in a sentence."""
        return (
            f"{self.sheets} {'sheet' if self.sheets == 1 else 'sheets'}, "
            f"{self.questions} questions and scores, {self.rows:,} rows: "
            f"{self.figures_mapped:,} figures and {self.marks_mapped:,} marks read, "
            f"{self.unread:,} not read; {self.total:,} cells accounted for"
        )

    def check(self, name: str) -> None:
        """Refuse a file some of whose cells were taken for nothing.

        Raises
        ------
        PublishedError
            The two counts differ.
        """
        lost = abs(self.total - sum(self.cells.values()))
        if lost:
            raise PublishedError(
                f"{name}: {lost:,} cell(s) lie outside its tables and could not be accounted for. "
                "Use the file as published."
            )


@dataclass(frozen=True, eq=False, kw_only=True)
class Understood:
    """A file understood: what every layout ends in.

    Attributes
    ----------
    organisations : DataFrame
        ``org, name, benchmark_group, region, ics``.
    report : ParseReport
        Every cell accounted for.
    synthetic : bool
        Whether the file says that it is not real.
    warnings, notes : tuple of str
        What a reader must know.
    """

    organisations: pd.DataFrame = field(repr=False)
    report: ParseReport
    synthetic: bool
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def release(self, name: str) -> str:
        """Name of the publication, which says whether it is real."""
        return f"{name} (synthetic)" if self.synthetic else name

    def estimates(self, frame: pd.DataFrame, rule: Rule, *, file: str, depth: int = 0) -> Estimates:
        """Its rows as results, without scores that cannot be right; tells all warnings.

        `depth` as for `warn`.
        """
        frame, slips = without_slips(frame)
        told = (*self.warnings, *slips)
        warn(file, told, depth=depth + 1)
        return Estimates(
            frame, rule=rule, organisations=self.organisations, notes=(*told, *self.notes)
        )


def refuse(name: str, problems: Sequence[str], *, what: str) -> None:
    """Refuse a file if there are problems, all of them at once.

    Parameters
    ----------
    name : str
        File name.
    problems : sequence of str
        What could not be understood.
    what : str
        The layout it was taken for.

    Raises
    ------
    PublishedError
        There is any.
    """
    if problems:
        shown = "\n  ".join(problems[:MOST])
        more = f"\n  ... and {len(problems) - MOST:,} more" if len(problems) > MOST else ""
        raise PublishedError(
            f"{name} cannot be read as {what}: {len(problems)} problem(s).\n  {shown}{more}\n"
            "Use the file as published; if it is, the layout has changed and its spellings belong "
            "in instrument/data/published.toml."
        )


def warn(name: str, texts: Iterable[str], *, depth: int = 0) -> None:
    """Tell the caller of `read_published` what is defective or was left out.

    `depth` is how many functions lie between the layout's reader and this one.
    """
    for text in texts:
        warnings.warn(f"{name}: {text}.", PublishedWarning, stacklevel=5 + depth)


def publisher_rule(limit: int) -> Rule:
    """Take the publisher's rule: what it showed may be shown."""
    rules = [load_rule(name) for name in ("nss-2024", "nss-2018")]
    return next((rule for rule in rules if rule.base_under >= limit), rules[-1])

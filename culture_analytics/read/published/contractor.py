"""A contractor's long tables: one row a question and group, or one row an answer and group.

Shares run from 0 to 1 and scores of the People Promise from 0 to 10; which a row is follows from
its question. The score of a question is the share of *positive* answers, so it comes out as the
measure ``<id>_positive`` wherever that is not the reported figure; which is there too where it is
100 less the positive share.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from culture_analytics.disclosure.rules import load_rule
from culture_analytics.estimates import Estimates
from culture_analytics.instrument import Instrument, load_instrument
from culture_analytics.read.published.account import ParseReport, Understood, refuse
from culture_analytics.read.published.cells import Source
from culture_analytics.read.published.contractor_figures import (
    Work,
    answer_rows,
    bad_numbers,
    read_numbers,
    score_rows,
)
from culture_analytics.read.published.contractor_rows import (
    COMPARATOR,
    OWN,
    WHAT,
    find_headings,
    read_columns,
    row_meanings,
    row_places,
    row_years,
)
from culture_analytics.read.published.definitions import load_definitions
from culture_analytics.read.published.grid import quoted

__all__ = [
    "COMPARATOR",
    "OWN",
    "ContractorTable",
    "parse_contractor",
    "read_contractor",
    "recognise_contractor",
]

Texts = NDArray[np.object_]


@dataclass(frozen=True, eq=False)
class ContractorTable(Understood):
    """A table understood.

    Attributes
    ----------
    frame : DataFrame
        Rows of the result schema.
    """

    frame: pd.DataFrame = field(repr=False)


def recognise_contractor(source: Source) -> bool:
    """Tell whether a file looks like this layout.

    Parameters
    ----------
    source : Source
        The file and its cells.

    Returns
    -------
    bool
        Whether a row of headings names question, dimension, base and a score or option.
    """
    return any(find_headings(rows) is not None for rows in source.sheets.values())


def read_contractor(source: Source, *, year: int | None = None) -> Estimates:
    """Read a table of this layout into the result schema.

    Parameters
    ----------
    source : Source
        The file and its cells.
    year : int, optional
        Survey year; must be the only one of the table.

    Returns
    -------
    Estimates
        The organisation is ``org="OWN"``, what it is compared with ``org="COMPARATOR"``.

    Raises
    ------
    PublishedError
        See `culture_analytics.read_published`.
    """
    table = parse_contractor(source, year=year)
    return table.estimates(table.frame, load_rule("default"), file=source.file.name)


def parse_contractor(
    source: Source, *, year: int | None = None, instrument: Instrument | None = None
) -> ContractorTable:
    """Understand and check a table of this layout.

    Parameters
    ----------
    source : Source
        The file and its cells.
    year : int, optional
        Survey year; must be the only one of the table.
    instrument : Instrument, optional
        Default: the package's own.

    Returns
    -------
    ContractorTable

    Raises
    ------
    PublishedError
        Anything in it is not understood or contradicts itself; all problems are listed.
    """
    instrument = instrument or load_instrument()
    name = source.file.name
    texts, extra, total = read_columns(source)
    problems: list[str] = []
    years = row_years(name, texts["year"], year, instrument, problems)
    refuse(name, problems, what=WHAT)
    asked = pd.DataFrame({"year": years, "number": texts["number"], "text": texts["text"]})
    meanings, unknown, notes = row_meanings(asked, instrument, problems)
    refuse(name, problems, what=WHAT)
    places, warned = row_places(texts["dimension"], texts["value"], instrument)
    values, status = read_numbers(texts["share"] if "share" in texts else texts["score"])
    bases, _ = read_numbers(texts["base"])
    problems += bad_numbers(status, values, bases)
    refuse(name, problems, what=WHAT)
    known = np.array([m is not None for m in meanings])
    work = Work(
        name, instrument, years, meanings, places, values, status.astype(np.int8), bases, known
    )
    release = f"{years.max()} {load_definitions().raw['contractor']['release']}"
    synthetic = any("synthetic" in str(t).casefold() for t in pd.unique(texts["text"]))
    release += " (synthetic)" if synthetic else ""
    if "share" in texts:
        frame, told, read = answer_rows(work, texts["option"], texts["option_text"], problems)
    else:
        frame, told, read = score_rows(work, problems)
    notes += told
    refuse(name, problems, what=WHAT)
    left = sorted({str(number) for number in texts["number"][known & ~read]})
    if left:
        warned.append(
            f"{len(left)} question(s) that have no such figure here (no positive share, 'tick all "
            f"that apply', or a score among answers), not read: {quoted(left, 12)}"
        )
    if unknown:
        warned.append(f"{len(unknown)} question(s) not known, not read: {quoted(unknown, 12)}")
    if extra:
        notes.append(f"column(s) not read: {quoted(list(extra))}")
    report = _report(work, texts, extra, total, read)
    report.check(name)
    return ContractorTable(
        frame=frame.assign(
            source="contractor", release=release, weighting="unweighted", _file=name, _sheet=""
        ),
        organisations=pd.DataFrame(
            {
                "org": [OWN, COMPARATOR],
                "name": ["The organisation", "The contractor's comparator"],
                "benchmark_group": [None, None],
                "region": [None, None],
                "ics": [None, None],
            },
            dtype="str",
        ),
        report=report,
        synthetic=synthetic,
        warnings=tuple(warned),
        notes=(
            f"{name}: contractor's table; {report}",
            *notes,
            "unweighted figures of a contractor: they differ from the published, weighted ones",
        ),
    )


def _report(
    work: Work,
    texts: Mapping[str, Texts],
    extra: Mapping[str, int],
    total: int,
    read: NDArray[np.bool_],
) -> ParseReport:
    figures = texts["share"] if "share" in texts else texts["score"]
    filled = {role: int(np.count_nonzero(cells != "")) for role, cells in texts.items()}
    numbers = int(np.count_nonzero(~np.isnan(work.values)))
    roles = [role for role in filled if role not in ("share", "score")]
    unread = int(np.count_nonzero(~np.isnan(work.values) & ~read))
    marks = filled["share" if "share" in texts else "score"] - numbers
    marks_unread = int(np.count_nonzero((figures != "") & np.isnan(work.values) & ~read))
    counts = {
        "headings": total - sum(filled.values()) - sum(extra.values()),
        "identifiers": sum(filled[role] for role in roles),
        "figures": numbers,
        "marks": marks,
        "not read": sum(extra.values()),
    }
    return ParseReport(
        cells=counts,
        total=total,
        figures_mapped=numbers - unread,
        marks_mapped=marks - marks_unread,
        unread=unread + marks_unread + sum(extra.values()),
        sheets=1,
        questions=len({m.question.item if m.question else m.measure for m in work.meanings if m}),
        rows=len(work.years),
    )

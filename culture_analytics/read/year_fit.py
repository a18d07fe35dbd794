"""Which survey year a file's question numbers are of.

Numbers move from year to year, so the set of them often tells the year; and where somebody says
the year, the numbers tell whether it can be.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from culture_analytics.errors import ExtractError
from culture_analytics.instrument import Instrument, Question
from culture_analytics.read.claims import Claim, reading_in

__all__ = ["YearFit", "check_year", "infer_year", "year_fits"]


@dataclass(frozen=True)
class YearFit:
    """How well one year's questionnaire explains the question numbers of a file.

    Attributes
    ----------
    year : int
        Survey year.
    matched : int
        Question columns that the year has.
    strangers : tuple of str
        Headers of questions that another year has and this one has not.
    complete : bool
        True if every item of the year is in the file.
    likeness : float
        Shared numbers over all numbers of the two, 0 to 1.
    """

    year: int
    matched: int
    strangers: tuple[str, ...]
    complete: bool
    likeness: float


def year_fits(claims: Iterable[Claim], instrument: Instrument) -> dict[int, YearFit]:
    """Compare the question numbers of a file with every year's questionnaire."""
    claims = [claim for claim in claims if not claim.role]
    asked = [claim for claim in claims if claim.readings]
    # An item id has no year of its own, so it is no evidence against one; but the item is there.
    named = {claim.item for claim in claims if claim.item}
    catalogue = {year: _catalogue(instrument, year) for year in instrument.years}
    anywhere = set().union(*catalogue.values())
    asked = [claim for claim in asked if any(n in anywhere for n in claim.readings)]
    fits = {}
    for year, numbers in catalogue.items():
        found = [reading_in(claim, numbers) for claim in asked]
        items = {question.item for number in found if number for question in numbers[number]}
        matched = sum(number is not None for number in found)
        size = len({q.item for q in instrument.questions if q.year == year and q.variant != "form"})
        fits[year] = YearFit(
            year=year,
            matched=matched,
            strangers=tuple(
                c.header for c, number in zip(asked, found, strict=True) if number is None
            ),
            complete=any(wanted <= items | named for wanted in _complete_sets(instrument, year)),
            likeness=matched / max(len(asked) + size - matched, 1),
        )
    return fits


def _catalogue(instrument: Instrument, year: int) -> dict[str, list[Question]]:
    """List the questions of each number; for the stem of a "select all", those of its options."""
    found: dict[str, list[Question]] = defaultdict(list)
    for number, questions in instrument.numbers(year).items():
        found[number] += questions
        if "_" in number:
            found[number.split("_")[0]] += questions
    return found


def _complete_sets(instrument: Instrument, year: int) -> list[set[str]]:
    questions = [q for q in instrument.questions if q.year == year]
    variants = {q.variant for q in questions} & {"form", "extract"} or {""}
    return [{q.item for q in questions if q.variant in {"", variant}} for variant in variants]


def infer_year(fits: Mapping[int, YearFit], title: Sequence[str], where: str) -> tuple[int, str]:
    """Find the survey year that the question numbers determine.

    Parameters
    ----------
    fits : mapping of int to YearFit
        From `year_fits`.
    title : sequence of str
        Text above the header; a year in it decides between years that fit equally.
    where : str
        File and sheet, for the message.

    Returns
    -------
    year : int
        The year.
    reason : str
        How it was found, for the report.

    Raises
    ------
    ExtractError
        If no year or more than one year fits, with the years that do.
    """
    most = max((fit.matched for fit in fits.values()), default=0)
    if most == 0:
        raise ExtractError(
            f"The survey year of {where} cannot be told: no column has a question number. Give "
            "it: read_extract(..., year=2024)."
        )
    fitting = [fit for fit in fits.values() if not fit.strangers]
    if len(fitting) == 1:
        return fitting[0].year, "the only year whose questionnaire has all these question numbers"
    complete = [fit for fit in fitting if fit.complete]
    if len(complete) == 1:
        return complete[0].year, "the only year whose whole questionnaire is there"
    named = {int(year) for text in title for year in re.findall(r"\b20\d\d\b", text)}
    titled = [fit.year for fit in fitting if fit.year in named]
    if len(titled) == 1 and len(named) == 1:
        return titled[0], "the year named above the header, which the question numbers fit"
    if fitting:
        years = ", ".join(str(fit.year) for fit in fitting)
        raise ExtractError(
            f"The survey year of {where} cannot be told from its columns: they fit {years}. Say "
            "which one it is: read_extract(..., year=...)."
        )
    best = min(len(fit.strangers) for fit in fits.values())
    years = ", ".join(str(fit.year) for fit in fits.values() if len(fit.strangers) == best)
    raise ExtractError(
        f"The survey year of {where} cannot be told from its columns: no year has all its "
        f"question numbers (nearest: {years}, without {best:,} of them). Give year=, and name "
        'local questions with columns={"...": "local"}.'
    )


def check_year(
    year: int,
    fits: Mapping[int, YearFit],
    instrument: Instrument,
    where: str,
    *,
    file_says_so: bool = False,
) -> None:
    """Refuse a year that the file's question numbers speak against.

    Parameters
    ----------
    year : int
        Survey year to be checked.
    fits : mapping of int to YearFit
        From `year_fits`.
    instrument : Instrument
        The questionnaire.
    where : str
        File and sheet, for the message.
    file_says_so : bool, default False
        True if a column of the file holds the year. A year that somebody merely said is also
        refused where part of its questionnaire is missing and the whole of one other year's is
        there: every number would then be read, some as another question.

    Raises
    ------
    ExtractError
        If the year is not known, or another year fits better.
    """
    if year not in fits:
        raise ExtractError(
            f"Survey year {year} is not known; the questionnaire covers {instrument.years[0]} to "
            f"{instrument.years[-1]}. A later year needs its own definition files: "
            "read_extract(..., instrument=load_instrument(folder))."
        )
    mine = fits[year]
    if not mine.strangers:
        if not file_says_so:
            _refuse_part_of_a_year(mine, fits, where)
        return
    better = [
        fit
        for fit in fits.values()
        if len(fit.strangers) < len(mine.strangers) and fit.likeness > mine.likeness
    ]
    if not better:
        return
    best = max(better, key=lambda fit: (-len(fit.strangers), fit.likeness))
    same = [
        fit.year
        for fit in better
        if len(fit.strangers) == len(best.strangers) and abs(fit.likeness - best.likeness) < 0.02
    ]
    shown = ", ".join(repr(header[:60]) for header in mine.strangers[:6])
    more = f" and {len(mine.strangers) - 6:,} more" if len(mine.strangers) > 6 else ""
    raise ExtractError(
        f"{where} does not look like the {year} survey: {len(mine.strangers):,} of its question "
        f"numbers were not asked in {year} ({shown}{more}). It fits "
        f"{' or '.join(map(str, sorted(same)))}.\n"
        f"  Try: read_extract(..., year={best.year}). If these are local questions, keep them with "
        f'columns={{"{mine.strangers[0][:60]}": "local"}}.'
    )


def _refuse_part_of_a_year(mine: YearFit, fits: Mapping[int, YearFit], where: str) -> None:
    whole = [fit.year for fit in fits.values() if fit.complete and not fit.strangers]
    if len(whole) != 1 or mine.complete:
        return
    raise ExtractError(
        f"{where} does not look like the {mine.year} survey: part of that questionnaire is "
        f"missing, while the whole questionnaire of one other year is there. It fits {whole[0]}.\n"
        f"  Try: read_extract(..., year={whole[0]}). If it is a {mine.year} extract with questions "
        f"left out, add a column named year that says {mine.year} to the file."
    )

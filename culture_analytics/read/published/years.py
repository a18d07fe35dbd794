"""The survey year of a published file: what its own text says, never its name."""

from __future__ import annotations

import re

from culture_analytics.errors import PublishedError
from culture_analytics.instrument import Instrument
from culture_analytics.read.published.definitions import load_definitions

__all__ = ["survey_year"]


def survey_year(name: str, text: str, *, given: int | None, instrument: Instrument) -> int:
    """Find the one survey year that a file holds.

    Parameters
    ----------
    name : str
        File name, for messages.
    text : str
        Headings and notes of the file.
    given : int or None
        What the caller says.
    instrument : Instrument
        The years known.

    Returns
    -------
    int

    Raises
    ------
    PublishedError
        The file says no year and none is given; it says another or several; it is not known.
    """
    pattern = load_definitions().detailed["year"]
    found = sorted({int(y) for y in re.findall(pattern, text, re.IGNORECASE)})
    if len(found) > 1:
        raise PublishedError(
            f"{name} says in its headings and notes that it holds {len(found)} years "
            f"({', '.join(map(str, found))}): a workbook of this layout holds one. Read each "
            "year's own file."
        )
    if given is not None and found and found[0] != given:
        raise PublishedError(
            f"{name} says it holds {found[0]}, but year={given} was given. Leave year= out, "
            "or give the workbook of that year."
        )
    if given is None and not found:
        raise PublishedError(
            f"{name} does not say its year, in no heading and on no sheet of notes. Give it: "
            "read_published(..., year=2024). The file name is not trusted."
        )
    year = found[0] if found else int(given or 0)
    if year not in instrument.years:
        raise PublishedError(
            f"{name} holds {year}; the questionnaire is known from {instrument.years[0]} to "
            f"{instrument.years[-1]}. Its question numbers must stand in "
            "instrument/data/item_codes.csv first."
        )
    return year

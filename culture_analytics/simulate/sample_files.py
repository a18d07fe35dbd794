"""The bundled sample: which files there are, and what was planted in them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from culture_analytics.files import replacing_folder
from culture_analytics.simulate.extract import write_csv, write_sav, write_xlsx
from culture_analytics.simulate.model import DATA, HotSpot, load_model
from culture_analytics.simulate.respondents import TRUST_NAME, simulate_survey
from culture_analytics.survey import Survey, combine

__all__ = ["RESPONDENTS", "SEED", "csv_name", "published_survey", "sample_survey", "write_sample"]

SEED = 1948
RESPONDENTS = {2023: 3718, 2024: 3906, 2025: 3842}
OTHER_YEAR = 2024  # the year that comes in other formats and as published workbooks
OTHERS = 11  # organisations beside the trust in the published workbooks
OTHERS_EACH = 600
README = "README.md"


def sample_survey(year: int) -> Survey:
    """The fictional trust's respondents of a year."""
    return simulate_survey(RESPONDENTS[year], year=year, seed=SEED)


def published_survey(year: int = OTHER_YEAR) -> Survey:
    """The trust's respondents among those of eleven other organisations."""
    others = simulate_survey(OTHERS * OTHERS_EACH, year=year, organisations=OTHERS, seed=SEED + 1)
    codes = {f"ZZ{k + 1}": f"ZZ{k + 2}" for k in range(OTHERS)}
    frame = others.responses.copy()
    frame["org"] = frame["org"].cat.rename_categories(codes)
    names = {c: f"Fictional Trust {c} (synthetic)" for c in codes.values()}
    return combine([sample_survey(year), replace(others, responses=frame, names=names)])


def csv_name(year: int) -> str:
    """Name of a year's csv file."""
    return f"synthetic_trust_{year}.csv"


def write_sample(folder: Path, *, say: Callable[[str], None] = print) -> list[Path]:
    """Write every file of the sample.

    Parameters
    ----------
    folder
        Where to; made if it is not there.
    say
        Called with a line of progress.

    Returns
    -------
    list of Path
        The files written. The csv files have the same bytes wherever they are made; workbooks
        and SPSS data carry times of their own and have the same content.

    Raises
    ------
    ReportError
        The folder cannot be written in; files that were there stay as they were.
    """
    with replacing_folder(folder) as stage:
        written = _write_all(stage, say)
    say(f"{len(written)} files")
    return [folder / path.name for path in written]


def _write_all(folder: Path, say: Callable[[str], None]) -> list[Path]:
    written = []
    for year in RESPONDENTS:
        survey = sample_survey(year)
        path = folder / csv_name(year)
        write_csv(survey, path)
        written.append(path)
        if year == OTHER_YEAR:
            for suffix, write in ((".sav", write_sav), (".xlsx", write_xlsx)):
                write(survey, path.with_suffix(suffix))
                written.append(path.with_suffix(suffix))
        say(f"{year}: {survey.n:,} respondents")
    from culture_analytics.simulate.workbook import write_synthetic_workbook

    written += write_synthetic_workbook(folder, survey=published_survey(), digits=4)
    (folder / README).write_text(readme(), encoding="utf-8", newline="\n")
    written.append(folder / README)
    return written


def readme() -> str:
    """The sample's README, with what the planted hot spots come to."""
    text = (DATA / "sample_readme.md").read_text(encoding="utf-8")
    years = " | ".join(map(str, RESPONDENTS))
    lines = [f"| hot spot | where | measure | {years} |", "|---" * (3 + len(RESPONDENTS)) + "|"]
    surveys = {year: sample_survey(year) for year in RESPONDENTS}
    for spot in {s.id: s for s in load_model().hot_spots}.values():
        cells = " | ".join(_measured(surveys[year], spot) for year in RESPONDENTS)
        where = ", ".join(spot.names) + (f" ({spot.group.lower()})" if spot.group else "")
        lines.append(f"| {spot.description} | {where} | {spot.seen_in} | {cells} |")
    counts = ", ".join(f"{n:,} in {year}" for year, n in RESPONDENTS.items())
    return (
        text.replace("{trust}", TRUST_NAME)
        .replace("{respondents}", counts)
        .replace("{seed}", str(SEED))
        .replace("{hot_spots}", "\n".join(lines))
    )


def _measured(survey: Survey, spot: HotSpot) -> str:
    """Reported percentage in the hot spot, against other staff (of the same group)."""
    item = survey.instrument.items[spot.seen_in]
    frame = survey.responses
    given = frame[item.id].notna().to_numpy() & ~frame[item.id].isin(item.excluded).to_numpy()
    if spot.breakdown:
        breakdown = survey.instrument.breakdowns[spot.breakdown]
        group = next(g for g in breakdown.groups if g.label == spot.group)
        given &= frame[breakdown.item].isin(group.answers).to_numpy()
    inside = frame[spot.unit].isin(spot.names).to_numpy()
    reported = frame[item.id].isin(item.reported).to_numpy()

    def percent(who: np.ndarray) -> float:
        return 100 * float(pd.Series(reported[who]).mean())

    return f"{percent(given & inside):.1f} % v {percent(given & ~inside):.1f} %"

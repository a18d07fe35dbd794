"""What the first cell of a notebook calls: any file a trust may hold in, a `Release` out."""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from culture_analytics.compare.contractor import as_organisation
from culture_analytics.disclosure.release import Release, build_release, load_release
from culture_analytics.disclosure.rules import Rule
from culture_analytics.embargo import embargoed
from culture_analytics.errors import PublishedWarning, ReportError
from culture_analytics.estimates import Estimates, concat
from culture_analytics.read.content import looks_like_published
from culture_analytics.read.detect import clean_path
from culture_analytics.read.extract import read_extract
from culture_analytics.read.formats import peek_file
from culture_analytics.read.published import read_published
from culture_analytics.read.published.contractor_rows import COMPARATOR, OWN
from culture_analytics.read.published.england import england_years, load_england
from culture_analytics.survey import Survey, combine

__all__ = [
    "SAMPLE",
    "Data",
    "File",
    "compared_with",
    "open_data",
    "open_release",
    "open_whole",
    "protect",
    "recognise_file",
]

SAMPLE = "sample"  # the word that stands for the bundled synthetic sample
ENGLAND = "ENG"

File = str | Path
Data = Survey | Estimates | Release


def open_release(
    extract: File | Sequence[File] | None = None,
    *,
    year: int | None = None,
    org: str | None = None,
    columns: Mapping[str, Any] | File | None = None,
    published: File | Sequence[File] | Estimates | None = None,
    rule: str | Rule = "default",
    cache: bool = True,
    embargo: str | date | None = None,
    staff: File | None = None,
) -> Release:
    """Open whatever a trust holds as the protected tables of a report.

    Parameters
    ----------
    extract
        Path of a respondent-level extract, of an official results workbook, or of a saved
        release; told apart by content. Quotes around a path (as "Copy as path" gives them) are
        taken off. Several extracts, one a year, may be given as a list. None or ``"sample"`` is
        the bundled synthetic sample.
    year
        Survey year: of an extract that does not say it, or the one year wanted.
    org
        ODS code: of an extract, or a contractor's table, that does not say it; of the organisation
        wanted in a file of several. A national results workbook needs none.
    columns
        Where headers are not question numbers: a mapping or a TOML file, see `read_extract`.
    published
        Official results workbook or workbooks (England's, or the one with every organisation)
        to set an extract's figures against; quarterly pulse workbooks too. Without one, England's
        figures that come with the package are shown (`load_england`).
    rule
        Disclosure rule.
    cache
        Keep what is read from a large extract for the next time, see `read_extract`.
    embargo
        Date before which nothing may be shared, ``"2026-03-12"`` or with a time
        ``"2026-03-12 09:30"``: printed on every output.
    staff
        Path of a csv of staff in post (columns ``breakdown, group, staff``), to show who answered.

    Returns
    -------
    Release
        Protected tables only; respondents are let go when this returns.

    Raises
    ------
    ExtractError, PublishedError
        A file cannot be read; the message says which and what to do.
    ReportError
        The arguments do not go together.

    Examples
    --------
    >>> import culture_analytics as ca
    >>> release = ca.open_release("sample", year=2024)
    >>> release.years
    (2024,)
    """
    from culture_analytics.output.show_response import with_staff

    data, others = open_whole(extract, year=year, org=org, columns=columns, cache=cache)
    if isinstance(data, Release):
        _refuse("a saved release", published=published)
        return embargoed(with_staff(data, staff), embargo)
    release = protect(data, published=published, rule=rule, others=others)
    return embargoed(with_staff(release, staff), embargo)


def protect(
    data: Survey | Estimates,
    *,
    published: File | Sequence[File] | Estimates | None = None,
    rule: str | Rule = "default",
    others: Estimates | None = None,
) -> Release:
    """Make the Release of data already read, beside published results.

    Parameters
    ----------
    data
        Respondents, or published results of one organisation.
    published, rule
        As for `open_release`.
    others
        All organisations of the workbook that published `data` are of.
    """
    compared = compared_with(data, published, others=others)
    return build_release(data, rule=rule, published=compared)


def compared_with(
    data: Survey | Estimates,
    published: File | Sequence[File] | Estimates | None = None,
    *,
    others: Estimates | None = None,
) -> Estimates | None:
    """Published results to set data beside: those given, and England's in any case.

    Parameters
    ----------
    data, published, others
        As for `protect`.

    Returns
    -------
    Estimates or None
        None where nothing was given and the package has no figures of England of these years, or
        the data are England's own.
    """
    years = data.years if isinstance(data, Survey) else [int(y) for y in data.unique("year")]
    orgs = data.orgs if isinstance(data, Survey) else [str(o) for o in data.unique("org")]
    given = open_published(published, years=years)
    known = [e for e in (others, given) if e is not None]
    if ENGLAND not in orgs and not any(e._has(org=ENGLAND, source="published") for e in known):
        known += _shipped(years)
    if not known:
        return None
    return concat(known)


def _shipped(years: Sequence[int]) -> list[Estimates]:
    """England's figures that come with the package, of the latest year not after the data's."""
    held = [year for year in england_years() if year <= max(years)]
    return [load_england(held[-1])] if held else []


def open_data(
    extract: File | Sequence[File] | None = None,
    *,
    year: int | None = None,
    org: str | None = None,
    columns: Mapping[str, Any] | File | None = None,
    cache: bool = True,
) -> Data:
    """Read whatever a file holds: respondents, published results or a saved release.

    Parameters
    ----------
    extract, year, org, columns, cache
        As for `open_release`.

    Returns
    -------
    Survey, Estimates or Release
        Published results are those of the one organisation chosen, or England's.

    Raises
    ------
    ExtractError, PublishedError
        A file cannot be read.
    ReportError
        The arguments do not go together.
    """
    return open_whole(extract, year=year, org=org, columns=columns, cache=cache)[0]


def open_whole(
    extract: File | Sequence[File] | None = None,
    *,
    year: int | None = None,
    org: str | None = None,
    columns: Mapping[str, Any] | File | None = None,
    cache: bool = True,
) -> tuple[Data, Estimates | None]:
    """Read what a file holds, as `open_data`, and of a published workbook all organisations too.

    Parameters
    ----------
    extract, year, org, columns, cache
        As for `open_data`.

    Returns
    -------
    data, others
        Others is None for respondents and saved releases.

    Raises
    ------
    ExtractError, PublishedError, ReportError
        As `open_data`.
    """
    files = _files(extract)
    if not files:
        return _sample(year, org), None
    if len(files) > 1:
        return _several(files, year=year, org=org, columns=columns, cache=cache), None
    (file,) = files
    kind = recognise_file(file)
    if kind == "release":
        _refuse("a saved release", year=year, org=org, columns=columns)
        return load_release(file), None
    if kind == "published":
        _refuse("a published results workbook", columns=columns)
        whole = _quiet_published(file, year)
        return _one_organisation(whole, org, file.name), whole
    return read_extract(file, year=year, org=org, columns=columns, cache=cache), None


def recognise_file(path: File) -> str:
    """Tell what a file holds, from its content.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    str
        ``"extract"``, ``"published"`` or ``"release"``.

    Raises
    ------
    ExtractError
        No such file, or one that holds no table.
    """
    file = clean_path(path)
    if file.is_file() and zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as archive:
            if "release.json" in archive.namelist():
                return "release"
    return "published" if looks_like_published(peek_file(file).tops) else "extract"


def open_published(
    published: File | Sequence[File] | Estimates | None, *, years: Sequence[int] = ()
) -> Estimates | None:
    """Read the official workbook or workbooks to compare with.

    Parameters
    ----------
    published
        Path or paths, or results already read; None or an empty text for none.
    years
        Years of the extract; workbooks of none of them are refused.

    Raises
    ------
    PublishedError
        A workbook cannot be read.
    ReportError
        Its year is none of the extract's.
    """
    if published is None or isinstance(published, Estimates):
        return published
    files = _files(published)
    if not files:
        return None
    found = concat([_quiet_published(file, None) for file in files])
    known = sorted(int(y) for y in found.unique("year"))
    pulse = found._frame["source"].eq("pulse").to_numpy(dtype=bool)
    if pulse.all():
        return found  # of quarters, which are no years of the extract
    shared = [y for y in known if y in years]
    if years and not shared:
        raise ReportError(
            f"The published results are of {_listed(known)}, the extract is of {_listed(years)}. "
            "Give the workbook of the same year."
        )
    kept = found._frame["year"].isin(shared).to_numpy(dtype=bool) | pulse
    return found._rows(kept) if years else found


def _files(given: File | Sequence[File] | None) -> list[Path]:
    """Paths as people paste them; none for the sample."""
    if given is None:
        return []
    texts = [given] if isinstance(given, str | Path) else list(given)
    paths = [clean_path(text) for text in texts]
    named = [p for p, text in zip(paths, texts, strict=True) if str(text).strip().strip("\"'")]
    return [] if [str(p).lower() for p in named] in ([], [SAMPLE]) else named


def _sample(year: int | None, org: str | None) -> Survey:
    from culture_analytics.sample import load_sample

    survey: Survey = load_sample(year)
    if org is not None and org not in survey.orgs:
        raise ReportError(
            f"The bundled sample is of the fictional organisation {', '.join(survey.orgs)}, not "
            f"{org}. Give the path of your own extract, or leave org out."
        )
    return survey


def _several(
    files: Sequence[Path],
    *,
    year: int | None,
    org: str | None,
    columns: Mapping[str, Any] | File | None,
    cache: bool,
) -> Survey:
    if year is not None:
        raise ReportError(
            f"{len(files)} extracts were given with year={year}. Leave year out: each file says "
            "its own; or give the one file."
        )
    kinds = {file.name: recognise_file(file) for file in files}
    others = [name for name, kind in kinds.items() if kind != "extract"]
    if others:
        raise ReportError(
            f"Several files can be opened together only if all are extracts; not so: "
            f"{', '.join(others)}. Published workbooks go into published."
        )
    return combine([read_extract(f, org=org, columns=columns, cache=cache) for f in files])


def _quiet_published(file: Path, year: int | None) -> Estimates:
    """Read a workbook; what it warns of is in its notes too, which the report prints."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PublishedWarning)
        return read_published(file, year=year)


def _one_organisation(published: Estimates, org: str | None, name: str) -> Estimates:
    orgs = [str(o) for o in published.unique("org")]
    if org is None:
        if ENGLAND in orgs:
            return published.select(org=ENGLAND)
        if len(orgs) == 1:
            return published
        if OWN in orgs:  # a contractor's table: what it compares with is no organisation
            return published.select(org=OWN)
        raise ReportError(
            f"{name} holds {len(orgs):,} organisations. Say which is yours with its ODS code: "
            f'org="{orgs[0]}".'
        )
    if OWN in orgs and org.strip().upper() not in (OWN, COMPARATOR):
        # The table does not say whose it is; its user does.
        return as_organisation(published.select(org=OWN), org.strip())
    wanted = next((o for o in orgs if o.casefold() == org.strip().casefold()), None)
    if wanted is None:
        raise ReportError(
            f"{name} has no organisation {org!r} among its {len(orgs):,}. Codes there begin: "
            f"{', '.join(sorted(orgs)[:8])}."
        )
    return published.select(org=wanted)


def _refuse(what: str, **given: object) -> None:
    extra = [name for name, value in given.items() if value is not None and value != ""]
    if extra:
        verb = "does" if len(extra) == 1 else "do"
        raise ReportError(
            f"{', '.join(extra)} {verb} not go with {what}: leave "
            f"{'it' if len(extra) == 1 else 'them'} out."
        )


def _listed(years: Sequence[int]) -> str:
    return ", ".join(map(str, years))

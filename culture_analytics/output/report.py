"""`run_report`: the notebooks, run on one Release, as one HTML file that opens from disk."""

from __future__ import annotations

import datetime
import shutil
import warnings
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from culture_analytics.diagnose.tracker import read_tracker
from culture_analytics.disclosure.release import Release
from culture_analytics.disclosure.rules import SYMBOLS
from culture_analytics.embargo import embargo_text, embargoed
from culture_analytics.errors import ReportError
from culture_analytics.estimates import Estimates
from culture_analytics.files import explained, replacing_folder
from culture_analytics.output.notebooks import (
    kernel_home,
    notebook_files,
    parameter_names,
    read_notebook,
    run_notebook,
    set_parameters,
)
from culture_analytics.output.packs import INDEX, make_packs, take_over
from culture_analytics.output.pages import Page, make_page
from culture_analytics.output.show import STATUS_WORDS
from culture_analytics.output.show_response import with_staff
from culture_analytics.progress import progress
from culture_analytics.read.detect import clean_path
from culture_analytics.session import File, open_whole, protect
from culture_analytics.survey import Survey

if TYPE_CHECKING:
    import jinja2

__all__ = [
    "BOARD",
    "BOARD_PAGE",
    "REPORT",
    "TABLES",
    "as_csv",
    "out_folder",
    "release_of",
    "render",
    "report_environment",
    "run_pages",
    "run_report",
]

REPORT = "report.html"
BOARD = "board_summary.html"
BOARD_PAGE = "board-summary"  # the page it is made of
TABLES = "tables.csv"
KERNELS = 2  # notebooks run at once
TEMPLATES = Path(__file__).parent / "templates"


def run_report(
    data: File | Sequence[File] | Survey | Estimates | Release | None,
    out: str | Path,
    *,
    year: int | None = None,
    org: str | None = None,
    columns: Mapping[str, Any] | File | None = None,
    published: File | Sequence[File] | Estimates | None = None,
    each: str | None = None,
    date: str | None = None,
    cache: bool = True,
    embargo: str | datetime.date | None = None,
    tracker: File | None = None,
    staff: File | None = None,
) -> Path:
    """Write the report: one HTML file with everything in it, two pages for the board, and a csv.

    The data are read and protected once; the notebooks that make the pages are given the
    protected tables only. Nothing is written before all of it has been made, and nothing beside
    the extract.

    Parameters
    ----------
    data
        Path or paths as for `open_release` (None or ``"sample"``: the bundled synthetic sample),
        or a Survey, published Estimates, or a Release.
    out
        Folder for ``report.html``, ``board_summary.html`` (two A4 pages when printed) and
        ``tables.csv``; made if it is not there.
    year, org, columns, published, cache
        As for `open_release`.
    each
        ``"directorate"`` (the largest units), ``"team"`` (the smallest) or a unit column: a short
        pack for each unit instead of the report, an HTML file each, and an index. All come from one
        release, so they are protected and attacked together. Packs that an earlier run wrote into
        the folder and this one does not are removed; no other file is.
    date
        A date or other words to print on the cover. By default none, so that the same data give
        the same report.
    embargo
        Date before which nothing may be shared, as for `open_release`: it is printed at the head
        of every page, under every chart and in every row of the csv.
    tracker
        An improvement tracker, see `culture_analytics.diagnose.read_tracker`: what was said, what
        is done and what the figures did stand on the page of the culture diagnosis, or in the pack
        of the unit that an action is about.
    staff
        Path of a csv of staff in post, as for `open_release`.

    Returns
    -------
    Path
        The report, or the index of the packs.

    Raises
    ------
    ExtractError, PublishedError
        The data cannot be read.
    TrackerError
        The tracker cannot be read.
    ReportError
        The folder cannot be used, or a page cannot be made: names the notebook, the question and
        the reason. A report that was there before is left as it is.

    Examples
    --------
    >>> import culture_analytics as ca
    >>> ca.run_report("sample", "report", year=2024).name  # doctest: +SKIP
    'report.html'
    """
    folder = out_folder(out, data)
    # A wrong date, or a faulty tracker, is said before the long work.
    if embargo:
        embargo_text(embargo)
    actions = None if tracker is None else read_tracker(tracker)
    found = release_of(data, year=year, org=org, columns=columns, published=published, cache=cache)
    release = embargoed(with_staff(found, staff), embargo)
    if each is not None:
        packs = make_packs(release, each, date=date, tracker=actions)
        until = release.about.get("embargo")
        settle = partial(take_over, about=f"{until}: not to be shared before." if until else "")
        return _write(folder, packs, first=INDEX, settle=settle)
    pages = run_pages(release, tracker)
    files = {
        TABLES: as_csv(_table(release)).encode("utf-8-sig"),
        REPORT: render("report.html", release, date=date, pages=pages).encode("utf-8"),
    }
    for page in pages:
        if page.id == BOARD_PAGE:
            files[BOARD] = render("board.html", release, date=date, page=page).encode("utf-8")
    return _write(folder, files)


# -- what goes in -----------------------------------------------------------------------------


def release_of(
    data: Any,
    *,
    year: int | None,
    org: str | None,
    columns: Mapping[str, Any] | File | None,
    published: File | Sequence[File] | Estimates | None,
    cache: bool,
) -> Release:
    """The release of whatever was given to make a report of; see `run_report`."""
    if isinstance(data, Survey | Estimates | Release) and columns is not None:
        raise ReportError("columns goes with a path: the data given are already read.")
    others = None
    if isinstance(data, Survey):
        data = data.filter(year=year, org=org) if year or org else data
    elif isinstance(data, Estimates):
        keys = {k: v for k, v in (("year", year), ("org", org)) if v is not None}
        others, data = data, data.select(**keys) if keys else data
    elif not isinstance(data, Release):
        data, others = open_whole(data, year=year, org=org, columns=columns, cache=cache)
    if isinstance(data, Release):
        if published is not None:
            raise ReportError(
                "A release already holds what it is compared with: leave published out."
            )
        return data
    return protect(data, published=published, others=others)


# -- the pages --------------------------------------------------------------------------------


def run_pages(
    release: Release, tracker: File | None = None, *, only: Sequence[str] = ()
) -> list[Page]:
    """Run the notebooks on a release.

    Parameters
    ----------
    release
        The protected tables.
    tracker
        An improvement tracker, for the notebook that shows one.
    only
        Names of notebooks without ending; default all.
    """
    from culture_analytics.resources import notebooks_folder

    files = [f for f in notebook_files(notebooks_folder()) if not only or f.stem in only]
    with kernel_home() as home:
        saved = release.save(home.work / "release.zip")
        parameters: dict[str, object] = {
            "extract": str(saved),
            "year": None,
            "org": None,
            "columns": None,
            "published": None,
            "embargo": None,  # the saved release is under its own
        }
        given = None
        if tracker is not None:
            path = clean_path(tracker)
            given = str(shutil.copy(path, home.work / f"tracker{path.suffix}"))
        # Asked for by one notebook each; who answered is in the saved release already.
        own = {"tracker": given, "staff": None}

        def page(file: Path) -> Page:
            notebook = read_notebook(file)
            asked = {k: v for k, v in own.items() if k in parameter_names(notebook)}
            notebook = set_parameters(notebook, {**parameters, **asked})
            return make_page(run_notebook(notebook, home, name=file.stem), file.stem)

        # Two kernels at a time: enough for a small laptop, and half the wait.
        with warnings.catch_warnings(), ThreadPoolExecutor(max_workers=KERNELS) as pool:
            # Windows: the event loop says that it works in another way, and works.
            warnings.filterwarnings("ignore", "Proactor event loop", RuntimeWarning)
            try:
                return list(progress(pool.map(page, files), "Making pages", len(files)))
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise


def render(template: str, release: Release, *, date: str | None, **more: Any) -> str:
    """A page made of a template and what every page says of a release.

    Parameters
    ----------
    template
        Name of the template.
    release
        The protected tables.
    date
        To print.
    **more
        What else the template shows.
    """
    from culture_analytics import __version__

    known: dict[str, Any] = {
        "about": release.about,
        "banner": release.banner,
        "protection": release.protection,
        "synthetic": bool(release.about.get("synthetic")),
        "rule": release.rule,
        "hidden": release.hidden().get("suppressed", 0),
        "rows": len(release.table),
        "symbols": _symbols(release),
        "notes": _notes(release),
        "tables": TABLES,
        "report": REPORT,
        "subject": "stress, bullying, discrimination and culture",
        "date": date,
        "version": __version__,
    }
    return str(report_environment().get_template(template).render({**known, **more}))


def report_environment() -> jinja2.Environment:
    """The templates of pages: everything put into them is escaped."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES, encoding="utf-8"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["css_string"] = _css_string
    return environment


def _symbols(release: Release) -> list[tuple[str, str, int]]:
    """Symbol, meaning and number of rows of each status that occurs without a figure."""
    counts = release.hidden()
    return [
        (SYMBOLS[status], words, counts[status])
        for status, words in STATUS_WORDS.items()
        if counts.get(status)
    ]


def _notes(release: Release) -> list[str]:
    return list(dict.fromkeys(n for topic in release.topics for n in release[topic].notes))


def _css_string(text: str) -> str:
    """Text as a CSS string: everything but plain letters, digits and blanks escaped."""
    return '"' + "".join(c if c.isalnum() or c == " " else f"\\{ord(c):x} " for c in text) + '"'


# -- what goes out ----------------------------------------------------------------------------


def _table(release: Release) -> pd.DataFrame:
    """Every row; under an embargo each says so."""
    table = release.table
    if release.about.get("embargo"):
        table.insert(0, "embargo", str(release.about["embargo"]))
    return table


def as_csv(table: pd.DataFrame) -> str:
    """The csv; a text that a spreadsheet would take for a formula gets an apostrophe."""
    safe = table.copy()
    for column in safe.columns:
        if not pd.api.types.is_numeric_dtype(safe[column]):
            text = safe[column].astype(str).where(safe[column].notna(), "")
            formula = text.str.startswith(("=", "+", "-", "@", "\t", "\r"))
            safe[column] = text.mask(formula, "'" + text)
    return str(safe.to_csv(index=False, lineterminator="\r\n"))


def out_folder(out: str | Path, data: Any) -> Path:
    """The folder to write in, found fit: no file, and not that of an extract."""
    folder = clean_path(out)
    with explained(folder):
        is_file = folder.exists() and not folder.is_dir()
    if is_file:
        raise ReportError(f"{folder} is a file: give the name of a folder to write the report in.")
    given = (
        [data] if isinstance(data, str | Path) else data if isinstance(data, list | tuple) else []
    )
    for path in (clean_path(g) for g in given):
        if path.is_file() and path.resolve().parent == folder.resolve():
            raise ReportError(
                f"{path.name} lies in the folder {folder}: nothing is written beside an extract. "
                f"Give another folder, such as {folder / 'report'}."
            )
    return folder


def _write(
    folder: Path,
    files: Mapping[str, bytes],
    *,
    first: str = REPORT,
    settle: Callable[[Path, Path], Collection[str]] | None = None,
) -> Path:
    with replacing_folder(folder, settle=settle) as stage:
        for name, content in files.items():
            (stage / name).write_bytes(content)
    return folder / first

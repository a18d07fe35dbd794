"""The command line: ``culture-analytics report | diagnose | wres | wdes | edi | validate | ...``.

Exit codes: 0 done, 1 a file that was checked needs attention, 2 something was wrong and nothing
was made. What is said is ASCII; what went wrong is one message without a traceback.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from culture_analytics.errors import CultureAnalyticsError, ReportError

__all__ = ["main"]

DONE, ATTENTION, WRONG = 0, 1, 2

README = """\
How to use these notebooks
==========================

1. Open 00_start_here.ipynb in Jupyter.
2. In its first grey cell, put the path of your file between the quotes:
       extract = r"C:\\Users\\you\\Documents\\your extract.csv"
   In Windows: hold Shift, right-click the file, "Copy as path", paste. Quotes may stay.
   Leave it as "sample" to see made-up data.
3. Menu "Run", then "Run All Cells".
4. Do the same in the other notebooks, or make one report of all of them:
       culture-analytics report "C:\\Users\\you\\Documents\\your extract.csv" --out report

Figures here are for use inside your organisation: only small groups are hidden, and hidden
figures might be worked out from others. Do not publish them.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    argv
        Arguments; default those of the process.

    Returns
    -------
    int
        Exit code: 0 done, 1 a checked file needs attention, 2 an error.
    """
    parser = _parser()
    given = parser.parse_args(argv)
    if given.quiet:
        from culture_analytics.progress import set_quiet

        set_quiet()
    try:
        return int(given.run(given))
    except CultureAnalyticsError as error:
        print(_ascii(f"Error: {error}{_in_options(str(error))}"), file=sys.stderr)
    except KeyboardInterrupt:
        print("Stopped. Nothing was written.", file=sys.stderr)
    except OSError as error:
        named = f" ({Path(str(error.filename)).name})" if error.filename else ""
        reason = error.strerror or type(error).__name__
        print(_ascii(f"Error: a file could not be used{named}: {reason}."), file=sys.stderr)
    except MemoryError:
        print("Error: not enough memory. Close other programs and try again.", file=sys.stderr)
    return WRONG


def _parser() -> argparse.ArgumentParser:
    from culture_analytics import __version__

    parser = argparse.ArgumentParser(
        prog="culture-analytics",
        description="Stress, bullying and discrimination from an NHS Staff Survey extract.",
        epilog="EXTRACT may be left out, or be the word sample: the bundled synthetic sample.",
    )
    parser.add_argument("--version", action="version", version=f"culture-analytics {__version__}")
    parser.add_argument("-q", "--quiet", action="store_true", help="no progress on the screen")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    report = _command(commands, "report", "write one HTML report, and its figures as csv")
    _add_data(report, several=True)
    report.add_argument(
        "--published",
        metavar="WORKBOOK",
        action="append",
        help="official results workbook to compare with; may be given several times",
    )
    report.add_argument(
        "--out", metavar="DIR", default="report", help="folder of the report (default: report)"
    )
    report.add_argument("--date", metavar="TEXT", help="date to print on the report")
    report.add_argument(
        "--embargo",
        metavar="DATE",
        help="date before which nothing may be shared, as 2026-03-12; printed on every page, "
        "chart and row",
    )
    report.add_argument(
        "--tracker",
        metavar="CSV",
        help="improvement tracker (you said, we did) to set beside the figures",
    )
    report.add_argument(
        "--each",
        metavar="UNIT",
        help="a short pack for each unit instead: directorate (the largest units), team (the "
        "smallest), or the name of a unit column",
    )
    report.add_argument(
        "--staff",
        metavar="CSV",
        help="staff in post (columns breakdown, group, staff), to show who answered",
    )
    report.add_argument(
        "--successors",
        metavar="CSV",
        help="your own list of organisations that became others (columns old, new, date, source)",
    )
    report.set_defaults(run=_report)

    diagnose = _command(
        commands, "diagnose", "write the culture diagnosis: tables, a workbook and two pages"
    )
    _add_data(diagnose, several=True)
    diagnose.add_argument(
        "--by",
        metavar="UNIT",
        help="units of the tables: directorate (the largest, the default), team (the smallest), or "
        "the name of a unit column",
    )
    diagnose.add_argument("--published", metavar="WORKBOOK", action="append", help="as for report")
    diagnose.add_argument(
        "--out", metavar="DIR", default="diagnosis", help="folder of the files (default: diagnosis)"
    )
    diagnose.add_argument("--date", metavar="TEXT", help="date to print on the pages")
    diagnose.add_argument("--embargo", metavar="DATE", help="as for report")
    diagnose.add_argument("--tracker", metavar="CSV", help="as for report")
    diagnose.add_argument("--successors", metavar="CSV", help="as for report")
    diagnose.set_defaults(run=_diagnose)

    _add_standards(commands)

    validate = _command(commands, "validate", "check a file without making anything")
    _add_data(validate, several=False)
    validate.set_defaults(run=_validate)

    notebooks = _command(commands, "notebooks", "copy the notebooks to a folder")
    notebooks.add_argument("folder", metavar="DIR")
    notebooks.add_argument("--force", action="store_true", help="replace files that are there")
    notebooks.set_defaults(run=_notebooks)

    sample = _command(commands, "sample", "copy the synthetic sample to a folder")
    sample.add_argument("folder", metavar="DIR")
    sample.add_argument("--force", action="store_true", help="replace files that are there")
    sample.set_defaults(run=_sample)

    tracker = _command(commands, "tracker", "write an empty improvement tracker to a folder")
    tracker.add_argument("folder", metavar="DIR")
    tracker.add_argument("--force", action="store_true", help="replace one that is there")
    tracker.set_defaults(run=_tracker)

    cache = _command(commands, "cache", "say what is kept of large extracts, and where")
    cache.add_argument("--clear", action="store_true", help="remove it")
    cache.set_defaults(run=_cache)
    return parser


def _add_standards(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
) -> None:
    """A command for each equality standard that a trust hands in."""
    whats = {
        "wres": "write the Workforce Race Equality Standard's survey indicators",
        "wdes": "write the Workforce Disability Equality Standard's survey metrics",
        "edi": "write the survey measures of the EDI improvement plan",
    }
    for name, what in whats.items():
        command = _command(commands, name, f"{what} as xlsx and csv")
        _add_data(command, several=True)
        command.add_argument(
            "--published",
            metavar="WORKBOOK",
            action="append",
            help="official results workbook to set beside them; may be given several times",
        )
        command.add_argument(
            "--out", metavar="DIR", default=name, help=f"folder of the files (default: {name})"
        )
        command.add_argument(
            "--embargo", metavar="DATE", help="date before which nothing may be shared"
        )
        command.set_defaults(run=_standard, standard=name)


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, what: str
) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=what, description=what.capitalize() + ".")
    # After the command too; its default must not undo one given before the command.
    command.add_argument(
        "-q", "--quiet", action="store_true", default=argparse.SUPPRESS, help="no progress"
    )
    return command


def _add_data(command: argparse.ArgumentParser, *, several: bool) -> None:
    command.add_argument(
        "extract",
        metavar="EXTRACT",
        nargs="*" if several else "?",
        default=None,
        help="extract, official results workbook or saved release"
        + ("; several extracts may be given, one a year" if several else ""),
    )
    command.add_argument("--year", type=int, help="survey year, if the file does not say it")
    command.add_argument("--org", metavar="CODE", help="organisation (ODS) code")
    command.add_argument(
        "--columns", metavar="TOML", help="file that says which column is which question"
    )
    command.add_argument(
        "--no-cache",
        dest="cache",
        action="store_false",
        help="keep nothing of a large extract for the next time, and use nothing kept",
    )


# -- commands -----------------------------------------------------------------------------------


def _report(given: argparse.Namespace) -> int:
    from culture_analytics.output.report import BOARD, TABLES, run_report

    _say(given, "Reading the data and making the report; this takes up to a minute ...")
    with _own_successors(given.successors):
        written = run_report(
            given.extract or None,
            given.out,
            year=given.year,
            org=given.org,
            columns=given.columns,
            published=given.published,
            date=given.date,
            cache=given.cache,
            embargo=given.embargo,
            each=given.each,
            tracker=given.tracker,
            staff=given.staff,
        )
    if given.each:
        print(_ascii(f"Packs: begin with {written.resolve()}"))
        return DONE
    print(_ascii(f"Report: {written.resolve()}"))
    board = written.with_name(BOARD)
    if board.is_file():
        print(_ascii(f"Board summary, two pages to print: {board.resolve()}"))
    print(_ascii(f"Figures: {written.with_name(TABLES).resolve()}"))
    return DONE


@contextmanager
def _own_successors(path: str | None) -> Iterator[None]:
    """Have every comparison use a list, in the notebooks' own processes too."""
    from culture_analytics.read.detect import clean_path
    from culture_analytics.read.published.successors import VARIABLE, load_successors

    if path is None:
        yield
        return
    file = clean_path(path).resolve()
    load_successors(file)  # what is wrong with it is said before the long work
    before = os.environ.get(VARIABLE, "")
    os.environ[VARIABLE] = str(file)
    try:
        yield
    finally:
        os.environ[VARIABLE] = before


def _standard(given: argparse.Namespace) -> int:
    from culture_analytics.output.report import out_folder
    from culture_analytics.output.standard_files import write_standard
    from culture_analytics.session import open_release

    folder = out_folder(given.out, given.extract)
    _say(given, "Reading the data and protecting all tables together ...")
    release = open_release(
        given.extract or None,
        year=given.year,
        org=given.org,
        columns=given.columns,
        published=given.published,
        cache=given.cache,
        embargo=given.embargo,
    )
    files = write_standard(release, given.standard, folder)
    names = ", ".join(f.name for f in files)
    print(_ascii(f"{release.about['title']}: {names} are in {folder.resolve()}."))
    print(_ascii(f"{release.banner}."))
    return DONE


def _diagnose(given: argparse.Namespace) -> int:
    from culture_analytics.output.diagnosis_files import WORKBOOK, write_diagnosis
    from culture_analytics.output.report import BOARD

    _say(given, "Reading the data and making the diagnosis; this takes up to a minute ...")
    with _own_successors(given.successors):
        written = write_diagnosis(
            given.extract or None,
            given.out,
            by=given.by,
            year=given.year,
            org=given.org,
            columns=given.columns,
            published=given.published,
            cache=given.cache,
            date=given.date,
            embargo=given.embargo,
            tracker=given.tracker,
        )
    print(_ascii(f"Culture diagnosis: {written.resolve()}"))
    print(_ascii(f"Beside it: {BOARD} (two pages to print), {WORKBOOK}, and a csv for each table"))
    return DONE


def _validate(given: argparse.Namespace) -> int:
    from culture_analytics.disclosure.release import Release
    from culture_analytics.estimates import Estimates
    from culture_analytics.session import open_data, open_published, recognise_file

    # A workbook of many organisations is checked whole: none has to be chosen.
    plain = given.extract and not (given.org or given.columns or given.year)
    if plain and given.extract != "sample" and recognise_file(given.extract) == "published":
        print(_ascii(_published_summary(open_published(given.extract))))
        return DONE
    found = open_data(
        given.extract, year=given.year, org=given.org, columns=given.columns, cache=given.cache
    )
    if isinstance(found, Release):
        print(_ascii(repr(found)))
        return DONE
    if isinstance(found, Estimates):
        print(_ascii(_published_summary(found)))
        return DONE
    reports = found.quality if isinstance(found.quality, list) else [found.quality]
    for report in filter(None, reports):
        print(_ascii(str(report)))
    return ATTENTION if any(r.warnings for r in reports if r is not None) else DONE


def _published_summary(found: object) -> str:
    from culture_analytics.estimates import Estimates

    assert isinstance(found, Estimates)
    years = ", ".join(str(int(y)) for y in found.unique("year"))
    measures = len(found.unique("measure"))
    orgs = list(map(str, found.unique("org")))
    whose = ", ".join(orgs) if len(orgs) <= 6 else f"{len(orgs):,} organisations"
    lines = [
        f"Published results of {whose}, {years}",
        f"  {len(found):,} figures of {measures:,} questions, measures and scores",
        f"  divided by: {', '.join(map(str, found.unique('breakdown')))}",
    ]
    return "\n".join([*lines, *(f"  - {note}" for note in found.notes)])


def _notebooks(given: argparse.Namespace) -> int:
    from culture_analytics.output.notebooks import notebook_files
    from culture_analytics.resources import notebooks_folder

    files = notebook_files(notebooks_folder())
    folder = _copy(files, given.folder, force=given.force, readme=README)
    print(_ascii(f"{len(files)} notebooks are in {folder.resolve()}. Begin with {files[0].name}."))
    return DONE


def _sample(given: argparse.Namespace) -> int:
    from culture_analytics.resources import sample_folder

    files = sorted(f for f in sample_folder().iterdir() if _is_sample_file(f))
    if not files:
        raise ReportError("The bundled sample is missing: the installation is incomplete.")
    folder = _copy(files, given.folder, force=given.force)
    print(_ascii(f"{len(files)} files of SYNTHETIC data are in {folder.resolve()}."))
    return DONE


def _tracker(given: argparse.Namespace) -> int:
    from culture_analytics.diagnose.tracker import write_tracker_template

    written = write_tracker_template(given.folder, force=given.force)
    print(_ascii(f"Empty tracker: {written.resolve()}. Write over its two examples."))
    return DONE


def _cache(given: argparse.Namespace) -> int:
    from culture_analytics.read.cache import cache_folder, cached_files, clear_cache

    if given.clear:
        print(_ascii(f"Removed: {clear_cache()}, from {cache_folder()}"))
        return DONE
    files = cached_files()
    size = sum(file.stat().st_size for file in files) / 1e6
    print(_ascii(f"Kept of large extracts: {len(files)}, {size:,.0f} MB, in {cache_folder()}"))
    return DONE


def _is_sample_file(file: Path) -> bool:
    return file.is_file() and not file.name.startswith(".")


def _copy(files: Sequence[Path], folder: str, *, force: bool, readme: str | None = None) -> Path:
    """Copy files to a folder; nothing is copied if any would be overwritten without `force`."""
    from culture_analytics.files import replacing_folder
    from culture_analytics.read.detect import clean_path

    target = clean_path(folder)
    if target.exists() and not target.is_dir():
        raise ReportError(f"{target} is a file: give the name of a folder.")
    names = [f.name for f in files] + (["README.txt"] if readme else [])
    there = [name for name in names if (target / name).exists()]
    if there and not force:
        raise ReportError(
            f"{target} already holds {', '.join(there[:6])}"
            + (f" and {len(there) - 6} more" if len(there) > 6 else "")
            + ". Nothing was copied. Give another folder, or --force to replace them."
        )
    with replacing_folder(target) as stage:
        for file in files:
            shutil.copyfile(file, stage / file.name)
        if readme:
            (stage / "README.txt").write_text(readme, encoding="utf-8")
    return target


# -- what is said ---------------------------------------------------------------------------------


def _say(given: argparse.Namespace, text: str) -> None:
    """Progress for people: only where somebody watches, and not under -q."""
    if not given.quiet and sys.stderr is not None and sys.stderr.isatty():
        print(text, file=sys.stderr)


def _in_options(message: str) -> str:
    """What the Python arguments a message names are called on the command line."""
    names = [
        name
        for name in ("year", "org", "columns", "embargo", "each", "by", "tracker")
        if f"{name}=" in message
    ]
    if not names:
        return ""
    return f"\nOn the command line: {', '.join(f'--{name}' for name in names)}."


def _ascii(text: str) -> str:
    return text.encode("ascii", "replace").decode("ascii")


if __name__ == "__main__":
    sys.exit(main())

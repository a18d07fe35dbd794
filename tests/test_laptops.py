"""Locked-down Windows laptops: pasted paths, odd folders, old consoles, files held open."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import culture_analytics as ca
from culture_analytics.cli import main
from culture_analytics.errors import CultureAnalyticsError, ExtractError, PublishedError
from culture_analytics.output import report
from culture_analytics.read import read_extract
from culture_analytics.read.detect import clean_path
from culture_analytics.resources import sample_folder
from culture_analytics.session import open_data, recognise_file

SAMPLE = sample_folder() / "synthetic_trust_2024.csv"
FOLDERS = (
    "plain folder with blanks",
    "OneDrive - Fictional Mill Vale NHS Trust, Staff Experience",
    "Ysbyty Môn \u2013 Arolwg \u0174yl",
    "100% (final) #2 & 'draft' [1]",
    "a.b.c",
    "\u65e5\u672c \U0001f3e5",
)
LONG = "x" * 180


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample's first 300 respondents."""
    file = tmp_path_factory.mktemp("small") / SAMPLE.name
    lines = SAMPLE.read_text(encoding="utf-8").splitlines()[:301]
    file.write_text("\n".join(lines), encoding="utf-8")
    return file


@pytest.fixture
def quick_report(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "run_pages", lambda release, tracker=None: [])
    tables = [{"topic": "stress", "measures": ["work_related_stress"], "by": ["gender"]}]
    build = ca.build_release
    monkeypatch.setattr(
        "culture_analytics.session.build_release",
        lambda data, **options: build(data, **{**options, "tables": {"tables": tables}}),
    )


# -- paths --------------------------------------------------------------------------------------


@pytest.mark.usefixtures("quick_report")
@pytest.mark.parametrize("name", [*FOLDERS, LONG])
def test_folders_of_every_kind(
    small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """In, out and on the screen."""
    folder = tmp_path / name
    folder.mkdir()
    extract = shutil.copy(small, folder / f"{name[:150]}, survey 2024.csv")
    out = tmp_path / f"{name} report"
    assert main(["-q", "report", f'"{extract}"', "--out", f'"{out}"']) == 0
    said = capsys.readouterr()
    assert said.out.isascii()
    assert said.err == ""
    assert {f.name for f in out.iterdir()} == {report.REPORT, report.TABLES}
    assert [f.name for f in folder.iterdir()] == [extract.name]
    assert open_data(str(extract)).source == extract.name


@pytest.mark.parametrize(
    "pasted",
    [
        '"{}"',
        "'{}'",
        "  {}  ",
        '  "{}"\n',
        "\u201c{}\u201d",
        "\u2018{}\u2019",
        '" {} "',
    ],
)
def test_paths_as_they_are_pasted(small: Path, tmp_path: Path, pasted: str) -> None:
    file = shutil.copy(small, tmp_path / "my survey, 2024 (1).csv")
    assert clean_path(pasted.format(file)) == file
    assert read_extract(pasted.format(file)).n == 300
    assert recognise_file(pasted.format(file)) == "extract"


def test_backslashes_of_another_system_are_a_name(tmp_path: Path) -> None:
    """A Windows path given elsewhere, or a wrong one: one message that names it."""
    pasted = '"C:\\Users\\A Nurse\\OneDrive - Trust\\survey 2024.csv"'
    with pytest.raises(ExtractError, match=r"survey 2024\.csv"):
        read_extract(pasted)
    if os.name == "nt":
        assert clean_path(pasted).name == "survey 2024.csv"


@pytest.mark.skipif(os.name != "nt", reason="backslashes part folders on Windows only")
def test_backslashes_on_windows(small: Path) -> None:
    assert read_extract(str(small).replace("/", "\\")).n == 300


@pytest.mark.usefixtures("quick_report")
def test_a_name_too_long_is_said(small: Path, tmp_path: Path) -> None:
    with pytest.raises(CultureAnalyticsError, match="name is too long"):
        ca.run_report(small, tmp_path / ("y" * 300))
    with pytest.raises(ExtractError, match="cannot be read: .*Check the path"):
        read_extract(tmp_path / ("y" * 300))


# -- folders and files that may not be changed --------------------------------------------------


@pytest.mark.usefixtures("quick_report")
def test_a_read_only_input_folder(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever would be written or changed in the extract's folder would be refused."""
    folder = tmp_path / "read only"
    folder.mkdir()
    file = shutil.copy(small, folder)
    Path(file).chmod(0o400)
    folder.chmod(0o500)
    touched: list[str] = []

    def watch(event: str, given: tuple[object, ...]) -> None:
        if event == "open" and isinstance(given[2], int):
            writing = given[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
            if writing and str(given[0]).startswith(str(folder)):
                touched.append(str(given[0]))
        elif event in ("os.rename", "os.remove", "os.mkdir", "os.chmod", "os.utime") and str(
            given[0]
        ).startswith(str(folder)):
            touched.append(f"{event} {given[0]}")

    WATCHERS.append(watch)
    try:
        ca.run_report(file, tmp_path / "out")
        read_extract(file)
        ca.open_release(file)
    finally:
        WATCHERS.remove(watch)
        folder.chmod(0o700)
    assert touched == []
    assert [f.name for f in folder.iterdir()] == [small.name]


WATCHERS: list[object] = []


def _audit(event: str, given: tuple[object, ...]) -> None:
    for watch in WATCHERS:
        watch(event, given)  # type: ignore[operator]


sys.addaudithook(_audit)  # it cannot be taken off: it does nothing while nobody watches


def in_use(monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    """Open as Excel does it: nobody else may."""
    kept = Path.open

    def refuse(self: Path, *args: object, **options: object) -> object:
        if self == file:
            raise PermissionError(errno.EACCES, "Permission denied", str(self))
        return kept(self, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Path, "open", refuse)


@pytest.mark.parametrize("name", ["a.csv", "a.xlsx"])
def test_an_extract_open_in_excel(
    small: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
) -> None:
    file = tmp_path / name
    shutil.copy(small if name.endswith("csv") else SAMPLE.with_suffix(".xlsx"), file)
    in_use(monkeypatch, file)
    for read, error in (
        (read_extract, ExtractError),
        (ca.read_published, PublishedError),
        (ca.open_release, CultureAnalyticsError),
    ):
        with pytest.raises(error, match=f"{name} cannot be opened: another program.*Excel"):
            read(file)
    file.with_name("~$" + name).write_bytes(b"lock")
    with pytest.raises(ExtractError, match="Excel has it open"):
        read_extract(file)
    assert main(["validate", str(file)]) == 2
    assert "Excel has it open" in capsys.readouterr().err


@pytest.mark.usefixtures("quick_report")
@pytest.mark.parametrize("name", [report.REPORT, report.TABLES])
def test_figures_open_in_excel(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    out = tmp_path / "out"
    ca.run_report(small, out, date="first")
    before = {f.name: f.read_bytes() for f in out.iterdir()}
    rename = Path.rename

    def refuse(self: Path, target: Path) -> Path:
        if Path(target) == out / name:  # Windows: a file that is open cannot be renamed
            raise PermissionError(errno.EACCES, "Permission denied", str(self))
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(CultureAnalyticsError, match=f"{name} cannot be replaced. Is it open in E"):
        ca.run_report(small, out, date="second")
    monkeypatch.undo()
    assert {f.name: f.read_bytes() for f in out.iterdir()} == before


def test_a_release_that_is_held_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a.zip"
    file.write_bytes(b"PK")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("zipfile.ZipFile.__init__", refuse)
    with pytest.raises(CultureAnalyticsError, match=r"a\.zip cannot be opened.*another program"):
        ca.load_release(file)


# -- consoles and encodings -----------------------------------------------------------------------


def run(
    *argv: str, python: tuple[str, ...] = (), cwd: Path | None = None, **environment: str
) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, *python, "-m", "culture_analytics", *argv],
        capture_output=True, check=False, timeout=600, cwd=cwd, env={**os.environ, **environment},
    )  # fmt: skip
    return done.returncode, done.stdout.decode("ascii"), done.stderr.decode("ascii")


OLD_CONSOLE = {"PYTHONIOENCODING": "cp1252:strict", "PYTHONUTF8": "0", "LC_ALL": "C.UTF-8"}


def test_a_console_of_windows_1252(small: Path, tmp_path: Path) -> None:
    folder = tmp_path / FOLDERS[-1]
    folder.mkdir()
    file = shutil.copy(small, folder / "\u0174yl 2024.csv")
    code, out, err = run("validate", str(file), **OLD_CONSOLE)
    assert code in (0, 1)
    assert "300 of 300 rows kept" in out
    assert err == ""
    code, out, err = run("validate", str(folder / "\u017fehlt.csv"), **OLD_CONSOLE)
    assert (code, out) == (2, "")
    assert err.startswith("Error: There is no file named ?ehlt.csv")
    assert "Traceback" not in err
    code, _, err = run("--help", **OLD_CONSOLE)
    assert (code, err) == (0, "")


STRICT = ("-W", "error::EncodingWarning")

# Warnings of other libraries' code are none of ours; a warning names the line it is about.
COMPLETE = """
import sys, warnings
from pathlib import Path
seen = []
def show(message, category, filename, *rest):
    seen.append((category.__name__, filename))
warnings.showwarning = show
warnings.simplefilter("always")
import culture_analytics as ca
from culture_analytics import cli
from culture_analytics.output import report
folder = Path(sys.argv[2])
codes = [
    cli.main(["-q", "validate", sys.argv[1]]),
    cli.main(["-q", "notebooks", str(folder / "notebooks")]),
    cli.main(["cache"]),
]
tables = {"tables": [{"topic": "stress", "measures": ["work_related_stress"], "by": ["gender"]}]}
release = ca.build_release(ca.read_extract(sys.argv[1]), tables=tables)
report.run_pages = lambda release, tracker=None: []  # they are made by other processes
ca.run_report(release, folder / "report")
release.save(folder / "a.zip")
ca.load_release(folder / "a.zip")
release[release.topics[0]].to_csv(folder / "a.csv")
ours = str(Path(ca.__file__).parent)
print(codes, sorted({s for s in seen if s[0] == "EncodingWarning" and s[1].startswith(ours)}))
"""


def test_every_text_file_is_opened_with_an_encoding(small: Path, tmp_path: Path) -> None:
    """Python's own check, on reading, checking, reporting, saving and copying."""
    done = subprocess.run(
        [sys.executable, "-X", "warn_default_encoding", "-c", COMPLETE, str(small), str(tmp_path)],
        capture_output=True, text=True, check=False, timeout=900, encoding="utf-8",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    last = done.stdout.splitlines()[-1]
    assert last.endswith(" []"), last
    assert last.startswith(("[0, 0, 0]", "[1, 0, 0]")), last


def test_import_and_checking_are_clean_throughout(small: Path) -> None:
    code, _, err = run("validate", str(small), python=STRICT, PYTHONWARNDEFAULTENCODING="1")
    assert code in (0, 1), err
    assert err == ""

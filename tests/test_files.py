"""Interrupted work: the old complete files or the new ones, never a half and never a mix."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import culture_analytics as ca
from culture_analytics import files
from culture_analytics.errors import ReportError
from culture_analytics.files import file_name, replacing, replacing_folder
from culture_analytics.output import report
from tests.conftest import make_survey

NAMES = ("a.csv", "b.html", "c.xlsx")


def fill(folder: Path, text: str) -> None:
    folder.mkdir(exist_ok=True)
    for name in NAMES:
        (folder / name).write_text(text, encoding="utf-8")


def texts(folder: Path) -> dict[str, str]:
    return {f.name: f.read_text(encoding="utf-8") for f in sorted(folder.iterdir())}


def put(folder: Path, text: str) -> None:
    with replacing_folder(folder) as stage:
        fill(stage, text)


def whole(text: str) -> dict[str, str]:
    return dict.fromkeys(NAMES, text)


def full_disk(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


# -- one file -----------------------------------------------------------------------------------


def test_a_file_is_replaced_when_it_is_complete(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("old", encoding="utf-8")
    with replacing(file) as part:
        part.write_text("new", encoding="utf-8")
        assert part.parent == tmp_path
        assert part.suffix == ".csv"
        assert file.read_text(encoding="utf-8") == "old"
    assert texts(tmp_path) == {"a.csv": "new"}


@pytest.mark.parametrize("problem", [ValueError("x"), KeyboardInterrupt(), MemoryError()])
def test_a_file_half_written_is_never_seen(tmp_path: Path, problem: BaseException) -> None:
    file = tmp_path / "a.csv"
    file.write_text("old", encoding="utf-8")
    with pytest.raises(type(problem)), replacing(file) as part:
        part.write_text("ne", encoding="utf-8")
        raise problem
    assert texts(tmp_path) == {"a.csv": "old"}


def test_a_full_disk_is_said_and_leaves_the_old_file(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("old", encoding="utf-8")
    with pytest.raises(ReportError, match="the disk is full"), replacing(file) as part:
        part.write_text("ne", encoding="utf-8")
        full_disk()
    assert texts(tmp_path) == {"a.csv": "old"}


def test_a_file_open_in_excel_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a.csv"
    file.write_text("old", encoding="utf-8")
    locked(monkeypatch, file)
    with pytest.raises(ReportError, match="open in Excel"), replacing(file) as part:
        part.write_text("new", encoding="utf-8")
    monkeypatch.undo()
    assert texts(tmp_path) == {"a.csv": "old"}


def locked(monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    """Windows' way: neither renaming a file that is open nor renaming another to it is allowed."""
    kept = {"replace": Path.replace, "rename": Path.rename}

    def refuse(name: str) -> Callable[[Path, Path], Path]:
        def move(self: Path, target: Path) -> Path:
            if Path(target) == file:
                raise PermissionError(errno.EACCES, "in use", str(self))
            return kept[name](self, target)

        return move

    for name in kept:
        monkeypatch.setattr(Path, name, refuse(name))


def test_a_missing_folder_is_said(tmp_path: Path) -> None:
    with (
        pytest.raises(ReportError, match=r"there is no folder .*nowhere"),
        replacing(tmp_path / "nowhere" / "a.csv") as part,
    ):
        part.write_text("new", encoding="utf-8")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="is a folder"), replacing(tmp_path):
        pass


def test_a_write_protected_file_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a.csv"
    file.write_text("old", encoding="utf-8")
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(ReportError, match="write-protected"), replacing(file) as part:
        part.write_text("new", encoding="utf-8")
    assert texts(tmp_path) == {"a.csv": "old"}


@pytest.mark.skipif(os.name != "posix", reason="modes are of POSIX systems")
def test_links_and_modes_are_kept(tmp_path: Path) -> None:
    file = tmp_path / "real" / "a.csv"
    file.parent.mkdir()
    file.write_text("old", encoding="utf-8")
    file.chmod(0o640)
    link = tmp_path / "link.csv"
    link.symlink_to(file)
    with replacing(link) as part:
        part.write_text("new", encoding="utf-8")
    assert link.is_symlink()
    assert file.read_text(encoding="utf-8") == "new"
    assert file.stat().st_mode & 0o777 == 0o640


def test_errors_about_other_files_pass(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), replacing(tmp_path / "a.csv"):
        Path("somewhere/else.csv").read_bytes()


def test_what_killed_runs_left_is_removed(tmp_path: Path) -> None:
    old, young = tmp_path / ".culture-analytics-1.part", tmp_path / ".culture-analytics-2.new"
    old.write_bytes(b"half")
    os.utime(old, (1, 1))
    young.mkdir()
    with replacing(tmp_path / "a.csv") as part:
        part.write_text("new", encoding="utf-8")
    assert {f.name for f in tmp_path.iterdir()} == {"a.csv", young.name}


# -- several files ------------------------------------------------------------------------------


def test_a_new_folder_gets_its_name_when_complete(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "out"
    with replacing_folder(folder) as stage:
        fill(stage, "new")
        assert not folder.exists()
    assert texts(folder) == whole("new")
    assert [f.name for f in folder.parent.iterdir()] == ["out"]


def test_files_change_together_and_others_stay(tmp_path: Path) -> None:
    fill(tmp_path, "old")
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    put(tmp_path, "new")
    assert texts(tmp_path) == {**whole("new"), "mine.txt": "mine"}


@pytest.mark.parametrize("exists", [True, False])
@pytest.mark.parametrize("problem", [ValueError("x"), KeyboardInterrupt()])
def test_a_failing_run_changes_nothing(
    tmp_path: Path, exists: bool, problem: BaseException
) -> None:
    folder = tmp_path / "out"
    if exists:
        fill(folder, "old")
    with pytest.raises(type(problem)), replacing_folder(folder) as stage:
        (stage / NAMES[0]).write_text("new", encoding="utf-8")
        raise problem
    assert (texts(folder) == whole("old")) if exists else not folder.exists()
    assert not list(tmp_path.glob(".culture*"))


@pytest.mark.parametrize("held", NAMES)
def test_one_file_open_in_excel_keeps_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held: str
) -> None:
    fill(tmp_path, "old")
    locked(monkeypatch, tmp_path / held)
    with pytest.raises(ReportError, match=f"{held} cannot be replaced.*open in Excel"):
        put(tmp_path, "new")
    monkeypatch.undo()
    assert texts(tmp_path) == whole("old")


@pytest.mark.parametrize("number", [1, 2, 3])
@pytest.mark.parametrize("there", [NAMES, NAMES[1:]])
@pytest.mark.parametrize(
    "problem",
    [OSError(errno.ENOSPC, "full"), PermissionError(errno.EACCES, "no"), KeyboardInterrupt()],
)
def test_a_rename_that_fails_undoes_those_before(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    there: tuple[str, ...],
    problem: BaseException,
) -> None:
    fill(tmp_path, "old")
    for name in set(NAMES) - set(there):
        (tmp_path / name).unlink()
    replace, calls = files._replace, []

    def failing(source: Path, target: Path) -> None:
        calls.append(target)
        if len(calls) == number:
            raise problem
        replace(source, target)

    monkeypatch.setattr(files, "_replace", failing)
    with pytest.raises((ReportError, KeyboardInterrupt)):
        put(tmp_path, "new")
    assert texts(tmp_path) == dict.fromkeys(there, "old")


def test_a_full_disk_while_the_old_are_set_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path, "old")
    monkeypatch.setattr(shutil, "copy2", full_disk)
    with pytest.raises(ReportError, match="disk is full"):
        put(tmp_path, "new")
    assert texts(tmp_path) == whole("old")


def test_a_folder_that_may_not_be_written_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path, "old")
    mkdir = Path.mkdir

    def refused(self: Path, *args: object, **options: object) -> None:
        if self.name.startswith(files.MARK):
            raise PermissionError(errno.EACCES, "no", str(self))
        mkdir(self, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Path, "mkdir", refused)
    with pytest.raises(ReportError, match="you may not write in that folder"):
        put(tmp_path, "new")
    assert texts(tmp_path) == whole("old")


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere"
)
def test_a_folder_that_really_may_not_be_written_in(tmp_path: Path) -> None:
    fill(tmp_path, "old")
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(ReportError, match="you may not write in that folder"):
            put(tmp_path, "new")
        assert texts(tmp_path) == whole("old")
    finally:
        tmp_path.chmod(0o700)


KILLED = """
import itertools, os, shutil, signal, sys
from pathlib import Path
from culture_analytics import files
calls = last = 0
def step():
    global calls
    calls += 1
    if calls == last:
        os.kill(os.getpid(), signal.SIGKILL)
def counted(do):
    def call(*args, **options):
        step()
        done = do(*args, **options)
        step()
        return done
    return call
for owner, names in ((Path, ("replace", "rename", "mkdir")), (shutil, ("copy2", "rmtree")),
                     (os, ("fsync", "unlink", "rmdir"))):
    for name in names:
        setattr(owner, name, counted(getattr(owner, name)))
for last in itertools.count(1):
    child = os.fork()
    if not child:
        calls = 0
        with files.replacing_folder(Path(sys.argv[1]) / str(last) / "out") as stage:
            for name in ("a.csv", "b.html", "c.xlsx"):
                (stage / name).write_text("new", encoding="utf-8")
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    if not os.WIFSIGNALED(status):
        print(last, os.waitstatus_to_exitcode(status))
        break
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="fork and SIGKILL are of POSIX systems")
@pytest.mark.parametrize("exists", [True, False])
def test_killed_at_every_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exists: bool
) -> None:
    """Killed before and after every call that changes something on the disk.

    What is in the folder is the old set or the new one, or the rest of the new one waits in it;
    the next run always leaves one whole set and nothing else.
    """
    monkeypatch.setattr(files, "OTHERS_TAKE", 0.0)
    monkeypatch.setattr(files, "ABANDONED", 0.0)
    for number in range(1, 100):
        (tmp_path / str(number)).mkdir()
        if exists:
            fill(tmp_path / str(number) / "out", "old")
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path)],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    last, code = map(int, done.stdout.split())
    assert code == 0
    assert last > (30 if exists else 8)
    waiting = 0
    for number in range(1, last + 1):
        folder = tmp_path / str(number) / "out"
        if exists or folder.is_dir():
            seen = {name: (folder / name).read_text(encoding="utf-8") for name in NAMES}
            if seen not in (whole("old"), whole("new")):
                ready = folder / files.READY
                rest = {f.name: f.read_text(encoding="utf-8") for f in ready.glob("*.*")}
                assert {**seen, **rest} == whole("new")
                waiting += 1
        put(folder, "newer")
        time.sleep(0.01)
        put(folder, "newest")
        assert texts(folder) == whole("newest")
    # Only between the renames of the three files, and only in a folder that was there.
    assert waiting == (4 if exists else 0)


def test_two_runs_into_one_folder_take_turns(tmp_path: Path) -> None:
    """Four processes, thirty sets each: whoever is last, the set is of one run."""
    folder = tmp_path / "out"
    code = textwrap.dedent("""
        import sys
        from pathlib import Path
        from culture_analytics.files import replacing_folder
        for turn in range(30):
            with replacing_folder(Path(sys.argv[1])) as stage:
                for name in ("a.csv", "b.html", "c.xlsx"):
                    (stage / name).write_text(f"{sys.argv[2]} {turn}", encoding="utf-8")
    """)
    runs = [
        subprocess.Popen([sys.executable, "-c", code, str(folder), who], stderr=subprocess.PIPE)
        for who in "ABCD"
    ]
    for run in runs:
        _, err = run.communicate(timeout=120)
        assert run.returncode == 0, err
    found = texts(folder)
    assert set(found) == set(NAMES)
    assert len(set(found.values())) == 1
    assert found["a.csv"].endswith(" 29")


# -- what uses them -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def estimates() -> ca.Estimates:
    return ca.calculate(make_survey(300), "stress", by="gender")


@pytest.fixture(scope="module")
def release() -> ca.Release:
    tables = [{"topic": "stress", "measures": ["work_related_stress"], "by": ["gender"]}]
    return ca.build_release(make_survey(300), tables={"tables": tables})


def writers(
    folder: Path, estimates: ca.Estimates, release: ca.Release
) -> dict[Path, Callable[[Path], object]]:
    axes = ca.plots.groups(estimates.select(measure="work_related_stress"))
    return {
        folder / "a.csv": estimates.to_csv,
        folder / "a.zip": release.save,
        folder / "a.png": lambda path: ca.plots.save(axes, path),
        folder / "a.svg": lambda path: ca.plots.save(axes, path),
    }


def test_every_writer_keeps_the_old_file(
    tmp_path: Path,
    estimates: ca.Estimates,
    release: ca.Release,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for path, write in writers(tmp_path, estimates, release).items():
        path.write_bytes(b"old")
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", full_disk)
            with pytest.raises(ReportError, match=f"{path.name} cannot be written: the disk is"):
                write(path)
            assert path.read_bytes() == b"old"
            assert list(tmp_path.iterdir()) == [path]
        write(path)
        assert path.stat().st_size > 100
        path.unlink()
        assert not list(tmp_path.iterdir())
        with pytest.raises(ReportError, match="there is no folder"):
            write(tmp_path / "nowhere" / path.name)


@pytest.fixture
def quick_report(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "run_pages", lambda release, tracker=None: [])


@pytest.mark.usefixtures("quick_report")
def test_the_report_is_old_or_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, release: ca.Release
) -> None:
    out = tmp_path / "out"
    ca.run_report(release, out, date="first")
    before = {f.name: f.read_bytes() for f in out.iterdir()}
    assert set(before) == {report.REPORT, report.TABLES}
    for name in ("write_bytes", "replace", "rename"):
        with monkeypatch.context() as patch:
            patch.setattr(Path, name, full_disk)
            with pytest.raises(ReportError, match="the disk is full"):
                ca.run_report(release, out, date="second")
        assert {f.name: f.read_bytes() for f in out.iterdir()} == before
    ca.run_report(release, out, date="second")
    assert b"second" in (out / report.REPORT).read_bytes()


def test_copies_of_the_command_line_are_whole_or_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from culture_analytics.cli import main

    copied = []

    def third_fails(source: Path, target: Path) -> None:
        copied.append(target)
        if len(copied) == 3:
            full_disk()
        target.write_bytes(source.read_bytes())

    monkeypatch.setattr(shutil, "copyfile", third_fails)
    assert main(["notebooks", str(tmp_path / "mine")]) == 2
    assert "disk is full" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_the_sample_is_whole_or_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from culture_analytics.simulate import sample_files
    from culture_analytics.simulate.__main__ import main

    survey = make_survey(50)
    monkeypatch.setattr(sample_files, "sample_survey", lambda year: survey)
    monkeypatch.setattr(sample_files, "write_csv", lambda survey, path: path.write_text("new"))
    monkeypatch.setattr(sample_files, "write_sav", lambda survey, path: full_disk())
    out = tmp_path / "sample"
    assert main(["--out", str(out)]) == 2
    assert "disk is full" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


# -- names --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Medicine", "Medicine.html"),
        ("A&E / ward 3: nights?", "A&E _ ward 3_ nights_.html"),
        ("..\\..\\up", "_.._up.html"),
        ("con", "con_.html"),
        ("LPT1.2", "LPT1_.2.html"),
        ("nul ", "nul_.html"),
        ("Aux. Nursing", "Aux_. Nursing.html"),
        ("console", "console.html"),
        ("ends with dots...", "ends with dots.html"),
        ("tab\tline\nnull\0", "tab_line_null_.html"),
        ("", "unnamed.html"),
        (" . ", "unnamed.html"),
        ("Iechyd Ânglen – ŵyl", "Iechyd Ânglen – ŵyl.html"),
        ("x" * 300, "x" * 100 + ".html"),
    ],
)
def test_names_of_units_become_names_of_files(tmp_path: Path, name: str, expected: str) -> None:
    found = file_name(name, ".html")
    assert found == expected
    (tmp_path / found).write_text("it can be written", encoding="utf-8")
    assert [f.name for f in tmp_path.iterdir()] == [found]


def test_a_slow_run_is_waited_for_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Held up between two renames for longer than another run has patience."""
    monkeypatch.setattr(files, "OTHERS_TAKE", 0.2)
    target = tmp_path / "out"
    target.mkdir()
    real, held = files._replace, threading.Event()

    def slow(source: Path, to: Path) -> None:
        if to.name == "b.txt" and threading.current_thread().name == "slow":
            held.set()
            time.sleep(1.5)
        real(source, to)

    monkeypatch.setattr(files, "_replace", slow)

    def run(text: str) -> None:
        with files.replacing_folder(target) as stage:
            for name in ("a.txt", "b.txt", "c.txt"):
                (stage / name).write_text(text, encoding="utf-8")

    first = threading.Thread(target=run, args=("first",), name="slow")
    first.start()
    assert held.wait(10)
    run("second")
    first.join()
    written = {p.name: p.read_text(encoding="utf-8") for p in target.iterdir()}
    assert written == dict.fromkeys(("a.txt", "b.txt", "c.txt"), "second")

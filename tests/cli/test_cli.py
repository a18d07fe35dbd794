"""The command line, run as a person runs it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import culture_analytics as ca
from culture_analytics.cli import main
from culture_analytics.resources import notebooks_folder, sample_folder
from tests.output.html import parse


def run(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str, str]:
    code = main(argv)
    captured = capsys.readouterr()
    assert captured.out.isascii()
    assert captured.err.isascii()
    return code, captured.out, captured.err


def one_error(err: str) -> None:
    assert err.startswith("Error: ")
    assert "Traceback" not in err


def test_the_sample_report_from_another_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On the sample, into a folder whose name has a blank. All the notebooks: `.ci/run`."""
    books, place = tmp_path / "books", tmp_path / "my files"
    books.mkdir()
    place.mkdir()
    first = notebooks_folder() / "00_start_here.ipynb"
    (books / first.name).write_bytes(first.read_bytes())
    monkeypatch.setattr("culture_analytics.resources.notebooks_folder", lambda: books)
    monkeypatch.chdir(place)
    code, out, err = run(capsys, "-q", "report", "--year", "2024", "--out", "the report")
    assert (code, err) == (0, "")
    assert [p.name for p in place.iterdir()] == ["the report"]
    report = place / "the report" / "report.html"
    assert str(report) in out
    page = parse(report.read_text(encoding="utf-8"))
    assert "2024" in page.all("header", class_="cover")[0].text
    assert "(synthetic)" in page.all("h1")[0].text
    start, _ = page.all("section", class_="page")
    assert start.all("img")
    assert start.all("table")
    failed = [p.text for p in start.all("ul", class_="lacking")]
    assert all("Only one year" in f for f in failed), failed


def test_as_a_module_with_nothing_of_the_checkout_around(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "culture_analytics", "validate", "sample"],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{ca.load_sample(2024).n:,} of" in done.stdout
    assert not list(tmp_path.iterdir())


def test_validate_counts_and_says_how_it_went(capsys: pytest.CaptureFixture[str]) -> None:
    file = sample_folder() / "synthetic_trust_2024.csv"
    code, out, err = run(capsys, "validate", f'"{file}"')
    rows = ca.load_sample(2024).n
    assert (code, err) == (0, "")
    assert f"{rows:,} of" in out
    assert file.name in out


def test_validate_of_a_doubtful_file_is_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A code that no answer has is a warning, counted and not quoted."""
    source = (sample_folder() / "synthetic_trust_2024.csv").read_text(encoding="utf-8-sig")
    header, *rows = source.splitlines()
    place = next(
        i for i, h in enumerate(header.split(",")) if h.strip('"').lower().startswith("q11c")
    )
    changed = []
    for number, row in enumerate(rows):
        cells = row.split(",")
        if number < 40 and '"' not in row:
            cells[place] = "7"
        changed.append(",".join(cells))
    file = tmp_path / "odd.csv"
    file.write_text("\n".join([header, *changed]), encoding="utf-8")
    code, out, _ = run(capsys, "validate", str(file))
    assert code == 1
    assert "! " in out


def test_validate_of_published_results(real_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = next((real_data / "nss24_official").glob("*national results.xlsx"))
    code, out, _ = run(capsys, "validate", str(file))
    assert code == 0
    assert "Published results of ENG, 2024" in out


def test_notebooks_are_copied_and_never_replaced(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "note books"
    code, out, _ = run(capsys, "notebooks", str(target))
    assert code == 0
    assert "00_start_here.ipynb" in out
    source = {f.name: f.read_bytes() for f in notebooks_folder().glob("*.ipynb")}
    assert {f.name: f.read_bytes() for f in target.glob("*.ipynb")} == source
    assert "Run All" in (target / "README.txt").read_text(encoding="utf-8")

    mine = target / "01_stress_and_burnout.ipynb"
    mine.write_text("my own work", encoding="utf-8")
    (target / "02_bullying_and_harassment.ipynb").unlink()
    code, out, err = run(capsys, "notebooks", str(target))
    assert (code, out) == (2, "")
    one_error(err)
    assert mine.name in err
    assert mine.read_text(encoding="utf-8") == "my own work"
    assert not (target / "02_bullying_and_harassment.ipynb").exists()  # nothing was copied

    code, _, _ = run(capsys, "notebooks", str(target), "--force")
    assert code == 0
    assert mine.read_bytes() == source[mine.name]


def test_sample_is_copied(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "sample", str(tmp_path))
    assert code == 0
    assert "SYNTHETIC" in out
    copied = tmp_path / "synthetic_trust_2024.csv"
    assert copied.read_bytes() == (sample_folder() / copied.name).read_bytes()


def test_a_file_in_the_way_of_the_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "here").write_text("", encoding="utf-8")
    code, _, err = run(capsys, "sample", str(tmp_path / "here"))
    assert code == 2
    one_error(err)


@pytest.mark.parametrize("command", ["report", "validate"])
def test_a_missing_file_is_one_message(
    command: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = run(capsys, command, str(tmp_path / "nöpe.csv"))
    assert (code, out) == (2, "")
    one_error(err)
    assert "There is no file" in err
    assert list(tmp_path.iterdir()) == []


def test_arguments_that_do_not_go_together(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "validate", "sample", "--org", "RXX")
    assert code == 2
    one_error(err)
    assert "ZZ1" in err


@pytest.mark.parametrize("argv", [[], ["report", "--nothing"], ["dance"]])
def test_wrong_commands_exit_with_2(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(argv)
    assert caught.value.code == 2
    assert "usage:" in capsys.readouterr().err


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out.strip() == f"culture-analytics {ca.__version__}"


@pytest.mark.parametrize("argv", [["-q", "sample"], ["sample", "-q"]])
def test_quiet_before_and_after_the_command(
    argv: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    asked: list[bool] = []
    monkeypatch.setattr("culture_analytics.progress.set_quiet", lambda: asked.append(True))
    code, _, _ = run(capsys, *argv, str(tmp_path / "x"))
    assert (code, asked) == (0, [True])


def test_stopping_is_not_a_traceback(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*args: object, **options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("culture_analytics.session.open_data", stop)
    code, _, err = run(capsys, "validate")
    assert code == 2
    assert err == "Stopped. Nothing was written.\n"


def test_a_wrong_embargo_names_the_option(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = run(capsys, "report", "--embargo", "12 March", "--out", str(tmp_path / "out"))
    assert code == 2
    assert "'12 March' is not a date" in err
    assert "--embargo" in err
    assert not (tmp_path / "out").exists()


def test_standards_are_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (book,) = sample_folder().glob("NSS24*national*.xlsx")
    out = tmp_path / "edi lead"
    code, said, err = run(
        capsys, "-q", "wdes", str(book), "--out", str(out), "--embargo", "2031-03-01"
    )
    assert (code, err) == (0, "")
    assert sorted(f.name for f in out.iterdir()) == ["wdes.csv", "wdes.xlsx", "wdes_groups.csv"]
    assert "wdes.xlsx, wdes.csv, wdes_groups.csv are in" in said
    assert "EMBARGOED until 1 March 2031" in said
    assert "EMBARGOED" in (out / "wdes.csv").read_text(encoding="utf-8-sig")


def test_a_standard_the_data_lack_is_one_message(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (book,) = sample_folder().glob("NSS24*organisational*.xlsx")
    code, _, err = run(capsys, "wres", str(book), "--org", "ZZ1", "--out", str(tmp_path / "out"))
    assert code == 2
    one_error(err)
    assert "not divided by ethnicity" in err
    assert not (tmp_path / "out").exists()


def test_a_faulty_list_of_successors_is_said_before_the_long_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("old,new,date\nZZ1,ZZ2,2024-04-01\n", encoding="utf-8")
    code, _, err = run(
        capsys, "-q", "report", "--successors", str(path), "--out", str(tmp_path / "o")
    )
    assert code == 2 and "column(s) missing: source" in err
    one_error(err)
    assert not (tmp_path / "o").exists()


def test_a_list_of_successors_is_used_and_then_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("old,new,date,source\nZZ1,ZZ2,2024-04-01,me\n", encoding="utf-8")
    seen: list[list[str]] = []

    def report(*_: object, **__: object) -> Path:
        seen.append(list(ca.load_successors()["old"]))
        return tmp_path / "report.html"

    monkeypatch.setattr("culture_analytics.output.report.run_report", report)
    code, _, _ = run(capsys, "-q", "report", "--successors", f'"{path}"')
    assert code == 0 and seen == [["ZZ1"]]
    assert list(ca.load_successors()["old"]) != ["ZZ1"]


def test_a_workbook_of_many_organisations_is_checked_whole(
    capsys: pytest.CaptureFixture[str],
) -> None:
    (book,) = sample_folder().glob("NSS24*organisational*.xlsx")
    code, out, err = run(capsys, "-q", "validate", str(book))
    assert (code, err) == (0, "")
    assert out.startswith("Published results of 12 organisations, 2024")
    assert "cells accounted for" in out

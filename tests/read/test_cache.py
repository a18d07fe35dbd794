"""The cache gives back what reading gives, keeps it private, and never stands in the way."""

from __future__ import annotations

import dataclasses
import errno
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import culture_analytics as ca
from culture_analytics.cli import main
from culture_analytics.errors import ExtractError
from culture_analytics.instrument import load_instrument
from culture_analytics.instrument.loader import DATA, _load
from culture_analytics.read import cache, extract, read_extract
from culture_analytics.resources import sample_folder
from culture_analytics.session import open_data
from culture_analytics.survey import Survey
from tests.read.build import as_codes, as_labels, draw, write_csv

INSTRUMENT = load_instrument()


@pytest.fixture(autouse=True)
def kept(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of its own for every test, in which small files are kept too."""
    folder = tmp_path_factory.mktemp("cache") / "culture_analytics" / "extracts"
    monkeypatch.setattr(cache, "cache_folder", lambda: folder)
    monkeypatch.setattr(cache, "WORTH_BYTES", 0)
    monkeypatch.delenv(cache.VARIABLE, raising=False)
    return folder


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files really read."""
    seen: list[str] = []
    read = extract._read

    def counted(path: Any, *args: Any, **options: Any) -> Survey:
        seen.append(Path(path).name)
        return read(path, *args, **options)

    monkeypatch.setattr(extract, "_read", counted)
    return seen


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """An extract with two units, a weight and a local column of words that are not ASCII."""
    frame = as_codes(draw(INSTRUMENT, 2024, rows=80), INSTRUMENT, 2024)
    frame["Directorate"] = ["Môn", "Acute – A&E", "\u65e5\u672c", ""] * 20
    frame["Team"] = [f"Team {place % 4}.{place % 8}" for place in range(80)]
    frame["weight"] = [f"{1 + place / 7:.17g}" for place in range(80)]
    frame["Comments"] = [f"remark {place}" for place in range(80)]
    return write_csv(frame, tmp_path / "extract 2024.csv")


def same(one: Survey, other: Survey) -> None:
    """Assert that two Surveys are equal in everything that can be seen of them."""
    pd.testing.assert_frame_equal(one.responses, other.responses, check_exact=True)
    for name in one.responses:
        assert one.responses[name].dtype == other.responses[name].dtype
        if isinstance(one.responses[name].dtype, pd.CategoricalDtype):
            ours, theirs = one.responses[name].cat, other.responses[name].cat
            assert ours.codes.dtype == theirs.codes.dtype
            assert ours.categories.dtype == theirs.categories.dtype
            assert list(ours.categories) == list(theirs.categories)
    assert type(one.responses.index) is type(other.responses.index)
    for field in ("instrument", "design", "units", "source", "synthetic", "names"):
        assert getattr(one, field) == getattr(other, field), field
    for field in dataclasses.fields(one.quality):
        ours, theirs = (getattr(s.quality, field.name) for s in (one, other))
        if isinstance(ours, pd.DataFrame):
            pd.testing.assert_frame_equal(ours, theirs, check_exact=True)
        else:
            assert ours == theirs, field.name
            assert type(ours) is type(theirs), field.name
    assert str(one.quality) == str(other.quality)


@pytest.mark.parametrize("year", INSTRUMENT.years)
def test_every_year_comes_back_as_it_was(tmp_path: Path, reads: list[str], year: int) -> None:
    answers = draw(INSTRUMENT, year, rows=40, seed=year)
    for form in (as_codes, as_labels):
        file = write_csv(form(answers, INSTRUMENT, year), tmp_path / f"{form.__name__}.csv")
        fresh = read_extract(file, year=year, cache=False)
        first, second = read_extract(file, year=year), read_extract(file, year=year)
        same(first, fresh)
        same(second, fresh)
    assert reads == ["as_codes.csv"] * 2 + ["as_labels.csv"] * 2


def test_units_weights_and_odd_words_come_back(file: Path, reads: list[str]) -> None:
    options = {"units": ["Directorate"], "columns": {"Team": "local"}}
    fresh = read_extract(file, columns=options, cache=False)
    assert fresh.units
    assert fresh.design.weights
    read_extract(file, columns=options)
    again = read_extract(file, columns=options)
    same(again, fresh)
    assert len(reads) == 2
    one, other = (
        ca.calculate(s, "stress", by="directorate", weight="weight") for s in (again, fresh)
    )
    pd.testing.assert_frame_equal(one.table, other.table, check_exact=True)


@pytest.mark.parametrize("name", ["2024.csv", "2024.xlsx", "2024.sav"])
def test_the_sample_in_every_format(reads: list[str], name: str) -> None:
    file = sample_folder() / f"synthetic_trust_{name}"
    read_extract(file)
    again = read_extract(file)
    assert reads == [file.name]
    assert again.synthetic
    same(again, read_extract(file, cache=False))


def test_what_comes_back_can_be_changed(file: Path) -> None:
    read_extract(file)
    survey = read_extract(file)
    frame = survey.responses.copy()
    frame.loc[0, "work_related_stress"] = "No"
    frame.loc[1, "weight"] = 9.5
    assert frame.loc[0, "work_related_stress"] == "No"

    same(read_extract(file), survey)


# -- what decides -------------------------------------------------------------------------------


def test_other_content_is_read_anew(file: Path, reads: list[str]) -> None:
    read_extract(file)
    about = file.stat()
    content = file.read_bytes()
    file.write_bytes(content.replace("Môn".encode(), b"Mon+"))
    os.utime(file, ns=(about.st_atime_ns, about.st_mtime_ns))  # same size, same time
    assert file.stat().st_size == len(content)
    changed = read_extract(file)
    assert "Mon+" in changed.responses["directorate"].cat.categories
    assert len(reads) == 2


def test_other_options_are_read_anew(file: Path, reads: list[str], tmp_path: Path) -> None:
    toml = tmp_path / "columns.toml"
    options: list[dict[str, Any]] = [
        {},
        {"year": 2024},
        {"org": "ZZ1"},
        {"columns": {"Team": "local"}},
        {"columns": {"Team": "ignore"}},
        {"columns": {"units": ["Directorate"]}},
        {"columns": {"labels": {"work_related_stress": {"maybe": "Yes"}}}},
        {"columns": {"labels": {"work_related_stress": {"maybe": "No"}}}},
        {"columns": toml},
    ]
    toml.write_text('org = "ZZ1"', encoding="utf-8")
    for given in options:
        read_extract(file, **given)
    assert len(reads) == len(options)
    for given in options[-cache.MOST_ENTRIES :]:
        read_extract(file, **given)
    assert len(reads) == len(options)
    reads.clear()
    toml.write_text('org = "ZZ1"\nyear = 2024', encoding="utf-8")
    read_extract(file, columns=toml)
    assert reads == [file.name]


def test_another_name_is_read_anew(file: Path, reads: list[str]) -> None:
    """The name is part of what a Survey says of itself, and may say that it is synthetic."""
    read_extract(file)
    renamed = file.rename(file.with_name("synthetic.csv"))
    assert read_extract(renamed).source == "synthetic.csv"
    assert read_extract(renamed).synthetic
    assert len(reads) == 2
    elsewhere = file.parent / "another folder"
    elsewhere.mkdir()
    read_extract(shutil.copy(renamed, elsewhere))
    assert len(reads) == 2


@pytest.mark.parametrize("name", sorted(f.name for f in DATA.iterdir() if f.suffix != ".py"))
def test_every_definition_file_counts(
    file: Path, reads: list[str], tmp_path: Path, name: str
) -> None:
    """A changed definition is another instrument, whichever file it stands in."""
    own = tmp_path / "instrument"
    shutil.copytree(DATA, own, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    read_extract(file, instrument=load_instrument(own))
    changed = own / name
    # Another line ending: the same definitions, and still another file.
    changed.write_bytes(changed.read_bytes() + (b"\n" if changed.suffix == ".toml" else b""))
    if changed.suffix == ".csv":
        changed.write_bytes(changed.read_bytes().replace(b"\n", b"\r\n"))
    _load.cache_clear()
    read_extract(file, instrument=load_instrument(own))
    _load.cache_clear()
    assert len(reads) == 2


def test_another_reader_or_pandas_reads_anew(
    file: Path, reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for owner, name, value in (
        (cache, "_reader", lambda: "another"),
        (cache, "FORMAT", cache.FORMAT + 1),
        (cache.pd, "__version__", "99.0"),
    ):
        read_extract(file)
        reads.clear()
        with monkeypatch.context() as patch:
            patch.setattr(owner, name, value)
            read_extract(file)
        assert reads == [file.name], name


def test_an_instrument_changed_in_memory_is_not_kept(file: Path, reads: list[str]) -> None:
    changed = dataclasses.replace(INSTRUMENT, labels={})
    for _ in range(2):
        assert read_extract(file, instrument=changed).instrument is changed
    assert len(reads) == 2
    assert not cache.cached_files()


# -- when nothing is kept -----------------------------------------------------------------------


@pytest.mark.parametrize("value", ["off", "OFF", "0", "no", " false "])
def test_switched_off_in_the_environment(
    file: Path, reads: list[str], kept: Path, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv(cache.VARIABLE, value)
    read_extract(file)
    read_extract(file)
    assert len(reads) == 2
    assert not kept.exists()


def test_switched_off_by_the_option(
    file: Path, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_extract(file, cache=False)
    open_data(file, cache=False)
    open_data([file], cache=False)
    assert main(["validate", str(file), "--no-cache"]) in (0, 1)
    assert not kept.exists()
    monkeypatch.setattr(cache, "WORTH_BYTES", file.stat().st_size + 1)
    read_extract(file)
    assert not kept.exists(), "a small file was kept"
    monkeypatch.setattr(cache, "WORTH_BYTES", file.stat().st_size)
    open_data(file)
    assert len(cache.cached_files()) == 1


def test_faults_are_not_kept(tmp_path: Path, kept: Path) -> None:
    file = tmp_path / "a.csv"
    for content in (b"", b"a,b\n1,2\n", b"%PDF-1.7"):
        file.write_bytes(content)
        with pytest.raises(ExtractError):
            read_extract(file)
    with pytest.raises(ExtractError, match="no file"):
        read_extract(tmp_path / "missing.csv")
    with pytest.raises(ExtractError, match="is a folder"):
        read_extract(tmp_path)
    assert not kept.exists()


def test_nothing_is_kept_beside_the_extract(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = sorted(tmp_path.rglob("*"))
    read_extract(file)
    assert sorted(tmp_path.rglob("*")) == before
    monkeypatch.setattr(cache, "cache_folder", lambda: tmp_path / "extracts")
    read_extract(file)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_file_that_changes_while_it_is_read_is_not_kept(
    file: Path, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = extract._read

    def slow(path: Any, *args: Any, **options: Any) -> Survey:
        survey = read(path, *args, **options)
        os.utime(file, (1, 1))
        return survey

    monkeypatch.setattr(extract, "_read", slow)
    read_extract(file)
    assert not kept.exists()


# -- damage, full disks, other people, other processes ---------------------------------------------


def cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def flip_head(content: bytes) -> bytes:
    return content[:40] + bytes([content[40] ^ 1]) + content[41:]


def flip_tail(content: bytes) -> bytes:
    return content[:-200] + bytes([content[-200] ^ 255]) + content[-199:]


@pytest.mark.parametrize("damage", [cut, flip_head, flip_tail, lambda _: b"", lambda c: c + b"x"])
def test_damage_is_noticed_and_mended(
    file: Path, reads: list[str], damage: Callable[[bytes], bytes]
) -> None:
    fresh = read_extract(file)
    (entry,) = cache.cached_files()
    whole = entry.read_bytes()
    entry.write_bytes(damage(whole))
    same(read_extract(file), fresh)
    assert len(reads) == 2
    assert [f.read_bytes() for f in cache.cached_files()] == [whole]
    same(read_extract(file), fresh)
    assert len(reads) == 2


def test_an_entry_that_is_something_else_is_ignored(
    file: Path, reads: list[str], kept: Path
) -> None:
    """Its check is right, its content is not ours."""
    import hashlib

    read_extract(file)
    (entry,) = cache.cached_files()
    key = entry.name.partition("-")[0]
    entry.unlink()
    for content in (b"not parquet", pd.DataFrame({"a": [1]}).to_parquet()):
        name = f"{key}-{hashlib.sha256(content).hexdigest()[:16]}.parquet"
        (kept / name).write_bytes(content)
        read_extract(file)
        assert not (kept / name).exists()
        cache.clear_cache()
    assert len(reads) == 3


@pytest.mark.parametrize(
    "owner, name", [(os, "open"), (os, "fsync"), (Path, "replace"), (Path, "mkdir")]
)
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_a_full_or_read_only_disk_does_not_stop_reading(
    file: Path,
    kept: Path,
    monkeypatch: pytest.MonkeyPatch,
    owner: Any,
    name: str,
    number: int,
) -> None:
    fresh = read_extract(file, cache=False)

    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(owner, name, refuse)
        same(read_extract(file), fresh)
    assert not kept.exists() or not list(kept.iterdir())


def test_a_file_where_the_cache_should_be(file: Path, kept: Path) -> None:
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"in the way")
    read_extract(file)
    assert kept.read_bytes() == b"in the way"


@pytest.mark.skipif(os.name != "posix", reason="modes are of POSIX systems")
def test_only_the_owner_may_read(file: Path, kept: Path) -> None:
    kept.mkdir(parents=True, mode=0o777)
    kept.chmod(0o777)
    old = os.umask(0)
    try:
        read_extract(file)
    finally:
        os.umask(old)
    assert kept.stat().st_mode & 0o777 == 0o700
    assert [f.stat().st_mode & 0o777 for f in kept.iterdir()] == [0o600]


@pytest.mark.skipif(os.name != "posix", reason="owners are of POSIX systems")
def test_the_folder_of_somebody_else_is_not_used(
    file: Path, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "getuid", lambda: kept.stat().st_uid + 1 if kept.exists() else 1)
    read_extract(file)
    assert not list(kept.iterdir())


def test_old_entries_go(tmp_path: Path, kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = as_codes(draw(INSTRUMENT, 2024, rows=30), INSTRUMENT, 2024)
    files = [write_csv(frame, tmp_path / f"{i}.csv") for i in range(cache.MOST_ENTRIES + 2)]
    for place, file in enumerate(files):
        read_extract(file)
        newest = max(kept.iterdir(), key=lambda f: f.stat().st_mtime_ns)
        os.utime(newest, (time.time() - 1000 + place,) * 2)
    assert len(cache.cached_files()) == cache.MOST_ENTRIES
    size = cache.cached_files()[0].stat().st_size
    used_last = cache.cached_files()[-1]
    os.utime(used_last)  # as reading does
    monkeypatch.setattr(cache, "MOST_BYTES", int(size * 2.5))
    read_extract(files[0])
    assert len(cache.cached_files()) == 2
    assert used_last in cache.cached_files()
    for entry in cache.cached_files():
        os.utime(entry, (time.time() - cache.LONGEST_UNUSED - 9,) * 2)
    half = kept / "0123.part"
    half.write_bytes(b"left by a killed process")
    os.utime(half, (1, 1))
    read_extract(files[1])
    assert len(list(kept.iterdir())) == 1


def test_entries_unused_for_long_go_even_if_read_now(file: Path, reads: list[str]) -> None:
    read_extract(file)
    (entry,) = cache.cached_files()
    os.utime(entry, (1, 1))
    read_extract(file)
    assert entry.stat().st_mtime > time.time() - 60  # used: its time begins again
    assert len(reads) == 1


PROCESS = """
import sys
from pathlib import Path
from culture_analytics.read import cache, read_extract
cache.cache_folder = lambda: Path(sys.argv[2])
cache.WORTH_BYTES = 0
for turn in range(12):
    survey = read_extract(sys.argv[1])
    assert survey.n == 80
    if turn % 3 == int(sys.argv[3]):
        cache.clear_cache()
print(len(survey.items))
"""


def test_processes_side_by_side(file: Path, kept: Path) -> None:
    """Three processes read, keep and remove the same entry at once."""
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", PROCESS, str(file), str(kept), str(who)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for who in range(3)
    ]  # fmt: skip
    said = {run.communicate(timeout=120) for run in runs}
    assert len(said) == 1, said
    assert said.pop()[1] == ""
    assert not [f for f in kept.iterdir() if f.suffix != ".parquet"]


# -- where it is, and how to be rid of it -----------------------------------------------------


def test_the_folder_follows_the_system(tmp_path: Path) -> None:
    code = "from culture_analytics.read.cache import cache_folder; print(cache_folder())"
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    folder = Path(done.stdout.strip())
    if sys.platform == "linux":
        assert folder == tmp_path / "culture_analytics" / "extracts"
    assert folder.parent.name in ("culture_analytics", "Cache")


def test_the_command_line_says_and_clears(
    file: Path, kept: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    read_extract(file)
    assert main(["cache"]) == 0
    assert capsys.readouterr().out.startswith("Kept of large extracts: 1, ")
    assert main(["cache", "--clear"]) == 0
    assert f"Removed: 1, from {kept}" in capsys.readouterr().out
    assert not list(kept.iterdir())
    assert main(["cache", "--clear"]) == 0
    assert cache.clear_cache() == 0

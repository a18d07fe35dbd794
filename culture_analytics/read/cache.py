"""Keeps what was read from a large extract, so that reading it again takes a second.

A copy of the respondents' answers lies in the user's own cache folder, which only that user may
open, never beside the extract. It is found again by the content of the file and everything else
that decides what is read from it, so it is never out of date: a change anywhere is another key.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import stat
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from culture_analytics.design import Design
from culture_analytics.instrument import Instrument, load_instrument
from culture_analytics.read.arrow import in_arrow
from culture_analytics.read.column_map import ColumnMap
from culture_analytics.read.detect import clean_path
from culture_analytics.read.validate import Issue, ValidationReport
from culture_analytics.survey import Survey

__all__ = ["Entry", "cache_entry", "cache_folder", "cached_files", "clear_cache"]

VARIABLE = "CULTURE_ANALYTICS_CACHE"  # "off" in the environment switches the cache off
OFF = frozenset({"off", "0", "no", "false"})
FORMAT = 1

WORTH_BYTES = 20_000_000  # smaller files are read again in a few seconds and never kept
MOST_ENTRIES = 5
MOST_BYTES = 2_000_000_000
LONGEST_UNUSED = 30 * 86_400.0  # seconds
HALF_WRITTEN = 3_600.0  # seconds after which an unfinished entry belongs to nobody

_SUFFIX = ".parquet"
_PART = ".part"
_META = b"culture_analytics"


def cache_folder() -> Path:
    r"""Folder of what is kept: in the user's own cache, by the rules of the system.

    Returns
    -------
    Path
        Windows: ``%LOCALAPPDATA%\culture_analytics\Cache\extracts``; macOS:
        ``~/Library/Caches/culture_analytics/extracts``; elsewhere ``culture_analytics/extracts``
        in ``$XDG_CACHE_HOME`` or ``~/.cache``. It may not exist yet.
    """
    import platformdirs

    return platformdirs.user_cache_path("culture_analytics", appauthor=False) / "extracts"


def cached_files() -> list[Path]:
    """Files kept, the one used last first."""
    return [file for file, _, _ in _by_use(cache_folder())]


def clear_cache() -> int:
    """Remove everything kept.

    Returns
    -------
    int
        Number of files removed.

    Raises
    ------
    OSError
        A file cannot be removed.
    """
    folder = cache_folder()
    files = list(_entries(folder, _SUFFIX, _PART))
    for file in files:
        file.unlink(missing_ok=True)
    return len(files)


@dataclass(frozen=True)
class Entry:
    """The place of one reading in the cache.

    Attributes
    ----------
    folder : Path
        The cache.
    key : str
        What was read, and with what.
    file : Path
        The extract.
    state : tuple of int
        Its size and time of change when the key was made.
    """

    folder: Path
    key: str
    file: Path
    state: tuple[int, int]

    def load(self, instrument: Instrument) -> Survey | None:
        """Give the Survey kept here, or None if there is none that is whole.

        Parameters
        ----------
        instrument : Instrument
            The one the key was made with.
        """
        import pyarrow as pa

        for file in self._kept():
            try:
                content = file.read_bytes()
                if hashlib.sha256(content).hexdigest()[:16] != file.stem.partition("-")[2]:
                    raise ValueError("not what was written")
                survey = _survey(content, instrument)
            except FileNotFoundError:  # another process has just removed it
                continue
            except (OSError, ValueError, KeyError, TypeError, pa.ArrowException):
                with contextlib.suppress(OSError):
                    file.unlink(missing_ok=True)
                continue
            with contextlib.suppress(OSError):
                os.utime(file)  # used last: removed last
                _prune(self.folder)
            return survey
        return None

    def store(self, survey: Survey) -> None:
        """Keep a Survey here; whatever prevents it is no reason not to go on.

        Parameters
        ----------
        survey : Survey
            What was read.
        """
        import pyarrow as pa

        # A file written to while it was read belongs to no key.
        with contextlib.suppress(OSError, MemoryError, pa.ArrowException, Unkept):
            if _state(self.file) == self.state:
                content = _content(survey)
                _own_folder(self.folder)
                name = f"{self.key}-{hashlib.sha256(content).hexdigest()[:16]}{_SUFFIX}"
                _write_private(self.folder / name, content)
        with contextlib.suppress(OSError):
            _prune(self.folder)

    def _kept(self) -> list[Path]:
        return [f for f in _entries(self.folder, _SUFFIX) if f.name.startswith(self.key + "-")]


class Unkept(Exception):  # noqa: N818 - a decision, not an error
    """Something of this Survey would not come back as it was."""


def cache_entry(
    path: str | Path,
    *,
    instrument: Instrument,
    year: int | None,
    org: str | None,
    sheet: str | int | None,
    given: ColumnMap,
) -> Entry | None:
    """Find the place of a reading in the cache.

    Parameters
    ----------
    path : str or Path
        The extract.
    instrument, year, org, sheet, given
        Everything that decides what `read_extract` makes of it.

    Returns
    -------
    Entry or None
        None where nothing is kept: small files, a cache that is switched off, an instrument
        changed in memory, an extract that lies where the cache is, a file that cannot be read.
    """
    if os.environ.get(VARIABLE, "").strip().lower() in OFF:
        return None
    file = clean_path(path)
    try:
        if not file.is_file() or file.stat().st_size < WORTH_BYTES:
            return None
        if load_instrument(instrument.path) is not instrument:
            return None
        folder = cache_folder()
        if file.resolve().parent in (folder.resolve(), folder.resolve().parent):
            return None
        state = _state(file)
        with file.open("rb") as stream:
            content = hashlib.file_digest(stream, "sha256").hexdigest()
    except (OSError, RuntimeError):  # RuntimeError: no home folder
        return None
    options = [
        FORMAT,
        _reader(),
        pd.__version__,
        instrument.version,
        content,
        file.name,  # it is in survey.source and in the report
        year,
        org,
        sheet,
        [given.source, given.year, given.org, list(given.units)],
        list(given.columns.items()),
        [[item, list(answers.items())] for item, answers in given.labels.items()],
    ]
    key = hashlib.sha256(json.dumps(options).encode()).hexdigest()[:32]
    return Entry(folder, key, file, state)


@lru_cache(maxsize=1)
def _reader() -> str:
    """A digest of the reading code: another version may read a file in another way."""
    package = Path(__file__).parents[1]
    parts = [p for name in ("read", "instrument") for p in sorted((package / name).glob("*.py"))]
    digest = hashlib.sha256()
    for file in (*parts, package / "survey.py", package / "design.py"):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _state(file: Path) -> tuple[int, int]:
    found = file.stat()
    return found.st_size, found.st_mtime_ns


# -- the folder ---------------------------------------------------------------------------------


def _entries(folder: Path, *suffixes: str) -> Iterator[Path]:
    with contextlib.suppress(OSError):
        yield from [f for f in folder.iterdir() if f.suffix in suffixes and f.is_file()]


def _by_use(folder: Path) -> list[tuple[Path, int, float]]:
    """Entries with size and time of last use, the one used last first."""
    found = []
    for file in _entries(folder, _SUFFIX):
        with contextlib.suppress(OSError):
            about = file.stat()
            found.append((file, about.st_size, about.st_mtime))
    return sorted(found, key=lambda entry: -entry[2])


def _own_folder(folder: Path) -> None:
    """Make the folder; its owner alone may enter. On Windows the user's profile sees to that."""
    folder.mkdir(parents=True, exist_ok=True)
    if os.name == "posix":
        about = folder.stat()
        if about.st_uid != os.getuid():
            raise Unkept("the cache folder belongs to somebody else")
        if stat.S_IMODE(about.st_mode) != stat.S_IRWXU:
            folder.chmod(stat.S_IRWXU)


def _write_private(file: Path, content: bytes) -> None:
    """Write under a temporary name that only its owner may read, then give it its own."""
    part = file.with_name(f"{secrets.token_hex(8)}{_PART}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    try:
        with os.fdopen(os.open(part, flags, stat.S_IRUSR | stat.S_IWUSR), "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)


def _prune(folder: Path) -> None:
    """Keep the entries used last, within the limits."""
    now, total = time.time(), 0
    for place, (file, size, used) in enumerate(_by_use(folder)):
        total += size
        if place >= MOST_ENTRIES or total > MOST_BYTES or now - used > LONGEST_UNUSED:
            file.unlink(missing_ok=True)
    for part in _entries(folder, _PART):
        if now - part.stat().st_mtime > HALF_WRITTEN:
            part.unlink(missing_ok=True)


# -- a Survey as bytes --------------------------------------------------------------------------


def _content(survey: Survey) -> bytes:
    """A Survey as a parquet file: codes in the columns, everything else in its metadata."""
    import pyarrow as pa
    from pyarrow import parquet

    columns, arrays = [], []
    for name, values in survey.responses.items():
        about, codes = _column(str(name), values, survey.instrument)
        columns.append(about)
        arrays.append(pa.array(codes))
    meta = {
        "columns": columns,
        "rows": survey.n,
        "weights": dict(survey.design.weights),
        "units": list(survey.units),
        "source": survey.source,
        "synthetic": survey.synthetic,
        "names": survey.names,
        "quality": _report_record(survey.quality),
    }
    table = pa.Table.from_arrays(arrays, names=[str(i) for i in range(len(arrays))])
    table = table.replace_schema_metadata({_META: json.dumps(meta).encode()})
    sink = pa.BufferOutputStream()
    # A dictionary packs an answer into a few bits: as small as compressed, and read faster.
    parquet.write_table(table, sink, compression="none", use_dictionary=True)
    return bytes(sink.getvalue())


def _column(
    name: str, values: pd.Series[Any], instrument: Instrument
) -> tuple[dict[str, Any], np.ndarray]:
    if not isinstance(values.dtype, pd.CategoricalDtype):
        if values.dtype.kind not in "if":
            raise Unkept(f"a column of type {values.dtype}")
        return {"name": name, "kind": "number", "dtype": str(values.dtype)}, values.to_numpy()
    codes = values.cat.codes.to_numpy()
    item = instrument.items.get(name)
    if item is not None and values.dtype == item.dtype:
        return {"name": name, "kind": "item"}, codes
    categories = values.cat.categories
    if values.cat.ordered or not all(type(c) is str for c in categories):
        raise Unkept("categories that are not plain texts")
    return {
        "name": name,
        "kind": "words",
        "categories": list(categories),
        "dtype": str(categories.dtype),
    }, codes


def _survey(content: bytes, instrument: Instrument) -> Survey:
    import pyarrow as pa
    from pyarrow import parquet

    table = parquet.read_table(pa.BufferReader(in_arrow(content)))
    meta = json.loads(table.schema.metadata[_META])
    data = {
        about["name"]: _series(about, np.array(table.column(i)), instrument)
        for i, about in enumerate(meta["columns"])
    }
    return Survey(
        pd.DataFrame(data, index=pd.RangeIndex(meta["rows"])),
        instrument=instrument,
        design=Design(weights=meta["weights"]),
        units=tuple(meta["units"]),
        quality=_report(meta["quality"]),
        source=meta["source"],
        synthetic=meta["synthetic"],
        names=meta["names"],
    )


def _series(
    about: Mapping[str, Any], values: np.ndarray, instrument: Instrument
) -> np.ndarray | pd.Categorical:
    if about["kind"] == "number":
        return values.astype(about["dtype"], copy=False)
    if about["kind"] == "item":
        return pd.Categorical.from_codes(values, dtype=instrument.items[about["name"]].dtype)
    categories = pd.Index(about["categories"], dtype=about["dtype"])
    return pd.Categorical.from_codes(values, categories=categories)


# -- what reading found ---------------------------------------------------------------------------


def _report_record(report: ValidationReport | None) -> dict[str, Any] | None:
    if report is None:
        return None
    record = {
        "source": report.source,
        "format": report.format,
        "years": list(report.years),
        "organisations": report.organisations,
        "rows_read": report.rows_read,
        "rows_kept": report.rows_kept,
        "set_aside": dict(report.set_aside),
        "items": _frame_record(report.items),
        "columns": _frame_record(report.columns),
        "issues": [[i.severity, i.check, i.where, int(i.count), i.detail] for i in report.issues],
    }
    return record


def _report(record: Mapping[str, Any] | None) -> ValidationReport | None:
    if record is None:
        return None
    return ValidationReport(
        **{
            **record,
            "years": tuple(record["years"]),
            "items": _frame(record["items"]),
            "columns": _frame(record["columns"]),
            "issues": [Issue(*issue) for issue in record["issues"]],
        }
    )


def _frame_record(frame: pd.DataFrame) -> dict[str, Any]:
    record = {
        "columns": {str(name): values.tolist() for name, values in frame.items()},
        "dtypes": {str(name): str(dtype) for name, dtype in frame.dtypes.items()},
    }
    if not _frame(json.loads(json.dumps(record))).equals(frame):
        raise Unkept("counts that would not come back as they were")
    return record


def _frame(record: Mapping[str, Any]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            name: pd.Series(values, dtype=record["dtypes"][name])
            for name, values in record["columns"].items()
        }
    )

"""Writes files whole or not at all.

What is written goes under a temporary name in the same folder first and takes its place when it is
complete: a full disk, a closed lid or a second run leaves the old file or the new one, never half
of one. Several files that belong together change place together.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import secrets
import shutil
import stat
import tempfile
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from culture_analytics.errors import ReportError

__all__ = ["explained", "file_name", "replacing", "replacing_folder"]

MARK = ".culture-analytics-"  # every temporary name begins so
READY = MARK + "ready"  # a complete set of files on its way into its folder
BEFORE = "before"  # in it: the files that it replaces
ABANDONED = 3600.0  # seconds after which a temporary name belongs to nobody
OTHERS_TAKE = 10.0  # seconds that another run may need to put its files in place
PATIENCE = (0.05, 0.1, 0.2, 0.4, 0.8) if os.name == "nt" else ()  # virus scanners let go again

_RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])", re.IGNORECASE)
_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]+')
LONGEST_NAME = 100  # characters: Windows counts 260 for the folders and the name together


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Give a temporary path to write to; what is there at the end takes the place of `path`.

    Parameters
    ----------
    path
        The file wanted. A link is followed.

    Yields
    ------
    Path
        A path in the same folder with the same ending. If the body fails it is removed and the
        file that was there before stays.

    Raises
    ------
    ReportError
        The folder does not exist or may not be written in, the disk is full, or the file is open
        in another program.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with replacing(Path(folder) / "a.txt") as part:
    ...         _ = part.write_text("all of it", encoding="utf-8")
    ...     [file.name for file in Path(folder).iterdir()]
    ['a.txt']
    """
    target = _followed(path)
    with explained(target):
        if target.is_dir():
            raise ReportError(f"{target} is a folder: give the name of a file.")
        if not target.parent.is_dir():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
    part = _temporary(target.parent, "part" + target.suffix)
    try:
        with explained(target):
            _refuse_protected(target)
            yield part
            _keep_mode(target, part)
            _flush(part)
            _replace(part, target)
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


@contextmanager
def replacing_folder(
    folder: str | Path, *, settle: Callable[[Path, Path], Collection[str]] | None = None
) -> Iterator[Path]:
    """Give a temporary folder; the files in it at the end go into `folder` together.

    Parameters
    ----------
    folder
        The folder wanted; made, with the folders above it, if it is not there. Files of other
        names in it are left alone.
    settle
        Called with the temporary folder and `folder` when it is this run's turn: it may still
        write to the first, and gives the names of files in the second to remove. They go when the
        new ones are in place; if one cannot, all is put back.

    Yields
    ------
    Path
        An empty folder to write files to. If the body fails it is removed, and `folder` is as it
        was before.

    Raises
    ------
    ReportError
        It may not be written in, the disk is full, or one of the files is open in another
        program.

    Notes
    -----
    A new folder gets its name when it is complete. Files of a folder that is there already
    replace the old ones one by one, in the order of their names, once all of them are complete
    and none of the old ones is held open; if one cannot be replaced, those before it are put
    back. Two runs into one folder take turns. A process killed between two of these renames
    leaves the rest in a folder ``.culture-analytics-ready``, and the next run puts them in place.
    """
    target = _followed(folder)
    stage: Path | None = None
    try:
        with explained(target):
            if target.exists() and not target.is_dir():
                raise ReportError(f"{target} is a file: give the name of a folder.")
            if not target.is_dir():
                target.parent.mkdir(parents=True, exist_ok=True)
            stage = _temporary(target if target.is_dir() else target.parent, "new")
            stage.mkdir()
            yield stage
            _settled(stage, target, settle)
            if not _became(stage, target):
                stage = _moved_in(stage, target)
                with _turn(target):
                    _commit(stage, target, _settled(stage, target, settle))
    finally:
        if stage is not None:
            shutil.rmtree(stage, ignore_errors=True)


def file_name(text: str, suffix: str = "") -> str:
    """Make a file name that every system takes from a name that people gave.

    Parameters
    ----------
    text
        Name of a unit, an organisation or a measure.
    suffix
        Ending, such as ``.html``.

    Returns
    -------
    str
        Characters that Windows forbids become ``_``; dots and blanks at the ends go; a device
        name such as ``CON`` gets a ``_``. At most 100 characters without the ending. Two names
        may become one: number them if all have to be kept.

    Examples
    --------
    >>> file_name("Wards 3/4: day & night?", ".html")
    'Wards 3_4_ day & night_.html'
    >>> file_name("Con.", ".csv")
    'Con_.csv'
    """
    name = _FORBIDDEN.sub("_", text).strip(" .")[:LONGEST_NAME].rstrip(" .") or "unnamed"
    stem, dot, rest = name.partition(".")
    if _RESERVED.fullmatch(stem.rstrip(" ")):
        name = f"{stem}_{dot}{rest}"
    return name + suffix


# -- one file -----------------------------------------------------------------------------------


def _followed(path: str | Path) -> Path:
    link = Path(path)
    with explained(link):
        return link.resolve() if link.is_symlink() else link


def _temporary(folder: Path, kind: str) -> Path:
    """A name nobody has; those that killed runs left long ago are removed on the way."""
    _sweep(folder)
    return folder / f"{MARK}{secrets.token_hex(6)}.{kind}"


def _sweep(folder: Path) -> None:
    with contextlib.suppress(OSError):
        for left in folder.glob(MARK + "*"):
            if left.name != READY and time.time() - left.stat().st_mtime > ABANDONED:
                shutil.rmtree(left, ignore_errors=True)
                if not left.is_dir():
                    left.unlink(missing_ok=True)


def _flush(file: Path) -> None:
    """Have the disk hold it before it gets its name: a power cut must not leave an empty file."""
    if file.is_file():
        with file.open("rb+") as stream:
            os.fsync(stream.fileno())


def _keep_mode(old: Path, new: Path) -> None:
    with contextlib.suppress(OSError):
        if old.exists():
            new.chmod(stat.S_IMODE(old.stat().st_mode))


def _refuse_protected(file: Path) -> None:
    if file.exists() and not os.access(file, os.W_OK):
        raise ReportError(
            f"{file.name} is write-protected. Give another name, or take the protection off."
        )


def _replace(source: Path, target: Path) -> None:
    for pause in (*PATIENCE, None):
        try:
            source.replace(target)
        except PermissionError:
            if pause is None:
                raise _open_elsewhere(target) from None
            time.sleep(pause)
        else:
            return


# -- several files ------------------------------------------------------------------------------


def _settled(
    stage: Path, folder: Path, settle: Callable[[Path, Path], Collection[str]] | None
) -> Collection[str]:
    """Names to remove; what is to be put in place is complete and on the disk."""
    gone: Collection[str] = () if settle is None else settle(stage, folder)
    for file in stage.iterdir():
        _flush(file)
    return gone


def _became(stage: Path, folder: Path) -> bool:
    """Name the new folder, unless one of that name is there."""
    if folder.is_dir():
        return False
    try:
        stage.rename(folder)
    except OSError:
        if folder.is_dir():  # another run was quicker
            return False
        raise
    return True


def _moved_in(stage: Path, folder: Path) -> Path:
    if stage.parent == folder:
        return stage
    return stage.rename(folder / stage.name)


def _commit(stage: Path, folder: Path, gone: Collection[str] = ()) -> None:
    """Put the files of `stage` in place and take those that are `gone` away: all, or none."""
    files = sorted(file.name for file in stage.iterdir())
    # Where a file system minds no case, an old name may be that of a new file.
    old = sorted(n for n in gone if not any(_same_file(folder / n, folder / f) for f in files))
    for name in (*files, *old):
        _refuse_held(folder / name)
    ready = folder / READY
    _enter(stage, ready, folder)
    before = ready / BEFORE
    done: list[str] = []
    away: list[str] = []
    try:
        before.mkdir()
        for name in files:
            if (folder / name).exists():
                shutil.copy2(folder / name, before / name)
                _keep_mode(folder / name, ready / name)
        for name in files:
            ready.touch()  # still alive, for runs on other computers
            done.append(name)
            _replace(ready / name, folder / name)
        for name in old:
            _replace(folder / name, before / name)
            away.append(name)
    except BaseException:
        # If what was kept is gone, a run on another computer took this one for dead and put its
        # files in place: then they stay.
        if before.is_dir():
            for name in away:
                with contextlib.suppress(OSError):
                    (before / name).replace(folder / name)
            for name in reversed(done):
                with contextlib.suppress(OSError):
                    _put_back(before / name, folder / name)
        raise
    finally:
        shutil.rmtree(ready, ignore_errors=True)


def _same_file(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:  # one of them is not there
        return False


@contextmanager
def _turn(folder: Path) -> Iterator[None]:
    """Wait until no other run on this computer is putting files into the folder.

    The lock is the system's, so that it ends with the process, however that ends.
    """
    key = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16]
    place = Path(tempfile.gettempdir()) / f"culture-analytics-{key}.lock"
    try:
        handle = place.open("ab")
    except OSError:  # a lock of another user, or no place for one
        yield
        return
    with handle:
        with contextlib.suppress(OSError):
            _lock(handle.fileno())
        yield


def _lock(descriptor: int) -> None:
    if os.name == "nt":
        import msvcrt

        while True:
            try:
                msvcrt.locking(descriptor, msvcrt.LK_LOCK, 1)  # type: ignore[attr-defined,unused-ignore]
            except OSError as problem:  # after ten seconds
                if problem.errno != errno.EDEADLOCK:
                    raise
            else:
                return
    import fcntl

    fcntl.flock(descriptor, fcntl.LOCK_EX)


_TAKEN = (errno.ENOTEMPTY, errno.EEXIST)  # it may be free again by the time one looks


def _enter(stage: Path, ready: Path, folder: Path) -> None:
    """Take the folder's one place for a set on its way, when it is free.

    Only one rename to one name can succeed: it is the lock, and the record of what is left to do.
    """
    seen: float | None = None
    waited_from = time.monotonic()
    while True:
        try:
            stage.rename(ready)
        except OSError as problem:
            if not ready.is_dir() and problem.errno not in _TAKEN:
                raise
        else:
            return
        with contextlib.suppress(OSError):
            now = ready.stat().st_mtime
            if now != seen:
                seen, waited_from = now, time.monotonic()
        if time.monotonic() - waited_from > OTHERS_TAKE:
            _finish(ready, folder)
        time.sleep(0.05)


def _finish(ready: Path, folder: Path) -> None:
    """Do what a killed run had left to do."""
    for file in sorted(ready.iterdir()):
        if file.is_file():
            _replace(file, folder / file.name)
    shutil.rmtree(ready, ignore_errors=True)


def _put_back(before: Path, file: Path) -> None:
    if before.exists():
        before.replace(file)
    else:
        file.unlink(missing_ok=True)


def _refuse_held(file: Path) -> None:
    """Find out before anything is changed whether a file can be replaced."""
    _refuse_protected(file)
    if file.is_dir():
        raise ReportError(f"{file} is a folder; a file of that name has to be written.")
    if file.exists():
        for pause in (*PATIENCE, None):
            try:
                file.rename(file)  # to its own name: Windows refuses if a program holds it open
            except PermissionError:
                if pause is None:
                    raise _open_elsewhere(file) from None
                time.sleep(pause)
            else:
                return


# -- what is said -------------------------------------------------------------------------------


def _open_elsewhere(file: Path) -> ReportError:
    return ReportError(
        f"{file} cannot be replaced. Is it open in Excel or another program? Close it there and "
        "run this again."
    )


@contextmanager
def explained(target: Path) -> Iterator[None]:
    """Say in words why a file cannot be written; errors about other files pass.

    Parameters
    ----------
    target
        The file or folder to write.

    Raises
    ------
    ReportError
        Instead of the system's errors about `target`.
    """
    try:
        yield
    except Exception as problem:
        # XlsxWriter wraps the system's error in one of its own.
        inner = next((a for a in (problem, *problem.args[:1]) if isinstance(a, OSError)), None)
        if inner is None:
            raise
        about = None if isinstance(inner.filename, int) else inner.filename
        ours = about is None or MARK in str(about) or target.is_relative_to(str(about))
        if not ours:
            raise
        raise ReportError(_reason(target, inner)) from problem


def _full(problem: OSError) -> bool:
    return problem.errno in (errno.ENOSPC, errno.EDQUOT)


def _reason(target: Path, problem: OSError) -> str:
    said = f"{target} cannot be written: "
    if _full(problem):
        return said + "the disk is full. Make room, or give a folder on another disk."
    if problem.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return said + (
            "you may not write in that folder, or the file is open in Excel or another program. "
            "Close it there, or give a folder of your own."
        )
    if problem.errno == errno.ENOENT:
        return said + f"there is no folder {target.parent}. Make it first, or give another."
    if problem.errno == errno.ENAMETOOLONG:
        return said + "the name is too long. Give a shorter one."
    return said + f"{problem.strerror or type(problem).__name__}. Give another folder."

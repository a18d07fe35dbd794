"""Where the bundled notebooks and the sample are: inside a wheel, or in a checkout."""

from __future__ import annotations

from pathlib import Path

from culture_analytics.errors import ReportError

__all__ = ["notebooks_folder", "sample_folder"]

_PACKAGE = Path(__file__).resolve().parent


def notebooks_folder() -> Path:
    """Folder of the notebooks that come with the library.

    Raises
    ------
    ReportError
        The installation lacks it.
    """
    return _folder("notebooks", _PACKAGE.parent / "notebooks")


def sample_folder() -> Path:
    """Folder of the bundled synthetic sample.

    Raises
    ------
    ReportError
        The installation lacks it.
    """
    return _folder("sample", _PACKAGE.parent / "data" / "sample")


def _folder(name: str, in_checkout: Path) -> Path:
    bundled = _PACKAGE / "_bundled" / name
    for folder in (bundled, in_checkout):
        if folder.is_dir():
            return folder
    raise ReportError(f"The bundled {name} folder is missing: install the library again.")

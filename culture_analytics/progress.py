"""Progress bars: one switch, shown only where somebody can see them and only on long work.

A bar appears after two seconds, on a terminal or in a notebook, unless it has been silenced with
`set_quiet` or the environment variable ``CULTURE_ANALYTICS_QUIET``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol, TypeVar

__all__ = ["is_quiet", "progress", "progress_bar", "set_quiet"]

T = TypeVar("T")

QUIET_VARIABLE = "CULTURE_ANALYTICS_QUIET"
DELAY_SECONDS = 2.0

_switch: dict[str, bool | None] = {"quiet": None}


class Bar(Protocol):
    """What the body of `progress_bar` may call."""

    def update(self, n: float = 1, /) -> object:
        """Say that `n` more units are done."""


class _SilentBar:
    """Stands in for a bar that nobody would see."""

    def update(self, n: float = 1, /) -> None:
        """Do nothing."""


def set_quiet(quiet: bool | None = True) -> None:
    """Silence progress bars, or bring them back.

    Parameters
    ----------
    quiet : bool or None, default True
        ``True`` silences every bar, ``False`` allows them, ``None`` goes back to what the
        environment variable ``CULTURE_ANALYTICS_QUIET`` says.
    """
    _switch["quiet"] = quiet


def is_quiet() -> bool:
    """Tell whether progress bars are silenced."""
    chosen = _switch["quiet"]
    if chosen is not None:
        return chosen
    return os.environ.get(QUIET_VARIABLE, "").strip().lower() not in {"", "0", "false", "no"}


def _somebody_watches() -> bool:
    if is_quiet():
        return False
    stream = sys.stderr
    terminal = stream is not None and hasattr(stream, "isatty") and stream.isatty()
    return terminal or "ipykernel" in sys.modules


def progress(iterable: Iterable[T], desc: str, total: int | None = None) -> Iterator[T]:
    """Go through `iterable`, showing a bar if the work lasts longer than two seconds.

    Parameters
    ----------
    iterable : iterable
        What to go through.
    desc : str
        What is being done, in a few words; ASCII.
    total : int, optional
        Number of steps, if `iterable` does not know its own length.

    Yields
    ------
    object
        The members of `iterable`, in order.
    """
    if not _somebody_watches():
        yield from iterable
        return
    from tqdm import tqdm

    yield from tqdm(iterable, desc=desc, total=total, delay=DELAY_SECONDS, ascii=True, leave=False)


@contextmanager
def progress_bar(desc: str, total: float | None = None, unit: str = "it") -> Iterator[Bar]:
    """Show a bar that the caller moves, for work that is not a loop.

    Parameters
    ----------
    desc : str
        What is being done, in a few words; ASCII.
    total : float, optional
        Units at the end of the work.
    unit : str, default "it"
        Name of a unit; ``"B"`` is scaled to kB, MB and GB.

    Yields
    ------
    Bar
        Call ``bar.update(n)`` when `n` more units are done.
    """
    if not _somebody_watches():
        yield _SilentBar()
        return
    from tqdm import tqdm

    with tqdm(
        desc=desc,
        total=total,
        unit=unit,
        unit_scale=unit == "B",
        delay=DELAY_SECONDS,
        ascii=True,
        leave=False,
    ) as bar:
        yield bar

"""Progress bars: seen only where somebody looks, silenced by one switch."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator

import pytest

from culture_analytics import progress as module
from culture_analytics.progress import is_quiet, progress, progress_bar, set_quiet


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv(module.QUIET_VARIABLE, raising=False)
    monkeypatch.setattr(module, "DELAY_SECONDS", 0.0)
    set_quiet(None)
    yield
    set_quiet(None)


def watched(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Stand a terminal in for stderr; within the test, since capturing restores it between."""
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    return stream


def test_a_bar_is_shown_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = watched(monkeypatch)
    assert list(progress(range(3), "Counting")) == [0, 1, 2]
    assert "Counting" in terminal.getvalue()
    terminal.getvalue().encode("cp1252")
    with progress_bar("Reading", 10, "B") as bar:
        bar.update(5)
    assert "Reading" in terminal.getvalue()


def test_no_bar_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
    assert list(progress(range(3), "Counting")) == [0, 1, 2]
    with progress_bar("Reading", 10) as bar:
        bar.update(1)
    assert stream.getvalue() == ""


def test_the_switch_silences_and_the_work_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = watched(monkeypatch)
    set_quiet(True)
    assert is_quiet()
    assert list(progress(iter("ab"), "Counting", total=2)) == ["a", "b"]
    with progress_bar("Reading") as bar:
        bar.update(3)
    assert terminal.getvalue() == ""


@pytest.mark.parametrize(
    ("value", "quiet"), [("1", True), ("yes", True), ("0", False), ("", False)]
)
def test_the_environment(monkeypatch: pytest.MonkeyPatch, value: str, quiet: bool) -> None:
    monkeypatch.setenv(module.QUIET_VARIABLE, value)
    assert is_quiet() is quiet
    set_quiet(not quiet)
    assert is_quiet() is not quiet

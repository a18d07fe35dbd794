"""Arrow's threads are left with nothing of Python's."""

import threading
import time
from pathlib import Path
from typing import Any

import pytest

from culture_analytics.read import arrow, read_extract
from culture_analytics.read.arrow import in_arrow, lent


def test_a_copy_in_memory_of_arrow() -> None:
    content = bytearray(b"one,two")
    buffer = in_arrow(content)
    content[0] = 0
    assert buffer.to_pybytes() == b"one,two"
    assert in_arrow(b"").to_pybytes() == b""


class Source:
    """Something Arrow calls."""


def test_what_is_still_held_is_waited_for() -> None:
    source = Source()
    let_go = threading.Event()

    def hold(one: Source) -> None:
        time.sleep(0.05)
        let_go.set()

    with lent(source):
        thread = threading.Thread(target=hold, args=(source,))
        thread.start()
    assert let_go.is_set()
    thread.join()


def test_what_is_never_let_go_is_not_waited_for_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(arrow, "LONGEST_WAIT", 0.05)
    source = Source()
    with lent(source):
        kept = [source]
    assert kept


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_nothing_is_held_after_a_reading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    counts: list[int] = []

    def counting(objects: tuple[Any, ...]) -> int:
        counts.append(holders(objects))
        return counts[-1]

    holders = arrow._holders
    monkeypatch.setattr(arrow, "_holders", counting)
    file = tmp_path / "extract.csv"
    rows = ["Q11a;Directorate", *["3;Môn"] * 30, *["5;Café"] * 30]
    file.write_bytes("\n".join(rows).encode(encoding))
    assert read_extract(file, year=2024, org="Z9Z").n == 60
    assert len(counts) >= 2
    assert counts[-1] == counts[0]


def test_pieces_are_as_long_as_asked(tmp_path: Path) -> None:
    """Text of another encoding is as long as Arrow asked for, whatever it becomes as UTF-8."""
    from culture_analytics.read.text import _Source

    class Bar:
        def update(self, n: int) -> None:
            pass

    text = "é€x" * 1000
    file = tmp_path / "t"
    file.write_bytes(text.encode("cp1252"))
    with file.open("rb") as stream:
        source = _Source(stream, Bar(), "cp1252")  # type: ignore[arg-type]
        pieces = []
        while piece := source.read_buffer(1000).to_pybytes():
            pieces.append(piece)
    assert b"".join(pieces).decode() == text
    assert [len(piece) for piece in pieces] == [1000] * 6

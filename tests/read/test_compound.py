"""Old Excel files whose sectors go round in circles are refused before anything follows them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import culture_analytics as ca
from culture_analytics.errors import ExtractError
from culture_analytics.read.compound import SIGNATURE, is_endless

END, FREE = 0xFFFFFFFE, 0xFFFFFFFF


def compound(table: dict[int, int], *, first_mini: int = END, first_list: int = END) -> bytes:
    """A compound file of 512-byte sectors whose table of chains is in sector 0."""
    header = bytearray(512)
    header[:8] = SIGNATURE
    header[30:32] = (9).to_bytes(2, "little")
    header[48:52] = (1).to_bytes(4, "little")
    header[60:64] = first_mini.to_bytes(4, "little")
    header[68:72] = first_list.to_bytes(4, "little")
    header[76:512] = np.full(109, FREE, dtype="<u4").tobytes()
    header[76:80] = (0).to_bytes(4, "little")
    chains = np.full(128, FREE, dtype="<u4")
    for sector, after in table.items():
        chains[sector] = after
    return bytes(header) + chains.tobytes() + bytes(512 * 6)


@pytest.mark.parametrize(
    ("table", "endless"),
    [
        ({0: END, 1: 2, 2: 3, 3: END}, False),
        ({0: END, 1: 1}, True),
        ({0: END, 1: 2, 2: 3, 3: 1}, True),
        ({0: END, 1: END, 4: 5, 5: 4}, True),
        ({0: END, 1: 90}, False),  # beyond the table: the parser says that it is damaged
    ],
)
def test_chains(table: dict[int, int], endless: bool) -> None:
    assert is_endless(compound(table)) is endless


def test_the_list_of_tables_may_go_round_too() -> None:
    content = bytearray(compound({0: END, 1: END}))
    begin = 512 * 3  # sector 2, as the list's first sector, names itself as the next
    content[begin : begin + 512] = np.full(128, FREE, dtype="<u4").tobytes()
    content[begin + 508 : begin + 512] = (2).to_bytes(4, "little")
    content[68:72] = (2).to_bytes(4, "little")
    assert is_endless(bytes(content))


def test_small_streams_have_chains_of_their_own() -> None:
    content = bytearray(compound({0: END, 1: END, 2: END}, first_mini=2))
    begin = 512 * 3
    content[begin : begin + 512] = np.full(128, FREE, dtype="<u4").tobytes()
    assert not is_endless(bytes(content))
    content[begin : begin + 4] = (0).to_bytes(4, "little")
    assert is_endless(bytes(content))


def test_an_endless_file_is_refused_by_name(tmp_path: Path) -> None:
    file = tmp_path / "extract.xls"
    file.write_bytes(compound({0: END, 1: 2, 2: 1}))
    with pytest.raises(ExtractError, match=r"extract\.xls is a damaged or cut-off workbook"):
        ca.read_extract(file)

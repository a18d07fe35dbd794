"""Whether an old Excel file (.xls) can be opened safely: its sectors must come to an end.

Such a file is a small file system. Each sector names the one after it, and the parser follows
until the chain ends: in a damaged file it may go round in circles until the memory is full.

References
----------
Microsoft, *[MS-CFB]: Compound File Binary File Format*, sections 2.2 to 2.5.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["is_endless"]

SIGNATURE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
HEADER = 512
SHIFT_AT, FIRST_MINI_AT, FIRST_LIST_AT, LIST_AT = 30, 60, 68, 76
LAST = 0xFFFFFFFA  # numbers from here on are marks, not sectors

Numbers = NDArray[np.uint32]


def is_endless(content: bytes) -> bool:
    """Whether a chain of sectors of a compound file never ends.

    Parameters
    ----------
    content
        The whole file. Anything else than a compound file is not endless.

    Examples
    --------
    >>> is_endless(b"no such file")
    False
    """
    if len(content) < HEADER or not content.startswith(SIGNATURE):
        return False
    shift = int.from_bytes(content[SHIFT_AT : SHIFT_AT + 2], "little")
    if shift not in (9, 12):  # the parser refuses others
        return False
    sectors = _Sectors(content, 1 << shift)
    listed = sectors.listed()
    if listed is None:
        return True
    following = sectors.table(listed)
    if _has_circle(following):
        return True
    mini = _chain(following, _number(content, FIRST_MINI_AT))
    return _has_circle(sectors.table(mini))


class _Sectors:
    def __init__(self, content: bytes, size: int) -> None:
        self.content, self.size = content, size
        self.count = max(len(content) // size - 1, 0) + 1

    def numbers(self, sector: int) -> Numbers:
        begin = (sector + 1) * self.size
        piece = self.content[begin : begin + self.size]
        return np.frombuffer(piece[: len(piece) // 4 * 4], dtype="<u4")

    def listed(self) -> list[int] | None:
        """Sectors that hold the table of chains; None where the list itself never ends."""
        found = list(np.frombuffer(self.content[LIST_AT:HEADER], dtype="<u4"))
        after = _number(self.content, FIRST_LIST_AT)
        seen: set[int] = set()
        while after < min(LAST, self.count):
            if after in seen:
                return None
            seen.add(after)
            numbers = self.numbers(after)
            if not len(numbers):
                break
            found += list(numbers[:-1])
            after = int(numbers[-1])
        return [int(sector) for sector in found if sector < self.count]

    def table(self, sectors: list[int]) -> Numbers:
        parts = [self.numbers(sector) for sector in sectors]
        return np.concatenate(parts) if parts else np.empty(0, dtype="<u4")


def _number(content: bytes, at: int) -> int:
    return int.from_bytes(content[at : at + 4], "little")


def _chain(following: Numbers, first: int) -> list[int]:
    """A chain from its first sector, in a table without circles."""
    found = []
    while first < len(following):
        found.append(first)
        first = int(following[first])
    return found


def _has_circle(following: Numbers) -> bool:
    """Follow every chain at once, twice as far each time: what has not ended by then never will."""
    count = len(following)
    end = count
    step = np.append(np.where(following < count, following, end), end).astype(np.int64)
    for _ in range(count.bit_length() + 1):
        step = step[step]
    return bool((step != end).any())

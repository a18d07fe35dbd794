"""Lends memory and objects to Arrow without leaving any with its threads.

Arrow reads with threads of its own, and hands a result over a moment before they have put down
what they were given. A thread that puts down an object of Python's needs the interpreter for it;
if that is already closing, the whole process is aborted ("terminate called without an active
exception", apache/arrow issue 34314) after its work was done. So what is read lies in Arrow's own
memory, and objects Arrow must call are waited for.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["in_arrow", "lent"]

# Threads let go within milliseconds; a process is never held up for longer than this.
LONGEST_WAIT = 2.0


def in_arrow(content: bytes | bytearray | memoryview) -> pa.Buffer:
    """Copy bytes into memory that belongs to Arrow.

    Parameters
    ----------
    content : bytes-like
        What to copy.

    Returns
    -------
    pyarrow.Buffer
        The same bytes; no thread needs the interpreter to let go of them.

    Examples
    --------
    >>> in_arrow(b"a,b").to_pybytes()
    b'a,b'
    """
    import pyarrow as pa

    buffer = pa.allocate_buffer(len(content))
    memoryview(buffer).cast("B")[:] = content
    return buffer


@contextmanager
def lent(*objects: Any) -> Iterator[None]:
    """Lend objects that Arrow calls, and go on only when it holds none of them any more.

    Parameters
    ----------
    *objects
        Objects used within the block.

    Examples
    --------
    >>> source = object()
    >>> with lent(source):
    ...     pass
    """
    before = _holders(objects)
    try:
        yield
    finally:
        until = time.monotonic() + LONGEST_WAIT
        while _holders(objects) > before and time.monotonic() < until:
            time.sleep(0.0005)  # gives the interpreter to whoever waits for it


def _holders(objects: tuple[Any, ...]) -> int:
    return sum(sys.getrefcount(one) for one in objects)

"""Random numbers that stay the same: one stream of raw bits for every purpose.

numpy promises that the bits of `PCG64` never change; it makes no such promise for the
distributions of its `Generator`. So uniforms and normals are made here, from the bits, and each
purpose has a stream of its own: adding an item leaves every other answer as it was.
"""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import NDArray

__all__ = ["Stream"]

Floats = NDArray[np.float64]


class Stream:
    """Streams of one seed.

    Parameters
    ----------
    *key
        The seed, and whatever sets this family of streams apart (a year, a name).
    """

    def __init__(self, *key: int | str) -> None:
        self._entropy = [zlib.crc32(k.encode()) if isinstance(k, str) else int(k) for k in key]

    def child(self, *key: int | str) -> Stream:
        """A family of streams inside this one."""
        stream = Stream(*key)
        stream._entropy = [*self._entropy, *stream._entropy]
        return stream

    def _bits(self, n: int, name: str) -> NDArray[np.uint64]:
        entropy = np.random.SeedSequence([*self._entropy, zlib.crc32(name.encode())])
        bits: NDArray[np.uint64] = np.random.PCG64(entropy).random_raw(n)
        return bits

    def uniform(self, n: int, name: str) -> Floats:
        """`n` numbers strictly between 0 and 1."""
        return ((self._bits(n, name) >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52

    def normal(self, n: int, name: str) -> Floats:
        """`n` standard normal numbers."""
        return normal_quantile(self.uniform(n, name))

    def pair(self, n: int, name: str) -> tuple[Floats, Floats]:
        """`n` uniforms twice over from one run of bits: 32 bits each."""
        bits = self._bits(n, name)
        scale = 2.0**-32
        high = ((bits >> np.uint64(32)).astype(np.float64) + 0.5) * scale
        low = ((bits & np.uint64(0xFFFFFFFF)).astype(np.float64) + 0.5) * scale
        return high, low


def normal_quantile(p: Floats) -> Floats:
    """Standard normal quantile of each probability."""
    from scipy.special import ndtri

    quantile: Floats = ndtri(p)
    return quantile


def normal_probability(z: Floats) -> Floats:
    """Standard normal probability below each value."""
    from scipy.special import ndtr

    probability: Floats = ndtr(z)
    return probability

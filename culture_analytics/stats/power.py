r"""What a unit could see: the smallest change it would notice, the answers a target needs.

A unit of 40 staff will not notice three points. :func:`minimum_detectable_change` says before the
survey what it would: the change that would be found clear (two-sided, at the level) with the
probability `power`. :func:`sample_needed` turns that round. Afterwards :func:`equivalence` reads a
change against a margin: "no clear difference" is not "no worse", which needs an interval that lies
within the margin (two one-sided tests).

Years are taken for independent samples. The same staff in both usually makes change easier to see
than this says.

The finite-population correction is offered, not the default: it answers for these very staff on
that day and takes those who did not answer for like those who did.

References
----------
Fleiss JL, Levin B, Paik MC (2003). *Statistical methods for rates and proportions*, 3rd edition.
Wiley, chapter 4.

Cohen J (1988). *Statistical power analysis for the behavioral sciences*, 2nd edition. Erlbaum.

Schuirmann DJ (1987). A comparison of the two one-sided tests procedure and the power approach for
assessing the equivalence of average bioavailability. *Journal of Pharmacokinetics and
Biopharmaceutics* 15:657-680.

Cochran WG (1977). *Sampling techniques*, 3rd edition. Wiley, section 2.6.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from culture_analytics.errors import CultureAnalyticsError
from culture_analytics.stats._quantiles import (
    FloatArray,
    floats,
    normal_quantile,
    t_quantile,
    upper_tail,
)

__all__ = [
    "READINGS",
    "DetectableChange",
    "Equivalence",
    "SampleNeeded",
    "equivalence",
    "minimum_detectable_change",
    "read_change",
    "sample_needed",
]

READINGS = {
    "better": "clearly better",
    "better_within": "clearly better, but by less than the margin",
    "worse": "clearly worse",
    "worse_within": "clearly worse, but by less than the margin",
    "same": "no different beyond the margin",
    "no_worse": "no worse than the margin; may be better",
    "no_better": "no better than the margin; may be worse",
    "unclear": "too few to say",
    "": "",
}
"""Code of each reading of a change against a margin, and its words."""

_HALVINGS = 80
_FARTHEST = 80.0  # standard errors: more than any power asks for, from three answers a year on
_CERTAIN = 30.0  # standard errors past the critical value: found, whatever the answers
_MOST = 1e9  # respondents


class DetectableChange(NamedTuple):
    """Smallest changes that would be found; in the unit of the value, never below 0."""

    rise: FloatArray
    """NaN where not even a rise to the top of the scale would be found."""
    fall: FloatArray
    """NaN where not even a fall to the bottom of the scale would be found."""


class SampleNeeded(NamedTuple):
    """Answers that a target needs."""

    respondents: FloatArray
    """In each year; whole numbers. NaN where the target lies outside the scale or is no change."""
    response_rate: FloatArray
    """Percent of the staff; NaN without `staff`, and over 100 where there are too few staff."""


class Equivalence(NamedTuple):
    """A change read against a margin; arrays of one shape."""

    lower: FloatArray
    upper: FloatArray
    """Limits at the level of the two one-sided tests (90 % for ``level=0.95``)."""
    p_no_worse: FloatArray
    """One-sided p-value of "worse by the margin or more"."""
    p_same: FloatArray
    """The larger of the two one-sided p-values."""
    reading: NDArray[np.str_]
    """A key of `READINGS`; empty where nothing was given."""


def minimum_detectable_change(
    value: ArrayLike,
    *,
    staff: ArrayLike,
    response_rate: ArrayLike,
    response_rate_after: ArrayLike | None = None,
    sd: ArrayLike | None = None,
    scale: tuple[float, float] | None = None,
    design_effect: ArrayLike = 1.0,
    fpc: bool = False,
    power: float = 0.8,
    level: float = 0.95,
) -> DetectableChange:
    """Smallest change between two years that would be found clear.

    Parameters
    ----------
    value : array_like
        The figure now: percent (0-100), or with `sd` a score.
    staff : array_like
        Staff of the unit, in both years.
    response_rate, response_rate_after : array_like
        Percent of them who answer now and next time; default the same.
    sd : array_like, optional
        Standard deviation of a score within the unit. Default: `value` is a percentage.
    scale : (float, float), optional
        Ends of the scale. Default: 0 to 100, with `sd` 0 to 10.
    design_effect : array_like, default 1
        Answers behind each effective one (1 without weights).
    fpc : bool, default False
        Whether the finite-population correction is applied.
    power : float, default 0.8
        Probability with which the change is to be found.
    level : float, default 0.95
        1 less the two-sided significance level.

    Returns
    -------
    DetectableChange
        Points by which the figure must rise, or fall.

    Raises
    ------
    CultureAnalyticsError
        A percentage, rate, power or level cannot be.

    References
    ----------
    Fleiss, Levin and Paik (2003), chapter 4; Cohen (1988). Without correction equal to R
    ``power.prop.test`` and ``power.t.test``.

    Examples
    --------
    A team of 60 and a directorate of 800, half of whom answer, at 30 %:

    >>> found = minimum_detectable_change(30, staff=[60, 800], response_rate=50)
    >>> found.rise.round(1).tolist(), found.fall.round(1).tolist()
    ([35.4, 9.4], [26.5, 8.6])
    """
    setting = _Setting.of(
        value, sd, scale, staff, response_rate, response_rate_after, design_effect, fpc,
        power, level,
    )  # fmt: skip
    top, bottom = setting.high - setting.value, setting.value - setting.low
    return DetectableChange(setting.least(1.0, top), setting.least(-1.0, bottom))


def sample_needed(
    value: ArrayLike,
    change: ArrayLike,
    *,
    staff: ArrayLike | None = None,
    sd: ArrayLike | None = None,
    scale: tuple[float, float] | None = None,
    design_effect: ArrayLike = 1.0,
    fpc: bool = False,
    power: float = 0.8,
    level: float = 0.95,
) -> SampleNeeded:
    """Answers needed in each of two years to find a change of a given size.

    Parameters
    ----------
    value : array_like
        The figure now: percent (0-100), or with `sd` a score.
    change : array_like
        The target's distance from it in points; below 0 for a fall.
    staff : array_like, optional
        Staff of the unit, for the response rate and the correction.
    sd, scale, design_effect, fpc, power, level
        As for :func:`minimum_detectable_change`.

    Returns
    -------
    SampleNeeded
        Respondents in each year, and what part of the staff they are.

    Raises
    ------
    CultureAnalyticsError
        As :func:`minimum_detectable_change`, and if `fpc` is asked for without `staff`.

    References
    ----------
    As :func:`minimum_detectable_change`; Cochran (1977) for the correction.

    Examples
    --------
    >>> found = sample_needed(30, [-5, -10], staff=800)
    >>> found.respondents.tolist(), found.response_rate.round(1).tolist()
    ([1251.0, 294.0], [156.4, 36.8])
    """
    if fpc and staff is None:
        raise CultureAnalyticsError("The correction needs the staff of the unit. Try: staff=.")
    people = floats(np.nan if staff is None else staff)
    shape = np.broadcast_shapes(
        *(np.shape(x) for x in (value, change, people, design_effect, 0 if sd is None else sd))
    )
    setting = _Setting.of(
        np.broadcast_to(floats(value), shape), sd, scale, np.where(np.isnan(people), _MOST, people),
        100.0, None, design_effect, fpc, power, level,
    )  # fmt: skip
    move = np.broadcast_to(floats(change), shape)
    target = setting.value + move
    possible = (move != 0) & (target >= setting.low) & (target <= setting.high)
    most = np.where(fpc, setting.staff, _MOST)
    low, high = np.full(shape, 2.0), most * np.ones(shape)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        enough = setting.power_of(move, middle, middle) >= power
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    answers = np.where(possible, np.ceil(high - 1e-6), np.nan)
    return SampleNeeded(answers, 100 * answers / np.broadcast_to(people, shape))


def equivalence(
    difference: ArrayLike,
    se: ArrayLike,
    *,
    margin: ArrayLike,
    df: ArrayLike = np.inf,
    better: str = "higher",
    level: float = 0.95,
) -> Equivalence:
    """Read a change against a margin: better, worse, no worse than the margin, or too few to say.

    Parameters
    ----------
    difference, se : array_like
        Later figure less the earlier one, and its standard error.
    margin : array_like
        Points that would matter; above 0. Choose it before looking.
    df : array_like, default infinite
        Degrees of freedom.
    better : {"higher", "lower"}, default "higher"
        Which way round the figure is better.
    level : float, default 0.95
        Two-sided, for better and worse; the margin's two one-sided tests each have 1 - level.

    Returns
    -------
    Equivalence
        Limits and p-values in the direction of the figure, readings in that of "better".

    Raises
    ------
    CultureAnalyticsError
        The margin is not above 0, `better` or `level` cannot be.

    References
    ----------
    Schuirmann (1987).

    Examples
    --------
    >>> found = equivalence([0.3, 0.3, -4.0, -1.2], [0.9, 3.0, 1.0, 0.4], margin=2)
    >>> found.reading.tolist()
    ['same', 'unclear', 'worse', 'worse_within']
    """
    from scipy.special import ndtr, stdtr

    if better not in ("higher", "lower"):
        raise CultureAnalyticsError(f"better={better!r}: there are 'higher' and 'lower'.")
    d, error, m, freedom = np.broadcast_arrays(
        floats(difference), floats(se), floats(margin), floats(df)
    )
    if not (m > 0).all():
        raise CultureAnalyticsError("The margin must be above 0: the points that would matter.")
    known = np.isfinite(d) & (error > 0) & (freedom > 0)
    error = np.where(known, error, np.nan)
    gain = d if better == "higher" else -d

    def tail(t: FloatArray) -> FloatArray:
        """Probability above t."""
        return np.asarray(np.where(np.isinf(freedom), ndtr(-t), stdtr(freedom, -t)))

    p_no_worse = np.where(known, tail((gain + m) / error), np.nan)
    p_no_better = np.where(known, tail((m - gain) / error), np.nan)
    alpha = 2 * (1 - upper_tail(level))
    one_sided = t_quantile(1 - 2 * alpha, freedom)
    two_sided = t_quantile(level, freedom)
    reading = read_change(
        known,
        up=gain > two_sided * error,
        down=gain < -two_sided * error,
        no_worse=p_no_worse <= alpha,
        no_better=p_no_better <= alpha,
    )
    return Equivalence(
        d - one_sided * error,
        d + one_sided * error,
        p_no_worse,
        np.maximum(p_no_worse, p_no_better),
        reading,
    )


def read_change(
    known: ArrayLike,
    *,
    up: ArrayLike,
    down: ArrayLike,
    no_worse: ArrayLike,
    no_better: ArrayLike,
) -> NDArray[np.str_]:
    """Name what four tests say of a change.

    Parameters
    ----------
    known : array_like of bool
        Whether there is anything to read.
    up, down : array_like of bool
        Clearly better, clearly worse.
    no_worse, no_better : array_like of bool
        Clearly not worse, not better, by the margin.

    Returns
    -------
    ndarray of str
        Keys of `READINGS`.

    Examples
    --------
    >>> read_change([True, False], up=False, down=False, no_worse=True, no_better=False).tolist()
    ['no_worse', '']
    """
    held, better, worse, above, below = np.broadcast_arrays(
        *(np.asarray(x, dtype=bool) for x in (known, up, down, no_worse, no_better))
    )
    return np.select(
        [~held, better & below, better, worse & above, worse, above & below, above, below],
        ["", "better_within", "better", "worse_within", "worse", "same", "no_worse", "no_better"],
        "unclear",
    )


class _Setting(NamedTuple):
    """A figure, and the answers of both years behind it; percentages as proportions."""

    value: FloatArray
    sd: FloatArray | None
    staff: FloatArray
    before: FloatArray
    after: FloatArray
    design_effect: FloatArray
    fpc: bool
    low: float
    high: float
    power: float
    level: float

    @classmethod
    def of(
        cls,
        value: ArrayLike,
        sd: ArrayLike | None,
        scale: tuple[float, float] | None,
        staff: ArrayLike,
        rate: ArrayLike,
        rate_after: ArrayLike | None,
        design_effect: ArrayLike,
        fpc: bool,
        power: float,
        level: float,
    ) -> _Setting:
        low, high = scale or ((0.0, 100.0) if sd is None else (0.0, 10.0))
        given = [value, staff, rate, rate if rate_after is None else rate_after, design_effect]
        v, people, first, second, effect, spread = np.broadcast_arrays(
            *(floats(x) for x in given), floats(1.0 if sd is None else sd)
        )
        for what, wrong in (
            (f"figures lie outside {low:g} to {high:g}", (v < low) | (v > high)),
            (
                "response rates lie outside 0 to 100 %",
                ~((first >= 0) & (first <= 100) & (second >= 0) & (second <= 100)),
            ),
            ("design effects are not above 0", ~(effect > 0)),
            ("standard deviations are not above 0", ~(spread > 0)),
        ):
            if wrong.any():
                raise CultureAnalyticsError(f"{int(wrong.sum())} of {wrong.size} {what}.")
        if not 0 < power < 1:
            raise CultureAnalyticsError(f"power must lie between 0 and 1, not {power}.")
        upper_tail(level)
        return cls(
            v, None if sd is None else spread, people, people * first / 100, people * second / 100,
            effect, fpc, low, high, power, level,
        )  # fmt: skip

    def power_of(self, change: FloatArray, before: FloatArray, after: FloatArray) -> FloatArray:
        """Probability that a change is found with so many answers."""
        from scipy.special import nctdtr, ndtr

        with np.errstate(divide="ignore", invalid="ignore"):
            one = self.design_effect / before * self._left(before)
            two = self.design_effect / after * self._left(after)
            if self.sd is not None:
                freedom = np.where(before + after > 2, before + after - 2, np.nan)
                distance = np.abs(change) / (self.sd * np.sqrt(one + two))
                critical = t_quantile(self.level, freedom)
                near = np.minimum(distance, _FARTHEST)
                found = 1 - nctdtr(freedom, near, critical)
                # Here and there, far past the critical value, it gives no number.
                certain = np.isnan(found) & (near > critical + _CERTAIN)
                return np.asarray(np.where(certain, 1.0, found))
            p = self.value / 100
            q = np.clip(p + change / 100, 0, 1)
            middle = (before * p + after * q) / (before + after)
            null = np.sqrt(middle * (1 - middle) * (one + two))
            real = np.sqrt(p * (1 - p) * one + q * (1 - q) * two)
            beyond = np.abs(q - p) - normal_quantile(self.level) * null
            return np.asarray(np.where(real > 0, ndtr(beyond / real), beyond > 0))

    def least(self, sign: float, room: FloatArray) -> FloatArray:
        """Smallest change in one direction with the power asked for; NaN if there is no room."""
        low, high = np.zeros(room.shape), room.copy()
        found = self.power_of(sign * high, self.before, self.after) >= self.power
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            enough = self.power_of(sign * middle, self.before, self.after) >= self.power
            low, high = np.where(enough, low, middle), np.where(enough, middle, high)
        return np.where(found, high, np.nan)

    def _left(self, answers: FloatArray) -> FloatArray:
        """Part of the variance that the correction leaves."""
        return np.maximum(1 - answers / self.staff, 0.0) if self.fpc else np.ones(answers.shape)

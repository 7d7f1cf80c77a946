"""Continuous-wave time of flight as phasors: the equations of one pixel, one at a time.

Light modulated at f comes back from the radial distance r with the phase 4 pi f r / c. A pixel
takes four samples, A_k = B + C cos(phase + k pi / 2), and I = (A_0 - A_2) / 2, Q = (A_3 - A_1) / 2
make the phasor I + j Q = C exp(j phase). Everything that light does to it is complex arithmetic:
surfaces and detours in one pixel add up, lens and air scale it (Lange and Seitz, "Solid-state
time-of-flight range camera", IEEE J. Quantum Electronics 37, 2001; Hansard et al., "Time-of-Flight
Cameras", Springer 2013, chapter 1).
"""

import math
from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from frames.kernels import BORROWING

Array = NDArray[np.float64]

SPEED_OF_LIGHT: Final = 299_792_458.0
"""m/s, exact."""

# One turn is 2 pi of phase. sin and cos of half the angle by their series, which on [-pi/2, pi/2]
# end below float32's own rounding; arctangent: Abramowitz and Stegun, 4.4.49, error below 2e-8.
_PI: Final = np.float32(math.pi)
_SIN: Final = tuple(np.float32((-1) ** k / math.factorial(2 * k + 1)) for k in range(6))
_COS: Final = tuple(np.float32((-1) ** k / math.factorial(2 * k)) for k in range(7))
_ATAN: Final = tuple(
    np.float32(a / (2 * math.pi))
    for a in (
        *(1.0, -0.3333314528, 0.1999355085, -0.1420889944, 0.1065626393),
        *(-0.0752896400, 0.0429096138, -0.0161657367, 0.0028662257),
    )
)
_ONE, _TWO, _HALF, _QUARTER = (np.float32(x) for x in (1.0, 2.0, 0.5, 0.25))
_ZERO, _TINY = np.float32(0.0), np.float32(1e-30)


def unambiguous_range(frequency_hz: float) -> float:
    """Metres after which a phase repeats: c / (2 f)."""
    return SPEED_OF_LIGHT / (2 * frequency_hz)


def to_phasor(range_m: Any, frequency_hz: float, amplitude: Any = 1.0) -> Any:
    """Complex phasors of ranges (...) in metres: C exp(j 4 pi f r / c)."""
    phase = 4 * math.pi * frequency_hz / SPEED_OF_LIGHT * np.asarray(range_m, np.float64)
    return amplitude * np.exp(1j * phase)


def to_range(phasor: Any, frequency_hz: float) -> Any:
    """Ranges (...) in metres, [0, c / 2f), of complex phasors: the phase's, wrapped."""
    turns = np.angle(phasor) / (2 * math.pi)
    return (turns - np.floor(turns)) * unambiguous_range(frequency_hz)


def sample_phasor(phasor: Any, background: Any) -> Array:
    """Its four samples (4, ...) over a constant light B: B + C cos(phase + k pi / 2)."""
    turn = 1j ** np.arange(4).reshape(4, *(1,) * np.ndim(phasor))
    return np.asarray(background + np.real(np.asarray(phasor) * turn))


def demodulate(samples: Array) -> Any:
    """The phasor (...) of four samples (4, ...): (A_0 - A_2) / 2 + j (A_3 - A_1) / 2."""
    return (samples[0] - samples[2]) / 2 + 1j * (samples[3] - samples[1]) / 2


def shot_sigma(
    frequency_hz: float, background: Any, amplitude: Any, read_noise: float = 0.0
) -> Any:
    """Standard deviation of the range, in metres: c / (4 pi f) sqrt(B + read^2) / (sqrt 2 C).

    background, amplitude: B and C in electrons; read_noise: electrons of one sample. Each sample
    has the variance B + read^2, half of a difference of two samples half of it. For C well above
    its noise (Lange and Seitz 2001, equation 15).
    """
    noise = np.sqrt(np.asarray(background) + read_noise**2) / math.sqrt(2)
    return SPEED_OF_LIGHT / (4 * math.pi * frequency_hz) * noise / amplitude


def add_detour(phasor: Any, share: Any, detour_m: Any, frequency_hz: float) -> Any:
    """A phasor with light that came by a detour: p (1 + share exp(j 4 pi f detour / c)).

    share: the detour's amplitude over the direct one's; detour_m: extra one-way range.
    """
    return phasor * (1 + to_phasor(detour_m, frequency_hz, share))


def wiggle(phase: Any, amplitude_rad: float, offset_rad: float) -> Any:
    """The phase that a device reads which takes its light for a sine: phase + a sin(4 phase + b).

    Odd harmonics of the modulation alias onto the fundamental with four samples and come out four
    times a turn (Lindner et al., "Time-of-flight sensor calibration for accurate range sensing",
    CVIU 114, 2010).
    """
    return phase + amplitude_rad * np.sin(4 * phase + offset_rad)


def move_phasor(phase: Any, step_rad: Any) -> Any:
    """The unit phasor that is read of a surface which moves by step_rad between samples.

    At the four times t = -1.5, -0.5, 0.5, 1.5 steps the samples see phase + step t. In closed form:
    I = cos(step) cos(phase - step / 2), Q = cos(step) sin(phase + step / 2), exact for a constant
    radial speed. It is no rotation: the error is -sin(2 phase) step / 2 to first order.
    """
    phase, step = np.asarray(phase), np.asarray(step_rad)
    return np.cos(step) * (np.cos(phase - step / 2) + 1j * np.sin(phase + step / 2))


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def spin(turns):  # type: ignore[no-untyped-def]
    """(cos, sin) of a float32 phase in turns; the same bits on every machine."""
    half = _PI * (turns - np.floor(turns + _HALF))
    x = half * half
    s = _SIN[4] + x * _SIN[5]
    s = _SIN[0] + x * (_SIN[1] + x * (_SIN[2] + x * (_SIN[3] + x * s)))
    s = half * s
    c = _COS[4] + x * (_COS[5] + x * _COS[6])
    c = _COS[0] + x * (_COS[1] + x * (_COS[2] + x * (_COS[3] + x * c)))
    return _ONE - _TWO * s * s, _TWO * s * c


@njit(**BORROWING)
def spin_row(ranges, turns_per_m, re, im):  # type: ignore[no-untyped-def]
    """`spin` of ranges in metres, into re and im."""
    for n in range(re.shape[0]):
        re[n], im[n] = spin(turns_per_m * ranges[n])


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def measure_turns(re, im):  # type: ignore[no-untyped-def]
    """Phase of a float32 phasor in turns, [0, 1]; the same bits on every machine."""
    a, b = abs(re), abs(im)
    small, large = min(a, b), max(a, b)
    q = small / (large + _TINY)
    x = q * q
    t = _ATAN[5] + x * (_ATAN[6] + x * (_ATAN[7] + x * _ATAN[8]))
    t = _ATAN[0] + x * (_ATAN[1] + x * (_ATAN[2] + x * (_ATAN[3] + x * (_ATAN[4] + x * t))))
    t = q * t
    t = _QUARTER - t if b > a else t
    t = _HALF - t if re < _ZERO else t
    return _ONE - t if im < _ZERO else t

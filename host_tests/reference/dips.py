"""Dips of a voltage in double precision: the RMS of a cycle each half cycle, and what lies below.

IEC 61000-4-30, 5.4: Urms(1/2) is the RMS of one cycle that begins at a zero crossing of the
channel's own fundamental, refreshed each half cycle. A dip begins with the first value below its
threshold and ends with the first one that is back by the hysteresis; its depth is the lowest
value, its duration what lies between. While the voltage is too low or distorted to show a zero
crossing the fundamental is taken to go on as before.
"""

import math

import numpy as np


def wave(f_hz, rate_hz, count, begin, length, factor, *, u_rms=230.0, angle=0.0):
    """A sine of `count` samples; from sample `begin` on, `length` samples are `factor` of it."""
    t = np.arange(count) / rate_hz
    u = math.sqrt(2) * u_rms * np.sin(2 * math.pi * f_hz * t + angle)
    u[begin : begin + length] *= factor
    return u


def first_crossing(u, f_hz, rate_hz, count):
    """Where the fundamental of the first `count` samples first crosses zero, in samples."""
    t = 2 * math.pi * f_hz / rate_hz * np.arange(count)
    # least squares with a constant, so that neither DC nor a part of a cycle turns it
    of = np.stack([np.sin(t), np.cos(t), np.ones(count)], axis=1)
    s, c, _ = np.linalg.lstsq(of, u[:count], rcond=None)[0]
    half = rate_hz / f_hz / 2
    return -math.atan2(c, s) / math.pi * half % half


def cycle_rms(u, f_hz, rate_hz, first):
    """RMS of the cycle that ends with each half cycle; the first begins at `first`, in samples.

    A sample stands for the time half a sample before and after it. Returns (ends, RMS).
    """
    energy = np.concatenate(([0.0], np.cumsum(u * u)))
    half = rate_hz / f_hz / 2
    ends = np.arange(first + 2 * half, len(u) - 0.5, half)

    def until(instant):
        return np.interp(instant + 0.5, np.arange(len(energy)), energy)

    squares = until(ends) - until(ends - 2 * half)
    return ends, np.sqrt(squares / (2 * half))


def swinging_rms(u):
    """The same where the frequency swings: from each zero crossing of `u` to the next but one.

    For a wave without harmonics. Returns (ends in samples, RMS).
    """
    at = np.flatnonzero((u[:-1] < 0) != (u[1:] < 0))
    crossings = at - u[at] / (u[at + 1] - u[at])
    energy = np.concatenate(([0.0], np.cumsum((u[1:] ** 2 + u[:-1] ** 2) / 2)))
    until = np.interp(crossings, np.arange(len(u)), energy)
    squares = (until[2:] - until[:-2]) / (crossings[2:] - crossings[:-2])
    return crossings[2:], np.sqrt(squares)


def dips(rms, threshold, hysteresis):
    """(first value, number of values, lowest) of each dip of a row of values."""
    found, begin = [], None
    for at, value in enumerate(rms):
        if begin is None and value < threshold:
            begin = at
        elif begin is not None and value >= threshold + hysteresis:
            found.append((begin, at - begin, float(min(rms[begin:at]))))
            begin = None
    return found

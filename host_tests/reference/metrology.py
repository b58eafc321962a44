"""The truth that metrology is tested against: slow, obvious, without limits of width.

`sums` repeats on Python integers what kernel.py and accumulators.py must give to the last bit.
`measure` takes the same frames as plain numbers and computes U, I, P, Q... in double precision
straight from their definitions; it shares no method with the firmware.
"""

import cmath
import math
from fractions import Fraction

AMPLITUDE = 4095


def sine_table():
    """Sine of 256 steps a turn, a turn and a quarter and one more, amplitude 4095 * 256."""
    return [
        round(AMPLITUDE * 256 * math.sin(2 * math.pi * k / 256)) + (1 << 20) for k in range(321)
    ]


def reference_pairs(phase, step, count):
    """Sine and cosine as the meter's oscillator makes them: (list of pairs, next phase)."""
    table = sine_table()
    pairs = []
    for _ in range(count):
        k, part = phase >> 22, (phase >> 11) & 2047
        pair = []
        for at in (k, k + 64):
            value = table[at] + ((table[at + 1] - table[at]) * part >> 11)
            pair.append(((value + 128) >> 8) - (1 << 12))
        pairs.append(tuple(pair))
        phase = (phase + step) % (1 << 30)
    return pairs, phase


class Delay:
    """u by an all-pass of 0.5..1.5 samples (and one more), i by one sample (and one more)."""

    def __init__(self, c_q16=0, late_u=False, late_i=False):
        self.c = c_q16
        self.late_u, self.late_i = late_u, late_i
        self.x1 = self.y = self.held = self.i1 = self.i2 = 0

    def step(self, u, i):
        if self.late_u:
            u, self.held = self.held, u
        if self.c:
            self.y = self.x1 + math.floor(Fraction((u - self.y) * self.c, 65536) + Fraction(1, 2))
        else:
            self.y = self.x1
        self.x1 = u
        out, self.i1 = self.i1, i
        if self.late_i:
            out, self.i2 = self.i2, out
        return self.y, out


def sums(frames, pairs, delays, neutral=False):
    """Exact sums of a list of frames (tuples of codes), as RawSums names them."""
    phases = [[0] * 9 for _ in delays]
    reference = [0] * 5
    of_neutral = [0, 0]
    for frame, (s, c) in zip(frames, pairs, strict=True):
        for k, delay in enumerate(delays):
            u, i = delay.step(frame[2 * k], frame[2 * k + 1])
            products = (u, i, u * u, i * i, u * i, u * s, u * c, i * s, i * c)
            for n, value in enumerate(products):
                phases[k][n] += value
        for n, value in enumerate((s, c, s * s, c * c, s * c)):
            reference[n] += value
        if neutral:
            of_neutral[0] += frame[2 * len(delays)]
            of_neutral[1] += frame[2 * len(delays)] ** 2
    return phases, reference, of_neutral


def crc16(data):
    """CRC-16/CCITT bit by bit: polynomial 1021h, seed FFFFh."""
    crc = 0xFFFF
    for octet in data:
        for bit in range(8):
            crc = (crc << 1) ^ (0x1021 if (crc >> 15 ^ octet >> (7 - bit)) & 1 else 0)
            crc &= 0xFFFF
    return crc


def chip_frame(status, codes, good=True):
    """One frame of an ADS131M0x: status, codes, CRC, 24-bit words, most significant byte first."""
    body = status.to_bytes(2, "big") + b"\0"
    for code in codes:
        body += (code & 0xFFFFFF).to_bytes(3, "big")
    return body + (crc16(body) ^ (0 if good else 0x0101)).to_bytes(2, "big") + b"\0"


def phasor(values, f_hz, rate_hz):
    """Complex RMS of one frequency by a least-squares fit of cosine, sine and constant."""
    angle = 2 * math.pi * f_hz / rate_hz
    columns = [
        [math.cos(angle * k) for k in range(len(values))],
        [math.sin(angle * k) for k in range(len(values))],
        [1.0] * len(values),
    ]
    rows = [
        [math.fsum(x * y for x, y in zip(a, b, strict=True)) for b in [*columns, values]]
        for a in columns
    ]
    for k in range(3):  # Gauss and Jordan
        rows[k] = [x / rows[k][k] for x in rows[k]]
        for n in range(3):
            if n != k:
                factor = rows[n][k]
                rows[n] = [x - factor * y for x, y in zip(rows[n], rows[k], strict=True)]
    return complex(rows[0][3], -rows[1][3]) / math.sqrt(2)


def measure(u, i, f_hz, rate_hz, keep_dc=False):
    """U, I, P, Q, S, PF, THDs of whole cycles of one phase in double precision, as a dict."""
    n = len(u)
    if not keep_dc:
        u_dc, i_dc = math.fsum(u) / n, math.fsum(i) / n
        u, i = [x - u_dc for x in u], [x - i_dc for x in i]
    u1, i1 = phasor(u, f_hz, rate_hz), phasor(i, f_hz, rate_hz)
    u_rms = math.sqrt(math.fsum(x * x for x in u) / n)
    i_rms = math.sqrt(math.fsum(x * x for x in i) / n)
    p = math.fsum(x * y for x, y in zip(u, i, strict=True)) / n
    s1 = u1 * i1.conjugate()
    return {
        "u": u_rms,
        "i": i_rms,
        "p": p,
        "p1": s1.real,
        "q": s1.imag,
        "s": u_rms * i_rms,
        "pf": p / (u_rms * i_rms) if u_rms * i_rms else 1.0,
        "phi_deg": math.degrees(cmath.phase(s1)),
        "thd_u": math.sqrt(max(0.0, (u_rms / abs(u1)) ** 2 - 1)) if abs(u1) else 0.0,
        "thd_i": math.sqrt(max(0.0, (i_rms / abs(i1)) ** 2 - 1)) if abs(i1) else 0.0,
    }

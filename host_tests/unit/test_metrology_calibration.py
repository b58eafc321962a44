"""The calibration record: packed and back, and every way it can be wrong."""

import math
import random
import struct
from binascii import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrology.calibration import (
    DELAY_MAX_NS,
    GAIN_MAX_PPB,
    OFFSET_MAX_UW,
    PACKED_BYTES,
    Calibration,
    CalibrationError,
    Weights,
    delay_filter,
    unpack,
)


def values_of(record):
    return (
        record.u_gain_ppb,
        record.i_gain_ppb,
        record.delay_ns,
        record.p_offset_uw,
        record.q_offset_uvar,
    )


gains = st.integers(-GAIN_MAX_PPB, GAIN_MAX_PPB)
delays = st.integers(-DELAY_MAX_NS, DELAY_MAX_NS)
offsets = st.integers(-OFFSET_MAX_UW, OFFSET_MAX_UW)


@given(st.sampled_from([1, 3]), st.data())
def test_comes_back_as_it_was_packed(phases, data):
    record = Calibration(phases)
    for k in range(phases):
        record.u_gain_ppb[k] = data.draw(gains)
        record.i_gain_ppb[k] = data.draw(gains)
        record.delay_ns[k] = data.draw(delays)
        record.p_offset_uw[k] = data.draw(offsets)
        record.q_offset_uvar[k] = data.draw(offsets)
    record.i_gain_ppb[phases] = data.draw(gains)
    packed = record.pack()
    assert len(packed) == PACKED_BYTES
    assert values_of(unpack(packed, phases)) == values_of(record)
    assert values_of(unpack(memoryview(bytearray(packed)), phases)) == values_of(record)


def test_every_damaged_bit_is_refused():
    record = Calibration(3)
    record.u_gain_ppb[0] = 12345
    packed = bytearray(record.pack())
    for bit in range(8 * PACKED_BYTES):
        packed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(CalibrationError, match="damaged"):
            unpack(packed, 3)
        packed[bit // 8] ^= 1 << bit % 8
    unpack(packed, 3)


def sealed(body):
    return body + struct.pack("<I", crc32(body))


@pytest.mark.parametrize("length", [0, 1, PACKED_BYTES - 1, PACKED_BYTES + 1, 4096])
def test_another_length_is_refused(length):
    with pytest.raises(CalibrationError, match="length"):
        unpack(bytes(length), 3)


def test_another_version_or_meter_is_refused():
    body = Calibration(3).pack()[:-4]
    with pytest.raises(CalibrationError, match="version"):
        unpack(sealed(b"\x02" + body[1:]), 3)
    with pytest.raises(CalibrationError, match="phases"):
        unpack(sealed(body), 1)


@pytest.mark.parametrize(
    ("field", "text"),
    [(0, "voltage gain"), (1, "current gain"), (2, "delay"), (3, "power"), (4, "reactive")],
)
@pytest.mark.parametrize("value", [2**31 - 1, -(2**31)])
def test_values_no_calibration_yields_are_refused(field, text, value):
    values = [0] * 16
    values[5 + field] = value
    body = struct.pack("<BB16i", 1, 3, *values)
    with pytest.raises(CalibrationError, match=text):
        unpack(sealed(body), 3)


def test_random_bytes_are_refused():
    source = random.Random(8)
    for _ in range(300):
        with pytest.raises(CalibrationError):
            unpack(source.randbytes(PACKED_BYTES), 3)


def test_out_of_range_is_not_packed():
    record = Calibration(1)
    record.u_gain_ppb[0] = GAIN_MAX_PPB + 1
    with pytest.raises(CalibrationError):
        record.pack()


@pytest.mark.parametrize("phases", [0, 4])
def test_a_number_of_phases_no_meter_has_is_refused(phases):
    with pytest.raises(CalibrationError):
        Calibration(phases)


class Scale:
    keep_dc = False

    def __init__(self, u, i):
        self.u_pv_per_lsb = u
        self.i_pa_per_lsb = i


def test_weights_multiply_scale_and_gain():
    record = Calibration(1)
    record.u_gain_ppb[0] = 1_000_000
    weights = Weights(Scale([60_000_000], [18_000_000, 19_000_000]), record)
    assert weights.u_pv == [60_060_000]
    assert weights.i_pa == [18_000_000, 19_000_000]


@pytest.mark.parametrize(
    "scale", [Scale([], [1]), Scale([1], []), Scale([0], [1]), Scale([1], [-1])]
)
def test_a_scale_that_cannot_be_is_refused(scale):
    with pytest.raises(CalibrationError):
        Weights(scale, Calibration(1))


@given(st.integers(-1499, 1499), st.sampled_from([1000, 1200, 4000, 32000]), st.integers(45, 65))
def test_the_filter_delays_as_much_as_it_was_asked(thousandths, rate_hz, f_hz):
    delay_ns = round(thousandths / 1000 / rate_hz * 1e9)
    c_q16, late_u, late_i = delay_filter(delay_ns, rate_hz * 1000, f_hz * 1_000_000)
    assert abs(c_q16) <= 22938  # the kernel's bound
    w = 2 * math.pi * f_hz / rate_hz
    c = c_q16 / 65536
    z = complex(math.cos(w), -math.sin(w))
    response = (c + z) / (1 + c * z)
    assert abs(abs(response) - 1) < 1e-12
    delay = -math.atan2(response.imag, response.real) / w + late_u - 1 - late_i
    assert abs(delay - delay_ns * 1e-9 * rate_hz) < 4e-5


def test_no_delay_needs_no_filter():
    assert delay_filter(0, 4_000_000, 50_000_000) == (0, False, False)

"""The model of the RP2's ADC against the data sheet's registers and the measured figures."""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))

import chip_bus  # noqa: F401 - puts the models on the path
from devices.rp2_adc import Rp2Adc, Transfer

CS, RESULT, FCS, FIFO, DIV = 0x00, 0x04, 0x08, 0x0C, 0x10


def model(volts=lambda number, _s: 0.1 * (number + 1), noise=0.0):
    transfer = Transfer(1, 0.0, 0.0, 0.0)
    transfer.edges = [float(k) for k in range(4096)]
    return Rp2Adc(volts, transfer, noise)


def code(volts):
    return int(volts / 3.3 * 4096)


def test_ready_only_when_switched_on():
    adc = model()
    assert adc.read(CS) == 0
    adc.write(CS, 1)
    assert adc.read(CS) == 0x101


def test_round_robin_goes_from_the_first_input_in_rising_order():
    adc = model()
    adc.write(CS, 1)
    adc.write(FCS, 1)
    adc.write(CS, 1 | 8 | 1 << 12 | 0b1011 << 16)
    adc.run(96 * 5)
    assert adc.read(FCS) & 0xF0000 == 5 << 16
    assert [adc.read(FIFO) for _ in range(5)] == [code(0.1 * k) for k in (2, 4, 1, 2, 4)]
    assert adc.read(RESULT) == code(0.4)
    assert adc.read(FCS) & 0x100


def test_divider_paces_but_not_below_96_clocks():
    adc = model()
    adc.write(CS, 1)
    adc.write(FCS, 1)
    adc.write(DIV, 3999 << 8)
    adc.write(CS, 9)
    adc.run(3999)
    assert adc.read(FCS) >> 16 & 15 == 0
    adc.run(1)
    assert adc.read(FCS) >> 16 & 15 == 1
    fast = model()
    fast.write(CS, 1)
    fast.write(FCS, 1)
    fast.write(DIV, 10 << 8)
    fast.write(CS, 9)
    fast.run(96 * 3)
    assert fast.read(FCS) >> 16 & 15 == 3


def test_fifo_overflow_and_underflow_stay_until_cleared():
    adc = model()
    adc.write(CS, 1)
    adc.write(FCS, 1)
    adc.read(FIFO)
    assert adc.read(FCS) & 0x400
    adc.write(CS, 9)
    adc.run(96 * 9)
    assert adc.read(FCS) & 0xA00 == 0xA00
    adc.write(FCS, 1 | 0x400 | 0x800)
    assert adc.read(FCS) & 0xC00 == 0


def test_request_only_at_the_threshold_and_when_wanted():
    adc = model()
    asked = []
    adc.request = lambda: asked.append(adc.read(FIFO))
    adc.write(CS, 1)
    adc.write(FCS, 1)
    adc.write(CS, 9)
    adc.run(96)
    assert asked == []
    adc.write(FCS, 1 | 8 | 1 << 24)
    adc.run(96)
    assert len(asked) == 1


def test_failed_conversion_is_marked_only_if_wanted():
    for wanted in (0, 4):
        adc = model()
        adc.fail_next = 1
        adc.write(CS, 1)
        adc.write(FCS, 1 | wanted)
        adc.write(CS, 9)
        adc.run(96)
        assert adc.read(FIFO) >> 15 == (1 if wanted else 0)


def test_unknown_registers_are_refused_and_a_dead_chip_reads_zero():
    adc = model()
    with pytest.raises(ValueError, match="no register"):
        adc.read(0x30)
    with pytest.raises(ValueError, match="cannot be written"):
        adc.write(RESULT, 1)
    adc.dead = True
    adc.write(CS, 1)
    assert adc.read(CS) == 0


def test_noise_is_0_6_lsb():
    adc = Rp2Adc(lambda _n, _s: 1000.5 / 4096 * 3.3, model()._transfer, 0.6)
    adc.write(CS, 1)
    adc.write(CS, 9)
    found = []
    for _ in range(4000):
        adc.run(96)
        found.append(adc.read(RESULT))
    mean = sum(found) / len(found)
    rms = (sum((k - mean) ** 2 for k in found) / len(found)) ** 0.5
    assert abs(mean - 1000) < 0.05
    # 0.6 and the quantisation's 0.29
    assert 0.60 < rms < 0.73


@pytest.mark.parametrize("seed", range(3))
def test_wide_codes_stand_where_they_were_measured(seed):
    edges = [*Transfer(seed).edges, 4096.0]
    widths = [edges[k + 1] - edges[k] for k in range(4096)]
    widest = sorted(range(4096), key=lambda k: -widths[k])[:5]
    assert sorted(widest) == [512, 1536, 2048, 2560, 3584]
    assert 2.5 < widths[2048] < 3.5
    assert all(width > 0.5 for width in widths)

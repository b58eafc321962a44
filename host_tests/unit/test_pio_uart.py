"""The UART's PIO programs in a PIO emulator: waveforms to the cycle, and lines as they come.

The reference is the definition of a character alone: a low start bit, data from the lowest bit,
parity, high stop bits; idle is high. Time is the system clock's, divided as the chip divides it
(RP2040 data sheet, "Clock dividers": 16 bits and 8 of fraction), so rates err as on a board.
"""

import bisect
import random
import sys
from collections import deque
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))

import rp2_double

pioemu = pytest.importorskip("pioemu", reason="the emulator needs CPython 3.10.18 or newer")
State = pioemu.State
rp2_double.install()

from drivers import rp2_pio_uart
from drivers.serial_frame import BREAK, FRAMING_ERROR, PARITY_ERROR, SerialFrame

SEED = 20261121
CYCLES = 8
PICO, PICO2, SLOW = 125_000_000, 150_000_000, 48_000_000
FORMATS = [(8, None, 1), (8, 0, 1), (7, 0, 1), (8, 1, 2), (5, None, 1), (7, 1, 1)]


def character(octet, bits, parity, stop):
    """Levels of a character, bit by bit."""
    data = [octet >> k & 1 for k in range(bits)]
    check = [] if parity is None else [(sum(data) + parity) % 2]
    return [0, *data, *check, *[1] * stop]


def random_octets(count, bits=8):
    seeded = random.Random(SEED)
    return [seeded.randrange(1 << bits) for _ in range(count)]


def sent(words, y, cycles):
    """Level of the line in each cycle."""
    program = rp2_pio_uart.send_characters
    levels = [1] * cycles
    steps = pioemu.emulate(
        program.words,
        stop_when=lambda _opcode, state: state.clock >= cycles,
        initial_state=State(
            pin_directions=1, pin_values=1, y_register=y, transmit_fifo=deque(words)
        ),
        out_base=0,
        out_count=1,
        shift_osr_right=program.options["out_shiftdir"] == rp2_double.Pio.SHIFT_RIGHT,
        wrap_target=program.wrap_target,
        wrap_top=program.wrap_top,
    )
    for before, after in steps:
        for clock in range(before.clock, min(after.clock, cycles)):
            levels[clock] = after.pin_values & 1
    return levels


class Receiver:
    """The receiving machine on a line that is a function of time."""

    def __init__(self, line, bits, cycle_s=1.0):
        self.pushed = []
        program = rp2_pio_uart.hear_characters
        self._line = line
        self._cycle_s = cycle_s
        self._steps = pioemu.emulate(
            program.words,
            stop_when=lambda _opcode, _state: False,
            initial_state=State(y_register=bits - 2),
            input_source=self._level,
            auto_push=program.options["autopush"],
            push_threshold=bits,
            shift_isr_right=program.options["in_shiftdir"] == rp2_double.Pio.SHIFT_RIGHT,
            jmp_pin=0,
            wrap_target=program.wrap_target,
            wrap_top=program.wrap_top,
        )
        self._bits = bits

    def _level(self, clock: int) -> int:
        return self._line(clock * self._cycle_s)

    def until(self, end_s):
        """Run so long; return the words as the driver finds them in its ring."""
        for _, after in self._steps:
            while after.receive_fifo:
                half = after.receive_fifo.popleft() >> 16  # the half that the DMA takes
                self.pushed.append(half >> 16 - self._bits)
            if after.clock * self._cycle_s >= end_s:
                return self.pushed
        raise AssertionError("the machine ended")


def line_of(levels, bit_s, begin_s=0.0):
    """A line that idles high, and so does after the bits."""
    edges = [begin_s + k * bit_s for k in range(len(levels) + 1)]

    def level(at_s):
        k = bisect.bisect_right(edges, at_s) - 1
        return levels[k] if 0 <= k < len(levels) else 1

    return level


def divided_s(clock_hz, baud):
    """Length of a machine's cycle: the driver asks for a frequency, the chip has a divider."""
    divider_q8 = clock_hz * 256 // (CYCLES * baud)
    assert 256 <= divider_q8 < 1 << 24
    return divider_q8 / 256 / clock_hz


@pytest.mark.parametrize(("bits", "parity", "stop"), FORMATS)
def test_characters_leave_bit_for_bit_without_a_gap(bits, parity, stop):
    frame = SerialFrame(bits, parity, stop)
    octets = random_octets(12, bits)
    wanted = [level for octet in octets for level in character(octet, bits, parity, stop)]
    assert frame.sent_bits == len(wanted) // len(octets)
    levels = sent([frame.encode(octet) for octet in octets], frame.sent_bits - 2, 2000)
    begin = levels.index(0)
    assert begin == 2, "PULL and MOV"
    found = levels[begin : begin + CYCLES * len(wanted)]
    assert found == [level for level in wanted for _ in range(CYCLES)]
    assert set(levels[begin + len(found) :]) == {1}, "idle is high"


def test_a_word_as_the_dma_replicates_it_sends_the_same():
    frame = SerialFrame(8, 0, 1)
    word = frame.encode(0xA5)
    assert sent([word | word << 16], frame.sent_bits - 2, 120) == sent(
        [word], frame.sent_bits - 2, 120
    )


@pytest.mark.parametrize("clock_hz", [PICO, PICO2, SLOW])
@pytest.mark.parametrize("baud", [300, 2400, 9600, 115_200, 921_600])
@pytest.mark.parametrize("sender", [0.97, 1.0, 1.03])
def test_back_to_back_characters_of_a_sender_that_is_fast_or_slow(clock_hz, baud, sender):
    if clock_hz * 256 // (CYCLES * baud) >= 1 << 24:
        pytest.skip("below the divider's range")
    bits, parity, stop = (7, 0, 1) if baud == 300 else (8, 0, 1) if baud == 2400 else (8, None, 1)
    frame = SerialFrame(bits, parity, stop)
    octets = random_octets(20, bits)
    levels = [level for octet in octets for level in character(octet, bits, parity, stop)]
    bit_s = 1 / (baud * sender)
    heard = Receiver(
        line_of(levels, bit_s, 3.3 * bit_s), frame.heard_bits, divided_s(clock_hz, baud)
    )
    words = heard.until((len(levels) + 8) * bit_s)
    assert [frame.decode(word) for word in words] == octets


@pytest.mark.parametrize(("bits", "parity", "stop"), FORMATS)
def test_whatever_phase_a_character_begins_in(bits, parity, stop):
    frame = SerialFrame(bits, parity, stop)
    for eighth in range(8):
        levels = character(0x15, bits, parity, stop)
        heard = Receiver(line_of(levels, CYCLES, 20 + eighth / 8), frame.heard_bits)
        words = heard.until(20 + CYCLES * (len(levels) + 2))
        assert [frame.decode(word) for word in words] == [0x15]


def test_a_glitch_is_no_start_bit_and_costs_no_character():
    frame = SerialFrame(8, None, 1)
    levels = [1] * 40 + [0] * 2 + [1] * 30 + [0] * 1 + [1] * 9
    levels += [level for level in character(0x5A, 8, None, 1) for _ in range(CYCLES)]
    heard = Receiver(line_of(levels, 1), frame.heard_bits)
    assert [frame.decode(word) for word in heard.until(len(levels) + 40)] == [0x5A]


def test_a_break_is_one_event_and_the_next_character_is_heard():
    frame = SerialFrame(8, 0, 1)
    levels = [0] * 40 + [1] * 2 + character(0x33, 8, 0, 1)
    heard = Receiver(line_of(levels, CYCLES), frame.heard_bits)
    words = heard.until(CYCLES * (len(levels) + 3))
    assert [frame.decode(word) for word in words] == [BREAK, 0x33]


def test_a_missing_stop_bit_and_wrong_parity_are_noticed():
    frame = SerialFrame(8, 0, 1)
    no_stop = [*character(0x41, 8, 0, 1)[:-1], 0]
    wrong = character(0x41, 8, 1, 1)
    levels = [*no_stop, 1, 1, *wrong, *character(0x42, 8, 0, 1)]
    heard = Receiver(line_of(levels, CYCLES, 5), frame.heard_bits)
    words = heard.until(CYCLES * (len(levels) + 3))
    assert [frame.decode(word) for word in words] == [FRAMING_ERROR, PARITY_ERROR, 0x42]


@pytest.mark.parametrize("clock_hz", [PICO, PICO2])
def test_the_dividers_of_the_rates_in_use_err_little(clock_hz):
    for baud, most in ((2400, 2e-5), (9600, 2e-5), (115_200, 4e-5), (921_600, 3e-4)):
        assert abs(1 / (CYCLES * baud) / divided_s(clock_hz, baud) - 1) < most


@pytest.mark.parametrize(("bits", "parity", "stop"), FORMATS)
def test_every_octet_is_encoded_by_the_definition_and_decoded_back(bits, parity, stop):
    frame = SerialFrame(bits, parity, stop)
    for octet in range(256):
        wanted = character(octet & (1 << bits) - 1, bits, parity, stop)
        word = frame.encode(octet)
        assert [word >> k & 1 for k in range(frame.sent_bits)] == wanted
        assert frame.decode(word >> 1 & (1 << frame.heard_bits) - 1) == octet & (1 << bits) - 1
        if parity is not None:
            for k in range(bits + 1):  # any one bit wrong is seen
                assert frame.decode((word >> 1 ^ 1 << k) & (1 << frame.heard_bits) - 1) < 0


@pytest.mark.parametrize("wrong", [(4, None, 1), (9, None, 1), (8, 2, 1), (8, None, 3), (8, 0, 0)])
def test_a_format_that_is_none_is_refused(wrong):
    with pytest.raises(ValueError, match="no such format"):
        SerialFrame(*wrong)

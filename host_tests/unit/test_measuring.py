"""The measuring task: frames that are lost are told once, for as long as it lasts."""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parents[1] / "reference"))
from metrology_bench import Scale

from app.event_codes import MEASUREMENT_ERROR
from app.measuring import LOST, SILENT, Measuring
from metrology.calibration import Calibration, Weights
from metrology.quantities import Quantities


class Source:
    lost = 3
    silent = False

    def start(self):
        if self.silent:
            raise OSError("no answer")

    async def wait(self):
        raise KeyboardInterrupt


class Engine:
    def __init__(self):
        self.on_window = []
        weights = Weights(Scale(), Calibration(3))
        self.quantities = Quantities(3, weights, 4_000_000)
        self.quantities.u_uv[1] = self.quantities.p_total_uw = self.quantities.in_ua = 5


class Told:
    def __init__(self):
        self.lines = []
        self.source = Source()
        self.engine = Engine()
        self.measuring = Measuring(
            self.source,
            self.engine,
            lambda text, code, lasts: self.lines.append((text, code) if lasts else text),
        )


def test_lost_frames_are_an_error_until_none_was_lost_for_ten_seconds():
    told = Told()
    told.measuring.look(0)
    assert (told.lines, told.measuring.trouble) == ([], False)
    told.source.lost += 1
    told.measuring.look(2**30 - 5_000)  # the ticks wrap
    assert (told.lines, told.measuring.trouble) == ([(LOST, MEASUREMENT_ERROR)], True)
    told.source.lost += 40
    told.measuring.look(2**30 - 1_000)
    told.measuring.look(8_999)
    assert len(told.lines) == 1
    told.measuring.look(9_000)
    assert (told.lines[1:], told.measuring.trouble) == ([LOST], False)
    told.source.lost += 1
    told.measuring.look(9_010)
    assert told.lines[2:] == [(LOST, MEASUREMENT_ERROR)]


def test_a_converter_that_is_silent_at_the_start_is_told_and_tried_again():
    told = Told()
    told.source.silent = True
    with pytest.raises(OSError, match="no answer"):
        told.measuring.run(None).send(None)
    assert (told.lines, told.measuring.trouble) == ([(SILENT, MEASUREMENT_ERROR)], True)
    told.source.silent = False
    with pytest.raises(KeyboardInterrupt):
        told.measuring.run(None).send(None)
    assert (told.lines[1:], told.measuring.trouble) == ([SILENT], False)


def test_what_was_measured_last_is_shown_no_longer_once_it_is_two_seconds_old():
    told = Told()
    shown = told.engine.quantities
    told.engine.on_window[0]()
    told.measuring.look(100)
    told.measuring.look(60_000)  # no window, but nothing lost: a meter in a leap
    assert shown.u_uv[1] == 5
    told.engine.on_window[0]()
    told.source.lost += 1
    told.measuring.look(60_200)
    told.measuring.look(62_199)
    assert shown.u_uv[1] == 5
    told.measuring.look(62_200)
    assert (shown.u_uv, shown.p_total_uw, shown.in_ua) == ([0] * 3, 0, 0)
    assert shown.pf_ppm == [1_000_000] * 3


@pytest.mark.row("MET-35")
def test_a_capture_that_freezes_is_set_up_anew_and_the_time_counts_as_lost():
    told = Told()
    measuring, source = told.measuring, told.source
    starts = []
    source.start = lambda: starts.append(1)
    source.rate_mhz = 4_000_000
    for now_ms in range(1000, 10_000, 1000):
        measuring.thaw(now_ms)  # it does not run: that is another one's matter
    assert not starts
    measuring._running, measuring._looks = True, 0
    measuring._woken_ms = 2**30 - 500
    for now_ms in (500, 1500, 2500):
        measuring.thaw(now_ms)
    assert not starts
    measuring.thaw(3500)
    assert starts == [1]
    assert source.lost == 3 + 16_000
    assert told.lines == [(LOST, MEASUREMENT_ERROR)]

    def silent():
        raise OSError("no answer")

    source.start = silent
    for now_ms in range(4500, 8500, 1000):
        measuring.thaw(now_ms)
    assert source.lost == 3 + 32_000

"""What is shown when: start, automatic scroll, the list by key, time-outs, changes meanwhile."""

import sys
from pathlib import Path

import pytest

from app.attributes import Reference
from app.display import keys
from app.display.indicators import NAMES, Indicators, bit
from app.display.status import MeterStatus

sys.path += [str(Path(__file__).parent), str(Path(__file__).parents[2] / "boards" / "sim")]

from display_rig import Bench, name


@pytest.fixture
def bench():
    return Bench()


@pytest.fixture
def started(bench):
    bench.run(7)
    return bench


@pytest.mark.row("DSP-02")
def test_power_up_shows_all_segments_for_five_seconds(bench):
    bench.display.times.version = "0.1.0"
    assert bench.value == "8." * 8
    bench.run(4.9)
    assert bench.value == "8." * 8 and len(bench.shown["cursors"]) == 22
    bench.run(0.1)
    assert bench.value == "FErrAriS" and bench.code == "0.1.0" and bench.shown["cursors"] == []
    bench.run(2)
    assert bench.shown == {
        "code": "1.8.0",
        "value": "000123.45",
        "unit": "kWh",
        "cursors": ["T1"],
        "phases": ["L1", "L2", "L3"],
        "flow": ["+P"],
        "icons": {},
    }


@pytest.mark.row("DSP-13", "DSP-15")
def test_automatic_scroll_shows_each_item_ten_seconds(started):
    codes = []
    for _ in range(7):
        codes.append(started.code)
        started.run(9.9)
        assert started.code == codes[-1]
        started.run(0.1)
    assert codes == ["1.8.0", "1.7.0", "32.7.0"] * 2 + ["1.8.0"]


@pytest.mark.row("DSP-13")
def test_scroll_time_can_be_set(started):
    started.display.times.auto_scroll_s = 5
    started.run(10)
    assert started.code == "1.7.0"
    started.run(5)
    assert started.code == "32.7.0"


@pytest.mark.row("DSP-16", "KEY-07")
def test_short_presses_lead_through_the_alternate_list_to_its_end(started):
    started.press()
    assert (started.code, started.value) == ("C.1.0", "67542301")
    started.run(30)
    assert started.code == "C.1.0"
    started.press()
    assert started.code == "1.8.0"
    started.press()
    assert (started.code, started.value, started.shown["unit"]) == ("", "End", "")
    started.run(5)
    assert started.value == "End"
    started.press()
    assert started.code == "C.1.0"


@pytest.mark.row("DSP-13")
def test_nobody_there_for_two_minutes_leads_back(started):
    started.press()
    started.run(100)
    started.press()
    started.run(119)
    assert started.code == "1.8.0" and started.value == "000123.45"
    started.run(1.1)
    assert started.code == "1.8.0"
    started.run(10)
    assert started.code == "1.7.0"  # scrolls again


@pytest.mark.parametrize("kind", [keys.BACK, keys.TO_AUTO])
def test_longer_presses_lead_back(started, kind):
    started.press()
    started.press()
    started.press()
    assert started.value == "End"
    started.press(kind)
    assert started.code == "1.8.0"
    started.run(10.1)
    assert started.code == "1.7.0"


def test_reset_key_gives_light_and_nothing_else(started):
    started.run(60)
    code = started.code
    assert not started.lcd.light
    started.press(key=keys.RESET)
    assert started.lcd.light and started.code == code


def test_key_ends_the_start_up_test(bench):
    bench.press()
    assert bench.code == "1.8.0"


@pytest.mark.row("DSP-22", "DSP-13")
def test_light_goes_out_thirty_seconds_after_the_last_key(started):
    assert started.lcd.light
    started.run(24)
    assert not started.lcd.light
    started.press()
    assert started.lcd.light
    started.run(29)
    assert started.lcd.light
    started.run(2)
    assert not started.lcd.light


def test_values_follow_the_register(started):
    started.run(3)
    started.values[name(1, 8, 0)] = (200000, 0, 30)
    started.run(2)
    assert started.value == "000200.00"
    started.press()
    started.press()
    started.values[name(1, 8, 0)] = (200010, 0, 30)
    started.run(1)
    assert started.value == "000200.01"


@pytest.mark.row("DSP-05")
def test_blinking_is_half_a_second_on_and_off(started):
    started.blinking = ["CLK", "L2"]
    started.steady.remove("L2")
    started.run(2)
    seen = []
    for _ in range(8):
        shown = started.shown
        seen.append("CLK" in shown["cursors"])
        assert ("L2" in shown["phases"]) == seen[-1]
        assert "T1" in shown["cursors"]
        started.run(0.5)
    assert seen in ([True, False] * 4, [False, True] * 4)


@pytest.mark.row("DSP-03")
def test_missing_phase_is_dark(started):
    started.steady.remove("L3")
    started.run(2)
    assert started.shown["phases"] == ["L1", "L2"]


@pytest.mark.row("DSP-14")
def test_long_strings_scroll_and_stay_to_their_end(started):
    started.general.items = [Reference(1, name(0, 2, 8), 2), Reference(3, name(1, 8, 0), 2)]
    started.run(10)
    while started.code != "1.0.0.2.8":
        started.run(1)
    text = "00112233445566778899AABBCCDDEEFF"
    seen = [started.value]
    while started.code == "1.0.0.2.8" and len(seen) < 40:
        started.run(1)
        seen.append(started.value)
    upper = [one.upper() for one in seen]
    assert upper[:25] == [text[at : at + 8] for at in range(25)]
    assert started.code == "1.8.0"


@pytest.mark.row("DSP-12")
def test_objects_that_are_missing_say_so(started):
    started.general.items = [Reference(3, name(99, 99, 0), 2)]
    started.run(10)
    assert started.shown["value"] == "Error 23"
    assert started.code == "P.P.0"
    started.values[name(99, 99, 0)] = (1, 0, 30)
    started.run(2)
    assert started.value == "000000.00"


def test_lists_may_change_and_be_empty(started):
    started.general.items = []
    started.alternate.items = []
    started.run(10)
    assert (started.code, started.value) == ("", "--------")
    started.press()
    assert started.value == "End"
    started.press()
    assert started.value == "End"
    started.press(keys.BACK)
    assert started.value == "--------"
    started.general.items = [Reference(3, name(1, 8, 0), 2)]
    started.run(10)
    assert started.code == "1.8.0"


def test_a_list_that_shrinks_while_shown(started):
    started.run(20)
    assert started.code == "32.7.0"
    started.general.items = started.general.items[:1]
    started.run(10)
    assert started.code == "1.8.0"


def test_ticks_may_wrap():
    bench = Bench(2**30 - 3000)
    bench.run(7)
    assert bench.code == "1.8.0"
    bench.run(10)
    assert bench.code == "1.7.0"
    bench.press()
    bench.run(121)
    bench.run(10)
    assert bench.code in ("1.8.0", "1.7.0")


def test_display_that_is_started_again_shows_all_again(started):
    started.lcd.buffer[:] = bytes(1024)
    started.lcd.start()
    started.display.begin(started.now_ms)
    assert started.value == "8." * 8
    started.due_ms = started.now_ms
    started.run(7)
    assert started.shown["phases"] == ["L1", "L2", "L3"]
    assert (started.code, started.value) == ("1.8.0", "000123.45")


def test_steady_picture_is_sent_once_a_minute_lest_a_discharge_has_taken_it(started):
    started.general.items = started.general.items[:1]
    started.run(12)
    started.lcd.pages.clear()
    started.run(600)
    assert started.lcd.pages == 10 * list(range(8))


class Measured:
    def __init__(self, phases=3):
        self.phases = phases
        self.u_uv = [230_000_000] * phases
        self.p_uw = [3_450_000_000 // phases] * phases
        self.p_total_uw = 3_450_000_000
        self.q_total_uvar = -1_000_000_000
        self.s_total_uva = 3_600_000_000
        self.counting = True
        self.invalid = False


def lit(measured, **attributes_set):
    told = MeterStatus(measured, measured, 230, measured)
    for attribute, value in attributes_set.items():
        setattr(told, attribute, value)
    shown = Indicators()
    told(shown)
    names = [one for one in NAMES if shown.steady & bit(one)]
    return names, [one for one in NAMES if shown.blinking & bit(one)]


@pytest.mark.row("DSP-01", "DSP-03")
def test_state_of_the_mains():
    measured = Measured()
    assert lit(measured) == (["L1", "L2", "L3", "+P", "-Q"], [])
    measured.u_uv[1] = 114_900_000
    measured.p_total_uw = -measured.p_total_uw
    measured.q_total_uvar = 1_000_000  # noise
    assert lit(measured) == (["L1", "L3", "-P"], [])
    measured.counting = False
    assert lit(measured) == (["L1", "L3"], [])
    assert lit(measured, tariff=lambda: 1) == (["T1", "L1", "L3"], [])
    assert lit(Measured(1))[0] == ["L1", "+P", "-Q"]


@pytest.mark.row("DSP-03")
def test_phases_that_blink():
    measured = Measured()
    measured.counting = False

    def phases():
        steady, blinking = lit(measured)
        return [[one for one in names if one[0] == "L"] for names in (steady, blinking)]

    measured.p_uw = [800_000_000, -600_000_000, 1_000_000_000]
    assert phases() == [["L1", "L3"], ["L2"]]
    measured.p_uw = [800_000_000, -1_000_000, 1_000_000_000]  # noise
    assert phases() == [["L1", "L2", "L3"], []]
    measured.p_uw = [-800_000_000, -600_000_000, -1_000_000_000]  # the house feeds in
    assert phases() == [["L1", "L2", "L3"], []]
    measured.p_uw = [-800_000_000, -600_000_000, 1_000_000_000]
    assert phases() == [["L3"], ["L1", "L2"]]
    measured.p_uw = [0, 0, 0]
    for swapped in range(3):  # neutral and a phase have changed places
        measured.u_uv = [398_000_000] * 3
        measured.u_uv[swapped] = 230_000_000
        assert phases() == [[], ["L1", "L2", "L3"]]
    measured.u_uv = [398_000_000, 398_000_000, 20_000_000]  # a broken neutral is not that
    assert phases() == [["L1", "L2"], []]
    measured = Measured(1)
    measured.u_uv = [398_000_000]
    assert phases() == [["L1"], []]
    assert lit(Measured(), wrong_sequence=lambda: True)[1] == ["L1", "L2", "L3"]


@pytest.mark.row("DSP-05")
def test_cursors_of_demand_and_of_ports():
    measured = Measured()
    measured.counting = False
    for rate in range(9):
        steady, _ = lit(measured, demand_rate=lambda rate=rate: rate, tariff=lambda: 0)
        assert [one for one in steady if one[0] == "M"] == ([f"M{rate}"] if 0 < rate < 5 else [])
    told = MeterStatus(measured, measured, 230, measured)
    octets = [0]
    told.octets = lambda: octets[0]

    def com():
        shown = Indicators()
        told(shown)
        return [bits & bit("COM") != 0 for bits in (shown.steady, shown.blinking)]

    assert com() == [False, False]
    told.connections = lambda: 1
    assert com() == [True, False]
    octets[0] += 7
    assert com() == [False, True]
    assert com() == [True, False]
    told.others.append(lambda shown: shown.set("MB"))
    shown = Indicators()
    told(shown)
    assert shown.steady & bit("MB")


@pytest.mark.row("DSP-05")
def test_state_of_the_meter():
    measured = Measured()
    measured.counting = False
    assert lit(
        measured, tariff=lambda: 4, fault=lambda: True, others=[lambda shown: shown.set("SD")]
    )[0][:3] == [
        "T4",
        "FF",
        "SD",
    ]
    assert lit(measured, tariff=lambda: 5)[1] == ["T1"]
    assert lit(measured, tariff=lambda: 0)[0] == ["L1", "L2", "L3"]
    assert lit(measured, wrong_sequence=lambda: True)[1] == ["L1", "L2", "L3"]
    measured.invalid = True
    assert lit(measured)[1] == ["CLK"]

"""Load profiles on the glass: days, entries, values, equal to what the buffer holds (LPR-16)."""

import sys
from pathlib import Path

import pytest

import civil
from app.axdr import Reader, Writer
from app.display import keys, menu_tree, options
from app.rows import NO_TIME

sys.path += [str(Path(__file__).parent), str(Path(__file__).parents[2] / "boards" / "sim")]

from display_rig import Console
from load_rig import LoadRig

QUARTER = 900
DAY = 86400


class Shown:
    """A console beside a load profile that has captured for days."""

    def __init__(self, days=3, options_set=menu_tree.FACTORY):
        self.rig = LoadRig(civil.utc_s(2026, 1, 14, 10))
        for _ in range(4 * days):
            self.rig.run(DAY // 4)
            while self.rig.rings.step():  # what the storage's task would do meanwhile
                pass
        self.profile = self.rig.profiles[0]
        self.console = Console(options_set)
        self.console.display.console.profiles = self.rig.profiles[:2]
        for reference in ((1, 8), (2, 8), (5, 8), (6, 8), (7, 8), (8, 8), (1, 5)):
            self.console.values[bytes((1, 0, *reference, 0, 255))] = (0, 0, 30)

    def buffer(self):
        """(date, time, values) of all entries, as class 7 would send them."""
        found = []
        for sequence in range(self.profile.first, self.profile.next):
            self.profile.load(sequence)
            values = []
            for column in range(9):
                writer = Writer(bytearray(64))
                self.profile.write(writer, column)
                values.append(Reader(writer.buffer).data()[1])
            at = values[0]
            date = f"{at[0] << 8 | at[1]:04}.{at[2]:02}.{at[3]:02}"
            found.append((date, f"{at[5]:02}:{at[6]:02}:{at[7]:02}", values[1:]))
        return found

    def walk(self):
        """All that a layer shows up to End, from its first entry."""
        seen = []
        while self.console.value != "End":
            seen.append((self.console.code, self.console.value))
            self.console.short()
            assert len(seen) < 500
        return seen

    def open(self, presses):
        self.console.short(presses)
        assert self.console.long() == [(20, "EntEr")]


@pytest.mark.row("LPR-16", "DSP-30")
def test_days_entries_and_values_are_those_of_the_buffer():
    shown = Shown()
    console = shown.console
    buffer = shown.buffer()
    dates = sorted({date for date, _, _ in buffer}, reverse=True)
    assert len(dates) == 4
    shown.open(3)
    assert shown.walk() == [("P.01", date) for date in dates]
    assert console.short() == dates[0]  # from the newest again
    console.short()
    assert console.long() == [(20, "EntEr")]
    times = [time for date, time, _ in buffer if date == dates[1]]
    assert len(times) == DAY // QUARTER and times[:2] == ["00:00:00", "00:15:00"]
    assert shown.walk() == [("P.01", time) for time in times]
    console.short(2)
    assert console.value == times[1]
    console.long()
    values = next(values for date, time, values in buffer if (date, time) == (dates[1], times[1]))
    seen = shown.walk()
    assert [code for code, _ in seen] == [
        "C.10.1", "1.8.0", "2.8.0", "5.8.0", "6.8.0", "7.8.0", "8.8.0", "1.5.0"
    ]  # fmt: skip
    assert [value for _, value in seen[1:]] == [
        f"{value // 1000 % 1000000:06}.{value // 10 % 100:02}" for value in values[1:7]
    ] + ["--------"]  # this rig has no demand
    assert console.long() == [(20, "LAYEr UP")]
    assert console.value == times[1]
    assert console.hold(keys.BACK) == [(20, "EntEr"), (50, "LAYEr UP")]
    assert console.value == dates[1]
    assert console.hold(keys.TO_AUTO)[-1] == (70, "ESC")
    assert console.code == "1.8.0"


@pytest.mark.row("LPR-16")
def test_second_profile_has_its_own_days():
    shown = Shown()
    shown.profile = shown.rig.profiles[1]
    shown.open(4)
    assert shown.console.code == "P.02"
    buffer = [(date, time) for date, time, _ in shown.buffer()]
    assert [date for _, date in shown.walk()] == [date for date, _ in reversed(buffer)]


@pytest.mark.row("KEY-05", "DSP-25")
def test_menu_shows_what_the_configuration_lets_it_at_once():
    shown = Shown(1)
    console = shown.console
    chosen = options.Options(shown.rig.settings)
    console.display.console.options = lambda: chosen.values[options.CONSOLE]
    console.short(2)
    items = []
    for _ in range(4):
        items.append(console.value)
        console.short()
    assert items == ["Std dAtA", "P.01", "P.02", "End"]
    console.short()
    assert console.value == "P.01"
    for configuration, shows in ((0x05, "P.02"), (0x01, "End"), (0x03, "P.01")):
        chosen.put(options.CONSOLE, configuration)
        console.run(1)
        assert console.value == shows
    again = options.Options(shown.rig.settings)
    assert again.values[options.CONSOLE] == 0x03
    for wrong, told in ((0x08, "no sounder"), (0x20, "0 to 31"), (255, "31"), (-1, "31")):
        with pytest.raises(ValueError, match=told):
            chosen.put(options.CONSOLE, wrong)
    console.hold(keys.TO_AUTO)
    chosen.put(options.CONSOLE, 0x02)  # reduced: at once the list, no test picture
    assert console.short() == "67542301"


def test_profile_without_entries_is_at_its_end():
    shown = Shown()
    shown.profile.reset()
    shown.open(3)
    assert shown.console.value == "End"
    assert shown.console.short() == "End"
    assert shown.console.long() == [(20, "LAYEr UP")]
    assert shown.console.value == "P.01"


def test_entries_that_go_while_they_are_shown_leave_dashes():
    shown = Shown()
    console = shown.console
    shown.open(3)
    console.long()
    console.long()
    console.short()
    assert console.code == "1.8.0" and console.value[:1].isdigit()
    shown.profile.reset()
    console.run(1)
    assert (console.code, console.value) == ("1.8.0", "--------")
    console.long()
    assert console.value == "--:--:--"
    console.hold(keys.BACK)
    assert console.value == "End"


def test_damaged_entries_are_passed_over():
    shown = Shown(1)
    console = shown.console
    dates = sorted({date for date, _, _ in shown.buffer()}, reverse=True)
    profile = shown.profile
    whole = profile.load
    damaged = set(range(profile.next - 3, profile.next))

    def load(sequence):
        found = whole(sequence)
        if sequence in damaged:
            profile._row[:4] = b"\xff" * 4  # what load leaves of a damaged row
            return False
        return found

    profile.load = load
    shown.open(3)
    assert console.value == dates[0]
    damaged.update(range(profile.first, profile.next))
    console.short()
    assert profile.dated() == NO_TIME
    console.short(3)
    assert console.value == "End"


def test_clock_that_was_set_back_over_midnight_shows_each_run_of_a_day():
    shown = Shown(1)
    rig = shown.rig
    rig.clock.set_utc_s(rig.clock.utc_s() - DAY)
    rig.run(DAY + 3600)
    dates = []
    for date, _, _ in shown.buffer():
        if not dates or dates[-1] != date:
            dates.append(date)
    assert len(dates) == len(set(dates)) + 2
    shown.open(3)
    assert [date for _, date in shown.walk()] == dates[::-1]


@pytest.mark.parametrize("back_s", [5400, 6300, 7200])
def test_a_few_entries_of_another_date_part_a_day(back_s):
    shown = Shown(1)
    rig = shown.rig
    rig.clock.set_utc_s(civil.utc_s(2026, 1, 15, 22, 30))  # local time is an hour ahead
    rig.run(1800 + 3600)
    rig.clock.set_utc_s(rig.clock.utc_s() - back_s)
    rig.run(back_s - 3600)
    for _ in range(12):
        rig.run(QUARTER)
        runs = []
        for date, time, _ in shown.buffer():
            if not runs or runs[-1][0] != date:
                runs.append((date, []))
            runs[-1][1].append(("P.01", time))
        assert len(runs) == 5 and runs[-1][0] == runs[-3][0] != runs[-2][0]
        shown.open(3)
        assert [date for _, date in shown.walk()] == [date for date, _ in reversed(runs)]
        shown.console.short()
        shown.console.long()
        assert shown.walk() == runs[-1][1]
        shown.console.hold(keys.TO_AUTO)


def test_a_damaged_entry_parts_no_day():
    shown = Shown(3)
    profile = shown.profile
    dates = sorted({date for date, _, _ in shown.buffer()}, reverse=True)
    whole = profile.load
    damaged = {profile.next - 60, profile.next - 61}
    profile.load = lambda sequence: sequence not in damaged and whole(sequence)
    shown.open(3)
    assert [date for _, date in shown.walk()] == dates


def test_a_day_is_found_without_reading_all_entries():
    shown = Shown(30)
    profile = shown.profile
    assert profile.next - profile.first > 2800
    loads = []
    whole = profile.load
    profile.load = lambda sequence: loads.append(sequence) or whole(sequence)
    shown.open(3)
    for _ in range(28):
        loads.clear()
        shown.console.short()
        assert len(loads) <= DAY // QUARTER + 3

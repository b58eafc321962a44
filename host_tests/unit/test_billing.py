"""The end of billing: its order, its causes, and power cuts at every byte of it."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent))

import pytest
from billing_rig import NOW_UTC_S, BillingRig, PowerLost

from app.storage import regions, rings
from app.tariff import billing
from app.tariff.billing import BILLING_1, BILLING_2, DAILY, MANUAL, REGULAR, REMOTE

DAY_S = 86400


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    monkeypatch.setattr(rings.time, "sleep_ms", lambda _ms: None, raising=False)


@pytest.fixture
def rig():
    return BillingRig(maximum=4711)


@pytest.mark.row("BIL-05")
def test_script_1_captures_then_resets_then_counts_then_tells(rig):
    order = []
    rig.billing.on_billing.append(lambda: order.append((len(rig.rows()), rig.billing.count)))
    rig.billing.capture(BILLING_1, REMOTE)
    assert rig.rows() == [(NOW_UTC_S, 0, 4711, REMOTE)]  # the counter of before
    assert order == [(1, 0)]  # behind the capture, before the count
    assert (rig.maximum, rig.billing.count) == (0, 1)
    assert rig.codes() == [209, 231]


@pytest.mark.row("BIL-06")
def test_script_2_captures_billing_2_and_nothing_else(rig):
    rig.billing.capture(BILLING_2, REMOTE)
    assert rig.rows(1) == [(NOW_UTC_S, 0, 4711, REMOTE)]
    assert rig.rows(0) == rig.rows(2) == []
    assert (rig.maximum, rig.billing.count) == (4711, 0)
    assert rig.codes() == []
    assert rig.billing.last is None


def test_the_daily_one_has_a_profile_of_its_own(rig):
    rig.billing.capture(DAILY, REGULAR, NOW_UTC_S - 10)
    assert rig.rows(2) == [(NOW_UTC_S - 10, 0, 4711, REGULAR)]
    assert (rig.rows(0), rig.rows(1), rig.maximum) == ([], [], 4711)


@pytest.mark.row("BIL-15")
@pytest.mark.parametrize(("cause", "code"), [(REMOTE, 209), (MANUAL, 210), (REGULAR, 223)])
def test_each_route_has_its_code_beside_that_of_the_reset(rig, cause, code):
    rig.billing.capture(BILLING_1, cause)
    assert rig.codes() == [code, 231]


@pytest.mark.row("BIL-13")
@pytest.mark.row("BIL-14")
def test_counter_and_time_of_the_last_survive(rig):
    for number in range(3):
        rig.later(100)
        rig.billing.capture(BILLING_1, REGULAR, rig.now_s - 50)
        assert rig.billing.count == number + 1
    rig.boot()
    assert rig.billing.count == 3
    assert rig.billing.last == (rig.now_s - 50, 0, 0)
    assert rig.billing.last[0] == rig.rows()[-1][0]


def run(rig, script, cause, utc_s):
    try:
        rig.billing.capture(script, cause, utc_s)
    except PowerLost:
        return False
    return True


@pytest.mark.parametrize("memory", ["fram", "flash"])
@pytest.mark.parametrize("script", [BILLING_1, BILLING_2])
def test_power_cut_at_every_byte_leaves_none_or_all_of_a_billing(memory, script):
    before = BillingRig(maximum=10)
    before.billing.capture(script, REMOTE)
    before.maximum = 4711
    before.later(60)
    codes = before.codes()
    entry = (before.now_s - 5, before.billing.count, 4711, REGULAR)
    none = all_ = 0
    for cut in range(2000):
        rig = before.copy()
        getattr(rig, memory).cut_after = cut
        whole = run(rig, script, REGULAR, rig.now_s - 5)
        rig.later(30)
        rig.boot()
        rows = rig.rows(script - 1)[1:]
        if rows:
            assert rows == [entry], cut
            all_ += 1
        else:
            assert not whole, cut
            none += 1
        done = int(bool(rows))
        assert rig.billing.did(script, before.now_s - 5) == bool(done), cut
        if script == BILLING_1:
            assert rig.billing.count == 1 + done, cut
            assert rig.maximum == (0 if done else 4711), cut
            assert rig.codes() == codes + [223, 231] * done, cut
            assert rig.billing.last[0] == (before.now_s - 5 if done else before.now_s - 60), cut
        # the next one comes as if nothing had been
        rig.billing.capture(script, REMOTE)
        assert len(rig.rows(script - 1)) == 2 + done, cut
        if whole:
            break
    assert whole
    assert all_ > 10
    assert none > 10 or memory == "flash"  # begun before the flash is touched


def test_a_second_cut_while_a_billing_is_finished_loses_nothing_either():
    before = BillingRig(maximum=4711)
    for first in range(30, 500, 37):
        for second in range(1, 300, 23):
            rig = before.copy()
            rig.fram.cut_after = first
            run(rig, BILLING_1, REGULAR, NOW_UTC_S)
            try:
                rig.boot(second)
            except PowerLost:
                pass
            rig.boot()
            done = len(rig.rows())
            assert (rig.billing.count, rig.codes()) == (done, [223, 231] * done), (first, second)
            assert rig.maximum == (0 if done else 4711)


def test_a_flash_that_does_not_answer_ends_a_billing_before_anything_is_lost(rig):
    rig.flash.dead = True
    with pytest.raises(OSError):
        rig.billing.capture(BILLING_1, REMOTE)
    assert (rig.maximum, rig.billing.count, rig.billing.cause) == (4711, 0, billing.NEVER)
    rig.flash_is_back()
    rig.billing.capture(BILLING_1, REGULAR)
    assert rig.rows() == [(NOW_UTC_S, 0, 4711, REGULAR)]
    assert rig.codes() == [223, 231]


def test_a_fram_that_does_not_answer_begins_no_billing(rig):
    rig.fram.dead = True
    with pytest.raises(OSError):
        rig.billing.capture(BILLING_1, REMOTE)
    assert (rig.maximum, rig.billing.count) == (4711, 0)
    rig.fram.dead = False
    rig.boot()
    assert (rig.rows(), rig.billing.count) == ([], 0)


def test_what_a_silent_fram_holds_is_not_overwritten_when_it_answers(rig):
    rig.billing.capture(BILLING_1, REMOTE)
    octets = bytes(rig.fram.octets)
    rig.fram.dead = True
    rig.boot()
    rig.fram.dead = False
    with pytest.raises(OSError):
        rig.billing.capture(BILLING_1, REMOTE)
    assert rig.fram.octets == octets
    rig.boot()
    assert rig.billing.count == 1


def test_a_reset_that_fails_is_made_up_for_by_the_next_call(rig):
    def fails():
        rig.fram.dead = True
        raise OSError

    rig.billing.on_billing.append(fails)
    with pytest.raises(OSError):
        rig.billing.capture(BILLING_1, REMOTE)
    assert rig.billing.count == 0
    rig.fram.dead = False
    rig.billing.on_billing.pop()
    rig.later(30)
    rig.billing.capture(BILLING_1, REMOTE)  # the client asks again
    assert len(rig.rows()) == rig.billing.count == 1
    assert rig.codes() == [209, 231]
    rig.billing.capture(BILLING_1, REMOTE)
    assert rig.billing.count == 2


def test_one_that_was_left_unfinished_long_ago_is_finished_before_the_next(rig):
    def fails():
        raise OSError

    rig.billing.on_billing.append(fails)
    with pytest.raises(OSError):
        rig.billing.capture(BILLING_1, REGULAR)
    rig.billing.on_billing.pop()
    rig.later(31 * DAY_S)
    rig.billing.capture(BILLING_1, REGULAR)
    assert [row[0] for row in rig.rows()] == [NOW_UTC_S, rig.now_s]
    assert rig.billing.count == 2
    assert rig.codes() == [223, 231] * 2


@pytest.mark.row("DEM-08")
def test_the_key_resets_once_in_24_hours_and_only_where_it_may(rig):
    assert not rig.billing.manual()  # factory: disabled
    assert rig.rows() == []
    rig.billing.set_option(billing.MANUAL_RESET, True)
    assert rig.billing.manual()
    assert rig.codes() == [210, 231]
    assert rig.maximum == 0
    rig.later(DAY_S - 1)
    assert not rig.billing.manual()
    rig.boot()
    assert not rig.billing.manual()  # a power cut does not help
    rig.later(1)
    assert rig.billing.manual()
    rig.later(-3600)  # nor does a clock set back
    assert not rig.billing.manual()
    assert rig.billing.count == 2
    rig.clock.invalid = True
    rig.later(3 * DAY_S)
    rig.clock.invalid = True
    assert not rig.billing.manual()


def test_a_refused_key_keeps_no_time(rig):
    rig.billing.set_option(billing.MANUAL_RESET, True)
    rig.flash.dead = True
    with pytest.raises(OSError):
        rig.billing.manual()
    rig.flash_is_back()
    assert rig.billing.manual()


def test_options_are_apart_and_survive(rig):
    rig.billing.set_option(billing.SHOW_PAST, True)
    rig.billing.set_option(billing.MANUAL_RESET, True)
    rig.billing.set_option(billing.SHOW_PAST, False)
    rig.boot()
    assert rig.billing.option(billing.MANUAL_RESET)
    assert not rig.billing.option(billing.SHOW_PAST)


def test_a_damaged_record_is_told_of_and_the_next_billing_counts_on(rig):
    rig.billing.capture(BILLING_1, REMOTE)
    record = regions.open_record(rig.fram, "billing")
    for address in record._addresses:
        rig.fram.octets[address + 12] ^= 0xFF
    rig.boot()
    assert rig.billing.damaged
    rig.billing.capture(BILLING_1, REMOTE)
    assert rig.billing.count == 1
    assert not rig.boot().billing.damaged

"""A walk through all menus by keys alone, as a customer or an installer does it, and its screens.

Time stands still but for what the test lets pass. What the load profile shows is compared with the
buffer that a foreign client reads.
"""

import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import clients
import pytest
from conftest import VirtualMeter
from gurux_dlms import GXDLMSException
from gurux_dlms.enums import DataType
from gurux_dlms.objects import GXDLMSData, GXDLMSProfileGeneric
from key_presses import AUTO_S, BACK_S, ENTER_S, EXTENDED_S, Front

ALL = "8." * 8
CONFIGURATION = "0.0.196.1.3.255"
LANGUAGE = "0.0.196.1.6.255"


@pytest.fixture(scope="module")
def front(tmp_path_factory):
    """A meter that has measured over a midnight."""
    meter = VirtualMeter(tmp_path_factory.mktemp("menus") / "state", ["--rate", "0"])
    meter.start("--time", "2026-03-01T21:50:00")
    meter.post("/api/mains", phases=[{"u": 230, "i": 10, "phi_deg": 0}] * 3)
    meter.post("/api/advance", seconds=2.5 * 3600)
    yield Front(meter)
    assert meter.stop() == 0


@pytest.fixture
def auto(front):
    """The same with the general list on the glass."""
    front.wait(125)
    assert front.value not in ("", ALL)
    return front


def session(meter):
    transport = clients.Socket(meter.ports["cosem"])
    return clients.Gurux(transport, clients.MANAGEMENT, clients.SECRET).connect()


def configure(meter, value, name=CONFIGURATION, kind=DataType.UINT8):
    wire = session(meter)
    item = GXDLMSData(name)
    item.setDataType(2, kind)
    item.value = value
    try:
        wire.write(item, 2)
        wire.read(item, 2)
        return item.value
    finally:
        wire.release()


@pytest.mark.row("KEY-04", "KEY-05", "KEY-06", "KEY-07", "KEY-08", "DSP-16", "PRD-12")
def test_all_menus_of_the_normal_console(auto):
    assert auto.press() == ALL and len(auto.glass["cursors"]) == 22
    assert auto.press() == "Std dAtA"
    assert [value for _, value, _ in auto.layer()] == ["Std dAtA", "P.01", "P.02"]
    assert auto.tip(ENTER_S) == "ESC" and auto.code != ""
    auto.press()
    auto.press()
    assert auto.tip() == "EntEr"
    listed = [code for code, _, _ in auto.layer()]
    assert listed[:4] == ["0.0.0", "0.9.2", "0.9.1", "1.8.0"] and len(listed) > 20
    assert auto.press() != "End" and auto.code == "0.0.0"
    assert auto.tip() == "LAYEr UP" and auto.value == "Std dAtA"
    assert auto.tip(BACK_S) == "ESC"
    auto.press()
    assert auto.press(key="reset") == "rESEt"
    assert [value for _, value, _ in auto.layer()] == ["rESEt", "LCd tESt", "LAnGUAGE"]
    auto.press()
    assert auto.press() == "LCd tESt"
    assert auto.tip() == "EntEr"
    pictures = [auto.glass]
    for _ in range(3):
        auto.press()
        pictures.append(auto.glass)
    assert [one["value"] for one in pictures] == [ALL, "8. 8. 8. 8.", "8. 8. 8. 8.", ""]
    assert [len(one["cursors"]) for one in pictures] == [22, 11, 11, 0]
    lit = [sum(row.count("#") for row in one["rows"]) for one in pictures]
    assert lit[3] == 0 and min(lit[:3]) > 200 and lit[1] + lit[2] < 1.05 * lit[0]
    assert auto.press() == "LCd tESt"
    assert auto.tip(AUTO_S) == "ESC" and auto.code != ""


@pytest.mark.row("LPR-16", "DSP-30")
def test_load_profile_is_the_buffer_that_a_client_reads(auto):
    wire = session(auto.meter)
    profile = GXDLMSProfileGeneric("1.0.99.1.0.255")
    wire.read(profile, 3)
    wire.read(profile, 2)
    wire.release()
    rows = {}
    for row in profile.buffer:
        moment = row[0].value
        rows.setdefault(f"{moment:%Y.%m.%d}", {})[f"{moment:%H:%M:%S}"] = row[1:]
    assert len(rows) == 2
    for _ in range(3):
        auto.press()
    assert auto.value == "P.01"
    auto.press(ENTER_S)
    assert [value for _, value, _ in auto.layer()] == sorted(rows, reverse=True)
    auto.press()
    auto.press()
    day = auto.value
    auto.press(ENTER_S)
    assert [value for _, value, _ in auto.layer()] == list(rows[day])
    for _ in range(3):
        auto.press()
    entry = rows[day][auto.value]
    auto.press(ENTER_S)
    seen = auto.layer()
    assert [code for code, _, _ in seen][:3] == ["C.10.1", "1.8.0", "2.8.0"]
    assert len(seen) == len(entry)
    for (code, value, unit), raw in list(zip(seen, entry))[1:-1]:
        assert unit in ("kWh", "kvarh"), code
        assert value == f"{raw // 1000:06}.{raw // 10 % 100:02}"
    _, value, unit = seen[-1]
    assert unit == "kW" and float(value) == pytest.approx(entry[-1] / 10_000, abs=0.001)
    assert auto.tip() == "LAYEr UP"
    assert auto.tip(BACK_S) == "LAYEr UP" and auto.value == day


@pytest.mark.row("DSP-25", "KEY-05", "KEY-03")
def test_configuration_changes_the_menu_at_once(auto):
    meter = auto.meter
    try:
        assert configure(meter, 0x05) == 0x05
        auto.press()
        auto.press()
        assert [value for _, value, _ in auto.layer()] == ["Std dAtA", "P.02"]
        assert configure(meter, 0x01) == 0x01
        auto.press()
        assert [value for _, value, _ in auto.layer()] == ["Std dAtA"]
        with pytest.raises(GXDLMSException):
            configure(meter, 0x80)
        auto.press(AUTO_S)
        assert configure(meter, 0x06) == 0x06  # the reduced console
        auto.press()
        assert auto.code == "0.0.0"
        auto.press()
        assert auto.code == "0.9.2"
        assert auto.tip(BACK_S) == "ESC"
        assert auto.code not in ("0.9.2", "")
        assert auto.tip(EXTENDED_S) == "EntEr" and auto.value == "LCd tESt"
        assert auto.press() == "End"
        assert auto.tip(BACK_S) == "ESC" and auto.code != ""
    finally:
        configure(meter, 0x07)


@pytest.mark.row("DSP-33")
def test_language_is_chosen_by_keys_and_by_a_client(auto):
    def menu():
        auto.press()
        return auto.press()

    def read():
        wire = session(auto.meter)
        try:
            return wire.read(GXDLMSData(LANGUAGE), 2)
        finally:
            wire.release()

    names = ["EnGLiSH", "dEUtSCH", "SrPS.", "SLoU."]
    done = ["rSUCCESS", "FErtiG", "USPESno", "USPESno"]
    menus = ["Std dAtA", "dAtEn", "PodACi", "StAnJA"]
    end = "End"
    try:
        for language in (1, 2, 3, 0):
            auto.press()
            auto.press(key="reset")
            auto.press()
            auto.press()
            auto.press(ENTER_S)
            assert [value for _, value, _ in auto.layer(end)] == names
            for _ in range(language + 1):
                auto.press()
            assert auto.press(ENTER_S) == done[language]
            auto.wait(3)
            assert auto.code != ""
            assert menu() == menus[language]
            end = ("End", "EndE", "GotoUo", "GotoUo")[language]
            auto.press(AUTO_S)
            assert read() == language
        configure(auto.meter, 1, LANGUAGE, DataType.ENUM)
        assert menu() == "dAtEn"
        with pytest.raises(GXDLMSException):
            configure(auto.meter, 4, LANGUAGE, DataType.ENUM)
        assert auto.tip(AUTO_S) == "AbbrUCH"
    finally:
        configure(auto.meter, 0, LANGUAGE, DataType.ENUM)


@pytest.mark.row("KEY-09")
def test_locked_meter_rejects_the_reset(auto):
    auto.press()
    auto.press(key="reset")
    assert auto.press(ENTER_S) == "rESEt"
    auto.down("reset")
    auto.wait(1)
    auto.down()
    auto.wait(3.9)
    assert auto.value == "rESEt"
    auto.wait(0.3)
    assert auto.value == "rELEASE"
    auto.up("reset")
    auto.up()
    assert auto.value == "rEJECtEd"
    auto.wait(3)
    assert auto.value == "rESEt"


@pytest.mark.row("DSP-32")
def test_service_menu_while_the_terminal_cover_is_open(auto):
    meter = auto.meter
    assert auto.tip() not in ("EntEr", "")
    meter.post("/api/cover", cover="terminal", open=True)
    try:
        auto.wait(2)
        assert auto.tip() == "EntEr" and auto.value == "tESt"
        items = [value for _, value, _ in auto.layer()]
        assert items == ["tESt", "SELF tSt", "LCd tESt", "PArtS"]
        auto.press()
        auto.press(ENTER_S)
        auto.wait(1)
        assert "TEST" in auto.glass["cursors"]
        auto.press(ENTER_S)
        auto.press(ENTER_S)
        auto.wait(1)
        assert "TEST" not in auto.glass["cursors"]
        auto.press(ENTER_S)
        auto.press()
        auto.press(ENTER_S)
        shown, codes = set(), set()
        for _ in range(60):
            auto.wait(0.5)
            shown.add(auto.value)
            codes.add(auto.code)
        missing = set("0123456789AbCdEFGHiJLnoPrStUYZ-_")
        for fields in (shown, codes):
            assert missing <= set("".join(fields)), missing - set("".join(fields))
        auto.wait(10)
        assert auto.code != ""
    finally:
        meter.post("/api/cover", cover="terminal", open=False)


def test_the_parts_are_tested_by_a_key_and_a_dead_chip_is_shown(auto):
    meter = auto.meter
    meter.post("/api/cover", cover="terminal", open=True)
    try:
        auto.wait(2)
        auto.press(ENTER_S)
        for _ in range(3):
            auto.press()
        assert auto.value == "PArtS"
        meter.post("/api/chip", chip="flash", fault="dead")
        auto.press(ENTER_S)
        auto.wait(3)
        found = [(code.upper().strip(), value) for code, value, _ in auto.layer()]
        good = {code for code, value in found if value == "rSUCCESS"}
        # the glass has no K and no M
        assert good == {"HEAP", "CPU", "FRA", "CLOC", "CELL", "AINS", "ADC"}, found
        assert [code for code, value in found if value == "rFAiL"] == ["FLASH"], found
    finally:
        meter.post("/api/chip", chip="flash", fault="clear")
        meter.post("/api/cover", cover="terminal", open=False)
        auto.press(AUTO_S)
        auto.wait(11)  # until the storage has found the flash again


def test_keys_mashed_at_random_always_leave_a_way_back(auto):
    seed = random.randrange(1 << 32)
    print("seed", seed)
    chance = random.Random(seed)
    before = auto.meter.get("/api/health")
    for _ in range(60):
        key = chance.choice(("scroll", "scroll", "reset"))
        auto.meter.post("/api/key", key=key, down=chance.random() < 0.6)
        auto.wait(chance.choice((0.02, 0.2, 1, 2.2, 5.2, 11)))
    for key in ("scroll", "reset"):
        auto.meter.post("/api/key", key=key, down=False)
    auto.wait(130)
    assert auto.code != "" or auto.value not in (ALL, "")
    assert auto.press() == ALL
    assert auto.meter.get("/api/health")["task_restarts"] == before["task_restarts"]

"""The register file: which value stands under which code, with which sign, scaler and unit."""

import pytest

from app import registers
from app.display.formats import Formats
from app.energy_record import EnergyRecord
from app.identification import Identification
from app.registers import RegisterFile
from app.settings import Settings
from app.storage import record
from metrology.energy import ABSOLUTE, TWO_WAY


class Quantities:
    """Three phases importing with a lagging current, the third one exporting."""

    phases = 3
    u_uv = [230_004_999, 231_005_000, 0]
    i_ua = [5_000_400, 1_000_500, 20_000]
    in_ua = 4_000_000
    p_uw = [575_049_999, 100_000_000, -200_000_000]
    q_uvar = [996_000_000, -50_000_000, 30_000_000]
    s_uva = [1_150_000_000, 111_000_000, 202_000_000]
    pf_ppm = [500_000, 894_427, -990_500]
    thd_u_ppm = [12_345, 0, 20_000_000]
    thd_i_ppm = [100_000, 0, 0]
    p_total_uw = 475_049_999
    q_total_uvar = 976_000_000
    s_total_uva = 1_463_000_000
    pf_total_ppm = 324_700
    f_uhz = 49_999_600

    def angle_u_mdeg(self, phase):
        return (0, 120_040, 239_960)[phase]

    def angle_ui_mdeg(self, phase):
        return (60_000, -26_565, 179_960)[phase]


class Energies:
    """Twelve totals that can be stored."""

    mode = TWO_WAY
    element_uws = ()

    def __init__(self):
        self.wh = [0] * 12

    def snapshot_into(self, buffer, offset):
        for index, value in enumerate(self.wh):
            buffer[offset + 8 * index : offset + 8 * index + 8] = value.to_bytes(
                8, "little", signed=True
            )
        return 96

    def check(self):
        """Nothing flips here: test_ram_check.py lets it."""

    def restore_from(self, buffer, offset):
        if len(buffer) < 96:
            raise ValueError("too short")
        for index in range(12):
            start = offset + 8 * index
            self.wh[index] = int.from_bytes(
                bytes(buffer[start : start + 8]), "little", signed=True
            )


@pytest.fixture
def file():
    return RegisterFile(Quantities(), Energies(), neutral=True)


def read(file, c, d, e=0):
    index = file.find(c, d, e)
    assert index >= 0, f"1-0:{c}.{d}.{e} is missing"
    assert file.obis(index) == (c, d, e)
    return file.value(index), *file.form(index)[:2]


@pytest.mark.row("EN-07")
def test_a_register_rolls_over_on_the_display_only(file):
    forms = Formats()
    for wh, glass in (
        (999_999_990, "999999.99"),
        (999_999_999, "999999.99"),
        (1_000_000_000, "000000.00"),
        (5_000_000_012_340, "000012.34"),  # beyond 32 bits as well
    ):
        file._energies.wh[0] = wh
        value, scaler, unit = read(file, 1, 8)
        assert (value, scaler) == (wh, 0)
        assert file.form(file.find(1, 8, 0))[2] == registers.TAG_UINT64
        assert forms.number(value, scaler, unit) == (glass, "kWh")


@pytest.mark.row("EN-02")
def test_the_twelve_totals_are_there_with_their_units(file):
    energies = file._energies
    for index, c in enumerate((1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 16)):
        energies.wh[index] = 1000 + index
        unit = 32 if 3 <= c <= 8 else 31 if c in (9, 10) else 30
        assert read(file, c, 8) == (1000 + index, 0, unit)
    energies.wh[11] = -5
    assert read(file, 16, 8)[0] == -5
    assert file.form(file.find(16, 8, 0))[2] == registers.TAG_INT64


@pytest.mark.row("MET-13", "MET-15")
def test_power_shows_in_its_direction_only(file):
    assert read(file, 1, 7) == (4750, -1, 27)
    assert read(file, 2, 7) == (0, -1, 27)
    assert read(file, 61, 7) == (0, -1, 27)
    assert read(file, 62, 7) == (2000, -1, 27)
    assert read(file, 43, 7) == (0, -1, 29)
    assert read(file, 44, 7) == (500, -1, 29)
    assert read(file, 15, 7) == (4750, -1, 27)
    assert read(file, 70, 7) == (2020, -1, 28)
    assert read(file, 69, 7) == (0, -1, 28)


@pytest.mark.row("MET-08")
def test_power_is_that_which_the_registration_mode_counts():
    energies = Energies()
    energies.mode = ABSOLUTE
    quantities = Quantities()
    quantities.p_uw = [1_000_000_000, -1_000_000_000, 0]
    quantities.p_total_uw = quantities.q_total_uvar = quantities.s_total_uva = 0
    file = RegisterFile(quantities, energies, neutral=False)
    assert [read(file, c, 7)[0] for c in (1, 2, 15, 16, 9, 10)] == [
        20000,
        0,
        20000,
        20000,
        20000,
        0,
    ]
    energies.mode = TWO_WAY
    assert [read(file, c, 7)[0] for c in (1, 2, 15, 16, 9, 10)] == [0] * 6
    assert [read(file, c, 7)[0] for c in (21, 42)] == [10000, 10000]


@pytest.mark.row("MET-26")
def test_angles_count_from_the_first_voltage_and_from_voltage_to_current(file):
    for e, tenths in ((10, 1200), (20, 2400), (4, 600), (15, 3334), (26, 1800)):
        index = file.find(81, 7, e)
        assert (file.value(index), *file.form(index)[:2]) == (tenths, -1, 8)
    assert file.find(81, 7, 0) == -1


@pytest.mark.row("MET-14")
@pytest.mark.parametrize("noise_uw", (-900, -1, 0, 1, 900))
def test_the_noise_of_power_does_not_choose_the_quadrant_at_a_right_angle(noise_uw):
    quantities = Quantities()
    quantities.p_total_uw = noise_uw * 1000
    for q_uvar, quadrant in ((1_000_000_000, 1), (-1_000_000_000, 4)):
        quantities.q_total_uvar = q_uvar
        quantities.s_total_uva = 1_000_000_000
        file = RegisterFile(quantities, Energies(), neutral=False)
        shown = [read(file, 4 + number, 7)[0] for number in (1, 2, 3, 4)]
        assert [bool(value) for value in shown] == [number == quadrant for number in (1, 2, 3, 4)]
        assert read(file, 9, 7)[0] == 10000
        assert read(file, 10, 7)[0] == 0


@pytest.mark.row("MET-14")
@pytest.mark.parametrize(
    ("p_uw", "q_uvar", "quadrant"),
    [(1, 1, 1), (-1, 1, 2), (-1, -1, 3), (1, -1, 4), (0, 1, 1), (0, -1, 4)],
)
def test_only_the_quadrant_of_p_and_q_shows_a_value(p_uw, q_uvar, quadrant):
    quantities = Quantities()
    quantities.p_total_uw = p_uw * 1_000_000
    quantities.q_total_uvar = q_uvar * 7_000_000
    file = RegisterFile(quantities, Energies(), neutral=False)
    for number in (1, 2, 3, 4):
        assert read(file, 4 + number, 7)[0] == (70 if number == quadrant else 0)
    assert [read(file, 24 + number, 7)[0] for number in (1, 2, 3, 4)] == [9960, 0, 0, 0]
    assert [read(file, 64 + number, 7)[0] for number in (1, 2, 3, 4)] == [0, 300, 0, 0]


@pytest.mark.row("MET-09", "MET-10", "MET-11", "MET-12", "MET-17")
def test_voltages_currents_frequency_power_factor_round_to_the_nearest(file):
    assert read(file, 32, 7) == (23000, -2, 35)
    assert read(file, 52, 7) == (23101, -2, 35)
    assert read(file, 31, 7) == (5000, -3, 33)
    assert read(file, 51, 7) == (1001, -3, 33)
    assert read(file, 90, 7) == (6021, -3, 33)
    assert read(file, 91, 7) == (4000, -3, 33)
    assert read(file, 14, 7) == (50000, -3, 44)
    assert read(file, 13, 7) == (325, -3, 255)
    assert read(file, 73, 7) == (-991, -3, 255)


@pytest.mark.row("MET-25")
def test_distortion_is_in_hundredths_of_a_percent_and_bounded(file):
    assert read(file, 32, 7, 124) == (123, -2, 56)
    assert read(file, 31, 7, 124) == (1000, -2, 56)
    assert read(file, 72, 7, 124) == (65535, -2, 56)


def test_what_the_meter_does_not_have_is_not_found(file):
    assert file.find(99, 1, 0) == -1
    single = Quantities()
    single.phases = 1
    file = RegisterFile(single, Energies(), neutral=False)
    assert file.find(52, 7, 0) == -1
    assert file.find(91, 7, 0) == -1


class Memory:
    size = 131072

    def __init__(self):
        self.content = bytearray(self.size)
        self.dead = False
        self.writes = 0

    def read_into(self, address, buffer):
        if self.dead:
            raise OSError("no answer")
        buffer[:] = self.content[address : address + len(buffer)]

    def write(self, address, data):
        if self.dead:
            raise OSError("no answer")
        self.writes += 1
        self.content[address : address + len(data)] = data


@pytest.mark.row("EN-06")
def test_energies_are_saved_with_each_unit_and_come_back():
    memory, energies = Memory(), Energies()
    keeper = EnergyRecord(memory, energies)
    assert keeper.restore() == record.BLANK
    keeper.window()
    assert keeper.saves == 0
    energies.wh[0] = 1
    keeper.window()
    keeper.window()
    assert keeper.saves == 1
    again = Energies()
    assert EnergyRecord(memory, again).restore() == record.OK
    assert again.wh == energies.wh


def test_a_dead_memory_is_noted_and_measuring_goes_on():
    memory, energies = Memory(), Energies()
    memory.dead = True
    keeper = EnergyRecord(memory, energies)
    assert keeper.restore() == record.LOST
    energies.wh[0] = 1
    keeper.window()
    assert keeper.failed
    memory.dead = False
    energies.wh[0] = 2
    keeper.window()
    assert not keeper.failed


@pytest.mark.row("IDN-01", "IDN-02")
def test_names_follow_from_manufacturer_type_and_serial():
    three = type("Variant", (), {"phases": 3})
    identification = Identification(b"\0\0\0\x01", three, Settings(Memory()))
    assert identification.logical_device_name() == b"FRS1030700000001"
    assert identification.system_title() == bytes.fromhex("4652536770000001")
    one = type("Variant", (), {"phases": 1})
    assert Identification(b"\x01", one, Settings(Memory())).logical_device_name()[3:6] == b"102"
    long_id = Identification(bytes(range(1, 9)), three, Settings(Memory()))
    assert len(long_id.serial_number()) == 8


@pytest.mark.row("IDN-04")
def test_device_ids_are_kept_and_bounded():
    memory = Memory()
    three = type("Variant", (), {"phases": 3})
    identification = Identification(b"\x01", three, Settings(memory))
    identification.set_device_id(1, b"customer 4711")
    identification.set_device_id(8, bytes(48))
    again = Identification(b"\x01", three, Settings(memory))
    assert again.device_id(0) == b"00000001"
    assert again.device_id(1) == b"customer 4711"
    assert again.device_id(8) == bytes(48)
    with pytest.raises(ValueError, match="48"):
        identification.set_device_id(2, bytes(49))
    with pytest.raises(ValueError, match="production"):
        identification.set_device_id(0, b"2")
    assert again.device_id(2) == b""

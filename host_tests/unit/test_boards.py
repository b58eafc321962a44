"""Every board.py on a `machine` that knows its processor, and whether that notices mistakes."""

import ast
import shutil
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tools"))

import board_check
import board_manifest
from board_chips import CHIPS
from board_list import BOARDS, UnknownBoardError, named


@pytest.mark.parametrize("board", BOARDS.values(), ids=lambda board: board.name)
def test_a_board_uses_only_what_its_processor_has_and_names_every_file(board):
    wrong, found = board_check.faults_of(board)
    assert wrong == []
    assert len(found["pins"]) > 20
    if CHIPS[board.chip].state_machines:
        assert found["dma"] == 2, "the converter's capture was not begun"
        assert found["machines"], found


FITTINGS = [
    *((model, "ads131m0x", "") for model in ("3ph", "ct", "1ph", "twin")),
    ("1ph", "own", ""),
    ("1ph", "ads1115", ""),
    ("3ph", "own", "CONVERTER own has inputs for MODEL 1ph only"),
    ("twin", "ads1115", "CONVERTER ads1115 has inputs for MODEL 1ph only"),
    ("1ph", "abacus", "CONVERTER 'abacus' is none of ads131m0x, own, ads1115"),
    ("2ph", "ads131m0x", "MODEL '2ph' is none of 3ph, ct, 1ph, twin"),
]
FRONT_PINS = {
    "own": {"GP26": ["ADC"], "GP27": ["ADC"], "GP28": ["ADC"]},
    "ads1115": {"GP16": ["I2C0 SDA"], "GP17": ["I2C0 SCL"]},
}


@pytest.mark.parametrize(("model", "converter", "complaint"), FITTINGS[3:])
def test_a_pico_takes_each_converter_with_the_models_it_measures(model, converter, complaint):
    board = named("pico2_meter")
    found = board_check.examine(board.folder, board.chip, MODEL=model, CONVERTER=converter)
    if complaint:
        assert found["fault"].startswith(f"ValueError: fitted.py: {complaint}")
        return
    assert found["fault"] == ""
    assert board_check.wiring_faults(board, found["pins"], converter) == []
    for pin, uses in FRONT_PINS.get(converter, {"GP16": ["SPI0 RX", "PIO reads"]}).items():
        assert found["pins"][pin] == uses
    assert found["maximum_ma"] == (60_000 if converter == "own" else 100_000)
    assert found["dma"] == (0 if converter == "ads1115" else 2)
    assert board_check.wiring_faults(board, found["pins"], "abacus") != []


def test_every_converter_and_model_is_checked_with_each_board():
    """`make boards` runs what FITTINGS has without a complaint, and the pyboard's models."""
    sources = board_manifest.read("pico_meter")
    checked = [(one["MODEL"], one["CONVERTER"]) for one in board_check.fittings(sources)]
    assert sorted(checked) == sorted((m, c) for m, c, complaint in FITTINGS if not complaint)
    models = board_check.fittings(board_manifest.read("pyboard_meter"))
    assert models == [{"MODEL": model} for model in board_check.MODELS]


def test_a_gain_that_a_converter_has_not_is_refused(tmp_path):
    board = named("pico_meter")
    folder = tmp_path / "pico_meter"
    shutil.copytree(board.folder, folder)
    text = (folder / "fitted.py").read_text()
    (folder / "fitted.py").write_text(text.replace("CURRENT_GAIN = 1", "CURRENT_GAIN = 32"))
    found = board_check.examine(folder, board.chip, MODEL="1ph", CONVERTER="ads1115")
    assert "CONVERTER ads1115 has no gain but 1" in found["fault"]
    assert board_check.examine(folder, board.chip)["fault"] == ""


def test_only_the_chosen_converters_modules_are_needed(tmp_path):
    sources = board_manifest.read("pico2_meter")
    path = tmp_path / "fitted.py"
    text = (named("pico2_meter").folder / "fitted.py").read_text()

    def needed(converter):
        path.write_text(text.replace('CONVERTER = "ads131m0x"', f'CONVERTER = "{converter}"'))
        mine = [
            board_manifest.Source(path, one.target) if one.module == "fitted" else one
            for one in sources
        ]
        return {one.module for one in board_manifest.needed(mine)}

    of_each = {
        "ads131m0x": {"front_ads131m0x", "drivers.ads131m0x", "drivers.rp2_spi_capture"},
        "own": {"front_own", "drivers.rp2_adc"},
        "ads1115": {
            "front_ads1115",
            "drivers.ads1115",
            "drivers.busio_adapter",
            "adafruit_ads1x15.ads1x15",
            "adafruit_bus_device.i2c_device",
        },
    }
    for converter, modules in of_each.items():
        found = needed(converter)
        assert modules <= found
        for other in of_each.keys() - {converter}:
            assert not of_each[other] & found
    with pytest.raises(board_manifest.ManifestError, match="'abacus' is none of ads1115, ads131"):
        needed("abacus")


def test_there_is_a_folder_for_each_board_and_a_board_for_each_folder():
    folders = {path.parent.name for path in (ROOT / "boards").glob("*/board.py")}
    assert folders == set(BOARDS) | {"sim"}
    with pytest.raises(UnknownBoardError, match="pico2_meter, pico_meter"):
        named("nano_meter")


PIO = """
import rp2
@rp2.asm_pio(set_init=rp2.PIO.OUT_LOW)
def program():
    wrap_target()
{}    wrap()
"""
BLINK = PIO.format("    set(pins, 1)\n")
WRONG = {
    "a pin twice": ("rp2040", "Pin(3, Pin.OUT)\nPin(3, Pin.IN)", "GP3 is used twice, also by bo"),
    "a pin of the wireless chip": ("rp2040", "Pin(23)", "23 is no pin that can be reached"),
    "a pin beyond": ("rp2350", "Pin(40)", "40 is no pin that can be reached"),
    "a UART on the wrong pin": (
        "rp2040", "UART(0, 9600, tx=Pin(4), rx=Pin(5))", "GP4 cannot be UART0 TX"),
    "transmit and receive exchanged": (
        "rp2350", "UART(1, 9600, tx=Pin(5), rx=Pin(4))", "GP5 cannot be UART1 TX"),
    "a bus that is not there": ("rp2040", "UART(2, 9600)", "UART2 does not exist"),
    "a bus twice": ("rp2040", "UART(0, 9600)\nUART(0, 300)", "UART0 is opened twice"),
    "a bus's own choice of a pin in use": (
        "rp2040", "Pin(0, Pin.OUT)\nUART(0, 9600)", "UART0 takes GP0 for TX by itself"),
    "SPI on a wrong clock": (
        "rp2040", "SPI(1, sck=Pin(18), mosi=Pin(11), miso=Pin(12))", "GP18 cannot be SPI1 SCK"),
    "I2C exchanged": ("rp2350", "I2C(1, sda=Pin(7), scl=Pin(6))", "cannot be I2C1"),
    "I2C too fast": ("rp2040", "I2C(1, sda=Pin(6), scl=Pin(7), freq=2_000_000)", "1 MHz"),
    "an ADC where there is none": ("rp2040", "ADC(Pin(5))", "GP5 cannot be ADC"),
    "a state machine beyond": (
        "rp2040", BLINK + "rp2.StateMachine(8, program, set_base=Pin(2))",
        "state machine 8 of 8"),
    "a state machine twice": (
        "rp2350",
        BLINK + "rp2.StateMachine(8, program, set_base=Pin(2))\n"
        "rp2.StateMachine(8, program, set_base=Pin(3))",
        "state machine 8 is used twice"),
    "a program too long": (
        "rp2040", PIO.format("    set(pins, 1)\n" * 33)
        + "rp2.StateMachine(0, program, set_base=Pin(2))",
        "32 instructions, its programs take 33"),
    "two programs too long together": (
        "rp2040",
        PIO.format("    set(pins, 1)\n" * 17)
        + PIO.format("    set(pins, 0)\n" * 17).replace("program", "other")
        + "rp2.StateMachine(0, program, set_base=Pin(2))\n"
        "rp2.StateMachine(3, other, set_base=Pin(3))",
        "PIO 0 has 32 instructions, its programs take 34"),
    "two that drive one pin": (
        "rp2040",
        BLINK + "led = Pin(2)\nrp2.StateMachine(0, program, set_base=led)\n"
        "rp2.StateMachine(1, program, set_base=led)",
        "GP2 is driven by state machines 0 and 1"),
    "a PIO UART on the relay's state machine": (
        "rp2040",
        ("from drivers.rp2_coils import Rp2Coils\n"
        "from drivers.rp2_pio_uart import Rp2PioUart\n"
        "Rp2Coils(4, Pin(26, Pin.OUT), Pin(27, Pin.OUT))\n"
        "Rp2PioUart((4, Pin(0, Pin.OUT)), None)"),
        "state machine 4 is used twice"),
    "a PIO UART that sends on a pin that is read": (
        "rp2350",
        ("from drivers.rp2_pio_uart import Rp2PioUart\n"
        "Pin(0, Pin.IN)\nRp2PioUart((5, Pin(0, Pin.OUT)), None)"),
        "GP0 is used twice"),
    "a program without its pin": (
        "rp2040", BLINK + "rp2.StateMachine(0, program)",
        "drives set pins, and none is given"),
    "too many DMA channels": (
        "rp2040", "import rp2\nfor _ in range(13): rp2.DMA()", "more than 12 DMA channels"),
    "too many timers": ("rp2040", "for _ in range(17): Timer(-1)", "more than 16 timers"),
    "a timer in hardware": ("rp2040", "Timer(2)", "soft timers only"),
    "a watchdog too slow": ("rp2040", "WDT(timeout=9000)", "waits 8388 ms at most"),
    "a pyboard's pin that is none": ("stm32f405", 'Pin("X13")', "X13 is no pin"),
    "a pin by both its names": (
        "stm32f405", 'Pin("X1", Pin.OUT)\nPin("PA0", Pin.IN)', "PA0 is used twice"),
    "two on one interrupt line": (
        "stm32f405",
        'Pin("X17").irq(print)\nPin("X22").irq(print)',
        "PC3 and PB3 share external interrupt 3"),
    "UART and I2C on the same pins": ("stm32f405", "I2C(1)\nUART(1)", "has another use"),
    "PIO on an STM32": ("stm32f405", "import rp2", "rp2"),
    "a library that the port lacks": ("stm32f405", "import cryptolib", "cryptolib"),
    "a name of hal.Board too few": ("rp2040", "", "hal.Board also wants NAME, battery"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_is_named_with_its_line(name, tmp_path):
    chip, text, complaint = WRONG[name]
    (tmp_path / "board.py").write_text(
        "from machine import ADC, I2C, SPI, UART, WDT, Pin, Timer\n"
        f"{text}\nclass Parts:\n    pass\ndef parts():\n    return Parts()\n"
    )
    fault = board_check.examine(tmp_path, chip)["fault"]
    assert complaint in fault
    assert "board.py:" in fault or not text


@pytest.mark.parametrize("chip", ["rp2040", "rp2350"])
def test_ports_for_mbus_and_p1_fit_beside_the_relay(tmp_path, chip):
    """What a board with them would build: M-Bus both ways, P1 outwards, on one PIO."""
    (tmp_path / "board.py").write_text(
        "from machine import Pin\n"
        "from drivers.rp2_coils import Rp2Coils\n"
        "from drivers.rp2_pio_uart import Rp2PioUart\n"
        "def parts():\n"
        "    Rp2Coils(4, Pin(26, Pin.OUT), Pin(27, Pin.OUT))\n"
        "    Rp2PioUart((5, Pin(0, Pin.OUT, value=1)), (6, Pin(1, Pin.IN)))\n"
        "    Rp2PioUart((7, Pin(2, Pin.OUT, value=1)), None)\n"
    )
    found = board_check.examine(tmp_path, chip)
    assert found["fault"].startswith("hal.Board also wants"), "it is a part of a board only"
    assert sorted(found["machines"]) == ["4", "5", "6", "7"]
    assert found["dma"] == 4, "one for each sender, two for the receiver"
    assert found["instructions"]["1"] <= 32


def test_a_board_that_does_not_compile_is_said(tmp_path):
    (tmp_path / "board.py").write_text("def parts(:\n")
    assert "SyntaxError" in board_check.examine(tmp_path, "rp2040")["fault"]


def sources(folder, **texts):
    found = []
    for name, text in texts.items():
        path = folder / (name.replace("__", "/") + ".py")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        found.append(board_manifest.Source(path, str(path.relative_to(folder))))
    return found


def test_a_module_that_is_missing_or_too_many_is_named(tmp_path):
    files = sources(tmp_path, main="import board\ndef f():\n    import rare", board="import gc")
    assert board_manifest.faults(files, {"gc"}) == [
        "main imports rare, which is not in the manifest"
    ]
    files += sources(tmp_path, rare="", idle="")
    assert board_manifest.faults(files, {"gc"}) == ["nothing imports idle"]
    assert board_manifest.faults(files, {"gc"}, {"idle": "why"}) == []
    assert "main.py is missing" in board_manifest.faults(files[1:], {"gc"})


def test_imports_of_a_package_from_itself_are_followed(tmp_path):
    """As libraries do, which also try what only their types need."""
    files = sources(
        tmp_path,
        main="import board, lib",
        board="import gc",
        lib__one="try:\n    import typing\nexcept ImportError:\n    pass\nfrom . import two",
        lib__two="from ..other import X",
    )
    (tmp_path / "lib" / "__init__.py").write_text("from .one import ONE")
    files.append(board_manifest.Source(tmp_path / "lib" / "__init__.py", "lib/__init__.py"))
    assert board_manifest.faults(files, {"gc"}) == [
        "lib.two imports other, which is not in the manifest"
    ]
    assert [one.module for one in board_manifest.needed(files)] == [one.module for one in files]


def test_what_is_imported_for_types_only_need_not_be_there(tmp_path):
    text = "TYPE_CHECKING = False\nif TYPE_CHECKING:\n    import hal\n"
    files = sources(tmp_path, main=text + "import board", board="")
    assert board_manifest.faults(files, set()) == []


def test_a_manifest_that_names_what_is_not_there_is_refused(tmp_path):
    board = tmp_path / "boards" / "one"
    board.mkdir(parents=True)
    manifest = board / "manifest.py"
    for text, complaint in (
        ('module("nothing.py")', "there is no "),
        ('package("nothing")', "there is no package nothing"),
        ('module("manifest.py")\nmodule("manifest.py")', "is named twice"),
    ):
        manifest.write_text(text)
        with pytest.raises(board_manifest.ManifestError, match=complaint):
            board_manifest.read("one", tmp_path)


def test_the_wiring_table_is_held_to_the_pins(tmp_path, monkeypatch):
    board = BOARDS["pyboard_meter"]
    pins = (board.folder / "pins.py").read_text()
    table = (board.folder / "wiring.csv").read_text()
    uses = {row["pin"]: ["out"] for row in board_check.wiring(board) if row["on"] == "processor"}
    monkeypatch.setattr(board_check, "pins_path", lambda _board: tmp_path / "pins.py")

    def faults(new_pins=pins, new_table=table):
        (tmp_path / "pins.py").write_text(new_pins)
        (tmp_path / "wiring.csv").write_text(new_table)
        return board_check.wiring_faults(board, uses)

    assert faults() == []
    assert (
        "does not say where LCD_DC"
        in faults(new_table=table.replace("LCD_DC,ST7567,A0,\n", ""))[0]
    )
    assert "BUZZER is not in pins.py" in faults(new_table=table + "BUZZER,piezo,+,\n")[0]
    moved = pins.replace('LCD_DC = "X19"', 'LCD_DC = "X20"')
    assert "wiring.csv names PC1 twice" in faults(new_pins=moved)


def test_board_files_hold_pins_and_no_rules():
    for board in BOARDS.values():
        tree = ast.parse((board.folder / "board.py").read_text())
        loops = [node for node in ast.walk(tree) if isinstance(node, ast.If | ast.While)]
        assert all("TYPE_CHECKING" in ast.dump(node) for node in loops), board.name

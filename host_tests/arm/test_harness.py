"""The harness itself: what a small module does on the emulated processors is known by hand."""

import random
import struct

import mpy
import pytest
from build import HERE, TARGETS, cross_compile, run_interpreter
from thumb import CallError, ThumbMachine, _block_cost
from unicorn import UC_HOOK_CODE

TOY = HERE / "toy.py"


@pytest.fixture(scope="module", params=TARGETS)
def machine(request):
    return ThumbMachine(cross_compile(TOY, request.param), strict=True)


def words(*values):
    return bytearray(struct.pack(f"<{len(values)}i", *values))


def unpack(buffer):
    return list(struct.unpack(f"<{len(buffer) // 4}i", buffer))


def host_overflow(values):
    """Run the toy's `overflow` on the unix port and return the buffer it leaves."""
    count = len(values) // 4
    steps = [("set", "a", values), ("call", "overflow", ["a", count]), ("get", "a")]
    return run_interpreter(steps, [HERE], "toy")[-1]


def test_reads_names_and_architecture_of_a_compiled_module():
    for arch in TARGETS:
        module = mpy.read(cross_compile(TOY, arch))
        assert module.arch == arch
        assert list(module.functions) == [
            "total",
            "overflow",
            "mix",
            "beyond",
            "divide",
            "object_code",
        ]


@pytest.mark.parametrize(
    ("damage", "text"),
    [
        (lambda d: b"X" + d[1:], "not a .mpy"),
        (lambda d: d[:1] + b"\x05" + d[2:], "format 5"),
        (lambda d: d[:-3], "too early"),
        (lambda d: d + b"\x00", "after the end"),
        (lambda d: b"", "too early"),
    ],
)
def test_refuses_a_broken_mpy_file(damage, text):
    with pytest.raises(mpy.MpyError, match=text):
        mpy.read(damage(cross_compile(TOY, "armv6m")))


def test_total_wraps_at_32_bits_as_on_a_board(machine):
    assert machine.call("total", words(1, 2, 3, -10), 4) == -4
    assert machine.call("total", words(0x7FFFFFFF, 1), 2) == -0x80000000


def test_mix_equals_python_for_every_sign(machine):
    source = random.Random(1905)
    for _ in range(60):
        a = source.randint(-(2**31), 2**31 - 1)
        shift = source.randint(0, 31)
        mask = source.randint(0, 2**31 - 1)
        other = source.randint(-(2**31), 2**31 - 1)
        low = a >> shift
        buffer, octets = words(a, other, 0, 0, 0), bytearray([9, 200])
        result = machine.call("mix", buffer, octets, shift, mask)
        b = other & mask
        assert result == _wrap(low - b)
        assert unpack(buffer) == [a, other, _wrap(low * 3 + 200), low // 7, low % 7]
        assert octets == bytearray([b >> 3 & 0xFF, 200])
    assert machine.table_calls[46] == 1
    assert machine.table_calls[47] == 1


def _wrap(value):
    return (value + 2**31) % 2**32 - 2**31


def test_overflow_is_seen_as_a_difference_between_arm_and_the_64_bit_host(machine):
    values = words(3, 70000, -70000, 2**30)
    on_arm = bytearray(values)
    machine.call("overflow", on_arm, 4)
    on_host = host_overflow(values)
    assert unpack(on_host)[0] == unpack(on_arm)[0] == 0
    assert unpack(on_host)[1] == (70000 * 70000) >> 16
    assert unpack(on_arm)[1] == _wrap(70000 * 70000) >> 16
    assert on_host != on_arm


def test_small_numbers_are_equal_on_arm_and_host(machine):
    values = words(*range(0, 46000, 180))
    on_arm = bytearray(values)
    machine.call("overflow", on_arm, 256)
    on_host = host_overflow(values)
    assert on_host == on_arm
    assert unpack(on_arm)[-1] == (255 * 180) ** 2 >> 16


def test_negative_words_are_seen_as_a_difference_too(machine):
    # The 64-bit host reads a word through ptr32 without its sign; code that shifts or compares
    # what it read has to extend the sign itself, or it is right on Arm only.
    values = words(-1)
    on_arm = bytearray(values)
    machine.call("overflow", on_arm, 1)
    on_host = host_overflow(values)
    assert unpack(on_arm) == [0]
    assert unpack(on_host) != [0]


def test_access_outside_a_buffer_is_an_error(machine):
    values = words(5, 6, 7)
    with pytest.raises(CallError, match="beyond"):
        machine.call("beyond", bytearray(values), 3)
    with pytest.raises(CallError, match="before the start"):
        machine.call("beyond", bytearray(values), -1)
    with pytest.raises(CallError, match="beyond"):
        machine.call("beyond", bytearray(values), -5000)
    machine.call("beyond", values, 2)
    assert unpack(values) == [5, 6, 1]


def test_a_word_at_an_odd_address_is_an_error(machine):
    with pytest.raises(CallError, match="odd address"):
        machine.call("total", bytearray(5), 1)


def test_use_of_objects_wrong_counts_and_names_are_errors(machine):
    with pytest.raises(CallError, match="of the interpreter"):
        machine.call("object_code", words(0), 3)
    with pytest.raises(CallError, match="number of arguments"):
        machine.call("total", words(0))
    with pytest.raises(CallError, match="no viper function"):
        machine.call("nothing", words(0))
    assert machine.call("total", words(4), 1) == 4, "the machine must go on after an error"


def test_division_by_zero_is_an_error_not_a_value(machine):
    assert machine.call("divide", 7, 2) == 3
    assert machine.call("divide", -7, 2) == -4
    with pytest.raises(CallError, match="divides by zero"):
        machine.call("divide", 7, 0)


@pytest.mark.parametrize("arch", TARGETS)
def test_block_count_of_instructions_equals_single_stepping(arch):
    machine = ThumbMachine(cross_compile(TOY, arch))
    stepped = [0]

    def step(_uc, address, _size, _user):
        if 0x10000 <= address < 0x20000:
            stepped[0] += 1

    machine._uc.hook_add(UC_HOOK_CODE, step)
    machine.call("total", words(*range(50)), 50)
    # The loop's comparison is an if-then-else pair on ARMv7: stepping leaves out the half whose
    # condition fails, though it is fetched and costs a cycle.
    skipped = 51 if arch == "armv7emsp" else 0
    assert machine.instructions == stepped[0] + skipped > 50 * 10
    assert machine.instructions < machine.cycles < 2 * machine.instructions


def test_cycle_estimate_of_known_instructions():
    # adds r1,r1,r2 ; ldr r0,[sp,#4] ; push {r4,lr} ; bl (32 bits)
    code = struct.pack("<5H", 0x1889, 0x9801, 0xB510, 0xF000, 0xF800)
    assert _block_cost(code) == (4, 1 + 2 + 3 + 2)

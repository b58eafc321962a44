"""Well-formed nonsense for every table of the tariff: a defined answer, and nothing half taken."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent))

from hypothesis import given, settings
from hypothesis import strategies as st
from test_billing_objects import no_waiting  # noqa: F401 - a fixture
from test_tariff_objects import (
    CALENDAR,
    DAYS,
    DEMAND,
    ENERGY,
    OK,
    SCRIPTS,
    Rig,
    action,
    array,
    call,
    day,
    entry,
    mask,
    parameter,
    raw,
    script,
    season,
    week,
    write,
)


def scalar(tag, size):
    return st.binary(min_size=size, max_size=size).map(lambda octets: bytes((tag,)) + octets)


def octet_string(octets):
    return b"\x09" + bytes((len(octets),)) + octets


names = st.one_of(
    st.sampled_from([bytes.fromhex(name) for name in (SCRIPTS, ENERGY, DEMAND, CALENDAR, DAYS)]),
    st.sampled_from([b"S", b"W", b"\0\1", b"\0\0", b"\xff" * 5, b"\xff" * 12]),
    st.binary(max_size=13),
).map(octet_string)
leaves = st.one_of(names, scalar(17, 1), scalar(18, 2), scalar(6, 4), scalar(22, 1), scalar(15, 1))
trees = st.recursive(
    leaves,
    lambda inner: st.tuples(st.sampled_from((1, 2)), st.lists(inner, max_size=5)).map(
        lambda pair: bytes((pair[0], len(pair[1]))) + b"".join(pair[1])
    ),
    max_leaves=24,
)
dates = st.tuples(
    st.sampled_from(("ffff", "07ea", "07d0", "0834", "07cf", "0000")),
    st.sampled_from(("ff", "01", "02", "0c", "0d", "00", "fd", "fe")),
    st.sampled_from(("ff", "01", "1d", "1e", "1f", "20", "00", "fd", "fe")),
    st.sampled_from(("ff", "01", "07", "08", "00")),
).map("".join)
times = st.tuples(*[st.sampled_from(("00", "17", "18", "3b", "3c", "ff"))] * 3).map(
    lambda parts: "".join(parts) + "00"
)
ACTIVE = "0202" + mask(0, 1) + "0100"
short = st.sampled_from([b"A", b"B", b"", b"12345678", b"123456789", b"\xff"])
octet = st.integers(0, 255)
days = st.lists(
    st.builds(action, times, st.integers(0, 65535), st.sampled_from((SCRIPTS, DAYS, "0" * 12))),
    max_size=4,
).flatmap(lambda actions: octet.map(lambda number: day(number, *actions)))
scripts = st.lists(
    st.one_of(
        st.builds(
            write,
            st.sampled_from((1, 6, 9, 20)),
            st.sampled_from((ENERGY, DEMAND, SCRIPTS, CALENDAR, parameter(2))),
            st.integers(0, 127),
            leaves.map(bytes.hex),
        ),
        st.builds(
            call,
            st.sampled_from((6, 9, 11, 20)),
            st.sampled_from((ENERGY, SCRIPTS, DAYS, CALENDAR)),
            st.integers(0, 5),
            leaves.map(bytes.hex),
        ),
    ),
    max_size=3,
).flatmap(lambda actions: st.integers(0, 9).map(lambda number: script(number, *actions)))
masks = st.tuples(short, st.lists(octet, max_size=6)).map(
    lambda pair: "0202" + mask(*pair[0]) + array(*[f"11{index:02x}" for index in pair[1]])
)


def table(rows):
    return st.lists(rows, max_size=4).map(lambda found: array(*found))


tables = st.one_of(
    table(
        st.builds(season, short, st.tuples(dates, times, st.just("8000ff")).map("".join), short)
    ).map(lambda value: (20, CALENDAR, 7, value)),
    table(
        short.flatmap(
            lambda name: st.lists(octet, min_size=7, max_size=7).map(lambda ids: week(name, *ids))
        )
    ).map(lambda value: (20, CALENDAR, 8, value)),
    table(days).map(lambda value: (20, CALENDAR, 9, value)),
    table(st.builds(entry, octet, dates, octet)).map(lambda value: (11, DAYS, 2, value)),
    table(scripts).map(lambda value: (9, SCRIPTS, 2, value)),
    st.lists(masks, max_size=4).map(lambda rows: (6, ENERGY, 3, array(ACTIVE, *rows))),
)
targets = st.sampled_from(
    [(20, CALENDAR, index) for index in range(2, 11)]
    + [(11, DAYS, 2), (9, SCRIPTS, 2), (6, ENERGY, 3), (6, ENERGY, 4), (6, DEMAND, 3)]
    + [(1, parameter(e), 2) for e in (1, 2, 3, 4, 6, 9)]
)
methods = st.sampled_from(
    [(20, CALENDAR, 1), (11, DAYS, 1), (11, DAYS, 2), (9, SCRIPTS, 1)]
    + [(6, name, method) for name in (ENERGY, DEMAND) for method in (1, 2, 3)]
)
any_write = st.tuples(targets, trees | leaves).map(lambda it: it[0] + (it[1].hex(),))
any_call = st.tuples(methods, trees | leaves).map(lambda it: it[0] + (it[1].hex(), "call"))
known_call = st.sampled_from(
    [(20, CALENDAR, 1, "0f00", "call")]
    + [(9, SCRIPTS, 1, f"12{number:04x}", "call") for number in range(10)]
)
requests = st.lists(st.one_of(tables, any_write, any_call, known_call), min_size=1, max_size=8)


@settings(max_examples=200)
@given(requests)
def test_any_value_leaves_all_tables_readable_also_after_a_start(requests):
    rig = Rig()
    for class_id, name, index, encoded, *calls in requests:
        if calls:
            assert rig.invoke(class_id, name, index, encoded) in range(256)
            continue
        before = raw(rig, class_id, name, index)
        if rig.set(class_id, name, index, encoded) != OK:
            assert raw(rig, class_id, name, index) == before
        elif class_id != 6:  # a mask list comes out in its own order
            assert raw(rig, class_id, name, index) == encoded
    rig.tariff.clockwork.poll()
    found = [raw(rig, class_id, name, index) for class_id, name, index in everything()]
    rig.boot()
    assert [raw(rig, class_id, name, index) for class_id, name, index in everything()] == found
    rig.tariff.clockwork.poll()
    assert rig.set(6, ENERGY, 4, mask(0, 0)) == OK


def everything():
    yield from ((20, CALENDAR, index) for index in range(2, 11))
    yield from ((11, DAYS, 2), (9, SCRIPTS, 2), (6, ENERGY, 3), (6, ENERGY, 4), (6, DEMAND, 3))
    yield from ((1, parameter(e), 2) for e in (1, 2, 3, 4, 6, 9))

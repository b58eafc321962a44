"""The cases of the object model of the published abstract test suite, by their names.

Nothing is known here beforehand but the standard: what there is, of which class and what may be
done to it is read from the association's object list, and every attribute is held to it.
"""

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE.parent / "unit"))

import line_time
import raw_links
from blue_book import CLASSES, DANGEROUS, check
from test_conformance_appl import lls, public

from app import axdr

OBJECT_LIST = (15, bytes.fromhex("0000280000ff"), 2)
CLOCK = bytes.fromhex("0000010000ff")
MANAGEMENT, PUBLIC = 1, 16
NULL = b"\x00"


class Client:
    """Reads and writes by a raw link, joining blocks."""

    def __init__(self, meter, kind, sap, request):
        self._open = lambda: raw_links.LINKS[kind](meter, sap)
        self._request = request
        self.meter = meter
        self.kind = kind
        self.link = None
        self.connect()

    def connect(self):
        self.link = self._open()
        assert self.link.ask(self._request)[17] == 0

    def get(self, class_id, name, index, selection=b""):
        """(value as octets, None) or (None, data-access-result)."""
        body = class_id.to_bytes(2, "big") + name + bytes((index,))
        body += b"\x01" + selection if selection else b"\x00"
        answer = self.link.ask(b"\xc0\x01\xc1" + body)
        if answer[1] == 1:
            assert answer[:3] == b"\xc4\x01\xc1", answer.hex()
            return (answer[4:], None) if answer[3] == 0 else (None, answer[4])
        joined = b""
        while True:
            assert answer[:3] == b"\xc4\x02\xc1", answer.hex()
            assert answer[8] == 0, answer.hex()
            at = 10 if answer[9] < 0x80 else 10 + (answer[9] & 0x7F)
            joined += answer[at:]
            if answer[3]:
                return joined, None
            answer = self.link.ask(b"\xc0\x02\xc1" + answer[4:8])

    def value(self, class_id, name, index, selection=b""):
        """The value as (tag, value)."""
        octets, error = self.get(class_id, name, index, selection)
        assert error is None, (class_id, name.hex("."), index, error)
        return decoded(octets)

    def set(self, class_id, name, index, octets):
        """The data-access-result."""
        body = class_id.to_bytes(2, "big") + name + bytes((index, 0))
        if len(body) + len(octets) < 1000:
            return self.link.ask(b"\xc1\x01\xc1" + body + octets)[3]
        answer = b""
        for at in range(0, len(octets), 800):
            part = octets[at : at + 800]
            number = (at // 800 + 1).to_bytes(4, "big")
            last = at + 800 >= len(octets)
            head = b"\xc1\x02\xc1" + body if at == 0 else b"\xc1\x03\xc1"
            size = b"\x82" + len(part).to_bytes(2, "big")
            answer = self.link.ask(head + bytes((last,)) + number + size + part)
        assert answer[:2] == b"\xc5\x03", answer.hex()
        return answer[3]

    def objects(self):
        """[(class, version, name, [(attribute, access)], [(method, access)])]"""
        tag, rows = self.value(*OBJECT_LIST)
        assert tag == axdr.ARRAY
        found = []
        for _, (class_id, version, name, (_, (attributes, methods))) in rows:
            assert (class_id[0], version[0], name[0]) == (axdr.UINT16, axdr.UINT8, 9)
            found.append(
                (
                    class_id[1],
                    version[1],
                    name[1],
                    [(row[1][0][1], row[1][1][1]) for row in attributes[1]],
                    [(row[1][0][1], row[1][1][1]) for row in methods[1]],
                )
            )
        return found


def decoded(octets):
    """One A-XDR value, all of the octets, read without the firmware's limit of depth."""
    reader = axdr.Reader(octets)
    value = reader.data()
    assert reader.left() == 0
    return value


@pytest.fixture(scope="module", params=raw_links.LINKS)
def client(request, wired):
    one = Client(wired, request.param, MANAGEMENT, lls())
    yield one
    one.link.close()


@pytest.fixture(scope="module")
def objects(client):
    return client.objects()


@pytest.fixture
def still(client):
    """No period ends between two readings."""
    with line_time.still(client.meter):
        yield


@pytest.mark.row("SEC-08")
def test_cosem_object_list(client, objects):
    names = [entry[2] for entry in objects]
    assert len(names) == len(set(names))
    assert len(names) > 80
    for class_id, version, name, attributes, methods in objects:
        assert class_id in CLASSES, f"class {class_id} of {name.hex('.')}"
        known = CLASSES[class_id]
        assert version in known.versions
        assert [index for index, _ in attributes] == list(range(1, len(attributes) + 1))
        assert len(attributes) == known.attributes(version)
        assert len(methods) == known.methods(version)
        assert attributes[0][1] == 1, "the logical name is read only"
        assert {access for _, access in attributes} <= {0, 1, 2, 3}
        assert {access for _, access in methods} <= {0, 1}


def test_cosem_every_attribute(client, objects):
    """Each readable attribute has its class's type and range; each other one is refused."""
    for class_id, version, name, attributes, _ in objects:
        for index, access in attributes:
            octets, error = client.get(class_id, name, index)
            where = (class_id, name.hex("."), index)
            if not access & 1:
                assert error == 3, where
                continue
            assert error is None, (*where, error)
            if index == 1:
                assert octets == b"\x09\x06" + name
                continue
            check(class_id, version, index, decoded(octets), where)
        past = len(attributes) + 1
        assert client.get(class_id, name, past) == (None, 4), where
        assert client.get(class_id, name, 0) == (None, 4), where
        assert client.get(class_id + 1, name, 1) == (None, 9), where


@pytest.mark.changes
@pytest.mark.usefixtures("still")
def test_cosem_write_back(client, objects):
    """What is readable and writable takes its own value back, and keeps it."""
    written = 0
    for class_id, _, name, attributes, _ in objects:
        for index, access in attributes:
            where = (class_id, name.hex("."), index)
            if access != 3 or (class_id, name, index) in DANGEROUS:
                continue
            octets, _ = client.get(class_id, name, index)
            result = client.set(class_id, name, index, octets)
            assert result in (0, 3), (*where, result)
            after, _ = client.get(class_id, name, index)
            if (class_id, index) != (8, 2):  # the clock goes on
                assert after == octets or result == 3, where
            written += result == 0
    assert written > 10


def test_cosem_refusal_of_wrong_values(client, objects):
    """Another type is refused, whatever the attribute; what is read only takes nothing."""
    wrong = bytes.fromhex("0201" + "17" + "7f800000")  # a structure with a float: nowhere right
    for class_id, _, name, attributes, _ in objects:
        for index, access in attributes:
            before = client.get(class_id, name, index) if access & 1 else None
            result = client.set(class_id, name, index, wrong)
            where = (class_id, name.hex("."), index, result)
            if access & 2:
                assert result not in (0, 1), where
            else:
                assert result == 3, where
            if before and class_id != 3 and (class_id, index) != (8, 2) and before[0]:
                tag = before[0][0]
                assert client.get(class_id, name, index)[0][0] == tag, where


def test_cosem_methods_without_a_right(client, objects):
    refused = 0
    for class_id, _, name, _, methods in objects:
        for index, access in methods:
            if access:
                continue
            body = class_id.to_bytes(2, "big") + name + bytes((index,))
            answer = client.link.ask(b"\xc3\x01\xc1" + body + b"\x01\x0f\x00")
            assert answer.hex() == "c701c10300", (class_id, name.hex("."), index)
            refused += 1
        body = class_id.to_bytes(2, "big") + name + bytes((len(methods) + 1,))
        assert client.link.ask(b"\xc3\x01\xc1" + body + b"\x01\x0f\x00").hex() == "c701c10400"
    assert refused


def test_cosem_mandatory_objects(client, objects):
    names = {entry[2]: entry[0] for entry in objects}
    assert names[bytes.fromhex("0000280000ff")] == 15
    assert names[bytes.fromhex("0000290000ff")] == 17
    device = bytes.fromhex("00002a0000ff")
    assert names[device] == 1
    tag, name = client.value(1, device, 2)
    assert (tag, len(name)) == (axdr.OCTET_STRING, 16)
    assert name[:3] == b"FRS", "the manufacturer's three letters"
    _, partners = client.value(15, bytes.fromhex("0000280000ff"), 3)
    assert partners == [(axdr.INT8, MANAGEMENT), (axdr.UINT16, 1)]
    _, assigned = client.value(17, bytes.fromhex("0000290000ff"), 2)
    assert [row[1][1][1] for row in assigned] == [name]


def test_cosem_ipv4_setup_shows_where_the_meter_is_reached(client, meter):
    port = bytes.fromhex("0000190000ff")
    _, name = client.value(41, port, 3)
    address = client.value(42, name, 3)
    assert address == (axdr.UINT32, 0x7F000001)  # the host that the links connect to
    assert client.value(41, port, 2) == (axdr.UINT16, meter.ports["cosem"])
    for index, tag in ((2, 0x09), (4, 0x01), (5, 0x01), (6, 0x06), (7, 0x06), (8, 0x03)):
        assert client.value(42, name, index)[0] == tag
    for index in range(1, 11):
        octets, _ = client.get(42, name, index)
        assert client.set(42, name, index, octets) == 3
    assert client.value(42, name, 3) == address


@pytest.mark.row("SEC-04")
def test_cosem_the_public_clients_objects(client):
    client.link.close()
    seen = Client(client.meter, client.kind, PUBLIC, public())
    listed = seen.objects()
    for class_id, _, name, attributes, methods in listed:
        assert class_id in (1, 8, 15, 17, 64), name.hex(".")
        assert not any(access & 2 for _, access in attributes), name.hex(".")
        for index, access in attributes:
            assert (seen.get(class_id, name, index)[1] is None) == bool(access & 1)
        assert not any(access for _, access in methods if class_id != 15)
    assert len(listed) < 12
    assert seen.get(3, bytes.fromhex("0100010800ff"), 2) == (None, 3)
    seen.link.close()
    client.connect()


def test_cosem_multiple_references(client, objects):
    """Ten values in one answer, and one of 500 to 1000 octets."""
    energies = [entry for entry in objects if entry[0] == 3]
    assert len(energies) >= 10

    def ask(pairs):
        body = b"".join(c.to_bytes(2, "big") + n + bytes((i, 0)) for c, n, i in pairs)
        return client.link.ask(b"\xc0\x03\xc1" + bytes((len(pairs),)) + body)

    answer = ask([(entry[0], entry[2], 3) for entry in energies[:10]])
    assert answer[:4].hex() == "c403c10a"
    reader = axdr.Reader(answer, 4)
    for _ in range(10):
        assert reader.octet() == 0
        assert reader.data()[0] == axdr.STRUCTURE
    assert reader.left() == 0
    pairs = [(entry[0], entry[2], 1) for entry in energies[:60]]
    long = ask(pairs)
    assert 500 <= len(long) <= 1000
    assert long[3] == len(pairs)
    reader = axdr.Reader(long, 4)
    for _, name, _ in pairs:
        assert reader.raw(3) == b"\x00\x09\x06"
        assert reader.raw(6) == name
    mixed = ask([(3, energies[0][2], 2), (3, bytes(6), 2), (1, energies[0][2], 2)])
    assert mixed[-4:].hex() == "01040109"


def profiles(client, objects):
    """Profiles with a clock column and rows to choose from."""
    for class_id, _, name, _, _ in objects:
        if class_id != 7:
            continue
        _, columns = client.value(7, name, 3)
        clock = [
            index
            for index, (_, column) in enumerate(columns)
            if (column[0][1], column[1][1]) == (8, CLOCK)
        ]
        in_use = client.value(7, name, 7)[1]
        if clock and in_use:
            yield name, columns, clock[0], in_use


def entry_descriptor(first, last, column=1, to=0):
    return bytes.fromhex("020204") + (
        b"\x06" + first.to_bytes(4, "big") + b"\x06" + last.to_bytes(4, "big")
        + b"\x12" + column.to_bytes(2, "big") + b"\x12" + to.to_bytes(2, "big")
    )  # fmt: skip


def range_descriptor(first, last, columns=()):
    clock = bytes.fromhex("0204120008" + "0906") + CLOCK + bytes.fromhex("0f02120000")
    picked = bytes((1, len(columns))) + b"".join(columns)
    return b"\x01\x02\x04" + clock + element_of(first) + element_of(last) + picked


def element_of(time):
    return b"\x09\x0c" + time


def encoded_columns(client, name):
    octets, _ = client.get(7, name, 3)
    reader = axdr.Reader(octets)
    found = []
    for _ in range(reader.array()):
        start = reader.at
        reader.skip()
        found.append(octets[start : reader.at])
    return found


@pytest.mark.row("TCP-18")
@pytest.mark.usefixtures("still")
def test_cosem_profile_by_range(client, objects):
    tried = 0
    for name, columns, clock, _ in profiles(client, objects):
        _, rows = client.value(7, name, 2)
        times = [row[1][clock][1] for row in rows]
        encoded = encoded_columns(client, name)
        widest = (
            bytes.fromhex("07d00101ff00000000800000"),
            bytes.fromhex("08330101ff00000000800000"),
        )

        def get(first, last, picked=()):
            return client.value(7, name, 2, range_descriptor(first, last, picked))[1]  # noqa: B023

        assert get(*widest) == rows, "the whole"
        before = (
            bytes.fromhex("07d00101ff00000000800000"),
            bytes.fromhex("07d00102ff00000000800000"),
        )
        assert get(*before) == [], "outside"
        part = get(times[0], times[0])
        assert part, "part"
        assert all(row in rows for row in part)
        one = get(*widest, [encoded[0]])
        assert one == [(2, [row[1][0]]) for row in rows], "one column"
        if len(columns) > 1:
            two = get(*widest, [encoded[0], encoded[1]])
            assert two == [(2, row[1][:2]) for row in rows], "two columns"
        # the wrong type in a descriptor is told and harms nobody
        bad = bytes.fromhex("010204" + "0f00" * 3 + "0100")
        octets, error = client.get(7, name, 2, bad)
        assert octets is None
        assert error in (12, 250)
        tried += 1
    if not tried:
        pytest.skip("no profile with a clock and rows yet")


@pytest.mark.usefixtures("still")
def test_cosem_profile_by_entry(client, objects):
    tried = 0
    for name, columns, _, in_use in profiles(client, objects):
        _, rows = client.value(7, name, 2)
        width = len(columns)

        def get(*entries):
            return client.value(7, name, 2, entry_descriptor(*entries))[1]  # noqa: B023

        assert get(1, 0) == rows, "all"
        assert get(1, in_use) == rows
        assert get(1, 1, 1, 1) == [(2, rows[0][1][:1])], "one cell"
        assert get(in_use, in_use, width, width) == [(2, rows[-1][1][-1:])]
        middle = (in_use + 1) // 2
        assert get(middle, in_use) == rows[middle - 1 :], "part"
        bad = bytes.fromhex("020204" + "120001" + "0600000001" + "120001" + "120001")
        octets, error = client.get(7, name, 2, bad)
        assert octets is None
        assert error in (12, 250)
        tried += 1
    if not tried:
        pytest.skip("no profile with a clock and rows yet")


def test_cosem_register_monitor_threshold_types(client, objects):
    """Thresholds have the type of the value that is watched."""
    monitors = [entry for entry in objects if entry[0] == 21]
    for _, _, name, _, _ in monitors:
        _, watched = client.value(21, name, 3)
        class_id, target, index = watched[0][1], watched[1][1], watched[2][1]
        tag = client.value(class_id, target, index)[0]
        _, thresholds = client.value(21, name, 2)
        assert {row[0] for row in thresholds} <= {tag}
    if not monitors:
        pytest.skip("no register monitor in the object list yet")


def test_cosem_push(client, objects):
    """A push set-up names objects that exist, itself first and the clock second."""
    setups = [entry for entry in objects if entry[0] == 40]
    names = {entry[2] for entry in objects}
    for _, _, name, _, _ in setups:
        _, listed = client.value(40, name, 2)
        targets = [row[1][1][1] for row in listed]
        assert targets[:2] == [name, CLOCK]
        assert set(targets) <= names
    if not setups:
        pytest.skip("no push set-up in the object list yet")

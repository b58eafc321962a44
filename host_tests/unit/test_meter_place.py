"""Where a meter is: what is said when nobody is there, and what to try next."""

import socket
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parents[2] / "tools"))

import meter_place
from meter_link import LinkError
from meter_place import OPTICAL, WRAPPER, Place


@pytest.fixture
def port():
    """A port of this machine at which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def test_nobody_at_this_machine_leads_to_the_virtual_meter_and_to_a_real_one(port):
    with pytest.raises(LinkError, match=r"refused; `make run` .* PORT= or HOST= names a real one"):
        Place(WRAPPER, port=port).wire()


@pytest.mark.parametrize("text", ["no answer", "no answer at 300 baud", "the meter hung up"])
def test_a_mute_optical_head_may_be_one_that_speaks_hdlc_at_once(monkeypatch, text):
    def mute(_wire):
        raise LinkError(f"/dev/ttyUSB0: {text}")

    monkeypatch.setattr(meter_place, "sign_on", mute)
    with socket.create_server(("127.0.0.1", 0)) as head:
        place = Place(OPTICAL, port=head.getsockname()[1])
        with pytest.raises(LinkError) as caught:
            place.signed_on()
    assert ("without OPTICAL=1" in str(caught.value)) == text.startswith("no answer")

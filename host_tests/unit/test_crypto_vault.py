"""Secrets at rest: what a seal hides, binds and notices."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.crypto.aes import SoftwareAes
from app.storage.vault import Vault, sealed_size


@given(value=st.binary(max_size=70))
@settings(max_examples=40)
def test_what_is_sealed_comes_out_again(value):
    vault = Vault(SoftwareAes, b"unique")
    sealed = vault.seal("lls", value)
    assert len(sealed) == sealed_size(len(value))
    assert vault.open("lls", memoryview(sealed)) == value


@pytest.mark.row("SEC-61")
def test_a_seal_hides_and_binds():
    vault = Vault(SoftwareAes, b"unique")
    sealed = vault.seal("keys", b"0123456789abcdef" * 4)
    for at in range(61):
        assert b"0123456789abcdef"[at % 16 :] + b"0" not in sealed
    assert vault.seal("lls", b"0123456789abcdef" * 4) != sealed
    strangers = [
        (Vault(SoftwareAes, b"other!"), "keys"),  # another processor
        (vault, "lls"),  # another record
    ]
    for stranger, name in strangers:
        with pytest.raises(ValueError, match="does not verify"):
            stranger.open(name, sealed)
    for at in range(0, len(sealed), 7):
        wrong = bytearray(sealed)
        wrong[at] ^= 1
        with pytest.raises(ValueError, match="does not verify"):
            vault.open("keys", wrong)
    for size in range(24):
        with pytest.raises(ValueError, match="units"):
            vault.open("keys", sealed[:size])

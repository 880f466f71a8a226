"""The oracle that MicroPython checks signatures with, held to the library that we ship with."""

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from tests import ed25519


@given(st.binary(max_size=300))
def test_its_sha512_is_sha512(message):
    assert ed25519.sha512(message) == hashlib.sha512(message).digest()


@pytest.mark.parametrize("seed", range(5))
def test_it_accepts_what_the_library_signed_and_no_changed_bit(seed):
    key = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
    public, message = key.public_key().public_bytes_raw(), b"reading %d" % seed
    signature = key.sign(message)
    flipped = bytes([signature[0] ^ 1]) + signature[1:]

    assert ed25519.verify(public, signature, message)
    assert not ed25519.verify(public, flipped, message)
    assert not ed25519.verify(public, signature, message + b"!")
    assert not ed25519.verify(public, signature[:-1], message)

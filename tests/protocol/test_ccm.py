from cryptography.hazmat.primitives.ciphers.aead import AESCCM
from hypothesis import given
from hypothesis import strategies as st

from protocol.ccm import Ccm
from tests.aes import aes

keys = st.binary(min_size=16, max_size=16)
nonces = st.binary(min_size=13, max_size=13)


@given(keys, nonces, st.binary(min_size=1, max_size=80), st.binary(max_size=300))
def test_what_is_sealed_is_what_others_seal(key, nonce, aad, plaintext):
    sealed = Ccm(key, aes).seal(nonce, aad, plaintext)

    assert sealed == AESCCM(key, tag_length=8).encrypt(nonce, plaintext, aad)
    assert Ccm(key, aes).open(nonce, aad, sealed) == plaintext

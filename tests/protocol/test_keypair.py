"""Keys made on a board: whoever knows one half of their entropy knows nothing."""

from protocol import keypair
from protocol.p256 import N
from tests.protocol import oracles
from tests.signing_vectors import constant, read_point

OWN, GIVEN = b"o" * 32, b"g" * 32


def test_both_halves_decide_and_the_same_halves_make_the_same_key():
    keys = [
        keypair.private_key(OWN, GIVEN),
        keypair.private_key(b"x" * 32, GIVEN),
        keypair.private_key(OWN, b"x" * 32),
        keypair.private_key(GIVEN, OWN),
    ]

    assert len(set(keys)) == 4
    assert keypair.private_key(OWN, GIVEN) == keys[0]
    assert all(keypair.is_private_key(key) for key in keys)


def test_the_public_key_is_what_the_library_says():
    key = keypair.private_key(OWN, GIVEN)

    assert keypair.public_key(key, read_point, constant) == oracles.p256_public(key)


def test_what_cannot_sign_is_no_key():
    wrong = [0, N, N + 1, (1 << 256) - 1]

    assert not any(keypair.is_private_key(number.to_bytes(32, "big")) for number in wrong)
    assert not keypair.is_private_key(bytes(31) + b"\x01\x01")
    assert keypair.is_private_key((N - 1).to_bytes(32, "big"))

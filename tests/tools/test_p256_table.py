"""The table that boards sign with: always the same bytes, and the library's points."""

import hashlib

from cryptography.hazmat.primitives.asymmetric import ec

from protocol.p256 import BLOCKS, COLUMNS, POINTS_PER_BLOCK, TABLE_BYTES, TEETH, N
from tools.p256_table import table

SHA256 = "ddc99414ab87eaad9594ca83789fb9a3661df13a80fa5b8bbc8b8097c098d668"


def test_it_is_made_the_same_each_time():
    made = table()

    assert len(made) == TABLE_BYTES == 8192
    assert hashlib.sha256(made).hexdigest() == SHA256


def test_each_point_is_the_multiple_that_the_comb_takes_it_for():
    made = table()

    for index in range(BLOCKS * POINTS_PER_BLOCK):
        block, digits = divmod(index, POINTS_PER_BLOCK)
        scalar = 0
        for tooth in range(TEETH):
            positive = tooth == TEETH - 1 or digits >> tooth & 1
            weight = 1 << tooth * BLOCKS * COLUMNS + block * COLUMNS
            scalar += weight if positive else -weight
        numbers = ec.derive_private_key(scalar % N, ec.SECP256R1()).public_key().public_numbers()
        expected = numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")

        assert made[64 * index : 64 * index + 64] == expected

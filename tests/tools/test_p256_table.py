"""The table that boards sign with: always the same bytes, and the library's points."""

import hashlib

from cryptography.hazmat.primitives.asymmetric import ec

from device.table_file import SHA256
from protocol.p256 import BLOCKS, COLUMNS, POINTS_PER_BLOCK, TABLE_BYTES, TEETH, N
from tools import firmware
from tools.p256_table import table


def test_it_is_made_the_same_each_time():
    made = table()

    assert len(made) == TABLE_BYTES == 8192
    assert hashlib.sha256(made).digest() == SHA256


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


def test_the_file_is_made_once_and_again_only_if_it_is_damaged(tmp_path):
    path = firmware.table(tmp_path / "cache")
    written = path.stat().st_mtime_ns
    assert path.read_bytes() == table()

    assert firmware.table(tmp_path / "cache").stat().st_mtime_ns == written

    path.write_bytes(bytes(8192))
    assert firmware.table(tmp_path / "cache").read_bytes() == table()
    assert [one.name for one in path.parent.iterdir()] == ["p256.tab"]

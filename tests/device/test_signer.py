"""A device that signs: its key, its coupons, and the chain of what it sealed."""

import os

import pytest

from device import counter, signer
from device.config import ConfigError
from device.table import Table
from device.table_file import open_table
from protocol import sign1, sign1_reader
from protocol.ecdsa import Signer
from protocol.envelope import kid_of
from protocol.errors import FaultError, TooLargeError
from protocol.sign1_reader import UNKNOWN_BEFORE
from tests.device.board import FakeBoard, open_outbox
from tests.device.signatures import Signatures
from tests.device.signed import KEY, NAME, OPENED, PUBLIC, identity_of, settings, started
from tests.protocol import oracles

# Profiles


def test_a_key_makes_a_device_of_the_profile_sig(signing_folder):
    own = started(signing_folder)

    assert own.profile == "sig"
    assert own.kid == kid_of(NAME, "sig", public_key=PUBLIC)
    assert own.epoch == 1


def test_without_a_key_it_is_mac(signing_folder):
    assert started(signing_folder, profile="mac").profile == "mac"
    assert identity_of(signing_folder, settings(), 1).profile == "mac"


def test_a_profile_is_never_left_for_another(signing_folder):
    with pytest.raises(ConfigError, match="no key to sign with"):
        started(signing_folder, profile="sig")

    assert started(signing_folder, profile="mac", key=KEY.hex()).profile == "mac"


def test_a_key_that_is_none_is_refused_without_being_shown(signing_folder):
    for number in (bytes(32), b"\xff" * 32):
        with pytest.raises(ConfigError) as refused:
            started(signing_folder, key=number.hex())

        assert number.hex() not in str(refused.value)


def test_a_key_is_32_bytes_and_a_profile_is_one_of_two():
    for wrong in ({"key": None}, {"key": 1}, {"profile": None}, {"profile": ""}):
        with pytest.raises(ConfigError):
            settings(**wrong)

    assert settings().key is None
    assert settings(key=KEY.hex()).key == KEY


# Sealing


def test_each_envelope_verifies_and_names_the_one_before(signing_folder):
    own, seen = started(signing_folder), Signatures(PUBLIC)

    sent = [seen.opened(own.seal(sequence, b"pack %d" % sequence)) for sequence in range(5)]

    assert [one.sequence for one in sent] == [0, 1, 2, 3, 4]
    assert sent[0].before == UNKNOWN_BEFORE
    assert (seen.broken, seen.reused, seen.unlinked) == ([], [], [(1, 0)])


def test_an_envelope_that_is_left_out_shows(signing_folder):
    own, seen = started(signing_folder), Signatures(PUBLIC)
    sealed = [own.seal(sequence, b"pack") for sequence in range(3)]
    forged = own.seal(1, b"another")

    for one in (sealed[0], forged, sealed[2]):
        seen.opened(one)

    assert (1, 2) in seen.broken


def test_the_first_of_a_start_names_the_last_that_the_outbox_knows_of(signing_folder):
    first, board = started(signing_folder), FakeBoard()
    outbox = open_outbox(board, signing_folder / "outbox")
    sealed = [first.seal(sequence, b"pack") for sequence in range(3)]
    for one in sealed:
        outbox.put(one, 0)
    ended = open_outbox(board, signing_folder / "outbox").ended

    epoch = counter.next_epoch(board, str(signing_folder), used_before=False)
    again = identity_of(signing_folder, settings(key=KEY.hex()), epoch, before=ended[8:])

    assert sign1_reader.parse(again.seal(0, b"pack")).before == sign1.link(sealed[-1])


def test_what_is_too_large_changes_nothing(signing_folder):
    own, seen = started(signing_folder), Signatures(PUBLIC)
    seen.opened(own.seal(0, b"pack"))

    with pytest.raises(TooLargeError):
        own.seal(1, bytes(1000))

    seen.opened(own.seal(1, b"half of it"))
    assert seen.broken == []


# Coupons


def idle(own, duration_ms, is_idle=True):
    """What the agent does with a device that has nothing else to do."""
    while duration_ms > 0:
        duration_ms -= own.step(is_idle)


def test_coupons_are_made_while_nothing_is_to_be_sent(signing_folder):
    board = FakeBoard()
    busy, own = started(signing_folder, board), started(signing_folder, board)

    idle(busy, 60_000, is_idle=False)
    idle(own, 60_000)

    assert (busy.ready, own.ready) == (0, signer.COUPONS)


def test_no_nonce_comes_twice_in_starts_of_a_board_with_broken_dice(signing_folder):
    seen = Signatures(PUBLIC)
    for _ in range(3):
        board = FakeBoard()  # its dice start anew, so each start sees the same numbers
        own = started(signing_folder, board)
        idle(own, 60_000)
        for sequence in range(signer.COUPONS + 2):
            seen.opened(own.seal(sequence, b"pack"))

    assert seen.reused == []


def test_a_counter_that_stands_still_turns_coupons_off(signing_folder):
    board = FakeBoard()
    epoch = counter.next_epoch(board, str(signing_folder), used_before=False)
    counter.next_epoch(board, str(signing_folder), used_before=False)
    own = identity_of(signing_folder, settings(key=KEY.hex()), epoch, board)

    idle(own, 60_000)

    assert own.ready == 0
    sealed = Signatures(PUBLIC).opened(own.seal(0, b"pack"))
    assert own.seal(0, b"pack")[-64:] != sealed.signature  # it names another one before
    assert sealed.signature == oracles.sign1(KEY, sealed.protected, b"pack", b"up")[-64:]


class FailingTable:
    """A table whose flash fails when told to."""

    def __init__(self, path):
        self.table, self.fails = Table(str(path)), False

    def read(self, index):
        if self.fails:
            raise FaultError("the table cannot be read")
        return self.table.read(index)


def test_a_coupon_that_comes_out_wrong_is_counted_and_the_next_one_made(signing_folder):
    table = FailingTable(signing_folder / "p256.tab")
    pool = Signer(KEY, table.read, os.urandom, coupons=1)
    own = signer.SigningIdentity(settings(), PUBLIC, 1, signer=pool, table=table.table)
    OPENED.append(own)
    table.fails = True
    idle(own, 1000)
    table.fails = False
    idle(own, 60_000)

    assert (own.faults, own.ready) == (1, 1)


# The table


def test_a_damaged_table_is_not_signed_with(signing_folder):
    path = signing_folder / "p256.tab"
    whole = path.read_bytes()
    for at in (0, 4000, 8191):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])

        with pytest.raises(ConfigError, match="tallystick flash"):
            open_table(str(signing_folder))

    path.write_bytes(whole[:-64])
    with pytest.raises(ConfigError):
        open_table(str(signing_folder))


def test_a_table_that_can_no_longer_be_read_is_a_fault(signing_folder):
    table = open_table(str(signing_folder))

    with pytest.raises(FaultError):
        table.read(128)

    table.close()

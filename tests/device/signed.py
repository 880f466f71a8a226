"""Starts of a device that signs, for tests; the conftest closes what they opened."""

from device import counter, identity
from device.config_file import check
from tests.device.board import FakeBoard
from tests.protocol import oracles

NAME, SECRET, KEY = "greenhouse-3", bytes(range(32)), bytes(range(1, 33))
PUBLIC = oracles.p256_public(KEY)
OPENED = []  # identities of the running test


def settings(**more):
    return check({"name": NAME, "secret": SECRET.hex(), "gateway": "g:1"} | more)


def identity_of(folder, config, epoch, board=None, before=b""):
    OPENED.append(identity.of(board or FakeBoard(), config, str(folder), epoch, before))
    return OPENED[-1]


def started(folder, board=None, **more):
    """The identity of one start of a device, whose key is in its configuration if not `more` is."""
    epoch = counter.next_epoch(board or FakeBoard(), str(folder), used_before=False)
    return identity_of(folder, settings(**(more or {"key": KEY.hex()})), epoch, board)

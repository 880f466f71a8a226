"""Attempts at an update: which faults end it, and which only that one attempt."""

import errno

import pytest

from device.slots import Slots
from device.update import NoAnswerError, RefusedError, attempt
from protocol.errors import BadSignatureError, MalformedError


class Fails:
    """An installer whose every attempt ends in `error`."""

    def __init__(self, folder, error):
        self.folder = folder
        self.error = error
        self.events = []

    def start(self):
        self.slots = Slots(f"{self.folder}/", f"{self.folder}")
        return self

    async def attempt(self):
        """What one start does."""
        if self.start().slots.begins():
            await attempt(self, b"key")

    def report(self, event, **fields):
        self.events.append(event)

    async def install(self, key):
        raise self.error


@pytest.fixture
def wanted(tmp_path):
    def wanted(error):
        Slots(f"{tmp_path}/", f"{tmp_path}").want("1.1.0")
        return Fails(tmp_path, error)

    return wanted


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (RefusedError("no such release"), "no such release"),
        (BadSignatureError("x"), "bad signature"),
        (MalformedError("x"), "malformed"),
        (OSError(errno.ENOSPC), "flash full"),
    ],
)
async def test_what_would_end_every_attempt_ends_it(wanted, error, why):
    installer = wanted(OSError(errno.ENOSPC, "full") if why == "flash full" else error)

    await installer.attempt()

    slots = installer.start().slots
    assert (slots.wanted, slots.outcome) == ("", f"1.1.0 refused: {why}")
    assert installer.events == ["updating", "updated"]


@pytest.mark.parametrize("error", [NoAnswerError(), OSError(errno.EIO, "flash")])
async def test_what_may_pass_is_tried_again_in_eight_starts_and_then_given_up(wanted, error):
    installer = wanted(error)

    for _ in range(8):
        await installer.attempt()
        assert installer.start().slots.wanted == "1.1.0"
    await installer.attempt()

    assert installer.start().slots.outcome == "1.1.0 refused: gave up after 8 attempts"


async def test_an_attempt_is_counted_also_if_it_ends_in_a_fault_nobody_foresaw(wanted):
    installer = wanted(MemoryError())

    for _ in range(3):
        with pytest.raises(MemoryError):
            await installer.attempt()

    assert installer.start().slots.attempts == 3

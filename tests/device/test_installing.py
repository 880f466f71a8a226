"""Which releases are taken: none below the newest that worked, and that one where it is not."""

from pathlib import Path

import pytest

from device.board.cpython import Board
from device.slots import Slots
from device.update import Installer, RefusedError
from tests.device.releases import UPDATE_KEY, release
from tests.device.selecting import rot
from tests.device.serving import Gateway

FILES = {"device/main.mpy": b"main" * 300, "protocol/coap.mpy": b"coap"}
FLOOR = 5
NO_FIRMWARE = 0  # as CPython calls its bytecode


@pytest.fixture
def slots(tmp_path):
    """A board that runs 1.1.0, the newest that ever worked there; nothing is in /b."""
    release(tmp_path, FILES, version="1.1.0", counter=FLOOR).rename(tmp_path / "a")
    for name in ("b", "data", "served"):
        (tmp_path / name).mkdir()
    slots = Slots(f"{tmp_path}/", f"{tmp_path}/data")
    slots.floor = FLOOR
    return slots


async def install(slots, version, counter, files):
    """Has the gateway serve a release, and the board told of it."""
    served = f"{slots.root}served"
    release(Path(served), files, version=version, counter=counter, mpy=NO_FIRMWARE)
    slots.want(version)
    board = Board()
    installer = Installer(board, slots, Gateway(served), lambda *_, **__: None, lambda: None)
    await installer.install(UPDATE_KEY)


@pytest.mark.parametrize("is_rotten", [False, True])
async def test_what_is_older_than_the_newest_that_worked_is_refused(slots, tmp_path, is_rotten):
    if is_rotten:
        rot(tmp_path / "a" / "device" / "main.mpy")

    with pytest.raises(RefusedError, match="not newer"):
        await install(slots, "1.0.9", FLOOR - 1, FILES)

    assert slots.trial == ""


async def test_what_runs_and_is_whole_is_refused(slots):
    with pytest.raises(RefusedError, match="not newer"):
        await install(slots, "1.1.0", FLOOR, FILES)


async def test_what_runs_and_has_rotted_is_taken_again(slots, tmp_path):
    rot(tmp_path / "a" / "device" / "main.mpy")

    await install(slots, "1.1.0", FLOOR, FILES)

    assert slots.trial == "b"
    assert (tmp_path / "b" / "device" / "main.mpy").read_bytes() == FILES["device/main.mpy"]


async def test_after_a_fall_back_the_newest_that_worked_is_taken_again(slots, tmp_path):
    older = FILES | {"device/main.mpy": b"older"}
    (tmp_path / "b").rmdir()
    release(tmp_path, older, version="1.0.0", counter=1).rename(tmp_path / "b")
    slots.active = "b"

    await install(slots, "1.1.0", FLOOR, FILES)

    assert slots.trial == "a"

"""Which port the board is on, and why one cannot be opened: each with the fix."""

import errno
import os

import pytest

from tools.board import ports
from tools.board.faults import BoardError
from tools.board.ports import Found

ONE, OTHER = Found("/dev/ttyACM0", "Pico W"), Found("/dev/ttyUSB0", "CP2102")


def failing(code: int):
    def open_(path: str, flags: int) -> int:
        raise OSError(code, os.strerror(code))

    return open_


def test_the_only_board_needs_no_name():
    assert ports.choose("", lambda: [ONE]) == "/dev/ttyACM0"
    assert ports.choose("/dev/pts/4", lambda: [ONE, OTHER]) == "/dev/pts/4"


def test_no_board_is_said():
    with pytest.raises(BoardError, match="no board found") as refused:
        ports.choose("", list)

    assert "cable that carries data" in refused.value.fix


def test_of_two_boards_both_are_named():
    with pytest.raises(BoardError, match="there are 2 boards") as refused:
        ports.choose("", lambda: [ONE, OTHER])

    assert "/dev/ttyACM0  Pico W" in str(refused.value)
    assert "/dev/ttyUSB0  CP2102" in str(refused.value)
    assert "put its port after --flash" in refused.value.fix


def test_a_file_is_no_port(tmp_path):
    (tmp_path / "file").touch()

    with pytest.raises(BoardError, match="is no serial port"):
        ports.check(str(tmp_path / "file"))


@pytest.mark.parametrize(
    ("code", "said", "fix"),
    [
        (errno.ENOENT, "there is no port", "mpremote devs"),
        (errno.EACCES, "no permission", "usermod -a -G dialout"),
        (errno.EBUSY, "used by another program", "fuser"),
        (errno.EIO, "Input/output error", "name the port"),
    ],
)
def test_a_port_that_cannot_be_opened_is_told_apart(code, said, fix):
    with pytest.raises(BoardError, match=said) as refused:
        ports.check("/dev/ttyACM0", failing(code))

    assert fix in refused.value.fix

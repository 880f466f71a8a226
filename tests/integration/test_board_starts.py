"""A board that starts: what it knows of that, and what it does where its config.json is refused."""

import time
from pathlib import Path

import pytest

from tests.board.virtual import VirtualBoard
from tools import firmware
from tools.board import facts, program
from tools.board.link import Board

pytestmark = pytest.mark.integration
_LIMIT_S = 20
_STILL_S = 1.0  # in which a board that starts again and again does so ten times


def flash(virtual: VirtualBoard, main: bytes, config: bytes = b'{"name": "cellar-1"}') -> None:
    """The device's program as it is on boards, a main.py, and a reset."""
    with Board(virtual.port) as board:
        files = program.modules(facts.of(board).port, firmware.cache())
        for parent in sorted({str(parent) for name in files for parent in Path(name).parents}):
            board.mkdir(f"/a/{parent}" if parent != "." else "/a")
        for name, content in files.items():
            board.put(f"/a/{name}", content)
        board.mkdir("/data")
        board.put("/data/config.json", config)
        board.put("/main.py", b"import sys\nsys.path.insert(0, '/a')\n" + main)
        board.reset()


def wait_for(said: bytes, virtual: VirtualBoard) -> None:
    deadline = time.monotonic() + _LIMIT_S
    while said not in virtual.said:
        assert time.monotonic() < deadline, virtual.said
        time.sleep(0.02)


def test_a_refused_configuration_is_told_once_and_the_repl_answers(tmp_path):
    with VirtualBoard(tmp_path / "board") as virtual:
        flash(virtual, b"from device import main\nmain.main('/data')\n")
        wait_for(b"refused", virtual)
        starts = len(virtual.resets)

        time.sleep(_STILL_S)

        assert len(virtual.resets) == starts
        assert bytes(virtual.said).count(b'"refused"') == 1
        with Board(virtual.port) as board:
            assert board.ask("print(6 * 7)", "the REPL", _LIMIT_S) == [42]


def test_a_board_knows_what_started_it(tmp_path):
    ask = b"from device.board import cause\nprint('cause', cause.of())\n"
    with VirtualBoard(tmp_path / "board") as virtual:
        flash(virtual, ask)
        wait_for(b"cause hard", virtual)

        virtual.power_cut()

        wait_for(b"cause power-on", virtual)

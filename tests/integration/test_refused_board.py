"""A board whose config.json is refused stands still, says why once, and can be talked to."""

import time
from pathlib import Path

import pytest

from tests.board.virtual import VirtualBoard
from tools.board import facts, program
from tools.board.link import Board

pytestmark = pytest.mark.integration
_LIMIT_S = 20
_STILL_S = 1.0  # in which a board that starts again and again does so ten times


def test_a_refused_configuration_is_told_once_and_the_repl_answers(tmp_path):
    with VirtualBoard(tmp_path / "board") as virtual:
        with Board(virtual.port) as board:
            files = program.modules(facts.of(board).port, tmp_path)
            for folder in sorted({str(parent) for name in files for parent in Path(name).parents}):
                board.mkdir(f"/a/{folder}" if folder != "." else "/a")
            for name, content in files.items():
                board.put(f"/a/{name}", content)
            board.mkdir("/data")
            board.put("/data/config.json", b'{"name": "cellar-1"}')
            board.put("/main.py", b"import sys\nsys.path.insert(0, '/a')\n"
                      b"from device import main\nmain.main('/data')\n")  # fmt: skip
            board.reset()
        deadline = time.monotonic() + _LIMIT_S
        while b"refused" not in virtual.said:
            assert time.monotonic() < deadline, virtual.said
            time.sleep(0.05)
        starts = len(virtual.resets)

        time.sleep(_STILL_S)

        assert len(virtual.resets) == starts
        assert bytes(virtual.said).count(b'"refused"') == 1
        with Board(virtual.port) as board:
            assert board.ask("print(6 * 7)", "the REPL", _LIMIT_S) == [42]

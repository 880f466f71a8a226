"""Our way to a board, on the virtual one: files, limits in time, and what it says in trouble."""

import os
import pty
import subprocess
import sys
import threading
import time

import pytest

from tests.board.child import Make, raw_terminal
from tests.board.test_virtual import files_on, mpremote, sources, wait_until
from tests.board.virtual import VirtualBoard
from tests.interpreters import ROOT
from tools.board.events import Listener
from tools.board.faults import BoardError, RefusedError, SilentError, UnpluggedError
from tools.board.link import Board

pytestmark = pytest.mark.integration


@pytest.fixture
def virtual(tmp_path):
    with VirtualBoard(tmp_path / "board") as board:
        yield board


@pytest.fixture
def board(virtual):
    with Board(virtual.port) as board:
        yield board


def test_files_go_there_and_come_back(board, virtual):
    content = bytes(range(256)) * 9

    board.mkdir("/data")
    board.mkdir("/data")
    board.put("/data/all", content)
    board.put("/data/all", content[:-1])

    assert board.get("/data/all") == content[:-1]
    assert board.get("/data/none") is None
    assert board.ls("/data") == ["all"]
    assert files_on(virtual.image) == {"/data/all": content[:-1]}
    board.remove("/data/all")
    board.remove("/data/all")
    assert board.ls("/data") == []


def test_answers_are_the_lines_of_json_and_not_the_ends_of_lines(board):
    assert board.ask("print('\\r')\nprint('[1]\\r')\nprint()\nprint(2)") == [[1], 2]


def test_a_slow_board_has_more_time(virtual):
    with Board(virtual.port, 30) as board:
        said = board.exec("import time\ntime.sleep(1)\nprint('here')", limit_s=0.2)

    assert said.strip() == "here"


def test_hashes_are_of_what_is_there(board):
    board.mkdir("/a")
    board.put("/a/one", b"one")

    tree = board.tree("/a", "/none", "/a/one")

    assert list(tree) == ["/a", "/a/one"]
    assert tree["/a/one"] == board.hash("/a/one").hex()
    assert tree["/a"] == ""


def test_the_real_mpremote_leaves_the_same_files(tmp_path):
    folder = sources(tmp_path)
    files = sorted(folder.glob("*.py"))
    images = []
    for name in ("mpremote", "ours"):
        with VirtualBoard(tmp_path / name) as virtual:
            if name == "mpremote":
                mpremote(virtual, "fs", "cp", "-r", folder, ":")
            else:
                with Board(virtual.port) as board:
                    board.mkdir("/board")
                    for source in files:
                        board.put(f"/board/{source.name}", source.read_bytes())
            images.append(files_on(virtual.image))

    assert images[0] == images[1]
    assert len(images[0]) == len(files)


def test_what_the_board_raises_is_told_with_its_last_line(board):
    with pytest.raises(RefusedError, match="divide by zero"):
        board.exec("1/0")

    assert board.exec("print(2)").strip() == "2"


def test_a_board_that_hangs_is_given_up(board):
    started = time.monotonic()

    with pytest.raises(SilentError, match="did not finish a long thought"):
        board.exec("import time\ntime.sleep(60)", "a long thought", limit_s=0.3)

    assert time.monotonic() - started < 2


def test_a_board_that_talks_without_end_is_given_up(board):
    with pytest.raises(SilentError):
        board.exec("while True: print('spam' * 20)", limit_s=0.3)


def test_a_program_that_keeps_the_interrupt_to_itself_is_given_up(virtual):
    keeps = (
        "import time\nwhile True:\n  try: time.sleep(1)\n  except BaseException: print('no' * 99)\n"
    )
    with Board(virtual.port) as board:
        board.put("/main.py", keeps.encode())
        board.reset()
    wait_until(lambda: virtual.resets[-1] == "reset", "it starts")

    with pytest.raises(SilentError, match="stopping its program") as given_up:
        Board(virtual.port)

    assert "reset button" in given_up.value.fix


def test_one_that_is_unplugged_in_the_middle_is_told(board, virtual):
    threading.Timer(0.2, virtual.unplug).start()

    with pytest.raises(UnpluggedError, match="was unplugged") as gone:
        board.exec("import time\ntime.sleep(5)")

    assert "run the same command again" in gone.value.fix


def test_a_port_in_use_is_told(board):
    with pytest.raises(BoardError, match="used by another program"):
        Board(board.port)


@pytest.mark.parametrize("usb", [False, True])
def test_a_hard_reset_comes_back_to_us_also_where_the_port_goes_away(usb, tmp_path):
    with (
        VirtualBoard(tmp_path / "board", Make(usb=usb)) as virtual,
        Board(str(virtual.link)) as board,
    ):
        board.reset_and_return()

        assert board.exec("print('here')").strip() == "here"
        assert "reset" in virtual.resets


@pytest.mark.parametrize("usb", [False, True])
def test_a_listener_hears_without_interrupting_also_after_a_reset(usb, tmp_path):
    with VirtualBoard(tmp_path / "board", Make(usb=usb)) as virtual:
        hear_a_reset(virtual)


def hear_a_reset(virtual: VirtualBoard) -> None:
    program = b'import time\nfor n in range(500):\n  print(\'{"event": "turn", "n": %d}\' % n)\n'
    program += b"  time.sleep_ms(10)\n"
    with Board(str(virtual.link)) as board:
        board.put("/main.py", program)
        board.reset()
    heard = []
    with Listener(str(virtual.link)) as listener:

        def hears(n: int) -> bool:
            heard.extend(listener.events())
            return {"event": "turn", "n": n} in heard

        wait_until(lambda: hears(20), "the twentieth turn")
        heard.clear()
        virtual.press_reset()
        wait_until(lambda: hears(3), "it starts anew")

    assert b"KeyboardInterrupt" not in virtual.said


def test_repl_is_a_terminal_on_the_board(virtual):
    ours, theirs = pty.openpty()
    raw_terminal(theirs)
    command = [sys.executable, "-m", "tools", "repl", virtual.port]
    with subprocess.Popen(command, cwd=ROOT, stdin=theirs, stdout=theirs, stderr=theirs) as repl:
        shown = b""
        while b"Ctrl-]" not in shown:
            shown += os.read(ours, 1024)

        os.write(ours, b"print('from', 'here')\r")
        wait_until(lambda: b"from here" in virtual.said, "it ran")
        os.write(ours, b"\x1d")

        assert repl.wait(10) == 0
    os.close(ours)
    os.close(theirs)

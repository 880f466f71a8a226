"""The virtual board behaves as real ones do, for the real mpremote command, too."""

import re
import shutil
import subprocess
import time
from pathlib import Path

import littlefs
import pytest

from tests.board.child import Make
from tests.board.virtual import VirtualBoard
from tests.interpreters import ROOT
from tests.interpreters import mpremote as the_command
from tools.board.faults import SilentError
from tools.board.link import Board

pytestmark = pytest.mark.integration
_LIMIT_S = 20
COUNTING = "import time\nfor n in range(100000):\n    print('turn', n)\n    time.sleep_ms(5)\n"


@pytest.fixture
def board(tmp_path):
    with VirtualBoard(tmp_path / "board") as board:
        yield board


def mpremote(board: VirtualBoard, *arguments: object) -> str:
    """What the command says; it has to succeed."""
    run = subprocess.run(
        [the_command(), "connect", board.port, *[str(argument) for argument in arguments]],
        capture_output=True,
        text=True,
        timeout=_LIMIT_S,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


def sources(folder: Path) -> Path:
    """A folder `board` of sources, without what Python keeps beside them."""
    ignore = shutil.ignore_patterns("__pycache__")
    return shutil.copytree(ROOT / "device" / "board", folder / "sources" / "board", ignore=ignore)


def wait_until(holds, what: str) -> None:
    deadline = time.monotonic() + _LIMIT_S
    while not holds():
        assert time.monotonic() < deadline, f"not within {_LIMIT_S} s: {what}"
        time.sleep(0.01)


def files_on(image: Path, program_bytes: int = 256) -> dict[str, bytes]:
    """All files of the image, read by another LittleFS than the board's."""
    flash = littlefs.LittleFS(block_size=4096, block_count=0, mount=False, prog_size=program_bytes)
    flash.context.buffer = bytearray(image.read_bytes())
    flash.mount()
    found = {}
    for folder, _, names in flash.walk("/"):
        for name in names:
            path = f"{folder.rstrip('/')}/{name}"
            with flash.open(path, "rb") as file:
                found[path] = file.read()
    return found


def test_a_blank_flash_is_formatted_at_boot_as_firmware_does(board):
    listed = mpremote(board, "exec", "import os; print(os.listdir('/'), os.statvfs('/')[0])")

    assert listed.split() == ["[]", "4096"]
    assert files_on(board.image) == {}


@pytest.mark.parametrize("program_bytes", [32, 256])
def test_what_mpremote_copies_is_in_the_image(program_bytes, tmp_path):
    with VirtualBoard(tmp_path / "board", Make(program_bytes=program_bytes)) as board:
        mpremote(board, "fs", "cp", "-r", sources(tmp_path), ":")
        shown = mpremote(board, "fs", "cat", ":board/wifi.py", "+", "fs", "ls", ":board")

    copied = {f"/board/{p.name}": p.read_bytes() for p in (ROOT / "device/board").glob("*.py")}
    assert files_on(board.image, program_bytes) == copied
    assert (ROOT / "device/board/wifi.py").read_text() in shown.replace("\r\n", "\n")
    assert "esp32.py" in shown


def test_a_running_main_is_interrupted_and_a_soft_reset_in_raw_mode_does_not_start_it(board):
    board_file = board.image.with_name("main.py")
    board_file.write_text(COUNTING)
    mpremote(board, "fs", "cp", board_file, ":main.py", "+", "reset")
    wait_until(lambda: b"turn 10" in board.said, "main.py runs")

    said = mpremote(board, "exec", "print('n' in globals())")

    assert said.strip() == "False"
    assert b"KeyboardInterrupt" in board.said
    assert board.resets.count("reset") == 1
    assert board.resets[-1] == "soft reset"


def test_without_a_soft_reset_mpremote_finds_what_main_left(board):
    board_file = board.image.with_name("main.py")
    board_file.write_text(COUNTING)
    mpremote(board, "fs", "cp", board_file, ":main.py", "+", "reset")
    wait_until(lambda: b"turn 3" in board.said, "main.py runs")

    said = mpremote(board, "resume", "exec", "print('n is', n)")

    assert said.startswith("n is")


def test_a_package_is_installed_from_a_local_package_json(board, tmp_path):
    (tmp_path / "package.json").write_text('{"urls": [["blink.py", "blink.py"]]}')
    (tmp_path / "blink.py").write_text("times = 3\n")

    mpremote(board, "mip", "install", tmp_path / "package.json")

    assert mpremote(board, "exec", "import blink; print(blink.times)").strip() == "3"


def test_the_friendly_prompt_answers_as_a_terminal_expects(board):
    with open(board.port, "r+b", buffering=0) as terminal:
        terminal.write(b"1+1\r\nprint('two', 'lines')\r\n")
        wait_until(lambda: b"two lines" in board.said, "both lines were run")

    assert b"1+1\r\n2" in board.said


def test_it_knows_how_it_was_started(board):
    ask = "import machine; print(machine.reset_cause())"
    (board.image.with_name("boot.py")).write_text(ask)
    mpremote(board, "fs", "cp", board.image.with_name("boot.py"), ":boot.py")
    causes = []
    for start in (board.power_cut, board.press_reset):
        count = len(board.said)
        start()
        wait_until(lambda count=count: b"\n" in board.said[count:], "boot.py ran")
        causes.append(int(board.said[count:].split()[0]))

    assert causes == [1, 2]


def test_memory_of_the_clock_outlives_deep_sleep_and_not_the_power(board):
    kept = "import machine; print(machine.RTC().memory())"
    sleep = "import machine; machine.RTC().memory(b'42'); machine.deepsleep(50)"
    mpremote(board, "exec", "--no-follow", sleep)
    wait_until(lambda: board.resets[-1] == "deep sleep", "it woke")

    woken = mpremote(board, "exec", kept)
    board.power_cut()

    assert woken.strip() == "b'42'"
    assert mpremote(board, "exec", kept).strip() == "b''"


def test_a_watchdog_that_is_not_fed_bites(board):
    hang = "import machine, time; machine.WDT(timeout=200); time.sleep(60)"
    mpremote(board, "exec", "--no-follow", hang)

    wait_until(lambda: board.resets[-1] == "watchdog", "it bit")


@pytest.mark.parametrize("torn", [False, True])
def test_the_power_goes_at_any_flash_operation_and_what_was_closed_before_is_there(torn, board):
    write = (
        "for n in range(20):\n"
        "    f = open('{0}-%d' % n, 'wb'); f.write(bytes(3000)); f.close()\n"
        "    print('kept {0}-%d.' % n)"
    )
    for cut_at in (1, 2, 4, 7, 12):
        said, cuts = len(board.said), board.resets.count("power cut")
        with Board(board.port) as ours:
            board.cut_after(cut_at, torn=torn)
            with pytest.raises(SilentError):
                ours.exec(write.format(cut_at), limit_s=0.2)
            ours.close()
        wait_until(lambda cuts=cuts: board.resets.count("power cut") > cuts, "the power went")
        kept = set(re.findall(rb"kept ([0-9-]+)", board.said[said:]))

        with Board(board.port) as ours:
            listed = ours.ls("/")
            ours.exec("import os\nfor f in os.listdir('/'): os.remove(f)")

        assert {name.decode() for name in kept} <= {*listed}
        assert len(kept) < 20


def test_an_unplugged_board_has_no_port_and_plugged_in_again_the_same_files(board):
    mpremote(board, "exec", "open('kept', 'w').close()")
    port = Path(board.port)

    board.unplug()

    assert not board.is_plugged_in
    assert not port.exists()
    board.plug_in()
    assert "kept" in mpremote(board, "fs", "ls")


def test_unplugging_can_wait_for_a_flash_operation(board):
    board.cut_after(3, unplug=True)

    mpremote(board, "exec", "--no-follow", "for n in range(99): open(str(n), 'w').close()")

    wait_until(lambda: not board.is_plugged_in, "the cable was pulled")
    assert board.resets[-1] == "unplugged"


def test_the_radio_joins_the_network_that_is_there(board):
    board.change_world(wifi={"up": True, "ssid": "shed", "password": "right"})
    join = (
        "import network, time; w = network.WLAN(0); w.active(True); w.connect('shed', '{}')\n"
        "time.sleep_ms(50); print(w.isconnected(), w.status())"
    )

    assert mpremote(board, "exec", join.format("wrong")).split() == ["False", "-3"]
    assert mpremote(board, "exec", join.format("right")).split() == ["True", "3"]


def test_a_socket_that_nobody_reads_keeps_four_datagrams(board):
    said = mpremote(
        board,
        "exec",
        "import socket\n"
        "here = socket.getaddrinfo('127.0.0.1', 0, 0, socket.SOCK_DGRAM)[0][-1]\n"
        "a = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); a.bind(here)\n"
        "there = socket.getaddrinfo('127.0.0.1', 47001, 0, socket.SOCK_DGRAM)[0][-1]\n"
        "a = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); a.bind(there)\n"
        "b = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); b.connect(there)\n"
        "for n in range(9): b.send(bytes([n]))\n"
        "got = []\n"
        "try:\n"
        "    while True: got.append(a.recv(9)[0])\n"
        "except OSError: print(got)\n",
    )

    assert said.strip() == "[0, 1, 2, 3]"


def test_time_is_whole_seconds_of_a_clock_that_nobody_set(board):
    said = mpremote(board, "exec", "import time; print(time.time(), time.gmtime()[0])")

    assert said.startswith("16094592")

"""Which boards can be devices, and what is told to the owner of one that cannot."""

import pytest

from tools.board import facts
from tools.board.facts import Facts
from tools.board.faults import BoardError, FullError

PICO = Facts("micropython", (1, 28, 0), "rp2", 6, 4, 190_000, 4096, 800_000)


def test_a_pico_w_will_do():
    facts.check(PICO, small=False)

    assert PICO.named == "micropython 1.28.0 on rp2"


@pytest.mark.parametrize(
    ("board", "said"),
    [
        (PICO._replace(firmware="circuitpython"), "runs circuitpython, not MicroPython"),
        (PICO._replace(version=(1, 23, 0)), "micropython 1.23.0 on rp2 is too old"),
        (PICO._replace(mpy=5), "too old"),
        (PICO._replace(port="nrf52"), "no code for that port"),
        (PICO._replace(free_heap_bytes=40_000), "40000 bytes of memory free"),
    ],
)
def test_others_are_refused(board, said):
    with pytest.raises(BoardError, match=said):
        facts.check(board, small=False)


def test_a_small_board_will_do_for_the_small_profile():
    small = PICO._replace(free_heap_bytes=40_000)

    facts.check(small, small=True)

    with pytest.raises(BoardError, match="of memory free") as refused:
        facts.check(small, small=False)
    assert "--small" in refused.value.fix


def test_files_take_whole_blocks_and_one_is_there_twice_while_it_is_written():
    room = PICO._replace(free_flash_bytes=12 * 4096)

    facts.check_room(room, [1, 4096, 100], freed=[])

    with pytest.raises(FullError, match="53248 bytes are needed, 49152 are free"):
        facts.check_room(room, [1, 4096, 100, 5], freed=[])


def test_what_goes_makes_room():
    full = PICO._replace(free_flash_bytes=8 * 4096)

    facts.check_room(full, [100], freed=[100, 200])

from device.clock import Clock
from tests.device.board import FakeBoard

NOON_MS = 1_763_692_800_000


def test_uptime_goes_on_when_the_ticks_wrap_around():
    board = FakeBoard()
    board.now_ms = 0x3FFFFFFF - 100
    clock = Clock(board)

    board.now_ms += 300

    assert clock.uptime_ms() == 300


def test_a_time_of_zero_is_no_time():
    clock = Clock(FakeBoard())

    assert not clock.learn(0)
    assert not clock.is_set


def test_without_a_clock_times_are_ms_before_now():
    board = FakeBoard()
    clock = Clock(board)
    read_at = clock.uptime_ms()

    board.now_ms += 1500

    assert clock.time_ms(read_at) == -1500


def test_once_told_times_are_unix_ms_also_for_what_was_read_before():
    board = FakeBoard()
    clock = Clock(board)
    read_at = clock.uptime_ms()
    board.now_ms += 1500

    first = clock.learn(NOON_MS)

    assert first
    assert not clock.learn(NOON_MS)
    assert clock.time_ms(read_at) == NOON_MS - 1500

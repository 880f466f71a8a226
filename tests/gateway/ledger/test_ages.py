"""Whether ages may be judged: wall and monotonic clock as data, in hours."""

import pytest

from gateway.ledger.ages import HOUR_MS, REST_MS, AgeClock

H = HOUR_MS
YEAR = 365 * 24
START = 500_000  # hours: in 2027
UNSET = None


def ticks(clock: AgeClock, times: list[tuple[float | None, float]]) -> list[bool]:
    """(wall, monotonic) in hours since START -> whether ages may be judged."""
    return [
        clock.tick(None if wall is None else int((START + wall) * H), int(monotonic * H))
        for wall, monotonic in times
    ]


YES, NO = True, False
# seen before this start; then (wall, monotonic) -> may ages be judged?
TABLE = {
    "a clock that goes": (0, [((0, 0), YES), ((0.5, 0.5), YES), ((30, 30), YES)]),
    "the first start of all": (None, [((0, 0), YES), ((1, 1), YES)]),
    "off for a moment": (-0.9, [((0, 0), YES)]),
    "off for two hours": (
        -2,
        [((0, 0), NO), ((23.9, 23.9), NO), ((24, 24), YES), ((25, 25), YES)],
    ),
    "started ten years ahead": (-10 * YEAR, [((0, 0), NO), ((1, 1), NO), ((24, 24), YES)]),
    "jumped while running": (
        0,
        [((0, 0), YES), ((1.2, 0.1), NO), ((25, 24), NO), ((25.2, 24.1), YES)],
    ),
    "corrected by less than an hour": (0, [((0, 0), YES), ((1.05, 0.1), YES)]),
    "drifted ahead by more, bit by bit": (
        0,
        [((0, 0), YES), ((10.5, 10), YES), ((21, 20), YES), ((31.5, 30), NO)],
    ),
    "jumped, and was corrected": (
        0,
        [((0, 0), YES), ((YEAR, 0.1), NO), ((0.2, 0.2), NO), ((24.1, 24.1), YES)],
    ),
    "jumped, was corrected, jumped again": (
        0,
        [((0, 0), YES), ((YEAR, 1), NO), ((26, 26), YES), ((YEAR, 27), NO), ((51, 51), YES)],
    ),
    "went back, and to the right time again": (
        0,
        [((0, 0), YES), ((-5, 1), YES), ((2, 2), NO), ((26, 26), YES)],
    ),
    "not set, then right": (
        -0.5,
        [((UNSET, 0), NO), ((UNSET, 0.2), NO), ((0, 0.3), YES)],
    ),
    "not set, then far ahead": (
        0,
        [((UNSET, 0), NO), ((YEAR, 0.1), NO), ((YEAR + 24, 24.1), YES)],
    ),
    "not set for a while": (0, [((0, 0), YES), ((UNSET, 1), NO), ((2, 2), YES)]),
    "a rest goes on while it is not set": (
        -2,
        [((0, 0), NO), ((UNSET, 12), NO), ((25, 25), YES)],
    ),
    "a second jump begins the rest anew": (
        0,
        [((0, 0), YES), ((3, 1), NO), ((22, 20), NO), ((32, 25), NO), ((50, 43), NO)],
    ),
    "monotonic clocks begin anywhere": (0, [((0, 777), YES), ((1, 778), YES)]),
}


@pytest.mark.parametrize(("seen", "steps"), TABLE.values(), ids=TABLE)
def test_ages_are_judged_only_by_a_clock_that_did_not_jump(seen, steps):
    clock = AgeClock(None if seen is None else int((START + seen) * H))

    judged = ticks(clock, [times for times, _ in steps])

    assert judged == [expected for _, expected in steps]


def again(clock: AgeClock, newest: float | None = None) -> AgeClock:
    """As after a restart."""
    return AgeClock.load(clock.dump(), None if newest is None else int((START + newest) * H))


def test_a_restart_does_not_end_a_rest():
    clock = AgeClock(int((START - 2) * H))
    ticks(clock, [(0, 0), (10, 10)])

    restarted = again(clock, newest=10)

    assert restarted.resting_ms == REST_MS - 10 * H
    assert ticks(restarted, [(10.1, 0), (24, 13.9), (24.2, 14)]) == [NO, NO, YES]


def test_a_restart_after_a_jump_that_was_not_seen_yet_sees_it():
    """Entries of the wrong time are in the ledger already; what counts is when it was right."""
    clock = AgeClock(None)
    ticks(clock, [(0, 0), (0.1, 0.1)])

    restarted = again(clock, newest=YEAR)

    assert ticks(restarted, [(YEAR, 0)]) == [NO]


def test_a_restart_within_the_hour_goes_on():
    clock = AgeClock(None)
    ticks(clock, [(0, 0), (5, 5)])

    assert ticks(again(clock), [(5.5, 0)]) == [YES]


@pytest.mark.parametrize("data", [None, b"", b"x", b"1", b"1 x", b"\xff \xff", b" -5", b"1 2 3"])
def test_without_a_memory_the_newest_entry_is_what_was_seen(data):
    newest_ms = int((START - 2) * H)

    assert ticks(AgeClock.load(data, newest_ms), [(0, 0)]) == [NO]
    assert ticks(AgeClock.load(data, newest_ms + 2 * H), [(0, 0)]) == [YES]


def test_a_clock_that_was_never_trusted_remembers_the_rest_only():
    clock = AgeClock(None, 5 * H)

    ticks(clock, [(UNSET, 0), (UNSET, 1)])

    assert clock.dump() == b" %d" % (4 * H)
    assert again(clock, newest=0).resting_ms == 4 * H


def test_a_rest_that_is_owed_is_known_before_the_first_tick():
    assert AgeClock(None, 7).resting_ms == 7

import pytest

from device.band import Band, difference
from device.slot import SEND, SEND_NOW, SKIP
from protocol.cbor import decimal

HOUR_MS = 3_600_000


def tenths(number):
    return decimal(number, -1)


def verdicts(band, values, every_ms=1000, suffix="temperature"):
    return [band.judge(suffix, value, at * every_ms) for at, value in enumerate(values)]


def test_a_reading_inside_the_band_around_the_last_one_sent_is_left_out():
    band = Band({"band": {"*": tenths(5)}}, HOUR_MS)

    # 21.4 is inside the band around 21.0, 21.5 is not, and the band is around 21.5 from there on
    values = [21, tenths(214), tenths(215), tenths(211), 21]

    assert verdicts(band, values) == [SEND, SKIP, SEND, SKIP, SEND]


def test_a_slow_drift_is_not_lost_step_by_step():
    band = Band({"band": {"*": 1}}, HOUR_MS)

    sent = verdicts(band, [tenths(200 + step) for step in range(31)])

    assert [at for at, verdict in enumerate(sent) if verdict] == [0, 10, 20, 30]


def test_even_what_never_changes_is_sent_every_so_often():
    band = Band({"band": {"*": 1}}, 10_000)

    sent = verdicts(band, [20] * 31)

    assert [at for at, verdict in enumerate(sent) if verdict] == [0, 10, 20, 30]


def test_crossing_a_threshold_either_way_is_told_at_once_and_staying_beyond_is_not():
    band = Band({"alarm_above": {"*": 30}, "alarm_below": {"*": tenths(5)}}, HOUR_MS)

    values = [20, 30, tenths(301), 31, 30, tenths(5), tenths(4), 0, 1]

    now, later = SEND_NOW, SEND
    assert verdicts(band, values) == [later, later, now, later, now, later, now, later, now]


def test_an_alarm_is_told_though_the_reading_is_inside_the_band():
    band = Band({"band": {"*": 10}, "alarm_above": {"*": 30}}, HOUR_MS)

    assert verdicts(band, [29, 31, 32, 30]) == [SEND, SEND_NOW, SKIP, SEND_NOW]


def test_a_first_reading_beyond_the_threshold_is_told_at_once():
    band = Band({"alarm_below": {"*": 2}}, HOUR_MS)

    assert verdicts(band, [1]) == [SEND_NOW]


def test_each_quantity_has_its_own_limits_and_its_own_last_value():
    band = Band({"band": {"temperature": 1}, "alarm_above": {"humidity": 90}}, HOUR_MS)

    assert verdicts(band, [20, 20]) == [SEND, SKIP]
    assert verdicts(band, [20, 20, 95], suffix="humidity") == [SEND, SEND, SEND_NOW]


@pytest.mark.parametrize(
    ("one", "other", "less", "sign"),
    [
        (tenths(3), tenths(1), tenths(2), 0),  # with floats 0.3 - 0.1 - 0.2 is not 0
        (decimal(1, -18), 0, 0, 1),
        ((1 << 63) - 1, decimal((1 << 63) - 1, -18), 0, 1),
        (-5, tenths(-45), 0, -1),
    ],
)
def test_differences_are_exact(one, other, less, sign):
    found = difference(one, other, less)

    assert (found > 0) - (found < 0) == sign

import pytest

from gateway.ledger.forecast import EVERY_S, WINDOW_S, Forecast

DAY = 86_400


def watched(*samples: tuple[float, int]) -> Forecast:
    forecast = Forecast()
    for now_s, used_bytes in samples:
        forecast.sample(now_s, used_bytes)
    return forecast


def test_the_rate_is_what_came_in_by_the_time_it_took():
    forecast = watched((0, 1000), (600, 1600), (1200, 2200))

    assert forecast.bytes_per_day() == DAY
    assert forecast.days_left(10 * DAY) == 10


@pytest.mark.parametrize("samples", [(), ((0, 1),), ((0, 1), (299, 500))])
def test_nothing_is_said_before_there_is_something_to_go_by(samples):
    forecast = watched(*samples)

    assert forecast.bytes_per_day() is None
    assert forecast.days_left(1000) is None


def test_where_nothing_comes_in_the_room_lasts_for_ever():
    forecast = watched((0, 500), (3600, 500))

    assert forecast.bytes_per_day() == 0
    assert forecast.days_left(1000) is None


def test_no_room_is_no_day():
    forecast = watched((0, 0), (3600, 500))

    assert forecast.days_left(0) == forecast.days_left(-5) == 0


def test_what_was_deleted_came_in_all_the_same():
    forecast = watched((0, 1000))

    forecast.freed(900)
    forecast.sample(DAY, 200)

    assert forecast.bytes_per_day() == 100


def test_only_the_last_hours_count_and_memory_is_bounded():
    forecast = Forecast()
    for n in range(10 * DAY // 10):  # each ten seconds for ten days, the last of them quiet
        forecast.sample(n * 10, min(n * 10, 9 * DAY))

    assert forecast.bytes_per_day() == 0
    assert len(forecast._samples) == WINDOW_S // EVERY_S + 1


def test_a_ledger_that_shrank_for_another_reason_has_no_negative_rate():
    assert watched((0, 5000), (600, 100)).bytes_per_day() == 0

"""Echo: who brings a value back reads what is sent to its address."""

from gateway.coap.echo import REMEMBERED_MS, WINDOW_MS, Echoes

KEY, OTHER_KEY = bytes(32), bytes([1]) * 32
HERE, THERE = ("::ffff:192.0.2.1", 5683, 0, 0), ("::ffff:192.0.2.1", 5684, 0, 0)
NOW_MS = 10 * WINDOW_MS + 5


def test_a_value_brought_back_verifies_the_address_it_was_made_for():
    echoes = Echoes(KEY)
    value = echoes.value(HERE, NOW_MS)

    assert echoes.verified(HERE, value, NOW_MS)
    assert not echoes.verified(THERE, value, NOW_MS)
    assert len(value) == 8


def test_nothing_and_a_guess_verify_nothing_and_leave_nothing():
    echoes = Echoes(KEY)
    value = echoes.value(HERE, NOW_MS)
    guesses = [
        None,
        b"",
        b"\0" * 8,
        value[:-1],
        value + b"\0",
        Echoes(OTHER_KEY).value(HERE, NOW_MS),
    ]

    assert [echoes.verified(HERE, guess, NOW_MS) for guess in guesses] == [False] * 6
    assert len(echoes) == 0


def test_a_value_is_good_for_this_window_and_the_next():
    value = Echoes(KEY).value(HERE, NOW_MS)
    later = [NOW_MS + WINDOW_MS, NOW_MS + 2 * WINDOW_MS, NOW_MS - WINDOW_MS]

    assert [Echoes(KEY).verified(HERE, value, at_ms) for at_ms in later] == [True, False, False]


def test_an_address_is_remembered_for_a_while():
    echoes = Echoes(KEY)
    echoes.verified(HERE, echoes.value(HERE, NOW_MS), NOW_MS)

    assert echoes.verified(HERE, None, NOW_MS + REMEMBERED_MS - 1)
    assert not echoes.verified(HERE, None, NOW_MS + REMEMBERED_MS)
    assert not echoes.verified(THERE, None, NOW_MS)


def test_the_table_has_an_end_and_forgets_the_oldest():
    echoes = Echoes(KEY, max_remembered=2)
    for peer in ("a", "b", "a", "c"):
        echoes.verified(peer, echoes.value(peer, NOW_MS), NOW_MS)

    assert [echoes.verified(peer, None, NOW_MS) for peer in "abc"] == [True, False, True]
    assert len(echoes) == 2

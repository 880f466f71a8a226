"""Requests that were executed: a dictionary with a clock, in 100 bytes a request."""

import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from gateway.coap.dedup import ANSWER_BYTES, PENDING, Dedup, key_of
from gateway.coap.generations import LIFETIME_MS

KEYS = st.integers(1, 6).map(lambda n: key_of(b"secret", b"peer", n))
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("begin"), KEYS),
        st.tuples(st.just("finish"), KEYS, st.binary(min_size=1, max_size=300)),
        st.tuples(st.just("forget"), KEYS),
        st.tuples(st.just("wait"), st.integers(0, 10_000)),
    )
)


@given(STEPS)
def test_within_the_lifetime_it_is_a_dictionary(steps):
    requests, model, now_ms = Dedup(0, per_generation=8), {}, 0

    for what, one, *rest in steps:
        if what == "wait":
            now_ms = min(now_ms + one, LIFETIME_MS)
        elif what == "begin" and one not in model:
            assert requests.begin(one, now_ms)
            model[one] = PENDING
        elif what == "finish" and model.get(one) == PENDING:
            requests.finish(one, *rest)
            model[one] = rest[0]
        elif what == "forget":
            requests.forget(one)
            model.pop(one, None)

        assert {key: requests.find(key, now_ms) for key in model} == model


def test_a_request_is_new_pending_and_answered():
    requests = Dedup(0, per_generation=8)

    new = requests.find(5, 0)
    requests.begin(5, 0)
    begun = requests.find(5, 0)
    requests.finish(5, b"\x44")

    assert (new, begun, requests.find(5, 0)) == (None, PENDING, b"\x44")


def test_only_the_first_answer_counts():
    requests = Dedup(0, per_generation=8)
    requests.begin(5, 0)
    requests.finish(5, b"first")

    requests.finish(5, b"second")

    assert requests.find(5, 0) == b"first"


def test_an_answer_to_a_request_that_was_forgotten_is_not_kept():
    requests = Dedup(0, per_generation=8)
    requests.begin(5, 0)
    requests.forget(5)

    requests.finish(5, b"\x44")

    assert requests.find(5, 0) is None


def test_an_answer_that_comes_after_a_rotation_finds_its_request():
    requests = Dedup(0, per_generation=8)
    requests.begin(5, 0)
    requests.begin(6, LIFETIME_MS // 2)

    requests.finish(5, b"\x44")

    assert requests.find(5, LIFETIME_MS) == b"\x44"


def test_the_same_id_an_hour_later_is_another_request_though_nothing_came_between():
    requests = Dedup(0, per_generation=8)
    requests.begin(5, 0)
    requests.finish(5, b"\x44")

    assert requests.find(5, 3_600_000) is None


def test_a_full_table_refuses_and_forgets_nothing():
    requests = Dedup(0, per_generation=8)
    keys = [key_of(b"secret", b"peer", n) for n in range(9)]

    taken = [requests.begin(key, 0) for key in keys]

    assert taken == [True] * 8 + [False]
    assert [requests.find(key, 0) for key in keys] == [PENDING] * 8 + [None]


def test_what_was_forgotten_gives_its_place_back():
    requests = Dedup(0, per_generation=8)

    for n in range(1000):
        key = key_of(b"secret", b"peer", n)
        assert requests.begin(key, 0)
        requests.forget(key)


def test_long_answers_fill_it_sooner():
    requests = Dedup(0, per_generation=8)
    keys = [key_of(b"secret", b"peer", n) for n in range(8)]

    taken = 0
    for key in keys:
        if requests.begin(key, 0):
            taken += 1
            requests.finish(key, bytes(3 * ANSWER_BYTES))

    assert taken == 3


def test_an_answer_as_long_as_a_datagram_is_kept_whole():
    requests = Dedup(0, per_generation=8)
    answer = bytes(range(256)) * 5
    requests.begin(5, 0)

    requests.finish(5, answer)

    assert requests.find(5, 0) == answer


def test_a_remembered_request_takes_at_most_100_bytes_with_its_answer():
    count, answer = 1 << 12, b"\x44" + bytes(16)
    keys = [key_of(b"secret", b"peer%d" % (n >> 8), n & 0xFF) for n in range(4 * count)]
    tracemalloc.start()

    requests = Dedup(0, per_generation=count)
    for n, key in enumerate(keys):
        now_ms = n * (LIFETIME_MS // 3 + 1) // count
        assert requests.begin(key, now_ms)
        requests.finish(key, answer)
    taken_bytes, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    print(f"{taken_bytes / len(keys):.1f} bytes a request, {len(answer)} of them its answer")
    assert all(requests.find(key, now_ms) == answer for key in keys)
    assert taken_bytes / len(keys) <= 100


def test_a_key_depends_on_secret_peer_and_message_id():
    same = key_of(b"secret", b"peer", 258)

    others = [key_of(b"other", b"peer", 258), key_of(b"secret", b"pear", 258)]
    others += [key_of(b"secret", b"peer", 259), key_of(b"secret", b"\x02peer", 1)]

    assert key_of(b"secret", b"peer", 258) == same
    assert same not in others

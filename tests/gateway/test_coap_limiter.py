"""Shares: never more than burst and rate allow, never less, and memory that is bounded."""

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.coap.limiter import Limiter, source_of

BURST, PER_S, INTERVAL_MS = 5, 4, 250
STEPS_MS = st.lists(st.integers(0, 700), max_size=80)


class Bucket:
    """What a token bucket is, said slowly: whole tokens, a fraction of one in quarters of a ms."""

    def __init__(self):
        self.tokens, self.at_ms = BURST * INTERVAL_MS, 0

    def allows(self, now_ms):
        self.tokens = min(self.tokens + now_ms - self.at_ms, BURST * INTERVAL_MS)
        self.at_ms = now_ms
        if self.tokens < INTERVAL_MS:
            return False
        self.tokens -= INTERVAL_MS
        return True


def limiter(sources=1024):
    return Limiter(per_s=PER_S, burst=BURST, sources=sources)


def allowed(share, source, times_ms):
    return sum(share.allows(source, now_ms) for now_ms in times_ms)


@given(STEPS_MS)
def test_one_source_is_treated_as_by_a_token_bucket(steps_ms):
    share, bucket, now_ms = limiter(), Bucket(), 10_000

    for step_ms in steps_ms:
        now_ms += step_ms

        assert share.allows("a", now_ms) == bucket.allows(now_ms)


@given(STEPS_MS)
def test_no_stretch_of_time_has_more_than_burst_and_rate(steps_ms):
    share, now_ms, taken_ms = limiter(), 0, []

    for step_ms in steps_ms:
        now_ms += step_ms
        if share.allows("a", now_ms):
            taken_ms.append(now_ms)

    for start, since_ms in enumerate(taken_ms):
        for stop, until_ms in enumerate(taken_ms[start:], 1):
            assert stop <= BURST + (until_ms - since_ms) / INTERVAL_MS


def test_a_burst_then_one_an_interval():
    share = limiter()

    assert allowed(share, "a", [0] * 100) == BURST
    assert allowed(share, "a", [INTERVAL_MS - 1]) == 0
    assert allowed(share, "a", [INTERVAL_MS] * 2) == 1
    assert allowed(share, "a", range(1000, 11_000)) == 10 * PER_S + 2


def test_a_refused_one_costs_nothing():
    share = limiter()
    allowed(share, "a", [0] * BURST)

    allowed(share, "a", [1] * 10_000)

    assert allowed(share, "a", [INTERVAL_MS]) == 1


def test_one_source_does_not_take_what_is_anothers():
    share = limiter()
    allowed(share, "a", [0] * 100)

    assert allowed(share, "b", [0] * 100) == BURST


@pytest.mark.parametrize("others", [0, 3, 4, 7], ids=lambda count: f"{count} others between")
def test_a_source_that_has_used_its_share_has_used_it_whoever_else_comes(others):
    share = limiter(sources=8)
    allowed(share, "a", [0] * BURST)

    refused = []
    for turn in range(4):
        for other in range(others):
            share.allows((turn, other), 0)
        refused.append(not share.allows("a", 0))

    assert refused == [True] * 4


def test_a_million_sources_take_the_memory_of_two_tables():
    share = limiter(sources=1024)
    for source in range(900_000):
        share.allows(source, source // 100)
    tracemalloc.start()

    for source in range(900_000, 1_000_000):
        share.allows(source, source // 100)
    taken_bytes, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    print(f"{taken_bytes} bytes for {len(share)} sources of a million")
    assert len(share) <= 2 * 1024
    assert taken_bytes < 512 * 1024


TOGETHER = {
    "one IPv4 address": ("::ffff:192.0.2.1", "::ffff:192.0.2.1"),
    "one IPv6 network": ("2001:db8::1", "2001:db8::ffff:2"),
    "one link-local address": ("fe80::1", "fe80::1"),
    "one address, another zone": ("2001:db8::1%eth0", "2001:db8::2"),
}
APART = {
    "two IPv4 addresses": ("::ffff:192.0.2.1", "::ffff:192.0.2.2"),
    "two IPv6 networks": ("2001:db8::1", "2001:db8:0:1::1"),
    "two link-local addresses": ("fe80::1", "fe80::2"),
    "IPv4 and IPv6": ("::ffff:192.0.2.1", "::1"),
}


@pytest.mark.parametrize(("one", "other"), TOGETHER.values(), ids=TOGETHER)
def test_who_is_limited_together(one, other):
    assert source_of(one) == source_of(other)


@pytest.mark.parametrize(("one", "other"), APART.values(), ids=APART)
def test_who_is_limited_apart(one, other):
    assert source_of(one) != source_of(other)

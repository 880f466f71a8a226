"""Cursor, clock and results in; what to send and when, out."""

import pytest

from gateway.config import ForwardConfig
from gateway.forward.outbox import ForwardOutbox, Send, Wait

CONFIG = ForwardConfig(
    url="http://collector",
    token_file="token",  # noqa: S106  # a path
    batch_entries=8,
    retry_min_ms=1000,
    retry_max_ms=10_000,
)
SIGNED = 100


def accepted(next_index):
    return lambda outbox, now_ms: outbox.accepted(next_index)


def failed(jitter=1.0, retry_after_ms=0):
    return lambda outbox, now_ms: outbox.failed(now_ms, jitter, retry_after_ms)


def too_large(outbox, now_ms):
    step = outbox.plan(now_ms, 1_000_000)
    outbox.too_large(step.stop - step.start)


# name -> [(at ms, event)], then at ms: the plan with 100 entries signed
TABLE = {
    "at first": ([], 0, Send(0, 8)),
    "after success": ([(0, accepted(8))], 0, Send(8, 16)),
    "the last ones": ([(0, accepted(96))], 0, Send(96, 100)),
    "nothing left": ([(0, accepted(100))], 0, Wait(None)),
    "upstream is ahead": ([(0, accepted(120))], 0, Wait(None)),
    "resync back": ([(0, accepted(50)), (1, accepted(20))], 1, Send(20, 28)),
    "resync forward": ([(0, accepted(50))], 1, Send(50, 58)),
    "one failure": ([(0, failed())], 0, Wait(1000)),
    "after the wait": ([(0, failed())], 1000, Send(0, 8)),
    "doubling": ([(0, failed()), (1000, failed())], 1001, Wait(3000)),
    "doubling twice": ([(0, failed()), (1, failed()), (2, failed())], 3, Wait(4002)),
    "at most": ([(0, failed())] * 30, 1, Wait(10_000)),
    "half with no jitter": ([(0, failed(jitter=0.0))], 0, Wait(500)),
    "told to wait longer": ([(0, failed(retry_after_ms=60_000))], 1, Wait(60_000)),
    "told to wait less": ([(0, failed(retry_after_ms=1))], 1, Wait(1000)),
    "success forgets failures": (
        [(0, failed()), (1, failed()), (2, accepted(8)), (3000, failed())],
        3001,
        Wait(4000),
    ),
    "too large": ([(0, too_large)], 0, Send(0, 4)),
    "much too large": ([(0, too_large)] * 9, 0, Send(0, 1)),
    "grows again": ([(0, too_large), (0, too_large), (0, accepted(2))], 0, Send(2, 5)),
    "grows no further": ([(0, too_large), *[(0, accepted(8))] * 9], 0, Send(8, 16)),
}


@pytest.mark.parametrize(("events", "now_ms", "plan"), TABLE.values(), ids=TABLE)
def test_what_comes_next(events, now_ms, plan):
    outbox = ForwardOutbox(0, CONFIG)

    for at_ms, event in events:
        event(outbox, at_ms)

    assert outbox.plan(now_ms, SIGNED) == plan


def test_nothing_that_is_not_signed_is_sent():
    outbox = ForwardOutbox(5, CONFIG)

    assert outbox.plan(0, 5) == Wait(None)
    assert outbox.plan(0, 6) == Send(5, 6)


def test_the_wait_is_said():
    outbox = ForwardOutbox(0, CONFIG)

    assert [outbox.failed(0, 0.5) for _ in range(6)] == [750, 1500, 3000, 6000, 7500, 7500]

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.errors import OutOfStateError
from protocol.exchange import ACKED, DONE, FAILED, TRANSITIONS, WAITING, Exchange
from protocol.limits import MAX_RETRANSMIT

MAX_TRANSMIT_WAIT_MS = 93_000  # RFC 7252 §4.8.2
EVENTS = ["ack", "response", "reset", "gave-up"]
jitters = st.floats(0, 1)


def _exchange(jitter=0.0):
    return Exchange(b"request", now_ms=0, jitter=jitter)


def _in(state):
    exchange = _exchange()
    for event in {WAITING: [], ACKED: ["ack"], DONE: ["response"], FAILED: ["reset"]}[state]:
        exchange.received(event, 0)
    return exchange


def test_an_unanswered_request_is_sent_again_at_doubling_intervals_then_given_up():
    exchange = _exchange()

    sent_at = [now for now in range(0, 100_000, 1000) if exchange.due(now)]

    assert sent_at == [2000, 6000, 14000, 30000]
    assert exchange.retransmissions == MAX_RETRANSMIT
    assert exchange.state == FAILED


@given(jitters, st.lists(st.booleans(), max_size=6), st.integers(1, 1500), st.booleans())
def test_it_ends_under_any_loss(jitter, lost, answer_ms, separate):
    exchange = _exchange(jitter)
    event = "ack" if separate else "response"
    arrivals = {}
    sent = 1

    for now in range(0, 2 * MAX_TRANSMIT_WAIT_MS + 2000, 500):
        for at in [at for at in arrivals if at <= now and exchange.state != FAILED]:
            exchange.received(arrivals.pop(at), now)
        if exchange.due(now) is not None:
            sent += 1
            if sent < len(lost) and not lost[sent]:
                arrivals[now + answer_ms] = event

    assert exchange.state in (DONE, FAILED)
    assert sent <= 1 + MAX_RETRANSMIT


@given(jitters)
def test_it_is_over_within_the_patience_of_the_rfc(jitter):
    exchange = _exchange(jitter)

    while exchange.state == WAITING:
        last = exchange.due_ms
        exchange.due(last)

    assert 62_000 <= last <= MAX_TRANSMIT_WAIT_MS


@given(jitters, st.lists(st.tuples(st.integers(0, 40_000), st.sampled_from(EVENTS)), max_size=8))
def test_nothing_is_sent_and_no_state_changes_once_it_is_over(jitter, script):
    exchange, now, over = _exchange(jitter), 0, None

    for pause, event in script:
        now += pause
        sent = exchange.due(now)
        assert over is None or (sent is None and exchange.state == over)
        try:
            exchange.received(event, now)
        except OutOfStateError:
            pass
        over = exchange.state if exchange.state in (DONE, FAILED) else None

    assert over is None or exchange.due(now + 10**9) is None


@pytest.mark.parametrize("state", [WAITING, ACKED, DONE, FAILED])
@pytest.mark.parametrize("event", [*EVENTS, "unheard"])
def test_every_pair_is_in_the_table_or_changes_nothing(state, event):
    exchange = _in(state)
    due_ms = exchange.due_ms

    if (state, event) in TRANSITIONS:
        exchange.received(event, 100)
        assert exchange.state == TRANSITIONS[state, event]
    else:
        with pytest.raises(OutOfStateError, match=f"{event} while {state}"):
            exchange.received(event, 100)
        assert (exchange.state, exchange.due_ms) == (state, due_ms)


@given(jitters)
def test_the_first_wait_is_between_one_and_one_and_a_half_timeouts(jitter):
    assert 2000 <= _exchange(jitter).due_ms <= 3000

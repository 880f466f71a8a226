"""What resources consist of is not deleted for its age or size; what they were before is."""

import random

import pytest

from gateway.config import RetentionConfig, RetentionRule
from gateway.errors import GoneError
from gateway.ledger import fsck, pruning
from gateway.ledger.budget import Budget
from gateway.ledger.contents import assembled
from gateway.ledger.pruning import Order
from gateway.ledger.retention import DAY_MS, HOUR_MS, Retention, Situation
from gateway.store import Selection
from protocol.prune import REDACTION, RETENTION
from tests.fakes import NOW_MS, ORIGIN, FakeDevice, FakeGateway
from tests.gateway.resourceful import delete, post, put

NOW = NOW_MS - NOW_MS % HOUR_MS
OLD = RetentionConfig(keep_days=5)


@pytest.fixture
def gateway(store):
    """Ten days ago: a pack 0, home/a 1, a pack 2, home/a appended 3, home/b 4 and again 5."""
    gateway = FakeGateway(store)
    gateway.surroundings.now_ms = NOW - 10 * DAY_MS
    shed = FakeDevice()
    gateway.commit(shed.submission(0), put("home/a", b"1"), shed.submission(1))
    gateway.commit(post("home/a", b"2"), put("home/b", b"3"), put("home/b", b"4"))
    gateway.surroundings.now_ms = NOW
    return gateway


def run(gateway, retention, **known):
    for _ in range(1000):
        size = gateway.writer.size
        facts = {"now_ms": NOW, "size": size, "forwarded": size, "used_bytes": 0} | known
        turn = gateway.store.read(lambda r, f=facts: retention.turn(r, Situation(**f)))
        if turn.over:
            return
        if turn.step is not None:
            assert pruning.commit(gateway.writer, turn.step, RETENTION) is not None
    raise AssertionError("it never ends")


def left(gateway, count=6):
    entries = gateway.store.read(lambda r: r.entries(0, count))
    return [entry.index for entry in entries if entry.body is not None]


def content(gateway, path):
    return gateway.store.read(lambda r: assembled(path, r.parts.of(path))).content


def is_sound(gateway):
    return fsck.check(gateway.store, ORIGIN, gateway.sign()).reason is None


def test_what_a_resource_consists_of_outlives_its_age(gateway):
    run(gateway, Retention(OLD, None))

    assert left(gateway) == [1, 3, 5]
    assert (content(gateway, "home/a"), content(gateway, "home/b")) == (b"12", b"4")
    assert is_sound(gateway)


@pytest.mark.parametrize(
    ("rule", "kept"),
    [({"kind": "put"}, [0, 1, 2, 3, 5]), ({"source": "home/b"}, [0, 1, 2, 3, 5])],
)
def test_a_rule_deletes_no_more(gateway, rule, kept):
    config = RetentionConfig(rules=[RetentionRule(keep_days=1, **rule)])

    run(gateway, Retention(config, None))

    assert left(gateway) == kept


def test_what_is_superseded_later_goes_within_the_hour(gateway):
    retention = Retention(OLD, None)
    run(gateway, retention)
    (changed,) = gateway.commit(put("home/a", b"5"))

    retention.look_again(changed.superseded)
    run(gateway, retention)
    at_once = left(gateway)
    run(gateway, retention, now_ms=NOW + HOUR_MS)

    assert at_once == [1, 3, 5]
    assert left(gateway) == [5]
    assert content(gateway, "home/a") == b"5"
    assert is_sound(gateway)


def test_the_last_of_a_deleted_resource_goes_too(gateway):
    gateway.commit(delete("home/a"), delete("home/b"))

    run(gateway, Retention(OLD, None))

    assert left(gateway) == []
    assert is_sound(gateway)


BUDGET = Budget(file_pages=10**6, log_bytes=1, soft_bytes=10, target_bytes=0)


def test_what_a_resource_consists_of_outlives_a_full_ledger_which_says_so(gateway):
    retention = Retention(RetentionConfig(max_bytes=1), BUDGET)

    run(gateway, retention, used_bytes=100, now_ms=None)

    assert left(gateway) == [1, 3, 5]
    assert retention.stuck


def test_what_is_superseded_makes_room(gateway):
    retention = Retention(RetentionConfig(max_bytes=1), BUDGET)
    run(gateway, retention, used_bytes=100, now_ms=None)
    (changed,) = gateway.commit(delete("home/a"))

    retention.look_again(changed.superseded)
    run(gateway, retention, used_bytes=100, now_ms=None)

    assert left(gateway) == [5]


def test_somebodys_order_spares_it_as_well_and_a_redaction_does_not(gateway):
    for redact, kept in ((False, [1, 3, 5]), (True, [])):
        order = Order(redact=redact)
        while order is not None:
            size = gateway.writer.size
            look, order = gateway.store.read(lambda r, o=order, s=size: pruning.follow(r, o, s))
            if look.step:
                pruning.commit(gateway.writer, look.step, REDACTION if redact else RETENTION)

        assert left(gateway) == kept
    with pytest.raises(GoneError):
        content(gateway, "home/a")
    assert is_sound(gateway)


def test_a_redacted_resource_is_put_anew_appended_to_and_deleted(gateway):
    pruning.commit(gateway.writer, Selection(0, 6), REDACTION)

    gateway.commit(post("home/a", b"more"), put("home/b", b"anew"))

    with pytest.raises(GoneError):
        content(gateway, "home/a")
    assert content(gateway, "home/b") == b"anew"
    gateway.commit(delete("home/a"))
    assert is_sound(gateway)


def test_a_step_holds_no_more_bytes_than_it_may_beside_what_is_spared(gateway):
    look = gateway.store.read(lambda r: pruning.look(r, Selection(1, 6), 1))

    assert (look.step, look.found.bodies) == (Selection(2, 3), 1)
    assert gateway.store.read(lambda r: pruning.look(r, Selection(3, 4))).step is None


def test_resources_are_whole_whatever_is_changed_and_deleted(store):
    gateway, dice, model = FakeGateway(store), random.Random(5), {}
    retention = Retention(RetentionConfig(keep_days=1), None)

    for hour in range(60):
        gateway.surroundings.now_ms = NOW + hour * HOUR_MS
        for _ in range(dice.randrange(6)):
            path, byte = f"home/{dice.randrange(4)}", dice.randbytes(1)
            kind = dice.choice([put, post, delete] if path in model else [put, post])
            (changed,) = gateway.commit(kind(path, *(() if kind is delete else (byte,))))
            model[path] = model.get(path, b"") + byte if kind is post else byte
            if kind is delete:
                del model[path]
            if changed.superseded is not None:
                retention.look_again(changed.superseded)
        run(gateway, retention, now_ms=gateway.surroundings.now_ms)

        assert {path: content(gateway, path) for path in model} == model
    assert is_sound(gateway)
    assert left(gateway, 20) == gateway.store.read(lambda r: r.parts.among(Selection(0, 20)))

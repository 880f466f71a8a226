"""How large a resource may be, how many there may be, and what happens at the limit."""

import pytest

from gateway.errors import ContentTooLargeError, QuotaError
from gateway.ledger.batch import Applied
from gateway.ledger.changes import MAX_PARTS, Limits, Totals
from gateway.ledger.contents import assembled
from protocol.limits import MAX_CONTENT_BYTES
from tests.fakes import FakeGateway
from tests.gateway.resourceful import LIMITS, delete, post, put

PATH = "home/lamp"


@pytest.fixture
def gateway(store):
    return FakeGateway(store)


def content(gateway):
    return gateway.store.read(lambda r: assembled(PATH, r.parts.of(PATH)))


def totals(gateway):
    return tuple(gateway.store.read(Totals.read))


def counted(gateway):
    lasts = gateway.store.read(lambda r: r.parts.lasts("", "", 99))
    return len(lasts), sum(part.size_bytes for part in lasts)


TOO_MUCH = {
    "a put": ([put(PATH, bytes(1001))], ContentTooLargeError),
    "appended": ([put(PATH, bytes(600)), post(PATH, bytes(401))], ContentTooLargeError),
    "a resource more": ([put(f"home/{n}") for n in range(21)], QuotaError),
    "more bytes": ([put(f"home/{n}", bytes(1000)) for n in range(5)] + [put(PATH)], QuotaError),
    "more bytes appended": (
        [put(f"home/{n}", bytes(999)) for n in range(5)] + [post("home/0"), post(PATH, bytes(5))],
        QuotaError,
    ),
}


@pytest.mark.parametrize(("submissions", "refusal"), TOO_MUCH.values(), ids=TOO_MUCH)
def test_what_is_too_much_is_refused_and_the_rest_is_not(gateway, submissions, refusal):
    answers = gateway.commit(*submissions)

    assert [type(a) for a in answers] == [Applied] * (len(submissions) - 1) + [refusal]
    assert totals(gateway) == counted(gateway)


def test_exactly_as_much_as_may_be_is_taken(gateway):
    answers = gateway.commit(
        *(put(f"home/{n}", bytes(999)) for n in range(5)), post("home/0"), post(PATH, bytes(4))
    )

    assert [type(answer) for answer in answers] == [Applied] * 7
    assert totals(gateway) == (6, 5000)


def test_a_full_quota_lets_go_and_lets_in_what_fits_then(gateway):
    gateway.commit(*(put(f"home/{n}", bytes(1000)) for n in range(5)))

    answers = gateway.commit(
        put("home/0", bytes(1000)), delete("home/1"), put("home/2", b""), put(PATH, bytes(1000))
    )

    assert [type(answer) for answer in answers] == [Applied] * 4


def test_what_is_over_a_quota_that_was_lowered_may_still_be_made_less(gateway):
    gateway.commit(*(put(f"home/{n}", bytes(1000)) for n in range(5)))
    lower = LIMITS._replace(resources=1, total_bytes=10)

    answers = gateway.commit(
        put("home/0", bytes(999), limits=lower),
        put("home/0", bytes(1000), limits=lower),
        delete("home/1", limits=lower),
        put("home/2", b"", limits=lower),
        put(PATH, b"", limits=lower),
    )

    assert [type(answer) for answer in answers] == [
        *(Applied, QuotaError, Applied, Applied, QuotaError)
    ]


def test_one_change_has_as_much_as_a_proof_can_carry_and_a_resource_may_have_more(gateway):
    wide = Limits(1 << 30, 9, 1 << 30)

    answers = gateway.commit(
        put(PATH, bytes(MAX_CONTENT_BYTES), limits=wide),
        post(PATH, bytes(MAX_CONTENT_BYTES), limits=wide),
        post(PATH, bytes(MAX_CONTENT_BYTES + 1), limits=wide),
    )

    assert [type(answer) for answer in answers] == [Applied, Applied, ContentTooLargeError]
    assert answers[2].max_bytes == MAX_CONTENT_BYTES
    assert len(content(gateway).content) == 2 * MAX_CONTENT_BYTES


def test_a_resource_is_appended_to_so_often_and_then_has_to_be_put():
    gateway = FakeGateway()
    gateway.commit(*(post(PATH, b"") for _ in range(MAX_PARTS)))

    answers = gateway.commit(post(PATH, b""), put(PATH, b"anew"), post(PATH, b"!"))

    assert [type(answer) for answer in answers] == [ContentTooLargeError, Applied, Applied]
    assert content(gateway).content == b"anew!"

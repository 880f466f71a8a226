"""The one table that says how each outcome is told."""

import pytest
from aiocoap import Code

from gateway.errors import ANSWERS, FatalError, GatewayError
from protocol.errors import OutOfStateError, ProtocolError


def classes_of(base):
    found = []
    for child in base.__subclasses__():
        found += [child, *classes_of(child)]
    return found


REFUSALS = classes_of(ProtocolError) + classes_of(GatewayError)
# OutOfStateError is an exchange's own: the gateway runs none
TOLD = [c for c in REFUSALS if c is not OutOfStateError]


@pytest.mark.parametrize("refusal", TOLD, ids=lambda c: c.__name__)
def test_every_refusal_has_its_answer(refusal):
    assert refusal.reason in ANSWERS


def test_every_answer_is_some_refusals_or_a_success():
    assert {c.reason for c in TOLD} | {"kept", "repeat"} == set(ANSWERS)


def test_no_two_refusals_share_a_reason():
    assert len({c.reason for c in REFUSALS}) == len(REFUSALS)


@pytest.mark.parametrize("reason", ANSWERS)
def test_every_answer_is_a_code_of_both_doors(reason):
    answer = ANSWERS[reason]

    assert Code(answer.coap).name
    assert Code(answer.coap).is_successful() == (answer.http == 200)
    assert answer.retry == (answer.http in (429, 503, 507))


def test_what_stops_us_is_no_answer_and_says_what_to_do():
    assert FatalError("a", "b").fix == "b"
    assert not issubclass(FatalError, GatewayError)
